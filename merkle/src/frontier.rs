//! The root of an append-only tree in logarithmic memory.

use ledger_crypto::Hash;

use crate::hash::{empty_root, node_hash};

/// The roots of the largest perfect subtrees that cover the leaves so far, from the left: one for
/// each bit set in their number.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    roots: Vec<Hash>,
}

impl Frontier {
    /// A tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a leaf on the right. Amortised one hash.
    pub fn append(&mut self, leaf_hash: Hash) {
        let mut root = leaf_hash;
        for _ in 0..self.size.trailing_ones() {
            if let Some(left) = self.roots.pop() {
                root = node_hash(&left, &root);
            }
        }
        self.roots.push(root);
        self.size += 1;
    }

    /// The number of leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The tree hash over all leaves. O(log n).
    #[must_use]
    pub fn root(&self) -> Hash {
        join(&self.roots).unwrap_or_else(empty_root)
    }

    /// The frontier of `size` leaves whose perfect subtrees have these roots.
    pub(crate) fn of_roots(size: u64, roots: Vec<Hash>) -> Self {
        Self { size, roots }
    }
}

/// Leaves in order.
impl Extend<Hash> for Frontier {
    fn extend<I: IntoIterator<Item = Hash>>(&mut self, leaf_hashes: I) {
        for leaf_hash in leaf_hashes {
            self.append(leaf_hash);
        }
    }
}

/// Leaves in order.
impl FromIterator<Hash> for Frontier {
    fn from_iter<I: IntoIterator<Item = Hash>>(leaf_hashes: I) -> Self {
        let mut frontier = Self::new();
        frontier.extend(leaf_hashes);
        frontier
    }
}

/// The tree hash over perfect subtrees that get smaller to the right; `None` when there are none.
pub(crate) fn join(roots: &[Hash]) -> Option<Hash> {
    roots.iter().rev().copied().reduce(|right, left| node_hash(&left, &right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::definition;

    #[test]
    fn every_root_on_the_way_to_300_leaves_is_that_of_the_definition() {
        let leaves = definition::leaves(300);
        let mut frontier = Frontier::new();
        for size in 0..=leaves.len() {
            assert_eq!(frontier.size(), size as u64);
            assert_eq!(frontier.root(), definition::root(&leaves[..size]), "{size} leaves");
            frontier.extend(leaves.get(size).copied());
        }
    }
}
