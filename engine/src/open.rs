//! Opening a ledger: lock, marker, store, recovery, head, clock, threads. Nothing is repaired: what does not fit is
//! refused by name.

use std::collections::{BTreeMap, HashMap, VecDeque};
use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize};
use std::sync::{Arc, RwLock, mpsc};
use std::thread::JoinHandle;

use arc_swap::ArcSwap;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::view::Constants;
use ledger_crypto::{Hash, SigningKey, sha256};
use ledger_merkle::tile;
use tokio::sync::watch;

use crate::answer::Failure;
use crate::base::Base;
use crate::clock::ClockGuard;
use crate::config::Config;
use crate::create::interrupted_creation;
use crate::erase::{Erasures, finish_pending};
use crate::head::{Durable, Marker, head_path, read_head};
use crate::ledger::{Health, Ledger, Shared};
use crate::log_keys::{LogKeys, open_checkpoint};
use crate::log_read::StoredTiles;
use crate::metrics::Metrics;
use crate::recover::{RecoverError, Recovered, recover};
use crate::rows::events;
use crate::rows::state::{WATERMARK_KEY, Watermark};
use crate::sealer::{Published, SealError, Sealer};
use crate::store::{Store, StoreError, family};
use crate::view::View;
use crate::writer::Writer;

/// A start this long after the last entry needs `accept_clock`.
const SUSPICIOUS_GAP_NANOS: u64 = 7 * 86_400 * 1_000_000_000;

/// Why a ledger was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is no ledger.
    #[error("there is no ledger in {path}: create one first")]
    Missing {
        /// The data directory.
        path: PathBuf,
    },
    /// A creation was interrupted.
    #[error("{path} is what an interrupted creation left: remove it and create again")]
    Interrupted {
        /// What is there.
        path: PathBuf,
    },
    /// Another process has it open.
    #[error("{path} is locked: another process has this ledger open")]
    Locked {
        /// The lock file.
        path: PathBuf,
    },
    /// A file could not be read or written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The store is shorter than, or another than, what was acknowledged; or does not re-execute to what it holds.
    #[error("DATA_LOSS: {0}")]
    DataLoss(String),
    /// The head file is missing beside existing blocks.
    #[error("{path} is missing beside existing blocks: bring it back, or accept its loss (accept_head_loss)")]
    HeadLost {
        /// The head file.
        path: PathBuf,
    },
    /// The log key is not the one in force.
    #[error("the log key is {found}, the ledger's is {expected}")]
    LogKey {
        /// Public keys of those given.
        found: String,
        /// Key in force.
        expected: String,
    },
    /// The clock is more than 7 days after the last entry.
    #[error("the clock is {days} days after the last entry: check it, then accept it (accept_clock)")]
    ClockFarAhead {
        /// How far.
        days: u64,
    },
    /// The store could not be opened.
    #[error("the store could not be opened: {0}")]
    Store(String),
}

impl From<StoreError> for OpenError {
    fn from(error: StoreError) -> Self {
        // RocksDB's own word for a log that lost what its tables have.
        if error.to_string().contains("SST file is ahead of WALs") {
            return Self::DataLoss(error.to_string());
        }
        Self::Store(error.to_string())
    }
}

impl From<RecoverError> for OpenError {
    fn from(error: RecoverError) -> Self {
        match error {
            RecoverError::Store(error) => error.into(),
            RecoverError::Entry { .. } => Self::DataLoss(error.to_string()),
        }
    }
}

impl From<SealError> for OpenError {
    fn from(error: SealError) -> Self {
        Self::DataLoss(error.to_string())
    }
}

impl Ledger {
    /// Opens the ledger in `config.dir`. It is brought up to its last entry by executing again what came after the
    /// last flush; that takes about as long as those entries took to write. Never creates one.
    pub fn open(config: Config, log_key: SigningKey) -> Result<Self, OpenError> {
        Self::open_with_keys(config, vec![log_key])
    }

