//! The rules a second time: written from the rules' pages, not from their code, with maps and loops, slow and obvious.
//!
//! Of `ledger-core` it takes bytes and numbers only (decoded events, ids, enumerations, codes, layouts); what an event
//! means is written down here again. A test scans the imports of this folder.

mod access;
mod account;
mod admission;
mod body;
mod booking;
mod books;
mod calendar;
mod conversion;
mod effects;
mod fields;
mod guards;
mod history;
pub mod invariants;
mod names;
mod payment;
mod postings;
mod records;
mod transitions;

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use ledger_core::batch::Batch;
use ledger_core::code::Code;
use ledger_core::event::Event;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{CurrencyCode, EventId};
use ledger_crypto::Hash;

pub use account::Account;
pub use booking::Attempt;
pub use books::{Books, Key};
pub use calendar::utc_date;
pub use conversion::counter_amount;
pub use history::{Entry, What};
pub use payment::{Payment, counters_of_status, legal_counters, status_of_counters};

/// Nanoseconds of a second.
pub const SECOND: u64 = 1_000_000_000;

/// A ledger as the rules' pages describe it.
#[derive(Clone)]
pub struct Ledger {
    /// What the genesis fixed.
    pub fixed: Fixed,
    /// What events change.
    pub books: Books,
    /// Every entry of the log.
    pub history: Vec<Entry>,
    /// Where each event id stands in the log, accepted or refused.
    pub known: BTreeMap<EventId, usize>,
    /// Ids of admitted batches.
    pub batches: BTreeSet<Vec<u8>>,
}

/// What the genesis fixed.
#[derive(Clone)]
pub struct Fixed {
    /// Leaf hash of entry 0.
    pub ledger_id: Hash,
    /// How many operator keys sign together.
    pub operator_threshold: usize,
    /// Decimals of each currency.
    pub exponents: BTreeMap<CurrencyCode, u8>,
    /// Most members of a group.
    pub group_members: usize,
    /// Most members of a batch.
    pub batch_members: usize,
}

/// An event as offered: decoded, with its bytes, and what is known of its signatures.
#[derive(Clone, Debug)]
pub struct Member {
    /// The decoded payload.
    pub event: Event,
    /// The payload.
    pub payload: Vec<u8>,
    /// The signatures that came with it; none for a member of a batch.
    pub signatures: Vec<Signature>,
    /// Salt and metadata that came beside it.
    pub private: Option<(Vec<u8>, Vec<u8>)>,
}

/// The header of a batch as offered.
#[derive(Clone, Debug)]
pub struct Header {
    /// The decoded payload.
    pub batch: Batch,
    /// The signatures that came with it.
    pub signatures: Vec<Signature>,
}

/// A signature that came with an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Signature {
    /// By which key it says it is.
    pub key: Vec<u8>,
    /// What checking it found.
    pub form: Form,
}

/// What checking a signature found.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Form {
    /// It holds.
    Valid,
    /// It has another length than 64 bytes.
    Malformed,
    /// It does not hold.
    Invalid,
}

/// What is decided as one.
#[derive(Clone, Debug)]
pub struct Offer {
    /// How the members belong together.
    pub way: Way,
    /// The members in order; one where they come single.
    pub members: Vec<Member>,
}

/// How the members of an offer belong together.
#[derive(Clone, Debug)]
pub enum Way {
    /// One event.
    Single,
    /// An atomic group, of any number of members.
    Group,
    /// A signed batch.
    Batch(Header),
}

/// What became of an offer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// Turned away without a trace for the header of a batch.
    HeaderTurnedAway(Code),
    /// Turned away without a trace: the first failing member (0 for faults of the whole) and its code.
    TurnedAway {
        /// Position of the member.
        member: usize,
        /// Why.
        code: Code,
    },
    /// Every member is known: log index and outcome of each.
    Known(Vec<(u64, u16)>),
    /// Recorded: the outcome of each member, 0 accepted.
    Recorded(Vec<u16>),
}

impl fmt::Display for Answer {
    /// `603`, `header 403`, `known 0`, or the outcomes of the members: `0,1001`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |outcomes: &mut dyn Iterator<Item = u16>| {
            outcomes.map(|outcome| outcome.to_string()).collect::<Vec<_>>().join(",")
        };
        match self {
            Self::HeaderTurnedAway(code) => write!(f, "header {}", code.number()),
            Self::TurnedAway { code, .. } => code.number().fmt(f),
            Self::Known(originals) => {
                write!(f, "known {}", list(&mut originals.iter().map(|(_, outcome)| *outcome)))
            }
            Self::Recorded(outcomes) => f.write_str(&list(&mut outcomes.iter().copied())),
        }
    }
}

/// Where and when an entry stands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The clock of all checks.
    pub t: u64,
    /// Its log index.
    pub index: u64,
    /// Its own time.
    pub recorded_at: u64,
}

