//! The core and the naive model on random streams of commands: no answer and no record differs, every cell is reached.
//!
//! `LEDGER_PROPERTY_COMMANDS` and `LEDGER_PROPERTY_SEED` set length and first seed. Every world has its own seed.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::time::Instant;

use ledger_core::code::Code;
use ledger_core::number::{AccountKind, AccountStatus, PaymentStatus, Side};
use ledger_property_tests::coverage::Coverage;
use ledger_property_tests::generate::{Failure, play};
use ledger_property_tests::model::Attempt;
use ledger_property_tests::pair::Pair;
use ledger_property_tests::shrink::{run, shrink};
use ledger_property_tests::stream::{from_text, to_text};
use rayon::prelude::*;

/// Commands of a run, when nobody says otherwise: enough to reach every cell many times.
const COMMANDS: u64 = 400_000;

/// Commands of a world.
const WORLD: usize = 2_000;

#[test]
fn core_and_model_agree_and_every_cell_is_reached() {
    let commands = from_environment("LEDGER_PROPERTY_COMMANDS", COMMANDS);
    let seed = from_environment("LEDGER_PROPERTY_SEED", 1);
    let worlds = commands.div_ceil(WORLD as u64);
    println!("{worlds} worlds of {WORLD} commands from seed {seed}");
    let started = Instant::now();
    let reached = (0..worlds).into_par_iter().map(|world| play(seed + world, WORLD)).try_reduce(
        Coverage::default,
        |mut one, other| {
            one.merge(other);
            Ok(one)
        },
    );
    let reached = reached.unwrap_or_else(|failure| report(*failure));
    println!("{} units in {:.1} s, no difference", reached.commands, started.elapsed().as_secs_f64());
    // The usual run reaches every cell, and so does any run that is long enough.
    let is_long = commands >= 5 * COMMANDS || (commands, seed) == (COMMANDS, 1);
    let wrong = compare_with_table(&reached, is_long);
    assert_eq!(wrong, Vec::<String>::new(), "cells, seed {seed}");
}

#[test]
fn every_stream_that_once_failed_passes() {
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")).unwrap() {
        let path = file.unwrap().path();
        let (threshold, commands) = from_text(&std::fs::read_to_string(&path).unwrap()).unwrap();
        if let Err((position, difference)) = run(|| Pair::new(threshold), &commands) {
            panic!("{}, command {position}: {difference}", path.display());
        }
    }
}

#[test]
fn a_rule_that_differs_is_found_and_shrunk_to_what_shows_it() {
    type Change = fn(&mut Pair);
    let changes: [(&str, Change); 3] = [
        ("group members", |pair| pair.model.fixed.group_members = 2),
        ("operator threshold", |pair| pair.model.fixed.operator_threshold += 1),
        ("exponent of the dollar", |pair| {
            pair.model.fixed.exponents.values_mut().for_each(|exponent| *exponent = (*exponent + 1) % 5);
        }),
    ];
    for (name, change) in changes {
        let start = || {
            let mut pair = Pair::new(1);
            change(&mut pair);
            pair
        };
        let stream = ledger_property_tests::generate::stream(7, 1_500);
        let (kept, difference) = shrink(start, &stream);
        println!("{name}: {} commands of {}: {difference}", kept.len(), stream.len());
        assert!(run(start, &kept).is_err(), "{name}");
        assert!(kept.len() <= 3, "{name}: {} commands", kept.len());
        let text = to_text(1, &kept);
        assert_eq!(from_text(&text), Ok((1, kept)), "{name}: the text is the stream");
    }
}

/// Shrinks, prints, keeps the stream as a file, and panics.
fn report(failure: Failure) -> Coverage {
    let Failure { seed, threshold, commands, difference } = failure;
    println!("seed {seed}, {} commands: {difference}", commands.len());
    let (kept, difference) = shrink(|| Pair::new(threshold), &commands);
    let text = to_text(threshold, &kept);
    let path = std::env::temp_dir().join(format!("ledger-difference-{seed}.txt"));
    std::fs::write(&path, format!("# {}\n{text}", difference.replace('\n', "\n# "))).unwrap();
    panic!("seed {seed}: {} commands are enough ({}):\n{difference}\n{text}", kept.len(), path.display());
}

