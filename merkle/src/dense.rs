//! A tree in memory whose leaves change in place and grow on the right.

use ledger_crypto::Hash;

use crate::hash::{empty_root, node_hash};

/// A leaf was set that would leave a gap.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("leaf index {index}: the tree has only {len} leaves")]
pub struct Gap {
    /// The refused index.
    pub index: u64,
    /// The number of leaves there would be before it.
    pub len: u64,
}

/// An RFC 6962 tree with all its nodes: about 64 bytes a leaf.
///
/// `levels[0]` holds the leaf hashes; `levels[k + 1][i]` the hash over `levels[k][2i]` and
/// `levels[k][2i + 1]`, or the former alone where it has no sibling. The last level is the root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DenseTree {
    levels: Vec<Vec<Hash>>,
}

impl DenseTree {
    /// A tree without leaves.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The tree over these leaves. O(n).
    #[must_use]
    pub fn from_leaves(leaf_hashes: Vec<Hash>) -> Self {
        let mut levels = Vec::new();
        let mut level = leaf_hashes;
        while level.len() > 1 {
            let above = level.chunks(2).filter_map(parent).collect();
            levels.push(std::mem::replace(&mut level, above));
        }
        if !level.is_empty() {
            levels.push(level);
        }
        Self { levels }
    }

    /// The number of leaves.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.levels.first().map_or(0, Vec::len) as u64
    }

    /// Whether there is no leaf.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.levels.is_empty()
    }

    /// Adds a leaf on the right. O(log n); many changes are cheaper through [`DenseTree::update`].
    pub fn push(&mut self, leaf_hash: Hash) {
        let index = self.levels.first().map_or(0, Vec::len);
        self.write_leaf(index, leaf_hash);
        self.rehash(vec![index]);
    }

    /// Replaces a leaf, or adds one when `index` is the number of leaves. O(log n); many changes are
    /// cheaper through [`DenseTree::update`].
    ///
    /// # Errors
    /// [`Gap`] when `index` lies beyond the end.
    pub fn set(&mut self, index: u64, leaf_hash: Hash) -> Result<(), Gap> {
        self.update(&[(index, leaf_hash)])
    }

    /// Makes changes in order, each as [`DenseTree::set`] does, and computes each inner node above
    /// them once: O(c log n) for c changes scattered at random, O(c + log n) for neighbours.
    ///
    /// # Errors
    /// [`Gap`] for the first index that lies beyond the end; then nothing has changed.
    pub fn update(&mut self, changes: &[(u64, Hash)]) -> Result<(), Gap> {
        let mut len = self.len();
        let mut touched = Vec::with_capacity(changes.len());
        for &(index, _) in changes {
            match usize::try_from(index) {
                Ok(position) if index <= len => touched.push(position),
                _ => return Err(Gap { index, len }),
            }
            len = len.max(index + 1);
        }
        for (&index, &(_, leaf_hash)) in touched.iter().zip(changes) {
            self.write_leaf(index, leaf_hash);
        }
        touched.sort_unstable();
        touched.dedup();
        self.rehash(touched);
        Ok(())
    }

    /// The tree hash over all leaves. O(1).
    #[must_use]
    pub fn root(&self) -> Hash {
        let top = self.levels.last().and_then(|level| level.first());
        top.copied().unwrap_or_else(empty_root)
    }

    /// The audit path of the leaf at `index`, lowest hash first; `None` when there is no such leaf.
    /// O(log n).
    #[must_use]
    pub fn inclusion_path(&self, index: u64) -> Option<Vec<Hash>> {
        if index >= self.len() {
            return None;
        }
        let index = usize::try_from(index).ok()?;
        let siblings = self.levels.iter().enumerate();
        let path = siblings.filter_map(|(height, level)| level.get((index >> height) ^ 1));
        Some(path.copied().collect())
    }

    /// `index` is at most the number of leaves.
    fn write_leaf(&mut self, index: usize, leaf_hash: Hash) {
        if self.levels.is_empty() {
            self.levels.push(Vec::new());
        }
        if let Some(leaves) = self.levels.first_mut() {
            write(leaves, index, leaf_hash);
        }
    }

    /// Recomputes the nodes above the leaves at `touched`, which is ascending and without repeats.
    fn rehash(&mut self, mut touched: Vec<usize>) {
        let mut height = 0;
        while self.levels.get(height).is_some_and(|level| level.len() > 1) {
            if self.levels.len() == height + 1 {
                // Its first node stands above node 1 below, which is new too and thus in `touched`.
                self.levels.push(Vec::new());
            }
            touched.iter_mut().for_each(|index| *index /= 2);
            touched.dedup();
            let (below, above) = self.levels.split_at_mut(height + 1);
            if let (Some(below), Some(above)) = (below.last(), above.first_mut()) {
                for &index in &touched {
                    let children = below.get(2 * index..).unwrap_or_default();
                    if let Some(node) = parent(children) {
                        write(above, index, node);
                    }
                }
            }
            height += 1;
        }
    }
}

