//! The header of a signed batch.

use crate::code::Refusal;

/// Payload type of a batch header.
pub const BATCH_TYPE: &str = "application/vnd.ledger.batch.v1+protobuf";

/// A decoded batch header.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Batch {
    /// Ledger that the batch is for, 32 bytes.
    pub ledger_id: Vec<u8>,
    /// UUID v7, never seen before as a batch id.
    pub batch_id: Vec<u8>,
    /// Keys that must have signed, as in every member.
    pub signers: Vec<Vec<u8>>,
    /// Number of members.
    pub count: u32,
    /// Merkle root whose leaf data is the DSSE message of each member.
    pub events_root: Vec<u8>,
}

impl Batch {
    /// Decodes the payload of a batch header. Errors: 301, 302, 303.
    pub fn decode(payload: &[u8]) -> Result<Self, Refusal> {
        todo!("core bytes")
    }

    /// The canonical bytes.
    pub fn encode(&self) -> Vec<u8> {
        todo!("core bytes")
    }
}
