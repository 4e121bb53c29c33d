//! The export directory: C2SP `tlog-tiles.md` plus `genesis`. Pure: entries in, (path, bytes) out.

use ledger_merkle::tile::BundleError;

/// Name of the signed tree head.
pub const CHECKPOINT_PATH: &str = "checkpoint";
/// Name of the file that holds the bytes of entry 0.
pub const GENESIS_PATH: &str = "genesis";

/// A file of the export: its path with `/` between the parts, and its bytes.
pub type File = (String, Vec<u8>);

/// Why an export stopped.
#[derive(Debug, thiserror::Error)]
pub enum ExportError<E> {
    /// The entries could not be read.
    #[error("entries: {0}")]
    Source(E),
    /// There are more or fewer entries than the checkpoint says.
    #[error("{found} entries, the checkpoint has {expected}")]
    Count {
        /// How many there were; one more than `expected` when there are more.
        found: u64,
        /// Size of the checkpoint.
        expected: u64,
    },
    /// An entry does not fit into a bundle.
    #[error(transparent)]
    Bundle(#[from] BundleError),
}

/// All files of the export of a log of `size` entries, given in order, and its checkpoint note, which comes last.
/// Memory: one bundle and one tile per level.
pub fn files_of<E>(
    entries: impl Iterator<Item = Result<Vec<u8>, E>>,
    size: u64,
    checkpoint: String,
) -> impl Iterator<Item = Result<File, ExportError<E>>> {
    let _ = (entries, size, checkpoint);
    std::iter::empty()
}

/// Every path that an export of `size` entries must have.
pub fn paths_of_size(size: u64) -> impl Iterator<Item = String> {
    let _ = size;
    std::iter::empty()
}

/// The entries of a bundle file of `count` entries.
pub fn read_bundle(bytes: &[u8], count: u16) -> Result<Vec<&[u8]>, BundleError> {
    todo!("core bytes")
}
