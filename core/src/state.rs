//! State in memory: what the verifier holds while it replays a log, and the model for stores.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use ledger_crypto::KeyBytes;

use crate::apply::{Effects, ExecutedEntry, Subject, genesis_effects, genesis_params};
use crate::ids::{
    AccountId, AccountIndex, BatchId, CurrencyCode, EventId, KeyIndex, LogIndex, PaymentId, PaymentIndex,
};
use crate::number::AccountKind;
use crate::original::Original;
use crate::record::{AccountRecord, KeyRecord, PaymentRecord};
use crate::seal::{Params, Totals};
use crate::view::{Constants, KnownEvent, Referenced, State, StateView, ViewError};

/// Everything in maps. Memory grows with accounts, payments and events.
#[derive(Clone, Debug)]
pub struct MemoryState {
    constants: Constants,
    params: Params,
    totals: Totals,
    accounts: Vec<Arc<AccountRecord>>,
    account_ids: BTreeMap<AccountId, AccountIndex>,
    special_accounts: BTreeMap<(AccountKind, CurrencyCode), AccountIndex>,
    payments: Vec<Arc<PaymentRecord>>,
    payment_ids: BTreeMap<PaymentId, PaymentIndex>,
    keys: Vec<Arc<KeyRecord>>,
    /// Of them, operators that may sign anything of theirs.
    operator_count: u64,
    key_ids: BTreeMap<KeyBytes, KeyIndex>,
    events: BTreeMap<EventId, (KnownEvent, Arc<Original>)>,
    reversed: BTreeMap<EventId, LogIndex>,
    log_keys: BTreeMap<KeyBytes, LogIndex>,
    batches: BTreeMap<BatchId, LogIndex>,
    references: BTreeMap<Arc<str>, BTreeMap<String, Referenced>>,
    due: BTreeSet<(u64, PaymentIndex)>,
}

/// A record that the state does not have: an index from elsewhere.
#[derive(Debug, thiserror::Error)]
#[error("there is no {what} {index}")]
struct Missing {
    what: &'static str,
    index: u64,
}

impl MemoryState {
    /// The state after the genesis.
    pub fn new(constants: Constants) -> Self {
        let effects = genesis_effects(&constants);
        let mut state = Self {
            params: genesis_params(&constants),
            constants,
            totals: Totals::default(),
            accounts: Vec::new(),
            account_ids: BTreeMap::new(),
            special_accounts: BTreeMap::new(),
            payments: Vec::new(),
            payment_ids: BTreeMap::new(),
            keys: Vec::new(),
            operator_count: 0,
            key_ids: BTreeMap::new(),
            events: BTreeMap::new(),
            reversed: BTreeMap::new(),
            log_keys: BTreeMap::new(),
            batches: BTreeMap::new(),
            references: BTreeMap::new(),
            due: BTreeSet::new(),
        };
        state.take_over(LogIndex(0), &effects);
        state
    }

    /// All accounts, in order of opening.
    pub fn accounts(&self) -> &[Arc<AccountRecord>] {
        &self.accounts
    }

    /// All payments, in order of initiation.
    pub fn payments(&self) -> &[Arc<PaymentRecord>] {
        &self.payments
    }

    /// All keys, in order of registration.
    pub fn keys(&self) -> &[Arc<KeyRecord>] {
        &self.keys
    }

    /// Every key that signed the log or signs it now, in no order of time.
    pub fn log_keys(&self) -> impl Iterator<Item = &KeyBytes> {
        self.log_keys.keys()
    }

    fn take_over(&mut self, log_index: LogIndex, effects: &Effects) {
        for (index, record) in &effects.accounts {
            if put(&mut self.accounts, index.0, record) == Put::Added {
                self.account_ids.insert(record.id, *index);
                self.special_accounts.entry((record.kind, record.currency)).or_insert(*index);
            }
        }
        for (index, record) in &effects.payments {
            if put(&mut self.payments, index.0, record) == Put::Added {
                self.payment_ids.insert(record.id, *index);
            }
            let due = (record.expires_at_nanos, *index);
            if record.hold() > 0 {
                self.due.insert(due);
            } else {
                self.due.remove(&due);
            }
        }
        for (index, record) in &effects.keys {
            let before = usize::try_from(index.0).ok().and_then(|index| self.keys.get(index));
            self.operator_count -= u64::from(before.is_some_and(|before| before.is_full_operator()));
            self.operator_count += u64::from(record.is_full_operator());
            if put(&mut self.keys, index.0, record) == Put::Added {
                self.key_ids.insert(record.key, *index);
            }
        }
        if let Some((party, reference, referenced)) = &effects.external_reference {
            self.references.entry(Arc::clone(party)).or_default().insert(reference.clone(), *referenced);
        }
        if let Some(target) = effects.reversed {
            self.reversed.insert(target, log_index);
        }
        if let Some(params) = &effects.params {
            self.params = params.clone();
            self.log_keys.entry(params.log_key).or_insert(log_index);
        }
        self.totals.absorb(effects);
    }
}