impl Ledger {
    /// A ledger with nothing but its genesis, sealed at once.
    pub fn found(genesis: &Genesis, ledger_id: Hash, recorded_at: u64) -> Self {
        let mut exponents = BTreeMap::new();
        for currency in &genesis.currencies {
            let code = names::currency(&currency.code);
            exponents.insert(code, u8::try_from(currency.exponent).expect("a checked genesis"));
        }
        let limits = genesis.limits.clone().expect("a checked genesis");
        let fixed = Fixed {
            ledger_id,
            operator_threshold: genesis.operator_threshold as usize,
            exponents,
            group_members: limits.group_members as usize,
            batch_members: limits.batch_members as usize,
        };
        let history = vec![Entry::plain(0, recorded_at, What::Genesis)];
        let books = Books::of_genesis(genesis);
        Self { fixed, books, history, known: BTreeMap::new(), batches: BTreeSet::new() }
    }

    /// Takes the offer when the clock says `clock`: first what is due expires, then the offer is admitted and applied.
    pub fn offer(&mut self, offer: &Offer, clock: u64) -> Answer {
        let t = self.expire_due(clock);
        match self.admit(offer, t) {
            Err(answer) => answer,
            Ok(()) => Answer::Recorded(self.record(offer, t)),
        }
    }

    /// Ends every hold that is due and says at what time a unit would stand then.
    pub fn expire_due(&mut self, clock: u64) -> u64 {
        loop {
            let t = clock.max(self.last_time() + 1);
            let Some(payment) = self.books.next_due(t) else { return t };
            let place = Place { t, index: self.history.len() as u64, recorded_at: t };
            let entry = effects::expire(&mut self.books, payment, place);
            self.history.push(entry);
        }
    }

    /// A seal stands here.
    pub fn seal(&mut self) {
        let (index, time) = (self.history.len() as u64, self.last_time() + 1);
        self.history.push(Entry::plain(index, time, What::Seal));
    }

    /// The time of the last entry.
    pub fn last_time(&self) -> u64 {
        self.history.last().expect("the genesis").recorded_at
    }

    /// Lets an event that all its signers signed happen at t to a copy of the books; says whether it is accepted.
    pub fn would_accept(&self, books: &mut Books, event: &Event, t: u64) -> bool {
        let good = |key: &Vec<u8>| Signature { key: key.clone(), form: Form::Valid };
        let signatures: Vec<Signature> = event.signers.iter().map(good).collect();
        let place = Place { t, index: self.history.len() as u64, recorded_at: t };
        self.faults(event, &signatures, t).is_empty()
            && effects::happen(&self.fixed, books, (&self.history, &[]), event, place).is_ok()
    }

    /// Applies an admitted offer at t.
    fn record(&mut self, offer: &Offer, t: u64) -> Vec<u16> {
        let Way::Batch(header) = &offer.way else { return self.apply(&offer.members, t) };
        let mut entry = Entry::plain(self.history.len() as u64, t, What::BatchHeader);
        entry.payload = header.batch.encode();
        self.history.push(entry);
        self.batches.insert(header.batch.batch_id.clone());
        let mut outcomes = Vec::new();
        for run in runs(&offer.members) {
            outcomes.extend(self.apply(run, t));
        }
        outcomes
    }

    /// Applies one event or the members of one group at t: all of them or none.
    fn apply(&mut self, members: &[Member], t: u64) -> Vec<u16> {
        let first_index = self.history.len() as u64;
        let first_time = t.max(self.last_time() + 1);
        let place = |position: usize| {
            let position = position as u64;
            Place { t, index: first_index + position, recorded_at: first_time + position }
        };
        let mut after = self.books.clone();
        let mut done: Vec<Entry> = Vec::new();
        let mut failure = None;
        for (position, member) in members.iter().enumerate() {
            let before = (self.history.as_slice(), done.as_slice());
            match effects::happen(&self.fixed, &mut after, before, &member.event, place(position)) {
                Ok(entry) => done.push(entry),
                Err(refused) => {
                    failure = Some((position, refused));
                    break;
                }
            }
        }
        match failure {
            None => self.books = after,
            Some((failed, refused)) => {
                done.clear();
                for (position, member) in members.iter().enumerate() {
                    let is_first = position == failed;
                    let code = if is_first { refused.code } else { Code::GroupMemberFailed };
                    let mut entry = Entry::refused(place(position), &member.event, code);
                    if is_first {
                        entry.attempts.clone_from(&refused.attempts);
                        entry.status_before = refused.status_before;
                    }
                    done.push(entry);
                }
            }
        }
        let outcomes = done.iter().map(Entry::outcome).collect();
        for (mut entry, member) in done.into_iter().zip(members) {
            entry.payload.clone_from(&member.payload);
            let id = member.event.event_id.as_slice().try_into().expect("admitted");
            self.known.insert(EventId(id), self.history.len());
            self.history.push(entry);
        }
        outcomes
    }
}

/// Splits the members of a batch into single events and groups.
fn runs(members: &[Member]) -> Vec<&[Member]> {
    let mut runs = Vec::new();
    let mut rest = members;
    while let Some(first) = rest.first() {
        let mut length = 1;
        while !first.event.group.is_empty()
            && rest.get(length).is_some_and(|next| next.event.group == first.event.group)
        {
            length += 1;
        }
        let (run, after) = rest.split_at(length);
        runs.push(run);
        rest = after;
    }
    runs
}
