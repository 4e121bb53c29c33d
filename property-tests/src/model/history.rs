//! The log as the model keeps it.

use std::collections::BTreeSet;
use std::rc::Rc;

use ledger_core::code::Code;
use ledger_core::event::Event;
use ledger_core::line::Line;
use ledger_core::number::PaymentStatus;

use super::Place;
use super::booking::Attempt;
use super::payment::Payment;

/// One entry.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Log index.
    pub index: u64,
    /// Its time.
    pub recorded_at: u64,
    /// Time of its unit, which is that of the unit's first entry.
    pub t: u64,
    /// What it holds.
    pub what: What,
    /// The signed bytes of an event, or of the header of a batch.
    pub payload: Vec<u8>,
    /// Statement lines, one per posting, in order.
    pub lines: Vec<Line>,
    /// Accounts that changed.
    pub accounts: BTreeSet<usize>,
    /// The payment that changed.
    pub payment: Option<usize>,
    /// That payment after the entry.
    pub after: Option<Rc<Payment>>,
    /// The key that changed.
    pub key: Option<usize>,
    /// Postings that were tried, and whether the account took them.
    pub attempts: Vec<Attempt>,
    /// Status of the payment before, where the event reached its guards on state.
    pub status_before: Option<PaymentStatus>,
}

/// What an entry holds.
#[derive(Clone, Debug)]
pub enum What {
    /// Entry 0.
    Genesis,
    /// A block's header.
    Seal,
    /// The hold of a payment ran out.
    Expiry,
    /// Header of a signed batch; its members follow.
    BatchHeader,
    /// An event with its code, or none.
    Event(Rc<Event>, Option<Code>),
}

impl Entry {
    pub(super) fn plain(index: u64, recorded_at: u64, what: What) -> Self {
        Self {
            index,
            recorded_at,
            t: recorded_at,
            what,
            payload: Vec::new(),
            lines: Vec::new(),
            accounts: BTreeSet::new(),
            payment: None,
            after: None,
            key: None,
            attempts: Vec::new(),
            status_before: None,
        }
    }

    pub(super) fn accepted(place: Place, event: &Event) -> Self {
        Self::of(place, event, None)
    }

    pub(super) fn refused(place: Place, event: &Event, code: Code) -> Self {
        Self::of(place, event, Some(code))
    }

    fn of(place: Place, event: &Event, code: Option<Code>) -> Self {
        let what = What::Event(Rc::new(event.clone()), code);
        Self { t: place.t, ..Self::plain(place.index, place.recorded_at, what) }
    }

    /// 0 accepted, else the code.
    pub fn outcome(&self) -> u16 {
        match &self.what {
            What::Event(_, Some(code)) => code.number(),
            _ => 0,
        }
    }

    /// The event, if it was accepted.
    pub fn accepted_event(&self) -> Option<&Event> {
        match &self.what {
            What::Event(event, None) => Some(event),
            _ => None,
        }
    }

    /// The event, accepted or refused.
    pub fn event(&self) -> Option<&Event> {
        match &self.what {
            What::Event(event, _) => Some(event),
            _ => None,
        }
    }
}
