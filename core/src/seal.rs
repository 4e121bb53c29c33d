//! Seals: the header of a block, and the one function that computes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_crypto::{Hash, KeyBytes};
use ledger_merkle::dense::DenseTree;
use ledger_merkle::frontier::Frontier;

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
}
