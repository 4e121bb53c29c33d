//! An export, judged.
//!
//! First checkpoint and genesis. Then every entry in the order of the log, so that the first finding is the one with the
//! lowest log index; bundles and tiles as they are reached, since the size that a checkpoint claims is no reason to
//! look for that many files. Last the root of the checkpoint. Files that a tree of the checkpoint's size does not have are not read: tlog-tiles lets partial tiles of
//! earlier sizes stay, and a name unknown to the format proves nothing either way.

use std::collections::HashMap;
use std::path::Path;
use std::sync::{PoisonError, RwLock};

use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::MAX_ENTRY_BYTES;
use ledger_core::export::{CHECKPOINT_PATH, GENESIS_PATH};
use ledger_core::genesis::Genesis;
use ledger_core::replay::{Finding, ReadEntry, Replay};
use ledger_core::state::MemoryState;
use ledger_core::view::StateView;
use ledger_crypto::note::{self, NoteError, VerifierKey};
use ledger_crypto::{KeyBytes, PublicKey};
use ledger_merkle::tile::{self, entries_path};
use ledger_merkle::{Hash, leaf_hash};
use rayon::ThreadPool;

use crate::bundle::{Leaf, Tree};
use crate::chain::{Chain, HashedEntry};
use crate::checkpoint;
use crate::folder::{Folder, StoredTiles};
use crate::report::{Report, Stop};
use crate::stream::Run;
use crate::tiles::tile_of_size;
use crate::trust::Trust;

/// Longest checkpoint that is read: a hundred signature lines of the longest kind known.
const CHECKPOINT_BYTES: u64 = 1 << 20;
/// Decompressed keys that are kept; a log has as many signers as it likes.
const KEPT_KEYS: usize = 1 << 16;

/// How much is checked.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Checks {
    /// Everything, the rules by replay.
    Full,
    /// Files, hash tiles, all roots of the log, the chain of seals, the checkpoint.
    HashesOnly,
}

/// Checks the export in `folder` on the workers of `pool`. `progress` is told how many entries are done, of how many.
pub fn check_archive(
    folder: &Path,
    trust: &Trust,
    checks: Checks,
    pool: &ThreadPool,
    progress: &mut dyn FnMut(u64, u64),
) -> Report {
    let mut size = None;
    match judge(folder, trust, checks, pool, progress, &mut size) {
        Ok(report) => report,
        Err(stop) => Report::stopped(located(stop, size), size),
    }
}

fn judge(
    folder: &Path,
    trust: &Trust,
    checks: Checks,
    pool: &ThreadPool,
    progress: &mut dyn FnMut(u64, u64),
    size: &mut Option<u64>,
) -> Result<Report, Stop> {
    let folder = Folder::open(folder)?;
    let note = folder.read(CHECKPOINT_PATH, CHECKPOINT_BYTES)?;
    let checkpoint = checkpoint::open(&note, trust, CHECKPOINT_PATH)?;
    *size = Some(checkpoint.size);
    check_genesis(&folder, trust)?;

    let tree = Tree { folder: &folder, size: checkpoint.size, root: checkpoint.root };
    let run = Run { tree, pool, progress };
    let (height, what) = match checks {
        Checks::Full => (
            in_full(run, &checkpoint, &note, trust)?,
            "every hash, signature, rule, invariant, root and total",
        ),
        Checks::HashesOnly => {
            (by_hashes(run, &checkpoint, trust)?, "every hash and root, neither signatures nor rules")
        }
    };
    let words = format!("valid: {} entries in {} blocks; checked {what}", checkpoint.size, height + 1);
    Ok(Report::valid(checkpoint.size, Some(height), words))
}

/// Everything; the height of the last block. Where the rules of an entry are not known, the hashes still have the word
/// on every entry: an export is not excused from them by an event that nobody can judge.
fn in_full(run: Run<'_>, checkpoint: &Checkpoint, note: &[u8], trust: &Trust) -> Result<u64, Stop> {
    let Run { tree, pool, progress } = run;
    match replay(Run { tree, pool, progress: &mut *progress }, note, trust) {
        Ok(height) => check_end(tree.folder, checkpoint, height),
        Err(Stop::CouldNotCheck(unknown)) => {
            by_hashes(Run { tree, pool, progress }, checkpoint, trust)?;
            Err(Stop::CouldNotCheck(unknown))
        }
        Err(wrong) => Err(wrong),
    }
}

/// Hashes, roots and the chain of seals; the height of the last block.
fn by_hashes(run: Run<'_>, checkpoint: &Checkpoint, trust: &Trust) -> Result<u64, Stop> {
    let folder = run.tree.folder;
    let height = hash(run, trust)?;
    check_end(folder, checkpoint, height)
}

/// What can be said after the last entry: the root, and that a seal of this height ends the log.
fn check_end(folder: &Folder, checkpoint: &Checkpoint, height: Option<u64>) -> Result<u64, Stop> {
    check_root(folder, checkpoint)?;
    height.ok_or_else(|| {
        let expected = "the index of a seal, plus 1";
        Stop::wrong_file(CHECKPOINT_PATH, "size", expected, checkpoint.size)
    })
}

