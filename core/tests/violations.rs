//! The invariants say what an entry that the rules would never make breaks: its effects are changed, a way per row, and
//! the check names the invariant.

#[allow(dead_code, reason = "shared with other tests")]
mod world;

use std::sync::Arc;

use ledger_core::apply::{At, Effects, ExecutedEntry, Subject, apply};
use ledger_core::event::{Body, Event, PaymentCaptured};
use ledger_core::ids::{AccountIndex, EventId, LogIndex, PaymentId};
use ledger_core::invariants::{Broken, Invariants};
use ledger_core::line::Line;
use ledger_core::number::*;
use ledger_core::posting::Posting;
use ledger_core::record::{AccountRecord, PaymentRecord};
use ledger_core::view::{State, StateView};
use world::*;

/// A payment of 100.00 that is authorized, and a capture of 60.00 with a fee, not yet applied.
fn capture_of(world: &mut World) -> Event {
    world.accept(transfer("world:usd", "shop:m1", "USD", 1_000), &["op1"]);
    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 600));
    let fees = vec![fee(Payer::Creditor, "fee:usd", "USD", 180)];
    let body = Body::PaymentCaptured(PaymentCaptured { amount: 6_000, fees, ..PaymentCaptured::default() });
    world.event_of(PAYMENT, body, &["acquirer"])
}

fn at(world: &World) -> At {
    let t_nanos = world.now_nanos + 1;
    At { t_nanos, log_index: LogIndex(world.next_index), recorded_at_nanos: t_nanos }
}

/// The invariant that an entry breaks.
fn broken(world: &World, event: &Event, outcome: u16, effects: &Effects) -> Option<&'static str> {
    let At { t_nanos, log_index, recorded_at_nanos } = at(world);
    let subject = Subject::Event { event, digest: [0; 32] };
    let executed = ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome, subject, effects };
    named(world.invariants.clone().check_entry(&world.state, &executed), log_index)
}

fn named(checked: Result<(), Broken>, log_index: LogIndex) -> Option<&'static str> {
    match checked {
        Ok(()) => None,
        Err(Broken::Violated(violation)) => {
            assert_eq!(violation.log_index, log_index, "{violation}");
            Some(violation.invariant)
        }
        Err(Broken::View(error)) => panic!("{error}"),
    }
}

fn account(effects: &mut Effects, at: usize) -> &mut AccountRecord {
    Arc::make_mut(&mut effects.accounts[at].1)
}

fn payment(effects: &mut Effects) -> &mut PaymentRecord {
    Arc::make_mut(&mut effects.payments[0].1)
}

/// The account of this name.
fn named_account(world: &World, name: &str) -> AccountIndex {
    world.state.account_index(name).unwrap().unwrap()
}

/// Accounts and lines as the postings make them: what is wrong with these is then all that is wrong.
fn rebook(world: &World, effects: &mut Effects) {
    let like = effects.lines[0];
    effects.lines.clear();
    effects.accounts.clear();
    for posting in &effects.postings {
        let place = effects.accounts.iter().position(|(index, _)| *index == posting.account);
        let place = place.unwrap_or_else(|| {
            effects.accounts.push((posting.account, world.state.account(posting.account).unwrap()));
            effects.accounts.len() - 1
        });
        let record = Arc::make_mut(&mut effects.accounts[place].1);
        record.counters.post(*posting);
        record.line_count += 1;
        let (account, number, after) = (posting.account, record.line_count, record.counters);
        let line = Line { account, number, posting: *posting, after, ..like };
        record.statement_chain = line.chained(&record.statement_chain);
        effects.lines.push(line);
    }
}

