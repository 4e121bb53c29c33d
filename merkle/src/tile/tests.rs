//! Written tiles and what is proved from them, against the definitions.

use std::cell::RefCell;
use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::definition;
use crate::frontier::Frontier;
use crate::verify;
use ledger_crypto::Hash;

/// Tiles in memory, the longest of each place, with a record of what was read.
#[derive(Clone, Default)]
struct Stored {
    tiles: BTreeMap<(u8, u64), Vec<Hash>>,
    read: RefCell<Vec<(u8, u64)>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Missing;

impl Nodes for Stored {
    type Error = Missing;

    fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<Hash>, Missing> {
        assert!((1..=WIDTH).contains(&width));
        self.read.borrow_mut().push((level, index));
        self.tiles.get(&(level, index)).cloned().ok_or(Missing)
    }
}

impl Stored {
    fn take(&mut self, writer: &mut TileWriter) {
        for (level, index, hashes) in writer.take_changed() {
            self.tiles.insert((level, index), hashes);
        }
    }

    fn restore(&self, size: u64) -> Result<TileWriter, RestoreError> {
        TileWriter::restore(size, |level, index| self.tiles.get(&(level, index)).cloned())
    }
}

fn stored(leaves: &[Hash]) -> Stored {
    let (mut writer, mut stored) = (TileWriter::new(), Stored::default());
    leaves.iter().for_each(|leaf| writer.append(*leaf));
    stored.take(&mut writer);
    stored
}

/// The tiles of a tree as the specification defines them: MTH of the entries under each hash.
fn defined(leaves: &[Hash]) -> BTreeMap<(u8, u64), Vec<Hash>> {
    let tile = |tile: TileId| {
        let span = 256usize.pow(u32::from(tile.level));
        let under = leaves.chunks(span).skip(tile.index as usize * 256);
        let hashes = under.take(usize::from(tile.width)).map(definition::root);
        ((tile.level, tile.index), hashes.collect())
    };
    tiles_of_size(leaves.len() as u64).map(tile).collect()
}

#[test]
fn written_tiles_are_those_of_the_specification() {
    let leaves = definition::leaves(70_000);
    for size in [0, 1, 255, 256, 257, 511, 512, 65_535, 65_536, 65_537, 70_000] {
        let leaves = &leaves[..size];
        assert_eq!(stored(leaves).tiles, defined(leaves), "{size} leaves");
    }
}

#[test]
fn tiles_taken_on_the_way_are_the_same_and_come_once() {
    let leaves = definition::leaves(1_000);
    let (mut writer, mut kept) = (TileWriter::new(), Stored::default());
    for (leaf, size) in leaves.iter().zip(1..) {
        writer.append(*leaf);
        if size % 7 == 0 || size % 256 == 0 {
            kept.take(&mut writer);
            assert_eq!(kept.tiles, defined(&leaves[..size]), "{size} leaves");
            assert_eq!(writer.take_changed(), []);
        }
    }
    assert_eq!(writer.size(), 1_000);
}

#[test]
fn a_restored_writer_goes_on_as_if_it_had_never_stopped() {
    let leaves = definition::leaves(700);
    let all = stored(&leaves);
    for size in 0..=leaves.len() {
        let (before, after) = leaves.split_at(size);
        for from in [&stored(before), &all] {
            let mut writer = from.restore(size as u64).unwrap();
            assert_eq!((writer.size(), writer.take_changed()), (size as u64, vec![]));
            after.iter().for_each(|leaf| writer.append(*leaf));
            let mut stored = stored(before);
            stored.take(&mut writer);
            assert_eq!(stored.tiles, all.tiles, "restored at {size}");
        }
    }
}

#[test]
fn a_writer_does_not_go_on_from_tiles_that_are_not_there() {
    let leaves = definition::leaves(600);
    let mut stored = stored(&leaves);
    let short =
        |size, level, index, expected, found| Some(RestoreError { size, level, index, expected, found });
    assert_eq!(stored.restore(601).err(), short(601, 0, 2, 89, 88));
    assert_eq!(stored.restore(800).err(), short(800, 0, 3, 32, 0));
    assert_eq!(stored.restore(768).err(), short(768, 1, 0, 3, 2));
    stored.tiles.remove(&(1, 0));
    assert_eq!(stored.restore(600).err(), short(600, 1, 0, 2, 0));
}

#[test]
fn proofs_of_0_to_300_leaves_are_those_of_the_definition() {
    let leaves = definition::leaves(300);
    let all = stored(&leaves);
    for size in 0..=leaves.len() {
        let (leaves, size) = (&leaves[..size], size as u64);
        assert_eq!(root(&all, size), Ok(definition::root(leaves)));
        let appended: Frontier = leaves.iter().copied().collect();
        assert_eq!(frontier(&all, size), Ok(appended));
        // All leaves of small trees, about forty of each larger one.
        for index in (0..size).step_by(1 + leaves.len() / 40) {
            let path = definition::inclusion_path(index as usize, leaves);
            assert_eq!(inclusion_path(&all, index, size), Ok(path), "{index} of {size}");
            let path = definition::consistency_path(index as usize + 1, leaves);
            assert_eq!(consistency_path(&all, index + 1, size), Ok(path), "{index} + 1 of {size}");
        }
    }
}

#[test]
fn each_tile_is_read_once() {
    let size = 70_000;
    let stored = stored(&definition::leaves(size));
    let read_once = || {
        let mut read = stored.read.take();
        let count = read.len();
        read.sort_unstable();
        read.dedup();
        (1..=7).contains(&count) && read.len() == count
    };
    for index in [0, 255, 256, 40_000, 65_535, 65_536, 69_999] {
        inclusion_path(&stored, index, size).unwrap();
        assert!(read_once(), "path of {index}");
        consistency_path(&stored, index + 1, size).unwrap();
        assert!(read_once() || index + 1 == size, "consistency of {index} + 1");
        root(&stored, size).unwrap();
        assert!(read_once(), "root");
    }
}

#[test]
fn what_cannot_be_proved_is_refused() {
    let mut stored = stored(&definition::leaves(300));
    let outside = Err(ReadError::NoSuchLeaf { index: 300, size: 300 });
    assert_eq!(inclusion_path(&stored, 300, 300), outside);
    assert_eq!(inclusion_path(&stored, 0, 0), Err(ReadError::NoSuchLeaf { index: 0, size: 0 }));
    assert_eq!(consistency_path(&stored, 0, 5), Err(ReadError::Sizes { old: 0, new: 5 }));
    assert_eq!(consistency_path(&stored, 6, 5), Err(ReadError::Sizes { old: 6, new: 5 }));
    let short = ReadError::ShortTile { level: 0, index: 1, expected: 45, found: 44 };
    assert_eq!(root(&stored, 301), Err(short.clone()));
    assert_eq!(inclusion_path(&stored, 0, 301), Err(short));
    assert_eq!(root(&stored, u64::MAX), Err(ReadError::Nodes(Missing)));
    assert_eq!(inclusion_path(&stored, u64::MAX - 1, u64::MAX), Err(ReadError::Nodes(Missing)));
    stored.tiles.remove(&(0, 0));
    assert_eq!(inclusion_path(&stored, 299, 300).map(|path| path.len()), Ok(5));
    assert_eq!(inclusion_path(&stored, 3, 300), Err(ReadError::Nodes(Missing)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn proofs_from_tiles_verify(size in 1u64..70_000, index in any::<u64>(), old in any::<u64>()) {
        let (index, old) = (index % size, 1 + old % size);
        let leaves = definition::leaves(size);
        let stored = stored(&leaves);
        let top = root(&stored, size).unwrap();
        prop_assert_eq!(top, definition::root(&leaves));
        let path = inclusion_path(&stored, index, size).unwrap();
        prop_assert_eq!(verify::inclusion(&index.to_be_bytes(), index, size, &path, &top), Ok(()));
        let before = root(&stored, old).unwrap();
        prop_assert_eq!(before, definition::root(&leaves[..old as usize]));
        let path = consistency_path(&stored, old, size).unwrap();
        prop_assert_eq!(verify::consistency(old, size, &before, &top, &path), Ok(()));
    }
}
