//! Statement lines: one per posting on an account, chained by hash.

use crate::ids::{AccountIndex, EventId, LogIndex, PaymentId};
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
