//! Atomic groups: all members or none, and what admission says about the whole.

use ledger_core::admit::{Admission, admit, first_difference, group_hash};
use ledger_core::code::Code::{self, *};
use ledger_core::event::{Body, Event, PaymentCaptured};
use ledger_core::number::*;
use ledger_core::unit::{SignedEvent, Unit, VerifiedEvent};
use ledger_core::view::StateView;

use crate::world::*;

/// Members with the group's hash over their ids in this order.
fn grouped(mut members: Vec<(Event, Vec<&'static str>)>) -> Vec<(Event, Vec<&'static str>)> {
    let group = group_hash(members.iter().map(|(event, _)| event.event_id.as_slice()));
    for (event, _) in &mut members {
        event.group = group.to_vec();
    }
    members
}

fn unit(members: &[(Event, Vec<&'static str>)]) -> Unit {
    let verified = |(event, by): &(Event, Vec<&'static str>)| {
        VerifiedEvent::verify(SignedEvent::decode(sign(event, by)).unwrap(), |_| None)
    };
    Unit::group(members.iter().map(verified).collect())
}

/// A payment initiated, authorized and captured in one go, each event after the other.
fn whole_payment(world: &mut World, authorized: u64, captured: u64) -> Vec<(Event, Vec<&'static str>)> {
    let mut first = world.event(initiation("cust:alice", "shop:m1", ""), &["wallet"]);
    first.payment_id = PAYMENT.to_vec();
    let mut second = world.event(authorize(authorized, 60), &["acquirer"]);
    second.payment_id = PAYMENT.to_vec();
    second.previous_event_id = first.event_id.clone();
    let mut third = world.event(capture(captured, true), &["acquirer"]);
    third.payment_id = PAYMENT.to_vec();
    third.previous_event_id = second.event_id.clone();
    grouped(vec![(first, vec!["wallet"]), (second, vec!["acquirer"]), (third, vec!["acquirer"])])
}

fn codes(answer: &Answer) -> Vec<Option<Code>> {
    match answer {
        Answer::Recorded(outcomes) => {
            outcomes.iter().map(|outcome| outcome.refusal.as_ref().map(|refusal| refusal.code)).collect()
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn members_see_what_the_members_before_them_did() {
    let mut world = World::new();
    let members = whole_payment(&mut world, 10_000, 9_000);
    let answer = world.submit_unit(&unit(&members));
    assert_eq!(codes(&answer), [None, None, None]);
    let payment = world.payment(PAYMENT).unwrap();
    assert_eq!((payment.status, payment.event_count, payment.rel), (PaymentStatus::Settled, 3, 1_000));
    assert_eq!(world.account("shop:m1").line_count, 3);
    let Answer::Recorded(outcomes) = answer else { unreachable!() };
    let numbers: Vec<_> =
        outcomes.iter().flat_map(|outcome| &outcome.effects.lines).map(|line| line.number).collect();
    assert_eq!(
        numbers,
        [2, 1, 3, 2, 4, 3],
        "lines of the debtor go on from those it had, of the creditor from 1"
    );
    // Each member at its own place: only that of the first is the time of all checks.
    let (first, start) = (world.next_index - 3, world.now_nanos - 2);
    for (line, member) in outcomes
        .iter()
        .zip(0u64..)
        .flat_map(|(outcome, member)| outcome.effects.lines.iter().map(move |line| (line, member)))
    {
        assert_eq!((line.log_index.0, line.recorded_at_nanos), (first + member, start + member));
    }
}

#[test]
fn one_failing_member_fails_all() {
    let mut world = World::new();
    let before = world.records();
    let members = whole_payment(&mut world, 10_000, 10_001);
    let answer = world.submit_unit(&unit(&members));
    assert_eq!(codes(&answer), [Some(GroupMemberFailed), Some(GroupMemberFailed), Some(CaptureExceedsHold)]);
    assert_eq!(world.records(), before, "nothing remains of the members before it");

    let members = whole_payment(&mut world, 10_001, 10_001);
    let answer = world.submit_unit(&unit(&members));
    let failed = [Some(GroupMemberFailed), Some(AuthorizeExceedsInstructed), Some(GroupMemberFailed)];
    assert_eq!(codes(&answer), failed, "members after it are not evaluated");
    assert_eq!(world.records(), before);
    assert!(
        matches!(world.submit_unit(&unit(&members)), Answer::Known),
        "the ids are burnt, the answer stays"
    );
}

#[test]
fn a_reference_taken_by_a_member_is_taken_for_the_next() {
    let mut world = World::new();
    let members: Vec<_> = (0..2)
        .map(|_| {
            let mut event = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
            event.external_ref = "TWICE".to_owned();
            (event, vec!["op1"])
        })
        .collect();
    let answer = world.submit_unit(&unit(&grouped(members)));
    assert_eq!(codes(&answer), [Some(GroupMemberFailed), Some(DuplicateExternalRef)]);
}

#[test]
fn headroom_is_checked_after_each_member() {
    let mut world = World::new();
    let spend = world.event(transfer("cust:alice", "world:usd", "USD", 100_001), &["op1"]);
    let fund = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
    let members = [(spend, vec!["op1"]), (fund, vec!["op1"])];
    let answer = world.submit_unit(&unit(&grouped(members.to_vec())));
    assert_eq!(codes(&answer), [Some(InsufficientFunds), Some(GroupMemberFailed)]);
}

#[test]
fn what_admission_says_about_the_whole() {
    let mut world = World::new();
    let event = |world: &mut World| {
        (world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]), vec!["op1"])
    };
    let three: Vec<_> = (0..3).map(|_| event(&mut world)).collect();
    let five: Vec<_> = (0..5).map(|_| event(&mut world)).collect();
    let control = {
        let body = ledger_core::event::Body::AccountStatusChanged(ledger_core::event::AccountStatusChanged {
            account: "cust:alice".to_owned(),
            status: Some(AccountStatus::Open),
            reason: "TEST".to_owned(),
        });
        (world.event(body, &["op1"]), vec!["op1"])
    };
    let good = grouped(three.clone());
    let mut swapped = good.clone();
    swapped.swap(0, 1);
    let mut strangers = swapped.clone();
    strangers[0].0.ledger_id = vec![9; 32];
    let mut twice = good.clone();
    twice[2] = twice[0].clone();
    let mut with_another = grouped(vec![three[0].clone(), three[1].clone()]);
    with_another[1].0.signers = sorted_keys(&["desk"]);
    with_another[1].1 = vec!["desk"];
    let single = Unit::single(unit(&good[..1]).members()[0].clone());
    let rows = [
        ("nothing", unit(&[]), RequestEmpty, 0),
        ("more than the genesis allows", unit(&grouped(five)), RequestTooLarge, 0),
        ("more, and a member twice", unit(&vec![three[0].clone(); 5]), RequestTooLarge, 0),
        ("a member twice", unit(&twice), DuplicateEventId, 0),
        (
            "a member twice, without the hash",
            unit(&[three[0].clone(), three[0].clone()]),
            DuplicateEventId,
            0,
        ),
        ("another order", unit(&swapped), GroupMismatch, 0),
        ("another order, of another ledger", unit(&strangers), GroupMismatch, 0),
        ("a member missing", unit(&good[..2]), GroupMismatch, 0),
        ("a member alone", single, GroupMismatch, 0),
        ("a group of one", unit(&grouped(three[..1].to_vec())), GroupMismatch, 0),
        ("without the hash", unit(&three), GroupMismatch, 0),
        ("a control event", unit(&grouped(vec![three[0].clone(), control])), GroupMismatch, 0),
        ("a member that may not sign", unit(&with_another), SignerNotAccountOwner, 1),
    ];
    for (what, unit, code, position) in rows {
        match admit(&world.state, &unit, world.now_nanos).unwrap() {
            Admission::Rejected { member, refusal } => {
                assert_eq!((refusal.code, member), (code, position), "{what}: {refusal}");
            }
            other => panic!("{what}: {other:?}"),
        }
    }
    assert_eq!(admit(&world.state, &unit(&good), world.now_nanos).unwrap(), Admission::Admitted);
}

#[test]
fn known_events() {
    let mut world = World::new();
    let mut event = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
    world.accept_event(&event, &["op1"]);
    world.now_nanos += 2 * 86_400_000_000_000;
    assert!(
        matches!(world.submit(sign(&event, &["nobody"])), Answer::Known),
        "signatures and times are not looked at"
    );
    let original = event.clone();
    event.timestamp_nanos = world.now_nanos;
    assert_eq!(first_difference(&original, &event), Some("timestamp_nanos"));
    assert_eq!(first_difference(&original, &original), None);
    assert_eq!(
        world.submit(sign(&event, &["nobody"])).code(),
        Some(SignersMismatch),
        "no conflict for strangers"
    );
    assert_eq!(world.submit(sign(&event, &["op1"])).code(), Some(EventIdConflict));

    // In a group of which only some members are known, the known ones conflict.
    let new = world.event(transfer("world:usd", "cust:alice", "USD", 2), &["op1"]);
    let mixed = grouped(vec![(new, vec!["op1"]), (event, vec!["op1"])]);
    match admit(&world.state, &unit(&mixed), world.now_nanos).unwrap() {
        Admission::Rejected { member, refusal } => assert_eq!((member, refusal.code), (1, EventIdConflict)),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.state.account_count(), 15);
}

#[test]
fn a_member_may_be_reversed_by_a_later_one_once() {
    let mut world = World::new();
    let target = world.event(transfer("world:usd", "cust:bob", "USD", 700), &["op1"]);
    let reversal = world.event(reverse(&target.event_id), &["op1"]);
    let again = world.event(reverse(&target.event_id), &["op1"]);
    let by = || vec!["op1"];
    let members = grouped(vec![(target.clone(), by()), (reversal.clone(), by()), (again, by())]);
    let answer = world.submit_unit(&unit(&members));
    assert_eq!(
        codes(&answer),
        [Some(GroupMemberFailed), Some(GroupMemberFailed), Some(TargetAlreadyReversed)]
    );

    let (mut target, mut reversal) = (target, reversal);
    target.event_id = world.new_id();
    reversal.event_id = world.new_id();
    reversal.body = reverse(&target.event_id);
    let answer = world.submit_unit(&unit(&grouped(vec![(target.clone(), by()), (reversal, by())])));
    assert_eq!(codes(&answer), [None, None]);
    assert_eq!((world.account("cust:bob").posted(), world.account("cust:bob").line_count), (0, 2));
    let later = world.event(reverse(&target.event_id), &["op1"]);
    assert_eq!(world.submit(sign(&later, &["op1"])).code(), Some(TargetAlreadyReversed));
    // Not one that comes after it.
    let mut reversal = world.event(reverse(&[9; 16]), &["op1"]);
    let target = world.event(transfer("world:usd", "cust:bob", "USD", 700), &["op1"]);
    reversal.body = reverse(&target.event_id);
    let answer = world.submit_unit(&unit(&grouped(vec![(reversal, by()), (target, by())])));
    assert_eq!(codes(&answer), [Some(TargetEventNotFound), Some(GroupMemberFailed)]);
}

#[test]
fn a_group_has_at_most_as_many_members_as_the_genesis_says() {
    let mut world = World::new();
    for (count, admitted) in [(5, false), (4, true)] {
        let member = |_| (world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]), vec!["op1"]);
        let members = grouped((0..count).map(member).collect());
        match world.submit_unit(&unit(&members)) {
            Answer::Recorded(outcomes) => assert!(admitted && outcomes.len() == count),
            other => assert_eq!((other.code(), admitted), (Some(RequestTooLarge), false)),
        }
    }
}

#[test]
fn members_have_payments_and_references_of_their_own() {
    let mut world = World::new();
    world.initiate([1; 16], "cust:alice", "shop:m1", CaptureMode::Immediate, "");
    let mut members = Vec::new();
    for payment in [2, 3] {
        let mut event = world.event(initiation("cust:alice", "shop:m1", ""), &["wallet"]);
        event.payment_id = vec![payment; 16];
        event.external_ref = format!("INVOICE {payment}");
        members.push((event, vec!["wallet"]));
    }
    let answer = world.submit_unit(&unit(&grouped(members)));
    assert_eq!(codes(&answer), [None, None]);
    assert_eq!(world.state.payment_count(), 3);
    for payment in [1, 2, 3] {
        assert_eq!(world.payment([payment; 16]).unwrap().id.0, [payment; 16]);
    }
}

#[test]
fn a_group_finds_the_exchange_accounts() {
    let mut world = World::new();
    let mut first = world.event(initiation("cust:alice", "shop:eur", ""), &["wallet"]);
    first.payment_id = PAYMENT.to_vec();
    let mut second = world.event(authorize(10_000, 60), &["acquirer"]);
    second.payment_id = PAYMENT.to_vec();
    second.previous_event_id = first.event_id.clone();
    let fx = Some(fx("EUR", 9_000, 9, 1));
    let body = PaymentCaptured { amount: 10_000, final_capture: true, fees: Vec::new(), fx };
    let mut third = world.event(Body::PaymentCaptured(body), &["acquirer"]);
    third.payment_id = PAYMENT.to_vec();
    third.previous_event_id = second.event_id.clone();
    let members =
        grouped(vec![(first, vec!["wallet"]), (second, vec!["acquirer"]), (third, vec!["acquirer"])]);
    assert_eq!(codes(&world.submit_unit(&unit(&members))), [None, None, None]);
    assert_eq!(world.account("fx:usd").posted(), 10_000);
    assert_eq!(world.account("fx:eur").posted(), -9_000);
    assert_eq!(world.account("shop:eur").posted(), 9_000);
}
