//! What a crash between two steps leaves must open again, whole.

use std::time::Duration;

use ledger_core::event::Event;
use ledger_core::ids::{BlockHeight, PaymentId};

use crate::support::{World, accepted, eventually, log_key};
use crate::{CreateError, Failure, Health, Ledger, OpenError, flush};

/// Everything that takes an index row, then a cut.
fn fill(world: &World, ledger: &Ledger) {
    world.furnish(ledger);
    let transfer = world.transfer("world:usd", "cust:alice", 500);
    let mut referenced = Event::decode(&transfer.payload).unwrap();
    referenced.external_ref = "INVOICE 1".into();
    let mut events = vec![world.sign(referenced, &[&world.wallet])];
    events.extend(world.authorized([9; 16], 100, 60));
    events.extend((1..=20).map(|amount| world.transfer("world:usd", "cust:alice", amount)));
    accepted(ledger.submit(events).unwrap().wait().unwrap());
}

#[test]
fn a_crash_inside_a_flush_leaves_a_ledger_that_opens() {
    let world = World::new();
    let change = |config: &mut crate::Config| {
        config.block_max_entries = 10;
        config.block_max_age = Duration::from_secs(3_600);
    };
    let ledger = world.open_with(change);
    fill(&world, &ledger);
    eventually("the seals are durable", || ledger.view().height() >= Some(BlockHeight(2)));
    // The indices of a flush are there, its state is not.
    let store = ledger.store().clone();
    let mut tail = ledger.view().tail().clone();
    tail.take_seal(BlockHeight(99), tail.last_nanos() + 1, crate::tail::Freeze::Now);
    flush::write_indices(&store, tail.frozen().next().unwrap()).unwrap();
    let before = ledger.view().next_index();
    drop(tail);
    ledger.close().unwrap();
    drop((ledger, store));

    let ledger = world.open_with(change);
    assert!(ledger.view().next_index() >= before);
    assert!(ledger.view().payment(&PaymentId([9; 16])).unwrap().is_some());
    assert!(ledger.view().external_reference("wallet", "INVOICE 1").unwrap().is_some());
    ledger.close().unwrap();
}

#[test]
fn recovery_freezes_what_is_too_large_for_memory() {
    let world = World::new();
    let ledger = world.open_with(|config| config.block_max_entries = 5);
    fill(&world, &ledger);
    eventually("the seals are durable", || ledger.view().height() >= Some(BlockHeight(4)));
    ledger.close().unwrap();
    drop(ledger);
    let ledger = world.open_with(|config| config.flush_max_entries = 5);
    eventually("the tail of before is flushed", || {
        ledger.view().tail().base().next_index().0 + 5 >= ledger.view().next_index().0
    });
    assert!(matches!(ledger.view().payment(&PaymentId([9; 16])), Ok(Some(_))));
    ledger.close().unwrap();
}

#[test]
fn several_cuts_of_one_group_are_sealed_across_full_tiles() {
    let world = World::new();
    let ledger = world.open_with(|config| config.block_max_entries = 10);
    world.furnish(&ledger);
    let events = (1..=400).map(|amount| world.transfer("world:usd", "cust:alice", amount)).collect();
    accepted(ledger.submit(events).unwrap().wait().unwrap());
    eventually("the seals are durable", || ledger.view().height() >= Some(BlockHeight(40)));
    ledger.close().unwrap();
}

#[test]
fn an_interrupted_creation_is_refused_by_name() {
    let world = World::new();
    let pending = world.config().dir.join("create.pending");
    std::fs::File::create(&pending).unwrap();
    let opened = Ledger::open(world.config(), log_key()).map(|_| ());
    assert!(matches!(&opened, Err(OpenError::Interrupted { path }) if *path == pending), "{opened:?}");
    let created = Ledger::create(&world.config(), &world.genesis(), &log_key());
    assert!(matches!(&created, Err(CreateError::Interrupted { path }) if *path == pending), "{created:?}");
}

#[test]
fn a_thread_that_panics_stops_the_ledger() {
    let world = World::new();
    let ledger = world.open();
    world.furnish(&ledger);
    let thread = crate::open::spawn(ledger.shared(), "panics", || panic!("on purpose")).unwrap();
    assert!(thread.join().is_err());
    let broken = Failure::InvariantBroken("a thread of the ledger panicked".into());
    assert_eq!(ledger.health(), Health::Stopped(broken.clone()));
    let refused = ledger.submit(vec![world.transfer("world:usd", "cust:alice", 1)]).map(|_| ());
    assert_eq!(refused, Err(broken.clone()));
    assert_eq!(ledger.close(), Err(broken));
}
