//! The store: RocksDB, a column family per kind of row, each with options of its own.
//!
//! Everything is written by [`Store::commit`] (synced) or [`Store::write`] (on disk with the next synced write). After one
//! that failed nothing is written any more through this handle or a clone of it: its outcome is unknown.

use std::ffi::OsString;
use std::fs::DirEntry;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use ledger_core::ids::LogIndex;
use ledger_core::sidecar::Sidecar;
use ledger_crypto::Hash;
use rocksdb::{
    BlockBasedOptions, Cache, ColumnFamily, ColumnFamilyDescriptor, DB, DBCompressionType, DBRecoveryMode,
    IteratorMode, Options, ReadOptions, SliceTransform, WriteBatch, WriteOptions,
};

use crate::erase::{DropErased, Erased};
use crate::rows::sidecar::Erasure;
use crate::rows::{RowError, blocks, events, sidecar, state, tiles};

/// Column families, by name.
pub(crate) mod family {
    pub(crate) const EVENTS: &str = "events";
    pub(crate) const BLOCKS: &str = "blocks";
    pub(crate) const STATE: &str = "state";
    pub(crate) const INDICES: &str = "indices";
    pub(crate) const MERKLE: &str = "merkle";
    pub(crate) const SIDECAR: &str = "sidecar";
    pub(crate) const ALL: [&str; 6] = [EVENTS, BLOCKS, STATE, INDICES, MERKLE, SIDECAR];
}

/// How often the opening of a database that somebody else writes is tried again: RocksDB looks at the list of tables, at the
/// tables and at its logs one after another, and what was in a log may have become a table in between.
const READ_ONLY_ATTEMPTS: u32 = 20;
const READ_ONLY_PAUSE: Duration = Duration::from_millis(50);

