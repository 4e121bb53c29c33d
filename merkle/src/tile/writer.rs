//! Makes the tiles of a growing tree.

use ledger_crypto::Hash;

use super::{HEIGHT, LEVELS, WIDTH};
use crate::frontier::Frontier;

/// Why a writer could not go on from stored tiles.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "tile {index} of level {level}: a tree of {size} leaves needs {expected} hashes there, \
     found {found}"
)]
pub struct RestoreError {
    /// The size to go on from.
    pub size: u64,
    /// Level of the tile that is missing or too short.
    pub level: u8,
    /// Its index.
    pub index: u64,
    /// How many hashes it must have.
    pub expected: usize,
    /// How many it has; 0 when it is missing.
    pub found: usize,
}

/// Keeps the rightmost, partial tile of every level, and the tiles that changed since they were
/// last taken.
#[derive(Clone, Debug, Default)]
pub struct TileWriter {
    size: u64,
    levels: Vec<Level>,
    filled: Vec<(u8, u64, Vec<Hash>)>,
}

#[derive(Clone, Debug, Default)]
struct Level {
    index: u64,
    hashes: Vec<Hash>,
    changed: bool,
}

impl TileWriter {
    /// A writer for a tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that goes on after `size` leaves. `tile(level, index)` is asked for the partial tile
    /// of each level that has one; it may give more hashes than the tree of that size has.
    ///
    /// # Errors
    /// [`RestoreError`] when a tile is missing or too short.
    pub fn restore(
        size: u64,
        mut tile: impl FnMut(u8, u64) -> Option<Vec<Hash>>,
    ) -> Result<Self, RestoreError> {
        let mut levels = Vec::new();
        for level in 0..LEVELS {
            let count = size >> (HEIGHT * u32::from(level));
            if count == 0 {
                break;
            }
            let index = count / u64::from(WIDTH);
            let expected = (count % u64::from(WIDTH)) as usize;
            let mut hashes = Vec::new();
            if expected > 0 {
                hashes = tile(level, index).unwrap_or_default();
            }
            let found = hashes.len();
            if found < expected {
                return Err(RestoreError { size, level, index, expected, found });
            }
            hashes.truncate(expected);
            levels.push(Level { index, hashes, changed: false });
        }
        let filled = Vec::new();
        Ok(Self { size, levels, filled })
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf on the right. Amortised one hash.
    pub fn append(&mut self, leaf_hash: Hash) {
        self.size += 1;
        let mut hash = leaf_hash;
        for level in 0..LEVELS {
            match self.push(level, hash) {
                Some(root) => hash = root,
                None => return,
            }
        }
    }

    /// The tiles with new hashes since the last call, as level, index, hashes: the full ones in the
    /// order in which they were filled, then the partial ones by level.
    pub fn take_changed(&mut self) -> Vec<(u8, u64, Vec<Hash>)> {
        let mut changed = std::mem::take(&mut self.filled);
        for (number, level) in (0..).zip(&mut self.levels) {
            if std::mem::take(&mut level.changed) && !level.hashes.is_empty() {
                changed.push((number, level.index, level.hashes.clone()));
            }
        }
        changed
    }

    /// Adds a hash to a level; if that fills a tile, its root, which belongs to the level above.
    fn push(&mut self, number: u8, hash: Hash) -> Option<Hash> {
        if self.levels.len() == usize::from(number) {
            self.levels.push(Level::default());
        }
        let level = self.levels.get_mut(usize::from(number))?;
        level.hashes.push(hash);
        level.changed = true;
        if level.hashes.len() < usize::from(WIDTH) {
            return None;
        }
        let next = Vec::with_capacity(usize::from(WIDTH));
        let full = std::mem::replace(&mut level.hashes, next);
        let root = full.iter().copied().collect::<Frontier>().root();
        self.filled.push((number, level.index, full));
        level.index += 1;
        Some(root)
    }
}
