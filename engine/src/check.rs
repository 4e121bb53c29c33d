//! The check of a whole store: the log executed again from its genesis, every index row made again, every record
//! compared. It writes nothing and takes no lock, so it may run beside the server that has the store open; what is
//! written meanwhile is not looked at.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use ledger_core::apply::ExecutedEntry;
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::replay::{Finding, Halt, ReadEntry, Replay};
use ledger_core::state::MemoryState;
use ledger_core::view::{State as _, StateView as _};
use ledger_crypto::{KeyBytes, PublicKey};
use rayon::prelude::*;
use rocksdb::IteratorMode;

use crate::base::Base;
use crate::config::Config;
use crate::open::{OpenError, check_durable, constants, is_there, marker, watermark};
use crate::rows::of_entry::{Before, rows_of};
use crate::rows::{RowError, events};
use crate::store::{Store, StoreError, family};

/// Bundles whose entries are read at once.
const BUNDLES_AT_ONCE: usize = 64;
/// Decompressed keys of signers that are kept.
const KEPT_KEYS: usize = 1 << 16;

/// What was checked, and found right.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Checked {
    /// Entries executed again: up to the newest stored seal.
    pub entries: u64,
    /// Entries after it, which the next start executes and seals.
    pub unsealed: u64,
    /// Height of that seal.
    pub height: Option<BlockHeight>,
    /// Accounts, payments and keys as of the last flush, all equal to what the entries make.
    pub records: u64,
    /// Index rows, all equal to what the entries make, and no other.
    pub index_rows: u64,
}

/// What a store is not.
#[derive(Debug, thiserror::Error)]
pub enum CheckError {
    /// It could not be opened, or is shorter than what was acknowledged.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The log is wrong, an invariant does not hold, or a stored row is not what the entries make.
    #[error("{}", .0.words)]
    Wrong(Box<Finding>),
    /// The log may be right, but these rules cannot tell.
    #[error("{0}")]
    Unknown(String),
    /// The store could not be read.
    #[error("the store could not be read: {0}")]
    Storage(String),
}

impl From<StoreError> for CheckError {
    fn from(error: StoreError) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<RowError> for CheckError {
    fn from(error: RowError) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<Halt> for CheckError {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Wrong(finding) => Self::Wrong(finding),
            Halt::Unknown(finding) => Self::Unknown(finding.words),
            Halt::View(error) => Self::Storage(error.to_string()),
        }
    }
}

/// Checks the store of the ledger in `config.dir`: durable up to the marker, hash tiles, signatures, rules, seals and
/// the invariants of money over the whole log; the index rows (G5) and, as of the last flush, the records. `progress`
/// hears how many entries are done. Memory grows with accounts, payments and events, as that of the verifier does.
pub fn check_store(config: &Config, mut progress: impl FnMut(u64)) -> Result<Checked, CheckError> {
    is_there(config)?;
    let (_, durable) = marker(config)?;
    let store = Store::open_read_only(&config.db_dir()).map_err(OpenError::from)?;
    check_durable(&store, durable)?;
    let constants = constants(&store)?;
    let base = Base::new(&store, watermark(&store, constants.ledger_id)?);
    let mut check = Check {
        rows: Rows { base: Arc::clone(&base), count: 0, wrong: None },
        base,
        store: &store,
        replay: Replay::new(constants.ledger_id),
        keys: RwLock::new(HashMap::new()),
        records: 0,
    };
    let end = check.run(&mut progress)?;
    check.compare_row_count()?;
    check.replay.check_whole()?;
    let entries = check.replay.size();
    Ok(Checked {
        entries,
        unsealed: end - entries,
        height: check.replay.sealed(),
        records: check.records,
        index_rows: check.rows.count,
    })
}

struct Check<'s> {
    store: &'s Store,
    base: Arc<Base>,
    replay: Replay,
    rows: Rows,
    keys: RwLock<HashMap<KeyBytes, PublicKey>>,
    records: u64,
}

