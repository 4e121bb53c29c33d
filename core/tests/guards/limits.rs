//! What is exactly at a limit is admitted, and which keys cover what.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

#[test]
fn what_is_at_a_limit_is_admitted() {
    let mut world = World::new();
    let fees = vec![fee(Payer::Creditor, "fee:usd", "USD", 1); 8];
    let captured =
        |fees, fx| Body::PaymentCaptured(PaymentCaptured { amount: 1, final_capture: true, fees, fx });
    let sides = [Side::Debit, Side::Credit];
    let legs = (0..64).map(|number| leg("world:usd", sides[number % 2], "USD", 1)).collect();
    let purpose = "P".repeat(35);
    let rows = [
        (authorize(1, 31_536_000), "acquirer"),
        (captured(fees, None), "acquirer"),
        (captured(Vec::new(), Some(fx("EUR", 1, 99_999_999_999, 10))), "acquirer"),
        (Body::TransferPosted(TransferPosted { legs, purpose, related_payment_id: Vec::new() }), "op1"),
    ];
    for (body, by) in rows {
        let mut event = world.event(body, &[by]);
        if event.body.number() < 13 {
            event.payment_id = PAYMENT.to_vec();
            event.previous_event_id = vec![1; 16];
        }
        let answer = world.submit(sign(&event, &[by]));
        assert!(matches!(answer, Answer::Recorded(_)), "{event:?}: {answer:?}");
    }
}

#[test]
fn an_id_is_at_most_five_minutes_ahead() {
    let mut world = World::new();
    for (ahead, code) in [(1, Some(EventIdFromFuture)), (0, None)] {
        let mut event = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
        // The unit's time is a nanosecond after now.
        let latest_milli = (world.now_nanos + 1 + 300_000_000_000) / 1_000_000;
        event.event_id[..6].copy_from_slice(&(latest_milli + ahead).to_be_bytes()[2..]);
        assert_eq!(code_of(&mut world, &event, &["op1"]), code, "{ahead} ms");
    }
}

#[test]
fn a_key_covers_what_its_prefix_names() {
    let mut world = World::new();
    let opened = |account: &str| {
        let (account, currency) = (account.to_owned(), "USD".to_owned());
        Body::AccountOpened(AccountOpened { account, currency, kind: Some(AccountKind::Customer), limit: 0 })
    };
    let changed = |account: &str| {
        let (account, reason) = (account.to_owned(), "TEST".to_owned());
        Body::AccountStatusChanged(AccountStatusChanged {
            account,
            status: Some(AccountStatus::Open),
            reason,
        })
    };
    let limited = |account: &str| {
        Body::AccountLimitChanged(AccountLimitChanged { account: account.to_owned(), limit: 9 })
    };
    let rows = [
        (initiation("shop:m1", "shop:eur", ""), "wallet", false),
        (initiation("shop:m1", "cust:alice", ""), "wallet", true),
        (initiation("cust:alice", "shop:m1", ""), "wallet", true),
        (opened("shop:new"), "desk", false),
        (opened("cust:new"), "desk", true),
        (changed("shop:m1"), "desk", false),
        (changed("cust:alice"), "desk", true),
        (limited("shop:m1"), "desk", false),
        (limited("cust:alice"), "desk", true),
        (transfer("cust:alice", "shop:m1", "USD", 1), "shop", false),
        (transfer("shop:m1", "cust:alice", "USD", 1), "shop", true),
        (transfer("cust:alice", "shop:m1", "USD", 1), "desk", false),
        (transfer("cust:alice", "cust:bob", "USD", 1), "desk", true),
    ];
    for (number, (body, by, covered)) in (1u8..).zip(rows) {
        let mut event = world.event(body, &[by]);
        if event.body.number() == 1 {
            event.payment_id = vec![number; 16];
        }
        let code = code_of(&mut world, &event, &[by]);
        assert_eq!(code != Some(SignerNotAccountOwner), covered, "{event:?}: {code:?}");
    }
}

/// The first signer who meets role and coverage both: not one that only has the role, nor one that only covers.
#[test]
fn a_reference_belongs_to_the_party_that_may_sign() {
    let mut world = World::new();
    let all = ["wallet", "acquirer", "anyone"];
    assert_ne!(sorted_keys(&all)[0], public("anyone"), "the first signer is another");
    let mut refer = |payment: u8, by: &[&str]| {
        let mut event = world.event(initiation("shop:m1", "shop:eur", ""), by);
        event.payment_id = vec![payment; 16];
        event.external_ref = "INVOICE".to_owned();
        code_of(&mut world, &event, by)
    };
    assert_eq!(refer(1, &all), None);
    assert_eq!(refer(2, &["anyone"]), Some(DuplicateExternalRef));
}
