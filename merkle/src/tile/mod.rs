//! Append-only trees in the form of C2SP `tlog-tiles.md`: tiles of height 8, entry bundles.

mod bundle;
mod path;
mod proof;
mod writer;

pub use bundle::{BundleError, decode_bundle, encode_bundle, split_entry};
pub use path::{TileId, TilePath, entries_path, entry_bundles_of_size, parse_path, tiles_of_size};
pub use proof::{Nodes, ReadError, consistency_path, frontier, inclusion_path, root};
pub use writer::{RestoreError, TileWriter};

/// Hashes of a full tile, entries of a full bundle.
pub const WIDTH: u16 = 256;
/// Levels of the tree in one tile: 2^8 = [`WIDTH`].
const HEIGHT: u32 = 8;
/// Levels of tiles that a tree of less than 2^64 leaves can have.
const LEVELS: u8 = 8;

#[cfg(test)]
mod tests;