/// Index rows made again.
struct Rows {
    base: Arc<Base>,
    count: u64,
    wrong: Option<CheckError>,
}

impl Check<'_> {
    /// Executes entry by entry up to the newest stored seal; the end of the log.
    fn run(&mut self, progress: &mut impl FnMut(u64)) -> Result<u64, CheckError> {
        let store = self.store;
        let mut bundles = store.bundles_from(0);
        let mut end = 0;
        let mut seals_end = false;
        loop {
            let chunk = bundles.by_ref().take(BUNDLES_AT_ONCE).collect::<Result<Vec<_>, _>>()?;
            if chunk.is_empty() {
                break;
            }
            let mut entries = Vec::new();
            for (first, bundle) in &chunk {
                self.expect(LogIndex(end), "log index", &end.to_string(), &first.to_string())?;
                for entry in events::entries(bundle)? {
                    entries.push((end, entry.to_vec()));
                    end += 1;
                }
            }
            let entries = self.with_seals(entries, &mut seals_end)?;
            let read: Vec<_> = entries
                .par_iter()
                .map(|(_, entry)| ReadEntry::read(entry, |key| self.known_key(key)))
                .collect();
            for ((log_index, _), entry) in entries.iter().zip(read) {
                self.push(LogIndex(*log_index), entry)?;
            }
            progress(self.replay.size());
        }
        // What follows the newest stored seal has no seal to be compared with.
        let first_open = LogIndex(self.replay.size());
        if self.replay.sealed().is_none() && !seals_end && first_open.0 < end {
            return Err(wrong(first_open, "seal", "a stored seal", "none"));
        }
        Ok(end)
    }

    /// Puts the stored seals into their places; from the first that is not stored on nothing is left.
    fn with_seals(
        &self,
        entries: Vec<(u64, Vec<u8>)>,
        seals_end: &mut bool,
    ) -> Result<Vec<(u64, Vec<u8>)>, CheckError> {
        let mut placed = Vec::with_capacity(entries.len());
        for (log_index, entry) in entries {
            if *seals_end {
                break;
            }
            if !entry.is_empty() {
                placed.push((log_index, entry));
                continue;
            }
            let height = self.store.height_of_seal(log_index)?;
            match height.map(|height| self.store.seal(height)).transpose()?.flatten() {
                Some((stored_index, seal)) => {
                    let stored = stored_index.to_string();
                    self.expect(LogIndex(log_index), "place of the seal", &log_index.to_string(), &stored)?;
                    placed.push((log_index, seal));
                }
                None => *seals_end = true,
            }
        }
        Ok(placed)
    }

    fn push(&mut self, log_index: LogIndex, entry: ReadEntry) -> Result<(), CheckError> {
        let tile = self.store.tile(0, log_index.0 >> 8)?;
        let hashed = tile.and_then(|tile| tile.get((log_index.0 & 255) as usize).copied());
        let leaf = *entry.leaf_hash();
        let of_tile = hashed
            .filter(|hash| *hash != leaf)
            .map(|hash| finding(log_index, "hash tile", &hex::encode(leaf), &hex::encode(hash)));
        let rows = &mut self.rows;
        self.replay.push_watched(entry, of_tile, &mut |before, executed| rows.take(before, executed))?;
        if let Some(wrong) = self.rows.wrong.take() {
            return Err(wrong);
        }
        if self.replay.size() == self.base.next_index().0 {
            self.compare_records()?;
        }
        Ok(())
    }

    /// The records, parameters and totals of the last flush are those that the entries up to it make.
    fn compare_records(&mut self) -> Result<(), CheckError> {
        let at = LogIndex(self.base.next_index().0 - 1);
        let missing = || CheckError::Storage("no state after the genesis".to_owned());
        let state = self.replay.state().ok_or_else(missing)?;
        let watermark = self.base.watermark();
        let same = watermark.params == *state.params() && watermark.totals == *state.totals();
        if !same {
            return Err(wrong(at, "watermark", "parameters and totals of the entries", "others"));
        }
        let accounts = self.base.accounts()?;
        let payments = self.base.payments()?;
        let keys = self.base.keys()?;
        let of_accounts = accounts.iter().map(|(_, record)| record.encode());
        compare(at, "account", of_accounts, state.accounts().iter().map(|record| record.encode()))?;
        let of_payments = payments.iter().map(|(_, record)| record.encode());
        compare(at, "payment", of_payments, state.payments().iter().map(|record| record.encode()))?;
        let of_keys = keys.iter().map(|(_, record)| record.encode());
        compare(at, "key", of_keys, state.keys().iter().map(|record| record.encode()))?;
        self.records = (accounts.len() + payments.len() + keys.len()) as u64;
        Ok(())
    }

    /// G5, the other way round: no stored index row but those that the entries make.
    fn compare_row_count(&self) -> Result<(), CheckError> {
        let indices = self.store.family(family::INDICES);
        let mut stored = 0u64;
        for row in self.store.db().iterator_cf(indices, IteratorMode::Start) {
            row.map_err(StoreError::from)?;
            stored += 1;
        }
        let at = LogIndex(self.replay.size().saturating_sub(1));
        self.expect(
            at,
            "invariant G5, number of index rows",
            &self.rows.count.to_string(),
            &stored.to_string(),
        )
    }

    fn expect(&self, at: LogIndex, field: &str, expected: &str, found: &str) -> Result<(), CheckError> {
        if expected == found { Ok(()) } else { Err(wrong(at, field, expected, found)) }
    }

    /// Decompressing a key costs as much as two signature checks, and signers come again.
    fn known_key(&self, key: &KeyBytes) -> Option<PublicKey> {
        if let Some(known) = self.keys.read().unwrap_or_else(PoisonError::into_inner).get(key) {
            return Some(known.clone());
        }
        let public = PublicKey::from_bytes(key).ok()?;
        let mut kept = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        if kept.len() < KEPT_KEYS {
            kept.insert(*key, public.clone());
        }
        Some(public)
    }
}

