//! Seals: the header of a block. [`SealChain`] is the one place that computes them.

mod chain;

use std::collections::BTreeMap;

use ledger_crypto::{Hash, Hasher, KeyBytes, domain};

use crate::apply::Effects;
use crate::ids::{BlockHeight, CurrencyCode, LogIndex};
use crate::layout::{Layout, LayoutError};
use crate::number::{Layer, Side};
use crate::record::Counters;

pub use chain::{BlockInput, RestoreError, SealChain, SealedBlock};

/// Encoded length of a seal's entry, header of the entry included.
pub const SEAL_ENTRY_BYTES: usize = 316;

/// Header of a block. `recorded_at` stands in the entry around it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Seal {
    /// Height of the block.
    pub height: BlockHeight,
    /// First entry of the block: the seal before, or the genesis.
    pub first_index: LogIndex,
    /// Entries of the block.
    pub entry_count: u32,
    /// Leaf hash of the seal before; the ledger id at height 0.
    pub previous_seal: Hash,
    /// Tree hash over the block's entries.
    pub block_root: Hash,
    /// Tree hash over all entries up to the end of the block.
    pub log_root: Hash,
    /// Leaves of the accounts tree.
    pub account_count: u64,
    /// Root of the accounts tree.
    pub accounts_root: Hash,
    /// Leaves of the payments tree.
    pub payment_count: u64,
    /// Root of the payments tree.
    pub payments_root: Hash,
    /// Leaves of the keys tree.
    pub key_count: u64,
    /// Root of the keys tree.
    pub keys_root: Hash,
    /// Hash of the totals table.
    pub totals_hash: Hash,
    /// Hash of the parameters in force.
    pub params_hash: Hash,
}

/// Sums of the four counters per currency with an account. A currency appears when its first account is opened.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Totals(pub BTreeMap<CurrencyCode, Counters>);

/// What changes with the log and is committed to in every seal.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Params {
    /// The ledger.
    pub ledger_id: Hash,
    /// Version of the rules in force.
    pub rules_version: u32,
    /// Entry that set them; 0 the genesis.
    pub rules_index: LogIndex,
    /// Key that signs checkpoints.
    pub log_key: KeyBytes,
    /// Last closed period, yyyymmdd; 0 none.
    pub closed_through: u32,
}

impl Seal {
    /// Appends the bytes that follow the head of the entry.
    pub(crate) fn write(&self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.height.0.to_be_bytes());
        out.extend_from_slice(&self.first_index.0.to_be_bytes());
        out.extend_from_slice(&self.entry_count.to_be_bytes());
        for hash in [&self.previous_seal, &self.block_root, &self.log_root] {
            out.extend_from_slice(hash);
        }
        for (count, root) in [
            (self.account_count, &self.accounts_root),
            (self.payment_count, &self.payments_root),
            (self.key_count, &self.keys_root),
        ] {
            out.extend_from_slice(&count.to_be_bytes());
            out.extend_from_slice(root);
        }
        out.extend_from_slice(&self.totals_hash);
        out.extend_from_slice(&self.params_hash);
    }

    /// Reads what [`Seal::write`] appends.
    pub(crate) fn read(layout: &mut Layout<'_>) -> Result<Self, LayoutError> {
        let seal = Self {
            height: BlockHeight(layout.u64("height")?),
            first_index: LogIndex(layout.u64("first_index")?),
            entry_count: layout.u32("entry_count")?,
            previous_seal: layout.array("previous_seal")?,
            block_root: layout.array("block_root")?,
            log_root: layout.array("log_root")?,
            account_count: layout.u64("account_count")?,
            accounts_root: layout.array("accounts_root")?,
            payment_count: layout.u64("payment_count")?,
            payments_root: layout.array("payments_root")?,
            key_count: layout.u64("key_count")?,
            keys_root: layout.array("keys_root")?,
            totals_hash: layout.array("totals_hash")?,
            params_hash: layout.array("params_hash")?,
        };
        match (seal.height.0, seal.entry_count) {
            (0, 1) | (1.., 2..) => Ok(seal),
            (0, count) => Err(layout.error("entry_count", count, "1 at height 0")),
            (_, count) => Err(layout.error("entry_count", count, "2 or more")),
        }
    }
}

impl Totals {
    /// Takes over what an accepted entry did.
    ///
    /// # Panics
    /// When a posting is on an account that is not among the changed ones: a bug of the rules.
    pub fn absorb(&mut self, effects: &Effects) {
        for (_, account) in &effects.accounts {
            self.0.entry(account.currency).or_default();
        }
        for posting in &effects.postings {
            let account = effects.accounts.iter().find(|(index, _)| *index == posting.account);
            let row = account.and_then(|(_, account)| self.0.get_mut(&account.currency));
            let Some(row) = row else {
                panic!("account {} has a posting and is not among the changed ones", posting.account);
            };
            // A sum stays below 10^18 times the number of entries, so below 2^127.
            *match (posting.layer, posting.side) {
                (Layer::Posted, Side::Debit) => &mut row.posted_debits,
                (Layer::Posted, Side::Credit) => &mut row.posted_credits,
                (Layer::Pending, Side::Debit) => &mut row.pending_debits,
                (Layer::Pending, Side::Credit) => &mut row.pending_credits,
            } += posting.delta;
        }
    }

    /// `H("ledger/v1/totals" ‖ rows)`, a row per currency, sorted: code, then the four sums.
    pub fn hash(&self) -> Hash {
        let mut hasher = Hasher::tagged(domain::TOTALS);
        for (currency, counters) in &self.0 {
            hasher.update(currency.as_bytes()).update(&counters.to_bytes());
        }
        hasher.finish()
    }
}

impl Params {
    /// `H("ledger/v1/params" ‖ ledger id ‖ 1 ‖ rules version ‖ rules index ‖ log key ‖ closed through)`; the 1 is the
    /// version of the formats.
    pub fn hash(&self) -> Hash {
        let mut hasher = Hasher::tagged(domain::PARAMS);
        hasher.update(&self.ledger_id).update(&[FORMAT_VERSION]);
        hasher.update(&self.rules_version.to_be_bytes()).update(&self.rules_index.0.to_be_bytes());
        hasher.update(&self.log_key).update(&self.closed_through.to_be_bytes());
        hasher.finish()
    }
}

/// Version of every format that a seal stands for.
const FORMAT_VERSION: u8 = 1;
