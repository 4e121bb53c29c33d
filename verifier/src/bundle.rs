//! One entry bundle beside its hash tile: what can be said of its entries without those before them.

use ledger_core::entry::MAX_ENTRY_BYTES;
use ledger_core::ids::LogIndex;
use ledger_core::replay::Finding;
use ledger_merkle::tile::{self, TileId, WIDTH, entries_path};
use ledger_merkle::{Hash, build};

use crate::folder::{Folder, StoredTiles};
use crate::report::{Stop, about_file};
use crate::tiles::tile_of_size;

/// The tree that an export claims to be.
#[derive(Clone, Copy)]
pub(crate) struct Tree<'a> {
    /// Its files.
    pub(crate) folder: &'a Folder,
    /// Entries, as the checkpoint says.
    pub(crate) size: u64,
    /// Root, as the checkpoint says.
    pub(crate) root: Hash,
}

/// An entry as one of the checks reads it.
pub(crate) trait Leaf {
    /// Its leaf hash.
    fn leaf_hash(&self) -> &Hash;
}

/// The entries of a bundle, read.
pub(crate) struct ReadBundle<T> {
    /// Each entry, with the finding that its hash is not that of the tile.
    pub(crate) entries: Vec<(T, Option<Finding>)>,
    /// Why there are no more, if there should be, or what follows them.
    pub(crate) cut_short: Option<Stop>,
    /// Root over the leaf hashes of a full bundle.
    pub(crate) root: Option<Hash>,
}

/// Reads the bundle at `index`, of `width` entries.
pub(crate) fn read_bundle<T: Leaf>(
    tree: &Tree<'_>,
    index: u64,
    width: u16,
    read: impl Fn(&[u8]) -> T,
) -> ReadBundle<T> {
    match read_files(tree, index, width) {
        Ok((bytes, stored)) => compare(tree, index, &bytes, &stored, read),
        Err(stop) => ReadBundle { entries: Vec::new(), cut_short: Some(stop), root: None },
    }
}

fn read_files(tree: &Tree<'_>, index: u64, width: u16) -> Result<(Vec<u8>, Vec<Hash>), Stop> {
    let longest_bytes = u64::from(width) * (2 + MAX_ENTRY_BYTES as u64);
    let bytes = tree.folder.read(&entries_path(index, width), longest_bytes)?;
    Ok((bytes, tree.folder.hashes(&TileId { level: 0, index, width })?))
}

fn compare<T: Leaf>(
    tree: &Tree<'_>,
    index: u64,
    bytes: &[u8],
    stored: &[Hash],
    read: impl Fn(&[u8]) -> T,
) -> ReadBundle<T> {
    let first = index * u64::from(WIDTH);
    let mut rest = bytes;
    let mut entries = Vec::with_capacity(stored.len());
    let mut hashes = Vec::with_capacity(stored.len());
    let mut cut_short = None;
    for (at, expected) in (first..).zip(stored) {
        let Some((encoded, behind)) = split_entry(rest) else {
            cut_short = Some(broken_off(index, stored.len(), at, rest));
            break;
        };
        rest = behind;
        let entry = read(encoded);
        let found = *entry.leaf_hash();
        let finding = (found != *expected).then(|| misfit(tree, index, stored, at, expected, &found));
        hashes.push(found);
        entries.push((entry, finding));
    }
    if cut_short.is_none() && !rest.is_empty() {
        let file = entries_path(index, width_of(stored.len()));
        let expected = format!("nothing after {} entries", stored.len());
        cut_short = Some(Stop::wrong_file(&file, "length", expected, format!("{} more bytes", rest.len())));
    }
    let full = hashes.len() == usize::from(WIDTH);
    ReadBundle { entries, cut_short, root: full.then(|| build::root(&hashes)) }
}

/// The next entry and what follows it; `None` when the bytes end within it.
fn split_entry(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_be_bytes(*length)))
}

fn broken_off(index: u64, count: usize, at: u64, rest: &[u8]) -> Stop {
    let file = entries_path(index, width_of(count));
    let expected = match rest.split_first_chunk() {
        Some((length, _)) => format!("{} bytes of an entry", u16::from_be_bytes(*length)),
        None => "the length of an entry, 2 bytes".to_owned(),
    };
    let found = format!("{} bytes to the end", rest.len().saturating_sub(if rest.len() < 2 { 0 } else { 2 }));
    let mut finding = about_file(&file, "length", expected, found);
    finding.log_index = Some(LogIndex(at));
    Stop::Invalid(Box::new(finding))
}

/// Entry and hash tile differ. The tree above the tile says which of them to suspect.
fn misfit(
    tree: &Tree<'_>,
    index: u64,
    stored: &[Hash],
    at: u64,
    tile_says: &Hash,
    entry_says: &Hash,
) -> Finding {
    let (tile_says, entry_says) = (hex::encode(tile_says), hex::encode(entry_says));
    let width = width_of(stored.len());
    let mut finding = if tree_agrees(tree, index, stored) {
        about_file(&entries_path(index, width), "leaf_hash", tile_says, entry_says)
    } else {
        let tile = TileId { level: 0, index, width };
        about_file(&tile.path(), "leaf_hash", entry_says, tile_says)
    };
    finding.log_index = Some(LogIndex(at));
    finding.words = format!("entry {at}: {}", finding.words);
    finding
}

/// Whether a tile of leaf hashes is what the tree above it was built from: the node of a full tile, the checkpoint's
/// root for the partial one.
fn tree_agrees(tree: &Tree<'_>, index: u64, stored: &[Hash]) -> bool {
    let full = u64::from(WIDTH);
    if stored.len() < usize::from(WIDTH) {
        let nodes = StoredTiles { folder: tree.folder };
        return tile::root(&nodes, tree.size).is_ok_and(|root| root == tree.root);
    }
    let above = tree.folder.hashes(&tile_of_size(tree.size, 1, index / full)).unwrap_or_default();
    let node = usize::try_from(index % full).ok().and_then(|place| above.get(place));
    node == Some(&build::root(stored))
}

fn width_of(count: usize) -> u16 {
    u16::try_from(count).unwrap_or(WIDTH)
}
