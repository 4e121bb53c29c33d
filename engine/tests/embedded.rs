//! The embedded ledger: submit, read, seal, prove, stop, start.

mod support;

use std::time::Duration;

use ledger_core::code::Code;
use ledger_core::ids::{BlockHeight, EventId, LogIndex, PaymentId};
use ledger_core::number::PaymentStatus;
use ledger_core::receipt::Receipt;
use ledger_crypto::note::VerifierKey;
use ledger_engine::{Answer, Ledger, Slice};
use support::{World, accepted, eventually, log_key};

fn seal(world: &World, ledger: &Ledger) {
    let next = ledger.view().next_index().0;
    world.clock.advance(Duration::from_millis(20));
    eventually("a checkpoint over everything", || ledger.checkpoint().size > next);
}

#[test]
fn a_transfer_is_recorded_read_sealed_and_proved() {
    let world = World::new();
    let ledger = world.furnished();
    let sent = world.transfer("world:usd", "cust:alice", 500);
    let index = accepted(ledger.submit(vec![sent.clone()]).unwrap().wait().unwrap())[0];

    let view = ledger.view();
    let (account, record) = view.account("cust:alice").unwrap().unwrap();
    assert_eq!(record.counters.posted_credits, 500);
    assert_eq!(view.account_then(account, LogIndex(index - 1)).unwrap().unwrap().posted, 0);
    assert_eq!(view.account_then(account, LogIndex(index)).unwrap().unwrap().posted, 500);
    assert_eq!(view.account_lines(account, Slice::first(10)).unwrap().len(), 1);
    assert_eq!(view.trial_balance(None).unwrap().len(), 3);

    seal(&world, &ledger);
    let receipt = Receipt::parse(&ledger.receipt(LogIndex(index)).unwrap()).unwrap();
    let key = VerifierKey::new("ledger.example/engine", &log_key().public()).unwrap();
    receipt.verify(&key, &world.ledger_id).unwrap();

    let again = ledger.submit(vec![sent]).unwrap().wait().unwrap();
    assert!(matches!(
        again[0].answer,
        Answer::Recorded { log_index, already_exists: true, outcome: 0, .. } if log_index.0 == index
    ));
    ledger.close().unwrap();
}

#[test]
fn what_was_acknowledged_is_there_after_a_restart_flushed_or_not() {
    for flush_max_entries in [5, 1_000_000] {
        let world = World::new();
        let mut config = world.config();
        config.flush_max_entries = flush_max_entries;
        let furnished = world.furnished();
        furnished.close().unwrap();
        drop(furnished);

        let ledger = Ledger::open(config.clone(), log_key()).unwrap();
        let mut ids = Vec::new();
        for amount in 1..=60 {
            let answers = ledger
                .submit(vec![world.transfer("world:usd", "cust:alice", amount)])
                .unwrap()
                .wait()
                .unwrap();
            ids.push((answers[0].event_id.unwrap(), accepted(answers)[0]));
            if amount % 10 == 0 {
                world.clock.advance(Duration::from_millis(20));
            }
        }
        let payment = [9; 16];
        let answers = ledger.submit(world.authorized(payment, 100, 60)).unwrap().wait().unwrap();
        accepted(answers);
        let before = ledger.view().next_index();
        seal(&world, &ledger);
        let root = ledger.checkpoint();
        ledger.close().unwrap();
        drop(ledger);

        let ledger = Ledger::open(config, log_key()).unwrap();
        let view = ledger.view();
        assert!(view.next_index() >= before);
        assert_eq!(*ledger.checkpoint(), *root, "nothing was sealed in between");
        for (id, index) in &ids {
            assert_eq!(view.event(id).unwrap().unwrap().log_index.0, *index);
        }
        assert_eq!(view.account("cust:alice").unwrap().unwrap().1.counters.posted_credits, 60 * 61 / 2);
        let (_, record) = view.payment(&PaymentId(payment)).unwrap().unwrap();
        assert_eq!(record.status, PaymentStatus::Authorized);
        assert_eq!(view.payment_entries(&PaymentId(payment), Slice::first(10)).unwrap().len(), 2);
        let lines = view
            .account_lines(
                view.account("cust:alice").unwrap().unwrap().0,
                Slice { from: Some(56), ..Slice::first(3) },
            )
            .unwrap();
        assert_eq!(lines.iter().map(|line| line.number).collect::<Vec<_>>(), [56, 57, 58]);

        // The hold runs out although nobody submits anything.
        world.clock.advance(Duration::from_secs(61));
        eventually("the expiry", || {
            let (_, record) = ledger.view().payment(&PaymentId(payment)).unwrap().unwrap();
            record.status == PaymentStatus::Expired
        });
        ledger.close().unwrap();
    }
}

