//! A unit: a single event, an atomic group or a signed batch; what the writer decides as one.

mod batch;
mod signatures;

use ledger_crypto::{Hash, Hasher, KeyBytes, PublicKey, dsse};

use crate::code::{Code, Refusal};
use crate::entry::EntrySignature;
use crate::event::{EVENT_TYPE, Event};
use crate::ids::EventId;
use crate::sidecar::Sidecar;

pub use batch::VerifiedBatch;

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
    signed_by: SignedBy,
    /// A fault of group 6 that admission cannot see: of private data, or [`VerifiedEvent::with_fault`].
    aside: Result<(), Refusal>,
}

/// What stands for the will of an event's signers.
#[derive(Clone, PartialEq, Eq, Debug)]
enum SignedBy {
    /// Their signatures over it.
    Signatures(Result<Vec<EntrySignature>, Refusal>),
    /// Those over the header of its batch, in which the event is this leaf of `events_root`.
    Batch { leaf_hash: Hash },
}

/// What the writer decides as one.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unit {
    kind: UnitKind,
    members: Vec<VerifiedEvent>,
}

/// How the members of a unit belong together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum UnitKind {
    /// A single event.
    Single,
    /// An atomic group, of any number of members: all or none.
    Group,
    /// A signed batch: admitted whole or not at all, then each member has its own outcome.
    Batch {
        /// Its header.
        header: Box<VerifiedBatch>,
        /// `events_root` of the members; `None` when one has signatures of its own.
        events_root: Option<Hash>,
    },
}

impl Unit {
    /// A single event.
    pub fn single(event: VerifiedEvent) -> Self {
        Self { kind: UnitKind::Single, members: vec![event] }
    }

    /// What entries outside of batches hold: the one event, or the members of a group.
    pub fn logged(members: Vec<VerifiedEvent>) -> Self {
        let kind = if members.len() == 1 { UnitKind::Single } else { UnitKind::Group };
        Self { kind, members }
    }

    /// An atomic group of any number of members.
    pub fn group(members: Vec<VerifiedEvent>) -> Self {
        Self { kind: UnitKind::Group, members }
    }

    /// A signed batch; its members come from [`VerifiedEvent::of_batch`]. Computes their root, so that admission, which
    /// is the writer's, only compares.
    pub fn batch(header: VerifiedBatch, members: Vec<VerifiedEvent>) -> Self {
        let events_root = batch::events_root(&members);
        Self { kind: UnitKind::Batch { header: Box::new(header), events_root }, members }
    }

    /// How its members belong together.
    pub fn kind(&self) -> &UnitKind {
        &self.kind
    }

    /// The one event, or all members in order.
    pub fn members(&self) -> &[VerifiedEvent] {
        &self.members
    }

    /// The header, when it is a batch: an entry of its own before those of the members.
    pub fn header(&self) -> Option<&VerifiedBatch> {
        match &self.kind {
            UnitKind::Batch { header, .. } => Some(header),
            UnitKind::Single | UnitKind::Group => None,
        }
    }

    /// The members in runs that are all or nothing: the single event, the whole group, of a batch each member, or
    /// consecutive ones of one group. A run is executed after what the run before it did was absorbed.
    pub fn runs(&self) -> impl Iterator<Item = &[VerifiedEvent]> {
        let in_batch = self.header().is_some();
        let together = move |one: &VerifiedEvent, other: &VerifiedEvent| {
            let (one, other) = (&one.signed.event.group, &other.signed.event.group);
            !in_batch || (!one.is_empty() && one == other)
        };
        self.members.chunk_by(together)
    }
}

impl SignedEvent {
    /// Decodes strictly. Errors: 301 to 306.
    pub fn decode(submitted: Submitted) -> Result<Self, Refusal> {
        expect_type(&submitted)?;
        let event = Event::decode(&submitted.payload)?;
        Ok(Self::new(submitted, event))
    }