    /// The same with several log keys, of which one is in force: beside it the next one, or the one before, which signs
    /// checkpoints along for 30 days.
    pub fn open_with_keys(config: Config, log_keys: Vec<SigningKey>) -> Result<Self, OpenError> {
        let log_keys = LogKeys::new(log_keys);
        let lock = lock(&config)?;
        let (marker, durable) = marker(&config)?;
        let store = Store::open(&config.db_dir(), false)?;
        check_durable(&store, durable)?;
        finish_pending(&store).map_err(|error| OpenError::Store(error.to_string()))?;

        let constants = Arc::new(constants(&store)?);
        let base = Base::new(&store, watermark(&store, constants.ledger_id)?);
        let reading = config.clock.read();
        let recovered = recover(&config, &store, Arc::clone(&constants), base, reading.boot_nanos)?;
        check_log_key(&recovered, &log_keys)?;
        check_clock(&config, reading.wall_nanos, recovered.tail.last_nanos())?;

        let origin = constants.genesis.origin.clone();
        let (inbox, of_writer) = mpsc::channel();
        let (to_sealer, of_sealer) = mpsc::channel();
        let newest = newest_seal(&store, &recovered)?;
        let no_checkpoint = Published { text: String::new(), size: 0, root: [0; 32], height: BlockHeight(0) };
        let workers = rayon::ThreadPoolBuilder::new()
            .num_threads(config.workers)
            .thread_name(|number| format!("ledger-worker-{number}"))
            .build()
            .map_err(|error| OpenError::Store(error.to_string()))?;
        let health = watch::Sender::new(Health::Serving);
        let shared = Arc::new(Shared {
            view: ArcSwap::from_pointee(View::new(recovered.tail.clone(), store.clone(), health.clone())),
            config,
            store,
            origin,
            log_keys,
            published: watch::Sender::new(Arc::new(no_checkpoint)),
            health,
            metrics: Metrics::default(),
            inbox,
            queue_bytes: AtomicUsize::new(0),
            closing: AtomicBool::new(false),
            erasures: Erasures::default(),
            workers,
            keys: RwLock::new(HashMap::new()),
            _lock: lock,
        });
        take_head(&shared, newest)?;
        let Recovered { tail, block, seals } = recovered;
        let (durable_height, size, root) = newest;
        let mut sealer = Sealer {
            shared: Arc::clone(&shared),
            seals,
            inbox: of_sealer,
            unsigned: BTreeMap::from([(durable_height, (size, root))]),
            durable: durable_height,
            signed_at: None,
            flushed: LogIndex(0),
        };
        if shared.published.borrow().size < size {
            sealer.sign_newest()?;
        } else {
            sealer.unsigned.clear();
            tell_head(&shared);
        }
        shared.metrics.tell_log(&tail);
        let writer = Writer {
            shared: Arc::clone(&shared),
            tail,
            block,
            clock: ClockGuard::new(reading),
            marker,
            inbox: of_writer,
            sealer: to_sealer,
            queue: VecDeque::new(),
            seals: Vec::new(),
            unsealed_cuts: 0,
            closing: None,
        };
        let threads = vec![
            spawn(&shared, "ledger-writer", || writer.run())?,
            spawn(&shared, "ledger-sealer", || sealer.run())?,
            spawn(&shared, "ledger-eraser", {
                let shared = Arc::clone(&shared);
                move || {
                    let stop = || shared.stop(Failure::StorageUnavailable);
                    shared.erasures.run(&shared.store, || shared.may_write(), stop);
                }
            })?,
        ];
        Ok(Self::new(shared, threads))
    }
}

/// A thread of the ledger, guarded by [`StopOnPanic`].
pub(crate) fn spawn(
    shared: &Arc<Shared>,
    name: &str,
    run: impl FnOnce() + Send + 'static,
) -> Result<JoinHandle<()>, OpenError> {
    let guard = StopOnPanic(Arc::clone(shared));
    let guarded = move || {
        run();
        drop(guard);
    };
    std::thread::Builder::new()
        .name(name.to_owned())
        .spawn(guarded)
        .map_err(|error| OpenError::Store(format!("the thread {name} could not be started: {error}")))
}

/// A thread that panics stops the ledger: everybody hears of it, nobody waits for it.
struct StopOnPanic(Arc<Shared>);

impl Drop for StopOnPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.stop(Failure::InvariantBroken("a thread of the ledger panicked".into()));
        }
    }
}

/// There is a data directory, whole.
pub(crate) fn is_there(config: &Config) -> Result<(), OpenError> {
    if let Some(path) = interrupted_creation(config) {
        return Err(OpenError::Interrupted { path });
    }
    if !config.db_dir().exists() {
        return Err(OpenError::Missing { path: config.dir.clone() });
    }
    Ok(())
}

fn lock(config: &Config) -> Result<File, OpenError> {
    is_there(config)?;
    let path = config.dir.join("lock");
    let io = |error| OpenError::Io { path: path.clone(), error };
    let file = File::options().create(true).truncate(false).write(true).open(&path).map_err(io)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::Locked { path }),
        Err(TryLockError::Error(error)) => Err(io(error)),
    }
}

pub(crate) fn marker(config: &Config) -> Result<(Marker, Durable), OpenError> {
    let path = config.head_dir().join("marker");
    let opened =
        Marker::open(&config.head_dir()).map_err(|error| OpenError::Io { path: path.clone(), error })?;
    opened.ok_or_else(|| {
        OpenError::DataLoss(format!(
            "{} is missing or damaged: nothing says how far the log was durable",
            path.display()
        ))
    })
}

