//! State: what happened since the last flush, in memory, over the last flush.
//!
//! A [`Tail`] is a value: cloning it costs a few reference counts, and the clone does not change when the original
//! moves on. The writer owns one and publishes clones of it as [`crate::view::View`]s.

use std::collections::BTreeMap;
use std::sync::Arc;

use imbl::{HashMap, OrdMap, OrdSet, Vector};
use ledger_core::apply::{ExecutedEntry, Subject};
use ledger_core::ids::{
    AccountId, AccountIndex, BatchId, BlockHeight, CurrencyCode, EventId, KeyIndex, LogIndex, PaymentId,
    PaymentIndex,
};
use ledger_core::number::AccountKind;
use ledger_core::original::Original;
use ledger_core::record::{AccountRecord, KeyRecord, PaymentRecord};
use ledger_core::seal::{Params, Totals};
use ledger_core::view::{Constants, KnownEvent, Referenced, State, StateView, ViewError};
use ledger_crypto::KeyBytes;

use crate::base::Base;
use crate::config::Config;
use crate::log_keys::NamedKey;
use crate::rows::index;
use crate::rows::of_entry::{Before, rows_of};
use crate::rows::state::Watermark;
use crate::slice::Direction;
use crate::store::StoreError;

/// Records and index rows of a range of blocks.
#[derive(Clone, Default)]
pub(crate) struct Generation {
    pub(crate) accounts: HashMap<u64, Arc<AccountRecord>>,
    pub(crate) payments: HashMap<u64, Arc<PaymentRecord>>,
    pub(crate) keys: HashMap<u64, Arc<KeyRecord>>,
    pub(crate) rows: OrdMap<index::Key, Arc<[u8]>>,
    /// What later events may ask of these; those of the store are read from their entries.
    pub(crate) originals: HashMap<EventId, Arc<Original>>,
    pub(crate) entries: u64,
    pub(crate) bytes: u64,
}

/// A generation that waits for its flush, and what the store will hold after it.
#[derive(Clone)]
pub(crate) struct Frozen {
    pub(crate) generation: Generation,
    /// Epoch under which its records are written.
    pub(crate) epoch: u32,
    pub(crate) watermark: Watermark,
}

/// What a worker read from the store ahead of the writer; see [`Tail::row`].
#[derive(Clone, Default)]
pub(crate) struct ReadAhead {
    /// First log index that the store did not hold when it was read.
    pub(crate) next_index: LogIndex,
    /// Sorted by key.
    pub(crate) rows: Vec<(index::Key, Option<Arc<[u8]>>)>,
}

/// The whole state after the last absorbed entry.
#[derive(Clone)]
pub(crate) struct Tail {
    constants: Arc<Constants>,
    params: Params,
    totals: Totals,
    account_count: u64,
    /// Every account by name: a look-up per leg in the store would cost more than the rest of the rules.
    account_indices: HashMap<AccountId, u64>,
    payment_count: u64,
    keys: Vector<Arc<KeyRecord>>,
    key_indices: HashMap<KeyBytes, u64>,
    operator_count: u64,
    due: OrdSet<(u64, u64)>,
    active: Generation,
    frozen: Vector<Frozen>,
    base: Arc<Base>,
    ahead: Arc<ReadAhead>,
    epoch: u32,
    next_index: LogIndex,
    last_nanos: u64,
    last_seal_nanos: u64,
    sealed: Option<(BlockHeight, LogIndex)>,
}