#[test]
fn every_change_of_an_entry_is_named() {
    let mut world = World::new();
    let event = capture_of(&mut world);
    let honest = apply(&world.state, &event, at(&world)).unwrap();
    assert_eq!(broken(&world, &event, 0, &honest), None);
    let mut same = honest.clone();
    rebook(&world, &mut same);
    assert_eq!(same, honest);
    // The postings: release on alice and on the shop, 60.00 from her to it, 1.80 from it to the fee account.
    assert_eq!(honest.postings.len(), 6);

    type Change = (&'static str, fn(&mut Effects));
    let changes: [Change; 30] = [
        ("I1", |effects| effects.postings[2].delta += 1),
        ("I1", |effects| effects.postings[4].layer = Layer::Pending),
        ("I2", |effects| effects.postings[2].delta = 0),
        ("I2", |effects| effects.postings[3].delta = -1),
        ("I2", |effects| effects.postings[0].delta = 0),
        ("A1", |effects| account(effects, 0).counters.posted_debits += 1),
        ("A1", |effects| account(effects, 1).counters.pending_credits -= 1),
        ("A1", |effects| drop(effects.accounts.remove(0))),
        ("A3", |effects| account(effects, 0).counters.posted_credits -= 1),
        ("A3", |effects| account(effects, 1).counters.posted_credits = 0),
        ("A5", |effects| account(effects, 0).line_count += 1),
        ("A5", |effects| account(effects, 0).statement_chain[0] ^= 1),
        ("A5", |effects| effects.lines[0].number += 1),
        ("A5", |effects| effects.lines[0].log_index = LogIndex(1)),
        ("A5", |effects| effects.lines[0].recorded_at_nanos += 1),
        ("A5", |effects| effects.lines[1].event_id = EventId([9; 16])),
        ("A5", |effects| effects.lines[1].payment_id = PaymentId([9; 16])),
        ("A5", |effects| effects.lines[1].posting.delta += 1),
        ("A5", |effects| effects.lines[1].after.posted_credits += 1),
        ("A5", |effects| effects.lines.truncate(5)),
        ("A5", |effects| effects.lines.push(effects.lines[5])),
        ("A6", |effects| account(effects, 1).status = AccountStatus::Closed),
        ("P5", |effects| account(effects, 0).kind = AccountKind::External),
        ("P1", |effects| payment(effects).sett += 1),
        ("P4", |effects| payment(effects).status = PaymentStatus::Captured),
        ("P2", |effects| payment(effects).head = EventId([9; 16])),
        ("P2", |effects| payment(effects).event_count += 1),
        ("P2", |effects| payment(effects).last_index = LogIndex(1)),
        ("P5", |effects| payment(effects).amount += 1),
        ("P3", |effects| payment(effects).auth += 1),
    ];
    for (number, (invariant, change)) in changes.into_iter().enumerate() {
        let mut changed = honest.clone();
        change(&mut changed);
        assert_eq!(broken(&world, &event, 0, &changed), Some(invariant), "change {number}");
    }
    assert_eq!(broken(&world, &event, 704, &honest), Some("I5"));
}

/// Postings changed, and everything that follows from them with them.
#[test]
fn every_change_of_the_postings_is_named() {
    let mut world = World::new();
    let event = capture_of(&mut world);
    let honest = apply(&world.state, &event, at(&world)).unwrap();
    let [bob, fees, shop, world_usd] =
        ["cust:bob", "fee:usd", "shop:m1", "world:usd"].map(|name| named_account(&world, name));
    type Change<'a> = (&'static str, &'a dyn Fn(&mut Effects));
    let changes: [Change<'_>; 6] = [
        // 200.00 are released of 100.00 that were held.
        ("I2", &|effects| effects.postings[..2].iter_mut().for_each(|posting| posting.delta = -20_000)),
        // Something is held of bob and for the shop, in a payment of alice.
        ("A4", &|effects| {
            let [debit, credit] = [effects.postings[0], effects.postings[1]];
            let held = |posting, account| Posting { account, delta: 5, ..posting };
            effects.postings.extend([held(debit, bob), held(credit, shop)]);
        }),
        ("P3", &|effects| effects.postings[..2].iter_mut().for_each(|posting| posting.delta += 1)),
        // The money goes to another account, or comes from one: every sum is right, the flow is not.
        ("P7", &|effects| effects.postings[3].account = fees),
        ("P7", &|effects| effects.postings[2].account = world_usd),
        ("P7", &|effects| {
            let payment = payment(effects);
            payment.disp = 1;
            payment.status = payment.derived_status();
        }),
    ];
    for (number, (invariant, change)) in changes.into_iter().enumerate() {
        let mut changed = honest.clone();
        change(&mut changed);
        rebook(&world, &mut changed);
        assert_eq!(broken(&world, &event, 0, &changed), Some(invariant), "change {number}");
    }
}

/// A hold without a payment.
#[test]
fn a_hold_of_a_transfer_is_named() {
    let mut world = World::new();
    let event = world.event(transfer("world:usd", "cust:alice", "USD", 5), &["op1"]);
    let mut effects = apply(&world.state, &event, at(&world)).unwrap();
    effects.postings.iter_mut().for_each(|posting| posting.layer = Layer::Pending);
    rebook(&world, &mut effects);
    assert_eq!(broken(&world, &event, 0, &effects), Some("A4"));
}

/// A payment of 100.00 USD to a shop in EUR, and a capture of all of it at 0.9, not yet applied.
fn capture_across(world: &mut World) -> Event {
    world.open("x:usd", "USD", AccountKind::Dispute);
    world.open("x:eur", "EUR", AccountKind::Dispute);
    world.initiate(PAYMENT, "cust:alice", "shop:eur", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 600));
    let fx = Some(fx("EUR", 9_000, 9, 1));
    let body = PaymentCaptured { amount: 10_000, final_capture: true, fees: Vec::new(), fx };
    world.event_of(PAYMENT, Body::PaymentCaptured(body), &["acquirer"])
}

