//! Erasing private data, so that no file of the store holds it any more.
//!
//! An accepted `MetadataErased` writes an erasure row in the synced write of its entry; from then on the data is not read.
//! The eraser thread then removes it from the disk: every family is flushed, so that no log of RocksDB's is needed for
//! what it holds; the data's own range is compacted, and on the way the filter of the family drops it; then the files
//! that held it must be gone. A delete would not do: each view holds a snapshot, and a snapshot keeps what a delete
//! hides. What a crash interrupts is done when the ledger is opened, before it serves.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::CStr;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use rocksdb::compaction_filter::CompactionFilter;
use rocksdb::compaction_filter_factory::{CompactionFilterContext, CompactionFilterFactory};
use rocksdb::{
    BottommostLevelCompaction, CompactOptions, CompactionDecision, Direction, FlushOptions, IteratorMode,
    LiveFile, WriteBatch,
};
use tokio::sync::oneshot;

use crate::answer::Failure;
use crate::head::sync_dir;
use crate::rows::sidecar::{self, Erasure, Stage};
use crate::store::{Store, StoreError, family};

/// How long files that RocksDB needs no more may stay.
const REMOVAL_TIMEOUT: Duration = Duration::from_secs(30);
/// After an erasure that failed.
const RETRY_AFTER: Duration = Duration::from_secs(10);

/// Erasures that are ordered and not done, by the log index of the event whose data it is.
#[derive(Default)]
pub(crate) struct Erasures {
    work: Mutex<Work>,
    changed: Condvar,
}

#[derive(Default)]
struct Work {
    /// Log index of the erasing event, by that of the event whose data it erases.
    pending: BTreeMap<u64, u64>,
    waiting: Vec<(u64, oneshot::Sender<Result<(), Failure>>)>,
    closed: bool,
}

/// Events whose private data no file may hold: what the filter of the family drops.
pub(crate) type Erased = Arc<RwLock<BTreeSet<u64>>>;

/// Why private data is still in a file.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EraseError {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("{path}: {error}")]
    Io { path: PathBuf, error: std::io::Error },
    #[error("{path} is needed no more and still there after {REMOVAL_TIMEOUT:?}")]
    StillThere { path: PathBuf },
    #[error("the private data of entry {log_index} is still there")]
    StillRead { log_index: u64 },
}

/// The end of an erasure. Await it or [`Erasing::wait`] for it.
#[derive(Debug)]
pub struct Erasing(oneshot::Receiver<Result<(), Failure>>);

impl Erasing {
    /// Blocks until no file of the ledger holds the data. Not for async threads.
    pub fn wait(self) -> Result<(), Failure> {
        self.0.blocking_recv().unwrap_or(Err(Failure::ShuttingDown))
    }
}

impl Future for Erasing {
    type Output = Result<(), Failure>;

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<Self::Output> {
        let ended = std::pin::Pin::new(&mut self.0).poll(context);
        ended.map(|ended| ended.unwrap_or(Err(Failure::ShuttingDown)))
    }
}

impl Erasures {
    /// Takes orders that are durable: the event whose data it is, and the event that erases it.
    pub(crate) fn order(&self, ordered: &[(u64, u64)]) {
        self.lock().pending.extend(ordered.iter().copied());
        self.changed.notify_all();
    }

    /// The end of the erasure of an event's data; at once when none is pending.
    pub(crate) fn end_of(&self, log_index: u64) -> Erasing {
        let (sender, receiver) = oneshot::channel();
        let mut work = self.lock();
        if work.pending.contains_key(&log_index) {
            // Dropped, and so answered, when no eraser runs any more.
            if !work.closed {
                work.waiting.push((log_index, sender));
            }
        } else {
            // The receiver is alive.
            let _ = sender.send(Ok(()));
        }
        Erasing(receiver)
    }

    /// Nothing is ordered any more: what is pending is done, then the eraser ends.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// The eraser thread. `may_write` says whether the store may still be written to; `stop` stops the ledger after a write
    /// that failed.
    pub(crate) fn run(&self, store: &Store, may_write: impl Fn() -> bool, stop: impl Fn()) {
        while let Some(pending) = self.next() {
            if !may_write() {
                break;
            }
            match erase(store, &pending) {
                Ok(()) => self.done(&pending),
                Err(error) => {
                    tracing::error!(%error, "private data is not erased yet");
                    if store.is_broken() {
                        stop();
                    }
                    if self.failed() {
                        break;
                    }
                }
            }
        }
        let mut work = self.lock();
        work.closed = true;
        work.waiting.clear();
    }

