//! The ten invariants of the write path, a test each. `docs/invariants.md` names for each test the one-line change that
//! makes it, and only it, fail; `make mutate-invariants` applies them.
//!
//! Blocks are cut by count here and the clock stands still, unless a test is about time.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use ledger_core::ids::{BlockHeight, EventId, LogIndex};
use ledger_core::replay::{ReadEntry, Replay};
use ledger_core::view::StateView as _;
use rocksdb::IteratorMode;

use crate::rows::{blocks, events, index, state};
use crate::store::{Fault, family};
use crate::support::{World, accepted, eventually, log_key};
use crate::tail::ReadAhead;
use crate::{Answer, Config, Failure, Health, Ledger, OpenError, ReadError};

const HOUR: Duration = Duration::from_secs(3_600);

/// Blocks of `entries`, never cut by age.
fn cut_by_count(entries: u32) -> impl FnOnce(&mut Config) {
    move |config| {
        config.block_max_entries = entries;
        config.block_max_age = HOUR;
    }
}

fn deposit(world: &World, ledger: &Ledger, count: u64) -> Vec<u64> {
    let events = (1..=count).map(|amount| world.transfer("world:usd", "cust:alice", amount)).collect();
    let indices = accepted(ledger.submit(events).unwrap().wait().unwrap());
    let last = *indices.last().unwrap();
    eventually("the state is published", || ledger.view().next_index().0 > last);
    indices
}

fn await_seals(ledger: &Ledger, height: u64) {
    eventually("the seals are durable", || ledger.view().height() >= Some(BlockHeight(height)));
}

/// Invariant 1: every row is put once, by the committer, and bundles follow each other without a gap.
#[test]
fn only_the_committer_puts() {
    let world = World::new();
    let ledger = world.open_with(cut_by_count(10));
    let store = ledger.store().clone();
    let at_start = store.db().latest_sequence_number();
    world.furnish(&ledger);
    for _ in 0..9 {
        deposit(&world, &ledger, 5);
    }
    // The last cut comes with the unit after it.
    await_seals(&ledger, 4);
    let mut next = 0;
    let mut bundles = 0;
    for bundle in store.bundles_from(0) {
        let (first, bytes) = bundle.unwrap();
        assert_eq!(first, next, "bundles follow each other");
        next += events::entries(&bytes).unwrap().len() as u64;
        bundles += u64::from(first > 0);
    }
    let seals = ledger.view().height().unwrap().0;
    assert!(next < 256, "one tile of one level changes with a seal");
    let rows = bundles + seals * 3;
    assert_eq!(store.db().latest_sequence_number() - at_start, rows, "{bundles} bundles, {seals} seals");
}

/// Invariant 2: an answer comes after the sync and after the state is published.
#[test]
fn an_answer_comes_after_the_sync_and_the_state() {
    let world = World::new();
    let ledger = world.open_with(cut_by_count(1_000));
    world.furnish(&ledger);
    let store = ledger.store().clone();
    for amount in 1..=200 {
        let sent = world.transfer("world:usd", "cust:alice", amount);
        let answers = ledger.submit(vec![sent]).unwrap().wait().unwrap();
        let id = answers[0].event_id.unwrap();
        let index = accepted(answers)[0];
        assert!(ledger.view().event(&id).unwrap().is_some(), "its own write is read");
        let (first, bundle) = store.last_bundle().unwrap().unwrap();
        assert!(first + events::entries(&bundle).unwrap().len() as u64 > index, "it is in the store");
    }
}

/// Invariant 3: a view does not change, whatever is written or flushed after it.
#[test]
fn a_view_does_not_change() {
    let world = World::new();
    let ledger = world.open_with(|config| {
        cut_by_count(10)(config);
        config.flush_max_entries = 10;
    });
    world.furnish(&ledger);
    let before = ledger.view();
    let sent = world.transfer("world:usd", "cust:alice", 5);
    let id = EventId(ledger_core::event::Event::decode(&sent.payload).unwrap().event_id.try_into().unwrap());
    ledger.submit(vec![sent]).unwrap().wait().unwrap();
    deposit(&world, &ledger, 20);
    deposit(&world, &ledger, 1);
    eventually("the event is flushed", || ledger.view().tail().base().next_index() > before.next_index());
    assert!(ledger.view().event(&id).unwrap().is_some(), "the new view has it, from the store");
    assert_eq!(before.event(&id).unwrap(), None, "the old one still has not");
    let row = before.tail().row(&index::event_key(&id)).unwrap();
    assert_eq!(row, None, "nor does the snapshot under it");
}

