//! State and indices as of the last flush: a RocksDB snapshot, owned together with its database.

use std::sync::Arc;

use ledger_core::event::Event;
use ledger_core::ids::{AccountIndex, KeyIndex, LogIndex, PaymentIndex};
use ledger_core::record::{AccountRecord, KeyRecord, PaymentRecord};
use rocksdb::{DB, IteratorMode, ReadOptions, SnapshotWithThreadMode};
use self_cell::self_cell;

use crate::intake::event_of;
use crate::rows::RowError;
use crate::rows::events;
use crate::rows::state::{Record, Watermark, index_of_key, record_prefix};
use crate::slice::Direction;
use crate::store::{Store, StoreError, family};

type SnapshotOf<'a> = SnapshotWithThreadMode<'a, DB>;

self_cell!(
    struct Snapshot {
        owner: Arc<DB>,
        #[covariant]
        dependent: SnapshotOf,
    }
);

/// Key and value of a row.
type Row = (Box<[u8]>, Box<[u8]>);

/// Everything up to the watermark, as it was when the snapshot was taken.
pub(crate) struct Base {
    watermark: Watermark,
    snapshot: Snapshot,
    store: Store,
}

impl Base {
    /// Takes a snapshot now; `watermark` must be the one that the store holds.
    pub(crate) fn new(store: &Store, watermark: Watermark) -> Arc<Self> {
        let snapshot = Snapshot::new(Arc::clone(store.db()), |db| db.snapshot());
        Arc::new(Self { watermark, snapshot, store: store.clone() })
    }

    pub(crate) fn watermark(&self) -> &Watermark {
        &self.watermark
    }

    /// First log index that is not in here.
    pub(crate) fn next_index(&self) -> LogIndex {
        self.watermark.next_index
    }

    /// Value of a row of `indices`.
    pub(crate) fn row(&self, key: &[u8]) -> Result<Option<Arc<[u8]>>, StoreError> {
        let indices = self.store.family(family::INDICES);
        Ok(self.snapshot.borrow_dependent().get_pinned_cf(indices, key)?.map(|value| Arc::from(&*value)))
    }

    /// Rows of `indices` from `key` on in order, or up to `key`, last first.
    pub(crate) fn rows<'a>(
        &'a self,
        key: &[u8],
        direction: Direction,
    ) -> impl Iterator<Item = Result<Row, rocksdb::Error>> + use<'a> {
        let direction = match direction {
            Direction::Ascending => rocksdb::Direction::Forward,
            Direction::Descending => rocksdb::Direction::Reverse,
        };
        let mode = IteratorMode::From(key, direction);
        self.snapshot.borrow_dependent().iterator_cf(self.store.family(family::INDICES), mode)
    }

    /// The event of an entry that was flushed, or is durable at least.
    pub(crate) fn event(&self, log_index: LogIndex) -> Result<Event, StoreError> {
        let missing = || StoreError::Missing(format!("the event of entry {log_index}"));
        let (first, bundle) = self.store.bundle_of(log_index.0)?.ok_or_else(missing)?;
        let entries = events::entries(&bundle)?;
        let entry = log_index.0.checked_sub(first).and_then(|at| entries.get(usize::try_from(at).ok()?));
        event_of(entry.ok_or_else(missing)?).ok_or_else(missing)
    }

    pub(crate) fn account(&self, index: AccountIndex) -> Result<Arc<AccountRecord>, StoreError> {
        let value = self.record(Record::Account, index.0)?;
        AccountRecord::decode(&value).map(Arc::new).map_err(|e| malformed(&e))
    }

    pub(crate) fn payment(&self, index: PaymentIndex) -> Result<Arc<PaymentRecord>, StoreError> {
        let value = self.record(Record::Payment, index.0)?;
        PaymentRecord::decode(&value).map(Arc::new).map_err(|e| malformed(&e))
    }

    /// All accounts in order.
    pub(crate) fn accounts(&self) -> Result<Vec<(AccountIndex, AccountRecord)>, StoreError> {
        self.records(Record::Account, self.watermark.account_count, |index, value| {
            Ok((AccountIndex(index), AccountRecord::decode(value).map_err(|e| malformed(&e))?))
        })
    }

    /// All payments in order.
    pub(crate) fn payments(&self) -> Result<Vec<(PaymentIndex, PaymentRecord)>, StoreError> {
        self.records(Record::Payment, self.watermark.payment_count, |index, value| {
            Ok((PaymentIndex(index), PaymentRecord::decode(value).map_err(|e| malformed(&e))?))
        })
    }

    /// All keys in order.
    pub(crate) fn keys(&self) -> Result<Vec<(KeyIndex, KeyRecord)>, StoreError> {
        self.records(Record::Key, self.watermark.key_count, |index, value| {
            Ok((KeyIndex(index), KeyRecord::decode(value).map_err(|e| malformed(&e))?))
        })
    }

    /// The newest epoch of a record that must be there.
    fn record(&self, record: Record, index: u64) -> Result<Box<[u8]>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_prefix_same_as_start(true);
        let prefix = record_prefix(record, index);
        let mode = IteratorMode::From(&prefix, rocksdb::Direction::Forward);
        let state = self.store.family(family::STATE);
        let mut rows = self.snapshot.borrow_dependent().iterator_cf_opt(state, options, mode);
        match rows.next().transpose()? {
            Some((key, value)) if key.starts_with(&prefix) => Ok(value),
            _ => Err(StoreError::Missing(format!("{record:?} {index}"))),
        }
    }

    /// The newest epoch of every record of a kind; there must be `count`, without gaps.
    fn records<T>(
        &self,
        record: Record,
        count: u64,
        read: impl Fn(u64, &[u8]) -> Result<T, StoreError>,
    ) -> Result<Vec<T>, StoreError> {
        let mut options = ReadOptions::default();
        options.set_total_order_seek(true);
        let start = record_prefix(record, 0);
        let mode = IteratorMode::From(&start, rocksdb::Direction::Forward);
        let state = self.store.family(family::STATE);
        let mut found = Vec::new();
        for row in self.snapshot.borrow_dependent().iterator_cf_opt(state, options, mode) {
            let (key, value) = row?;
            let Some(index) = index_of_key(record, &key) else { break };
            let next = found.len() as u64;
            if index == next {
                found.push(read(index, &value)?);
            } else if index > next {
                break;
            }
        }
        if found.len() as u64 == count {
            Ok(found)
        } else {
            Err(StoreError::Missing(format!("{record:?} {} of {count}", found.len())))
        }
    }
}

fn malformed(error: &impl std::fmt::Display) -> StoreError {
    RowError::new(family::STATE, error.to_string()).into()
}
