//! Which tiles and entry bundles a tree has, and their names.

use super::{HEIGHT, LEVELS, WIDTH};

/// The highest level in a name, by the specification.
const MAX_LEVEL: u8 = 63;

/// A hash tile.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TileId {
    /// Level: 0 holds leaf hashes, each further one the roots of the full tiles below.
    pub level: u8,
    /// Index within the level.
    pub index: u64,
    /// Number of hashes: 256 in a full tile, 1 to 255 in a partial one.
    pub width: u16,
}

impl TileId {
    /// Its name: `tile/0/x001/234`, or `tile/0/x001/234.p/5` for a partial one.
    #[must_use]
    pub fn path(&self) -> String {
        format!("tile/{}/{}", self.level, place(self.index, self.width))
    }
}

/// The name of an entry bundle: `tile/entries/x001/234`, or `tile/entries/x001/234.p/5` for one of
/// less than 256 entries.
#[must_use]
pub fn entries_path(index: u64, width: u16) -> String {
    format!("tile/entries/{}", place(index, width))
}

/// What a name stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TilePath {
    /// A hash tile.
    Hashes(TileId),
    /// An entry bundle.
    Entries {
        /// Its index.
        index: u64,
        /// How many entries it has, 1 to 256.
        width: u16,
    },
}

/// Reads a name; `None` for anything that [`TileId::path`] and [`entries_path`] do not write.
#[must_use]
pub fn parse_path(path: &str) -> Option<TilePath> {
    let (kind, place) = path.strip_prefix("tile/")?.split_once('/')?;
    let (index, width) = parse_place(place)?;
    let (parsed, written) = if kind == "entries" {
        let written = entries_path(index, width);
        (TilePath::Entries { index, width }, written)
    } else {
        let level = kind.parse().ok().filter(|level| *level <= MAX_LEVEL)?;
        let tile = TileId { level, index, width };
        (TilePath::Hashes(tile), tile.path())
    };
    (written == path).then_some(parsed)
}

/// All hash tiles of a tree of `size` leaves: by level, in each the full ones in order and then the
/// partial one.
pub fn tiles_of_size(size: u64) -> impl Iterator<Item = TileId> {
    (0..LEVELS).flat_map(move |level| {
        let hashes = size >> (HEIGHT * u32::from(level));
        widths(hashes).map(move |(index, width)| TileId { level, index, width })
    })
}

/// All entry bundles of a tree of `size` leaves, in order: index and number of entries.
pub fn entry_bundles_of_size(size: u64) -> impl Iterator<Item = (u64, u16)> {
    widths(size)
}

fn widths(count: u64) -> impl Iterator<Item = (u64, u16)> {
    let full = count / u64::from(WIDTH);
    let rest = (count % u64::from(WIDTH)) as u16;
    let partial = (rest > 0).then_some((full, rest));
    (0..full).map(|index| (index, WIDTH)).chain(partial)
}

/// The index in groups of three digits, all but the last after an `x`; then the width of a partial
/// tile.
fn place(index: u64, width: u16) -> String {
    let mut groups = format!("{:03}", index % 1000);
    let mut rest = index / 1000;
    while rest > 0 {
        groups = format!("x{:03}/{groups}", rest % 1000);
        rest /= 1000;
    }
    if width < WIDTH {
        groups.push_str(&format!(".p/{width}"));
    }
    groups
}

