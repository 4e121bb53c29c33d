//! Roots and proofs of a tree whose hashes are stored as tiles (RFC 9162, sections 2.1.3.1 and
//! 2.1.4.1). Each tile is read once per call.

use ledger_crypto::Hash;

use super::{HEIGHT, WIDTH};
use crate::frontier::{Frontier, join};
use crate::hash::empty_root;

/// Where tiles are stored.
pub trait Nodes {
    /// Why a tile could not be read.
    type Error;

    /// The hashes of a tile: its first `width` (1 to 256), or more of them.
    ///
    /// # Errors
    /// The store's own.
    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Self::Error>;
}

/// Why a root or a proof could not be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ReadError<E> {
    /// The store failed.
    #[error(transparent)]
    Nodes(E),
    /// The store gave fewer hashes than it was asked for.
    #[error("tile {index} of level {level}: {found} hashes instead of {expected}")]
    ShortTile {
        /// Level of the tile.
        level: u8,
        /// Its index.
        index: u64,
        /// How many hashes were asked for.
        expected: u16,
        /// How many were given.
        found: usize,
    },
    /// The tree has no such leaf.
    #[error("leaf index {index}: the tree has only {size} leaves")]
    NoSuchLeaf {
        /// The refused index.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// There is no consistency proof for these sizes: from 1 to the new one.
    #[error("sizes: no proof that {old} leaves are a prefix of {new}")]
    Sizes {
        /// The smaller tree's size.
        old: u64,
        /// The larger tree's size.
        new: u64,
    },
}

/// The tree hash over the first `size` leaves.
///
/// # Errors
/// [`ReadError::Nodes`], [`ReadError::ShortTile`].
pub fn root<N: Nodes>(nodes: &N, size: u64) -> Result<Hash, ReadError<N::Error>> {
    Ok(frontier(nodes, size)?.root())
}

/// The frontier of the first `size` leaves, to append to.
///
/// # Errors
/// [`ReadError::Nodes`], [`ReadError::ShortTile`].
pub fn frontier<N: Nodes>(nodes: &N, size: u64) -> Result<Frontier, ReadError<N::Error>> {
    let roots = Reader::new(nodes, size).subtrees(0, size)?;
    Ok(Frontier::of_roots(size, roots))
}

/// The audit path, lowest hash first, of the leaf at `index` in the tree of the first `size` leaves.
///
/// # Errors
/// [`ReadError::NoSuchLeaf`], [`ReadError::Nodes`], [`ReadError::ShortTile`].
pub fn inclusion_path<N: Nodes>(nodes: &N, index: u64, size: u64) -> Result<Vec<Hash>, ReadError<N::Error>> {
    if index >= size {
        return Err(ReadError::NoSuchLeaf { index, size });
    }
    let mut reader = Reader::new(nodes, size);
    let mut path = Vec::new();
    let (mut start, mut end) = (0, size);
    while end - start > 1 {
        let middle = start + split(end - start);
        if index < middle {
            path.push(reader.range(middle, end)?);
            end = middle;
        } else {
            path.push(reader.range(start, middle)?);
            start = middle;
        }
    }
    path.reverse();
    Ok(path)
}

/// The proof, lowest hash first, that the first `old` leaves are a prefix of the first `new`; empty
/// when the two are equal.
///
/// # Errors
/// [`ReadError::Sizes`] when `old` is 0 or above `new`; [`ReadError::Nodes`],
/// [`ReadError::ShortTile`].
pub fn consistency_path<N: Nodes>(nodes: &N, old: u64, new: u64) -> Result<Vec<Hash>, ReadError<N::Error>> {
    if old == 0 || old > new {
        return Err(ReadError::Sizes { old, new });
    }
    let mut reader = Reader::new(nodes, new);
    let mut path = Vec::new();
    let (mut start, mut end) = (0, new);
    while end != old {
        let middle = start + split(end - start);
        if old <= middle {
            path.push(reader.range(middle, end)?);
            end = middle;
        } else {
            path.push(reader.range(start, middle)?);
            start = middle;
        }
    }
    // A subtree that begins at 0 is the old tree itself, whose root the verifier has.
    if start > 0 {
        path.push(reader.range(start, end)?);
    }
    path.reverse();
    Ok(path)
}

/// The largest power of two below `count`, which is at least 2.
fn split(count: u64) -> u64 {
    1 << (count - 1).ilog2()
}

/// Reads nodes of the tree of `size` leaves, and keeps the tiles that they came from.
struct Reader<'a, N> {
    nodes: &'a N,
    size: u64,
    tiles: Vec<(u8, u64, Vec<Hash>)>,
}

impl<'a, N: Nodes> Reader<'a, N> {
    fn new(nodes: &'a N, size: u64) -> Self {
        Self { nodes, size, tiles: Vec::new() }
    }

    /// The tree hash over leaves `start` to `end`, one of the ranges into which RFC 9162 splits a
    /// tree, so that `start` is a multiple of every power of two up to its length.
    fn range(&mut self, start: u64, end: u64) -> Result<Hash, ReadError<N::Error>> {
        let roots = self.subtrees(start, end)?;
        Ok(join(&roots).unwrap_or_else(empty_root))
    }

    /// The roots of the perfect subtrees that make up such a range, from the left.
    fn subtrees(&mut self, start: u64, end: u64) -> Result<Vec<Hash>, ReadError<N::Error>> {
        let mut roots = Vec::new();
        let mut start = start;
        while start < end {
            let height = (end - start).ilog2();
            roots.push(self.node(height, start >> height)?);
            start += 1 << height;
        }
        Ok(roots)
    }

    /// The root of the perfect subtree of 2^`height` leaves at `index` among those of its height.
    fn node(&mut self, height: u32, index: u64) -> Result<Hash, ReadError<N::Error>> {
        let level = (height / HEIGHT) as u8;
        let count = 1 << (height % HEIGHT);
        let first = index << (height % HEIGHT);
        let tile_index = first / u64::from(WIDTH);
        let offset = (first % u64::from(WIDTH)) as usize;
        let hashes = self.tile(level, tile_index)?;
        let subtree = hashes.iter().skip(offset).take(count).copied();
        Ok(subtree.collect::<Frontier>().root())
    }

    /// The hashes of a tile that the tree has, as many as it has of them.
    fn tile(&mut self, level: u8, index: u64) -> Result<&[Hash], ReadError<N::Error>> {
        let kept = self.tiles.iter();
        let position = kept.clone().position(|(l, i, _)| (*l, *i) == (level, index));
        let position = match position {
            Some(position) => position,
            None => {
                let hashes = self.read(level, index)?;
                self.tiles.push((level, index, hashes));
                self.tiles.len() - 1
            }
        };
        let tile = self.tiles.get(position);
        Ok(tile.map_or(&[], |(_, _, hashes)| hashes.as_slice()))
    }

    fn read(&self, level: u8, index: u64) -> Result<Vec<Hash>, ReadError<N::Error>> {
        let hashes = self.size >> (HEIGHT * u32::from(level));
        let left = hashes.saturating_sub(index * u64::from(WIDTH));
        let width = left.min(u64::from(WIDTH)) as u16;
        let tile = self.nodes.tile(level, index, width);
        let tile = tile.map_err(ReadError::Nodes)?;
        if tile.len() < usize::from(width) {
            return Err(ReadError::ShortTile { level, index, expected: width, found: tile.len() });
        }
        Ok(tile)
    }
}