/// Invariant 4: what was read ahead does not hide what was flushed in between.
#[test]
fn what_was_read_ahead_does_not_hide_a_flush() {
    let world = World::new();
    let ledger = world.open_with(|config| {
        cut_by_count(10)(config);
        config.flush_max_entries = 10;
    });
    world.furnish(&ledger);
    let sent = world.transfer("world:usd", "cust:alice", 5);
    let id = EventId(ledger_core::event::Event::decode(&sent.payload).unwrap().event_id.try_into().unwrap());
    let key = index::event_key(&id);
    let base = Arc::clone(ledger.view().tail().base());
    let rows = vec![(key.clone(), base.row(&key).unwrap())];
    let ahead = ReadAhead { next_index: base.next_index(), rows };
    assert_eq!(ahead.rows[0].1, None, "read before it was written: absent");

    let index = accepted(ledger.submit(vec![sent]).unwrap().wait().unwrap())[0];
    deposit(&world, &ledger, 20);
    deposit(&world, &ledger, 1);
    eventually("the event is flushed", || ledger.view().tail().base().next_index().0 > index);
    let mut tail = ledger.view().tail().clone();
    assert!(tail.active().rows.get(&key).is_none(), "the tail has dropped it");
    tail.use_ahead(Arc::new(ahead));
    assert_eq!(tail.known_event(&id).unwrap().map(|known| known.log_index.0), Some(index));
}

/// Invariant 5: in the WAL, all index rows of a flush stand before its watermark.
#[test]
fn a_flush_writes_indices_before_the_watermark() {
    let world = World::new();
    let ledger = world.open_with(|config| {
        cut_by_count(10)(config);
        config.flush_max_entries = 10;
    });
    let store = ledger.store().clone();
    let at_start = store.db().latest_sequence_number();
    world.furnish(&ledger);
    deposit(&world, &ledger, 20);
    deposit(&world, &ledger, 1);
    eventually("a flush", || ledger.view().tail().base().next_index().0 > 2);

    let mut written = Writes::default();
    for batch in store.db().get_updates_since(at_start).unwrap() {
        let (_, batch) = batch.unwrap();
        batch.iterate_cf(&mut written);
        if written.watermarks > 0 {
            break;
        }
    }
    assert_eq!(written.watermarks, 1);
    let base = store.db().get_cf(store.family(family::STATE), state::WATERMARK_KEY).unwrap().unwrap();
    let first_flush = state::Watermark::decode(&base, world.ledger_id).unwrap();
    let rows = store.db().iterator_cf(store.family(family::INDICES), IteratorMode::Start);
    let of_first_flush = rows.map(|row| row.unwrap().0).filter(|key| written.watermark_covers(key, &store));
    let missing: Vec<_> = of_first_flush.filter(|key| !written.keys.contains(key)).collect();
    assert!(first_flush.next_index.0 > 2);
    assert!(missing.is_empty(), "{} index rows stand after the watermark", missing.len());
    assert!(!written.keys.is_empty());
}

/// What a stretch of the WAL puts.
#[derive(Default)]
struct Writes {
    keys: BTreeSet<Box<[u8]>>,
    watermarks: usize,
    watermark_next_index: u64,
}

impl Writes {
    /// Whether the index row is of an event below the first watermark.
    fn watermark_covers(&self, key: &[u8], store: &crate::store::Store) -> bool {
        if key.first() != Some(&0x01) {
            return false;
        }
        let value = store.db().get_cf(store.family(family::INDICES), key).unwrap().unwrap();
        index::read_event(&value).unwrap().log_index.0 < self.watermark_next_index
    }
}

impl rocksdb::WriteBatchIteratorCf for Writes {
    fn put_cf(&mut self, _: u32, key: &[u8], value: &[u8]) {
        if key == state::WATERMARK_KEY {
            self.watermarks += 1;
            self.watermark_next_index = u64::from_be_bytes(value[..8].try_into().unwrap());
        }
        self.keys.insert(key.into());
    }

    fn delete_cf(&mut self, _: u32, _: &[u8]) {
        panic!("nothing is ever deleted");
    }

    fn merge_cf(&mut self, _: u32, _: &[u8], _: &[u8]) {
        panic!("nothing is ever merged");
    }
}

/// Invariant 6: a stored seal that does not come out of re-execution is refused, by index.
#[test]
fn a_store_that_does_not_re_execute_is_refused() {
    let world = World::new();
    let ledger = world.open_with(cut_by_count(10));
    world.furnish(&ledger);
    deposit(&world, &ledger, 30);
    deposit(&world, &ledger, 1);
    await_seals(&ledger, 2);
    let store = ledger.store().clone();
    let (log_index, mut entry) = store.seal(1).unwrap().unwrap();
    entry[300] ^= 1;
    let family_of_blocks = store.family(family::BLOCKS);
    store.db().put_cf(family_of_blocks, blocks::seal_key(1), blocks::seal_value(log_index, &entry)).unwrap();
    let _ = ledger.close();
    drop((ledger, store));
    let opened = Ledger::open(world.config(), log_key()).map(|_| ());
    let Err(OpenError::DataLoss(words)) = opened else { panic!("it opened: {opened:?}") };
    assert!(words.contains(&format!("entry {log_index}")), "{words}");
}

