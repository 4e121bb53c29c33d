//! Events that name earlier ones, which the state has in memory, flushed, or executed again after a restart.

mod support;

use std::time::Duration;

use ledger_core::code::Code;
use ledger_core::event::{Body, Event, PaymentReversed};
use ledger_core::ids::EventId;
use ledger_core::unit::Submitted;
use ledger_engine::{Answer, Ledger};
use support::{World, accepted, eventually};

/// A block of this age is cut.
const BLOCK_AGE: Duration = Duration::from_millis(20);

/// Where the target of a reversal is when it is asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Target {
    InMemory,
    Flushed,
    ExecutedAgain,
    FlushedAndReopened,
}

#[test]
fn a_transfer_is_reversed_once_wherever_it_is() {
    for target in [Target::InMemory, Target::Flushed, Target::ExecutedAgain, Target::FlushedAndReopened] {
        let world = World::new();
        let flushes = matches!(target, Target::Flushed | Target::FlushedAndReopened);
        let open = || world.open_with(|config| config.flush_max_entries = if flushes { 1 } else { u64::MAX });
        let mut ledger = open();
        world.furnish(&ledger);
        let transfer = world.transfer("world:usd", "cust:alice", 700);
        let id = event_id(&transfer);
        accepted(ledger.submit(vec![transfer]).unwrap().wait().unwrap());
        if flushes {
            world.clock.advance(BLOCK_AGE);
            eventually("a flush", || ledger.status().unflushed_bytes == 0);
        }
        if matches!(target, Target::ExecutedAgain | Target::FlushedAndReopened) {
            ledger.close().unwrap();
            drop(ledger);
            ledger = open();
        }
        assert_eq!(posted(&ledger), 700, "{target:?}");
        accepted(ledger.submit(vec![reversal(&world, &id)]).unwrap().wait().unwrap());
        assert_eq!(posted(&ledger), 0, "{target:?}");
        assert_eq!(outcome(&ledger, reversal(&world, &id)), Code::TargetAlreadyReversed, "{target:?}");
        if flushes {
            world.clock.advance(BLOCK_AGE);
            eventually("another flush", || ledger.status().unflushed_bytes == 0);
            assert_eq!(outcome(&ledger, reversal(&world, &id)), Code::TargetAlreadyReversed, "{target:?}");
        }
        ledger.close().unwrap();
        drop(ledger);
        let ledger = open();
        assert_eq!(outcome(&ledger, reversal(&world, &id)), Code::TargetAlreadyReversed, "{target:?}");
        let unknown = EventId([9; 16]);
        assert_eq!(outcome(&ledger, reversal(&world, &unknown)), Code::TargetEventNotFound, "{target:?}");
        ledger.close().unwrap();
    }
}

fn reversal(world: &World, target: &EventId) -> Submitted {
    let body = PaymentReversed { target_event_id: target.0.to_vec(), reason: "TEST".into() };
    let event = Event { body: Body::PaymentReversed(body), ..world.header() };
    world.sign(event, &[&world.operator])
}

fn outcome(ledger: &Ledger, submitted: Submitted) -> Code {
    let answer = ledger.submit(vec![submitted]).unwrap().wait().unwrap().remove(0).answer;
    match answer {
        Answer::Recorded { outcome, .. } => Code::from_number(outcome).unwrap(),
        other => panic!("{other:?}"),
    }
}

fn posted(ledger: &Ledger) -> i128 {
    ledger.view().account("cust:alice").unwrap().unwrap().1.posted()
}

fn event_id(submitted: &Submitted) -> EventId {
    EventId(Event::decode(&submitted.payload).unwrap().event_id.try_into().unwrap())
}
