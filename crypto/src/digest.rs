//! SHA-256 (FIPS 180-4), the only digest of the ledger.

use sha2::{Digest, Sha256};

/// A SHA-256 digest.
pub type Hash = [u8; 32];

/// The SHA-256 digest of `data`.
#[must_use]
pub fn sha256(data: &[u8]) -> Hash {
    Sha256::digest(data).into()
}

/// SHA-256 over parts that arrive one after the other.
#[derive(Clone, Default)]
pub struct Hasher(Sha256);

impl Hasher {
    /// A hasher that has read nothing.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A hasher that has read a tag of the table in [`crate::domain`].
    #[must_use]
    pub fn tagged(domain: &[u8]) -> Self {
        let mut hasher = Self::new();
        hasher.update(domain);
        hasher
    }

    /// Reads `data`.
    pub fn update(&mut self, data: &[u8]) -> &mut Self {
        self.0.update(data);
        self
    }

    /// The digest of everything read.
    #[must_use]
    pub fn finish(self) -> Hash {
        self.0.finalize().into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn digests_are_those_of_fips_180_4() {
        let empty = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        let abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!(hex::encode(sha256(b"")), empty);
        assert_eq!(hex::encode(sha256(b"abc")), abc);
    }

    #[test]
    fn parts_hash_like_their_concatenation() {
        let mut hasher = Hasher::tagged(b"a");
        hasher.update(b"").update(b"b").update(b"c");
        assert_eq!(hasher.finish(), sha256(b"abc"));
    }
}
