//! Event 13.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;
use ledger_core::posting::Posting;

use crate::peel::*;
use crate::world::*;

#[test]
fn reversed() {
    let mut world = World::new();
    world.open("x:usd", "USD", AccountKind::Dispute);
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    world.advance([1; 16], capture(10_000, true));
    world.initiate([2; 16], "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance([2; 16], authorize(10_000, 3_600));
    let authorized = head(&world, [2; 16]);
    world.advance([2; 16], capture(2_000, false));
    let once = head(&world, [2; 16]);
    let event = world.event_of([2; 16], reverse(&once), &["op1"]);
    world.accept_event(&event, &["op1"]);
    world.advance([2; 16], capture(5_000, false));
    world.advance([2; 16], refund(1_000, RefundCause::Merchant));
    let refunded = head(&world, [2; 16]);
    world.accept(transfer("shop:m1", "world:usd", "USD", 13_000), &["op1"]);
    let other = head(&world, [1; 16]);
    let captured = world.payment([2; 16]).unwrap();
    assert_eq!((captured.capt, captured.rel, captured.hold()), (5_000, 2_000, 3_000));

    let mut draft = stray(&mut world, reverse(&[9; 16]));
    resign(&mut draft, &["op1"]);
    assert_eq!(offer(&mut world, &mut draft).unwrap().code, PaymentNotFound);
    draft.event.payment_id = vec![2; 16];
    assert_eq!(offer(&mut world, &mut draft).unwrap().code, PreviousEventMismatch);
    draft.event.previous_event_id = head(&world, [2; 16]);
    let rows = [
        (vec![9; 16], TargetEventNotFound, "an accepted event"),
        (refused(&mut world), TargetEventNotFound, "an accepted event"),
        (other, TargetNotInPayment, "*"),
        (authorized, TargetNotReversible, "*"),
        (once, TargetAlreadyReversed, "*"),
        // The refund of 1.00 stands in the way of taking back the capture before it.
        (
            captured_before(&world, refunded.clone()),
            ReversalBreaksPayment,
            "settled 0, refunded 1000, disputed 0, lost 0",
        ),
    ];
    for (target, code, limit) in rows {
        body!(draft, PaymentReversed).target_event_id = target;
        let refusal = offer(&mut world, &mut draft).unwrap();
        assert_eq!(refusal.code, code, "{refusal}");
        tells(&refusal, "target_event_id", limit);
    }
    body!(draft, PaymentReversed).target_event_id = refunded.clone();
    let rows: &[Row] = &[
        (PeriodClosed, "effective_date", "20260104", |world, draft| {
            draft.event.effective_date = 0;
            freeze(world, "shop:m1", AccountStatus::CreditFrozen);
            freeze(world, "cust:alice", AccountStatus::DebitFrozen);
        }),
        // Mirrored, the credit comes first.
        (AccountCreditFrozen, "account", "*", |world, _| freeze(world, "shop:m1", AccountStatus::Open)),
        (AccountDebitFrozen, "account", "*", |world, _| freeze(world, "cust:alice", AccountStatus::Open)),
    ];
    peel(&mut world, &mut draft, rows);
    let after = world.payment([2; 16]).unwrap();
    assert_eq!((after.refd, after.sett, after.capt), (0, 5_000, 5_000));
    assert_eq!(after.head.0.to_vec(), draft.event.event_id);

    // Now the capture can be taken back, if the shop has the money.
    let captured = captured_before(&world, refunded);
    let event = world.event_of([2; 16], reverse(&captured), &["op1"]);
    let refusal = world.submit(sign(&event, &["op1"])).refusal().unwrap();
    assert_eq!(
        (refusal.code, refusal.detail.limit.as_str()),
        (InsufficientFunds, "available 2000, required 5000")
    );
    world.accept(transfer("world:usd", "shop:m1", "USD", 3_000), &["op1"]);
    let event = world.event_of([2; 16], reverse(&captured), &["op1"]);
    world.accept_event(&event, &["op1"]);
    let after = world.payment([2; 16]).unwrap();
    assert_eq!((after.status, after.hold()), (PaymentStatus::Authorized, 3_000), "the rest stays held");
    assert_eq!((after.capt, after.rel, after.sett), (0, 7_000, 0));
    assert_eq!(after.last_release, Some(ReleaseCause::Reversal));
}

/// An event that was refused.
fn refused(world: &mut World) -> Vec<u8> {
    let event = world.event(transfer("cust:alice", "cust:bob", "USD", 10_000_000), &["op1"]);
    assert_eq!(code_of(world, &event, &["op1"]), Some(InsufficientFunds));
    event.event_id
}

/// The event that the refund named as the one before it.
fn captured_before(world: &World, refunded: Vec<u8>) -> Vec<u8> {
    world.previous_of(&refunded)
}

#[test]
fn a_reversal_mirrors_what_was_posted() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:eur", CaptureMode::Deferred, "rail:usd");
    world.advance([1; 16], authorize(10_000, 3_600));
    let fees = vec![fee(Payer::Debtor, "fee:usd", "USD", 7)];
    let captured = PaymentCaptured { amount: 8_000, final_capture: true, fees, fx: None };
    world.advance([1; 16], Body::PaymentCaptured(captured));
    let captured = head(&world, [1; 16]);
    world.advance([1; 16], settle(8_000, Some(fx("EUR", 7_200, 9, 1))));
    let settled = head(&world, [1; 16]);
    let fees = vec![fee(Payer::Creditor, "fee:eur", "EUR", 5)];
    let refunded = PaymentRefunded {
        amount: 1_000,
        cause: Some(RefundCause::Recall),
        reason: "TEST".to_owned(),
        fees,
        fx: Some(fx("EUR", 900, 9, 1)),
    };
    world.advance([1; 16], Body::PaymentRefunded(refunded));
    let refunded = head(&world, [1; 16]);
    let event = world.event_of([1; 16], reverse(&captured), &["op1"]);
    assert_eq!(code_of(&mut world, &event, &["op1"]), Some(ReversalBreaksPayment), "it is settled");
    for (target, postings) in [(refunded, 6), (settled, 4), (captured, 4)] {
        let event = world.event_of([1; 16], reverse(&target), &["op1"]);
        let answer = world.submit(sign(&event, &["op1"]));
        let Answer::Recorded(outcomes) = &answer else { panic!("{answer:?}") };
        assert_eq!(outcomes[0].refusal, None);
        let expected: Vec<Posting> =
            world.posted_by(&target).iter().map(|posting| exchanged(*posting)).collect();
        assert_eq!(outcomes[0].effects.postings, expected);
        assert_eq!(expected.len(), postings);
        let lines = &outcomes[0].effects.lines;
        assert!(
            lines.iter().all(|line| line.payment_id.0 == [1; 16] && line.event_id.0[..] == event.event_id)
        );
    }
    let after = world.payment([1; 16]).unwrap();
    assert_eq!((after.status, after.capt, after.sett, after.refd), (PaymentStatus::Reversed, 0, 0, 0));
    assert_eq!(after.event_count, 8);
    for account in ["shop:eur", "rail:usd", "fx:usd", "fx:eur", "fee:usd", "fee:eur"] {
        assert_eq!(world.account(account).posted(), 0, "{account}");
    }
}

