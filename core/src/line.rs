//! Statement lines: one per posting on an account, chained by hash.

use ledger_crypto::Hash;

use crate::ids::{AccountId, AccountIndex, EventId, LogIndex, PaymentId};
use crate::layout::LayoutError;
use crate::posting::Posting;
use crate::record::Counters;

/// Encoded length of a line.
pub const LINE_BYTES: usize = 138;

/// A statement line.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Line {
    /// The account, by position; not part of the bytes.
    pub account: AccountIndex,
    /// From 1, gapless per account.
    pub number: u64,
    /// Entry that posted it.
    pub log_index: LogIndex,
    /// `recorded_at` of that entry.
    pub recorded_at_nanos: u64,
    /// What was posted.
    pub posting: Posting,
    /// The event; nil for an expiry.
    pub event_id: EventId,
    /// The payment; nil for transfers.
    pub payment_id: PaymentId,
    /// Counters of the account after it.
    pub after: Counters,
}

impl Line {
    /// The bytes of the line.
    pub fn encode(&self) -> [u8; LINE_BYTES] {
        todo!("core bytes")
    }

    /// Reads the bytes of a line of `account`.
    pub fn decode(account: AccountIndex, bytes: &[u8]) -> Result<Self, LayoutError> {
        todo!("core bytes")
    }

    /// The chain after this line: `H(0x03 ‖ chain ‖ line)`.
    pub fn chained(&self, chain: &Hash) -> Hash {
        todo!("core bytes")
    }
}

/// First value of an account's chain: `H(0x03 ‖ account id)`.
pub fn first_chain(account: &AccountId) -> Hash {
    todo!("core bytes")
}
