//! What readers see: one consistent, synced state.

use std::sync::Arc;

use ledger_core::entry::{Content, Entry};
use ledger_core::ids::{AccountIndex, BlockHeight, EventId, LogIndex, PaymentId, PaymentIndex};
use ledger_core::record::{AccountRecord, KeyRecord, PaymentRecord};
use ledger_core::seal::{Params, Seal, Totals};
use ledger_core::view::{Constants, KnownEvent, Referenced, State as _, StateView as _, ViewError};
use ledger_crypto::KeyBytes;
use ledger_merkle::leaf_hash;
use tokio::sync::watch;

use crate::answer::Failure;
use crate::ledger::Health;
use crate::log_read::ReadError;
use crate::rows::events;
use crate::store::{HashTile, Store, StoreError};
use crate::tail::Tail;

/// A state of the ledger between two commit groups: a published tail and the store under it, owned together. It does
/// not change; take a new one per page of a list.
pub struct View {
    tail: Tail,
    store: Store,
    /// Told when what is stored turns out not to be what was sealed.
    health: watch::Sender<Health>,
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
    pub(crate) fn new(tail: Tail, store: Store, health: watch::Sender<Health>) -> Self {
        Self { tail, store, health }
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

    /// Bytes of an entry. A sealed one is compared with its hash tile; a difference stops the ledger. Errors:
    /// [`ReadError::OutOfRange`] beyond this state, [`ReadError::NotSealedYet`] at the reserved place of a seal,
    /// [`ReadError::DataLoss`].
    pub fn entry(&self, log_index: LogIndex) -> Result<Vec<u8>, ReadError> {
        let bytes = self.entry_or_place(log_index)?;
        self.checked(log_index, bytes, &mut HashTile::default())
    }

    /// Entries from `from` up to `to`, at most `limit`, until `limit_bytes` are reached (the first always); each as
    /// [`View::entry`] gives it.
    pub(crate) fn entries(
        &self,
        from: LogIndex,
        to: LogIndex,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Vec<u8>>, ReadError> {
        let (mut entries, mut bytes, mut tile) = (Vec::new(), 0, HashTile::default());
        let mut wanted = from.0..to.min(self.next_index()).0;
        let mut bundles =
            self.store.bundles_from(self.store.bundle_of(from.0)?.map_or(0, |(first, _)| first));
        while !wanted.is_empty() {
            let lost = || self.lost(LogIndex(wanted.start));
            let (first, bundle) = bundles.next().transpose()?.ok_or_else(lost)?;
            let stored = events::entries(&bundle).map_err(StoreError::from)?;
            let rest = wanted.start.checked_sub(first).and_then(|at| stored.get(at as usize..));
            let rest = rest.filter(|rest| !rest.is_empty()).ok_or_else(lost)?;
            for (entry, log_index) in rest.iter().zip(wanted.by_ref()) {
                if entries.len() == limit {
                    return Ok(entries);
                }
                let entry = (!entry.is_empty()).then(|| entry.to_vec());
                let entry = self.checked(LogIndex(log_index), entry, &mut tile)?;
                bytes += entry.len();
                if bytes > limit_bytes && !entries.is_empty() {
                    return Ok(entries);
                }
                entries.push(entry);
            }
        }
        Ok(entries)
    }

    /// An entry as it may leave: at the place of a seal the seal, when sealed what its hash tile says.
    fn checked(
        &self,
        log_index: LogIndex,
        entry: Option<Vec<u8>>,
        tile: &mut HashTile,
    ) -> Result<Vec<u8>, ReadError> {
        let entry = match entry {
            Some(entry) => entry,
            None => {
                let height = self.store.height_of_seal(log_index.0)?.ok_or(ReadError::NotSealedYet)?;
                self.store.seal(height)?.ok_or_else(|| self.lost(log_index))?.1
            }
        };
        let sealed = self.tail.sealed().is_some_and(|(_, seal)| log_index <= seal);
        if sealed && tile.hash(&self.store, log_index)? != Some(leaf_hash(&entry)) {
            return Err(self.lost(log_index));
        }
        Ok(entry)
    }

    /// What is stored is not what was sealed: nothing that rests on it is served any more.
    fn lost(&self, log_index: LogIndex) -> ReadError {
        let words = format!("entry {log_index} differs from its hash tile");
        tracing::error!(%log_index, "an entry is not what was sealed, or is missing");
        self.health.send_if_modified(|health| {
            let first = !matches!(health, Health::Stopped(_));
            if first {
                *health = Health::Stopped(Failure::InvariantBroken(words));
            }
            first
        });
        ReadError::DataLoss { log_index }
    }

    /// Bytes of an entry as its bundle has them; `None` at the reserved place of a seal.
    pub(crate) fn entry_or_place(&self, log_index: LogIndex) -> Result<Option<Vec<u8>>, ReadError> {
        if log_index >= self.next_index() {
            return Err(ReadError::OutOfRange { head: self.next_index() });
        }
        let (first, bundle) = self.store.bundle_of(log_index.0)?.ok_or_else(|| self.lost(log_index))?;
        let entries = events::entries(&bundle).map_err(StoreError::from)?;
        let entry = entries.get((log_index.0 - first) as usize).ok_or_else(|| self.lost(log_index))?;
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
        let entry = self.checked(log_index, Some(entry), &mut HashTile::default())?;
        let entry = Entry::decode(&entry).map_err(|_| self.lost(log_index))?;
        match entry.content {
            Content::Seal(seal) => {
                Ok(Some(BlockRead { log_index, recorded_at_nanos: entry.recorded_at_nanos, seal: *seal }))
            }
            _ => Err(self.lost(log_index)),
        }
    }
}
