//! Property 2: what is refused changes nothing.

use ledger_core::view::{State, StateView};
use ledger_property_tests::generate::stream;
use ledger_property_tests::pair::Pair;

#[test]
fn p02_a_refused_unit_changes_no_byte() {
    let (mut refused, mut turned_away) = (0, 0);
    for seed in 200..206 {
        let mut pair = Pair::new(1);
        for command in stream(seed, 500) {
            let before = bytes(&pair);
            let size = pair.model.history.len();
            pair.take(&command).unwrap();
            let made = &pair.model.history[size..];
            if made.iter().all(|entry| entry.event().is_some() && entry.outcome() > 0) {
                assert_eq!(bytes(&pair), before, "seed {seed}: {command:?}");
                refused += made.len();
                turned_away += usize::from(made.is_empty());
            }
        }
    }
    println!("{refused} refused events, {turned_away} units turned away or known");
    assert!(refused > 500 && turned_away > 100);
}

/// Every record, the totals, the parameters, the counts.
fn bytes(pair: &Pair) -> Vec<Vec<u8>> {
    let state = &pair.state;
    let mut all: Vec<Vec<u8>> = state.accounts().iter().map(|record| record.encode()).collect();
    all.extend(state.payments().iter().map(|record| record.encode()));
    all.extend(state.keys().iter().map(|record| record.encode()));
    all.push(state.totals().hash().to_vec());
    all.push(state.params().hash().to_vec());
    all.push(vec![state.operator_count() as u8]);
    all
}
