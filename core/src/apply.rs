//! The rules: what an admitted event does to state. Pure; the caller commits the effects or drops them.

mod account;
mod adjust;
mod authorize;
mod booking;
mod capture;
mod chargeback;
mod conversion;
mod erase;
mod guard;
mod initiate;
mod key;
mod pairs;
mod parameters;
mod refund;
mod reject;
mod release;
mod reverse;
mod settle;
mod transfer;

use std::sync::Arc;

use ledger_crypto::{Hash, KeyBytes};

use crate::code::{Code, Refusal};
use crate::event::{Body, Event};
use crate::ids::{AccountIndex, BatchId, EventId, KeyIndex, LogIndex, PaymentId, PaymentIndex};
use crate::line::Line;
use crate::overlay::Overlay;
use crate::posting::Posting;
use crate::record::{AccountRecord, KeyRecord, PaymentRecord};
use crate::seal::Params;
use crate::unit::VerifiedEvent;
use crate::view::{Constants, Referenced, StateView, ViewError};

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
    /// The event that was reversed.
    pub reversed: Option<EventId>,
    /// Party, reference and what it names, when the event takes an external reference.
    pub external_reference: Option<(Arc<str>, String, Referenced)>,
    /// Parameters after the entry, when it changes them.
    pub params: Option<Params>,
    /// The account that a mandatory event took below its limit, because the scheme had moved the money already; what
    /// would have been a refusal otherwise. Counted only.
    pub overdrawn: Option<AccountIndex>,
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
    /// A signed batch begins; its members are the next entries.
    Batch {
        /// Of its header.
        batch_id: BatchId,
    },
}

/// An entry that was decided, with what it did.
#[derive(Clone, Debug)]
pub struct ExecutedEntry<'a> {
    /// Its index.
    pub log_index: LogIndex,
    /// Its time.
    pub recorded_at_nanos: u64,
    /// Time of its unit.
    pub t_nanos: u64,
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