impl Rows {
    /// G5: each row of an entry is stored as the entry makes it. Those after the last flush may be missing yet.
    fn take(&mut self, before: &MemoryState, executed: &ExecutedEntry<'_>) {
        let counts = Before {
            accounts: before.account_count(),
            payments: before.payment_count(),
            log_key: before.params().log_key,
        };
        let is_flushed = executed.log_index < self.base.next_index();
        rows_of(executed, counts, |key, value| {
            let stored = match self.base.row(&key) {
                Ok(stored) => stored,
                Err(error) => {
                    self.wrong.get_or_insert(error.into());
                    return;
                }
            };
            match stored {
                Some(stored) if *stored == *value => self.count += 1,
                None if !is_flushed => {}
                other => {
                    let field = format!("invariant G5, index row {}", hex::encode(&key));
                    let found = other.map_or_else(|| "none".to_owned(), hex::encode);
                    let error = wrong(executed.log_index, &field, &hex::encode(value), &found);
                    self.wrong.get_or_insert(error);
                }
            }
        });
    }
}

fn compare(
    at: LogIndex,
    what: &str,
    stored: impl ExactSizeIterator<Item = Vec<u8>>,
    made: impl ExactSizeIterator<Item = Vec<u8>>,
) -> Result<(), CheckError> {
    if stored.len() != made.len() {
        let field = format!("number of {what} records");
        return Err(wrong(at, &field, &made.len().to_string(), &stored.len().to_string()));
    }
    match (0u64..).zip(stored.zip(made)).find(|(_, (stored, made))| stored != made) {
        Some((index, (stored, made))) => {
            Err(wrong(at, &format!("record of {what} {index}"), &hex::encode(made), &hex::encode(stored)))
        }
        None => Ok(()),
    }
}

fn wrong(log_index: LogIndex, field: &str, expected: &str, found: &str) -> CheckError {
    CheckError::Wrong(Box::new(finding(log_index, field, expected, found)))
}

