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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::apply::{Effects, ExecutedEntry, Subject};
    use crate::event::{AccountOpened, Body};
    use crate::genesis::{Genesis, Limits, Operator};
    use crate::ids::AccountId;
    use crate::line::first_chain;
    use crate::number::{AccountStatus, CaptureMode, PaymentStatus, Route};
    use crate::record::Counters;
    use crate::state::MemoryState;
    use crate::view::State;

    const OPERATOR: KeyBytes = [2; 32];
    const LOG_KEY: KeyBytes = [1; 32];
    const EVENT: [u8; 16] = [3; 16];
    const BATCH: BatchId = BatchId([4; 16]);

    /// A state that has one of everything.
    fn below() -> MemoryState {
        let operator = |key: KeyBytes| Operator { key: key.to_vec(), party: "operator".to_owned() };
        let operators = vec![operator(OPERATOR), operator([7; 32])];
        let genesis =
            Genesis { log_key: LOG_KEY.to_vec(), operators, rules_version: 1, ..Genesis::default() };
        let mut state = MemoryState::new(Constants {
            genesis,
            ledger_id: [9; 32],
            operator_threshold: 1,
            currencies: Vec::new(),
            limits: Limits { group_members: 4, batch_members: 10 },
        });
        let event = Event {
            event_id: EVENT.to_vec(),
            body: Body::AccountOpened(AccountOpened::default()),
            ..Event::default()
        };
        let accounts = ["one", "two"].iter().zip(0..).map(|(id, index)| (AccountIndex(index), account(id)));
        let payments = vec![(PaymentIndex(0), Arc::new(held()))];
        let effects = Effects { accounts: accounts.collect(), payments, ..Effects::default() };
        let entry = |log_index, subject| ExecutedEntry {
            log_index: LogIndex(log_index),
            recorded_at_nanos: log_index,
            t_nanos: log_index,
            outcome: 0,
            subject,
            effects: &effects,
        };
        state.absorb(&entry(2, Subject::Event { event: &event, digest: [5; 32] }));
        state.absorb(&entry(3, Subject::Batch { batch_id: BATCH }));
        state
    }

    fn account(id: &str) -> Arc<AccountRecord> {
        let id = AccountId::parse(id).unwrap();
        Arc::new(AccountRecord {
            status: AccountStatus::Open,
            kind: AccountKind::Customer,
            exponent: 2,
            currency: CurrencyCode::parse("USD").unwrap(),
            id,
            limit: 0,
            counters: Counters::default(),
            opened_index: LogIndex(2),
            line_count: 0,
            statement_chain: first_chain(&id),
        })
    }

    fn held() -> PaymentRecord {
        PaymentRecord {
            status: PaymentStatus::Authorized,
            capture_mode: CaptureMode::Deferred,
            route: Route::Direct,
            last_release: None,
            id: PaymentId([6; 16]),
            debtor: AccountIndex(0),
            creditor: AccountIndex(1),
            clearing: None,
            currency: CurrencyCode::parse("USD").unwrap(),
            amount: 10,
            auth: 10,
            capt: 0,
            rel: 0,
            sett: 0,
            refd: 0,
            disp: 0,
            lost: 0,
            expires_at_nanos: 77,
            head: EventId(EVENT),
            event_count: 2,
            last_index: LogIndex(2),
        }
    }

    /// What no member of a group changes is what it was before the group.
    #[test]
    fn what_groups_do_not_change_is_answered_from_below() {
        let below = below();
        let overlay = Overlay::new(&below);
        assert_eq!((overlay.account_count(), overlay.payment_count()), (2, 1));
        assert_eq!((overlay.key_count(), overlay.operator_count()), (2, 2));
        assert_eq!(overlay.key_index(&OPERATOR).unwrap(), Some(KeyIndex(0)));
        assert_eq!(overlay.known_event(&EventId(EVENT)).unwrap().unwrap().log_index, LogIndex(2));
        assert_eq!(overlay.known_event(&EventId([0; 16])).unwrap(), None);
        assert_eq!(overlay.known_batch(&BATCH).unwrap(), Some(LogIndex(3)));
        assert_eq!(overlay.known_batch(&BatchId([0; 16])).unwrap(), None);
        assert_eq!(overlay.log_key_since(&LOG_KEY).unwrap(), Some(LogIndex(0)));
        assert_eq!(overlay.log_key_since(&OPERATOR).unwrap(), None);
        assert_eq!(overlay.next_due(76).unwrap(), None);
        assert_eq!(overlay.next_due(77).unwrap(), Some((77, PaymentIndex(0))));
    }
}