impl State for MemoryState {
    fn totals(&self) -> &Totals {
        &self.totals
    }

    fn absorb(&mut self, executed: &ExecutedEntry<'_>) {
        if let Subject::Event { event, digest } = executed.subject
            && let Ok(id) = <[u8; 16]>::try_from(event.event_id.as_slice())
        {
            let known = KnownEvent {
                log_index: executed.log_index,
                recorded_at_nanos: executed.recorded_at_nanos,
                outcome: executed.outcome,
                digest,
            };
            let original = Original::decided(event, executed.outcome, &executed.effects.postings);
            self.events.insert(EventId(id), (known, Arc::new(original)));
        }
        if let Subject::Batch { batch_id } = executed.subject {
            self.batches.insert(batch_id, executed.log_index);
        }
        self.take_over(executed.log_index, executed.effects);
    }
}

impl StateView for MemoryState {
    fn constants(&self) -> &Constants {
        &self.constants
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn account_count(&self) -> u64 {
        self.accounts.len() as u64
    }

    fn payment_count(&self) -> u64 {
        self.payments.len() as u64
    }

    fn key_count(&self) -> u64 {
        self.keys.len() as u64
    }

    fn account_index(&self, id: &str) -> Result<Option<AccountIndex>, ViewError> {
        Ok(AccountId::parse(id).and_then(|id| self.account_ids.get(&id).copied()))
    }

    fn account(&self, index: AccountIndex) -> Result<Arc<AccountRecord>, ViewError> {
        record(&self.accounts, "account", index.0)
    }

    fn special_account(
        &self,
        kind: AccountKind,
        currency: CurrencyCode,
    ) -> Result<Option<AccountIndex>, ViewError> {
        Ok(self.special_accounts.get(&(kind, currency)).copied())
    }

    fn payment_index(&self, id: &PaymentId) -> Result<Option<PaymentIndex>, ViewError> {
        Ok(self.payment_ids.get(id).copied())
    }

    fn payment(&self, index: PaymentIndex) -> Result<Arc<PaymentRecord>, ViewError> {
        record(&self.payments, "payment", index.0)
    }

    fn key_index(&self, key: &KeyBytes) -> Result<Option<KeyIndex>, ViewError> {
        Ok(self.key_ids.get(key).copied())
    }

    fn key(&self, index: KeyIndex) -> Result<Arc<KeyRecord>, ViewError> {
        record(&self.keys, "key", index.0)
    }

    fn operator_count(&self) -> u64 {
        self.operator_count
    }

    fn known_event(&self, id: &EventId) -> Result<Option<KnownEvent>, ViewError> {
        Ok(self.events.get(id).map(|(known, _)| *known))
    }

    fn original(&self, id: &EventId) -> Result<Option<Arc<Original>>, ViewError> {
        Ok(self.events.get(id).map(|(_, original)| Arc::clone(original)))
    }

    fn reversed_at(&self, id: &EventId) -> Result<Option<LogIndex>, ViewError> {
        Ok(self.reversed.get(id).copied())
    }

    fn log_key_since(&self, key: &KeyBytes) -> Result<Option<LogIndex>, ViewError> {
        Ok(self.log_keys.get(key).copied())
    }

    fn known_batch(&self, id: &BatchId) -> Result<Option<LogIndex>, ViewError> {
        Ok(self.batches.get(id).copied())
    }

    fn external_reference(&self, party: &str, reference: &str) -> Result<Option<Referenced>, ViewError> {
        Ok(self.references.get(party).and_then(|taken| taken.get(reference)).copied())
    }

    fn next_due(&self, at_nanos: u64) -> Result<Option<(u64, PaymentIndex)>, ViewError> {
        Ok(self.due.first().filter(|(expires_at, _)| *expires_at <= at_nanos).copied())
    }
}

#[derive(PartialEq, Eq)]
enum Put {
    Replaced,
    Added,
}

/// Records are dense: an index is that of a record there, or the next one.
fn put<T>(records: &mut Vec<Arc<T>>, index: u64, record: &Arc<T>) -> Put {
    match usize::try_from(index).ok().and_then(|index| records.get_mut(index)) {
        Some(place) => {
            *place = Arc::clone(record);
            Put::Replaced
        }
        None => {
            records.push(Arc::clone(record));
            Put::Added
        }
    }
}

fn record<T>(records: &[Arc<T>], what: &'static str, index: u64) -> Result<Arc<T>, ViewError> {
    let found = usize::try_from(index).ok().and_then(|index| records.get(index));
    found.map(Arc::clone).ok_or_else(|| ViewError(Box::new(Missing { what, index })))
}
