//! G5: index rows, made again from the entries.

use std::sync::Arc;

use ledger_core::apply::ExecutedEntry;
use ledger_core::ids::LogIndex;
use ledger_core::state::MemoryState;
use ledger_core::view::StateView as _;

use super::{CheckError, expect, row_count, wrong};
use crate::base::Base;
use crate::rows::of_entry::{Before, rows_of};
use crate::store::{Store, family};

/// Index rows that were found as the entries make them.
pub(super) struct Rows {
    base: Arc<Base>,
    pub(super) count: u64,
}

impl Rows {
    pub(super) fn new(base: &Arc<Base>) -> Self {
        Self { base: Arc::clone(base), count: 0 }
    }

    /// Each row of an entry is stored as the entry makes it. Those after the last flush may be missing yet.
    pub(super) fn take(
        &mut self,
        before: &MemoryState,
        executed: &ExecutedEntry<'_>,
    ) -> Result<(), CheckError> {
        let counts = Before {
            accounts: before.account_count(),
            payments: before.payment_count(),
            log_key: before.params().log_key,
        };
        let is_flushed = executed.log_index < self.base.next_index();
        let mut taken = Ok(());
        rows_of(executed, counts, |key, value| {
            if taken.is_err() {
                return;
            }
            taken = match self.base.row(&key) {
                Ok(Some(stored)) if *stored == *value => {
                    self.count += 1;
                    Ok(())
                }
                Ok(None) if !is_flushed => Ok(()),
                Ok(other) => {
                    let field = format!("invariant G5, index row {}", hex::encode(&key));
                    let found = other.map_or_else(|| "none".to_owned(), hex::encode);
                    Err(wrong(executed.log_index, &field, &hex::encode(value), &found))
                }
                Err(error) => Err(error.into()),
            };
        });
        taken
    }

    /// The other way round: no stored index row but those that the entries make.
    pub(super) fn expect_no_other(&self, at: LogIndex, store: &Store) -> Result<(), CheckError> {
        expect(at, "invariant G5, number of index rows", self.count, row_count(store, family::INDICES)?)
    }
}
