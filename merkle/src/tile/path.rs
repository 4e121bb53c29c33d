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
