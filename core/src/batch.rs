//! The header of a signed batch.

use crate::code::Refusal;
use crate::{entry, wire};

/// Payload type of a batch header.
pub const BATCH_TYPE: &str = "application/vnd.ledger.batch.v1+protobuf";

wire::message! {
    /// A decoded batch header.
    pub struct Batch {
        /// Ledger that the batch is for, 32 bytes.
        1 ledger_id: Vec<u8>,
        /// UUID v7, never seen before as a batch id.
        2 batch_id: Vec<u8>,
        /// Keys that must have signed, as in every member.
        3 signers: Vec<Vec<u8>>,
        /// Number of members.
        4 count: u32,
        /// Merkle root whose leaf data is the DSSE message of each member.
        5 events_root: Vec<u8>,
    }
}

impl Batch {
    /// Decodes the payload of a batch header.
    ///
    /// # Errors
    /// 301, 302, 303.
    pub fn decode(payload: &[u8]) -> Result<Self, Refusal> {
        wire::check_length(payload, entry::payload_room(BATCH_TYPE, 1))?;
        let batch: Self = wire::decode(payload)?;
        wire::check_length(payload, entry::payload_room(BATCH_TYPE, batch.signers.len()))?;
        Ok(batch)
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        wire::encode(self)
    }
}
