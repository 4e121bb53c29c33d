//! An account: one currency, four counters, a constraint by kind.

use ledger_core::ids::{AccountId, CurrencyCode};
use ledger_core::number::{AccountKind, AccountStatus, Layer, Side};
use ledger_crypto::Hash;

/// An account.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "named as in the published record")]
pub struct Account {
    pub id: AccountId,
    pub currency: CurrencyCode,
    pub exponent: u8,
    pub kind: AccountKind,
    pub limit: u64,
    pub status: AccountStatus,
    pub posted_dr: i128,
    pub posted_cr: i128,
    pub pending_dr: i128,
    pub pending_cr: i128,
    pub opened_index: u64,
    pub line_count: u64,
    pub chain: Hash,
}

impl Account {
    /// What may still go out; `None` for kinds without a constraint.
    pub fn left(&self) -> Option<i128> {
        let limit = i128::from(self.limit);
        match self.kind {
            AccountKind::Customer | AccountKind::Merchant => {
                Some(self.posted_cr + limit - self.posted_dr - self.pending_dr)
            }
            AccountKind::Dispute | AccountKind::Fee => {
                Some(self.posted_cr - self.posted_dr - self.pending_dr)
            }
            AccountKind::Cash => Some(self.posted_dr + limit - self.posted_cr - self.pending_cr),
            AccountKind::Clearing | AccountKind::Fx | AccountKind::External => None,
        }
    }

    /// The counter of a layer and side.
    pub fn counter(&self, layer: Layer, side: Side) -> i128 {
        match (layer, side) {
            (Layer::Posted, Side::Debit) => self.posted_dr,
            (Layer::Posted, Side::Credit) => self.posted_cr,
            (Layer::Pending, Side::Debit) => self.pending_dr,
            (Layer::Pending, Side::Credit) => self.pending_cr,
        }
    }

    pub(super) fn add(&mut self, layer: Layer, side: Side, delta: i128) {
        match (layer, side) {
            (Layer::Posted, Side::Debit) => self.posted_dr += delta,
            (Layer::Posted, Side::Credit) => self.posted_cr += delta,
            (Layer::Pending, Side::Debit) => self.pending_dr += delta,
            (Layer::Pending, Side::Credit) => self.pending_cr += delta,
        }
    }

    /// Whether the status refuses postings on a side (a closed account refuses them all, for another reason).
    pub fn is_frozen_for(&self, side: Side) -> bool {
        match self.status {
            AccountStatus::Open | AccountStatus::Closed => false,
            AccountStatus::DebitFrozen => side == Side::Debit,
            AccountStatus::CreditFrozen => side == Side::Credit,
            AccountStatus::Frozen => true,
        }
    }
}

/// Whether accounts of a kind have a limit.
pub(super) fn takes_limit(kind: AccountKind) -> bool {
    matches!(kind, AccountKind::Customer | AccountKind::Merchant | AccountKind::Cash)
}
