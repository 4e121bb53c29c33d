//! The records that the state trees commit to.

use std::sync::Arc;

use ledger_crypto::{Hash, KeyBytes};

use crate::ids::{AccountId, AccountIndex, CurrencyCode, EventId, LogIndex, PaymentId};
use crate::layout::LayoutError;
use crate::number::{
    AccountKind, AccountStatus, CaptureMode, KeyStatus, PaymentStatus, ReleaseCause, Roles, Route,
};

/// The four counters of an account, minor units, never negative.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(missing_docs, reason = "named as in the published record")]
pub struct Counters {
    pub posted_debits: i128,
    pub posted_credits: i128,
    pub pending_debits: i128,
    pub pending_credits: i128,
}

/// Leaf of the accounts tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AccountRecord {
    /// Whether it takes postings.
    pub status: AccountStatus,
    /// What it is for.
    pub kind: AccountKind,
    /// Decimals of its currency, frozen at opening.
    pub exponent: u8,
    /// Its one currency.
    pub currency: CurrencyCode,
    /// Its name.
    pub id: AccountId,
    /// Minor units below zero that are allowed; CUSTOMER, MERCHANT and CASH only.
    pub limit: u64,
    /// What was posted and held.
    pub counters: Counters,
    /// Log index of the event that opened it.
    pub opened_index: LogIndex,
    /// Number of statement lines.
    pub line_count: u64,
    /// Hash chain over the statement lines.
    pub statement_chain: Hash,
}

/// Leaf of the payments tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PaymentRecord {
    /// Equal to `status_of` its counters.
    pub status: PaymentStatus,
    /// Deferred or immediate.
    pub capture_mode: CaptureMode,
    /// Direct or through a clearing account.
    pub route: Route,
    /// Cause of the last increase of `rel`.
    pub last_release: Option<ReleaseCause>,
    /// Its id.
    pub id: PaymentId,
    /// Who pays.
    pub debtor: AccountIndex,
    /// Who is paid.
    pub creditor: AccountIndex,
    /// Clearing account of route CLEARING.
    pub clearing: Option<AccountIndex>,
    /// Currency of every amount below.
    pub currency: CurrencyCode,
    /// Instructed amount, minor units.
    pub amount: u64,
    /// Authorized so far.
    pub auth: i128,
    /// Captured.
    pub capt: i128,
    /// Released.
    pub rel: i128,
    /// Settled with the creditor.
    pub sett: i128,
    /// Refunded.
    pub refd: i128,
    /// In dispute.
    pub disp: i128,
    /// Lost in dispute.
    pub lost: i128,
    /// When the hold runs out, unix nanoseconds; 0 none; stays once set.
    pub expires_at_nanos: u64,
    /// Last accepted submitted event.
    pub head: EventId,
    /// Accepted submitted events.
    pub event_count: u32,
    /// Last entry that changed the record.
    pub last_index: LogIndex,
}

/// Leaf of the keys tree.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct KeyRecord {
    /// Whether it may sign.
    pub status: KeyStatus,
    /// What it may sign.
    pub roles: Roles,
    /// The key.
    pub key: KeyBytes,
    /// Log index of its registration; 0 for operators of the genesis.
    pub registered_index: LogIndex,
    /// Log index of its revocation.
    pub revoked_index: Option<LogIndex>,
    /// Name of its party.
    pub party: Arc<str>,
    /// Accounts that it covers: all (empty), one, or those that begin with a prefix ending in `:`.
    pub prefix: Arc<str>,
}

impl AccountRecord {
    /// The bytes of the leaf.
    pub fn encode(&self) -> Vec<u8> {
        todo!("core bytes")
    }

    /// Reads the bytes of a leaf strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        todo!("core bytes")
    }

    /// Leaf hash in its state tree.
    pub fn leaf_hash(&self) -> Hash {
        ledger_merkle::leaf_hash(&self.encode())
    }
}

impl PaymentRecord {
    /// The bytes of the leaf.
    pub fn encode(&self) -> Vec<u8> {
        todo!("core bytes")
    }

    /// Reads the bytes of a leaf strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        todo!("core bytes")
    }

    /// Leaf hash in its state tree.
    pub fn leaf_hash(&self) -> Hash {
        ledger_merkle::leaf_hash(&self.encode())
    }
}

impl KeyRecord {
    /// The bytes of the leaf.
    pub fn encode(&self) -> Vec<u8> {
        todo!("core bytes")
    }

    /// Reads the bytes of a leaf strictly.
    pub fn decode(bytes: &[u8]) -> Result<Self, LayoutError> {
        todo!("core bytes")
    }

    /// Leaf hash in its state tree.
    pub fn leaf_hash(&self) -> Hash {
        ledger_merkle::leaf_hash(&self.encode())
    }
}
