use std::time::Duration;

use ledger_core::unit::Submitted;

use super::*;
use crate::head::{head_path, write_durably};
use crate::rows::state::{Record, WATERMARK_KEY, record_key};
use crate::rows::{blocks, index, sidecar, tiles};
use crate::support::{SALT, World, accepted, eventually, log_key};
use crate::{Ledger, Slice};

/// A ledger with transfers on three days, a payment, private data kept and erased, and several flushes, open.
fn busy(world: &World) -> Ledger {
    let ledger = world.open_with(|config| {
        config.block_max_entries = 10;
        config.flush_max_entries = 10;
    });
    world.furnish(&ledger);
    for day in 0..3 {
        for amount in 1..=20 {
            submit(&ledger, vec![world.transfer("world:usd", "cust:alice", amount)]);
        }
        submit(&ledger, world.authorized([9 + day; 16], 10, 60));
        world.clock.advance(Duration::from_secs(86_400));
    }
    let (kept, erased) = (world.private("world:usd", "kept"), world.private("world:usd", "erased"));
    let order = world.erasing(&erased);
    submit(&ledger, vec![kept, erased]);
    submit(&ledger, vec![order]);
    submit(&ledger, (1..=30).map(|amount| world.transfer("world:usd", "cust:alice", amount)).collect());
    eventually("a flush", || ledger.view().tail().base().next_index().0 > 60);
    ledger
}

fn submit(ledger: &Ledger, events: Vec<Submitted>) {
    accepted(ledger.submit(events).unwrap().wait().unwrap());
}

fn words(world: &World) -> String {
    match check_store(&world.config(), |_| {}) {
        Err(CheckError::Wrong(finding)) => finding.words,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_store_is_right_beside_its_ledger_and_after_it() {
    let world = World::new();
    let ledger = busy(&world);
    let beside = check_store(&world.config(), |_| {}).unwrap();
    assert!(beside.entries > 60, "{beside:?}");
    ledger.close().unwrap();
    drop(ledger);
    let mut done = 0;
    let checked = check_store(&world.config(), |entries| done = entries).unwrap();
    assert_eq!((checked.unsealed, checked.entries, checked.checkpoint), (0, done, done));
    assert!(checked.index_rows > 200, "{checked:?}");
    assert!(checked.records > 12, "records of several epochs: {checked:?}");
    assert_eq!((checked.tiles, checked.private_rows), (1, 2), "{checked:?}");
    // It wrote nothing: the ledger opens, and goes on.
    world.open().close().unwrap();
}

/// A row of the store, changed for as long as a check runs.
struct Changed<'a> {
    store: &'a Store,
    family: &'static str,
    key: Vec<u8>,
    before: Option<Vec<u8>>,
}

impl<'a> Changed<'a> {
    fn new(
        store: &'a Store,
        family: &'static str,
        key: &[u8],
        change: impl FnOnce(Option<Vec<u8>>) -> Option<Vec<u8>>,
    ) -> Self {
        let before = store.db().get_cf(store.family(family), key).unwrap();
        let changed = Self { store, family, key: key.to_vec(), before: before.clone() };
        changed.put(change(before));
        changed
    }

    fn put(&self, value: Option<Vec<u8>>) {
        let family = self.store.family(self.family);
        match value {
            Some(value) => self.store.db().put_cf(family, &self.key, value).unwrap(),
            None => self.store.db().delete_cf(family, &self.key).unwrap(),
        }
    }
}

impl Drop for Changed<'_> {
    fn drop(&mut self) {
        let before = self.before.take();
        self.put(before);
    }
}

/// Flips a bit of the byte at `at`.
fn flipped(at: usize) -> impl FnOnce(Option<Vec<u8>>) -> Option<Vec<u8>> {
    move |value| {
        let mut value = value.unwrap();
        value[at] ^= 1;
        Some(value)
    }
}

fn gone(value: Option<Vec<u8>>) -> Option<Vec<u8>> {
    assert!(value.is_some(), "there is a row to remove");
    None
}

fn added(value: Option<Vec<u8>>) -> Option<Vec<u8>> {
    assert!(value.is_none(), "there is no such row");
    Some(vec![1; 40])
}

