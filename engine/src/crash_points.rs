//! What a crash between two steps leaves must open again, whole.

use std::time::Duration;

use ledger_core::books::books_hash;
use ledger_core::event::Event;
use ledger_core::ids::{AccountIndex, BlockHeight, EventId, LogIndex, PaymentId};
use ledger_core::number::AccountKind;
use ledger_core::unit::Submitted;

use crate::store::Fault;
use crate::support::{START_NANOS, World, accepted, eventually, id_of, log_key, unsigned};
use crate::{
    Answer, Clock as _, CreateError, EventAnswer, Failure, Health, Kept, Ledger, OpenError, Pending,
    check_store, flush,
};

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

/// What a creation has made when it is interrupted, whatever it was about to do next.
#[test]
fn an_interrupted_creation_is_refused_by_name() {
    let (building, pending) = ("db.creating", "create.pending");
    let stages: [(&str, &[&str]); 5] = [
        (building, &["head", "marker", "db", pending]),
        (building, &["head", "marker", "db"]),
        (pending, &["head", "marker"]),
        (pending, &["head"]),
        (pending, &[]),
    ];
    for (left, missing) in stages {
        let world = World::new();
        let dir = world.config().dir;
        std::fs::File::create(dir.join(pending)).unwrap();
        if left == building {
            std::fs::rename(dir.join("db"), dir.join(building)).unwrap();
        }
        for name in missing.iter().filter(|name| dir.join(name).exists()) {
            std::fs::remove_file(dir.join(name)).unwrap();
        }
        let left = dir.join(left);
        let opened = Ledger::open(world.config(), log_key()).map(|_| ());
        assert!(matches!(&opened, Err(OpenError::Interrupted { path }) if *path == left), "{opened:?}");
        let created = Ledger::create(&world.config(), &world.genesis(), &log_key());
        assert!(matches!(&created, Err(CreateError::Interrupted { path }) if *path == left), "{created:?}");
    }
}

/// One request.
#[derive(Clone)]
enum Call {
    Singles(Vec<Submitted>),
    Group(Vec<Submitted>),
    Batch(Submitted, Vec<Submitted>),
    /// Time goes by, up to so long after the start.
    Until(Duration),
}

/// A little of everything: accounts, a hold that expires, a group, a batch, private data that is erased, a new day.
fn script(world: &World) -> Vec<Call> {
    let deposit = |amount| world.transfer("world:usd", "cust:alice", amount);
    let mut opening = vec![world.register_wallet()];
    for (name, kind) in [
        ("world:usd", AccountKind::External),
        ("cust:alice", AccountKind::Customer),
        ("cust:bob", AccountKind::Customer),
        ("shop:one", AccountKind::Merchant),
    ] {
        opening.push(world.open_account(name, kind));
    }
    let members = unsigned(vec![deposit(1), world.transfer("shop:one", "world:usd", 9), deposit(2)]);
    let private = world.private("world:usd", "name");
    let order = world.erasing(&private);
    vec![
        Call::Singles(opening),
        Call::Singles(vec![deposit(500)]),
        Call::Singles(world.authorized([9; 16], 100, 1)),
        Call::Until(Duration::from_secs(2)),
        Call::Group(world.group(vec![deposit(3), deposit(4)])),
        Call::Batch(world.batch_header(&members, &world.wallet), members),
        Call::Singles(vec![private]),
        // Past midnight.
        Call::Until(Duration::from_secs(16 * 3_600)),
        Call::Singles(vec![order]),
        Call::Singles((1..=6).map(deposit).collect()),
    ]
}

/// Sends every call until the ledger breaks off: the answers, and whether it went through.
fn play(world: &World, ledger: &Ledger, calls: &[Call]) -> (Vec<EventAnswer>, bool) {
    let mut answers = Vec::new();
    for call in calls {
        let pending = match call.clone() {
            Call::Singles(events) => ledger.submit(events),
            Call::Group(events) => ledger.submit_atomic(events),
            Call::Batch(header, members) => ledger.submit_batch(header, members),
            Call::Until(since_start) => {
                let passed = Duration::from_nanos(world.clock.read().wall_nanos - START_NANOS);
                world.clock.advance(since_start.saturating_sub(passed));
                continue;
            }
        };
        match pending.and_then(Pending::wait) {
            Ok(answered) => answers.extend(answered),
            Err(_) => return (answers, false),
        }
        // Blocks are sealed, signed and flushed meanwhile, so that a step of theirs can fail.
        eventually("what is cut is sealed and flushed, or the ledger has stopped", || {
            let view = ledger.view();
            let is_quiet = ledger.status().unsealed_entries < 4 && view.tail().frozen().next().is_none();
            is_quiet || matches!(ledger.health(), Health::Stopped(_))
        });
    }
    (answers, ledger.close().is_ok())
}

/// Where an answer says its event stands, and with which outcome.
fn place(answer: &EventAnswer) -> (LogIndex, u16) {
    match &answer.answer {
        Answer::Recorded { log_index, outcome, .. } => (*log_index, *outcome),
        Answer::Rejected(refusal) => panic!("{refusal:?}"),
    }
}

/// Property 6: whichever step is the last one that reaches the disk, done or not, no acknowledged entry is lost, none is
/// there twice, and sending everything again gives the books of a run without a fault.
#[test]
fn a_crash_at_any_step_loses_nothing_and_doubles_nothing() {
    let small = |config: &mut crate::Config| {
        config.block_max_entries = 4;
        config.block_max_age = Duration::from_secs(3_600);
        config.flush_max_entries = 8;
    };
    let mut whole = None;
    let mut steps = 0;
    loop {
        let mut went_through = false;
        for done in [false, true] {
            let world = World::new();
            let calls = script(&world);
            let ledger = world.open_with(small);
            *ledger.store().fault.lock().unwrap() = Fault::After { steps, done };
            let (acknowledged, ended) = play(&world, &ledger, &calls);
            went_through = ended;
            drop(ledger);

            let ledger = world.open_with(small);
            let (again, ended) = play(&world, &ledger, &calls);
            assert!(ended, "step {steps}, done: {done}");
            for (first, second) in acknowledged.iter().zip(&again) {
                assert_eq!(place(first), place(second), "step {steps}, done: {done}");
            }
            let state = ledger.view();
            let accounts = (0..state.account_count()).map(AccountIndex);
            let accounts = accounts.map(|index| state.account_by_index(index).unwrap().unwrap());
            let payment = state.payment(&PaymentId([9; 16])).unwrap().unwrap().1;
            let books = books_hash(accounts, [payment]);
            assert_eq!(*whole.get_or_insert(books), books, "step {steps}, done: {done}");
            assert!(matches!(state.private(&private_id(&calls)).unwrap().unwrap().kept, Kept::Erased(_)));
            drop((state, ledger));
            check_store(&world.config(), |_| {}).unwrap();
        }
        if went_through {
            break;
        }
        steps += 1;
    }
    println!("{steps} steps");
    assert!(steps > 30, "commits, markers, seals, heads, flushes, erasures: {steps}");
}

/// The event with private data.
fn private_id(calls: &[Call]) -> EventId {
    let with_data = |call: &Call| match call {
        Call::Singles(events) => events.iter().find(|event| event.sidecar.is_some()).cloned(),
        _ => None,
    };
    id_of(&calls.iter().find_map(with_data).unwrap())
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
