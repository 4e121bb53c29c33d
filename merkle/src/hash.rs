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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hashes_are_prefixed_as_rfc_6962_says() {
        let leaf = "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d";
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(hex::encode(leaf_hash(b"")), leaf);
        assert_eq!(hex::encode(empty_root()), empty);

        let (left, right) = (leaf_hash(b"l"), leaf_hash(b"r"));
        let bytes = [&[1], left.as_slice(), right.as_slice()].concat();
        assert_eq!(node_hash(&left, &right), sha256(&bytes));
    }

    #[test]
    fn a_leaf_in_parts_is_the_leaf_of_their_concatenation() {
        let parts: [&[u8]; 3] = [b"a", b"", b"bc"];
        assert_eq!(leaf_hash_parts(&parts), leaf_hash(b"abc"));
    }
}
