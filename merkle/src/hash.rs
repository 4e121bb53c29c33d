//! The three hashes of RFC 6962, section 2.1.

use ledger_crypto::{Hash, Hasher, domain, sha256};

/// The hash of a leaf: `H(0x00 ‖ data)`.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    leaf_hash_parts(&[data])
}

/// The hash of the leaf whose data is the concatenation of `parts`.
#[must_use]
pub fn leaf_hash_parts(parts: &[&[u8]]) -> Hash {
    let mut hasher = Hasher::tagged(domain::LEAF);
    for part in parts {
        hasher.update(part);
    }
    hasher.finish()
}

/// The hash of an inner node: `H(0x01 ‖ left ‖ right)`.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    let mut hasher = Hasher::tagged(domain::NODE);
    hasher.update(left).update(right);
    hasher.finish()
}

/// The root of a tree without leaves: `H("")`.
#[must_use]
pub fn empty_root() -> Hash {
    sha256(b"")
}
