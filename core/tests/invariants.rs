//! Any stream of commands keeps the invariants after every entry.

#[allow(dead_code, reason = "shared with other tests")]
mod world;

use std::collections::BTreeMap;

use ledger_core::event::Body;
use ledger_core::number::*;
use ledger_core::original::Original;
use ledger_core::record::{Counters, PaymentRecord};
use ledger_core::view::{State, StateView};
use proptest::prelude::*;
use world::*;

/// What one step of a stream tries.
#[derive(Clone, Debug)]
enum Command {
    Initiate { payment: u8, mode: bool, clearing: bool, across: bool },
    Advance { payment: u8, step: Step },
    Transfer { from: u8, to: u8, amount: u64 },
    Status { account: u8, status: u8 },
    Wait { seconds: u64 },
}

#[derive(Clone, Debug)]
enum Step {
    Authorize(u64, u32),
    Capture(u64, bool, u64),
    Void,
    Refund(u64, bool),
    Increase(u64),
    Reduce(u64),
    Settle(u64),
    ChargeBack(u64),
    Resolve(u64, bool),
    /// The newest event but so many.
    Reverse(usize),
}

const ACCOUNTS: [&str; 6] = ["cust:alice", "cust:bob", "shop:m1", "bank:usd", "world:usd", "fee:usd"];
const STATUSES: [AccountStatus; 4] =
    [AccountStatus::Open, AccountStatus::DebitFrozen, AccountStatus::CreditFrozen, AccountStatus::Frozen];

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        (1u64..12_000, 1u32..90).prop_map(|(amount, timeout)| Step::Authorize(amount, timeout)),
        (1u64..12_000, any::<bool>(), 0u64..50)
            .prop_map(|(amount, last, fee)| Step::Capture(amount, last, fee)),
        Just(Step::Capture(10_000, true, 0)),
        Just(Step::Void),
        (1u64..12_000, any::<bool>()).prop_map(|(amount, returned)| Step::Refund(amount, returned)),
        (1u64..5_000).prop_map(Step::Increase),
        (1u64..5_000).prop_map(Step::Reduce),
        (1u64..12_000).prop_map(Step::Settle),
        (1u64..12_000).prop_map(Step::ChargeBack),
        (1u64..12_000, any::<bool>()).prop_map(|(amount, won)| Step::Resolve(amount, won)),
        (0usize..4).prop_map(Step::Reverse),
    ]
}

fn command() -> impl Strategy<Value = Command> {
    prop_oneof![
        2 => (0u8..5, any::<bool>(), any::<bool>(), any::<bool>())
            .prop_map(|(payment, mode, clearing, across)| Command::Initiate { payment, mode, clearing, across }),
        6 => (0u8..5, step()).prop_map(|(payment, step)| Command::Advance { payment, step }),
        2 => (0u8..6, 0u8..6, 1u64..60_000).prop_map(|(from, to, amount)| Command::Transfer { from, to, amount }),
        1 => (0u8..6, 0u8..4).prop_map(|(account, status)| Command::Status { account, status }),
        1 => (1u64..60).prop_map(|seconds| Command::Wait { seconds }),
    ]
}

fn run(world: &mut World, command: &Command) {
    let (event, by): (_, &[&str]) = match command {
        Command::Wait { seconds } => {
            world.now_nanos += seconds * 1_000_000_000;
            world.expire_due();
            return;
        }
        Command::Initiate { payment, mode, clearing, across } => {
            let creditor = if *across { "shop:eur" } else { "shop:m1" };
            let mut body = initiation("cust:alice", creditor, if *clearing { "rail:usd" } else { "" });
            if let Body::PaymentInitiated(body) = &mut body {
                body.capture_mode = Some(if *mode { CaptureMode::Deferred } else { CaptureMode::Immediate });
            }
            let mut event = world.event(body, &["wallet"]);
            event.payment_id = vec![payment + 1; 16];
            (event, &["wallet"])
        }
        Command::Advance { payment, step } => {
            let across = world.payment([payment + 1; 16]).is_some_and(|payment| {
                world.state.account(payment.creditor).unwrap().currency.as_str() == "EUR"
            });
            if let Step::Reverse(back) = step {
                let mut events = world.logged.iter().rev().map(|(_, event, _)| event);
                let target = events.nth(*back).map_or(vec![1; 16], |event| event.event_id.clone());
                (world.event_of([payment + 1; 16], reverse(&target), &["op1"]), &["op1"])
            } else {
                (world.event_of([payment + 1; 16], body_of(step, across), &["acquirer"]), &["acquirer"])
            }
        }
        Command::Transfer { from, to, amount } => {
            let (from, to) = (ACCOUNTS[usize::from(*from)], ACCOUNTS[usize::from(*to)]);
            (world.event(transfer(from, to, "USD", *amount), &["op1"]), &["op1"])
        }
        Command::Status { account, status } => {
            return world.change_status(ACCOUNTS[usize::from(*account)], STATUSES[usize::from(*status)]);
        }
    };
    world.expire_due();
    let before = world.records();
    if world.submit(sign(&event, by)).code().is_some() {
        assert_eq!(world.records(), before, "a refusal changes nothing: {command:?}");
    }
}

