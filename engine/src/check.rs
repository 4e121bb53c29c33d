//! The check of a whole store: the log executed again from its genesis, and every row of every family compared with what
//! the entries make, in both directions. It writes nothing and takes no lock, so it may run beside the server that has
//! the store open; what is written meanwhile is not looked at.

mod private;
mod rows;
mod state;
mod tree;

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use ledger_core::entry::Entry;
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::replay::{Finding, Halt, ReadEntry, Replay};
use ledger_crypto::{KeyBytes, PublicKey};
use rayon::prelude::*;
use rocksdb::IteratorMode;

use crate::base::Base;
use crate::config::Config;
use crate::head::read_head;
use crate::log_keys::{NamedKey, open_checkpoint};
use crate::open::{OpenError, check_durable, constants, is_there, marker, watermark};
use crate::rows::{RowError, events};
use crate::store::{Store, StoreError, family};
use private::Private;
use rows::Rows;
use state::States;

/// Bundles whose entries are read at once.
const BUNDLES_AT_ONCE: usize = 64;
/// Decompressed keys of signers that are kept.
const KEPT_KEYS: usize = 1 << 16;

/// What was checked, and found right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Entries executed again: up to the newest stored seal.
    pub entries: u64,
    /// Entries after it, which the next start executes and seals.
    pub unsealed: u64,
    /// Height of that seal.
    pub height: BlockHeight,
    /// Entries under the checkpoint of the head file, whose root is that of the stored tiles.
    pub checkpoint: u64,
    /// Rows of accounts, payments and keys, as they were at the end of each epoch and at the last flush.
    pub records: u64,
    /// Index rows.
    pub index_rows: u64,
    /// Hash tiles.
    pub tiles: u64,
    /// Rows of private data and of orders to erase it.
    pub private_rows: u64,
}

/// What a store is not.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It could not be opened, or is shorter than what was acknowledged.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log is wrong, an invariant does not hold, or a stored row is not what the entries make.
    #[error("{}", .0.words)]
    Wrong(Box<Finding>),
    /// The log may be right, but these rules cannot tell.
    #[error("{0}")]
    Unknown(String),
    /// The store could not be read.
    #[error("the store could not be read: {0}")]
    Storage(String),
}

impl From<StoreError> for CheckError {
    fn from(error: StoreError) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<RowError> for CheckError {
    fn from(error: RowError) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<Halt> for CheckError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Wrong(finding) => Self::Wrong(finding),
            Halt::Unknown(finding) => Self::Unknown(finding.words),
            Halt::View(error) => Self::Storage(error.to_string()),
        }
    }
}

/// Checks the store of the ledger in `config.dir`: durable up to the marker, the signed checkpoint of the head file, every
/// seal and hash tile, signatures, rules and the invariants of money over the whole log, every index row (G5), the
/// records as of each epoch and of the last flush (G4), and private data against what events commit to. `progress` hears
/// how many entries are done. Memory grows with accounts, payments and events, as that of the verifier does.
pub fn check_store(config: &Config, mut progress: impl FnMut(u64)) -> Result<Checked, CheckError> {
    is_there(config)?;
    let (_, durable) = marker(config)?;
    let dir = config.head_dir();
    // Before the store, which may go on meanwhile: it must not be behind.
    let head = read_head(&dir).map_err(|error| OpenError::Io { path: dir.join("head"), error })?;
    let store = Store::open_read_only(&config.db_dir()).map_err(OpenError::from)?;
    check_durable(&store, durable)?;
    let constants = constants(&store)?;
    let base = Base::new(&store, watermark(&store, constants.ledger_id)?);
    let height =
        store.newest_height()?.ok_or_else(|| wrong(LogIndex(1), "seal", "that of the genesis", "none"))?;
    let seal =
        store.seal(height)?.ok_or_else(|| StoreError::Missing(format!("the seal of block {height}")))?;
    let size = seal.0 + 1;
    if base.next_index().0 > size {
        return Err(wrong(
            LogIndex(seal.0),
            "watermark",
            &format!("at most {size}"),
            &base.next_index().to_string(),
        ));
    }
    let mut check = Check {
        store: &store,
        replay: Replay::new(constants.ledger_id),
        keys: RwLock::new(HashMap::new()),
        rows: Rows::new(&base),
        states: States::new(&store, &base, &constants),
        private: Private::new(&store),
        wrong: None,
    };
    let end = check.run(size, &mut progress)?;
    check.replay.check_whole()?;
    let Check { rows, states, private, .. } = &check;
    let at = LogIndex(seal.0);
    let heights = height + 1;
    expect(at, "number of rows of seals", 2 * heights, row_count(&store, family::BLOCKS)?)?;
    rows.expect_no_other(at, &store)?;
    states.expect_no_other(at)?;
    let private_rows = private.expect_no_other(size)?;
    let tiles = tree::check(&store, size)?;
    let checkpoint = match head {
        Some(text) => check_head(&text, &constants.genesis.origin, &states.log_keys, &store, size)?,
        None => return Err(OpenError::HeadLost { path: dir.join("head") }.into()),
    };
    Ok(Checked {
        entries: size,
        unsealed: end - size,
        height: BlockHeight(height),
        checkpoint,
        records: states.count,
        index_rows: rows.count,
        tiles,
        private_rows,
    })
}

