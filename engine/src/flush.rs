//! Flush: index rows and state of sealed blocks, from memory into the store. Indices first, then state with its
//! watermark in one write, never the other way round: index rows are pure functions of entries, so those of an
//! interrupted flush are written again without harm.

use rocksdb::WriteBatch;

use crate::rows::state::{Record, WATERMARK_KEY, record_key};
use crate::store::{Store, StoreError, family};
use crate::tail::Frozen;

/// Rows of one write: small, because a commit waits behind it.
const CHUNK_ROWS: usize = 2_048;

/// Writes the index rows of a generation.
pub(crate) fn write_indices(store: &Store, frozen: &Frozen) -> Result<(), StoreError> {
    let mut batch = WriteBatch::default();
    for (key, value) in &frozen.generation.rows {
        batch.put_cf(store.family(family::INDICES), key, value);
        if batch.len() >= CHUNK_ROWS {
            store.write(std::mem::take(&mut batch))?;
        }
    }
    store.write(batch)
}

/// Writes the state of a generation and its watermark: all or nothing.
pub(crate) fn write_state(store: &Store, frozen: &Frozen) -> Result<(), StoreError> {
    let generation = &frozen.generation;
    let epoch = frozen.epoch;
    let state = store.family(family::STATE);
    let mut batch = WriteBatch::default();
    for (index, account) in &generation.accounts {
        batch.put_cf(state, record_key(Record::Account, *index, epoch), account.encode());
    }
    for (index, payment) in &generation.payments {
        batch.put_cf(state, record_key(Record::Payment, *index, epoch), payment.encode());
    }
    for (index, key) in &generation.keys {
        batch.put_cf(state, record_key(Record::Key, *index, epoch), key.encode());
    }
    batch.put_cf(state, WATERMARK_KEY, frozen.watermark.encode());
    store.write(batch)
}
