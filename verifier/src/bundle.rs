//! One entry bundle beside its hash tile: what can be said of its entries without those before them.

use ledger_core::entry::MAX_ENTRY_BYTES;
use ledger_core::ids::LogIndex;
use ledger_core::replay::Finding;
use ledger_merkle::tile::{self, TileId, WIDTH, entries_path};
use ledger_merkle::{Hash, build, leaf_hash};

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

/// Bytes of entries of one bundle that are decoded ahead of their turn. Decoded, an entry takes up to 64 times its bytes.
pub(crate) const DECODED_AHEAD_BYTES: usize = 256 << 10;

/// An entry ahead of its turn.
pub(crate) enum Ahead<T> {
    /// Read.
    Read(T),
    /// Its bytes: it would take too much memory decoded.
    Raw(Vec<u8>),
}

/// The entries of a bundle, read.
pub(crate) struct ReadBundle<T> {
    /// Each entry up to the first whose hash is not that of the tile, with the finding that says so.
    pub(crate) entries: Vec<(Ahead<T>, Option<Finding>)>,
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
    let mut decodable_bytes = DECODED_AHEAD_BYTES;
    for (at, expected) in (first..).zip(stored) {
        let Some((encoded, behind)) = tile::split_entry(rest) else {
            cut_short = Some(broken_off(index, stored.len(), at, rest));
            break;
        };
        rest = behind;
        let (entry, found) = if encoded.len() <= decodable_bytes {
            decodable_bytes -= encoded.len();
            let entry = read(encoded);
            let found = *entry.leaf_hash();
            (Ahead::Read(entry), found)
        } else {
            (Ahead::Raw(encoded.to_vec()), leaf_hash(encoded))
        };
        if found != *expected {
            entries.push((entry, Some(misfit(tree, index, stored, at, expected, &found))));
            return ReadBundle { entries, cut_short: None, root: None };
        }
        hashes.push(found);
        entries.push((entry, None));
    }
    if cut_short.is_none() && !rest.is_empty() {
        let file = entries_path(index, width_of(stored.len()));
        let expected = format!("nothing after {} entries", stored.len());
        cut_short = Some(Stop::wrong_file(&file, "length", expected, format!("{} more bytes", rest.len())));
    }
    let full = hashes.len() == usize::from(WIDTH);
    ReadBundle { entries, cut_short, root: full.then(|| build::root(&hashes)) }
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

#[cfg(test)]
mod tests {
    use std::cell::Cell;
    use std::fs;

    use ledger_core::event::{Body, Event, Fee, Leg, PaymentCaptured, TransferPosted};
    use ledger_merkle::tile::encode_bundle;

    use super::*;

    struct Hashed(Hash);

    impl Leaf for Hashed {
        fn leaf_hash(&self) -> &Hash {
            &self.0
        }
    }

    /// Reads a bundle of these entries beside a tile that is wrong at `wrong`; how many bytes were decoded for it.
    fn read(entries: &[Vec<u8>], wrong: Option<usize>) -> (ReadBundle<Hashed>, usize) {
        let width = entries.len() as u16;
        let mut hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        if let Some(wrong) = wrong {
            hashes[wrong][0] ^= 1;
        }
        let dir = tempfile::tempdir().unwrap();
        let tile = TileId { level: 0, index: 0, width };
        for (path, bytes) in
            [(entries_path(0, width), encode_bundle(entries).unwrap()), (tile.path(), hashes.concat())]
        {
            let path = dir.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        let folder = Folder::open(dir.path()).unwrap();
        let tree = Tree { folder: &folder, size: u64::from(width), root: build::root(&hashes) };
        let decoded_bytes = Cell::new(0);
        let bundle = read_bundle(&tree, 0, width, |encoded| {
            decoded_bytes.set(decoded_bytes.get() + encoded.len());
            Hashed(leaf_hash(encoded))
        });
        (bundle, decoded_bytes.get())
    }

    #[test]
    fn no_more_is_decoded_ahead_than_the_bound() {
        let entries: Vec<Vec<u8>> = (0..=255).map(|number| vec![number; MAX_ENTRY_BYTES]).collect();
        let (bundle, decoded_bytes) = read(&entries, None);
        assert_eq!(decoded_bytes, DECODED_AHEAD_BYTES);
        assert_eq!(bundle.entries.len(), 256);
        let hashes: Vec<Hash> = entries.iter().map(|entry| leaf_hash(entry)).collect();
        assert_eq!(bundle.root, Some(build::root(&hashes)));
        let raw = bundle.entries.into_iter().zip(&entries).skip(DECODED_AHEAD_BYTES / MAX_ENTRY_BYTES);
        assert!(raw.into_iter().all(|((kept, finding), entry)| {
            matches!(kept, Ahead::Raw(bytes) if bytes == *entry) && finding.is_none()
        }));
    }

    #[test]
    fn nothing_is_kept_behind_an_entry_that_is_not_that_of_the_tile() {
        let entries: Vec<Vec<u8>> = (0..100).map(|number| vec![number; 100]).collect();
        let (bundle, decoded_bytes) = read(&entries, Some(7));
        assert_eq!((bundle.entries.len(), decoded_bytes), (8, 800));
        let found: Vec<_> = bundle.entries.iter().filter_map(|(_, finding)| finding.as_ref()).collect();
        assert_eq!(found.len(), 1);
        assert_eq!(found[0].log_index, Some(LogIndex(7)));
        assert!(bundle.cut_short.is_none() && bundle.root.is_none());
    }

    /// What takes most memory for its bytes: elements of which each field is absent.
    #[test]
    fn decoded_an_entry_takes_at_most_64_times_its_bytes() {
        let count = MAX_ENTRY_BYTES / 2 - 100;
        let legs = vec![Leg::default(); count];
        let fees = vec![Fee::default(); count];
        let transfer = TransferPosted { legs, ..TransferPosted::default() };
        let capture = PaymentCaptured { fees, ..PaymentCaptured::default() };
        for body in [Body::TransferPosted(transfer), Body::PaymentCaptured(capture)] {
            let payload = Event { body, ..Event::default() }.encode();
            let (elements, element_bytes) = match Event::decode(&payload).unwrap().body {
                Body::TransferPosted(body) => (body.legs.capacity(), size_of::<Leg>()),
                Body::PaymentCaptured(body) => (body.fees.capacity(), size_of::<Fee>()),
                other => panic!("{}", other.name()),
            };
            assert!(elements >= count);
            let times = elements * element_bytes / payload.len();
            assert!(times <= 64, "{times}");
        }
    }
}