/// The store could not be read or written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StoreError {
    #[error(transparent)]
    RocksDb(#[from] rocksdb::Error),
    #[error(transparent)]
    Row(#[from] RowError),
    #[error("a row is missing: {0}")]
    Missing(String),
    #[error("an earlier write has failed: nothing more is written")]
    Broken,
}

impl From<StoreError> for ledger_core::view::ViewError {
    fn from(error: StoreError) -> Self {
        Self(Box::new(error))
    }
}

/// Handle of the open database.
#[derive(Clone)]
pub(crate) struct Store {
    db: Arc<DB>,
    erased: Erased,
    broken: Arc<AtomicBool>,
    #[cfg(test)]
    pub(crate) fault: Arc<std::sync::Mutex<Fault>>,
}

/// What the next step of a test meets: a write, or another change of the disk.
#[cfg(test)]
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Fault {
    #[default]
    None,
    /// It fails; nothing was written.
    NotWritten,
    /// It fails; everything was written.
    Written,
    /// After so many steps more the next one fails, done all the same or not.
    After { steps: u64, done: bool },
}

#[cfg(test)]
impl Fault {
    /// Takes a step; when it fails, whether it is done all the same.
    fn step(&mut self) -> Option<bool> {
        match self {
            Self::None => None,
            Self::NotWritten => Some(false),
            Self::Written => Some(true),
            Self::After { steps: 0, done } => Some(*done),
            Self::After { steps, .. } => {
                *steps -= 1;
                None
            }
        }
    }
}

impl Store {
    /// Opens the database in `dir`; makes it when `create` says so.
    pub(crate) fn open(dir: &Path, create: bool) -> Result<Self, StoreError> {
        let erased = Erased::default();
        let db = DB::open_cf_descriptors(&options(create), dir, families(&erased))?;
        Ok(Self::over(db, erased))
    }

    /// Opens the database as it is now, beside whoever has it open. Nothing can be written through it.
    pub(crate) fn open_read_only(dir: &Path) -> Result<Self, StoreError> {
        let mut attempts_left = READ_ONLY_ATTEMPTS;
        loop {
            let erased = Erased::default();
            let before = written_so_far(dir);
            let opened = DB::open_cf_descriptors_read_only(&options(false), dir, families(&erased), false);
            match opened {
                Ok(db) if before == written_so_far(dir) || attempts_left == 0 => {
                    return Ok(Self::over(db, erased));
                }
                Err(error) if attempts_left == 0 => return Err(error.into()),
                Ok(_) | Err(_) => std::thread::sleep(READ_ONLY_PAUSE),
            }
            attempts_left -= 1;
        }
    }

    fn over(db: DB, erased: Erased) -> Self {
        Self {
            db: Arc::new(db),
            erased,
            broken: Arc::default(),
            #[cfg(test)]
            fault: Arc::default(),
        }
    }

    pub(crate) fn db(&self) -> &Arc<DB> {
        &self.db
    }

    pub(crate) fn family(&self, name: &'static str) -> &ColumnFamily {
        self.db.cf_handle(name).expect("every family is opened at start")
    }

    pub(crate) fn families(&self) -> Vec<&ColumnFamily> {
        family::ALL.iter().map(|name| self.family(name)).collect()
    }

    /// Events whose private data no file may hold.
    pub(crate) fn erased(&self) -> &Erased {
        &self.erased
    }

    /// A synced write: what it holds is on disk when it returns.
    pub(crate) fn commit(&self, batch: WriteBatch) -> Result<(), StoreError> {
        let mut options = WriteOptions::default();
        options.set_sync(true);
        self.step(|| Ok(self.db.write_opt(batch, &options)?))
    }

    /// A write that is on disk with the next synced one.
    pub(crate) fn write(&self, batch: WriteBatch) -> Result<(), StoreError> {
        self.step(|| Ok(self.db.write(batch)?))
    }

    /// Whether something that changes the disk has failed.
    pub(crate) fn is_broken(&self) -> bool {
        self.broken.load(Ordering::SeqCst)
    }

    /// Something that changes the disk. None follows one that has failed.
    pub(crate) fn step<E: From<StoreError>>(&self, step: impl FnOnce() -> Result<(), E>) -> Result<(), E> {
        if self.is_broken() {
            return Err(StoreError::Broken.into());
        }
        #[cfg(test)]
        {
            // Held while a test holds it: so a test can make a commit wait.
            let failing = self.fault.lock().expect("no test panics while it holds the fault").step();
            if let Some(done) = failing {
                self.broken.store(true, Ordering::SeqCst);
                if done {
                    step()?;
                }
                return Err(StoreError::Broken.into());
            }
        }
        step().inspect_err(|_| self.broken.store(true, Ordering::SeqCst))
    }

    /// The last bundle of the log: first index and bytes.
    pub(crate) fn last_bundle(&self) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let mut newest = self.db.iterator_cf(self.family(family::EVENTS), IteratorMode::End);
        newest.next().transpose()?.map(|(key, value)| Ok((bundle_key(&key)?, value.into_vec()))).transpose()
    }

    /// The bundle that holds entry `index`, if the log reaches it: first index and bytes.
    pub(crate) fn bundle_of(&self, index: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let mode = IteratorMode::From(&events::key(index), rocksdb::Direction::Reverse);
        // The last key at or before `index`.
        let mut at = self.db.iterator_cf(self.family(family::EVENTS), mode);
        at.next().transpose()?.map(|(key, value)| Ok((bundle_key(&key)?, value.into_vec()))).transpose()
    }

    /// Bundles from the one that begins at `first`, in order.
    pub(crate) fn bundles_from(
        &self,
        first: u64,
    ) -> impl Iterator<Item = Result<(u64, Vec<u8>), StoreError>> + '_ {
        let mut options = ReadOptions::default();
        options.set_readahead_size(1 << 20);
        let key = events::key(first);
        let mode = IteratorMode::From(&key, rocksdb::Direction::Forward);
        let rows = self.db.iterator_cf_opt(self.family(family::EVENTS), options, mode);
        rows.map(|row| row.map_err(StoreError::from).and_then(|(k, v)| Ok((bundle_key(&k)?, v.into_vec()))))
    }

    /// Log index and entry of the seal at a height.
    pub(crate) fn seal(&self, height: u64) -> Result<Option<(u64, Vec<u8>)>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(family::BLOCKS), blocks::seal_key(height))?;
        value
            .map(|value| blocks::read_seal(&value).map(|(i, e)| (i, e.to_vec())))
            .transpose()
            .map_err(Into::into)
    }

    /// Height of the seal at a log index.
    pub(crate) fn height_of_seal(&self, log_index: u64) -> Result<Option<u64>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(family::BLOCKS), blocks::height_key(log_index))?;
        value.map(|value| blocks::read_height(&value)).transpose().map_err(Into::into)
    }

    /// Height of the newest stored seal.
    pub(crate) fn newest_height(&self) -> Result<Option<u64>, StoreError> {
        let mode = IteratorMode::From(&blocks::after_seals(), rocksdb::Direction::Reverse);
        for row in self.db.iterator_cf(self.family(family::BLOCKS), mode) {
            let (key, _) = row?;
            if let Some(height) = blocks::height_of_key(&key) {
                return Ok(Some(height));
            }
        }
        Ok(None)
    }

    /// Private data of the event at a log index.
    pub(crate) fn private(&self, log_index: u64) -> Result<Option<Sidecar>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(family::SIDECAR), sidecar::private_key(log_index))?;
        value.map(|value| sidecar::read_private(&value)).transpose().map_err(Into::into)
    }

    /// The erasure of the private data of the event at a log index.
    pub(crate) fn erasure(&self, log_index: u64) -> Result<Option<Erasure>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(family::SIDECAR), sidecar::erasure_key(log_index))?;
        value.map(|value| sidecar::read_erasure(&value)).transpose().map_err(Into::into)
    }

    /// Hashes of a tile of the log tree.
    pub(crate) fn tile(&self, level: u8, index: u64) -> Result<Option<Vec<Hash>>, StoreError> {
        let value = self.db.get_pinned_cf(self.family(family::MERKLE), tiles::key(level, index))?;
        value.map(|value| tiles::read(&value)).transpose().map_err(Into::into)
    }
}