/// Invariant 7: after a failed or unknown write nothing more is written, waiters hear that the outcome is unknown.
#[test]
fn nothing_is_written_after_a_failed_write() {
    for fault in [Fault::NotWritten, Fault::Written] {
        let world = World::new();
        let ledger = world.open_with(cut_by_count(1_000));
        world.furnish(&ledger);
        let store = ledger.store().clone();
        let sent = world.transfer("world:usd", "cust:alice", 5);
        *store.fault.lock().unwrap() = fault;
        let answers = ledger.submit(vec![sent.clone()]).unwrap().wait();
        assert_eq!(answers, Err(Failure::StorageUnavailable));
        *store.fault.lock().unwrap() = Fault::None;
        let before = store.db().latest_sequence_number();
        eventually("it has stopped", || matches!(ledger.health(), Health::Stopped(_)));
        assert_eq!(ledger.submit(vec![sent.clone()]).map(|_| ()), Err(Failure::StorageUnavailable));
        let _ = ledger.close();
        assert_eq!(store.db().latest_sequence_number(), before);
        drop((ledger, store));

        // The same bytes again, after a restart: recorded once, whatever became of the first.
        let ledger = world.open();
        let answers = ledger.submit(vec![sent]).unwrap().wait().unwrap();
        let Answer::Recorded { already_exists, outcome: 0, .. } = answers[0].answer else {
            panic!("{answers:?}")
        };
        assert_eq!(already_exists, fault == Fault::Written);
    }
}

/// Invariant 8: whoever has the entries alone computes the same seals.
#[test]
fn the_entries_alone_give_the_same_seals() {
    let world = World::new();
    let ledger = world.open_with(|config| config.block_max_age = Duration::from_millis(10));
    world.furnish(&ledger);
    for _ in 0..3 {
        let next = ledger.view().next_index().0;
        deposit(&world, &ledger, 5);
        accepted(ledger.submit(world.authorized([next as u8; 16], 1, 1)).unwrap().wait().unwrap());
        world.clock.advance(Duration::from_secs(2));
        eventually("a checkpoint", || ledger.checkpoint().size > next + 7);
    }
    let mut replay = Replay::new(world.ledger_id);
    let mut next = 0;
    while next < ledger.checkpoint().size {
        for entry in ledger.entries(LogIndex(next), usize::MAX, 10_000).unwrap() {
            replay.push(ReadEntry::read(&entry, |_| None), None).unwrap();
            next += 1;
        }
    }
    assert_eq!(replay.sealed(), Some(ledger.checkpoint().height));
}

/// Invariant 9: what waits is bounded; beyond it a request is refused whole, with a delay.
#[test]
fn the_queue_is_bounded() {
    let world = World::new();
    let ledger = world.open_with(|config| {
        cut_by_count(1_000)(config);
        config.queue_max_bytes = 20_000;
    });
    world.furnish(&ledger);
    let store = ledger.store().clone();
    let held = store.fault.lock().unwrap();
    let mut pending = Vec::new();
    let refused = (0..200).find_map(|amount| {
        match ledger.submit(vec![world.transfer("world:usd", "cust:alice", amount + 1)]) {
            Ok(waiting) => {
                pending.push(waiting);
                None
            }
            Err(failure) => Some(failure),
        }
    });
    drop(held);
    for waiting in pending {
        accepted(waiting.wait().unwrap());
    }
    assert!(
        matches!(refused, Some(Failure::Overloaded { what: "the queue", limit: 20_000, .. })),
        "{refused:?}"
    );
}

/// Invariant 10: an entry that is not what was sealed does not leave; it is named, and the ledger stops serving.
#[test]
fn a_changed_entry_does_not_leave() {
    let world = World::new();
    let ledger = world.open_with(cut_by_count(10));
    world.furnish(&ledger);
    deposit(&world, &ledger, 30);
    deposit(&world, &ledger, 1);
    eventually("a checkpoint", || ledger.checkpoint().size > 12);
    let store = ledger.store().clone();
    let (first, bundle) = store.bundle_of(10).unwrap().unwrap();
    let mut entries: Vec<Vec<u8>> =
        events::entries(&bundle).unwrap().into_iter().map(<[u8]>::to_vec).collect();
    let changed = entries.get_mut((10 - first) as usize).unwrap();
    *changed.last_mut().unwrap() ^= 1;
    let mut bytes = Vec::new();
    for entry in &entries {
        events::push(&mut bytes, entry);
    }
    store.db().put_cf(store.family(family::EVENTS), events::key(first), &bytes).unwrap();
    assert_eq!(ledger.entries(LogIndex(5), 5, usize::MAX).unwrap().len(), 5);
    let alone = ledger.view().entry(LogIndex(10));
    assert!(matches!(alone, Err(ReadError::DataLoss { log_index: LogIndex(10) })), "{alone:?}");
    let read = ledger.entries(LogIndex(5), usize::MAX, usize::MAX);
    assert!(matches!(read, Err(ReadError::DataLoss { log_index: LogIndex(10) })), "{read:?}");
    assert!(matches!(ledger.health(), Health::Stopped(Failure::InvariantBroken(_))));
}
