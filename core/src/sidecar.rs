//! Private data beside an event: metadata that the event commits to by a salted hash only, so that it can be erased
//! while every signature and every proof stays valid.

use ledger_crypto::{Hash, Hasher, domain};

use crate::code::{Code, Refusal};
use crate::event::Event;

/// Most bytes of metadata.
pub const MAX_METADATA_BYTES: usize = 8 * 1024;

/// Bytes of a salt.
pub const SALT_BYTES: usize = 32;

/// Private data as it travels beside an event: never signed, never part of an entry.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Sidecar {
    /// 32 random bytes.
    pub salt: Vec<u8>,
    /// What is private, at most [`MAX_METADATA_BYTES`].
    pub metadata: Vec<u8>,
}

impl Sidecar {
    /// `H("ledger/v1/metadata" ‖ salt ‖ metadata)`: what the event signs in its place.
    pub fn commitment(&self) -> Hash {
        let mut hasher = Hasher::tagged(domain::METADATA);
        hasher.update(&self.salt).update(&self.metadata);
        hasher.finish()
    }

    /// Whether it is what the event commits to. Codes 618, 619.
    pub(crate) fn check(&self, event: &Event) -> Result<(), Refusal> {
        let mismatch = |field, value: String, limit: String| {
            Err(Refusal::of(Code::MetadataCommitmentMismatch, field, value, limit))
        };
        let (salt, metadata) = (self.salt.len(), self.metadata.len());
        if metadata > MAX_METADATA_BYTES {
            let limit = format!("{MAX_METADATA_BYTES} bytes");
            return Err(Refusal::of(
                Code::MetadataTooLarge,
                "sidecar.metadata",
                format!("{metadata} bytes"),
                limit,
            ));
        }
        if salt != SALT_BYTES {
            return mismatch("sidecar.salt", format!("{salt} bytes"), format!("{SALT_BYTES} bytes"));
        }
        let commitment = self.commitment();
        if event.metadata_commitment != commitment {
            let found = hex::encode(&event.metadata_commitment);
            return mismatch("metadata_commitment", found, hex::encode(commitment));
        }
        Ok(())
    }
}

/// Lengths only: what is private stays out of logs and messages.
impl std::fmt::Debug for Sidecar {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { salt, metadata } = self;
        write!(f, "Sidecar {{ salt: {} bytes, metadata: {} bytes }}", salt.len(), metadata.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sidecar(metadata: Vec<u8>) -> Sidecar {
        Sidecar { salt: vec![7; SALT_BYTES], metadata }
    }

    fn code(sidecar: &Sidecar, metadata_commitment: Vec<u8>) -> Option<Code> {
        let event = Event { metadata_commitment, ..Event::default() };
        sidecar.check(&event).err().map(|refusal| refusal.code)
    }

    #[test]
    fn a_commitment_is_the_hash_of_tag_salt_and_metadata() {
        let expected = [&b"ledger/v1/metadata"[..], &[7; 32], b"name: A"].concat();
        assert_eq!(sidecar(b"name: A".to_vec()).commitment(), ledger_crypto::sha256(&expected));
    }

    #[test]
    fn only_what_was_committed_to_passes() {
        let mismatch = Some(Code::MetadataCommitmentMismatch);
        let rows = [
            (sidecar(b"a".to_vec()), None),
            (sidecar(Vec::new()), None),
            (sidecar(vec![0; MAX_METADATA_BYTES]), None),
            (sidecar(vec![0; MAX_METADATA_BYTES + 1]), Some(Code::MetadataTooLarge)),
            (Sidecar { salt: vec![7; 31], metadata: Vec::new() }, mismatch),
            (Sidecar { salt: vec![7; 33], metadata: Vec::new() }, mismatch),
        ];
        for (private, expected) in rows {
            assert_eq!(code(&private, private.commitment().to_vec()), expected, "{private:?}");
        }
        let private = sidecar(b"a".to_vec());
        assert_eq!(code(&private, Vec::new()), mismatch, "an event without a commitment");
        assert_eq!(code(&private, sidecar(b"b".to_vec()).commitment().to_vec()), mismatch);
    }

    #[test]
    fn what_is_private_is_not_shown() {
        assert_eq!(
            format!("{:?}", sidecar(b"secret".to_vec())),
            "Sidecar { salt: 32 bytes, metadata: 6 bytes }"
        );
    }
}
