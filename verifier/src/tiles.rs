//! The hash tiles above the leaves, compared node by node with what the entries hash to.

use ledger_merkle::tile::{TileId, WIDTH};
use ledger_merkle::{Hash, build};

use crate::folder::Folder;
use crate::report::Stop;

/// The rightmost tile of every level from 1 on, as far as the entries so far fill it.
pub(crate) struct UpperTiles<'a> {
    folder: &'a Folder,
    size: u64,
    levels: Vec<Level>,
}

#[derive(Default)]
struct Level {
    /// Tiles of the level that are complete.
    full_tiles: u64,
    /// Nodes of the tile in work, from the entries.
    computed: Vec<Hash>,
    /// The same tile as the export has it.
    stored: Vec<Hash>,
}

impl<'a> UpperTiles<'a> {
    /// For a tree of `size` leaves, none of them seen.
    pub(crate) fn new(folder: &'a Folder, size: u64) -> Self {
        Self { folder, size, levels: Vec::new() }
    }

    /// Takes the root over the next full tile of leaf hashes, and compares every node that it completes.
    pub(crate) fn push(&mut self, leaves_root: Hash) -> Result<(), Stop> {
        let mut node = leaves_root;
        for level in 1u8.. {
            match self.take(level, node)? {
                Some(root) => node = root,
                None => break,
            }
        }
        Ok(())
    }

    /// Takes a node of a level; the root over its tile when that is now full.
    fn take(&mut self, number: u8, node: Hash) -> Result<Option<Hash>, Stop> {
        let position = usize::from(number) - 1;
        if self.levels.len() <= position {
            self.levels.push(Level::default());
        }
        let level = &mut self.levels[position];
        let tile = tile_of_size(self.size, number, level.full_tiles);
        if level.computed.is_empty() {
            level.stored = self.folder.hashes(&tile)?;
        }
        let place = level.computed.len();
        if level.stored.get(place) != Some(&node) {
            let found = level.stored.get(place).map_or("nothing".to_owned(), hex::encode);
            let field = format!("hash[{place}]");
            return Err(Stop::wrong_file(&tile.path(), &field, hex::encode(node), found));
        }
        level.computed.push(node);
        if level.computed.len() < usize::from(WIDTH) {
            return Ok(None);
        }
        level.full_tiles += 1;
        Ok(Some(build::root(&std::mem::take(&mut level.computed))))
    }
}

/// The tile at `index` of a level of the tree of `size` leaves, at most as wide as the tree fills it.
pub(crate) fn tile_of_size(size: u64, level: u8, index: u64) -> TileId {
    let nodes = size.checked_shr(8 * u32::from(level)).unwrap_or(0);
    let filled = nodes.saturating_sub(index.saturating_mul(u64::from(WIDTH)));
    let width = u16::try_from(filled).unwrap_or(WIDTH).min(WIDTH);
    TileId { level, index, width }
}
