//! An entry as far as it can be read without the entries before it.

use ledger_crypto::{Hash, KeyBytes, PublicKey};

use crate::batch::BATCH_TYPE;
use crate::code::Refusal;
use crate::entry::{Content, Entry, EntrySignature};
use crate::genesis::{Genesis, GenesisError};
use crate::ids::PaymentId;
use crate::seal::Seal;
use crate::unit::{SignedEvent, Submitted, VerifiedBatch, VerifiedEvent};
use crate::view::Constants;

/// One entry of a log: hashed, decoded (entry and payload), its signatures looked at. Needs no state, so many entries
/// are read at once; what is wrong with one is carried along and answered by [`super::Replay::push`], in its turn.
#[derive(Clone, Debug)]
pub struct ReadEntry {
    pub(super) leaf_hash: Hash,
    pub(super) content: Result<Read, Fault>,
}

/// What is wrong with an entry by itself.
#[derive(Clone, Debug)]
pub(super) enum Fault {
    /// No log may hold it.
    Wrong { field: &'static str, expected: String, found: String },
    /// Made for rules that are not known here.
    Unknown { field: &'static str, expected: String, found: String },
}

/// An entry by kind.
#[derive(Clone, Debug)]
pub(super) enum Read {
    Genesis { recorded_at_nanos: u64, constants: Box<Constants> },
    Event(Box<Member>),
    Seal { recorded_at_nanos: u64, seal: Box<Seal> },
    Expiry { recorded_at_nanos: u64, payment_id: PaymentId },
    BatchHeader(Box<Header>),
    BatchedEvent { position: u32, member: Box<Member> },
}

/// The header of a signed batch.
#[derive(Clone, Debug)]
pub(super) struct Header {
    pub(super) recorded_at_nanos: u64,
    pub(super) batch: VerifiedBatch,
}

/// The entry of an event: a unit, or one of its members.
#[derive(Clone, Debug)]
pub(super) struct Member {
    pub(super) recorded_at_nanos: u64,
    pub(super) outcome: u16,
    pub(super) group_len: u16,
    pub(super) group_index: u16,
    /// Taken when the unit is judged.
    pub(super) event: Option<VerifiedEvent>,
}

impl ReadEntry {
    /// Reads an encoded entry; `known` finds the decompressed keys of signers seen before.
    pub fn read(encoded: &[u8], known: impl Fn(&KeyBytes) -> Option<PublicKey>) -> Self {
        Self { leaf_hash: Entry::leaf_hash(encoded), content: decode(encoded, known) }
    }

    /// Leaf hash of the entry.
    pub fn leaf_hash(&self) -> &Hash {
        &self.leaf_hash
    }
}

impl Read {
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Self::Genesis { .. } => "genesis",
            Self::Event(_) => "event",
            Self::Seal { .. } => "seal",
            Self::Expiry { .. } => "expiry",
            Self::BatchHeader(_) => "batch header",
            Self::BatchedEvent { .. } => "batched event",
        }
    }

    pub(super) fn recorded_at_nanos(&self) -> u64 {
        match self {
            Self::Genesis { recorded_at_nanos, .. }
            | Self::Seal { recorded_at_nanos, .. }
            | Self::Expiry { recorded_at_nanos, .. } => *recorded_at_nanos,
            Self::Event(member) | Self::BatchedEvent { member, .. } => member.recorded_at_nanos,
            Self::BatchHeader(header) => header.recorded_at_nanos,
        }
    }
}

fn decode(encoded: &[u8], known: impl Fn(&KeyBytes) -> Option<PublicKey>) -> Result<Read, Fault> {
    let entry = Entry::decode(encoded).map_err(|error| wrong("entry", "the bytes of an entry", error))?;
    let Entry { recorded_at_nanos, outcome, group_len, group_index, content } = entry;
    match content {
        Content::Genesis { .. } => genesis(encoded),
        Content::Seal(seal) => Ok(Read::Seal { recorded_at_nanos, seal }),
        Content::Expiry { payment_id } => Ok(Read::Expiry { recorded_at_nanos, payment_id }),
        Content::Event { signatures, payload_type, payload } => {
            let signed = SignedEvent::decode(submitted(signatures, payload_type, payload));
            let event = VerifiedEvent::verify(signed.map_err(not_canonical)?, known);
            check_group_len(group_len, &event)?;
            let event = Some(event);
            Ok(Read::Event(Box::new(Member { recorded_at_nanos, outcome, group_len, group_index, event })))
        }
        Content::BatchHeader { signatures, payload } => {
            let submitted = submitted(signatures, BATCH_TYPE.to_owned(), payload);
            let batch = VerifiedBatch::verify(submitted, known)
                .map_err(|refusal| wrong("payload", "the header of a batch in canonical form", refusal))?;
            Ok(Read::BatchHeader(Box::new(Header { recorded_at_nanos, batch })))
        }
        Content::BatchedEvent { position, payload_type, payload } => {
            let signed = SignedEvent::decode_batched(submitted(Vec::new(), payload_type, payload));
            let signed = signed.map_err(not_canonical)?;
            let event = VerifiedEvent::of_batch(signed);
            check_group_len(group_len, &event)?;
            let event = Some(event);
            let member = Box::new(Member { recorded_at_nanos, outcome, group_len, group_index, event });
            Ok(Read::BatchedEvent { position, member })
        }
    }
}

fn genesis(encoded: &[u8]) -> Result<Read, Fault> {
    match Genesis::from_entry(encoded) {
        Ok((constants, recorded_at_nanos)) => {
            Ok(Read::Genesis { recorded_at_nanos, constants: Box::new(constants) })
        }
        Err(GenesisError::RulesVersion { found, known }) => Err(Fault::Unknown {
            field: "rules_version",
            expected: known.to_string(),
            found: format!("{found}: rules not known"),
        }),
        Err(error) => Err(wrong("genesis", "a genesis", error)),
    }
}

fn submitted(signatures: Vec<EntrySignature>, payload_type: String, payload: Vec<u8>) -> Submitted {
    let signatures = signatures.iter().map(|line| (line.key.to_vec(), line.signature.to_vec())).collect();
    Submitted { payload_type, payload, signatures, sidecar: None }
}

fn not_canonical(refusal: Refusal) -> Fault {
    wrong("payload", "an event in canonical form", refusal)
}

fn check_group_len(group_len: u16, event: &VerifiedEvent) -> Result<(), Fault> {
    let grouped = !event.signed().event().group.is_empty();
    match (grouped, group_len) {
        (false, 1) | (true, 2..) => Ok(()),
        (false, found) => Err(wrong("group_len", "1: the event names no group", found)),
        (true, found) => Err(wrong("group_len", "2 or more: the event names a group", found)),
    }
}

fn wrong(field: &'static str, expected: &str, found: impl ToString) -> Fault {
    Fault::Wrong { field, expected: expected.to_owned(), found: found.to_string() }
}
