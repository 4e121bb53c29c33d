//! The invariants of money, said a second time: not how an entry books, but what must be true of what it did.
//!
//! Entry by entry ([`Invariants::check_entry`]) each is checked as a difference: the records before, the postings, the
//! records after. What holds after every difference holds for the sums; [`Invariants::check_whole`] adds up those of G1,
//! G3, A4 all the same, and looks at every account and payment once more for A6, P1, P4. Names (I1, A4, P7, …) are those of `docs/rules.md`.

mod accounts;
mod fx;
mod payments;
mod whole;

pub use payments::{counterparty, disorder};

use std::collections::BTreeMap;
use std::fmt;

use crate::apply::{ExecutedEntry, Subject};
use crate::event::Body;
use crate::ids::{CurrencyCode, EventId, LogIndex, PaymentId};
use crate::number::{AccountKind, Layer, RefundCause, Side};
use crate::posting::Posting;
use crate::record::AccountRecord;
use crate::state::MemoryState;
use crate::view::{StateView, ViewError};

/// An invariant that does not hold.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Violation {
    /// Its name, such as `G1`.
    pub invariant: &'static str,
    /// The first entry after which it does not hold.
    pub log_index: LogIndex,
    /// What it is about, such as `account alice`.
    pub subject: String,
    /// What it demands.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { invariant, log_index, subject, expected, found } = self;
        write!(
            f,
            "{invariant} does not hold after entry {log_index}: {subject}: expected {expected}, found {found}"
        )
    }
}

/// Why a check stopped.
#[derive(Debug, thiserror::Error)]
pub enum Broken {
    /// An invariant does not hold.
    #[error("{0}")]
    Violated(Box<Violation>),
    /// State could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// What a log so far must add up to, beside its state.
#[derive(Clone, Debug, Default)]
pub struct Invariants {
    /// Credits less debits that transfers, and their reversals, posted on the DISPUTE account of a currency.
    dispute_transfers: BTreeMap<CurrencyCode, i128>,
}

impl Invariants {
    /// Checks one entry against the state before it. Call it in log order, for every entry but seals.
    ///
    /// # Errors
    /// [`Broken::Violated`] with the first invariant that does not hold.
    pub fn check_entry(
        &mut self,
        before: &impl StateView,
        executed: &ExecutedEntry<'_>,
    ) -> Result<(), Broken> {
        let entry = Entry { before, executed };
        entry.check_refused()?;
        entry.check_postings()?;
        entry.check_accounts()?;
        entry.check_payments()?;
        self.take_disputes(&entry)?;
        entry.check_conversion()
    }

    /// Adds up every account and every payment of the state after the last entry checked.
    ///
    /// # Errors
    /// [`Broken::Violated`] with the first invariant that does not hold; its log index is `at`.
    pub fn check_whole(&self, state: &MemoryState, at: LogIndex) -> Result<(), Broken> {
        whole::check(state, &self.dispute_transfers, at)
    }

    /// G3: what is posted on a DISPUTE account is what its payments have in dispute, or a transfer.
    fn take_disputes<V: StateView>(&mut self, entry: &Entry<'_, V>) -> Result<(), Broken> {
        let mut posted = BTreeMap::<CurrencyCode, i128>::new();
        for posting in &entry.executed.effects.postings {
            let account = entry.after(posting)?;
            if account.kind == AccountKind::Dispute && posting.layer == Layer::Posted {
                *posted.entry(account.currency).or_default() += credit_view(posting);
            }
        }
        if entry.executed.effects.payments.is_empty() {
            for (currency, amount) in posted {
                *self.dispute_transfers.entry(currency).or_default() += amount;
            }
            return Ok(());
        }
        for (index, after) in &entry.executed.effects.payments {
            let before = entry.payment_before(*index)?;
            let disputed = after.disp - before.map_or(0, |before| before.disp);
            let found = posted.remove(&after.currency).unwrap_or(0);
            entry.equal("G3", || format!("DISPUTE account in {}", after.currency), disputed, found)?;
        }
        match posted.into_iter().find(|(_, amount)| *amount != 0) {
            Some((currency, amount)) => {
                entry.violated("G3", format!("DISPUTE account in {currency}"), 0, amount)
            }
            None => Ok(()),
        }
    }
}

/// An entry, with the state before it.
struct Entry<'a, V> {
    before: &'a V,
    executed: &'a ExecutedEntry<'a>,
}