/// The store must reach what was acknowledged, and hold the same bytes there.
pub(crate) fn check_durable(store: &Store, durable: Durable) -> Result<(), OpenError> {
    let end = match store.last_bundle()? {
        Some((first, bundle)) => first + events::entries(&bundle).map_err(StoreError::from)?.len() as u64,
        None => 0,
    };
    if end < durable.next_index {
        let words = format!("the log ends at {end}, entries up to {} were acknowledged", durable.next_index);
        return Err(OpenError::DataLoss(words));
    }
    match store.bundle_of(durable.last_bundle)? {
        Some((first, bundle)) if first == durable.last_bundle && sha256(&bundle) == durable.bundle_hash => {
            Ok(())
        }
        _ => {
            let words =
                format!("the entries from {} on are not those that were acknowledged", durable.last_bundle);
            Err(OpenError::DataLoss(words))
        }
    }
}

pub(crate) fn constants(store: &Store) -> Result<Constants, OpenError> {
    let missing = || OpenError::DataLoss("entry 0 is missing".into());
    let (_, bundle) = store.bundle_of(0)?.ok_or_else(missing)?;
    let entries = events::entries(&bundle).map_err(StoreError::from)?;
    let genesis = entries.first().ok_or_else(missing)?;
    let (constants, _) =
        Genesis::from_entry(genesis).map_err(|error| OpenError::DataLoss(format!("entry 0: {error}")))?;
    Ok(constants)
}

pub(crate) fn watermark(store: &Store, ledger_id: Hash) -> Result<Watermark, OpenError> {
    let row = store.db().get_cf(store.family(family::STATE), WATERMARK_KEY).map_err(StoreError::from)?;
    let row = row.ok_or_else(|| OpenError::DataLoss("the watermark of the state is missing".into()))?;
    Ok(Watermark::decode(&row, ledger_id).map_err(StoreError::from)?)
}

fn check_log_key(recovered: &Recovered, log_keys: &LogKeys) -> Result<(), OpenError> {
    use ledger_core::view::StateView as _;
    let expected = recovered.tail.params().log_key;
    if log_keys.get(&expected).is_some() {
        return Ok(());
    }
    Err(OpenError::LogKey { found: log_keys.to_string(), expected: hex::encode(expected) })
}

fn check_clock(config: &Config, now_nanos: u64, last_nanos: u64) -> Result<(), OpenError> {
    let gap = now_nanos.saturating_sub(last_nanos);
    if gap > SUSPICIOUS_GAP_NANOS && !config.accept_clock {
        return Err(OpenError::ClockFarAhead { days: gap / (86_400 * 1_000_000_000) });
    }
    Ok(())
}

/// Height, size and root of the newest seal.
fn newest_seal(store: &Store, recovered: &Recovered) -> Result<(BlockHeight, u64, Hash), OpenError> {
    let lost = || OpenError::DataLoss("no seal is stored".into());
    let (height, log_index) = recovered.tail.sealed().ok_or_else(lost)?;
    if store.newest_height()? != Some(height.0) {
        return Err(OpenError::DataLoss(format!(
            "a seal after height {height} is stored, its entries are not"
        )));
    }
    let size = log_index.0 + 1;
    let root =
        tile::root(&StoredTiles(store), size).map_err(|error| OpenError::DataLoss(error.to_string()))?;
    Ok((height, size, root))
}

/// A checkpoint that an earlier run published is as old as the head file.
fn tell_head(shared: &Shared) {
    let config = &shared.config;
    if let Ok(signed) = std::fs::metadata(head_path(&config.head_dir())).and_then(|head| head.modified()) {
        shared.metrics.tell_checkpoint(shared.published.borrow().size, signed, &config.db_dir());
    }
}

/// The checkpoint in the head file must be one of this log, not ahead of it.
fn take_head(shared: &Shared, newest: (BlockHeight, u64, Hash)) -> Result<(), OpenError> {
    let dir = shared.config.head_dir();
    let path = dir.join("head");
    let Some(text) = read_head(&dir).map_err(|error| OpenError::Io { path: path.clone(), error })? else {
        if shared.config.accept_head_loss {
            return Ok(());
        }
        return Err(OpenError::HeadLost { path });
    };
    let data_loss = |words: String| OpenError::DataLoss(format!("{}: {words}", path.display()));
    let named = shared.view.load().tail().log_keys()?;
    let checkpoint =
        open_checkpoint(&text, &shared.origin, &named).map_err(|error| data_loss(error.to_string()))?;
    let (_, size, _) = newest;
    if checkpoint.size > size {
        let words =
            format!("a checkpoint of {} entries was signed, the store has {size} sealed", checkpoint.size);
        return Err(data_loss(words));
    }
    let root = tile::root(&StoredTiles(&shared.store), checkpoint.size)
        .map_err(|error| data_loss(error.to_string()))?;
    if root != checkpoint.root {
        let words = format!("the signed root of {} entries is not the store's", checkpoint.size);
        return Err(data_loss(words));
    }
    let stored = shared.store.height_of_seal(checkpoint.size.saturating_sub(1))?;
    let height =
        stored.map(BlockHeight).ok_or_else(|| data_loss("its last entry is not a seal".to_owned()))?;
    let published = Published { text, size: checkpoint.size, root, height };
    shared.published.send_replace(Arc::new(published));
    Ok(())
}
