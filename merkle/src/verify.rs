//! Verifying proofs (RFC 9162, sections 2.1.3.2 and 2.1.4.2). The verifier hashes the leaf itself:
//! no function here takes a leaf hash from outside, so no inner node passes for a leaf. Sizes must
//! come from what was signed, never from the prover.

use ledger_crypto::Hash;

use crate::hash::{leaf_hash, node_hash};

/// Why a proof was refused.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ProofError {
    /// The tree has no such leaf.
    #[error("leaf index {index}: the tree has only {size} leaves")]
    IndexOutOfRange {
        /// The refused index.
        index: u64,
        /// The tree's size.
        size: u64,
    },
    /// The path ends below the root.
    #[error("path of {length} hashes: too short")]
    TooShort {
        /// Its length in hashes.
        length: usize,
    },
    /// The path goes on above the root.
    #[error("path of {length} hashes: too long")]
    TooLong {
        /// Its length in hashes.
        length: usize,
    },
    /// The path leads to another root.
    #[error("root: expected {}, the proof gives {}", Hex(expected), Hex(found))]
    Root {
        /// The trusted root.
        expected: Hash,
        /// The root that the path leads to.
        found: Hash,
    },
    /// The path leads to another root of the smaller tree.
    #[error("root of the smaller tree: expected {}, the proof gives {}", Hex(expected), Hex(found))]
    OldRoot {
        /// The trusted root.
        expected: Hash,
        /// The root that the path leads to.
        found: Hash,
    },
    /// The tree that should be a prefix is the larger one.
    #[error("sizes: {old} leaves cannot be a prefix of {new}")]
    Shrunk {
        /// The size of the tree that should be a prefix.
        old: u64,
        /// The size of the tree that should contain it.
        new: u64,
    },
    /// Every tree continues the empty one: there is nothing to prove.
    #[error("the smaller tree is empty: nothing can be proved about it")]
    EmptyTree,
}

/// The root that `path` (lowest hash first) gives a tree of `size` leaves with `data` at `index`.
/// At most 64 hashes.
///
/// # Errors
/// [`ProofError::IndexOutOfRange`], [`ProofError::TooShort`], [`ProofError::TooLong`].
pub fn root_of_leaf(data: &[u8], index: u64, size: u64, path: &[Hash]) -> Result<Hash, ProofError> {
    root_of_leaf_hash(leaf_hash(data), index, size, path)
}

/// Whether `path` proves that `data` is the leaf at `index` of the tree of `size` leaves with this
/// root.
///
/// # Errors
/// Those of [`root_of_leaf`], and [`ProofError::Root`].
pub fn inclusion(data: &[u8], index: u64, size: u64, path: &[Hash], root: &Hash) -> Result<(), ProofError> {
    expect_root(root, root_of_leaf(data, index, size, path)?)
}

/// Whether `path` proves that the first `old_size` leaves of the tree of `new_size` leaves with
/// `new_root` are the tree with `old_root`.
///
/// # Errors
/// [`ProofError`]. Equal sizes need equal roots and an empty path; an old size of 0 is refused.
pub fn consistency(
    old_size: u64,
    new_size: u64,
    old_root: &Hash,
    new_root: &Hash,
    path: &[Hash],
) -> Result<(), ProofError> {
    let length = path.len();
    if old_size > new_size {
        let (old, new) = (old_size, new_size);
        return Err(ProofError::Shrunk { old, new });
    }
    if old_size == 0 {
        return Err(ProofError::EmptyTree);
    }
    if old_size == new_size {
        if length > 0 {
            return Err(ProofError::TooLong { length });
        }
        return expect_root(new_root, *old_root);
    }
    // Where the old tree is perfect, it is a node of the new one and left out of the path.
    let (start, rest) = if old_size.is_power_of_two() {
        (old_root, path)
    } else {
        path.split_first().ok_or(ProofError::TooShort { length })?
    };
    let mut place = Place::new(old_size - 1, new_size);
    place.climb_while_right();
    let (mut old, mut new) = (*start, *start);
    for hash in rest {
        match place.step(length)? {
            Side::Left => {
                old = node_hash(hash, &old);
                new = node_hash(hash, &new);
            }
            Side::Right => new = node_hash(&new, hash),
        }
    }
    place.at_root(length)?;
    if old != *old_root {
        return Err(ProofError::OldRoot { expected: *old_root, found: old });
    }
    expect_root(new_root, new)
}

