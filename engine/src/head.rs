//! Head and marker: what tells a rolled-back or shortened store from a whole one.
//!
//! `head` holds the last signed checkpoint. `marker` holds two checksummed slots, written in turn after every sync:
//!
//! | offset in a slot | bytes |
//! |---|---|
//! | 0 | first log index that is not durable u64 |
//! | 8 | first index of the last bundle u64 |
//! | 16 | SHA-256 of the last bundle 32 |
//! | 48 | SHA-256 of the 48 bytes before 32 |

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use ledger_crypto::{Hash, sha256};

const SLOT_BYTES: usize = 80;
/// Slots lie a page apart, so that a torn write harms one of them.
const SLOT_STRIDE: u64 = 4096;

/// How far the log is durable.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Durable {
    /// First log index that is not durable.
    pub(crate) next_index: u64,
    /// First index of the last bundle.
    pub(crate) last_bundle: u64,
    /// SHA-256 of the last bundle.
    pub(crate) bundle_hash: Hash,
}

/// The marker file, open for writing.
pub(crate) struct Marker {
    file: File,
    next_slot: u64,
}

impl Marker {
    /// Makes the file; it must not exist.
    pub(crate) fn create(dir: &Path, durable: Durable) -> io::Result<()> {
        let file = OpenOptions::new().read(true).write(true).create_new(true).open(marker_path(dir))?;
        let mut marker = Self { file, next_slot: 0 };
        marker.write(durable)?;
        marker.write(durable)?;
        marker.sync()?;
        sync_dir(dir)
    }

    /// Opens the file and reads the newer valid slot. `None`: the file is missing or has no valid slot.
    pub(crate) fn open(dir: &Path) -> io::Result<Option<(Self, Durable)>> {
        let file = match OpenOptions::new().read(true).write(true).open(marker_path(dir)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            file => file?,
        };
        let newest =
            (0..2).filter_map(|slot| Some((read_slot(&file, slot)?, slot))).max_by_key(|(d, _)| d.next_index);
        Ok(newest.map(|(durable, slot)| (Self { file, next_slot: 1 - slot }, durable)))
    }

    /// Writes the older slot; not yet on disk.
    pub(crate) fn write(&mut self, durable: Durable) -> io::Result<()> {
        let mut bytes = Vec::with_capacity(SLOT_BYTES);
        bytes.extend(durable.next_index.to_be_bytes());
        bytes.extend(durable.last_bundle.to_be_bytes());
        bytes.extend(durable.bundle_hash);
        let checksum = sha256(&bytes);
        bytes.extend(checksum);
        self.file.write_all_at(&bytes, self.next_slot * SLOT_STRIDE)?;
        self.next_slot = 1 - self.next_slot;
        Ok(())
    }

    /// Makes what was written durable.
    pub(crate) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

fn read_slot(file: &File, slot: u64) -> Option<Durable> {
    let mut bytes = [0; SLOT_BYTES];
    file.read_exact_at(&mut bytes, slot * SLOT_STRIDE).ok()?;
    let (content, checksum) = bytes.split_at(48);
    if sha256(content) != checksum {
        return None;
    }
    let (next_index, rest) = crate::rows::split_u64(content)?;
    let (last_bundle, hash) = crate::rows::split_u64(rest)?;
    Some(Durable { next_index, last_bundle, bundle_hash: hash.try_into().ok()? })
}

fn marker_path(dir: &Path) -> PathBuf {
    dir.join("marker")
}

pub(crate) fn head_path(dir: &Path) -> PathBuf {
    dir.join("head")
}

/// Why the head was not swapped.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SwapError {
    #[error("the head file holds another checkpoint than the last one signed: somebody else writes it")]
    Changed,
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The checkpoint in the head file; `None` when there is no file.
pub(crate) fn read_head(dir: &Path) -> io::Result<Option<String>> {
    match std::fs::read_to_string(head_path(dir)) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Replaces the checkpoint in the head file, durably, if it is still `expected`.
pub(crate) fn swap_head(dir: &Path, expected: Option<&str>, checkpoint: &str) -> Result<(), SwapError> {
    if read_head(dir)?.as_deref() != expected {
        return Err(SwapError::Changed);
    }
    write_durably(&head_path(dir), checkpoint.as_bytes())?;
    Ok(())
}

/// Writes a file so that it is there whole or not at all: write, fsync, rename, fsync folder.
pub(crate) fn write_durably(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".new");
    let fresh = path.with_file_name(name);
    let mut file = File::create(&fresh)?;
    file.write_all(bytes)?;
    file.sync_all()?;
    std::fs::rename(&fresh, path)?;
    path.parent().map_or(Ok(()), sync_dir)
}

/// Makes a folder and those above it that are missing, and their names durable.
pub(crate) fn create_dirs_durably(dir: &Path) -> io::Result<()> {
    if dir.is_dir() {
        return Ok(());
    }
    let parent = dir.parent().filter(|parent| !parent.as_os_str().is_empty());
    parent.map_or(Ok(()), create_dirs_durably)?;
    std::fs::create_dir(dir)?;
    sync_dir(parent.unwrap_or(Path::new(".")))
}

/// Makes the names in a folder durable.
pub(crate) fn sync_dir(dir: &Path) -> io::Result<()> {
    File::open(dir)?.sync_all()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn durable(next_index: u64) -> Durable {
        Durable { next_index, last_bundle: next_index / 2, bundle_hash: [7; 32] }
    }

    #[test]
    fn the_newer_valid_slot_counts() {
        let dir = tempfile::tempdir().unwrap();
        assert!(Marker::open(dir.path()).unwrap().is_none());
        Marker::create(dir.path(), durable(1)).unwrap();
        let (mut marker, read) = Marker::open(dir.path()).unwrap().unwrap();
        assert_eq!(read, durable(1));
        for next in 2..7 {
            marker.write(durable(next)).unwrap();
            let (_, read) = Marker::open(dir.path()).unwrap().unwrap();
            assert_eq!(read, durable(next));
        }
    }

    #[test]
    fn a_torn_slot_leaves_the_one_before() {
        let dir = tempfile::tempdir().unwrap();
        Marker::create(dir.path(), durable(1)).unwrap();
        let (mut marker, _) = Marker::open(dir.path()).unwrap().unwrap();
        let slot = marker.next_slot;
        marker.write(durable(2)).unwrap();
        marker.file.write_all_at(&[0xff; 10], slot * SLOT_STRIDE + 20).unwrap();
        let (_, read) = Marker::open(dir.path()).unwrap().unwrap();
        assert_eq!(read, durable(1));
    }

    #[test]
    fn the_head_is_swapped_only_against_what_is_there() {
        let dir = tempfile::tempdir().unwrap();
        assert_eq!(read_head(dir.path()).unwrap(), None);
        swap_head(dir.path(), None, "one").unwrap();
        assert!(matches!(swap_head(dir.path(), None, "two"), Err(SwapError::Changed)));
        assert!(matches!(swap_head(dir.path(), Some("zero"), "two"), Err(SwapError::Changed)));
        swap_head(dir.path(), Some("one"), "two").unwrap();
        assert_eq!(read_head(dir.path()).unwrap().as_deref(), Some("two"));
    }
}