#[test]
fn an_unsealed_tail_is_sealed_after_a_restart_with_the_same_bytes() {
    let world = World::new();
    let mut config = world.config();
    config.block_max_entries = 7;
    let ledger = Ledger::open(config.clone(), log_key()).unwrap();
    let mut events = vec![world.register_wallet()];
    events.push(world.open_account("world:usd", ledger_core::number::AccountKind::External));
    events.push(world.open_account("cust:alice", ledger_core::number::AccountKind::Customer));
    events.extend((1..=50).map(|amount| world.transfer("world:usd", "cust:alice", amount)));
    accepted(ledger.submit(events).unwrap().wait().unwrap());
    eventually("five blocks", || ledger.view().height() >= Some(BlockHeight(5)));
    let seals: Vec<_> =
        (0..=5).map(|height| ledger.view().block(BlockHeight(height)).unwrap().unwrap()).collect();
    ledger.close().unwrap();
    drop(ledger);
    let ledger = Ledger::open(config, log_key()).unwrap();
    for (height, seal) in (0..).zip(seals) {
        assert_eq!(ledger.view().block(BlockHeight(height)).unwrap().unwrap(), seal);
    }
    let folder = world.dir().join("export");
    let exported = ledger.export(&folder, |_, _| {}).unwrap();
    assert_eq!(exported.size, ledger.checkpoint().size);
    assert!(folder.join("tile/entries/000.p").exists());
    ledger.close().unwrap();
}

#[test]
fn a_group_is_all_or_nothing() {
    let world = World::new();
    let ledger = world.furnished();
    accepted(ledger.submit(vec![world.transfer("world:usd", "cust:alice", 50)]).unwrap().wait().unwrap());
    // Two members that no group hash binds: turned away as a whole, without a trace.
    let before = ledger.view().next_index();
    let members =
        vec![world.transfer("cust:alice", "cust:bob", 10), world.transfer("cust:alice", "cust:bob", 10)];
    let id = EventId(support_id(&members[0].payload));
    let answers = ledger.submit_atomic(members).unwrap().wait().unwrap();
    assert!(answers.iter().all(|answer| matches!(answer.answer, Answer::Rejected(_))));
    assert_eq!(ledger.view().next_index(), before);
    assert_eq!(ledger.view().event(&id).unwrap(), None);
    ledger.close().unwrap();
}

#[test]
fn a_return_that_overdraws_the_creditor_is_counted() {
    let world = World::new();
    let ledger = world.furnished();
    let submit = |event| accepted(ledger.submit(vec![event]).unwrap().wait().unwrap());
    submit(world.transfer("world:usd", "cust:alice", 500));
    let overrides = || ledger.metrics().mandatory_overrides.get();
    // What was paid is still there at the first return, and has been paid out at the second.
    for (payment, paid_out, counted) in [([1; 16], false, 0), ([2; 16], true, 1)] {
        let [initiated, authorized] = world.authorized(payment, 100, 600).try_into().unwrap();
        let head = support_id(&authorized.payload);
        accepted(ledger.submit(vec![initiated, authorized]).unwrap().wait().unwrap());
        let capture = world.capture(payment, &head, 100);
        let head = support_id(&capture.payload);
        submit(capture);
        if paid_out {
            submit(world.transfer("shop:one", "world:usd", 100));
        }
        submit(world.returned(payment, &head, 100));
        assert_eq!(overrides(), counted);
    }
    ledger.close().unwrap();
}

#[test]
fn a_group_larger_than_a_unit_may_be_is_turned_away() {
    let world = World::new();
    let ledger = world.open_with(|config| config.unit_max_bytes = 1_500);
    world.furnish(&ledger);
    let before = ledger.view().next_index();
    let members =
        vec![world.transfer("world:usd", "cust:alice", 1), world.transfer("world:usd", "cust:alice", 2)];
    let answers = ledger.submit_atomic(members.clone()).unwrap().wait().unwrap();
    let too_large =
        |answer: &Answer| matches!(answer, Answer::Rejected(r) if r.code == Code::RequestTooLarge);
    assert!(answers.len() == 2 && answers.iter().all(|answer| too_large(&answer.answer)), "{answers:?}");
    assert_eq!(ledger.view().next_index(), before);
    // As units of their own they are small enough.
    accepted(ledger.submit(members).unwrap().wait().unwrap());
    ledger.close().unwrap();
}

fn support_id(payload: &[u8]) -> [u8; 16] {
    let event = ledger_core::event::Event::decode(payload).unwrap();
    event.event_id.try_into().unwrap()
}
