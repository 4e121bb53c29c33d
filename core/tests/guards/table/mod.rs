//! Every guard by itself and against every guard after it: breaks of a good event, one by one and in pairs.

#[macro_use]
mod breaks;
mod admission;
mod capture;
mod chargeback;
mod hold;
mod others;
mod refund;
mod reverse;
mod settle;

use std::collections::BTreeMap;

use ledger_core::code::{Code, Refusal};
use ledger_core::number::AccountStatus;

use crate::peel::{Draft, offer};
use crate::world::World;

/// What breaks a guard.
enum Break {
    /// An account or a step that the world is prepared without; its name is that of the guard's row.
    Without,
    /// An account is emptied and closed.
    Closed(&'static str),
    /// An account is frozen.
    Frozen(&'static str, AccountStatus),
    /// Something happens before the event is made.
    World(fn(&mut World)),
    /// The event is made otherwise.
    Event(fn(&World, &mut Draft)),
}

struct Guard {
    what: &'static str,
    code: Code,
    broken: Break,
}

/// The guards of an event in their order.
struct Table {
    /// Does all that the event needs.
    prepare: fn(&mut World),
    /// An event that is accepted after that.
    good: fn(&mut World) -> Draft,
    guards: Vec<Guard>,
    /// Which cannot be broken together with which, and why.
    apart: Vec<(&'static str, Vec<&'static str>, &'static str)>,
}

/// An answer, and whether every break took place.
struct Answered {
    refusal: Option<Refusal>,
    is_whole: bool,
}

fn without(what: &'static str, code: Code) -> Guard {
    Guard { what, code, broken: Break::Without }
}

fn world(what: &'static str, code: Code, broken: fn(&mut World)) -> Guard {
    Guard { what, code, broken: Break::World(broken) }
}

fn event(what: &'static str, code: Code, broken: fn(&World, &mut Draft)) -> Guard {
    Guard { what, code, broken: Break::Event(broken) }
}

impl Guard {
    fn apply(&self, world: &mut World) {
        match self.broken {
            Break::Closed(account) => breaks::close(world, account),
            Break::Frozen(account, status) => breaks::attempt_status(world, account, status),
            Break::World(broken) => broken(world),
            Break::Without | Break::Event(_) => {}
        }
    }
}

impl Table {
    /// Each break is answered with its code, each pair with that of the first: so many guards, pairs, and pairs that
    /// cannot be. Of two breaks with one code the answer tells the first.
    fn check(&self, counts: [usize; 3]) {
        let mut worlds = BTreeMap::new();
        let good = self.answer(&mut worlds, &[]);
        assert_eq!(good.refusal, None, "the good event");
        let single = |guard: &Guard, worlds: &mut _| {
            let Answered { refusal, is_whole } = self.answer(worlds, &[guard]);
            let refusal = refusal.unwrap_or_else(|| panic!("{}: accepted", guard.what));
            assert_eq!(refusal.code, guard.code, "{}: {refusal}", guard.what);
            assert!(is_whole, "{} takes place", guard.what);
            refusal
        };
        let singles: Vec<_> = self.guards.iter().map(|guard| single(guard, &mut worlds)).collect();
        let (mut pairs, mut faults) = ([0, 0], Vec::new());
        for (position, (first, alone)) in self.guards.iter().zip(&singles).enumerate() {
            for second in &self.guards[position + 1..] {
                let Answered { refusal, is_whole } = self.answer(&mut worlds, &[first, second]);
                let is_first = refusal.as_ref().is_some_and(|refusal| {
                    tells(refusal) == tells(alone)
                        && (first.code != second.code || refusal.detail.value == alone.detail.value)
                });
                let why = self.why_apart(first.what, second.what);
                if why.is_none() != (is_first && is_whole) {
                    let (one, other, why) = (first.what, second.what, why.unwrap_or("both are"));
                    faults.push(format!("{one}, {other}, {why}: {refusal:?}, both took place: {is_whole}"));
                }
                pairs[usize::from(why.is_some())] += 1;
            }
        }
        assert!(faults.is_empty(), "{}", faults.join("\n"));
        let listed: usize = self.apart.iter().map(|(_, others, _)| others.len()).sum();
        assert_eq!(pairs[1], listed, "every pair that is listed is one of the table's");
        assert_eq!([self.guards.len(), pairs[0], pairs[1]], counts);
    }

    fn why_apart(&self, first: &str, second: &str) -> Option<&'static str> {
        let listed = self.apart.iter().find(|(one, others, _)| *one == first && others.contains(&second));
        listed.map(|(_, _, why)| *why)
    }

    /// Breaks a good event in the order of the breaks, and submits it.
    fn answer(&self, worlds: &mut BTreeMap<Vec<&'static str>, World>, breaks: &[&Guard]) -> Answered {
        let missing = breaks.iter().filter(|guard| matches!(guard.broken, Break::Without));
        let missing: Vec<_> = missing.map(|guard| guard.what).collect();
        let prepared = worlds.entry(missing).or_insert_with_key(|missing| {
            let mut world = World::without(missing);
            (self.prepare)(&mut world);
            world.failures = 0;
            world
        });
        let mut world = prepared.clone();
        breaks.iter().for_each(|guard| guard.apply(&mut world));
        let mut draft = (self.good)(&mut world);
        for guard in breaks {
            if let Break::Event(broken) = guard.broken {
                broken(&world, &mut draft);
            }
        }
        Answered { refusal: offer(&mut world, &mut draft), is_whole: world.failures == 0 }
    }
}

fn tells(refusal: &Refusal) -> (Code, &str) {
    (refusal.code, &refusal.detail.field)
}
