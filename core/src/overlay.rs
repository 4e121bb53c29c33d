//! State before a member of a group: what the members before it did, over the state before the group.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_crypto::KeyBytes;

use crate::apply::MemberOutcome;
use crate::event::Event;
use crate::ids::{AccountIndex, BatchId, CurrencyCode, EventId, KeyIndex, LogIndex, PaymentId, PaymentIndex};
use crate::number::AccountKind;
use crate::original::Original;
use crate::record::{AccountRecord, KeyRecord, PaymentRecord};
use crate::seal::Params;
use crate::view::{Constants, KnownEvent, Referenced, StateView, ViewError};

/// Effects of members of a group, over the view before it. Event ids and due payments are those of the view below: a
/// group's ids were compared with each other at admission, and nothing expires inside it. So are which accounts there
/// are, keys and parameters: control events stand in no group.
pub(crate) struct Overlay<'v, V> {
    below: &'v V,
    accounts: BTreeMap<AccountIndex, Arc<AccountRecord>>,
    payments: BTreeMap<PaymentIndex, Arc<PaymentRecord>>,
    initiated: BTreeMap<PaymentId, PaymentIndex>,
    originals: BTreeMap<EventId, Arc<Original>>,
    reversed: BTreeMap<EventId, LogIndex>,
    references: Vec<(Arc<str>, String, Referenced)>,
}

impl<'v, V: StateView> Overlay<'v, V> {
    pub(crate) fn new(below: &'v V) -> Self {
        Self {
            below,
            accounts: BTreeMap::new(),
            payments: BTreeMap::new(),
            initiated: BTreeMap::new(),
            originals: BTreeMap::new(),
            reversed: BTreeMap::new(),
            references: Vec::new(),
        }
    }

    /// Takes over what a member of the unit did, at its place.
    pub(crate) fn absorb(&mut self, event: &Event, log_index: LogIndex, outcome: &MemberOutcome) {
        let effects = &outcome.effects;
        self.accounts.extend(effects.accounts.iter().cloned());
        for (index, record) in &effects.payments {
            if index.0 >= self.payment_count() {
                self.initiated.insert(record.id, *index);
            }
            self.payments.insert(*index, Arc::clone(record));
        }
        if let Ok(id) = <[u8; 16]>::try_from(event.event_id.as_slice()) {
            let original = Original::decided(event, outcome.number(), &effects.postings);
            self.originals.insert(EventId(id), Arc::new(original));
        }
        self.reversed.extend(effects.reversed.map(|target| (target, log_index)));
        self.references.extend(effects.external_reference.clone());
    }
}

impl<V: StateView> StateView for Overlay<'_, V> {
    fn constants(&self) -> &Constants {
        self.below.constants()
    }

    fn params(&self) -> &Params {
        self.below.params()
    }

    fn account_count(&self) -> u64 {
        self.below.account_count()
    }

    fn payment_count(&self) -> u64 {
        self.below.payment_count() + self.initiated.len() as u64
    }

    fn key_count(&self) -> u64 {
        self.below.key_count()
    }

    fn account_index(&self, id: &str) -> Result<Option<AccountIndex>, ViewError> {
        self.below.account_index(id)
    }

    fn account(&self, index: AccountIndex) -> Result<Arc<AccountRecord>, ViewError> {
        match self.accounts.get(&index) {
            Some(record) => Ok(Arc::clone(record)),
            None => self.below.account(index),
        }
    }

    fn special_account(
        &self,
        kind: AccountKind,
        currency: CurrencyCode,
    ) -> Result<Option<AccountIndex>, ViewError> {
        self.below.special_account(kind, currency)
    }

    fn payment_index(&self, id: &PaymentId) -> Result<Option<PaymentIndex>, ViewError> {
        match self.initiated.get(id) {
            Some(index) => Ok(Some(*index)),
            None => self.below.payment_index(id),
        }
    }

    fn payment(&self, index: PaymentIndex) -> Result<Arc<PaymentRecord>, ViewError> {
        match self.payments.get(&index) {
            Some(record) => Ok(Arc::clone(record)),
            None => self.below.payment(index),
        }
    }

    fn key_index(&self, key: &KeyBytes) -> Result<Option<KeyIndex>, ViewError> {
        self.below.key_index(key)
    }

    fn key(&self, index: KeyIndex) -> Result<Arc<KeyRecord>, ViewError> {
        self.below.key(index)
    }

    fn operator_count(&self) -> u64 {
        self.below.operator_count()
    }

    fn known_event(&self, id: &EventId) -> Result<Option<KnownEvent>, ViewError> {
        self.below.known_event(id)
    }

    fn original(&self, id: &EventId) -> Result<Option<Arc<Original>>, ViewError> {
        match self.originals.get(id) {
            Some(original) => Ok(Some(Arc::clone(original))),
            None => self.below.original(id),
        }
    }

    fn reversed_at(&self, id: &EventId) -> Result<Option<LogIndex>, ViewError> {
        match self.reversed.get(id) {
            Some(log_index) => Ok(Some(*log_index)),
            None => self.below.reversed_at(id),
        }
    }

    fn log_key_since(&self, key: &KeyBytes) -> Result<Option<LogIndex>, ViewError> {
        self.below.log_key_since(key)
    }

    fn known_batch(&self, id: &BatchId) -> Result<Option<LogIndex>, ViewError> {
        self.below.known_batch(id)
    }

    fn external_reference(&self, party: &str, reference: &str) -> Result<Option<Referenced>, ViewError> {
        let taken = self.references.iter().find(|(by, text, _)| by.as_ref() == party && text == reference);
        match taken {
            Some((_, _, referenced)) => Ok(Some(*referenced)),
            None => self.below.external_reference(party, reference),
        }
    }

    fn next_due(&self, at_nanos: u64) -> Result<Option<(u64, PaymentIndex)>, ViewError> {
        self.below.next_due(at_nanos)
    }
}
