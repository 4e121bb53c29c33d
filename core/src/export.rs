//! The export directory: C2SP `tlog-tiles.md` plus `genesis`. Pure: entries in, (path, bytes) out.

use std::collections::{BTreeMap, VecDeque};

use ledger_merkle::Hash;
use ledger_merkle::tile::{self, BundleError, TileId, TileWriter};

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

/// All files of the export of a log of `size` entries, given in order, and its checkpoint note, which comes last: so a
/// reader that finds the checkpoint finds the rest. Memory: one bundle and one tile per level. Nothing follows an error.
pub fn files_of<E, I>(entries: I, size: u64, checkpoint: String) -> Files<I>
where
    I: Iterator<Item = Result<Vec<u8>, E>>,
{
    Files {
        entries,
        size,
        checkpoint,
        count: 0,
        genesis: Vec::new(),
        bundle: Vec::new(),
        tiles: TileWriter::new(),
        partial: BTreeMap::new(),
        ready: VecDeque::new(),
        finished: false,
    }
}

/// The files of [`files_of`].
#[derive(Debug)]
pub struct Files<I> {
    entries: I,
    size: u64,
    checkpoint: String,
    count: u64,
    genesis: Vec<u8>,
    bundle: Vec<Vec<u8>>,
    tiles: TileWriter,
    partial: BTreeMap<u8, (u64, Vec<Hash>)>,
    ready: VecDeque<File>,
    finished: bool,
}

impl<E, I: Iterator<Item = Result<Vec<u8>, E>>> Iterator for Files<I> {
    type Item = Result<File, ExportError<E>>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(file) = self.ready.pop_front() {
                return Some(Ok(file));
            }
            if self.finished {
                return None;
            }
            let step = match self.entries.next() {
                Some(Ok(entry)) => self.take(entry),
                Some(Err(error)) => Err(ExportError::Source(error)),
                None => self.finish(),
            };
            if let Err(error) = step {
                self.finished = true;
                return Some(Err(error));
            }
        }
    }
}

impl<I> Files<I> {
    fn take<E>(&mut self, entry: Vec<u8>) -> Result<(), ExportError<E>> {
        self.count += 1;
        if self.count > self.size {
            return Err(ExportError::Count { found: self.count, expected: self.size });
        }
        if self.count == 1 {
            self.genesis.clone_from(&entry);
        }
        self.tiles.append(ledger_merkle::leaf_hash(&entry));
        self.bundle.push(entry);
        if self.bundle.len() < usize::from(tile::WIDTH) {
            return Ok(());
        }
        self.bundle_ready()?;
        self.tiles_ready();
        Ok(())
    }

    fn finish<E>(&mut self) -> Result<(), ExportError<E>> {
        self.finished = true;
        if self.count != self.size {
            return Err(ExportError::Count { found: self.count, expected: self.size });
        }
        if !self.bundle.is_empty() {
            self.bundle_ready()?;
        }
        self.tiles_ready();
        for (level, (index, hashes)) in std::mem::take(&mut self.partial) {
            self.tile_ready(level, index, &hashes);
        }
        self.ready.push_back((GENESIS_PATH.to_owned(), std::mem::take(&mut self.genesis)));
        self.ready.push_back((CHECKPOINT_PATH.to_owned(), std::mem::take(&mut self.checkpoint).into_bytes()));
        Ok(())
    }

    fn bundle_ready(&mut self) -> Result<(), BundleError> {
        let index = (self.count - 1) / u64::from(tile::WIDTH);
        let bytes = tile::encode_bundle(&self.bundle)?;
        self.ready.push_back((tile::entries_path(index, self.bundle.len() as u16), bytes));
        self.bundle.clear();
        Ok(())
    }

    /// Full tiles are ready; the partial one of a level may still grow.
    fn tiles_ready(&mut self) {
        for (level, index, hashes) in self.tiles.take_changed() {
            if hashes.len() < usize::from(tile::WIDTH) {
                self.partial.insert(level, (index, hashes));
            } else {
                self.partial.remove(&level);
                self.tile_ready(level, index, &hashes);
            }
        }
    }

    fn tile_ready(&mut self, level: u8, index: u64, hashes: &[Hash]) {
        let id = TileId { level, index, width: hashes.len() as u16 };
        self.ready.push_back((id.path(), hashes.concat()));
    }
}