/// What the table says is impossible and was reached, and the other way round.
fn compare_with_table(reached: &Coverage, is_long: bool) -> Vec<String> {
    let table = Table::read();
    let mut wrong = Vec::new();
    let mut count = [0; 2];
    let mut compare = |cell: String, is_possible: bool, is_reached: bool| {
        count[usize::from(is_possible)] += 1;
        match (is_possible, is_reached) {
            (true, false) if is_long => wrong.push(format!("possible, but not reached: {cell}")),
            (false, true) => wrong.push(format!("impossible, but reached: {cell}")),
            _ => {}
        }
    };
    compare("201".to_owned(), true, reached.codes.contains_key(&(0, 201)));
    for event in 1..=23 {
        for code in std::iter::once(0).chain(Code::ALL.iter().map(|code| code.number())) {
            if code == 0 || code >= 200 && !matches!(code, 301..=303 | 305 | 306) {
                let is_reached = reached.codes.contains_key(&(event, code));
                compare(format!("event {event}, code {code}"), table.allows_code(event, code), is_reached);
            }
        }
        for status in std::iter::once(None).chain(PaymentStatus::ALL.iter().copied().map(Some)) {
            let name = status.map_or("NONE", PaymentStatus::name);
            let is_reached = reached.statuses.contains_key(&(event, status));
            if event <= 14 {
                let is_possible = table.allows_status(event, name);
                compare(format!("event {event}, status {name}"), is_possible, is_reached);
            }
        }
    }
    for kind in AccountKind::ALL.iter().copied() {
        for status in AccountStatus::ALL.iter().copied() {
            for (side, taken) in
                [(Side::Debit, true), (Side::Debit, false), (Side::Credit, true), (Side::Credit, false)]
            {
                let attempt = Attempt { kind, status, side, taken };
                let is_reached = reached.attempts.contains_key(&attempt);
                compare(format!("{attempt:?}"), table.allows_posting(&attempt), is_reached);
            }
        }
    }
    println!("{} cells are possible, {} are not", count[1], count[0]);
    let least = reached.codes.iter().min_by_key(|(_, count)| **count);
    println!(
        "reached: {} of (event, code), least often {least:?}; {} of (event, status before); {} of (account kind, \
         status, side, taken)",
        reached.codes.len(),
        reached.statuses.len(),
        reached.attempts.len()
    );
    wrong
}

/// `coverage/impossible.toml`.
struct Table(toml::Table);

impl Table {
    fn read() -> Self {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "coverage", "impossible.toml"].iter().collect();
        Self(std::fs::read_to_string(path).unwrap().parse().unwrap())
    }

    fn rows(&self, name: &str) -> impl Iterator<Item = &toml::Table> {
        let rows = self.0[name].as_array().unwrap().iter();
        rows.map(|row| {
            let row = row.as_table().unwrap();
            assert!(row["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{row:?}");
            row
        })
    }

    fn allows_code(&self, event: u32, code: u16) -> bool {
        let (event, code) = (event.to_string(), code.to_string());
        let by_code = self.rows("codes").filter(|row| values(row, "codes").contains(&code));
        let by_event = self.rows("events").filter(|row| values(row, "events").contains(&event));
        by_code.into_iter().all(|row| values(row, "only").contains(&event))
            && by_event.into_iter().all(|row| values(row, "codes").contains(&code))
    }

    fn allows_status(&self, event: u32, status: &str) -> bool {
        let mut rows = self.rows("statuses").filter(|row| values(row, "events").contains(&event.to_string()));
        rows.all(|row| values(row, "only").contains(status))
    }

    fn allows_posting(&self, attempt: &Attempt) -> bool {
        !self.rows("postings").any(|row| {
            values(row, "kinds").contains(attempt.kind.name())
                && values(row, "statuses").contains(attempt.status.name())
                && values(row, "sides").contains(attempt.side.name())
                && row["taken"].as_bool() == Some(attempt.taken)
        })
    }
}

fn values(row: &toml::Table, name: &str) -> BTreeSet<String> {
    let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    row[name].as_array().unwrap().iter().map(text).collect()
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.replace('_', "").parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")),
        Err(_) => otherwise,
    }
}