impl Tail {
    /// The state of the last flush: reads all keys and all payments with holds.
    pub(crate) fn at_base(
        constants: Arc<Constants>,
        base: Arc<Base>,
        accounts: &[(AccountIndex, AccountRecord)],
        payments: &[(PaymentIndex, PaymentRecord)],
    ) -> Result<Self, StoreError> {
        let watermark = base.watermark().clone();
        let held = payments.iter().filter(|(_, payment)| payment.hold() > 0);
        let mut tail = Self {
            constants,
            params: watermark.params,
            totals: watermark.totals,
            account_count: watermark.account_count,
            account_indices: accounts.iter().map(|(index, account)| (account.id, index.0)).collect(),
            payment_count: watermark.payment_count,
            keys: Vector::new(),
            key_indices: HashMap::new(),
            operator_count: 0,
            due: held.map(|(index, payment)| (payment.expires_at_nanos, index.0)).collect(),
            active: Generation::default(),
            frozen: Vector::new(),
            ahead: Arc::default(),
            epoch: watermark.epoch,
            next_index: watermark.next_index,
            last_nanos: watermark.seal_nanos,
            last_seal_nanos: watermark.seal_nanos,
            sealed: Some((watermark.height, LogIndex(watermark.next_index.0 - 1))),
            base,
        };
        for (index, key) in tail.base.keys()? {
            tail.put_key(index, Arc::new(key));
        }
        Ok(tail)
    }

    pub(crate) fn next_index(&self) -> LogIndex {
        self.next_index
    }

    /// `recorded_at` of the last entry.
    pub(crate) fn last_nanos(&self) -> u64 {
        self.last_nanos
    }

    /// `recorded_at` of the next entry when the clock says `now_nanos`.
    pub(crate) fn next_nanos(&self, now_nanos: u64) -> u64 {
        now_nanos.max(self.last_nanos + 1)
    }

    /// Bytes that live in memory only, about.
    pub(crate) fn unflushed_bytes(&self) -> u64 {
        self.active.bytes + self.frozen.iter().map(|frozen| frozen.generation.bytes).sum::<u64>()
    }

    #[cfg(test)]
    pub(crate) fn active(&self) -> &Generation {
        &self.active
    }

    /// Whether a cut should freeze what is in memory now.
    pub(crate) fn freeze_at(&self, config: &Config) -> Freeze {
        let full =
            self.active.entries >= config.flush_max_entries || self.active.bytes >= config.flush_max_bytes;
        if full { Freeze::Now } else { Freeze::AtEpoch }
    }

    pub(crate) fn base(&self) -> &Arc<Base> {
        &self.base
    }

    /// Height and log index of the newest durable seal.
    pub(crate) fn sealed(&self) -> Option<(BlockHeight, LogIndex)> {
        self.sealed
    }

    pub(crate) fn set_sealed(&mut self, height: BlockHeight, log_index: LogIndex) {
        self.sealed = Some((height, log_index));
    }

    /// Lets the next look-ups use what was read ahead.
    pub(crate) fn use_ahead(&mut self, ahead: Arc<ReadAhead>) {
        self.ahead = ahead;
    }

    /// Whether a seal at `seal_nanos` is the last of its epoch: the first on a later UTC day than the seal before.
    pub(crate) fn ends_epoch(&self, seal_nanos: u64) -> bool {
        is_later_day(seal_nanos, self.last_seal_nanos)
    }

    /// Takes the place of a seal of block `height`. When `freeze` says so, everything since the last freeze waits for
    /// its flush from now on.
    pub(crate) fn take_seal(&mut self, height: BlockHeight, recorded_at_nanos: u64, freeze: Freeze) {
        let ends_epoch = self.ends_epoch(recorded_at_nanos);
        self.next_index = LogIndex(self.next_index.0 + 1);
        self.last_nanos = recorded_at_nanos;
        self.last_seal_nanos = recorded_at_nanos;
        self.active.entries += 1;
        if freeze == Freeze::Now || ends_epoch {
            let epoch = self.epoch;
            if ends_epoch {
                self.epoch += 1;
            }
            let watermark = Watermark {
                next_index: self.next_index,
                height,
                seal_nanos: recorded_at_nanos,
                epoch: self.epoch,
                params: self.params.clone(),
                account_count: self.account_count,
                payment_count: self.payment_count,
                key_count: self.keys.len() as u64,
                totals: self.totals.clone(),
            };
            let generation = std::mem::take(&mut self.active);
            self.frozen.push_back(Frozen { generation, epoch, watermark });
        }
    }

    /// Generations that wait for their flush, oldest first.
    pub(crate) fn frozen(&self) -> impl Iterator<Item = &Frozen> {
        self.frozen.iter()
    }