/// Every path that an export of `size` entries must have.
pub fn paths_of_size(size: u64) -> impl Iterator<Item = String> {
    let bundles = tile::entry_bundles_of_size(size).map(|(index, width)| tile::entries_path(index, width));
    let tiles = tile::tiles_of_size(size).map(|id| id.path());
    let rest = [GENESIS_PATH, CHECKPOINT_PATH].map(str::to_owned);
    bundles.chain(tiles).chain(rest)
}

/// The entries of a bundle file of `count` entries.
///
/// # Errors
/// [`BundleError`] when the file is not exactly that.
pub fn read_bundle(bytes: &[u8], count: u16) -> Result<Vec<&[u8]>, BundleError> {
    tile::decode_bundle(bytes, usize::from(count))
}

/// The hashes of a tile file of `width` hashes; `None` when it is not exactly that long.
pub fn read_tile(bytes: &[u8], width: u16) -> Option<Vec<Hash>> {
    let (hashes, rest) = bytes.as_chunks();
    (rest.is_empty() && hashes.len() == usize::from(width)).then(|| hashes.to_vec())
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::convert::Infallible;

    use ledger_merkle::tile::{Nodes, TilePath};

    use super::*;

    fn entry(index: u64) -> Vec<u8> {
        [b"entry ".as_slice(), &index.to_be_bytes()].concat()
    }

    fn export(size: u64) -> Vec<File> {
        let entries = (0..size).map(|index| Ok::<_, Infallible>(entry(index)));
        files_of(entries, size, "note".to_owned()).collect::<Result<_, _>>().unwrap()
    }

    struct Folder(BTreeMap<String, Vec<u8>>);

    impl Nodes for Folder {
        type Error = String;

        fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, String> {
            let path = TileId { level, index, width }.path();
            let bytes = self.0.get(&path).ok_or_else(|| path.clone())?;
            read_tile(bytes, width).ok_or(path)
        }
    }

    #[test]
    fn files_are_those_of_the_size_and_give_its_root() {
        for size in [1, 2, 255, 256, 257, 511, 512, 1_000, 65_535, 65_536, 65_537, 66_000] {
            let files = export(size);
            let paths: Vec<&String> = files.iter().map(|(path, _)| path).collect();
            let expected: Vec<String> = paths_of_size(size).collect();
            let set: BTreeSet<&String> = paths.iter().copied().collect();
            assert_eq!(set.len(), paths.len(), "size {size}: a path twice");
            assert_eq!(set, expected.iter().collect(), "size {size}");
            assert_eq!(files.last(), Some(&("checkpoint".to_owned(), b"note".to_vec())));
            let folder = Folder(files.into_iter().collect());
            let leaves: Vec<Hash> = (0..size).map(|index| ledger_merkle::leaf_hash(&entry(index))).collect();
            assert_eq!(
                tile::root(&folder, size).unwrap(),
                ledger_merkle::build::root(&leaves),
                "size {size}"
            );
            assert_eq!(folder.0["genesis"], entry(0));
            let mut next = 0;
            for (index, width) in tile::entry_bundles_of_size(size) {
                for found in read_bundle(&folder.0[&tile::entries_path(index, width)], width).unwrap() {
                    assert_eq!(found, entry(next));
                    next += 1;
                }
            }
            assert_eq!(next, size);
            for path in expected.iter().filter(|path| path.starts_with("tile/")) {
                assert!(matches!(
                    tile::parse_path(path),
                    Some(TilePath::Hashes(_) | TilePath::Entries { .. })
                ));
            }
        }
    }

    #[test]
    fn a_wrong_number_of_entries_ends_the_export() {
        for (given, size) in [(3, 4), (5, 4), (0, 1)] {
            let entries = (0..given).map(|index| Ok::<_, Infallible>(entry(index)));
            let mut files = files_of(entries, size, String::new());
            let error = files.find_map(Result::err).unwrap();
            assert!(matches!(error, ExportError::Count { expected, .. } if expected == size));
            assert!(files.next().is_none());
        }
        let entries = [Ok(entry(0)), Err("disk"), Ok(entry(2))].into_iter();
        let mut files = files_of(entries, 3, String::new());
        assert!(matches!(files.next(), Some(Err(ExportError::Source("disk")))));
        assert!(files.next().is_none());
    }

    #[test]
    fn tiles_of_another_length_are_refused() {
        assert_eq!(read_tile(&[7; 64], 2), Some(vec![[7; 32]; 2]));
        for (length, width) in [(63, 2), (65, 2), (64, 1), (64, 3), (0, 1)] {
            assert_eq!(read_tile(&vec![7; length], width), None);
        }
    }
}