/// The hash above the first two of `children`.
fn parent(children: &[Hash]) -> Option<Hash> {
    match children {
        [left, right, ..] => Some(node_hash(left, right)),
        [lone] => Some(*lone),
        [] => None,
    }
}

fn write(level: &mut Vec<Hash>, index: usize, hash: Hash) {
    match level.get_mut(index) {
        Some(node) => *node = hash,
        None => level.push(hash),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::definition;
    use crate::hash::leaf_hash;

    #[test]
    fn pushed_and_built_trees_of_0_to_300_leaves_are_those_of_the_definition() {
        let leaves = definition::leaves(300);
        let mut tree = DenseTree::new();
        for size in 0..=leaves.len() {
            let (expected, next) = leaves.split_at(size);
            assert_eq!(tree.root(), definition::root(expected), "{size} leaves");
            assert_eq!(tree, DenseTree::from_leaves(expected.to_vec()), "{size} leaves");
            assert_eq!((tree.len(), tree.is_empty()), (size as u64, size == 0));
            for index in 0..size {
                let path = definition::inclusion_path(index, expected);
                assert_eq!(tree.inclusion_path(index as u64), Some(path));
            }
            assert_eq!(tree.inclusion_path(size as u64), None);
            next.first().into_iter().for_each(|leaf| tree.push(*leaf));
        }
    }

    #[test]
    fn a_refused_update_changes_nothing() {
        let mut tree = DenseTree::from_leaves(definition::leaves(5));
        let before = tree.clone();
        let leaf = leaf_hash(b"other");
        let refused = tree.update(&[(0, leaf), (5, leaf), (7, leaf)]);
        assert_eq!(refused, Err(Gap { index: 7, len: 6 }));
        assert_eq!(tree.set(6, leaf), Err(Gap { index: 6, len: 5 }));
        assert_eq!(tree.set(u64::MAX, leaf), Err(Gap { index: u64::MAX, len: 5 }));
        assert_eq!(tree, before);
    }

    proptest! {
        /// Each step is a batch of changes, some of which append; the place is taken modulo the
        /// length plus one.
        #[test]
        fn batches_of_changes_give_the_tree_built_anew(
            start in 0u64..70,
            batches in prop::collection::vec(prop::collection::vec((any::<u64>(), any::<Hash>()), 0..40), 1..8),
        ) {
            let mut leaves = definition::leaves(start);
            let mut tree = DenseTree::from_leaves(leaves.clone());
            for batch in batches {
                let mut changes = Vec::new();
                for (place, leaf) in batch {
                    let index = place % (leaves.len() as u64 + 1);
                    write(&mut leaves, index as usize, leaf);
                    changes.push((index, leaf));
                }
                prop_assert_eq!(tree.update(&changes), Ok(()));
                prop_assert_eq!(&tree, &DenseTree::from_leaves(leaves.clone()));
            }
        }
    }
}