/// The whole log through the rules; the height of the seal that ends it.
fn replay(run: Run<'_>, note: &[u8], trust: &Trust) -> Result<Option<u64>, Stop> {
    let keys = KnownKeys::default();
    let mut replay = Replay::new(trust.ledger_id);
    run.each(
        |encoded| ReadEntry::read(encoded, |key| keys.find(key)),
        |entry, elsewhere| Ok(replay.push(entry, elsewhere)?),
    )?;
    replay.check_whole()?;
    if let Some(state) = replay.state() {
        check_log_key(state, trust)?;
        check_lines(state, note, trust)?;
    }
    Ok(replay.sealed().map(|height| height.0))
}

/// The whole log through hashes and seals; the height of the seal that ends it.
fn hash(run: Run<'_>, trust: &Trust) -> Result<Option<u64>, Stop> {
    let mut chain = Chain::new(trust.ledger_id);
    run.each(HashedEntry::read, |entry, elsewhere| chain.push(entry, elsewhere))?;
    Ok(chain.sealed().map(|height| height.0))
}

/// The genesis is that of the pinned ledger, and names the log whose checkpoint this is: one key must not sign a second
/// history under another name, where nobody would compare the two.
fn check_genesis(folder: &Folder, trust: &Trust) -> Result<(), Stop> {
    let genesis = folder.read(GENESIS_PATH, MAX_ENTRY_BYTES as u64)?;
    let found = leaf_hash(&genesis);
    if found != trust.ledger_id {
        let expected = hex::encode(trust.ledger_id);
        return Err(Stop::wrong_file(GENESIS_PATH, "ledger_id", expected, hex::encode(found)));
    }
    // The bytes are those of the ledger; what is wrong with them beside the origin is found at entry 0.
    let Ok((constants, _)) = Genesis::from_entry(&genesis) else { return Ok(()) };
    let origin = constants.genesis.origin;
    if origin != trust.key.name {
        return Err(Stop::wrong_file(GENESIS_PATH, "origin", &trust.key.name, origin));
    }
    Ok(())
}

/// Every tile is what the entries hash to by now, so the root over the tiles is the root over the entries.
fn check_root(folder: &Folder, checkpoint: &Checkpoint) -> Result<(), Stop> {
    let root = tile::root(&StoredTiles { folder }, checkpoint.size).map_err(|error| match error {
        tile::ReadError::Nodes(stop) => stop,
        other => Stop::wrong_file(CHECKPOINT_PATH, "size", "tiles of that many entries", other),
    })?;
    if root != checkpoint.root {
        let (expected, found) = (hex::encode(root), hex::encode(checkpoint.root));
        return Err(Stop::wrong_file(CHECKPOINT_PATH, "root", expected, found));
    }
    Ok(())
}

/// The auditor's key is one that the log names: in the genesis, or in a rotation.
fn check_log_key(state: &MemoryState, trust: &Trust) -> Result<(), Stop> {
    let key = trust.key.key.as_bytes();
    if state.log_keys().any(|named| named == key) {
        return Ok(());
    }
    let expected = hex::encode(state.params().log_key);
    Err(Stop::wrong_file(GENESIS_PATH, "log_key", expected, hex::encode(key)))
}

/// The checkpoint has the line of the key in force at its last seal. Keys before it may have one; no key has two, and
/// none a line that does not hold.
fn check_lines(state: &MemoryState, note: &[u8], trust: &Trust) -> Result<(), Stop> {
    for named in state.log_keys() {
        let wrong = |expected: String, found: &dyn ToString| {
            Stop::wrong_file(CHECKPOINT_PATH, "signature", expected, found.to_string())
        };
        let key = PublicKey::from_bytes(named)
            .map_err(|error| wrong(format!("a log key, not {}", hex::encode(named)), &error))?;
        let key = VerifierKey::new(&trust.key.name, &key)
            .map_err(|error| wrong("a key with the name of the origin".to_owned(), &error))?;
        match note::open(note, std::slice::from_ref(&key)) {
            Ok(_) => {}
            Err(NoteError::Unsigned) if *named != state.params().log_key => {}
            Err(error) => return Err(wrong(format!("one valid line of {key}"), &error)),
        }
    }
    Ok(())
}

/// Adds to a finding about an entry the file in which the entry stands.
fn located(stop: Stop, size: Option<u64>) -> Stop {
    let locate = |mut finding: Box<Finding>| {
        if let (None, Some(index), Some(size)) = (&finding.file, finding.log_index, size) {
            let tile = tile_of_size(size, 0, index.0 / u64::from(tile::WIDTH));
            finding.file = Some(entries_path(tile.index, tile.width));
        }
        finding
    };
    match stop {
        Stop::Invalid(finding) => Stop::Invalid(locate(finding)),
        Stop::CouldNotCheck(finding) => Stop::CouldNotCheck(locate(finding)),
    }
}

impl Leaf for ReadEntry {
    fn leaf_hash(&self) -> &Hash {
        self.leaf_hash()
    }
}

/// Decompressed keys of signers. Decompressing costs as much as two signature checks, and signers come again.
#[derive(Default)]
struct KnownKeys(RwLock<HashMap<KeyBytes, PublicKey>>);

impl KnownKeys {
    fn find(&self, key: &KeyBytes) -> Option<PublicKey> {
        if let Some(known) = self.0.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Some(known.clone());
        }
        let key = PublicKey::from_bytes(key).ok()?;
        let mut kept = self.0.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_KEYS {
            kept.insert(*key.as_bytes(), key.clone());
        }
        Some(key)
    }
}
