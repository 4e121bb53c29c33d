//! Postings: one debit or credit each, derived from an event and the state before it.

use crate::ids::AccountIndex;
use crate::number::{Layer, Side};

/// One change of one counter of one account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Posting {
    /// The account.
    pub account: AccountIndex,
    /// Posted or pending.
    pub layer: Layer,
    /// Debit or credit.
    pub side: Side,
    /// Minor units; negative only for the release of a hold.
    pub delta: i128,
}
