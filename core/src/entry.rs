//! One leaf of the log.

use ledger_crypto::{Hash, KeyBytes};

use crate::ids::PaymentId;
use crate::layout::LayoutError;
use crate::seal::Seal;

/// Payload type of an expiry.
pub const EXPIRY_TYPE: &str = "application/vnd.ledger.expiry.v1";

/// Most bytes of an entry.
pub const MAX_ENTRY_BYTES: usize = 32 * 1024;

/// A key and its signature, as they stand in an entry.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EntrySignature {
    /// Ed25519 key.
    pub key: KeyBytes,
    /// Ed25519 signature over the DSSE message.
    pub signature: [u8; 64],
}

/// One leaf of the log: what was submitted or derived, and what the ledger assigned.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Entry {
    /// Unix nanoseconds, strictly increasing from entry to entry.
    pub recorded_at_nanos: u64,
    /// 0 accepted, else the refusal code, 701 or more.
    pub outcome: u16,
    /// Members of the atomic group; 1 outside groups.
    pub group_len: u16,
    /// Position in the group, from 0.
    pub group_index: u16,
    /// What the entry holds.
    pub content: Content,
}

/// What an entry holds, by kind.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Content {
    /// Kind 0: payload of the genesis.
    Genesis {
        /// Bytes of [`crate::genesis::Genesis`].
        payload: Vec<u8>,
    },
    /// Kind 1: a signed event.
    Event {
        /// Ascending by key, equal to `signers`.
        signatures: Vec<EntrySignature>,
        /// Payload type as signed.
        payload_type: String,
        /// Payload as signed.
        payload: Vec<u8>,
    },
    /// Kind 2: header of a block.
    Seal(Box<Seal>),
    /// Kind 3: the hold of a payment ran out.
    Expiry {
        /// The payment.
        payment_id: PaymentId,
    },
    /// Kind 4: header of a signed batch.
    BatchHeader {
        /// Ascending by key, equal to `signers`.
        signatures: Vec<EntrySignature>,
        /// Bytes of [`crate::batch::Batch`].
        payload: Vec<u8>,
    },
    /// Kind 5: a member of a signed batch.
    BatchedEvent {
        /// Position in the batch, from 0.
        position: u32,
        /// Payload type as signed.
        payload_type: String,
        /// Payload as signed.
        payload: Vec<u8>,
    },
}

impl Entry {
    /// Leaf hash of the encoded entry: `H(0x00 ‖ entry)`.
    pub fn leaf_hash(encoded: &[u8]) -> Hash {
        ledger_merkle::leaf_hash(encoded)
    }
}

/// Why bytes are not an entry.
pub type EntryError = LayoutError;

impl Entry {
    /// The bytes of the entry.
    pub fn encode(&self) -> Vec<u8> {
        todo!("core bytes")
    }

    /// Reads an entry strictly: known kind, bounds, nothing after it, and whatever can be said without its neighbours.
    pub fn decode(bytes: &[u8]) -> Result<Self, EntryError> {
        todo!("core bytes")
    }

    /// 0 genesis, 1 event, 2 seal, 3 expiry, 4 batch header, 5 batched event.
    pub fn kind(&self) -> u8 {
        todo!("core bytes")
    }
}

/// Appends the entry of a submitted event to `out`, without building an [`Entry`].
pub fn encode_event(
    recorded_at_nanos: u64,
    outcome: u16,
    group_len: u16,
    group_index: u16,
    signatures: &[EntrySignature],
    payload_type: &str,
    payload: &[u8],
    out: &mut Vec<u8>,
) {
    todo!("core bytes")
}

/// Appends the entry of an expiry to `out`.
pub fn encode_expiry(recorded_at_nanos: u64, payment_id: &PaymentId, out: &mut Vec<u8>) {
    todo!("core bytes")
}