    /// Waits for orders; `None` when there are none and there will be none.
    fn next(&self) -> Option<BTreeMap<u64, u64>> {
        let idle = |work: &mut Work| work.pending.is_empty() && !work.closed;
        let work = self.changed.wait_while(self.lock(), idle).unwrap_or_else(PoisonError::into_inner);
        (!work.pending.is_empty()).then(|| work.pending.clone())
    }

    fn done(&self, erased: &BTreeMap<u64, u64>) {
        let mut work = self.lock();
        // One that was ordered again meanwhile is done again: its row says so.
        work.pending.retain(|log_index, by| erased.get(log_index) != Some(by));
        for (log_index, waits) in std::mem::take(&mut work.waiting) {
            if work.pending.contains_key(&log_index) {
                work.waiting.push((log_index, waits));
            } else {
                // Whoever is gone does not want to know.
                let _ = waits.send(Ok(()));
            }
        }
    }

    /// Tells everybody who waits, and pauses before the next attempt; whether it was the last one.
    fn failed(&self) -> bool {
        let mut work = self.lock();
        for (_, waits) in work.waiting.drain(..) {
            let _ = waits.send(Err(Failure::StorageUnavailable));
        }
        let paused = self.changed.wait_timeout_while(work, RETRY_AFTER, |work| !work.closed);
        paused.unwrap_or_else(PoisonError::into_inner).0.closed
    }

