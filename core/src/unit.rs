//! A unit: a single event or an atomic group (later: a signed batch); what the writer decides as one.

use arrayvec::ArrayVec;
use ledger_crypto::{Hash, Hasher, KeyBytes, PublicKey, dsse};

use crate::code::{Code, Refusal};
use crate::entry::EntrySignature;
use crate::event::{EVENT_TYPE, Event};
use crate::ids::EventId;
use crate::sidecar::Sidecar;

/// Most keys that sign one event.
pub const MAX_SIGNERS: usize = 8;

/// An event as submitted: type, payload and signatures, nothing checked.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Submitted {
    /// Payload type.
    pub payload_type: String,
    /// Payload, exactly as signed.
    pub payload: Vec<u8>,
    /// Keys and signatures, of any length and in any order.
    pub signatures: Vec<(Vec<u8>, Vec<u8>)>,
    /// Private data that the event commits to; `None`: none, or kept elsewhere. No part of what the event is.
    pub sidecar: Option<Sidecar>,
}

/// Strictly decoded: codes 301 to 306 do not apply.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedEvent {
    submitted: Submitted,
    event: Event,
    digest: Hash,
}

/// Signatures and private data were looked at. Which fault answers is decided later, lowest number first, so a fault
/// of theirs (401 to 403, 618, 619) is carried along here and not returned at once.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedEvent {
    signed: SignedEvent,
    signatures: Result<Vec<EntrySignature>, Refusal>,
    private: Result<(), Refusal>,
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
        if submitted.payload_type != EVENT_TYPE {
            let found = submitted.payload_type;
            return Err(Refusal::of(Code::SchemaVersionUnsupported, "payload_type", found, EVENT_TYPE));
        }
        let event = Event::decode(&submitted.payload)?;
        let digest = content_digest(&submitted.payload_type, &submitted.payload);
        Ok(Self { submitted, event, digest })
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
    /// bytes. Checks the private data against the commitment. Codes carried along: 401, 402, 403, 618, 619.
    pub fn verify(signed: SignedEvent, known: impl Fn(&KeyBytes) -> Option<PublicKey>) -> Self {
        let signatures = in_order_of_signers(&signed).and_then(|signatures| {
            all_valid(&signed.submitted, &signatures, known)?;
            Ok(signatures)
        });
        let private =
            signed.submitted.sidecar.as_ref().map_or(Ok(()), |sidecar| sidecar.check(&signed.event));
        Self { signed, signatures, private }
    }

    /// Takes signatures from a log that this process has checked before: only their form is looked at. Codes carried
    /// along: 401, 402.
    pub fn trust(signed: SignedEvent) -> Self {
        let signatures = in_order_of_signers(&signed);
        Self { signed, signatures, private: Ok(()) }
    }

    /// What was decoded.
    pub fn signed(&self) -> &SignedEvent {
        &self.signed
    }

    /// The signatures in the order of an entry, or the fault that was found.
    pub fn signatures(&self) -> Result<&[EntrySignature], &Refusal> {
        self.signatures.as_deref()
    }

    /// Whether the private data beside the event is what it commits to, or there is none.
    pub fn private(&self) -> Result<(), &Refusal> {
        self.private.as_ref().copied()
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

/// One signature of 64 bytes for each key in `signers`, and no other. Codes 401, 402.
fn in_order_of_signers(signed: &SignedEvent) -> Result<Vec<EntrySignature>, Refusal> {
    let signers = well_formed_signers(&signed.event)?;
    let given = &signed.submitted.signatures;
    if given.len() != signers.len() {
        let limit = format!("{} signatures, one for each signer", signers.len());
        return Err(Refusal::of(Code::SignersMismatch, "signatures", given.len(), limit));
    }
    let mut found = Vec::with_capacity(signers.len());
    for key in signers {
        let Some((_, signature)) = given.iter().find(|(by, _)| by.as_slice() == key) else {
            let missing = hex::encode(key);
            return Err(Refusal::of(
                Code::SignersMismatch,
                "signatures",
                missing,
                "a signature of each signer",
            ));
        };
        found.push((key, signature));
    }
    let fixed = |(key, signature): (KeyBytes, &Vec<u8>)| match <[u8; 64]>::try_from(signature.as_slice()) {
        Ok(signature) => Ok(EntrySignature { key, signature }),
        Err(_) => Err(Refusal::of(
            Code::SignatureMalformed,
            "signatures",
            format!("{} bytes", signature.len()),
            "64 bytes",
        )),
    };
    found.into_iter().map(fixed).collect()
}

/// 1 to 8 keys of 32 bytes, strictly ascending. Code 401.
fn well_formed_signers(event: &Event) -> Result<ArrayVec<KeyBytes, MAX_SIGNERS>, Refusal> {
    let count = event.signers.len();
    if count == 0 || count > MAX_SIGNERS {
        return Err(Refusal::of(Code::SignersMismatch, "signers", count, format!("1 to {MAX_SIGNERS}")));
    }
    let mut keys = ArrayVec::<KeyBytes, MAX_SIGNERS>::new();
    for signer in &event.signers {
        let Ok(key) = KeyBytes::try_from(signer.as_slice()) else {
            return Err(Refusal::of(Code::SignersMismatch, "signers", hex::encode(signer), "32 bytes"));
        };
        if keys.last().is_some_and(|last| *last >= key) {
            return Err(Refusal::of(
                Code::SignersMismatch,
                "signers",
                hex::encode(key),
                "strictly ascending",
            ));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// Every signature holds over the DSSE message. Code 403.
fn all_valid(
    submitted: &Submitted,
    signatures: &[EntrySignature],
    known: impl Fn(&KeyBytes) -> Option<PublicKey>,
) -> Result<(), Refusal> {
    let message = dsse::message(&submitted.payload_type, &submitted.payload);
    for EntrySignature { key, signature } in signatures {
        let public = known(key).or_else(|| PublicKey::from_bytes(key).ok());
        let holds = public.is_some_and(|public| public.verify(&message, signature).is_ok());
        if !holds {
            let limit = "a valid signature over the DSSE message by a canonical key";
            return Err(Refusal::of(Code::SignatureInvalid, "signatures", hex::encode(key), limit));
        }
    }
    Ok(())
}
