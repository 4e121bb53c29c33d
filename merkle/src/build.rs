//! Roots and paths of trees whose leaves are all at hand. `rs_merkle` builds them; its own
//! verification is never used, since it accepts proofs that it must not.

use ledger_crypto::Hash;
use rs_merkle::{Hasher, MerkleTree};

use crate::hash::{empty_root, leaf_hash, node_hash};

/// The tree hash of RFC 6962 over the leaves in order. O(n).
#[must_use]
pub fn root(leaf_hashes: &[Hash]) -> Hash {
    tree(leaf_hashes).root().unwrap_or_else(empty_root)
}

/// The audit path of the leaf at `index`, lowest hash first; `None` when there is no such leaf.
/// O(n).
#[must_use]
pub fn inclusion_path(leaf_hashes: &[Hash], index: usize) -> Option<Vec<Hash>> {
    if index >= leaf_hashes.len() {
        return None;
    }
    Some(tree(leaf_hashes).proof(&[index]).proof_hashes().to_vec())
}

fn tree(leaf_hashes: &[Hash]) -> MerkleTree<Rfc6962> {
    MerkleTree::from_leaves(leaf_hashes)
}

/// Prefixed hashing, and a node without a sibling taken up unchanged.
#[derive(Clone)]
pub(crate) struct Rfc6962;

impl Hasher for Rfc6962 {
    type Hash = Hash;

    fn hash(data: &[u8]) -> Hash {
        leaf_hash(data)
    }

    fn concat_and_hash(left: &Hash, right: Option<&Hash>) -> Hash {
        right.map_or(*left, |right| node_hash(left, right))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition;

    #[test]
    fn roots_and_paths_of_0_to_300_leaves_are_those_of_the_definition() {
        let leaves = definition::leaves(300);
        for size in 0..=300 {
            let leaves = &leaves[..size];
            let tree = tree(leaves);
            assert_eq!(root(leaves), definition::root(leaves), "{size} leaves");
            for index in 0..size {
                let path = definition::inclusion_path(index, leaves);
                let built = tree.proof(&[index]).proof_hashes().to_vec();
                assert_eq!(built, path, "leaf {index} of {size}");
            }
        }
    }

    #[test]
    fn a_path_exists_for_every_leaf_and_for_nothing_else() {
        let leaves = definition::leaves(7);
        assert_eq!(inclusion_path(&leaves, 7), None);
        assert_eq!(inclusion_path(&[], 0), None);
        let path = definition::inclusion_path(6, &leaves);
        assert_eq!(inclusion_path(&leaves, 6), Some(path));
    }
}