/// Reads what [`place`] writes, and more: the caller compares.
fn parse_place(text: &str) -> Option<(u64, u16)> {
    let (groups, width) = match text.split_once(".p/") {
        Some((groups, width)) => (groups, width.parse().ok()?),
        None => (text, WIDTH),
    };
    let mut index: u64 = 0;
    for group in groups.split('/') {
        let group: u64 = group.trim_start_matches('x').parse().ok()?;
        index = index.checked_mul(1000)?.checked_add(group)?;
    }
    (1..=WIDTH).contains(&width).then_some((index, width))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn tile(level: u8, index: u64, width: u16) -> TileId {
        TileId { level, index, width }
    }

    #[test]
    fn names_are_those_of_the_specification() {
        let table = [
            (tile(0, 0, 256), "tile/0/000"),
            (tile(0, 1, 112), "tile/0/001.p/112"),
            (tile(1, 273, 1), "tile/1/273.p/1"),
            (tile(7, 1_234_067, 256), "tile/7/x001/x234/067"),
            (tile(63, 1_000, 255), "tile/63/x001/000.p/255"),
            (tile(0, u64::MAX, 256), "tile/0/x018/x446/x744/x073/x709/x551/615"),
        ];
        for (tile, name) in table {
            assert_eq!(tile.path(), name);
            assert_eq!(parse_path(name), Some(TilePath::Hashes(tile)));
        }
        assert_eq!(entries_path(1_234_067, 256), "tile/entries/x001/x234/067");
        assert_eq!(entries_path(7, 5), "tile/entries/007.p/5");
    }

    #[test]
    fn other_names_are_refused() {
        let refused = [
            "",
            "tile",
            "tile/",
            "tile/0",
            "tile/0/",
            "/tile/0/000",
            "tile/0/000/",
            "tile//000",
            "tile/00/000",
            "tile/+0/000",
            "tile/-1/000",
            "tile/64/000",
            "tile/256/000",
            "tile/0/0",
            "tile/0/0000",
            "tile/0/+00",
            "tile/0/x000",
            "tile/0/x000/000",
            "tile/0/x001",
            "tile/0/001/000",
            "tile/0/xx001/000",
            "tile/0/x1/000",
            "tile/0/1x0",
            "tile/0/x018/x446/x744/x073/x709/x551/616",
            "tile/0/x999/x999/x999/x999/x999/x999/x999/999",
            "tile/0/000.p",
            "tile/0/000.p/",
            "tile/0/000.p/0",
            "tile/0/000.p/256",
            "tile/0/000.p/05",
            "tile/0/000.p/+5",
            "tile/0/000.p/5/",
            "tile/0/000.p/5.p/5",
            "tile/0/000.P/5",
            "tile/Entries/000",
            "tile/entries",
            "tile/entries/",
            "tile/entries/0",
            "tile/entries/000.p/256",
            "tile/data/000",
            "tile/0/../000",
            "tile/0/०००",
            "checkpoint",
        ];
        for name in refused {
            assert_eq!(parse_path(name), None, "{name:?}");
        }
    }

    #[test]
    fn a_tree_of_70_000_has_the_tiles_that_the_specification_counts() {
        let tiles: Vec<TileId> = tiles_of_size(70_000).collect();
        let full = |level| tiles.iter().filter(|t| t.level == level && t.width == WIDTH).count();
        assert_eq!((full(0), full(1), full(2)), (273, 1, 0));
        let partial: Vec<TileId> = tiles.iter().copied().filter(|t| t.width < WIDTH).collect();
        assert_eq!(partial, [tile(0, 273, 112), tile(1, 1, 17), tile(2, 0, 1)]);
        assert_eq!(entry_bundles_of_size(70_000).last(), Some((273, 112)));

        assert_eq!(tiles_of_size(0).count(), 0);
        assert_eq!(entry_bundles_of_size(0).count(), 0);
        let of_256: Vec<TileId> = tiles_of_size(256).collect();
        assert_eq!(of_256, [tile(0, 0, 256), tile(1, 0, 1)]);
        assert_eq!(tiles_of_size(u64::MAX).next(), Some(tile(0, 0, 256)));
    }

    proptest! {
        #[test]
        fn a_name_reads_as_what_was_written(level in 0u8..=63, index in any::<u64>(), width in 1u16..=256) {
            let hashes = tile(level, index, width);
            prop_assert_eq!(parse_path(&hashes.path()), Some(TilePath::Hashes(hashes)));
            let entries = TilePath::Entries { index, width };
            prop_assert_eq!(parse_path(&entries_path(index, width)), Some(entries));
        }

        #[test]
        fn what_reads_is_written_the_same(name in "tile/(entries|[0-9]{1,2})(/x?[0-9]{1,3}){1,3}(\\.p/[0-9]{1,3})?") {
            match parse_path(&name) {
                Some(TilePath::Hashes(tile)) => prop_assert_eq!(tile.path(), name),
                Some(TilePath::Entries { index, width }) => prop_assert_eq!(entries_path(index, width), name),
                None => {}
            }
        }

        #[test]
        fn no_name_causes_a_panic(name in "\\PC*") {
            let _ = (parse_path(&name), parse_path(&format!("tile/{name}")));
        }
    }
}