/// An event reached the rules that admission would not have passed: the caller's bug.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
#[error("an event reached the rules without admission: {0}")]
pub struct NotAdmitted(pub &'static str);

impl From<NotAdmitted> for ViewError {
    fn from(error: NotAdmitted) -> Self {
        Self(Box::new(error))
    }
}

impl From<NotAdmitted> for Stop {
    fn from(error: NotAdmitted) -> Self {
        Self::View(error.into())
    }
}

/// What the genesis does: registers its operators and sets the parameters.
pub fn genesis_effects(constants: &Constants) -> Effects {
    let operators = constants.genesis.operators.iter().zip(0..);
    let keys = operators.map(|(operator, index)| (KeyIndex(index), Arc::new(key::of_genesis(operator))));
    Effects { keys: keys.collect(), params: Some(genesis_params(constants)), ..Effects::default() }
}

/// The parameters in force after the genesis.
pub fn genesis_params(constants: &Constants) -> Params {
    Params {
        ledger_id: constants.ledger_id,
        rules_version: constants.genesis.rules_version,
        rules_index: LogIndex(0),
        log_key: KeyBytes::try_from(constants.genesis.log_key.as_slice()).unwrap_or_default(),
        closed_through: 0,
    }
}

/// Applies one admitted event to the state before it.
///
/// # Errors
/// [`Stop::Refused`] with the first guard that does not hold; [`Stop::View`] when the state cannot be read, or for
/// [`NotAdmitted`].
pub fn apply(view: &impl StateView, event: &Event, at: At) -> Result<Effects, Stop> {
    match &event.body {
        Body::PaymentInitiated(body) => initiate::apply(view, event, body, at),
        Body::PaymentRejected(_) => reject::apply(view, event, at),
        Body::PaymentAuthorized(body) => authorize::apply(view, event, body, at),
        Body::AuthorizationIncreased(body) => adjust::increase(view, event, body, at),
        Body::AuthorizationReduced(body) => adjust::reduce(view, event, body, at),
        Body::PaymentCaptured(body) => capture::apply(view, event, body, at),
        Body::PaymentVoided(_) => release::void(view, event, at),
        Body::PaymentSettled(body) => settle::apply(view, event, body, at),
        Body::PaymentRefunded(body) => refund::apply(view, event, body, at),
        Body::ChargebackOpened(body) => chargeback::open(view, event, body, at),
        Body::ChargebackResolved(body) => chargeback::resolve(view, event, body, at),
        Body::PaymentReversed(body) => reverse::apply(view, event, body, at),
        Body::TransferPosted(body) => transfer::apply(view, event, body, at),
        Body::AccountOpened(body) => account::open(view, body, at),
        Body::AccountStatusChanged(body) => account::change_status(view, body),
        Body::KeyRegistered(body) => key::register(view, body, at),
        Body::KeyRevoked(body) => key::revoke(view, body, at),
        Body::PeriodClosed(body) => parameters::close_period(view, body, at),
        Body::LogKeyRotated(body) => key::rotate_log(view, body),
        Body::RulesChanged(body) => Ok(parameters::change_rules(view, body, at)),
        Body::MetadataErased(body) => erase::apply(view, body),
        Body::AccountLimitChanged(body) => account::change_limit(view, body),
    }
}

/// What an accepted event that can be reversed posted on the posted layer, worked out again; nothing for others.
///
/// # Errors
/// [`ViewError`] when the state cannot be read or is not one that accepted the event.
pub(crate) fn posted(view: &impl StateView, event: &Event) -> Result<Vec<Posting>, ViewError> {
    let posted = match &event.body {
        Body::PaymentCaptured(body) => capture::posted(view, event, body),
        Body::PaymentSettled(body) => settle::posted(view, event, body),
        Body::PaymentRefunded(body) => refund::posted(view, event, body),
        Body::TransferPosted(body) => transfer::posted(view, body),
        _ => Ok(Vec::new()),
    };
    posted.map_err(|stop| match stop {
        Stop::View(error) => error,
        Stop::Refused(refusal) => ViewError(Box::new(refusal)),
    })
}

/// Expires the hold of a due payment.
pub fn expire(view: &impl StateView, payment: PaymentIndex, at: At) -> Result<Effects, ViewError> {
    release::expire(view, payment, at)
}

/// Applies one run of an admitted unit ([`crate::unit::Unit::runs`]): all members, or, when one of several fails, none.
/// `first` is the place of the run's first member; member i stands at index + i and `recorded_at` + i.
pub fn execute(
    view: &impl StateView,
    run: &[VerifiedEvent],
    first: At,
) -> Result<Vec<MemberOutcome>, ViewError> {
    let places = (0u64..).map(|i| At {
        t_nanos: first.t_nanos,
        log_index: LogIndex(first.log_index.0 + i),
        recorded_at_nanos: first.recorded_at_nanos + i,
    });
    let members: Vec<_> = run.iter().map(|member| member.signed().event()).zip(places).collect();
    execute_at(view, &members)
}

/// [`execute`] with a place for each member.
pub(crate) fn execute_at(
    view: &impl StateView,
    members: &[(&Event, At)],
) -> Result<Vec<MemberOutcome>, ViewError> {
    match members {
        [(event, at)] => outcome_of(apply(view, event, *at)).map(|outcome| vec![outcome]),
        group => execute_group(view, group),
    }
}

fn execute_group(view: &impl StateView, group: &[(&Event, At)]) -> Result<Vec<MemberOutcome>, ViewError> {
    let mut overlay = Overlay::new(view);
    let mut outcomes = Vec::with_capacity(group.len());
    for (position, (event, at)) in group.iter().enumerate() {
        let outcome = outcome_of(apply(&overlay, event, *at))?;
        if let Some(refusal) = outcome.refusal {
            return Ok(fail_group(group.len(), position, refusal));
        }
        overlay.absorb(event, at.log_index, &outcome);
        outcomes.push(outcome);
    }
    Ok(outcomes)
}

/// The failing member keeps its own code, all others get GROUP_MEMBER_FAILED.
fn fail_group(len: usize, failing: usize, refusal: Refusal) -> Vec<MemberOutcome> {
    let of_others = Refusal::of(Code::GroupMemberFailed, "group", failing, refusal.code);
    let mut outcomes = vec![MemberOutcome { refusal: Some(of_others), effects: Effects::default() }; len];
    if let Some(outcome) = outcomes.get_mut(failing) {
        outcome.refusal = Some(refusal);
    }
    outcomes
}

fn outcome_of(applied: Result<Effects, Stop>) -> Result<MemberOutcome, ViewError> {
    match applied {
        Ok(effects) => Ok(MemberOutcome { refusal: None, effects }),
        Err(Stop::Refused(refusal)) => {
            Ok(MemberOutcome { refusal: Some(refusal), effects: Effects::default() })
        }
        Err(Stop::View(error)) => Err(error),
    }
}

fn event_id(event: &Event) -> Result<EventId, NotAdmitted> {
    Ok(EventId(id16(&event.event_id, "event_id")?))
}

fn payment_id(event: &Event) -> Result<PaymentId, NotAdmitted> {
    Ok(PaymentId(id16(&event.payment_id, "payment_id")?))
}

fn id16(bytes: &[u8], field: &'static str) -> Result<[u8; 16], NotAdmitted> {
    <[u8; 16]>::try_from(bytes).map_err(|_| NotAdmitted(field))
}

/// Amounts count in i128 from here on; admission keeps each within 10^18 − 1.
fn minor(amount: u64) -> i128 {
    i128::from(amount)
}
