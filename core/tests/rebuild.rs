//! A payment made again from its own entries, whatever has happened beside them.

#[allow(dead_code, reason = "shared with other tests")]
mod world;

use ledger_core::apply::At;
use ledger_core::ids::{EventId, LogIndex, PaymentId};
use ledger_core::number::*;
use ledger_core::rebuild::{PaymentEntry, Rebuild, RebuildError};
use ledger_core::view::StateView;
use world::*;

#[test]
fn a_payment_comes_out_of_its_own_entries() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 600));
    world.advance(PAYMENT, capture(6_000, false));
    world.advance(PAYMENT, refund(1_500, RefundCause::Merchant));
    // What would stand in the way of each of them today.
    world.accept(transfer("cust:alice", "world:usd", "USD", 90_000), &["op1"]);
    world.change_status("cust:alice", AccountStatus::Frozen);
    world.now_nanos += 86_400_000_000_000;
    world.expire_due();
    world.close_period(20_260_105);

    let stored = world.payment(PAYMENT).unwrap();
    assert_eq!(stored.status, PaymentStatus::PartiallyRefunded);
    let index = world.state.payment_index(&PaymentId(PAYMENT)).unwrap().unwrap();
    let mut rebuild = Rebuild::new(&world.state, PaymentId(PAYMENT), index);
    assert!(rebuild.payment().is_none());
    let logged = || world.logged.iter().filter(|(_, event, _)| event.payment_id == PAYMENT);
    for (log_index, event, _) in logged() {
        let t_nanos = world.state.known_event(&EventId(event.event_id.clone().try_into().unwrap()));
        let t_nanos = t_nanos.unwrap().unwrap().recorded_at_nanos;
        let at = At { t_nanos, log_index: LogIndex(*log_index), recorded_at_nanos: t_nanos };
        rebuild.push(&PaymentEntry::Event(Box::new(event.clone())), at).unwrap();
    }
    let expired = At { t_nanos: stored.expires_at_nanos, log_index: stored.last_index, recorded_at_nanos: 0 };
    rebuild.push(&PaymentEntry::Expiry, expired).unwrap();
    assert_eq!(**rebuild.payment().unwrap(), stored);
    assert_eq!(rebuild.entry_count(), 5);

    // An entry left out: the next one does not follow.
    let mut rebuild = Rebuild::new(&world.state, PaymentId(PAYMENT), index);
    let (log_index, event, _) = logged().nth(1).unwrap();
    let at = At { t_nanos: 1, log_index: LogIndex(*log_index), recorded_at_nanos: 1 };
    let error = rebuild.push(&PaymentEntry::Event(Box::new(event.clone())), at).unwrap_err();
    assert!(matches!(error, RebuildError::Refused { log_index: LogIndex(at), .. } if at == *log_index));
    assert!(matches!(rebuild.push(&PaymentEntry::Expiry, at), Err(RebuildError::Idle { .. })));
}
