//! The golden ledger's trees, proofs, tiles and checkpoint, made by a second implementation.

use std::convert::Infallible;

use ledger_crypto::note::{self, VerifierKey};
use ledger_crypto::{SigningKey, sha256};
use ledger_merkle::dense::DenseTree;
use ledger_merkle::frontier::Frontier;
use ledger_merkle::tile::{self, Nodes, TilePath, TileWriter};
use ledger_merkle::{Hash, build, leaf_hash, verify};
use serde_json::Value;

struct Golden {
    ledger: Value,
    proofs: Value,
    entries: Vec<Vec<u8>>,
    leaves: Vec<Hash>,
}

/// `None` where the data is not there, which `CI` does not accept.
fn golden() -> Option<Golden> {
    let (ledger, proofs) = (read("small-ledger.json")?, read("proofs.json")?);
    let entries = ledger["entries"].as_array().unwrap().iter();
    let entries: Vec<Vec<u8>> = entries.map(|entry| bytes(&entry["entry"])).collect();
    let leaves = entries.iter().map(|entry| leaf_hash(entry)).collect();
    Some(Golden { ledger, proofs, entries, leaves })
}

fn read(name: &str) -> Option<Value> {
    let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/data/golden/");
    match std::fs::read_to_string(format!("{folder}{name}")) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{name}: {error}"),
        Err(error) => {
            println!("skipped: {name}: {error}");
            None
        }
    }
}

fn bytes(value: &Value) -> Vec<u8> {
    hex::decode(value.as_str().unwrap()).unwrap()
}

fn hash(value: &Value) -> Hash {
    bytes(value).try_into().unwrap()
}

fn path(value: &Value) -> Vec<Hash> {
    value.as_array().unwrap().iter().map(hash).collect()
}

struct Tiles(Vec<(u8, u64, Vec<Hash>)>);

impl Nodes for Tiles {
    type Error = Infallible;

    fn tile(&self, level: u8, index: u64, _: u16) -> Result<Vec<Hash>, Infallible> {
        let tile = self.0.iter().find(|tile| (tile.0, tile.1) == (level, index));
        Ok(tile.map(|tile| tile.2.clone()).unwrap_or_default())
    }
}

fn tiles(leaves: &[Hash]) -> Tiles {
    let mut writer = TileWriter::new();
    leaves.iter().for_each(|leaf| writer.append(*leaf));
    Tiles(writer.take_changed())
}

#[test]
fn proofs_of_every_entry_are_reproduced_and_verify() {
    let Some(golden) = golden() else { return };
    let (leaves, root) = (&golden.leaves, hash(&golden.proofs["root"]));
    let (size, tiles) = (leaves.len() as u64, tiles(leaves));
    assert_eq!(golden.proofs["size"], size);
    assert_eq!(build::root(leaves), root);
    assert_eq!(leaves.iter().copied().collect::<Frontier>().root(), root);
    assert_eq!(tile::root(&tiles, size), Ok(root));

    let proofs = golden.proofs["entries"].as_array().unwrap();
    assert_eq!(proofs.len(), golden.entries.len());
    for ((proof, entry), index) in proofs.iter().zip(&golden.entries).zip(0..) {
        assert_eq!(proof["index"], index);
        assert_eq!(hash(&proof["leaf_hash"]), leaf_hash(entry));
        let path = path(&proof["path"]);
        assert_eq!(build::inclusion_path(leaves, index as usize).as_ref(), Some(&path));
        assert_eq!(verify::inclusion(entry, index, size, &path, &root), Ok(()));
        assert_eq!(tile::inclusion_path(&tiles, index, size), Ok(path));
    }
}

#[test]
fn consistency_proofs_are_reproduced_and_verify() {
    let Some(golden) = golden() else { return };
    let tiles = tiles(&golden.leaves);
    let proofs = golden.proofs["consistency"].as_array().unwrap();
    assert!(!proofs.is_empty());
    for proof in proofs {
        let size = |name: &str| proof[name].as_u64().unwrap();
        let (old, new) = (size("old_size"), size("new_size"));
        let (old_root, new_root) = (hash(&proof["old_root"]), hash(&proof["new_root"]));
        assert_eq!(build::root(&golden.leaves[..old as usize]), old_root);
        assert_eq!(build::root(&golden.leaves[..new as usize]), new_root);
        let path = path(&proof["path"]);
        assert_eq!(verify::consistency(old, new, &old_root, &new_root, &path), Ok(()));
        assert_eq!(tile::consistency_path(&tiles, old, new), Ok(path));
    }
}

#[test]
fn state_trees_and_the_batch_are_reproduced() {
    let Some(golden) = golden() else { return };
    let state = &golden.proofs["state_at_last_seal"];
    let tree = |value: &Value| value.as_array().unwrap().clone();
    let trees = [
        (tree(&state["accounts"]["proofs"]), hash(&state["accounts"]["root"])),
        (tree(&state["payments"]["proofs"]), hash(&state["payments"]["root"])),
        (tree(&state["keys"]["proofs"]), hash(&state["keys"]["root"])),
        (tree(&golden.proofs["batch"]["members"]), hash(&golden.proofs["batch"]["events_root"])),
    ];
    for (proofs, root) in trees {
        let leaves: Vec<Hash> = proofs.iter().map(|proof| hash(&proof["leaf_hash"])).collect();
        let dense = DenseTree::from_leaves(leaves.clone());
        assert_eq!((dense.root(), build::root(&leaves)), (root, root));
        for (proof, index) in proofs.iter().zip(0..) {
            let path = Some(path(&proof["path"]));
            assert_eq!(dense.inclusion_path(index), path);
            assert_eq!(build::inclusion_path(&leaves, index as usize), path);
        }
    }
}

/// The golden file gives the SHA-256 of each file of the export.
#[test]
fn tiles_and_bundles_are_reproduced() {
    let Some(golden) = golden() else { return };
    let expected = golden.ledger["tiles"].as_object().unwrap();
    let (size, tiles) = (golden.leaves.len() as u64, tiles(&golden.leaves));
    let count = tile::tiles_of_size(size).count() + tile::entry_bundles_of_size(size).count();
    assert_eq!(expected.len(), count);
    for (name, digest) in expected {
        let content = match tile::parse_path(name).unwrap() {
            TilePath::Hashes(id) => tiles.tile(id.level, id.index, id.width).unwrap().concat(),
            TilePath::Entries { index, width } => {
                let entries = &golden.entries[index as usize * 256..][..usize::from(width)];
                tile::encode_bundle(entries).unwrap()
            }
        };
        assert_eq!(sha256(&content), hash(digest), "{name}");
    }
}

#[test]
fn the_checkpoint_is_reproduced_and_opens() {
    let Some(golden) = golden() else { return };
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let key = &golden.ledger["keys"]["log"];
    let (checkpoint, vkey) = (text(&golden.ledger["checkpoint"]), text(&golden.ledger["vkey"]));
    let signer = SigningKey::from_seed(hash(&key["seed"]));
    assert_eq!(signer.public_bytes(), hash(&key["key"]));

    let verifier = VerifierKey::parse(&vkey).unwrap();
    assert_eq!(verifier.to_string(), vkey);
    let opened = note::open(checkpoint.as_bytes(), std::slice::from_ref(&verifier)).unwrap();
    let signed = note::sign(&opened.text, &[(&verifier.name, &signer)]).unwrap();
    assert_eq!(signed, checkpoint);
}