    fn lock(&self) -> MutexGuard<'_, Work> {
        self.work.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Does what an earlier run left pending. Before anything else reads the store.
pub(crate) fn finish_pending(store: &Store) -> Result<(), EraseError> {
    let mut pending = BTreeMap::new();
    let from = sidecar::erasure_key(0);
    let rows =
        store.db().iterator_cf(store.family(family::SIDECAR), IteratorMode::From(&from, Direction::Forward));
    for row in rows {
        let (key, value) = row.map_err(StoreError::from)?;
        let Some(log_index) = sidecar::erasure_of_key(&key) else { break };
        let erasure = sidecar::read_erasure(&value).map_err(StoreError::from)?;
        if erasure.stage == Stage::Pending {
            pending.insert(log_index, erasure.by);
        }
    }
    if pending.is_empty() { Ok(()) } else { erase(store, &pending) }
}

/// Removes the private data of these events from every file of the store, then says so in their rows.
fn erase(store: &Store, pending: &BTreeMap<u64, u64>) -> Result<(), EraseError> {
    let (db, private) = (store.db(), store.family(family::SIDECAR));
    store.erased().write().unwrap_or_else(PoisonError::into_inner).extend(pending.keys());
    let logs = logs(db.path())?;
    write_stage(store, pending, Stage::Pending)?;
    let mut wait = FlushOptions::default();
    wait.set_wait(true);
    // This family first: what was just written to it makes RocksDB begin a new log. Whatever the others have in the
    // earlier logs is then flushed as well.
    store.step(|| db.flush_cf_opt(private, &wait).map_err(StoreError::from))?;
    store.step(|| db.flush_cfs_opt(&store.families(), &wait).map_err(StoreError::from))?;

    let mut rewrite = CompactOptions::default();
    // Also what is on the lowest level already, and nothing beside it that might carry the data on.
    rewrite.set_bottommost_level_compaction(BottommostLevelCompaction::Force);
    rewrite.set_exclusive_manual_compaction(true);
    for log_index in pending.keys() {
        let key = sidecar::private_key(*log_index);
        let is_read = || db.get_cf(private, key).map(|found| found.is_some()).map_err(StoreError::from);
        // The filter drops all that is pending from each table that is rewritten: most go with one before them.
        if is_read()? {
            store.step(|| {
                db.compact_range_cf_opt(private, Some(key), Some(key), &rewrite);
                Ok::<_, StoreError>(())
            })?;
        }
        if is_read()? {
            return Err(EraseError::StillRead { log_index: *log_index });
        }
    }
    await_removal(store, &logs)?;
    sync_dir(db.path()).map_err(|error| EraseError::Io { path: db.path().to_owned(), error })?;
    write_stage(store, pending, Stage::Done)?;
    store.erased().write().unwrap_or_else(PoisonError::into_inner).clear();
    Ok(())
}

/// Lost in a crash, it is written again: not synced.
fn write_stage(store: &Store, erasures: &BTreeMap<u64, u64>, stage: Stage) -> Result<(), StoreError> {
    let mut batch = WriteBatch::default();
    for (log_index, by) in erasures {
        let row = sidecar::erasure_value(Erasure { stage, by: *by });
        batch.put_cf(store.family(family::SIDECAR), sidecar::erasure_key(*log_index), row);
    }
    store.write(batch)
}

/// Logs of RocksDB's that hold something.
fn logs(dir: &Path) -> Result<Vec<PathBuf>, EraseError> {
    let mut logs = Vec::new();
    for path in files(dir, "log")? {
        if length(&path)? != Some(0) {
            logs.push(path);
        }
    }
    Ok(logs)
}

/// Files of a folder with this ending.
fn files(dir: &Path, ending: &str) -> Result<Vec<PathBuf>, EraseError> {
    let io = |error| EraseError::Io { path: dir.to_owned(), error };
    let mut found = Vec::new();
    for file in std::fs::read_dir(dir).map_err(io)? {
        let path = file.map_err(io)?.path();
        if path.extension().is_some_and(|its| its == ending) {
            found.push(path);
        }
    }
    Ok(found)
}

/// Waits until these logs are gone, and every table that is there now and needed no more. RocksDB removes files on
/// threads of its own, and tells nobody; one that it is still writing becomes needed.
fn await_removal(store: &Store, logs: &[PathBuf]) -> Result<(), EraseError> {
    let mut deadline = Instant::now() + REMOVAL_TIMEOUT;
    let dir = store.db().path();
    let mut waits = files(dir, "sst")?;
    waits.extend_from_slice(logs);
    loop {
        let needed: BTreeSet<PathBuf> = store
            .db()
            .live_files()
            .map_err(StoreError::from)?
            .into_iter()
            .map(|file| table(dir, &file))
            .collect();
        let mut left = Vec::new();
        for path in waits {
            if !needed.contains(&path) && length(&path)?.is_some() {
                left.push(path);
            }
        }
        if is_writing_tables(store)? {
            // What it writes is needed when it has ended.
            deadline = Instant::now() + REMOVAL_TIMEOUT;
        }
        match left.first() {
            None => return Ok(()),
            Some(path) if Instant::now() > deadline => {
                return Err(EraseError::StillThere { path: path.clone() });
            }
            Some(_) => std::thread::sleep(Duration::from_millis(1)),
        }
        waits = left;
    }
}

fn is_writing_tables(store: &Store) -> Result<bool, StoreError> {
    for what in ["rocksdb.num-running-compactions", "rocksdb.num-running-flushes"] {
        if store.db().property_int_value(what)?.is_some_and(|running| running > 0) {
            return Ok(true);
        }
    }
    Ok(false)
}

fn table(dir: &Path, file: &LiveFile) -> PathBuf {
    dir.join(file.name.trim_start_matches('/'))
}

/// Length of a file; `None` when it is gone.
fn length(path: &Path) -> Result<Option<u64>, EraseError> {
    match std::fs::metadata(path) {
        Ok(file) => Ok(Some(file.len())),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(EraseError::Io { path: path.to_owned(), error }),
    }
}

/// Makes the filters that drop erased data whenever RocksDB rewrites a table.
pub(crate) struct DropErased(pub(crate) Erased);

/// Name of the filters.
const FILTER: &CStr = c"ledger-erased";

impl CompactionFilterFactory for DropErased {
    type Filter = Self;

    fn create(&mut self, _: CompactionFilterContext) -> Self {
        Self(Arc::clone(&self.0))
    }

    fn name(&self) -> &CStr {
        FILTER
    }
}

impl CompactionFilter for DropErased {
    fn filter(&mut self, _level: u32, key: &[u8], _value: &[u8]) -> CompactionDecision {
        let erased = self.0.read().unwrap_or_else(PoisonError::into_inner);
        match sidecar::private_of_key(key) {
            Some(log_index) if erased.contains(&log_index) => CompactionDecision::Remove,
            _ => CompactionDecision::Keep,
        }
    }

    fn name(&self) -> &CStr {
        FILTER
    }
}

#[cfg(test)]
mod tests {
    use ledger_core::ids::EventId;
    use ledger_core::sidecar::Sidecar;

