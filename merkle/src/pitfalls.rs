//! What `rs_merkle` 1.5.0 accepts and must not, offered to our verifier.

use ledger_crypto::Hash;
use rs_merkle::MerkleProof;

use crate::build::Rfc6962;
use crate::definition;
use crate::hash::{leaf_hash, node_hash};
use crate::verify::{self, ProofError};

const COUNT: u64 = 6;

fn data(index: u64) -> [u8; 8] {
    index.to_be_bytes()
}

fn tree() -> (Vec<Hash>, Hash) {
    let leaves = definition::leaves(COUNT);
    let root = definition::root(&leaves);
    (leaves, root)
}

fn library_accepts(path: &[Hash], root: Hash, indices: &[usize], leaves: &[Hash], count: u64) -> bool {
    let proof = MerkleProof::<Rfc6962>::new(path.to_vec());
    proof.verify(root, indices, leaves, count as usize)
}

#[test]
fn a_fake_leaf_under_a_duplicated_index_is_refused() {
    let (leaves, root) = tree();
    let fake = b"fake";
    let both = [node_hash(&leaves[2], &leaves[3]), node_hash(&leaves[4], &leaves[5])];
    let offered = [leaves[0], leaves[1], leaf_hash(fake)];
    assert!(library_accepts(&both, root, &[0, 1, 1], &offered, COUNT));

    let path = definition::inclusion_path(1, &leaves);
    assert_eq!(verify::inclusion(&data(1), 1, COUNT, &path, &root), Ok(()));
    let refused = verify::inclusion(fake, 1, COUNT, &path, &root);
    assert!(matches!(refused, Err(ProofError::Root { .. })), "{refused:?}");
}

/// The two children of an inner node, offered as the 64 bytes of an entry.
#[test]
fn an_inner_node_as_a_leaf_is_refused_under_every_size() {
    let (leaves, root) = tree();
    let node = node_hash(&leaves[0], &leaves[1]);
    let above = definition::inclusion_path(0, &leaves).split_off(1);
    assert!(library_accepts(&above, root, &[0], &[node], COUNT / 2));

    let children = [leaves[0], leaves[1]].concat();
    let tagged = [&[1], children.as_slice()].concat();
    for size in 1..=COUNT {
        for index in 0..size {
            for entry in [&children, &tagged] {
                assert!(verify::inclusion(entry, index, size, &above, &root).is_err());
            }
        }
    }
}

#[test]
fn hashes_after_the_last_are_refused() {
    let (leaves, root) = tree();
    for index in 0..COUNT {
        let mut path = definition::inclusion_path(index as usize, &leaves);
        let length = path.len() + 1;
        path.push(root);
        let leaf = leaves[index as usize];
        assert!(library_accepts(&path, root, &[index as usize], &[leaf], COUNT));
        let refused = verify::inclusion(&data(index), index, COUNT, &path, &root);
        assert_eq!(refused, Err(ProofError::TooLong { length }));
    }
}

/// A root does not commit to its size, and the paths of one leaf in trees of similar size may have
/// one shape. Under any size that gives the leaf another shape the proof is refused.
#[test]
fn a_wrong_size_is_refused_wherever_the_shape_differs() {
    let mut accepted_by_library_only = 0;
    for size in 1..=20 {
        let leaves = definition::leaves(size);
        let root = definition::root(&leaves);
        for index in 0..size {
            let path = definition::inclusion_path(index as usize, &leaves);
            for claimed in 0..=40 {
                let same =
                    index < claimed && definition::sides(index, claimed) == definition::sides(index, size);
                let verdict = verify::inclusion(&data(index), index, claimed, &path, &root);
                assert_eq!(verdict.is_ok(), same, "leaf {index} of {size}, claimed {claimed}");
                let leaf = leaves[index as usize];
                if !same && library_accepts(&path, root, &[index as usize], &[leaf], claimed) {
                    accepted_by_library_only += 1;
                }
            }
        }
    }
    assert!(accepted_by_library_only > 0);
}
