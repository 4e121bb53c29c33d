//! What admission would have turned away stops the rules with an error, never with a panic.

use ledger_core::apply::{At, Stop, apply};
use ledger_core::event::*;
use ledger_core::ids::LogIndex;
use ledger_core::number::*;

use crate::world::*;

#[test]
fn an_event_that_was_not_admitted_is_an_error() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:eur", CaptureMode::Immediate, "");
    let captured = |fee: Fee, conversion: Fx| {
        let (fees, fx) = (vec![fee], Some(conversion));
        Body::PaymentCaptured(PaymentCaptured { amount: 10_000, final_capture: true, fees, fx })
    };
    let right = || (fee(Payer::Creditor, "fee:eur", "EUR", 1), fx("EUR", 10_000, 1, 0));
    let without_payer = Fee { payer: None, ..right().0 };
    let all = ["op1", "op2", "wallet", "acquirer", "regional", "shop", "desk", "anyone", "importer"];
    for (body, by, missing) in [
        (captured(without_payer, right().1), &["acquirer"][..], "payer"),
        (captured(right().0, fx("EUR", 10_000, 1, 37)), &["acquirer"], "fx"),
        (captured(right().0, fx("EUR", 10_000, 1, u32::MAX)), &["acquirer"], "fx"),
        (captured(right().0, right().1), &all, "signers"),
    ] {
        let event = world.event_of(PAYMENT, body, by);
        let (t_nanos, log_index) = (world.now_nanos + 1, LogIndex(world.next_index));
        match apply(&world.state, &event, At { t_nanos, log_index, recorded_at_nanos: t_nanos }) {
            Err(Stop::View(error)) => {
                let told = format!("an event reached the rules without admission: {missing}");
                assert!(error.to_string().ends_with(&told), "{error}");
            }
            other => panic!("{missing}: {other:?}"),
        }
    }
}