fn root_of_leaf_hash(leaf_hash: Hash, index: u64, size: u64, path: &[Hash]) -> Result<Hash, ProofError> {
    if index >= size {
        return Err(ProofError::IndexOutOfRange { index, size });
    }
    let mut place = Place::new(index, size);
    let mut hash = leaf_hash;
    for sibling in path {
        hash = match place.step(path.len())? {
            Side::Left => node_hash(sibling, &hash),
            Side::Right => node_hash(&hash, sibling),
        };
    }
    place.at_root(path.len())?;
    Ok(hash)
}

fn expect_root(expected: &Hash, found: Hash) -> Result<(), ProofError> {
    if found == *expected {
        return Ok(());
    }
    let expected = *expected;
    Err(ProofError::Root { expected, found })
}

/// On which side of the node the next hash of the path stands.
enum Side {
    Left,
    Right,
}

/// A node on the way up: its index on its level, and the index of that level's last node. (`fn` and
/// `sn` of RFC 9162.)
struct Place {
    node: u64,
    last: u64,
}

impl Place {
    /// The leaf at `index` in a tree of `size` leaves, `index` below `size`.
    fn new(index: u64, size: u64) -> Self {
        Self { node: index, last: size - 1 }
    }

    fn climb(&mut self) {
        self.node >>= 1;
        self.last >>= 1;
    }

    /// Climbs for as long as the node is a right child.
    fn climb_while_right(&mut self) {
        while self.node & 1 == 1 {
            self.climb();
        }
    }

    /// Takes one hash of a path of `length`: the side it stands on, after climbing above it. A last
    /// node that is a left child has no sibling and is taken up until it is a right child.
    fn step(&mut self, length: usize) -> Result<Side, ProofError> {
        if self.last == 0 {
            return Err(ProofError::TooLong { length });
        }
        let side = if self.node & 1 == 1 || self.node == self.last {
            while self.node & 1 == 0 && self.node != 0 {
                self.climb();
            }
            Side::Left
        } else {
            Side::Right
        };
        self.climb();
        Ok(side)
    }

    fn at_root(&self, length: usize) -> Result<(), ProofError> {
        if self.last > 0 {
            return Err(ProofError::TooShort { length });
        }
        Ok(())
    }
}

struct Hex<'a>(&'a Hash);