    /// Forgets the oldest frozen generation: `base` holds it now.
    pub(crate) fn rebase(&mut self, base: Arc<Base>) {
        self.frozen.pop_front();
        self.base = base;
    }

    /// Value of an index row: newest generation first, then what was read ahead, then the store. What was read ahead
    /// of the writer counts only if the store held then at least what this tail has dropped since.
    pub(crate) fn row(&self, key: &index::Key) -> Result<Option<Arc<[u8]>>, StoreError> {
        if let Some(value) = self.generations().find_map(|generation| generation.rows.get(key)) {
            return Ok(Some(Arc::clone(value)));
        }
        if self.ahead.next_index >= self.base.next_index()
            && let Ok(at) = self.ahead.rows.binary_search_by(|(known, _)| known.cmp(key))
        {
            return Ok(self.ahead.rows[at].1.clone());
        }
        self.base.row(key)
    }

    /// Rows with keys from `from` on for as long as `wanted` accepts the key, at most `limit`, in order; or up to `from`,
    /// last key first.
    pub(crate) fn rows<T>(
        &self,
        from: &index::Key,
        direction: Direction,
        limit: usize,
        wanted: impl Fn(&[u8], &[u8]) -> Option<Result<T, StoreError>>,
    ) -> Result<Vec<T>, StoreError> {
        let mut merged = BTreeMap::new();
        for row in self.base.rows(from, direction).take(limit) {
            let (key, value) = row?;
            match wanted(&key, &value) {
                Some(read) => merged.insert(key.into_vec(), read?),
                None => break,
            };
        }
        for generation in self.generations() {
            let rows = &generation.rows;
            let rows: Box<dyn Iterator<Item = (&index::Key, &Arc<[u8]>)>> = match direction {
                Direction::Ascending => Box::new(rows.range(from.clone()..)),
                Direction::Descending => Box::new(rows.range(..=from.clone()).rev()),
            };
            for (key, value) in rows.take(limit) {
                match wanted(key, value) {
                    Some(read) => merged.insert(key.to_vec(), read?),
                    None => break,
                };
            }
        }
        let rows = merged.into_values();
        Ok(match direction {
            Direction::Ascending => rows.take(limit).collect(),
            Direction::Descending => rows.rev().take(limit).collect(),
        })
    }

    /// Value of a row that is a log index in this state.
    fn log_index_of(&self, key: &index::Key) -> Result<Option<LogIndex>, StoreError> {
        let found = self.row(key)?.map(|value| index::read_log_index(&value)).transpose()?;
        Ok(found.filter(|log_index| *log_index < self.next_index))
    }

    /// Every key that the log names as its own, in order, that of the genesis first.
    pub(crate) fn log_keys(&self) -> Result<Vec<NamedKey>, StoreError> {
        let read = |key: &[u8], value: &[u8]| {
            index::read_log_key(key, value).map(|named| named.map_err(StoreError::from))
        };
        let mut named = self.rows(&index::first_log_key(), Direction::Ascending, usize::MAX, read)?;
        named.retain(|named| named.log_index < self.next_index);
        named.sort_unstable_by_key(|named| named.log_index);
        let genesis = KeyBytes::try_from(self.constants.genesis.log_key.as_slice());
        let key = genesis.expect("a genesis was checked");
        named.insert(0, NamedKey { key, log_index: LogIndex(0), since_nanos: 0 });
        Ok(named)
    }

    fn generations(&self) -> impl Iterator<Item = &Generation> {
        std::iter::once(&self.active).chain(self.frozen.iter().rev().map(|frozen| &frozen.generation))
    }

    fn put_row(&mut self, key: index::Key, value: &[u8]) {
        self.active.bytes += (key.len() + value.len() + ROW_OVERHEAD_BYTES) as u64;
        self.active.rows.insert(key, Arc::from(value));
    }

    fn put_account(&mut self, index: AccountIndex, account: &Arc<AccountRecord>) {
        if index.0 == self.account_count {
            self.account_count += 1;
            self.account_indices.insert(account.id, index.0);
        }
        if self.active.accounts.insert(index.0, Arc::clone(account)).is_none() {
            self.active.bytes += RECORD_BYTES;
        }
    }

