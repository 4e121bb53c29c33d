//! G4: records as they were at the end of each epoch and at the last flush, the watermark, and the keys of the log.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_core::apply::{ExecutedEntry, genesis_effects};
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::state::MemoryState;
use ledger_core::view::{Constants, State as _, StateView as _};
use ledger_crypto::KeyBytes;

use super::{CheckError, expect, row_count, wrong};
use crate::base::Base;
use crate::log_keys::NamedKey;
use crate::rows::state::{Record, record_key};
use crate::store::{Store, StoreError, family};
use crate::tail::is_later_day;

/// Records that changed since the end of an epoch, and what was found of those before.
pub(super) struct States<'s> {
    store: &'s Store,
    base: Arc<Base>,
    epoch: u32,
    last_seal_nanos: u64,
    changed: BTreeMap<(Record, u64), Vec<u8>>,
    /// Rows that were found as the entries make them.
    pub(super) count: u64,
    /// Every key that the log names, oldest first.
    pub(super) log_keys: Vec<NamedKey>,
}

impl<'s> States<'s> {
    pub(super) fn new(store: &'s Store, base: &Arc<Base>, constants: &Constants) -> Self {
        let mut states = Self {
            store,
            base: Arc::clone(base),
            epoch: 0,
            last_seal_nanos: 0,
            changed: BTreeMap::new(),
            count: 0,
            log_keys: Vec::new(),
        };
        let genesis = genesis_effects(constants);
        for (index, key) in &genesis.keys {
            states.changed.insert((Record::Key, index.0), key.encode());
        }
        let log_key = genesis.params.map_or(KeyBytes::default(), |params| params.log_key);
        states.log_keys.push(NamedKey { key: log_key, log_index: LogIndex(0), since_nanos: 0 });
        states
    }

    /// Notes what an entry changes.
    pub(super) fn take(&mut self, before: &MemoryState, executed: &ExecutedEntry<'_>) {
        let effects = executed.effects;
        for (index, account) in &effects.accounts {
            self.changed.insert((Record::Account, index.0), account.encode());
        }
        for (index, payment) in &effects.payments {
            self.changed.insert((Record::Payment, index.0), payment.encode());
        }
        for (index, key) in &effects.keys {
            self.changed.insert((Record::Key, index.0), key.encode());
        }
        if let Some(params) =
            effects.params.as_ref().filter(|params| params.log_key != before.params().log_key)
        {
            let (log_index, since_nanos) = (executed.log_index, executed.recorded_at_nanos);
            self.log_keys.push(NamedKey { key: params.log_key, log_index, since_nanos });
        }
    }

    /// At a seal: compares the records of an epoch that ends here and was flushed, and all that was flushed last.
    pub(super) fn take_seal(
        &mut self,
        log_index: LogIndex,
        height: BlockHeight,
        seal_nanos: u64,
        state: &MemoryState,
    ) -> Result<(), CheckError> {
        let epoch = self.epoch;
        let ends_epoch = height.0 > 0 && is_later_day(seal_nanos, self.last_seal_nanos);
        self.epoch += u32::from(ends_epoch);
        self.last_seal_nanos = seal_nanos;
        let next_index = LogIndex(log_index.0 + 1);
        let flushed = self.base.next_index();
        if next_index == flushed {
            self.compare_watermark(log_index, height, seal_nanos, state)?;
        }
        if next_index == flushed || (ends_epoch && next_index < flushed) {
            self.compare_changed(log_index, epoch)?;
        }
        if ends_epoch {
            self.changed.clear();
        }
        Ok(())
    }

    /// The row of each record that changed in an epoch is what it was at its end, or at the flush.
    fn compare_changed(&mut self, at: LogIndex, epoch: u32) -> Result<(), CheckError> {
        let family = self.store.family(family::STATE);
        for ((record, index), made) in &self.changed {
            let key = record_key(*record, *index, epoch);
            let stored = self.store.db().get_cf(family, key).map_err(StoreError::from)?;
            if stored.as_ref() != Some(made) {
                let field = format!("invariant G4, record of {record:?} {index} in epoch {epoch}");
                let found = stored.map_or_else(|| "none".to_owned(), hex::encode);
                return Err(wrong(at, &field, &hex::encode(made), &found));
            }
            self.count += 1;
        }
        Ok(())
    }

    fn compare_watermark(
        &self,
        at: LogIndex,
        height: BlockHeight,
        seal_nanos: u64,
        state: &MemoryState,
    ) -> Result<(), CheckError> {
        let stored = self.base.watermark();
        let hash = |hash| hex::encode::<ledger_crypto::Hash>(hash);
        for (field, made, found) in [
            ("height", height.to_string(), stored.height.to_string()),
            ("time", seal_nanos.to_string(), stored.seal_nanos.to_string()),
            ("epoch", self.epoch.to_string(), stored.epoch.to_string()),
            ("accounts", state.account_count().to_string(), stored.account_count.to_string()),
            ("payments", state.payment_count().to_string(), stored.payment_count.to_string()),
            ("keys", state.key_count().to_string(), stored.key_count.to_string()),
            ("parameters", hash(state.params().hash()), hash(stored.params.hash())),
            ("totals", hash(state.totals().hash()), hash(stored.totals.hash())),
        ] {
            expect(at, &format!("{field} of the watermark"), made, found)?;
        }
        Ok(())
    }

    /// The other way round: no other record, and the one watermark.
    pub(super) fn expect_no_other(&self, at: LogIndex) -> Result<(), CheckError> {
        expect(
            at,
            "invariant G4, number of rows of state",
            self.count + 1,
            row_count(self.store, family::STATE)?,
        )
    }
}
