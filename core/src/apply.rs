//! The rules: what an admitted event does to state. Pure; the caller commits the effects or drops them.

use std::sync::Arc;

use ledger_crypto::Hash;

use crate::code::Refusal;
use crate::event::Event;
use crate::ids::{AccountIndex, KeyIndex, LogIndex, PaymentId, PaymentIndex};
use crate::line::Line;
use crate::posting::Posting;
use crate::record::{AccountRecord, KeyRecord, PaymentRecord};
use crate::seal::Params;
use crate::unit::Unit;
use crate::view::{Referenced, StateView, ViewError};

/// Where and when an entry stands.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct At {
    /// Time of the unit: the clock of every check.
    pub t_nanos: u64,
    /// Index of this entry.
    pub log_index: LogIndex,
    /// `recorded_at` of this entry; that of a unit's first entry is `t_nanos`.
    pub recorded_at_nanos: u64,
}

/// Why applying stopped.
#[derive(Debug, thiserror::Error)]
pub enum Stop {
    /// A refusal of groups 7 to 10: it becomes an entry.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// State could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// What an entry does: records after it, postings, statement lines. Empty for a refused entry.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Effects {
    /// Accounts changed or opened, each once, in the order of their first posting.
    pub accounts: Vec<(AccountIndex, Arc<AccountRecord>)>,
    /// Payments changed or initiated.
    pub payments: Vec<(PaymentIndex, Arc<PaymentRecord>)>,
    /// Keys registered or revoked.
    pub keys: Vec<(KeyIndex, Arc<KeyRecord>)>,
    /// Postings in order.
    pub postings: Vec<Posting>,
    /// Statement lines, one per posting, same order.
    pub lines: Vec<Line>,
    /// Party, reference and what it names, when the event takes an external reference.
    pub external_reference: Option<(Arc<str>, String, Referenced)>,
    /// Parameters after the entry, when it changes them.
    pub params: Option<Params>,
}

/// What an entry is about.
#[derive(Clone, Copy, Debug)]
pub enum Subject<'a> {
    /// A submitted event.
    Event {
        /// As decoded.
        event: &'a Event,
        /// [`crate::unit::content_digest`] of it.
        digest: Hash,
    },
    /// The hold of a payment ran out.
    Expiry {
        /// The payment.
        payment_id: PaymentId,
    },
}

/// An entry that was decided, with what it did.
#[derive(Clone, Debug)]
pub struct ExecutedEntry<'a> {
    /// Its index.
    pub log_index: LogIndex,
    /// Its time.
    pub recorded_at_nanos: u64,
    /// 0 accepted, else the refusal code.
    pub outcome: u16,
    /// What it is about.
    pub subject: Subject<'a>,
    /// What it did.
    pub effects: &'a Effects,
}

/// Outcome of one member of a unit.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberOutcome {
    /// Why it was refused; `None` accepted.
    pub refusal: Option<Refusal>,
    /// What it does; empty when refused.
    pub effects: Effects,
}

impl MemberOutcome {
    /// The outcome as it stands in the entry.
    pub fn number(&self) -> u16 {
        self.refusal.as_ref().map_or(0, |refusal| refusal.code.number())
    }
}

/// Applies one admitted event to the state before it.
pub fn apply(view: &impl StateView, event: &Event, at: At) -> Result<Effects, Stop> {
    todo!("core rules")
}

/// Expires the hold of a due payment.
pub fn expire(view: &impl StateView, payment: PaymentIndex, at: At) -> Result<Effects, ViewError> {
    todo!("core rules")
}

/// Applies an admitted unit: all members, or, for a group with a failing member, none. `first.log_index` is that of the
/// first member; member i stands at index + i and `recorded_at` + i.
pub fn execute(view: &impl StateView, unit: &Unit, first: At) -> Result<Vec<MemberOutcome>, ViewError> {
    todo!("core rules")
}