    fn put_payment(&mut self, index: PaymentIndex, payment: &Arc<PaymentRecord>) {
        if index.0 == self.payment_count {
            self.payment_count += 1;
        }
        let due = (payment.expires_at_nanos, index.0);
        if payment.hold() > 0 {
            self.due.insert(due);
        } else if payment.expires_at_nanos != 0 {
            // Most payments never had a hold: nothing to look for.
            self.due.remove(&due);
        }
        if self.active.payments.insert(index.0, Arc::clone(payment)).is_none() {
            self.active.bytes += RECORD_BYTES;
        }
    }

    fn put_key(&mut self, index: KeyIndex, key: Arc<KeyRecord>) {
        let at = index.0 as usize;
        if at == self.keys.len() {
            self.key_indices.insert(key.key, index.0);
            self.keys.push_back(Arc::clone(&key));
            self.operator_count += u64::from(key.is_full_operator());
        } else {
            self.operator_count -= u64::from(self.keys[at].is_full_operator());
            self.operator_count += u64::from(key.is_full_operator());
            self.keys.set(at, key);
        }
    }
}

/// Whether a cut freezes what is in memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Freeze {
    /// Only at the end of an epoch.
    AtEpoch,
    /// At this cut.
    Now,
}

/// What a row costs in memory beside its bytes, about.
const ROW_OVERHEAD_BYTES: usize = 100;
/// What an [`Original`] costs in memory, about.
const ORIGINAL_BYTES: u64 = 300;
/// What a record costs in memory, about.
const RECORD_BYTES: u64 = 400;

/// Whether a moment lies on a later UTC day than another.
pub(crate) fn is_later_day(nanos: u64, than_nanos: u64) -> bool {
    const DAY_NANOS: u64 = 86_400_000_000_000;
    nanos / DAY_NANOS > than_nanos / DAY_NANOS
}

impl StateView for Tail {
    fn constants(&self) -> &Constants {
        &self.constants
    }

    fn params(&self) -> &Params {
        &self.params
    }

    fn account_count(&self) -> u64 {
        self.account_count
    }

    fn payment_count(&self) -> u64 {
        self.payment_count
    }

    fn key_count(&self) -> u64 {
        self.keys.len() as u64
    }

    // An interrupted flush leaves index rows of entries that this state has yet to execute again: such a row is absent.

    fn account_index(&self, id: &str) -> Result<Option<AccountIndex>, ViewError> {
        let found = AccountId::parse(id).and_then(|id| self.account_indices.get(&id).copied());
        Ok(found.map(AccountIndex))
    }

    fn account(&self, index: AccountIndex) -> Result<Arc<AccountRecord>, ViewError> {
        match self.generations().find_map(|generation| generation.accounts.get(&index.0)) {
            Some(account) => Ok(Arc::clone(account)),
            None => Ok(self.base.account(index)?),
        }
    }

    fn special_account(
        &self,
        kind: AccountKind,
        currency: CurrencyCode,
    ) -> Result<Option<AccountIndex>, ViewError> {
        let value = self.row(&index::special_key(kind, currency))?;
        let found =
            value.map(|value| index::read_account_index(&value)).transpose().map_err(StoreError::from)?;
        Ok(found.filter(|index| index.0 < self.account_count))
    }

    fn payment_index(&self, id: &PaymentId) -> Result<Option<PaymentIndex>, ViewError> {
        let value = self.row(&index::payment_key(id))?;
        let found =
            value.map(|value| index::read_payment_index(&value)).transpose().map_err(StoreError::from)?;
        Ok(found.filter(|index| index.0 < self.payment_count))
    }

    fn payment(&self, index: PaymentIndex) -> Result<Arc<PaymentRecord>, ViewError> {
        match self.generations().find_map(|generation| generation.payments.get(&index.0)) {
            Some(payment) => Ok(Arc::clone(payment)),
            None => Ok(self.base.payment(index)?),
        }
    }