#[test]
fn every_change_of_an_entry_across_currencies_is_named() {
    let mut world = World::new();
    let event = capture_across(&mut world);
    let honest = apply(&world.state, &event, at(&world)).unwrap();
    assert_eq!(broken(&world, &event, 0, &honest), None);
    let [fx_eur, x_eur, shop] = ["fx:eur", "x:eur", "shop:eur"].map(|name| named_account(&world, name));
    let of = |effects: &mut Effects, account: AccountIndex, change: &dyn Fn(&mut Posting)| {
        let posting = effects.postings.iter_mut().find(|posting| posting.account == account);
        change(posting.unwrap());
    };
    type Change<'a> = (&'static str, &'a dyn Fn(&mut Effects));
    let changes: [Change<'_>; 3] = [
        // A cent more from the FX account to the shop.
        ("I6", &|effects| [fx_eur, shop].iter().for_each(|a| of(effects, *a, &|posting| posting.delta += 1))),
        // In dispute by the payment, and nothing on the account.
        ("G3", &|effects| {
            let payment = payment(effects);
            payment.disp = 1;
            payment.status = payment.derived_status();
        }),
        // On the account, and nothing in dispute: the payment is in USD.
        ("G3", &|effects| of(effects, shop, &|posting| posting.account = x_eur)),
    ];
    for (number, (invariant, change)) in changes.into_iter().enumerate() {
        let mut changed = honest.clone();
        change(&mut changed);
        rebook(&world, &mut changed);
        assert_eq!(broken(&world, &event, 0, &changed), Some(invariant), "change {number}");
    }
    // Signed with another amount than the rate gives.
    for (counter_amount, rounding) in [(8_999, Rounding::Floor), (9_001, Rounding::HalfEven)] {
        let mut wrong = event.clone();
        if let Body::PaymentCaptured(PaymentCaptured { fx: Some(fx), .. }) = &mut wrong.body {
            (fx.counter_amount, fx.rounding) = (counter_amount, Some(rounding));
        }
        assert_eq!(broken(&world, &wrong, 0, &honest), Some("I6"), "{counter_amount}");
    }
}