    use super::*;
    use crate::rows::events;
    use crate::support::World;

    /// A row of private data as a commit group writes it, with the order to erase it.
    fn write_ordered(store: &Store, log_index: u64, metadata: &[u8]) {
        let sidecar = Sidecar { salt: vec![0x5a; 32], metadata: metadata.to_vec() };
        let mut batch = WriteBatch::default();
        let family = store.family(family::SIDECAR);
        batch.put_cf(family, sidecar::private_key(log_index), sidecar::private_value(&sidecar));
        store.commit(std::mem::take(&mut batch)).unwrap();
        let ordered = Erasure { stage: Stage::Pending, by: log_index + 1 };
        batch.put_cf(family, sidecar::erasure_key(log_index), sidecar::erasure_value(ordered));
        store.commit(batch).unwrap();
    }

    fn is_in_a_file(dir: &Path, wanted: &[u8]) -> bool {
        std::fs::read_dir(dir).unwrap().any(|file| {
            let bytes = std::fs::read(file.unwrap().path()).unwrap_or_default();
            bytes.windows(wanted.len()).any(|part| part == wanted)
        })
    }

    #[test]
    fn a_crash_between_order_and_erasure_is_made_good_before_serving() {
        let world = World::new();
        let config = world.config();
        let store = Store::open(&config.db_dir(), false).unwrap();
        // One whose table is compacted already, one whose table is fresh, one in the log only.
        write_ordered(&store, 2, b"secret two");
        store.db().flush_cf(store.family(family::SIDECAR)).unwrap();
        store.db().compact_range_cf(store.family(family::SIDECAR), None::<&[u8]>, None::<&[u8]>);
        write_ordered(&store, 3, b"secret three");
        store.db().flush_cf(store.family(family::SIDECAR)).unwrap();
        write_ordered(&store, 4, b"secret four");
        drop(store);
        let secrets: [&[u8]; 3] = [b"secret two", b"secret three", b"secret four"];
        assert!(secrets.iter().all(|secret| is_in_a_file(&config.db_dir(), secret)));

        let ledger = world.open();
        assert!(!secrets.iter().any(|secret| is_in_a_file(&config.db_dir(), secret)));
        for log_index in 2..5 {
            let erasure = ledger.store().erasure(log_index).unwrap();
            assert_eq!(erasure, Some(Erasure { stage: Stage::Done, by: log_index + 1 }));
            assert_eq!(ledger.store().private(log_index).unwrap(), None);
        }
        assert!(ledger.view().private(&EventId([1; 16])).unwrap().is_none());
        ledger.close().unwrap();
    }

    #[test]
    fn erasures_go_on_beside_writes_and_snapshots() {
        let world = World::new();
        let ledger = world.open();
        let (view, store) = (ledger.view(), ledger.store().clone());
        for round in 0..20 {
            let log_index = 1_000 + round;
            write_ordered(&store, log_index, format!("secret {log_index}").as_bytes());
            let writer = store.clone();
            let beside = std::thread::spawn(move || {
                for row in 0..50u64 {
                    let mut batch = WriteBatch::default();
                    batch.put_cf(writer.family(family::EVENTS), events::key(1 << 40 | row), b"beside");
                    writer.commit(batch).unwrap();
                }
            });
            erase(&store, &BTreeMap::from([(log_index, log_index + 1)])).unwrap();
            beside.join().unwrap();
        }
        assert!(!is_in_a_file(&world.config().db_dir(), b"secret 10"));
        drop(view);
    }

    #[test]
    fn whoever_waits_hears_the_end() {
        let erasures = Arc::new(Erasures::default());
        erasures.end_of(7).wait().unwrap();
        erasures.order(&[(7, 8), (9, 10)]);
        let (first, second) = (erasures.end_of(7), erasures.end_of(9));
        erasures.done(&BTreeMap::from([(7, 8)]));
        first.wait().unwrap();
        erasures.order(&[(9, 11)]);
        erasures.done(&BTreeMap::from([(9, 10)]));
        erasures.close();
        let world = World::new();
        let store = Store::open(&world.config().db_dir(), false).unwrap();
        erasures.run(&store, || false, || {});
        assert_eq!(second.wait(), Err(Failure::ShuttingDown), "ordered again meanwhile, and not done");
    }
}