fn finding(log_index: LogIndex, field: &str, expected: &str, found: &str) -> Finding {
    Finding {
        log_index: Some(log_index),
        height: None,
        file: None,
        field: field.to_owned(),
        expected: expected.to_owned(),
        found: found.to_owned(),
        words: format!("entry {log_index}: {field}: expected {expected}, found {found}"),
    }
}

#[cfg(test)]
mod tests {
    use ledger_core::record::AccountRecord;

    use super::*;
    use crate::rows::index;
    use crate::rows::state::{Record, record_key};
    use crate::support::{World, accepted, eventually, log_key};
    use crate::{Ledger, Slice};

    /// A ledger with transfers, a payment and several flushes, open.
    fn busy(world: &World) -> Ledger {
        let ledger = world.open_with(|config| {
            config.block_max_entries = 10;
            config.flush_max_entries = 10;
        });
        world.furnish(&ledger);
        for amount in 1..=40 {
            accepted(
                ledger
                    .submit(vec![world.transfer("world:usd", "cust:alice", amount)])
                    .unwrap()
                    .wait()
                    .unwrap(),
            );
        }
        accepted(ledger.submit(world.authorized([9; 16], 100, 60)).unwrap().wait().unwrap());
        eventually("a flush", || ledger.view().tail().base().next_index().0 > 20);
        ledger
    }

    fn words(checked: Result<Checked, CheckError>) -> String {
        match checked {
            Err(CheckError::Wrong(finding)) => finding.words,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_store_is_right_beside_its_ledger_and_after_it() {
        let world = World::new();
        let ledger = busy(&world);
        let beside = check_store(&world.config(), |_| {}).unwrap();
        assert!(beside.entries > 20, "{beside:?}");
        ledger.close().unwrap();
        drop(ledger);
        let mut done = 0;
        let checked = check_store(&world.config(), |entries| done = entries).unwrap();
        assert_eq!((checked.unsealed, checked.entries), (0, done));
        assert!(checked.records >= 6 && checked.index_rows > 100, "{checked:?}");
        // It wrote nothing: the ledger opens, and goes on.
        world.open().close().unwrap();
    }

    #[test]
    fn what_the_entries_do_not_make_is_named() {
        let world = World::new();
        let ledger = busy(&world);
        ledger.close().unwrap();
        let store = ledger.store().clone();
        let indices = store.family(family::INDICES);
        let (alice, _) = ledger.view().account("cust:alice").unwrap().unwrap();
        let line = ledger.view().account_lines(alice, Slice::first(1)).unwrap()[0];

        let key = index::line_key(alice, 1);
        let value = store.db().get_cf(indices, &key).unwrap().unwrap();
        let mut changed = value.clone();
        changed[40] ^= 1;
        store.db().put_cf(indices, &key, &changed).unwrap();
        let found = words(check_store(&world.config(), |_| {}));
        assert!(found.contains("G5") && found.contains(&format!("entry {}", line.log_index)), "{found}");
        store.db().put_cf(indices, &key, &value).unwrap();

        store.db().put_cf(indices, index::line_key(alice, 1_000_000), &value).unwrap();
        let found = words(check_store(&world.config(), |_| {}));
        assert!(found.contains("number of index rows"), "{found}");
        store.db().delete_cf(indices, index::line_key(alice, 1_000_000)).unwrap();

        let base = Arc::clone(ledger.view().tail().base());
        let mut record = AccountRecord::clone(&base.account(alice).unwrap());
        record.counters.posted_credits += 1;
        let epoch = base.watermark().epoch;
        let state = store.family(family::STATE);
        store.db().put_cf(state, record_key(Record::Account, alice.0, epoch), record.encode()).unwrap();
        let found = words(check_store(&world.config(), |_| {}));
        assert!(found.contains(&format!("record of account {alice}")), "{found}");
        drop((ledger, store, base));
        assert!(Ledger::open(world.config(), log_key()).is_err());
    }
}