fn body_of(step: &Step, across: bool) -> Body {
    let half = |amount: u64| across.then(|| fx("EUR", amount / 2, 5, 1)).filter(|_| amount > 1);
    match step {
        Step::Increase(amount) => increase(*amount),
        Step::Reduce(amount) => reduce(*amount),
        Step::Settle(amount) => settle(*amount, half(*amount)),
        Step::ChargeBack(amount) => charge_back(*amount, half(*amount)),
        Step::Resolve(amount, true) => resolve(*amount, ChargebackResult::Won, half(*amount)),
        Step::Resolve(amount, false) => resolve(*amount, ChargebackResult::Lost, None),
        Step::Reverse(_) => reverse(&[1; 16]),
        Step::Authorize(amount, timeout_s) => authorize(*amount, *timeout_s),
        Step::Void => void(),
        Step::Capture(amount, last, fee_amount) => {
            let mut body = capture(*amount, *last);
            if let Body::PaymentCaptured(body) = &mut body {
                if *fee_amount > 0 {
                    body.fees = vec![fee(Payer::Debtor, "fee:usd", "USD", *fee_amount)];
                }
                body.fx = half(*amount);
            }
            body
        }
        Step::Refund(amount, returned) => {
            let cause = if *returned { RefundCause::Return } else { RefundCause::Merchant };
            let mut body = refund(*amount, cause);
            if let Body::PaymentRefunded(body) = &mut body {
                body.fx = half(*amount);
            }
            body
        }
    }
}

/// What a later event may ask of an earlier one, read back from its entry at any time after it, is what was posted.
fn check_originals(world: &World) {
    for (_, event, _) in &world.logged {
        let id = ledger_core::ids::EventId(event.event_id.as_slice().try_into().unwrap());
        let kept = world.state.original(&id).unwrap().unwrap();
        assert_eq!(Original::read(&world.state, event, kept.outcome).unwrap(), *kept, "{event:?}");
    }
}

fn check(world: &World) {
    let mut sums: BTreeMap<_, Counters> = BTreeMap::new();
    let mut held: BTreeMap<_, i128> = BTreeMap::new();
    for payment in world.state.payments() {
        check_payment(payment, world.now_nanos);
        *held.entry(payment.debtor).or_default() += payment.hold();
    }
    for (record, index) in world.state.accounts().iter().zip(0..) {
        let counters = record.counters;
        let sum = sums.entry(record.currency).or_default();
        sum.posted_debits += counters.posted_debits;
        sum.posted_credits += counters.posted_credits;
        sum.pending_debits += counters.pending_debits;
        sum.pending_credits += counters.pending_credits;
        let held = held.get(&ledger_core::ids::AccountIndex(index)).copied().unwrap_or_default();
        assert_eq!(counters.pending_debits, held, "A4: {}", record.id);
        assert!(
            record.kind == AccountKind::Merchant || record.headroom().is_none_or(|left| left >= 0),
            "{record:?}"
        );
        assert!(counters.posted_debits >= 0 && counters.posted_credits >= 0 && counters.pending_credits >= 0);
    }
    for (currency, sum) in &sums {
        assert_eq!(sum.posted_debits, sum.posted_credits, "G1: {currency} posted");
        assert_eq!(sum.pending_debits, sum.pending_credits, "G1: {currency} pending");
    }
    assert_eq!(&sums, &world.state.totals().0, "totals are the sums of the accounts");
}

fn check_payment(payment: &PaymentRecord, now_nanos: u64) {
    let PaymentRecord { auth, capt, rel, sett, refd, disp, lost, .. } = *payment;
    assert!([auth, capt, rel, sett, refd, disp, lost].iter().all(|counter| *counter >= 0), "P1: {payment:?}");
    assert!(
        payment.hold() >= 0 && sett <= capt && capt <= auth - rel && refd + disp + lost <= sett,
        "P1: {payment:?}"
    );
    assert_eq!(payment.status, payment.derived_status(), "P4: {payment:?}");
    assert!(
        payment.hold() == 0 || payment.expires_at_nanos > now_nanos,
        "P6: a due hold was expired: {payment:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn streams_keep_the_invariants(commands in prop::collection::vec(command(), 1..60)) {
        let mut world = World::new();
        world.open("x:usd", "USD", AccountKind::Dispute);
        for command in &commands {
            run(&mut world, command);
            check(&world);
        }
        check_originals(&world);
        let newest = ledger_core::ids::LogIndex(world.next_index - 1);
        world.invariants.check_whole(&world.state, newest).unwrap();
    }
}
