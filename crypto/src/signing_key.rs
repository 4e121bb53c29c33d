//! Private keys: made, read and written here, zeroised when dropped, never printed.

use std::fmt;

use ed25519_dalek::Signer;
use zeroize::Zeroizing;

use crate::pem::{self, PemError};
use crate::public_key::{KeyBytes, PublicKey, SignatureBytes};

/// The operating system gave no random bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the operating system gave no random bytes: {source}")]
pub struct RandomnessError {
    source: getrandom::Error,
}

/// An Ed25519 private key. Its memory is overwritten when it is dropped.
#[derive(Clone)]
pub struct SigningKey(ed25519_dalek::SigningKey);

impl SigningKey {
    /// A new key from the operating system's random bytes.
    ///
    /// # Errors
    /// [`RandomnessError`] when there are none.
    pub fn generate() -> Result<Self, RandomnessError> {
        let mut seed = Zeroizing::new([0; 32]);
        getrandom::fill(seed.as_mut_slice()).map_err(|source| RandomnessError { source })?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The key whose private part is `seed` (RFC 8032, section 5.1.5).
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        let seed = Zeroizing::new(seed);
        Self(ed25519_dalek::SigningKey::from_bytes(&seed))
    }

    /// The public key.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        PublicKey::of_secret(&self.0)
    }

    /// The public key's encoding.
    #[must_use]
    pub fn public_bytes(&self) -> KeyBytes {
        self.0.verifying_key().to_bytes()
    }

    /// The deterministic signature over `message` (RFC 8032, section 5.1.6).
    #[must_use]
    pub fn sign(&self, message: &[u8]) -> SignatureBytes {
        self.0.sign(message).to_bytes()
    }

    /// The key in a PEM file as `openssl genpkey -algorithm ed25519` writes it (PKCS#8 version 1;
    /// RFC 8410, section 7).
    ///
    /// # Errors
    /// [`PemError`] for any other file.
    pub fn from_pkcs8_pem(text: &str) -> Result<Self, PemError> {
        let seed = pem::decode_private(text)?;
        Ok(Self(ed25519_dalek::SigningKey::from_bytes(&seed)))
    }

    /// The PEM file that `openssl genpkey -algorithm ed25519` writes for this key.
    #[must_use]
    pub fn to_pkcs8_pem(&self) -> Zeroizing<String> {
        pem::encode_private(self.0.as_bytes())
    }
}

/// Names the public key only.
impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey(private half of {})", self.public())
    }
}
