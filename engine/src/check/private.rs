//! Private data against what events commit to, and orders to erase it against the events that gave them.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::apply::{ExecutedEntry, Subject};
use ledger_core::event::Body;
use ledger_core::ids::{EventId, LogIndex};
use ledger_core::state::MemoryState;
use ledger_core::view::StateView as _;
use rocksdb::IteratorMode;

use super::{CheckError, expect, wrong};
use crate::rows::sidecar::{Stage, erasure_of_key, private_of_key, read_erasure};
use crate::store::{Store, StoreError, family};

/// What the entries say of private data.
pub(super) struct Private<'s> {
    store: &'s Store,
    /// Rows of private data that are what their events commit to.
    kept: u64,
    /// Events that order an erasure, by the event whose data it erases. Its row names one of them: it may be ordered again
    /// while it is carried out.
    ordered: BTreeMap<u64, BTreeSet<u64>>,
}

impl<'s> Private<'s> {
    pub(super) fn new(store: &'s Store) -> Self {
        Self { store, kept: 0, ordered: BTreeMap::new() }
    }

    /// The data beside an entry is what its event commits to.
    pub(super) fn take(
        &mut self,
        before: &MemoryState,
        executed: &ExecutedEntry<'_>,
    ) -> Result<(), CheckError> {
        let Subject::Event { event, .. } = executed.subject else { return Ok(()) };
        let at = executed.log_index;
        if let Some(sidecar) = self.store.private(at.0)? {
            let (expected, found) =
                (hex::encode(&event.metadata_commitment), hex::encode(sidecar.commitment()));
            expect(at, "commitment of the private data", expected, found)?;
            self.kept += 1;
        }
        if let (0, Body::MetadataErased(body)) = (executed.outcome, &event.body) {
            let target = <[u8; 16]>::try_from(body.event_id.as_slice()).ok().map(EventId);
            let known = target.map(|id| before.known_event(&id)).transpose();
            let known = known.map_err(|error| CheckError::Storage(error.to_string()))?.flatten();
            if let Some(known) = known {
                self.ordered.entry(known.log_index.0).or_default().insert(at.0);
            }
        }
        Ok(())
    }

    /// Every order stands in its row, and there is no other row of entries below `size`; how many there are.
    pub(super) fn expect_no_other(&self, size: u64) -> Result<u64, CheckError> {
        let mut ordered = BTreeMap::new();
        let (mut kept, mut count) = (0, 0);
        for row in self.store.db().iterator_cf(self.store.family(family::SIDECAR), IteratorMode::Start) {
            let (key, value) = row.map_err(StoreError::from)?;
            count += 1;
            if let Some(log_index) = private_of_key(&key) {
                kept += u64::from(log_index < size);
            } else if let Some(log_index) = erasure_of_key(&key) {
                let erasure = read_erasure(&value)?;
                if erasure.stage == Stage::Done && self.store.private(log_index)?.is_some() {
                    let at = LogIndex(log_index);
                    return Err(wrong(at, "private data", "none: it is erased", "a row"));
                }
                ordered.insert(log_index, erasure.by);
            } else {
                let at = LogIndex(size - 1);
                return Err(wrong(at, "row of private data", "a known kind", &hex::encode(key)));
            }
        }
        for (log_index, by) in &self.ordered {
            // An entry that is not sealed yet may have ordered it again.
            let found = ordered.get(log_index);
            if found.is_none_or(|found| !by.contains(found) && *found < size) {
                let by = by.iter().map(u64::to_string).collect::<Vec<_>>().join(" or ");
                let found = found.map_or_else(|| "none".to_owned(), u64::to_string);
                return Err(wrong(LogIndex(*log_index), "erasure ordered by entry", &by, &found));
            }
        }
        for (log_index, by) in ordered.iter().filter(|(_, by)| **by < size) {
            if !self.ordered.contains_key(log_index) {
                return Err(wrong(
                    LogIndex(*log_index),
                    "erasure",
                    "none",
                    &format!("ordered by entry {by}"),
                ));
            }
        }
        expect(LogIndex(size - 1), "number of rows of private data", self.kept, kept)?;
        Ok(count)
    }
}