impl<V: StateView> Entry<'_, V> {
    /// I5: a refused entry does nothing.
    fn check_refused(&self) -> Result<(), Broken> {
        let effects = self.executed.effects;
        if self.executed.outcome != 0 && *effects != crate::apply::Effects::default() {
            let found = format!("{} postings, {} payments", effects.postings.len(), effects.payments.len());
            return self.violated("I5", "refused entry".to_owned(), "no effects", found);
        }
        Ok(())
    }

    /// I1 and I2: debits equal credits per currency and layer; posted amounts are positive, holds not zero.
    fn check_postings(&self) -> Result<(), Broken> {
        let mut sums = BTreeMap::<(CurrencyCode, Layer), i128>::new();
        for posting in &self.executed.effects.postings {
            let account = self.after(posting)?;
            let is_amount = match posting.layer {
                Layer::Posted => posting.delta > 0,
                Layer::Pending => posting.delta != 0,
            };
            if !is_amount {
                let subject = format!("posting on account {}", account.id);
                return self.violated(
                    "I2",
                    subject,
                    "a positive amount, or the release of a hold",
                    posting.delta,
                );
            }
            *sums.entry((account.currency, posting.layer)).or_default() += credit_view(posting);
        }
        for ((currency, layer), sum) in sums {
            self.equal("I1", || format!("{layer} credits less debits in {currency}"), 0, sum)?;
        }
        Ok(())
    }

    /// Event and payment that the lines of the entry name.
    fn names(&self) -> (EventId, PaymentId) {
        match self.executed.subject {
            Subject::Event { event, .. } => {
                let id = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).unwrap_or_default();
                (EventId(id(&event.event_id)), PaymentId(id(&event.payment_id)))
            }
            Subject::Expiry { payment_id } => (EventId::default(), payment_id),
            Subject::Batch { .. } => Default::default(),
        }
    }

    /// The account of a posting, after the entry.
    fn after(&self, posting: &Posting) -> Result<&AccountRecord, Broken> {
        let accounts = &self.executed.effects.accounts;
        match accounts.iter().find(|(index, _)| *index == posting.account) {
            Some((_, account)) => Ok(account),
            None => {
                let subject = format!("account {}", posting.account);
                Err(self.violation("A1", subject, "a record after its posting", "none"))
            }
        }
    }

    /// Whether the event books what has happened already: then its creditor may end below its limit.
    fn is_mandatory(&self) -> bool {
        let Subject::Event { event, .. } = self.executed.subject else { return false };
        match &event.body {
            Body::ChargebackOpened(_) | Body::ChargebackResolved(_) => true,
            Body::PaymentRefunded(body) => body.cause == Some(RefundCause::Return),
            _ => false,
        }
    }

    fn equal<T: PartialEq + fmt::Display>(
        &self,
        invariant: &'static str,
        subject: impl FnOnce() -> String,
        expected: T,
        found: T,
    ) -> Result<(), Broken> {
        if expected == found { Ok(()) } else { self.violated(invariant, subject(), expected, found) }
    }

    fn violated(
        &self,
        invariant: &'static str,
        subject: String,
        expected: impl ToString,
        found: impl ToString,
    ) -> Result<(), Broken> {
        Err(self.violation(invariant, subject, expected, found))
    }

    fn violation(
        &self,
        invariant: &'static str,
        subject: String,
        expected: impl ToString,
        found: impl ToString,
    ) -> Broken {
        violation(invariant, self.executed.log_index, subject, expected, found)
    }
}

fn violation(
    invariant: &'static str,
    log_index: LogIndex,
    subject: String,
    expected: impl ToString,
    found: impl ToString,
) -> Broken {
    let (expected, found) = (expected.to_string(), found.to_string());
    Broken::Violated(Box::new(Violation { invariant, log_index, subject, expected, found }))
}

fn credit_view(posting: &Posting) -> i128 {
    match posting.side {
        Side::Credit => posting.delta,
        Side::Debit => -posting.delta,
    }
}
