//! A unit: a single event or an atomic group (later: a signed batch); what the writer decides as one.

use ledger_crypto::{Hash, Hasher, KeyBytes, PublicKey};

use crate::code::Refusal;
use crate::entry::EntrySignature;
use crate::event::Event;
use crate::ids::EventId;

/// An event as submitted: type, payload and signatures, nothing checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Submitted {
    /// Payload type.
    pub payload_type: String,
    /// Payload, exactly as signed.
    pub payload: Vec<u8>,
    /// Keys and signatures, of any length and in any order.
    pub signatures: Vec<(Vec<u8>, Vec<u8>)>,
}

/// Strictly decoded: codes 301 to 306 do not apply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedEvent {
    submitted: Submitted,
    event: Event,
    digest: Hash,
}

/// Signatures were looked at. Which fault answers is decided later, lowest number first, so a signature fault (401 to
/// 403) is carried along here and not returned at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedEvent {
    signed: SignedEvent,
    signatures: Result<Vec<EntrySignature>, Refusal>,
}

/// What the writer decides as one. Never empty.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    /// Whether it is an atomic group (SubmitAtomic), of any number of members.
    pub atomic: bool,
    /// One event, or the members of the group in order.
    pub members: Vec<VerifiedEvent>,
}

impl SignedEvent {
    /// Decodes strictly. Errors: 301 to 306.
    pub fn decode(submitted: Submitted) -> Result<Self, Refusal> {
        todo!("core rules")
    }

    /// The decoded event.
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Type, payload and signatures as submitted.
    pub fn submitted(&self) -> &Submitted {
        &self.submitted
    }

    /// [`content_digest`] of type and payload.
    pub fn digest(&self) -> &Hash {
        &self.digest
    }

    /// The event id, when it has 16 bytes.
    pub fn event_id(&self) -> Option<EventId> {
        <[u8; 16]>::try_from(self.event.event_id.as_slice()).ok().map(EventId)
    }
}

impl VerifiedEvent {
    /// Checks the signatures; `known` finds the decompressed key of registered ones, others are checked from their
    /// bytes. Codes carried along: 401, 402, 403.
    pub fn verify(signed: SignedEvent, known: impl Fn(&KeyBytes) -> Option<PublicKey>) -> Self {
        todo!("core rules")
    }

    /// What was decoded.
    pub fn signed(&self) -> &SignedEvent {
        &self.signed
    }

    /// The signatures in the order of an entry, or the fault that was found.
    pub fn signatures(&self) -> Result<&[EntrySignature], &Refusal> {
        self.signatures.as_deref()
    }
}

/// What makes two submissions the same event: a digest over type and payload, `H(len type ‖ type ‖ payload)`.
pub fn content_digest(payload_type: &str, payload: &[u8]) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(&(payload_type.len() as u64).to_be_bytes());
    hasher.update(payload_type.as_bytes());
    hasher.update(payload);
    hasher.finish()
}
