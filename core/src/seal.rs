//! Seals: the header of a block, and the one function that computes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_crypto::{Hash, KeyBytes};
use ledger_merkle::dense::DenseTree;
use ledger_merkle::frontier::Frontier;

use crate::apply::Effects;
use crate::entry::EntryError;
use crate::ids::{AccountIndex, BlockHeight, CurrencyCode, KeyIndex, LogIndex, PaymentIndex};
use crate::record::{AccountRecord, Counters, KeyRecord, PaymentRecord};

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

/// What a cut hands to the sealer: everything of the block that a seal depends on, copied at the cut.
#[derive(Clone, Debug)]
pub struct BlockInput {
    /// Leaf hashes of the block's entries, in order. The first is the seal before (absent at height 0), filled in by
    /// [`SealChain::seal`] and not given here.
    pub leaf_hashes: Vec<Hash>,
    /// Accounts changed or opened in the block, with their records after it.
    pub accounts: BTreeMap<AccountIndex, Arc<AccountRecord>>,
    /// Payments changed or initiated.
    pub payments: BTreeMap<PaymentIndex, Arc<PaymentRecord>>,
    /// Keys registered or revoked.
    pub keys: BTreeMap<KeyIndex, Arc<KeyRecord>>,
    /// Totals after the block's last entry.
    pub totals: Totals,
    /// Parameters in force after the block's last entry.
    pub params: Params,
    /// `recorded_at` of the seal: that of the block's last entry plus 1.
    pub recorded_at_nanos: u64,
}

/// The trees and the chain, moved forward a block at a time. The same code seals, recovers and verifies.
#[derive(Clone)]
pub struct SealChain {
    /// Log tree over all entries so far, the last seal not yet included.
    pub log: Frontier,
    /// Accounts tree.
    pub accounts: DenseTree,
    /// Payments tree.
    pub payments: DenseTree,
    /// Keys tree.
    pub keys: DenseTree,
    /// Height of the next seal.
    pub next_height: BlockHeight,
    /// First index of the next block.
    pub first_index: LogIndex,
    /// Leaf hash of the last seal; the ledger id before the first.
    pub previous_seal: Hash,
}

/// A seal and the bytes of its entry.
#[derive(Clone, Debug)]
pub struct SealedBlock {
    /// Log index of the seal.
    pub log_index: LogIndex,
    /// The seal.
    pub seal: Seal,
    /// Its entry, encoded.
    pub entry: Vec<u8>,
    /// Leaf hash of that entry.
    pub leaf_hash: Hash,
    /// Root of the log tree with this seal as its last leaf; the size of that tree is `log_index` + 1.
    pub checkpoint_root: Hash,
}

impl Totals {
    /// Takes over what an accepted entry did.
    pub fn absorb(&mut self, effects: &Effects) {
        todo!("core bytes")
    }

    /// `H("ledger/v1/totals" ‖ rows)`, a row per currency, sorted: code, then the four sums.
    pub fn hash(&self) -> Hash {
        todo!("core bytes")
    }
}

impl Params {
    /// `H("ledger/v1/params" ‖ ...)`, as it stands in a seal.
    pub fn hash(&self) -> Hash {
        todo!("core bytes")
    }
}

impl BlockInput {
    /// A block without entries over the state after the block before. The caller sets `recorded_at_nanos` at the cut.
    pub fn new(totals: Totals, params: Params) -> Self {
        todo!("core bytes")
    }

    /// Adds the leaf hash of the next entry (not of the seal before, which [`SealChain::seal`] adds).
    pub fn push_leaf(&mut self, leaf_hash: Hash) {
        todo!("core bytes")
    }

    /// Takes over what an accepted entry did: records, totals, parameters.
    pub fn absorb(&mut self, effects: &Effects) {
        todo!("core bytes")
    }
}

/// State that does not fit the seal it should continue.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum RestoreError {
    /// The seal's entry does not decode.
    #[error(transparent)]
    Entry(#[from] EntryError),
    /// The entry is not a seal.
    #[error("entry {index} is not a seal but of kind {kind}")]
    NotASeal {
        /// Its log index.
        index: LogIndex,
        /// Its kind.
        kind: u8,
    },
    /// A root or size of the seal is not that of the state.
    #[error("seal {height}, {field}: it says {expected}, the state has {found}")]
    Mismatch {
        /// Height of the seal.
        height: BlockHeight,
        /// Which field of the seal.
        field: &'static str,
        /// What the seal says.
        expected: String,
        /// What the state has.
        found: String,
    },
}

impl SealChain {
    /// Before the genesis.
    pub fn new(ledger_id: Hash) -> Self {
        todo!("core bytes")
    }

    /// After the seal at `last_seal_index`, whose roots the trees must have. `log` holds every entry before that seal.
    pub fn restore(
        log: Frontier,
        accounts: DenseTree,
        payments: DenseTree,
        keys: DenseTree,
        last_seal_index: LogIndex,
        last_seal_entry: &[u8],
    ) -> Result<Self, RestoreError> {
        todo!("core bytes")
    }

    /// Seals the next block.
    ///
    /// # Panics
    /// When a record's index lies beyond the next free leaf of its tree, or a block has no entries: the caller's bug.
    pub fn seal(&mut self, block: BlockInput) -> SealedBlock {
        todo!("core bytes")
    }
}
