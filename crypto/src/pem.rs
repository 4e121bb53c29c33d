//! The two PEM files of an Ed25519 key (RFC 7468 around the DER of RFC 8410). All bytes but the
//! key are fixed, so that one key has one file: what openssl writes, and nothing else, is read.

use base64::engine::{Engine, general_purpose::STANDARD};
use zeroize::Zeroizing;

use crate::public_key::{KeyBytes, KeyError};

/// `PrivateKeyInfo { version 0, id-Ed25519, OCTET STRING (OCTET STRING (32 bytes)) }`.
const PRIVATE_PREFIX: [u8; 16] =
    [0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20];
/// `SubjectPublicKeyInfo { id-Ed25519, BIT STRING (32 bytes) }`.
const PUBLIC_PREFIX: [u8; 12] = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];
const PRIVATE_LABEL: &str = "PRIVATE KEY";
const PUBLIC_LABEL: &str = "PUBLIC KEY";

/// Why a text is not the PEM file of an Ed25519 key.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PemError {
    /// The text is not one PEM block with this label and nothing around it.
    #[error("not a PEM file that begins with -----BEGIN {label}-----")]
    Armor {
        /// The label that was looked for.
        label: &'static str,
    },
    /// The block's content is not base64.
    #[error("PEM block {label}: the content is not base64")]
    Base64 {
        /// The block's label.
        label: &'static str,
    },
    /// The block holds another kind of key, or another form of this one.
    #[error("PEM block {label}: not an Ed25519 key in the form of RFC 8410 ({length} bytes)")]
    Der {
        /// The block's label.
        label: &'static str,
        /// Length of the decoded content in bytes.
        length: usize,
    },
    /// The block holds bytes that may not be a public key.
    #[error(transparent)]
    Key(#[from] KeyError),
}

/// The private seed in a `PRIVATE KEY` block.
pub(crate) fn decode_private(text: &str) -> Result<Zeroizing<[u8; 32]>, PemError> {
    decode(text, PRIVATE_LABEL, &PRIVATE_PREFIX)
}

/// The file of a private seed.
pub(crate) fn encode_private(seed: &[u8; 32]) -> Zeroizing<String> {
    let mut der = Zeroizing::new([0; 48]);
    let (prefix, rest) = der.split_at_mut(PRIVATE_PREFIX.len());
    prefix.copy_from_slice(&PRIVATE_PREFIX);
    rest.copy_from_slice(seed);
    encode(PRIVATE_LABEL, der.as_slice())
}

/// The key bytes in a `PUBLIC KEY` block, not yet checked.
pub(crate) fn decode_public(text: &str) -> Result<KeyBytes, PemError> {
    Ok(*decode(text, PUBLIC_LABEL, &PUBLIC_PREFIX)?)
}

/// The file of a public key.
pub(crate) fn encode_public(key: &KeyBytes) -> String {
    let der = [PUBLIC_PREFIX.as_slice(), key.as_slice()].concat();
    encode(PUBLIC_LABEL, &der).to_string()
}

fn decode(text: &str, label: &'static str, prefix: &[u8]) -> Result<Zeroizing<[u8; 32]>, PemError> {
    let armor = || PemError::Armor { label };
    let mut lines = text.lines();
    let (begin, content, end) = (lines.next(), lines.next(), lines.next());
    if begin != Some(&format!("-----BEGIN {label}-----"))
        || end != Some(&format!("-----END {label}-----"))
        || lines.next().is_some()
    {
        return Err(armor());
    }
    let content = content.ok_or_else(armor)?;
    let der = STANDARD.decode(content).map(Zeroizing::new);
    let der = der.map_err(|_| PemError::Base64 { label })?;
    let key = der.strip_prefix(prefix).and_then(|key| key.try_into().ok());
    let length = der.len();
    key.map(Zeroizing::new).ok_or(PemError::Der { label, length })
}

/// Both kinds of content fill one line of at most 64 characters.
fn encode(label: &str, der: &[u8]) -> Zeroizing<String> {
    let content = Zeroizing::new(STANDARD.encode(der));
    Zeroizing::new(format!("-----BEGIN {label}-----\n{}\n-----END {label}-----\n", content.as_str()))
}
