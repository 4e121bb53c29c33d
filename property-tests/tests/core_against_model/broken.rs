//! A log with one thing wrong in it breaks the invariant that forbids it, at that entry, whatever comes after.

use std::collections::BTreeSet;
use std::rc::Rc;

use ledger_core::line::Line;
use ledger_core::number::Layer;
use ledger_property_tests::generate::stream;
use ledger_property_tests::model::invariants::Fold;
use ledger_property_tests::model::{Entry, Ledger, Payment, What};
use ledger_property_tests::pair::Pair;

/// Changes an entry, when it is one of those that can be wrong in this way; sees the log before it.
type Change = fn(&mut Entry, &[Entry]) -> bool;

const CHANGES: [(&str, Change); 13] = [
    ("G2", |entry, before| {
        entry.recorded_at = before.last().expect("the genesis").recorded_at;
        true
    }),
    ("I5", |entry, _| entry.outcome() > 0 && entry.accounts.insert(0)),
    ("I1", |entry, _| line(entry, |line| line.posting.delta += 1)),
    ("I2", |entry, _| {
        entry.lines.iter_mut().for_each(|line| line.posting.delta = -line.posting.delta);
        entry.lines.first().is_some_and(|line| line.posting.layer == Layer::Posted)
    }),
    ("A1", |entry, _| line(entry, |line| line.after.posted_debits += 1)),
    ("A5", |entry, _| line(entry, |line| line.number += 1)),
    ("P1", |entry, _| payment(entry, |payment| payment.lost = payment.sett + 1)),
    ("P2", |entry, _| payment(entry, |payment| payment.event_count += 1)),
    ("P3", |entry, _| entry.event().is_some() && payment(entry, |payment| payment.auth += 1)),
    ("P5", |entry, _| payment(entry, |payment| payment.instructed += 1)),
    ("P6", |entry, before| {
        // Before its time.
        let Some(payment) = entry.after.as_ref().filter(|_| matches!(entry.what, What::Expiry)) else {
            return false;
        };
        entry.recorded_at = payment.expires_at - 1;
        entry.recorded_at > before.last().expect("the genesis").recorded_at
    }),
    ("P6", |entry, before| {
        // Some hold has run out before.
        let is_first = entry.t == entry.recorded_at && entry.event().is_some();
        (entry.t, entry.recorded_at) = (u64::MAX, u64::MAX);
        let mut held = BTreeSet::new();
        for payment in before.iter().filter_map(|entry| entry.after.as_ref()) {
            if payment.held() > 0 {
                held.insert(payment.id)
            } else {
                held.remove(&payment.id)
            };
        }
        is_first && !held.is_empty()
    }),
    ("P7", |entry, _| {
        let is_free = entry.after.as_ref().is_some_and(|payment| payment.left_to_return() > 0);
        is_free && payment(entry, |payment| payment.sett -= 1)
    }),
];

#[test]
fn a_broken_invariant_is_found_at_its_entry() {
    let mut pair = Pair::new(1);
    stream(31, 1_200).iter().for_each(|command| pair.take(command).unwrap());
    let (ledger, sound) = (&pair.model, &pair.model.history);
    assert_eq!(stop(ledger, sound), None);
    for (name, change) in CHANGES {
        let mut found = 0;
        for position in 400..sound.len() {
            let mut history = sound.clone();
            if found < 20 && change(&mut history[position], &sound[..position]) {
                let (index, broken) = stop(ledger, &history).unwrap_or_else(|| panic!("{name}: not found"));
                assert_eq!(index, position as u64, "{name}: {broken}");
                assert!(broken.starts_with(name), "{name}, not {broken}");
                found += 1;
            }
        }
        assert!(found > 0, "{name}");
    }
}

/// Where the fold stops and why.
fn stop(ledger: &Ledger, history: &[Entry]) -> Option<(u64, String)> {
    let mut fold = Fold::new(&ledger.fixed);
    history.iter().find_map(|entry| fold.take(entry).err().map(|broken| (entry.index, broken)))
}

fn line(entry: &mut Entry, change: fn(&mut Line)) -> bool {
    entry.lines.first_mut().map(change).is_some()
}

fn payment(entry: &mut Entry, change: fn(&mut Payment)) -> bool {
    entry.after.as_mut().map(|payment| change(Rc::make_mut(payment))).is_some()
}
