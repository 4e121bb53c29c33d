//! One payment made again from its own entries, by the rules that made it, without the rest of the log.
//!
//! What the rules asked of other things when an accepted entry was decided (funds, freezing, a closed period, a key since
//! revoked, a reference since taken) was answered then, and is not asked again: the view here answers it with yes. So a
//! payment comes out as its entries make it, whatever else has happened since.

use std::sync::Arc;

use ledger_crypto::KeyBytes;

use crate::apply::{At, Effects, Stop, apply, expire};
use crate::code::Refusal;
use crate::event::Event;
use crate::ids::{AccountIndex, BatchId, CurrencyCode, EventId, KeyIndex, LogIndex, PaymentId, PaymentIndex};
use crate::number::{AccountKind, AccountStatus, KeyStatus};
use crate::original::Original;
use crate::record::{AccountRecord, Counters, KeyRecord, PaymentRecord};
use crate::seal::Params;
use crate::view::{Constants, KnownEvent, Referenced, StateView, ViewError};

/// An accepted entry of a payment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum PaymentEntry {
    /// A submitted event.
    Event(Box<Event>),
    /// The hold ran out.
    Expiry,
}

/// Why a payment could not be made again.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// An accepted entry does not follow from those before it.
    #[error("entry {log_index} does not follow from the entries of the payment before it: {refusal}")]
    Refused {
        /// The entry.
        log_index: LogIndex,
        /// What the rules say.
        refusal: Box<Refusal>,
    },
    /// An entry comes before the payment was initiated, or does nothing to it.
    #[error("entry {log_index} does nothing to the payment")]
    Idle {
        /// The entry.
        log_index: LogIndex,
    },
    /// State could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// A payment in the making.
pub struct Rebuild<'v, V> {
    alone: Alone<'v, V>,
    entry_count: u64,
}

impl<'v, V: StateView> Rebuild<'v, V> {
    /// Begins with nothing. `view` is a state that has the payment, at position `index`.
    pub fn new(view: &'v V, id: PaymentId, index: PaymentIndex) -> Self {
        let params = Params { closed_through: 0, ..view.params().clone() };
        let alone = Alone { below: view, params, id, index, payment: None, now: LogIndex(0) };
        Self { alone, entry_count: 0 }
    }

    /// Executes the next accepted entry of the payment. Refused ones change nothing: leave them out.
    ///
    /// # Errors
    /// [`RebuildError`].
    pub fn push(&mut self, entry: &PaymentEntry, at: At) -> Result<(), RebuildError> {
        let log_index = at.log_index;
        self.alone.now = log_index;
        let effects = match entry {
            PaymentEntry::Event(event) => apply(&self.alone, event, at).map_err(|stop| match stop {
                Stop::Refused(refusal) => RebuildError::Refused { log_index, refusal: Box::new(refusal) },
                Stop::View(error) => RebuildError::View(error),
            })?,
            PaymentEntry::Expiry if self.alone.payment.is_none() => Effects::default(),
            PaymentEntry::Expiry => expire(&self.alone, self.alone.index, at)?,
        };
        let Some((_, payment)) = effects.payments.into_iter().find(|(index, _)| *index == self.alone.index)
        else {
            return Err(RebuildError::Idle { log_index });
        };
        self.alone.payment = Some(payment);
        self.entry_count += 1;
        Ok(())
    }

    /// The payment after the entries so far; `None` before its initiation.
    pub fn payment(&self) -> Option<&Arc<PaymentRecord>> {
        self.alone.payment.as_ref()
    }

    /// Entries executed so far.
    pub fn entry_count(&self) -> u64 {
        self.entry_count
    }
}

/// A state as if there were only this payment, and nothing in its way.
struct Alone<'v, V> {
    below: &'v V,
    params: Params,
    id: PaymentId,
    index: PaymentIndex,
    payment: Option<Arc<PaymentRecord>>,
    /// The entry in hand.
    now: LogIndex,
}

impl<V: StateView> StateView for Alone<'_, V> {
    fn constants(&self) -> &Constants {
        self.below.constants()
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn account_count(&self) -> u64 {
        self.below.account_count()
    }

    fn payment_count(&self) -> u64 {
        self.index.0 + u64::from(self.payment.is_some())
    }

    fn key_count(&self) -> u64 {
        self.below.key_count()
    }

    fn account_index(&self, id: &str) -> Result<Option<AccountIndex>, ViewError> {
        self.below.account_index(id)
    }

    /// Open, with room for every amount on both sides.
    fn account(&self, index: AccountIndex) -> Result<Arc<AccountRecord>, ViewError> {
        let record = AccountRecord::clone(&*self.below.account(index)?);
        let (status, limit, counters) = (AccountStatus::Open, u64::MAX, Counters::default());
        Ok(Arc::new(AccountRecord { status, limit, counters, ..record }))
    }

    fn special_account(
        &self,
        kind: AccountKind,
        currency: CurrencyCode,
    ) -> Result<Option<AccountIndex>, ViewError> {
        self.below.special_account(kind, currency)
    }

    fn payment_index(&self, id: &PaymentId) -> Result<Option<PaymentIndex>, ViewError> {
        if *id == self.id {
            Ok(self.payment.as_ref().map(|_| self.index))
        } else {
            self.below.payment_index(id)
        }
    }

    fn payment(&self, index: PaymentIndex) -> Result<Arc<PaymentRecord>, ViewError> {
        match &self.payment {
            Some(payment) if index == self.index => Ok(Arc::clone(payment)),
            _ => self.below.payment(index),
        }
    }

    fn key_index(&self, key: &KeyBytes) -> Result<Option<KeyIndex>, ViewError> {
        self.below.key_index(key)
    }

    fn key(&self, index: KeyIndex) -> Result<Arc<KeyRecord>, ViewError> {
        let record = KeyRecord::clone(&*self.below.key(index)?);
        Ok(Arc::new(KeyRecord { status: KeyStatus::Active, revoked_index: None, ..record }))
    }

    fn operator_count(&self) -> u64 {
        self.below.operator_count()
    }

    fn known_event(&self, id: &EventId) -> Result<Option<KnownEvent>, ViewError> {
        Ok(self.below.known_event(id)?.filter(|known| known.log_index < self.now))
    }

    fn original(&self, id: &EventId) -> Result<Option<Arc<Original>>, ViewError> {
        if self.known_event(id)?.is_some() { self.below.original(id) } else { Ok(None) }
    }

    fn reversed_at(&self, id: &EventId) -> Result<Option<LogIndex>, ViewError> {
        Ok(self.below.reversed_at(id)?.filter(|reversed| *reversed < self.now))
    }

    fn log_key_since(&self, key: &KeyBytes) -> Result<Option<LogIndex>, ViewError> {
        self.below.log_key_since(key)
    }

    fn known_batch(&self, id: &BatchId) -> Result<Option<LogIndex>, ViewError> {
        self.below.known_batch(id)
    }

    fn external_reference(&self, _: &str, _: &str) -> Result<Option<Referenced>, ViewError> {
        Ok(None)
    }

    fn next_due(&self, _: u64) -> Result<Option<(u64, PaymentIndex)>, ViewError> {
        Ok(None)
    }
}