/// The hash tile that was read last.
#[derive(Default)]
pub(crate) struct HashTile(Option<(u64, Vec<Hash>)>);

impl HashTile {
    /// The stored hash of an entry.
    pub(crate) fn hash(&mut self, store: &Store, log_index: LogIndex) -> Result<Option<Hash>, StoreError> {
        let index = log_index.0 >> 8;
        let hashes = match &mut self.0 {
            Some((at, hashes)) if *at == index => hashes,
            other => &other.insert((index, store.tile(0, index)?.unwrap_or_default())).1,
        };
        Ok(hashes.get((log_index.0 & 255) as usize).copied())
    }
}

/// Names of logs and lists of tables, and how long the lists are: the same before and after an opening that met no change.
fn written_so_far(dir: &Path) -> Vec<(OsString, u64)> {
    let files = std::fs::read_dir(dir).into_iter().flatten().flatten();
    let counted = |file: DirEntry| {
        let name = file.file_name();
        let text = name.to_string_lossy();
        match (text.ends_with(".log"), text.starts_with("MANIFEST")) {
            (true, _) => Some((name, 0)),
            (_, true) => Some((name, file.metadata().map_or(0, |file| file.len()))),
            _ => None,
        }
    };
    let mut written: Vec<_> = files.filter_map(counted).collect();
    written.sort_unstable();
    written
}

fn options(create: bool) -> Options {
    let mut options = Options::default();
    options.create_if_missing(create);
    options.create_missing_column_families(create);
    // A log shortened by a crash is opened up to its last whole record; the marker says whether that is enough.
    options.set_wal_recovery_mode(DBRecoveryMode::PointInTime);
    options.set_recycle_log_file_num(0);
    options.set_wal_bytes_per_sync(0);
    options.set_max_background_jobs(2);
    options.set_keep_log_file_num(4);
    options.set_max_total_wal_size(512 << 20);
    // An obsolete log is removed, not kept in an archive: it may hold private data that was erased.
    options.set_wal_ttl_seconds(0);
    options.set_wal_size_limit_mb(0);
    options
}

fn families(erased: &Erased) -> [ColumnFamilyDescriptor; 6] {
    let cache = Cache::new_lru_cache(64 << 20);
    [
        // Read by seek to a bundle's first index: no Bloom filter. Entries repeat keys and ids: lz4 halves them.
        ColumnFamilyDescriptor::new(family::EVENTS, options_of(&cache, 16 << 20, None)),
        ColumnFamilyDescriptor::new(family::BLOCKS, options_of(&cache, 4 << 20, None)),
        // All epochs of a record share a prefix, so a filter over it answers for all of them.
        ColumnFamilyDescriptor::new(family::STATE, options_of(&cache, 16 << 20, Some(state::PREFIX_BYTES))),
        // Most look-ups ask for an event id that is new: the filter answers them without a read.
        ColumnFamilyDescriptor::new(
            family::INDICES,
            whole_key_filter(options_of(&cache, 16 << 20, None), &cache),
        ),
        ColumnFamilyDescriptor::new(family::MERKLE, options_of(&cache, 4 << 20, None)),
        ColumnFamilyDescriptor::new(family::SIDECAR, sidecar_options(&cache, Arc::clone(erased))),
    ]
}

fn bundle_key(key: &[u8]) -> Result<u64, RowError> {
    crate::rows::only_u64(key).ok_or_else(|| RowError::new(family::EVENTS, "key of another length than 8"))
}

fn options_of(cache: &Cache, buffer_bytes: usize, prefix_bytes: Option<usize>) -> Options {
    let mut options = Options::default();
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_format_version(5);
    if let Some(bytes) = prefix_bytes {
        options.set_prefix_extractor(SliceTransform::create_fixed_prefix(bytes));
        table.set_bloom_filter(10.0, false);
        table.set_whole_key_filtering(false);
    }
    options.set_block_based_table_factory(&table);
    options.set_compression_type(DBCompressionType::Lz4);
    // Small write buffers: large ones stall the commit that has to wait for their flush.
    options.set_write_buffer_size(buffer_bytes);
    options
}

/// Without compression, so that whoever searches the files for private data would find it; without blob files, whose
/// garbage stays. A rewrite of a table drops what was erased.
fn sidecar_options(cache: &Cache, erased: Erased) -> Options {
    let mut options = options_of(cache, 4 << 20, None);
    options.set_compression_type(DBCompressionType::None);
    options.set_enable_blob_files(false);
    options.set_compaction_filter_factory(DropErased(erased));
    options
}

fn whole_key_filter(mut options: Options, cache: &Cache) -> Options {
    let mut table = BlockBasedOptions::default();
    table.set_block_cache(cache);
    table.set_format_version(5);
    table.set_bloom_filter(10.0, false);
    options.set_block_based_table_factory(&table);
    options
}