    fn key_index(&self, key: &KeyBytes) -> Result<Option<KeyIndex>, ViewError> {
        Ok(self.key_indices.get(key).map(|index| KeyIndex(*index)))
    }

    fn key(&self, index: KeyIndex) -> Result<Arc<KeyRecord>, ViewError> {
        let missing = || StoreError::Missing(format!("key {index}"));
        Ok(self.keys.get(index.0 as usize).cloned().ok_or_else(missing)?)
    }

    fn operator_count(&self) -> u64 {
        self.operator_count
    }

    fn known_event(&self, id: &EventId) -> Result<Option<KnownEvent>, ViewError> {
        let value = self.row(&index::event_key(id))?;
        let found = value.map(|value| index::read_event(&value)).transpose().map_err(StoreError::from)?;
        Ok(found.filter(|known| known.log_index < self.next_index))
    }

    fn original(&self, id: &EventId) -> Result<Option<Arc<Original>>, ViewError> {
        if let Some(original) = self.generations().find_map(|generation| generation.originals.get(id)) {
            return Ok(Some(Arc::clone(original)));
        }
        let Some(known) = self.known_event(id)? else { return Ok(None) };
        let event = self.base.event(known.log_index)?;
        Ok(Some(Arc::new(Original::read(self, &event, known.outcome)?)))
    }

    fn reversed_at(&self, id: &EventId) -> Result<Option<LogIndex>, ViewError> {
        Ok(self.log_index_of(&index::reversed_key(id))?)
    }

    fn log_key_since(&self, key: &KeyBytes) -> Result<Option<LogIndex>, ViewError> {
        let named = self.log_keys()?;
        Ok(named.iter().find(|named| named.key == *key).map(|named| named.log_index))
    }

    fn known_batch(&self, id: &BatchId) -> Result<Option<LogIndex>, ViewError> {
        Ok(self.log_index_of(&index::batch_key(id))?)
    }

    fn external_reference(&self, party: &str, reference: &str) -> Result<Option<Referenced>, ViewError> {
        let Some(key) = index::reference_key(party, reference) else { return Ok(None) };
        let value = self.row(&key)?;
        let found = value.map(|value| index::read_reference(&value)).transpose().map_err(StoreError::from)?;
        let is_there = match found {
            Some(Referenced::Payment(id)) => self.payment_index(&id)?.is_some(),
            Some(Referenced::Transfer(id)) => self.known_event(&id)?.is_some(),
            None => false,
        };
        Ok(found.filter(|_| is_there))
    }

    fn next_due(&self, at_nanos: u64) -> Result<Option<(u64, PaymentIndex)>, ViewError> {
        let first = self.due.get_min().filter(|(expires_at, _)| *expires_at <= at_nanos);
        Ok(first.map(|(expires_at, payment)| (*expires_at, PaymentIndex(*payment))))
    }
}

impl State for Tail {
    fn totals(&self) -> &Totals {
        &self.totals
    }

    fn absorb(&mut self, executed: &ExecutedEntry<'_>) {
        let effects = executed.effects;
        let before = Before {
            accounts: self.account_count,
            payments: self.payment_count,
            log_key: self.params.log_key,
        };
        rows_of(executed, before, |key, value| self.put_row(key, value));
        self.totals.absorb(effects);
        for (index, account) in &effects.accounts {
            self.put_account(*index, account);
        }
        for (index, payment) in &effects.payments {
            self.put_payment(*index, payment);
        }
        for (index, key) in &effects.keys {
            self.put_key(*index, Arc::clone(key));
            self.active.keys.insert(index.0, Arc::clone(key));
        }
        if let Some(params) = &effects.params {
            self.params = params.clone();
        }
        if let Subject::Event { event, .. } = executed.subject {
            let id = EventId(event.event_id.as_slice().try_into().expect("admission checked the event id"));
            let original = Original::decided(event, executed.outcome, &effects.postings);
            self.active.bytes += ORIGINAL_BYTES;
            self.active.originals.insert(id, Arc::new(original));
        }
        self.next_index = LogIndex(executed.log_index.0 + 1);
        self.last_nanos = executed.recorded_at_nanos;
        self.active.entries += 1;
    }
}
