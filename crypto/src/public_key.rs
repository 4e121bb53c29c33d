//! Public keys, and the one predicate that says whether a signature is valid.

use std::fmt;

use ed25519_dalek::{Signature, VerifyingKey};

use crate::pem::{self, PemError};

/// The encoding of an Ed25519 public key (RFC 8032, section 5.1.2).
pub type KeyBytes = [u8; 32];

/// The encoding of an Ed25519 signature: R, then S (RFC 8032, section 5.1.6).
pub type SignatureBytes = [u8; 64];

/// Why 32 bytes are not a key that may sign for anybody.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// The bytes decode to no point.
    #[error("public key {}: not a point of the curve", hex::encode(key))]
    NotOnCurve {
        /// The refused bytes.
        key: KeyBytes,
    },
    /// The bytes decode to a point whose encoding is another.
    #[error("public key {}: not the canonical encoding of its point", hex::encode(key))]
    NonCanonical {
        /// The refused bytes.
        key: KeyBytes,
    },
    /// The point's order divides 8: signatures under it hold for almost any message.
    #[error("public key {}: a point of small order", hex::encode(key))]
    SmallOrder {
        /// The refused bytes.
        key: KeyBytes,
    },
    /// The point lies outside the prime-order group.
    #[error("public key {}: a point with a torsion component", hex::encode(key))]
    Torsion {
        /// The refused bytes.
        key: KeyBytes,
    },
}

/// A signature that does not hold for this key and message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the signature is not valid for this key and message")]
pub struct SignatureInvalid;

/// An Ed25519 public key that passed every check of [`PublicKey::from_bytes`], kept decompressed.
#[derive(Clone)]
pub struct PublicKey(VerifyingKey);

impl PublicKey {
    /// The key whose encoding is `bytes`: canonical, of prime order. About the cost of two
    /// signature checks, so keys are made once and kept.
    ///
    /// # Errors
    /// [`KeyError`] names the first clause that the bytes break.
    pub fn from_bytes(bytes: &KeyBytes) -> Result<Self, KeyError> {
        let key = *bytes;
        let decoded = VerifyingKey::from_bytes(bytes).map_err(|_| KeyError::NotOnCurve { key })?;
        let point = decoded.to_edwards();
        if point.compress().to_bytes() != key {
            return Err(KeyError::NonCanonical { key });
        }
        if point.is_small_order() {
            return Err(KeyError::SmallOrder { key });
        }
        if !point.is_torsion_free() {
            return Err(KeyError::Torsion { key });
        }
        Ok(Self(decoded))
    }

    /// The key's encoding.
    #[must_use]
    pub fn as_bytes(&self) -> &KeyBytes {
        self.0.as_bytes()
    }

    /// Whether `signature` is this key's signature over `message`. This is the only predicate:
    /// S below the group order; R decodes and is not of small order; the encoding of
    /// \[S\]B − \[k\]A equals R byte for byte, k = SHA-512(R ‖ A ‖ message); no cofactor.
    /// The clauses about the key itself hold for every [`PublicKey`].
    ///
    /// # Errors
    /// [`SignatureInvalid`], without saying which clause failed.
    pub fn verify(&self, message: &[u8], signature: &SignatureBytes) -> Result<(), SignatureInvalid> {
        self.0.verify_strict(message, &Signature::from_bytes(signature)).map_err(|_| SignatureInvalid)
    }

    /// The key in a PEM file as `openssl pkey -pubout` writes it (RFC 8410, section 4).
    ///
    /// # Errors
    /// [`PemError`] for any other file, and for bytes that [`PublicKey::from_bytes`] refuses.
    pub fn from_spki_pem(text: &str) -> Result<Self, PemError> {
        Ok(Self::from_bytes(&pem::decode_public(text)?)?)
    }

    /// The PEM file that `openssl pkey -pubout` writes for this key.
    #[must_use]
    pub fn to_spki_pem(&self) -> String {
        pem::encode_public(self.as_bytes())
    }

    /// The public half of a private key: made by multiplying the base point, so of prime order.
    pub(crate) fn of_secret(key: &ed25519_dalek::SigningKey) -> Self {
        Self(key.verifying_key())
    }
}

impl PartialEq for PublicKey {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl Eq for PublicKey {}

impl std::hash::Hash for PublicKey {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        self.as_bytes().hash(state);
    }
}

/// Lower-case hex of the encoding.
impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.as_bytes()))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}