    /// The same of a member of a batch; signatures of its own are dropped, it needs none. Errors: 301 to 306.
    pub fn decode_batched(mut submitted: Submitted) -> Result<Self, Refusal> {
        submitted.signatures = Vec::new();
        expect_type(&submitted)?;
        let event = Event::decode_batched(&submitted.payload)?;
        Ok(Self::new(submitted, event))
    }

    fn new(submitted: Submitted, event: Event) -> Self {
        let digest = content_digest(&submitted.payload_type, &submitted.payload);
        Self { submitted, event, digest }
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
        let signatures = signatures::verify(&signed.submitted, &signed.event.signers, known);
        Self { aside: check_private(&signed), signed_by: SignedBy::Signatures(signatures), signed }
    }

    /// Takes signatures from a log that this process has checked before: only their form is looked at. Codes carried
    /// along: 401, 402.
    pub fn trust(signed: SignedEvent) -> Self {
        let signatures = signatures::in_order_of_signers(&signed.submitted, &signed.event.signers);
        Self { signed, signed_by: SignedBy::Signatures(signatures), aside: Ok(()) }
    }

    /// A member of a batch: what its signers signed is the header, over the root of all members. Only a batch admits
    /// it. Codes carried along: 618, 619.
    pub fn of_batch(signed: SignedEvent) -> Self {
        let Submitted { payload_type, payload, .. } = &signed.submitted;
        let leaf_hash = ledger_merkle::leaf_hash(&dsse::message(payload_type, payload));
        Self { aside: check_private(&signed), signed_by: SignedBy::Batch { leaf_hash }, signed }
    }

    /// What was decoded.
    pub fn signed(&self) -> &SignedEvent {
        &self.signed
    }

    /// The signatures in the order of an entry, or the fault that was found; a member of a batch has none.
    pub fn signatures(&self) -> Result<&[EntrySignature], Refusal> {
        match &self.signed_by {
            SignedBy::Signatures(signatures) => signatures.as_deref().map_err(Refusal::clone),
            SignedBy::Batch { .. } => {
                let limit = "a signature of each signer: only its batch is signed";
                Err(Refusal::of(Code::SignersMismatch, "signatures", 0, limit))
            }
        }
    }

    /// Hash of the DSSE message as a leaf of `events_root`, of a member of a batch.
    pub fn leaf_hash(&self) -> Option<&Hash> {
        match &self.signed_by {
            SignedBy::Batch { leaf_hash } => Some(leaf_hash),
            SignedBy::Signatures(_) => None,
        }
    }

    /// The same with a fault of group 6 that was found elsewhere; it takes its place among those that admission finds.
    #[must_use]
    pub fn with_fault(self, refusal: Refusal) -> Self {
        Self { aside: Err(refusal), ..self }
    }

    /// A fault of the private data beside the event, which is not what it commits to, or one that was found elsewhere.
    pub fn aside(&self) -> Result<(), &Refusal> {
        self.aside.as_ref().copied()
    }
}

fn expect_type(submitted: &Submitted) -> Result<(), Refusal> {
    if submitted.payload_type == EVENT_TYPE {
        return Ok(());
    }
    let found = &submitted.payload_type;
    Err(Refusal::of(Code::SchemaVersionUnsupported, "payload_type", found, EVENT_TYPE))
}

/// The private data beside an event is what it commits to, or there is none.
fn check_private(signed: &SignedEvent) -> Result<(), Refusal> {
    signed.submitted.sidecar.as_ref().map_or(Ok(()), |sidecar| sidecar.check(&signed.event))
}

/// What makes two submissions the same event: a digest over type and payload, `H(len type ‖ type ‖ payload)`.
pub fn content_digest(payload_type: &str, payload: &[u8]) -> Hash {
    let mut hasher = Hasher::new();
    hasher.update(&(payload_type.len() as u64).to_be_bytes());
    hasher.update(payload_type.as_bytes());
    hasher.update(payload);
    hasher.finish()
}
