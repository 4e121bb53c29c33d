//! The recursive definitions of RFC 6962, section 2.1, and RFC 9162, sections 2.1.3.1 and 2.1.4.1,
//! written down word for word: what everything else is compared with.

use ledger_crypto::Hash;

use crate::hash::{empty_root, leaf_hash, node_hash};

/// `count` different leaf hashes.
pub fn leaves(count: u64) -> Vec<Hash> {
    (0..count).map(|i| leaf_hash(&i.to_be_bytes())).collect()
}

/// MTH(D).
pub fn root(leaves: &[Hash]) -> Hash {
    match leaves {
        [] => empty_root(),
        [leaf] => *leaf,
        _ => {
            let (left, right) = leaves.split_at(split(leaves.len()));
            node_hash(&root(left), &root(right))
        }
    }
}

/// PATH(m, D).
pub fn inclusion_path(index: usize, leaves: &[Hash]) -> Vec<Hash> {
    if leaves.len() == 1 {
        return Vec::new();
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if index < k {
        (inclusion_path(index, left), root(right))
    } else {
        (inclusion_path(index - k, right), root(left))
    };
    path.push(sibling);
    path
}

/// On which side of the leaf's subtree each hash of PATH(m, D[n]) stands: true where it is the left.
pub fn sides(index: u64, size: u64) -> Vec<bool> {
    if size == 1 {
        return Vec::new();
    }
    let k = size.next_power_of_two() / 2;
    let mut sides = if index < k { sides(index, k) } else { self::sides(index - k, size - k) };
    sides.push(index >= k);
    sides
}

/// PROOF(m, D).
pub fn consistency_path(old: usize, leaves: &[Hash]) -> Vec<Hash> {
    subproof(old, leaves, true)
}

fn subproof(old: usize, leaves: &[Hash], known: bool) -> Vec<Hash> {
    if old == leaves.len() {
        return if known { Vec::new() } else { vec![root(leaves)] };
    }
    let k = split(leaves.len());
    let (left, right) = leaves.split_at(k);
    let (mut path, sibling) = if old <= k {
        (subproof(old, left, known), root(right))
    } else {
        (subproof(old - k, right, false), root(left))
    };
    path.push(sibling);
    path
}

/// The largest power of two below `count`.
fn split(count: usize) -> usize {
    count.next_power_of_two() / 2
}