impl std::fmt::Display for Hex<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[cfg(test)]
mod vectors;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::definition;

    const SIZES: u64 = 300;

    #[test]
    fn every_inclusion_proof_of_1_to_300_leaves_verifies() {
        let leaves = definition::leaves(SIZES);
        for size in 1..=SIZES {
            let leaves = &leaves[..size as usize];
            let root = definition::root(leaves);
            for index in 0..size {
                let path = definition::inclusion_path(index as usize, leaves);
                let data = index.to_be_bytes();
                assert_eq!(root_of_leaf(&data, index, size, &path), Ok(root));
                assert_eq!(inclusion(&data, index, size, &path, &root), Ok(()));
            }
        }
    }

    #[test]
    fn every_consistency_proof_of_1_to_100_leaves_verifies() {
        let leaves = definition::leaves(100);
        let roots: Vec<Hash> = (0..=100).map(|size| definition::root(&leaves[..size])).collect();
        for new in 1..=100 {
            for old in 1..=new {
                let path = definition::consistency_path(old, &leaves[..new]);
                let verdict = consistency(old as u64, new as u64, &roots[old], &roots[new], &path);
                assert_eq!(verdict, Ok(()), "{old} of {new}");
            }
        }
    }

    /// Each clause with the proof that breaks it; leaf 2 of 5 and the prefix of 3 in 5.
    #[test]
    fn each_refusal_names_its_clause() {
        let leaves = definition::leaves(5);
        let (old, new) = (definition::root(&leaves[..3]), definition::root(&leaves));
        let (data, other) = (2u64.to_be_bytes(), definition::leaves(1)[0]);
        let path = definition::inclusion_path(2, &leaves);
        let longer = [path.as_slice(), &[other]].concat();

        let found = root_of_leaf(b"x", 2, 5, &path).unwrap();
        let wrong = Err(ProofError::Root { expected: new, found });
        assert_eq!(inclusion(b"x", 2, 5, &path, &new), wrong);
        let outside = Err(ProofError::IndexOutOfRange { index: 5, size: 5 });
        assert_eq!(inclusion(&data, 5, 5, &path, &new), outside);
        let none = Err(ProofError::IndexOutOfRange { index: 0, size: 0 });
        assert_eq!(inclusion(&data, 0, 0, &[], &new), none);
        let short = Err(ProofError::TooShort { length: 2 });
        assert_eq!(inclusion(&data, 2, 5, &path[..2], &new), short);
        let long = Err(ProofError::TooLong { length: 4 });
        assert_eq!(inclusion(&data, 2, 5, &longer, &new), long);

        let path = definition::consistency_path(3, &leaves);
        let longer = [path.as_slice(), &[other]].concat();
        let check = |path: &[Hash]| consistency(3, 5, &old, &new, path);
        assert_eq!(check(&path), Ok(()));
        assert_eq!(check(&[]), Err(ProofError::TooShort { length: 0 }));
        let (short, long) = (path.len() - 1, longer.len());
        assert_eq!(check(&path[..short]), Err(ProofError::TooShort { length: short }));
        assert_eq!(check(&longer), Err(ProofError::TooLong { length: long }));
        let wrong = consistency(3, 5, &other, &new, &path);
        assert_eq!(wrong, Err(ProofError::OldRoot { expected: other, found: old }));
        let wrong = consistency(3, 5, &old, &other, &path);
        assert_eq!(wrong, Err(ProofError::Root { expected: other, found: new }));
        let shrunk = Err(ProofError::Shrunk { old: 5, new: 3 });
        assert_eq!(consistency(5, 3, &new, &old, &path), shrunk);
        assert_eq!(consistency(0, 5, &old, &new, &[]), Err(ProofError::EmptyTree));
        let forked = Err(ProofError::Root { expected: new, found: old });
        assert_eq!(consistency(5, 5, &old, &new, &[]), forked);
        let long = Err(ProofError::TooLong { length: 1 });
        assert_eq!(consistency(5, 5, &new, &new, &[other]), long);
    }

    proptest! {
        #[test]
        fn a_changed_inclusion_proof_is_refused(
            size in 2u64..2000,
            index in any::<u64>(),
            place in any::<usize>(),
            bit in 0usize..256,
        ) {
            let index = index % size;
            let leaves = definition::leaves(size);
            let root = definition::root(&leaves);
            let data = index.to_be_bytes();
            let mut path = definition::inclusion_path(index as usize, &leaves);
            let place = place % path.len();
            path[place][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(inclusion(&data, index, size, &path, &root).is_err());
        }

        #[test]
        fn a_changed_consistency_proof_is_refused(
            new in 2u64..2000,
            old in any::<u64>(),
            place in any::<usize>(),
            bit in 0usize..256,
        ) {
            let old = 1 + old % (new - 1);
            let leaves = definition::leaves(new);
            let (before, after) = leaves.split_at(old as usize);
            let (before, after) = (definition::root(before), definition::root(&[before, after].concat()));
            let mut path = definition::consistency_path(old as usize, &leaves);
            let place = place % path.len();
            path[place][bit / 8] ^= 1 << (bit % 8);
            prop_assert!(consistency(old, new, &before, &after, &path).is_err());
        }

        #[test]
        fn no_sizes_and_no_path_cause_a_panic(
            a in any::<u64>(),
            b in any::<u64>(),
            shift in 0u32..64,
            path in prop::collection::vec(any::<Hash>(), 0..70),
            root in any::<Hash>(),
        ) {
            for (a, b) in [(a, b), (a >> shift, b >> shift), (b >> shift, a), (a, u64::MAX)] {
                prop_assert!(inclusion(b"", a, b, &path, &root).is_err());
                if a != b {
                    prop_assert!(consistency(a, b, &root, &root, &path).is_err());
                }
            }
        }
    }
}
