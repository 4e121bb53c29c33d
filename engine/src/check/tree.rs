//! Hash tiles: leaves against the entries, every higher tile against those below.

use ledger_core::ids::LogIndex;
use ledger_core::replay::Finding;
use ledger_crypto::Hash;
use ledger_merkle::frontier::Frontier;
use ledger_merkle::tile::{self, TileId, tiles_of_size};

use super::{CheckError, expect, finding, row_count, wrong};
use crate::log_read::StoredTiles;
use crate::store::{HashTile, Store, StoreError, family};

/// Hash tiles of the leaves, one after another.
pub(super) struct Leaves<'s> {
    store: &'s Store,
    tile: HashTile,
}

impl<'s> Leaves<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { store, tile: HashTile::default() }
    }

    /// What the hash tile has against an entry.
    pub(super) fn differs(&mut self, at: LogIndex, leaf: &Hash) -> Result<Option<Finding>, StoreError> {
        let stored = self.tile.hash(self.store, at)?;
        Ok((stored != Some(*leaf)).then(|| {
            let found = stored.map_or_else(|| "none".to_owned(), hex::encode);
            finding(at, "hash tile", &hex::encode(leaf), &found)
        }))
    }
}

/// Checks the tiles above the leaves of a log of `size` entries, and that there are no others; how many there are.
pub(super) fn check(store: &Store, size: u64) -> Result<u64, CheckError> {
    let mut count = 0;
    for TileId { level, index, width } in tiles_of_size(size) {
        count += 1;
        let at = last_entry(level, index, width, size);
        let stored = store.tile(level, index)?.unwrap_or_default();
        expect(at, &format!("width of tile {level}/{index}"), usize::from(width), stored.len())?;
        let Some(below) = level.checked_sub(1) else { continue };
        for (child, hash) in (index << 8..).zip(&stored) {
            let root = store.tile(below, child)?.unwrap_or_default().into_iter().collect::<Frontier>().root();
            if root != *hash {
                let field = format!("tile {level}/{index}");
                return Err(wrong(at, &field, &hex::encode(root), &hex::encode(hash)));
            }
        }
    }
    expect(LogIndex(size - 1), "number of tiles", count, row_count(store, family::MERKLE)?)?;
    Ok(count)
}

/// The last entry under a tile.
fn last_entry(level: u8, index: u64, width: u16, size: u64) -> LogIndex {
    let hashes = index.checked_mul(256).and_then(|first| first.checked_add(u64::from(width)));
    let entries = hashes.and_then(|hashes| hashes.checked_shl(8 * u32::from(level)));
    LogIndex(entries.map_or(size, |entries| entries.min(size)) - 1)
}

/// Root of the log of `size` entries.
pub(super) fn root(store: &Store, size: u64) -> Result<Hash, CheckError> {
    tile::root(&StoredTiles(store), size).map_err(|error| CheckError::Storage(error.to_string()))
}
