//! What readers see: one consistent, synced state.

use std::sync::Arc;

use ledger_core::entry::{Content, Entry};
use ledger_core::ids::{AccountIndex, BlockHeight, EventId, LogIndex, PaymentId, PaymentIndex};
use ledger_core::record::{AccountRecord, KeyRecord, PaymentRecord};
use ledger_core::seal::{Params, Seal, Totals};
use ledger_core::view::{Constants, KnownEvent, Referenced, State as _, StateView as _, ViewError};
use ledger_crypto::KeyBytes;

use crate::log_read::ReadError;
use crate::rows::events;
use crate::store::{Store, StoreError};
use crate::tail::Tail;

/// A state of the ledger between two commit groups: a published tail and the store under it, owned together. It does
/// not change; take a new one per page of a list.
pub struct View {
    tail: Tail,
    store: Store,
}

/// A block as its seal tells it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BlockRead {
    /// Place of the seal.
    pub log_index: LogIndex,
    /// Time of the seal.
    pub recorded_at_nanos: u64,
    /// The seal.
    pub seal: Seal,
}

impl View {
    pub(crate) fn new(tail: Tail, store: Store) -> Self {
        Self { tail, store }
    }

    pub(crate) fn tail(&self) -> &Tail {
        &self.tail
    }

    pub(crate) fn store(&self) -> &Store {
        &self.store
    }

    /// First log index that is not in this state.
    pub fn next_index(&self) -> LogIndex {
        self.tail.next_index()
    }

    /// Height of the newest durable seal.
    pub fn height(&self) -> Option<BlockHeight> {
        self.tail.sealed().map(|(height, _)| height)
    }

    /// What the genesis fixed.
    pub fn constants(&self) -> &Constants {
        self.tail.constants()
    }

    /// What is in force.
    pub fn params(&self) -> &Params {
        self.tail.params()
    }

    /// Sums of the counters per currency.
    pub fn totals(&self) -> &Totals {
        self.tail.totals()
    }

    /// Number of accounts.
    pub fn account_count(&self) -> u64 {
        self.tail.account_count()
    }

    /// Number of payments.
    pub fn payment_count(&self) -> u64 {
        self.tail.payment_count()
    }

    /// Where an event stands and what became of it.
    pub fn event(&self, id: &EventId) -> Result<Option<KnownEvent>, ReadError> {
        Ok(self.tail.known_event(id)?)
    }

    /// Bytes of an entry. Errors: [`ReadError::OutOfRange`] beyond this state, [`ReadError::NotSealedYet`] at the
    /// reserved place of a seal.
    pub fn entry(&self, log_index: LogIndex) -> Result<Vec<u8>, ReadError> {
        if let Some(entry) = self.entry_or_place(log_index)? {
            return Ok(entry);
        }
        let lost = || ReadError::DataLoss { log_index };
        let height = self.store.height_of_seal(log_index.0)?.ok_or(ReadError::NotSealedYet)?;
        Ok(self.store.seal(height)?.ok_or_else(lost)?.1)
    }

    /// Bytes of an entry as its bundle has them; `None` at the reserved place of a seal.
    pub(crate) fn entry_or_place(&self, log_index: LogIndex) -> Result<Option<Vec<u8>>, ReadError> {
        if log_index >= self.next_index() {
            return Err(ReadError::OutOfRange { head: self.next_index() });
        }
        let lost = || ReadError::DataLoss { log_index };
        let (first, bundle) = self.store.bundle_of(log_index.0)?.ok_or_else(lost)?;
        let entries = events::entries(&bundle).map_err(StoreError::from)?;
        let entry = entries.get((log_index.0 - first) as usize).ok_or_else(lost)?;
        Ok((!entry.is_empty()).then(|| entry.to_vec()))
    }

    /// A payment.
    pub fn payment(&self, id: &PaymentId) -> Result<Option<(PaymentIndex, Arc<PaymentRecord>)>, ReadError> {
        let index = self.tail.payment_index(id)?;
        Ok(index.map(|index| Ok::<_, ViewError>((index, self.tail.payment(index)?))).transpose()?)
    }

    /// An account by name.
    pub fn account(&self, id: &str) -> Result<Option<(AccountIndex, Arc<AccountRecord>)>, ReadError> {
        let index = self.tail.account_index(id)?;
        Ok(index.map(|index| Ok::<_, ViewError>((index, self.tail.account(index)?))).transpose()?)
    }

    /// An account by position.
    pub fn account_by_index(&self, index: AccountIndex) -> Result<Option<Arc<AccountRecord>>, ReadError> {
        if index.0 >= self.account_count() {
            return Ok(None);
        }
        Ok(Some(self.tail.account(index)?))
    }

    /// Who has taken an external reference of a party.
    pub fn external_reference(&self, party: &str, reference: &str) -> Result<Option<Referenced>, ReadError> {
        Ok(self.tail.external_reference(party, reference)?)
    }

    /// A registered key.
    pub fn key(&self, key: &KeyBytes) -> Result<Option<Arc<KeyRecord>>, ReadError> {
        let index = self.tail.key_index(key)?;
        Ok(index.map(|index| self.tail.key(index)).transpose()?)
    }

    /// A block that is sealed, durably.
    pub fn block(&self, height: BlockHeight) -> Result<Option<BlockRead>, ReadError> {
        if self.height().is_none_or(|newest| height > newest) {
            return Ok(None);
        }
        let Some((log_index, entry)) = self.store.seal(height.0)? else { return Ok(None) };
        let log_index = LogIndex(log_index);
        let entry = Entry::decode(&entry).map_err(|_| ReadError::DataLoss { log_index })?;
        match entry.content {
            Content::Seal(seal) => {
                Ok(Some(BlockRead { log_index, recorded_at_nanos: entry.recorded_at_nanos, seal: *seal }))
            }
            _ => Err(ReadError::DataLoss { log_index }),
        }
    }
}
