//! What a run reached: (event, code), (event, status before), (account kind, status, side, taken or not).

use std::collections::BTreeMap;

use ledger_core::event::Body;
use ledger_core::number::PaymentStatus;

use crate::model::{Answer, Attempt, Entry, Offer, What};

/// Number of the event that nobody signs.
pub const EXPIRY: u32 = 8;

/// How often each cell was reached.
#[derive(Clone, Default, Debug)]
pub struct Coverage {
    /// Event number (0: a unit without members) and code (0: accepted).
    pub codes: BTreeMap<(u32, u16), u64>,
    /// Event number and status of its payment before, where the guards on state were reached; `None`: no payment.
    pub statuses: BTreeMap<(u32, Option<PaymentStatus>), u64>,
    /// Postings that were tried.
    pub attempts: BTreeMap<Attempt, u64>,
    /// Commands.
    pub commands: u64,
}

impl Coverage {
    /// Takes over what another run reached.
    pub fn merge(&mut self, other: Self) {
        for (cell, count) in other.codes {
            *self.codes.entry(cell).or_default() += count;
        }
        for (cell, count) in other.statuses {
            *self.statuses.entry(cell).or_default() += count;
        }
        for (cell, count) in other.attempts {
            *self.attempts.entry(cell).or_default() += count;
        }
        self.commands += other.commands;
    }

    /// What admission answered.
    pub(crate) fn answer(&mut self, offer: &Offer, answer: &Answer) {
        self.commands += 1;
        match answer {
            Answer::TurnedAway { member, code } => {
                let event = offer.members.get(*member).map_or(0, |member| member.event.body.number());
                *self.codes.entry((event, code.number())).or_default() += 1;
                // A fault of the whole is one of every member.
                if code.group() == 2 {
                    for member in offer.members.iter().skip(1) {
                        *self.codes.entry((member.event.body.number(), code.number())).or_default() += 1;
                    }
                }
            }
            Answer::Known(originals) => {
                for (member, (_, outcome)) in offer.members.iter().zip(originals) {
                    if *outcome > 0 {
                        *self.codes.entry((member.event.body.number(), 504)).or_default() += 1;
                    }
                }
            }
            Answer::Recorded(_) => {}
        }
    }

    pub(crate) fn undecodable(&mut self, code: u16) {
        *self.codes.entry((0, code)).or_default() += 1;
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
            *self.codes.entry((event, outcome)).or_default() += 1;
            let is_past_references = outcome == 0 || matches!(outcome / 100, 8 | 9);
            let of_payment =
                entry.event().is_none_or(|event| !event.payment_id.is_empty() || is_transfer(&event.body));
            if is_past_references && of_payment {
                *self.statuses.entry((event, entry.status_before)).or_default() += 1;
            }
            for attempt in &entry.attempts {
                *self.attempts.entry(*attempt).or_default() += 1;
            }
        }
    }
}

/// Whether an event is a transfer or the reversal of one.
fn is_transfer(body: &Body) -> bool {
    matches!(body.number(), 13 | 14)
}