fn exchanged(posting: Posting) -> Posting {
    assert_eq!(posting.layer, Layer::Posted);
    Posting { side: if posting.side == Side::Debit { Side::Credit } else { Side::Debit }, ..posting }
}

#[test]
fn a_transfer_is_reversed_by_its_id() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    world.advance(PAYMENT, capture(10_000, true));
    let target = world.accept(transfer("world:usd", "cust:bob", "USD", 700), &["op1"]);
    let captured = head(&world, PAYMENT);
    let event = world.event(reverse(&captured), &["op1"]);
    let refusal = world.submit(sign(&event, &["op1"])).refusal().unwrap();
    assert_eq!((refusal.code, refusal.detail.limit.as_str()), (TargetNotInPayment, "an event of no payment"));
    let event = world.event_of(PAYMENT, reverse(&target), &["op1"]);
    assert_eq!(code_of(&mut world, &event, &["op1"]), Some(TargetNotInPayment));
    let opened = world.account("cust:bob").opened_index;
    let id = world.event_at(opened.0);
    let event = world.event(reverse(&id), &["op1"]);
    let refusal = world.submit(sign(&event, &["op1"])).refusal().unwrap();
    assert_eq!((refusal.code, refusal.detail.value.as_str()), (TargetNotReversible, "AccountOpened"));

    world.close_period(20_260_104);
    let mut event = world.event(reverse(&target), &["op1"]);
    event.effective_date = 20_260_104;
    assert_eq!(code_of(&mut world, &event, &["op1"]), Some(PeriodClosed));
    let event = world.event(reverse(&target), &["op1"]);
    let answer = world.submit(sign(&event, &["op1"]));
    let Answer::Recorded(outcomes) = &answer else { panic!("{answer:?}") };
    assert!(outcomes[0].effects.payments.is_empty());
    assert!(outcomes[0].effects.lines.iter().all(|line| line.payment_id.is_nil()));
    assert_eq!(world.account("cust:bob").posted(), 0);
    let again = world.event(reverse(&target), &["op1"]);
    let refusal = world.submit(sign(&again, &["op1"])).refusal().unwrap();
    let by = world.next_index - 2;
    assert_eq!(refusal.detail.limit, format!("reversed at log index {by}"));
    assert_eq!(refusal.code, TargetAlreadyReversed);
    // A reversal cannot be reversed.
    let event = world.event(reverse(&event.event_id), &["op1"]);
    assert_eq!(code_of(&mut world, &event, &["op1"]), Some(TargetNotReversible));
}