#[test]
fn a_change_in_any_family_is_named() {
    let world = World::new();
    let ledger = busy(&world);
    ledger.close().unwrap();
    let store = ledger.store().clone();
    let (alice, _) = ledger.view().account("cust:alice").unwrap().unwrap();
    let first = ledger.view().account_lines(alice, Slice::first(1)).unwrap()[0].log_index;
    let epoch = ledger.view().tail().base().watermark().epoch;
    let newest = store.newest_height().unwrap().unwrap();
    let kept = kept_at(&store);
    let erased = kept + 1;
    let record = |epoch| record_key(Record::Account, alice.0, epoch);
    let line = index::line_key(alice, 1);
    assert!(epoch >= 2, "{epoch}");

    type Change = Box<dyn FnOnce(Option<Vec<u8>>) -> Option<Vec<u8>>>;
    let rows: Vec<(&str, &'static str, Vec<u8>, Change)> = vec![
        ("invariant G5, index row", family::INDICES, line.to_vec(), Box::new(flipped(40))),
        ("invariant G5, index row", family::INDICES, line.to_vec(), Box::new(gone)),
        (
            "number of index rows",
            family::INDICES,
            index::line_key(alice, 1_000_000).to_vec(),
            Box::new(added),
        ),
        ("invariant G4, record of Account", family::STATE, record(0).to_vec(), Box::new(flipped(30))),
        ("invariant G4, record of Account", family::STATE, record(1).to_vec(), Box::new(gone)),
        ("invariant G4, record of Account", family::STATE, record(epoch).to_vec(), Box::new(flipped(30))),
        ("number of rows of state", family::STATE, record(epoch + 7).to_vec(), Box::new(added)),
        ("time of the watermark", family::STATE, WATERMARK_KEY.to_vec(), Box::new(flipped(23))),
        ("epoch of the watermark", family::STATE, WATERMARK_KEY.to_vec(), Box::new(flipped(27))),
        ("hash tile", family::MERKLE, tiles::key(0, 0).to_vec(), Box::new(flipped(0))),
        ("hash tile", family::MERKLE, tiles::key(0, 0).to_vec(), Box::new(gone)),
        ("number of tiles", family::MERKLE, tiles::key(0, 9).to_vec(), Box::new(|_| Some(vec![1; 32]))),
        ("seal", family::BLOCKS, blocks::height_key(1).to_vec(), Box::new(gone)),
        ("number of rows of seals", family::BLOCKS, blocks::height_key(5).to_vec(), Box::new(added)),
        ("seal", family::BLOCKS, blocks::seal_key(newest / 2).to_vec(), Box::new(gone)),
        ("commitment", family::SIDECAR, sidecar::private_key(kept).to_vec(), Box::new(flipped(0))),
        ("commitment", family::SIDECAR, sidecar::private_key(first.0).to_vec(), Box::new(added)),
        ("number of rows of private", family::SIDECAR, sidecar::private_key(1).to_vec(), Box::new(added)),
        (
            "none: it is erased",
            family::SIDECAR,
            sidecar::private_key(erased).to_vec(),
            Box::new(|_| Some([SALT.as_slice(), b"erased"].concat())),
        ),
        ("erasure ordered by", family::SIDECAR, sidecar::erasure_key(erased).to_vec(), Box::new(gone)),
        (
            "erasure",
            family::SIDECAR,
            sidecar::erasure_key(first.0).to_vec(),
            Box::new(|_| {
                let erasure = sidecar::Erasure { stage: sidecar::Stage::Done, by: 3 };
                Some(sidecar::erasure_value(erasure).to_vec())
            }),
        ),
        ("row of private data", family::SIDECAR, vec![0x7f; 9], Box::new(added)),
    ];
    for (name, family, key, change) in rows {
        let changed = Changed::new(&store, family, &key, change);
        let found = words(&world);
        assert!(found.contains(name), "{name}: {found}");
        drop(changed);
    }
    // An entry names the row that it makes.
    let changed = Changed::new(&store, family::INDICES, &line, flipped(40));
    assert!(words(&world).contains(&format!("entry {first}")));
    drop(changed);
    check_store(&world.config(), |_| {}).unwrap();
}

/// Where the private data lies that is still there.
fn kept_at(store: &Store) -> u64 {
    let rows = store.db().iterator_cf(store.family(family::SIDECAR), IteratorMode::Start);
    rows.map(|row| row.unwrap().0).find_map(|key| sidecar::private_of_key(&key)).unwrap()
}

#[test]
fn the_head_is_of_this_log() {
    let world = World::new();
    let ledger = busy(&world);
    ledger.close().unwrap();
    drop(ledger);
    let path = head_path(&world.config().head_dir());
    let text = std::fs::read_to_string(&path).unwrap();
    // Another size, unsigned; then nothing.
    let size = text.lines().nth(1).unwrap().to_owned();
    write_durably(&path, text.replacen(&size, "2", 1).as_bytes()).unwrap();
    assert!(words(&world).contains("head: expected a checkpoint signed by a key of the log"));
    std::fs::remove_file(&path).unwrap();
    let lost = check_store(&world.config(), |_| {});
    assert!(matches!(lost, Err(CheckError::Open(OpenError::HeadLost { .. }))), "{lost:?}");
    // A head that another ledger of the same key signed.
    let other = World::new();
    let elsewhere = other.furnished();
    submit(&elsewhere, vec![other.transfer("world:usd", "cust:bob", 77)]);
    elsewhere.close().unwrap();
    std::fs::copy(head_path(&other.config().head_dir()), &path).unwrap();
    assert!(words(&world).contains("root of the head"));
    drop(elsewhere);
    assert!(Ledger::open(world.config(), log_key()).is_err());
}
