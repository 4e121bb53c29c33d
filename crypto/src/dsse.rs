//! DSSE, the Dead Simple Signing Envelope (secure-systems-lab/dsse, `protocol.md` and
//! `envelope.md`): what is signed, and the JSON file that carries it.

use base64::engine::{Engine, general_purpose::STANDARD};
use serde::Deserialize;

use crate::public_key::{KeyBytes, SignatureBytes};

/// The bytes that are signed: `DSSEv1`, then type and payload, each after its length in decimal,
/// all separated by one space (pre-authentication encoding).
#[must_use]
pub fn message(payload_type: &str, payload: &[u8]) -> Vec<u8> {
    let head = format!("DSSEv1 {} {payload_type} {} ", payload_type.len(), payload.len());
    let mut message = Vec::with_capacity(head.len() + payload.len());
    message.extend_from_slice(head.as_bytes());
    message.extend_from_slice(payload);
    message
}

/// A payload with its type and signatures, in the order of the file. It may have none yet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// What the payload is.
    pub payload_type: String,
    /// The payload, exactly as signed.
    pub payload: Vec<u8>,
    /// Public key and signature; not verified here.
    pub signatures: Vec<(KeyBytes, SignatureBytes)>,
}

/// Why a text is not an envelope.
#[derive(Debug, thiserror::Error)]
pub enum EnvelopeError {
    /// Not JSON, or a member is missing, unknown, doubled or of another type.
    #[error("DSSE envelope: {0}")]
    Json(#[from] serde_json::Error),
    /// A member that is not canonical standard base64.
    #[error("DSSE envelope, {field}: not standard base64 with padding")]
    Base64 {
        /// The member.
        field: &'static str,
    },
    /// A key id that is not a key.
    #[error("DSSE envelope, keyid {keyid:?}: not 64 lower-case hex digits")]
    KeyId {
        /// The refused key id.
        keyid: String,
    },
    /// Two signatures of one key.
    #[error("DSSE envelope, keyid {keyid:?}: it stands there twice")]
    RepeatedKey {
        /// The repeated key id.
        keyid: String,
    },
    /// A signature of another length.
    #[error("DSSE envelope, sig of keyid {keyid:?}: {length} bytes instead of 64")]
    SignatureLength {
        /// The key id beside the signature.
        keyid: String,
        /// Its length in bytes.
        length: usize,
    },
}

impl Envelope {
    /// The envelope as one line of JSON without a newline; base64 with padding, keyid the key in
    /// lower-case hex.
    #[must_use]
    pub fn to_json(&self) -> String {
        let signatures = self.signatures.iter().map(|(key, signature)| {
            serde_json::json!({"keyid": hex::encode(key), "sig": STANDARD.encode(signature)})
        });
        serde_json::json!({
            "payloadType": self.payload_type,
            "payload": STANDARD.encode(&self.payload),
            "signatures": signatures.collect::<Vec<_>>(),
        })
        .to_string()
    }

    /// Reads what [`Envelope::to_json`] writes. Whitespace and the order of members are free;
    /// unknown members, other base64 and other key ids are not.
    ///
    /// # Errors
    /// [`EnvelopeError`].
    pub fn from_json(text: &str) -> Result<Self, EnvelopeError> {
        let envelope: JsonEnvelope = serde_json::from_str(text)?;
        let mut signatures = Vec::with_capacity(envelope.signatures.len());
        for JsonSignature { keyid, sig } in envelope.signatures {
            let Some(key) = lower_hex_key(&keyid) else {
                return Err(EnvelopeError::KeyId { keyid });
            };
            if signatures.iter().any(|(known, _)| *known == key) {
                return Err(EnvelopeError::RepeatedKey { keyid });
            }
            let bytes = decode_base64("sig", &sig)?;
            let length = bytes.len();
            let Ok(signature) = SignatureBytes::try_from(bytes) else {
                return Err(EnvelopeError::SignatureLength { keyid, length });
            };
            signatures.push((key, signature));
        }
        Ok(Self {
            payload_type: envelope.payload_type,
            payload: decode_base64("payload", &envelope.payload)?,
            signatures,
        })
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonEnvelope {
    #[serde(rename = "payloadType")]
    payload_type: String,
    payload: String,
    signatures: Vec<JsonSignature>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct JsonSignature {
    keyid: String,
    sig: String,
}

fn decode_base64(field: &'static str, text: &str) -> Result<Vec<u8>, EnvelopeError> {
    STANDARD.decode(text).map_err(|_| EnvelopeError::Base64 { field })
}

fn lower_hex_key(text: &str) -> Option<KeyBytes> {
    let mut key = [0; 32];
    hex::decode_to_slice(text, &mut key).ok()?;
    (hex::encode(key) == text).then_some(key)
}
