//! The files of an export, each read with a bound. A file that is missing or of another size is a finding; one that
//! the operating system will not give is none.

use std::fs::{self, File};
use std::io::{ErrorKind, Read};
use std::path::{Path, PathBuf};

use ledger_core::export;
use ledger_merkle::Hash;
use ledger_merkle::tile::{Nodes, TileId};

use crate::report::Stop;

/// Bytes of a hash.
const HASH_BYTES: u64 = 32;

/// An export, by its directory.
pub(crate) struct Folder {
    root: PathBuf,
}

impl Folder {
    /// A directory that can be listed.
    pub(crate) fn open(root: &Path) -> Result<Self, Stop> {
        fs::read_dir(root).map_err(|error| Stop::unreadable(&root.display().to_string(), &error))?;
        Ok(Self { root: root.to_owned() })
    }

    /// The bytes of a file that has at most `limit_bytes`.
    pub(crate) fn read(&self, path: &str, limit_bytes: u64) -> Result<Vec<u8>, Stop> {
        self.check_length(path, limit_bytes)?;
        let mut bytes = Vec::new();
        let file = File::open(self.root.join(path)).map_err(|error| explain(path, &error))?;
        file.take(limit_bytes).read_to_end(&mut bytes).map_err(|error| explain(path, &error))?;
        Ok(bytes)
    }

    /// The hashes of a tile.
    pub(crate) fn hashes(&self, tile: &TileId) -> Result<Vec<Hash>, Stop> {
        let path = tile.path();
        let bytes = self.read(&path, u64::from(tile.width) * HASH_BYTES)?;
        export::read_tile(&bytes, tile.width).ok_or_else(|| {
            let expected = format!("{} bytes", u64::from(tile.width) * HASH_BYTES);
            Stop::wrong_file(&path, "length", expected, format!("{} bytes", bytes.len()))
        })
    }

    fn check_length(&self, path: &str, limit_bytes: u64) -> Result<(), Stop> {
        let metadata = fs::metadata(self.root.join(path)).map_err(|error| explain(path, &error))?;
        if !metadata.is_file() {
            return Err(Stop::wrong_file(path, "file", "a regular file", "something else"));
        }
        if metadata.len() > limit_bytes {
            let (expected, found) =
                (format!("at most {limit_bytes} bytes"), format!("{} bytes", metadata.len()));
            return Err(Stop::wrong_file(path, "length", expected, found));
        }
        Ok(())
    }
}

/// Tiles of the export as they are on disk.
pub(crate) struct StoredTiles<'a> {
    /// Where they are.
    pub(crate) folder: &'a Folder,
}

impl Nodes for StoredTiles<'_> {
    type Error = Stop;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Stop> {
        self.folder.hashes(&TileId { level, index, width })
    }
}

fn explain(path: &str, error: &std::io::Error) -> Stop {
    match error.kind() {
        ErrorKind::NotFound | ErrorKind::NotADirectory => Stop::wrong_file(path, "file", "a file", "nothing"),
        _ => Stop::unreadable(path, error),
    }
}
