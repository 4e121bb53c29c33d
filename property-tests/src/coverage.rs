//! What a run reached: (event, code), events that were known already, (event, status before, taken or refused),
//! (account kind, status, side, taken or not), (event, freeze, side, taken or not).

use std::collections::BTreeMap;

use ledger_core::event::Body;
use ledger_core::number::{AccountStatus, PaymentStatus, Side};

use crate::model::{Answer, Attempt, Entry, Offer, Way, What};

/// Number of the event that nobody signs.
pub const EXPIRY: u32 = 8;

/// Stands for the header of a batch among the numbers of events.
pub const HEADER: u32 = 24;

/// How often each cell was reached.
#[derive(Clone, Default, Debug)]
pub struct Coverage {
    /// Event number (0: a unit without members or that cannot be decoded) and code (0: accepted).
    pub codes: BTreeMap<(u32, u16), u64>,
    /// Events that were accepted before and sent again: ALREADY_EXISTS.
    pub known: BTreeMap<u32, u64>,
    /// Event number, status of its payment before (`None`: no payment) where the guards on state were reached, and
    /// whether it was accepted.
    pub statuses: BTreeMap<(u32, Option<PaymentStatus>, bool), u64>,
    /// Postings that were tried.
    pub attempts: BTreeMap<Attempt, u64>,
    /// The same by event, on accounts that are frozen.
    pub freezes: BTreeMap<(u32, AccountStatus, Side, bool), u64>,
    /// Units that were offered.
    pub commands: u64,
}

impl Coverage {
    /// Takes over what another run reached.
    pub fn merge(&mut self, other: Self) {
        add(&mut self.codes, other.codes);
        add(&mut self.known, other.known);
        add(&mut self.statuses, other.statuses);
        add(&mut self.attempts, other.attempts);
        add(&mut self.freezes, other.freezes);
        self.commands += other.commands;
    }

    /// What admission answered.
    pub(crate) fn answer(&mut self, offer: &Offer, answer: &Answer) {
        self.commands += 1;
        let numbers: Vec<u32> = offer.members.iter().map(|member| member.event.body.number()).collect();
        let is_batch = matches!(offer.way, Way::Batch(_));
        match answer {
            Answer::HeaderTurnedAway(code) => self.code(HEADER, code.number()),
            // A fault of the whole is one of every member.
            Answer::TurnedAway { code, .. } if code.group() == 2 => {
                let whole = if is_batch { Some(HEADER) } else { numbers.is_empty().then_some(0) };
                numbers.into_iter().chain(whole).for_each(|event| self.code(event, code.number()));
            }
            Answer::TurnedAway { member, code } => self.code(numbers[*member], code.number()),
            Answer::Known(originals) => {
                for (event, (_, outcome)) in numbers.into_iter().zip(originals) {
                    match outcome {
                        0 => *self.known.entry(event).or_default() += 1,
                        _ => self.code(event, 504),
                    }
                }
                if is_batch {
                    *self.known.entry(HEADER).or_default() += 1;
                }
            }
            Answer::Recorded(_) if is_batch => self.code(HEADER, 0),
            Answer::Recorded(_) => {}
        }
    }

    pub(crate) fn undecodable(&mut self, code: u16) {
        self.code(0, code);
    }

    fn code(&mut self, event: u32, code: u16) {
        *self.codes.entry((event, code)).or_default() += 1;
    }

    /// What stands in the log.
    pub(crate) fn entries(&mut self, entries: &[Entry]) {
        for entry in entries {
            let event = match &entry.what {
                What::Expiry => EXPIRY,
                What::Event(event, _) => event.body.number(),
                _ => continue,
            };
            let outcome = entry.outcome();
            self.code(event, outcome);
            let is_past_references = outcome == 0 || matches!(outcome / 100, 8 | 9);
            let of_payment =
                entry.event().is_none_or(|event| !event.payment_id.is_empty() || is_transfer(&event.body));
            if is_past_references && of_payment {
                *self.statuses.entry((event, entry.status_before, outcome == 0)).or_default() += 1;
            }
            for attempt in &entry.attempts {
                let Attempt { status, side, taken, .. } = *attempt;
                *self.attempts.entry(*attempt).or_default() += 1;
                if !matches!(status, AccountStatus::Open | AccountStatus::Closed) {
                    *self.freezes.entry((event, status, side, taken)).or_default() += 1;
                }
            }
        }
    }
}

fn add<K: Ord>(to: &mut BTreeMap<K, u64>, from: BTreeMap<K, u64>) {
    for (cell, count) in from {
        *to.entry(cell).or_default() += count;
    }
}

/// Whether an event is a transfer or the reversal of one.
fn is_transfer(body: &Body) -> bool {
    matches!(body.number(), 13 | 14)
}