/// Records put into a state past every rule, and what adding all of them up says.
#[test]
fn every_sum_that_is_wrong_is_named() {
    let mut world = World::new();
    let event = capture_across(&mut world);
    world.accept_event(&event, &["acquirer"]);
    let whole = |change: &dyn Fn(&mut Effects)| {
        let mut effects = Effects::default();
        change(&mut effects);
        let mut state = world.state.clone();
        let subject = Subject::Expiry { payment_id: PaymentId(PAYMENT) };
        let (log_index, outcome) = (LogIndex(world.next_index), 0);
        let (recorded_at_nanos, t_nanos) = (world.now_nanos, world.now_nanos);
        let effects = &effects;
        state.absorb(&ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome, subject, effects });
        named(world.invariants.check_whole(&state, log_index), log_index)
    };
    let put = |effects: &mut Effects, name: &str, change: &dyn Fn(&mut AccountRecord)| {
        let mut record = world.account(name);
        change(&mut record);
        effects.accounts.push((named_account(&world, name), Arc::new(record)));
    };
    let put_payment = |effects: &mut Effects, change: &dyn Fn(&mut PaymentRecord)| {
        let mut record = world.payment(PAYMENT).unwrap();
        change(&mut record);
        let index = world.state.payment_index(&PaymentId(PAYMENT)).unwrap().unwrap();
        effects.payments.push((index, Arc::new(record)));
    };
    assert_eq!(whole(&|_| ()), None);
    type Change<'a> = (&'static str, &'a dyn Fn(&mut Effects));
    let changes: [Change<'_>; 12] = [
        ("G1", &|effects| put(effects, "cust:alice", &|account| account.counters.posted_debits += 1)),
        ("G1", &|effects| put(effects, "cust:alice", &|account| account.counters.pending_credits += 1)),
        // Both sides alike, but not the totals that are kept.
        ("G1", &|effects| {
            put(effects, "cust:alice", &|account| account.counters.posted_debits += 1);
            put(effects, "cust:bob", &|account| account.counters.posted_credits += 1);
        }),
        ("A4", &|effects| {
            let posting = |name, side| Posting {
                account: named_account(&world, name),
                layer: Layer::Pending,
                side,
                delta: 5,
            };
            effects.postings = vec![posting("cust:alice", Side::Debit), posting("shop:m1", Side::Credit)];
            put(effects, "cust:alice", &|account| account.counters.pending_debits += 5);
            put(effects, "shop:m1", &|account| account.counters.pending_credits += 5);
        }),
        // The payment holds what no account has pending.
        ("A4", &|effects| {
            put_payment(effects, &|payment| {
                payment.auth += 5;
                payment.status = payment.derived_status();
            });
        }),
        ("A6", &|effects| put(effects, "cust:alice", &|account| account.status = AccountStatus::Closed)),
        ("P1", &|effects| put_payment(effects, &|payment| payment.refd = -1)),
        ("P1", &|effects| put_payment(effects, &|payment| payment.rel = 1)),
        ("P1", &|effects| put_payment(effects, &|payment| payment.sett += 1)),
        ("P1", &|effects| put_payment(effects, &|payment| payment.lost = payment.sett + 1)),
        ("P4", &|effects| put_payment(effects, &|payment| payment.status = PaymentStatus::Captured)),
        ("G3", &|effects| {
            put_payment(effects, &|payment| {
                payment.disp = 5;
                payment.status = payment.derived_status();
            });
        }),
    ];
    for (number, (invariant, change)) in changes.into_iter().enumerate() {
        assert_eq!(whole(change), Some(invariant), "change {number}");
    }
    // What a transfer posted on the DISPUTE account is none of a payment's.
    world.accept(transfer("world:usd", "x:usd", "USD", 7), &["op1"]);
    let newest = LogIndex(world.next_index - 1);
    assert_eq!(named(world.invariants.check_whole(&world.state, newest), newest), None);
    assert_eq!(named(Invariants::default().check_whole(&world.state, newest), newest), Some("G3"));
}

#[test]
fn an_overdraft_a_closed_account_and_an_early_expiry_are_named() {
    let mut world = World::new();
    let event = world.event(transfer("cust:alice", "world:usd", "USD", 5), &["op1"]);
    let mut effects = apply(&world.state, &event, at(&world)).unwrap();
    // Alice has 1,000.00: debit her 1,000.01 instead.
    effects.postings.iter_mut().for_each(|posting| posting.delta = 100_001);
    rebook(&world, &mut effects);
    assert_eq!(broken(&world, &event, 0, &effects), Some("A2"));

    // Bob's account is closed, and gets 0.05 all the same.
    world.change_status("cust:bob", AccountStatus::Closed);
    let event = world.event(transfer("world:usd", "cust:alice", "USD", 5), &["op1"]);
    let mut effects = apply(&world.state, &event, at(&world)).unwrap();
    effects.postings[1].account = named_account(&world, "cust:bob");
    rebook(&world, &mut effects);
    assert_eq!(broken(&world, &event, 0, &effects), Some("A6"));

    world.initiate(PAYMENT, "cust:alice", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(10_000, 600));
    let At { t_nanos, log_index, recorded_at_nanos } = at(&world);
    let index = world.state.payment_index(&PaymentId(PAYMENT)).unwrap().unwrap();
    let effects = ledger_core::apply::expire(&world.state, index, at(&world)).unwrap();
    let subject = Subject::Expiry { payment_id: PaymentId(PAYMENT) };
    let executed =
        ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome: 0, subject, effects: &effects };
    let checked = Invariants::default().check_entry(&world.state, &executed);
    assert_eq!(named(checked, log_index), Some("P6"));

    // A unit at the time of a hold that is due: its expiry is missing.
    world.now_nanos += 601_000_000_000;
    let event = world.event(transfer("world:usd", "cust:alice", "USD", 5), &["op1"]);
    let effects = apply(&world.state, &event, at(&world)).unwrap();
    assert_eq!(broken(&world, &event, 0, &effects), Some("P6"));
}