/// The signed checkpoint is one of this log, not ahead of it; its size.
fn check_head(
    text: &str,
    origin: &str,
    log_keys: &[NamedKey],
    store: &Store,
    size: u64,
) -> Result<u64, CheckError> {
    let at = LogIndex(size - 1);
    let checkpoint = open_checkpoint(text, origin, log_keys)
        .map_err(|error| wrong(at, "head", "a checkpoint signed by a key of the log", &error.to_string()))?;
    if checkpoint.size > size {
        return Err(wrong(at, "size of the head", &format!("at most {size}"), &checkpoint.size.to_string()));
    }
    let root = tree::root(store, checkpoint.size)?;
    let at = LogIndex(checkpoint.size.saturating_sub(1));
    expect(at, "root of the head", hex::encode(root), hex::encode(checkpoint.root))?;
    Ok(checkpoint.size)
}

struct Check<'s> {
    store: &'s Store,
    replay: Replay,
    keys: RwLock<HashMap<KeyBytes, PublicKey>>,
    rows: Rows,
    states: States<'s>,
    private: Private<'s>,
    /// What one of the watches has found.
    wrong: Option<CheckError>,
}

impl Check<'_> {
    /// Executes the entries below `size`; the end of the log.
    fn run(&mut self, size: u64, progress: &mut impl FnMut(u64)) -> Result<u64, CheckError> {
        let mut bundles = self.store.bundles_from(0);
        let mut end = 0;
        let mut tile = tree::Leaves::new(self.store);
        loop {
            let chunk = bundles.by_ref().take(BUNDLES_AT_ONCE).collect::<Result<Vec<_>, _>>()?;
            if chunk.is_empty() {
                return Ok(end);
            }
            let mut entries = Vec::new();
            for (first, bundle) in &chunk {
                expect(LogIndex(end), "log index", end, *first)?;
                for entry in events::entries(bundle)? {
                    if end < size {
                        entries.push((LogIndex(end), self.placed(LogIndex(end), entry)?));
                    }
                    end += 1;
                }
            }
            let read: Vec<_> = entries
                .par_iter()
                .map(|(_, entry)| ReadEntry::read(entry, |key| self.known_key(key)))
                .collect();
            for ((log_index, encoded), entry) in entries.iter().zip(read) {
                let of_tile = tile.differs(*log_index, entry.leaf_hash())?;
                self.push(*log_index, encoded, entry, of_tile)?;
            }
            progress(self.replay.size());
        }
    }

    /// An entry as it is hashed: at a reserved place the stored seal.
    fn placed(&self, log_index: LogIndex, entry: &[u8]) -> Result<Vec<u8>, CheckError> {
        if !entry.is_empty() {
            return Ok(entry.to_vec());
        }
        let missing = || wrong(log_index, "seal", "a stored seal", "none");
        let height = self.store.height_of_seal(log_index.0)?.ok_or_else(missing)?;
        let (stored_index, seal) = self.store.seal(height)?.ok_or_else(missing)?;
        expect(log_index, "place of the seal", log_index.0, stored_index)?;
        Ok(seal)
    }

    fn push(
        &mut self,
        log_index: LogIndex,
        encoded: &[u8],
        entry: ReadEntry,
        of_tile: Option<Finding>,
    ) -> Result<(), CheckError> {
        let Self { replay, rows, states, private, wrong, .. } = self;
        replay.push_watched(entry, of_tile, &mut |before, executed| {
            states.take(before, executed);
            let watched = rows.take(before, executed).and_then(|()| private.take(before, executed));
            if let Err(error) = watched {
                wrong.get_or_insert(error);
            }
        })?;
        if let Some(wrong) = self.wrong.take() {
            return Err(wrong);
        }
        if let (Some(height), Some(state)) = (self.replay.sealed(), self.replay.state()) {
            let seal = Entry::decode(encoded).map_err(|error| CheckError::Storage(error.to_string()))?;
            self.states.take_seal(log_index, height, seal.recorded_at_nanos, state)?;
        }
        Ok(())
    }

    /// Decompressing a key costs as much as two signature checks, and signers come again.
    fn known_key(&self, key: &KeyBytes) -> Option<PublicKey> {
        if let Some(known) = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Some(known.clone());
        }
        let public = PublicKey::from_bytes(key).ok()?;
        let mut kept = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_KEYS {
            kept.insert(*key, public.clone());
        }
        Some(public)
    }
}

/// Rows of a family.
fn row_count(store: &Store, name: &'static str) -> Result<u64, CheckError> {
    let mut count = 0;
    for row in store.db().iterator_cf(store.family(name), IteratorMode::Start) {
        row.map_err(StoreError::from)?;
        count += 1;
    }
    Ok(count)
}

fn expect<T: PartialEq + std::fmt::Display>(
    at: LogIndex,
    field: &str,
    expected: T,
    found: T,
) -> Result<(), CheckError> {
    if expected == found {
        return Ok(());
    }
    Err(wrong(at, field, &expected.to_string(), &found.to_string()))
}

fn wrong(log_index: LogIndex, field: &str, expected: &str, found: &str) -> CheckError {
    CheckError::Wrong(Box::new(finding(log_index, field, expected, found)))
}

fn finding(log_index: LogIndex, field: &str, expected: &str, found: &str) -> Finding {
    Finding {
        log_index: Some(log_index),
        height: None,
        file: None,
        field: field.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
        words: format!("entry {log_index}: {field}: expected {expected}, found {found}"),
    }
}

#[cfg(test)]
mod tests;
