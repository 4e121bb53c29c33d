//! Seals: the header of a block, and the one function that computes it.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_crypto::{Hash, Hasher, KeyBytes, domain};
use ledger_merkle::build;
use ledger_merkle::dense::DenseTree;
use ledger_merkle::frontier::Frontier;

use crate::apply::Effects;
use crate::entry::{Content, Entry, EntryError};
use crate::ids::{AccountIndex, BlockHeight, CurrencyCode, KeyIndex, LogIndex, PaymentIndex};
use crate::layout::{Layout, LayoutError};
use crate::number::{Layer, Side};
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

impl BlockInput {
    /// A block without entries over the state after the block before. The caller sets `recorded_at_nanos` at the cut.
    pub fn new(totals: Totals, params: Params) -> Self {
        Self {
            leaf_hashes: Vec::new(),
            accounts: BTreeMap::new(),
            payments: BTreeMap::new(),
            keys: BTreeMap::new(),
            totals,
            params,
            recorded_at_nanos: 0,
        }
    }

    /// Adds the leaf hash of the next entry (not of the seal before, which [`SealChain::seal`] adds).
    pub fn push_leaf(&mut self, leaf_hash: Hash) {
        self.leaf_hashes.push(leaf_hash);
    }

    /// Takes over what an accepted entry did: records, totals, parameters.
    ///
    /// # Panics
    /// As [`Totals::absorb`].
    pub fn absorb(&mut self, effects: &Effects) {
        self.accounts.extend(effects.accounts.iter().cloned());
        self.payments.extend(effects.payments.iter().cloned());
        self.keys.extend(effects.keys.iter().cloned());
        self.totals.absorb(effects);
        if let Some(params) = &effects.params {
            self.params = params.clone();
        }
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
        Self {
            log: Frontier::new(),
            accounts: DenseTree::new(),
            payments: DenseTree::new(),
            keys: DenseTree::new(),
            next_height: BlockHeight(0),
            first_index: LogIndex(0),
            previous_seal: ledger_id,
        }
    }

    /// After the seal at `last_seal_index`, whose sizes and roots the trees must have. `log` holds every entry before
    /// that seal.
    ///
    /// # Errors
    /// [`RestoreError`].
    pub fn restore(
        log: Frontier,
        accounts: DenseTree,
        payments: DenseTree,
        keys: DenseTree,
        last_seal_index: LogIndex,
        last_seal_entry: &[u8],
    ) -> Result<Self, RestoreError> {
        let entry = Entry::decode(last_seal_entry)?;
        let kind = entry.kind();
        let Content::Seal(seal) = entry.content else {
            return Err(RestoreError::NotASeal { index: last_seal_index, kind });
        };
        let end = seal.first_index.0.saturating_add(u64::from(seal.entry_count));
        let sizes = [
            ("first_index", end, last_seal_index.0),
            ("first_index", end, log.size()),
            ("account_count", seal.account_count, accounts.len()),
            ("payment_count", seal.payment_count, payments.len()),
            ("key_count", seal.key_count, keys.len()),
        ];
        let roots = [
            ("log_root", seal.log_root, log.root()),
            ("accounts_root", seal.accounts_root, accounts.root()),
            ("payments_root", seal.payments_root, payments.root()),
            ("keys_root", seal.keys_root, keys.root()),
        ];
        let sizes = sizes.map(|(field, says, has)| (field, says.to_string(), has.to_string()));
        let roots = roots.map(|(field, says, has)| (field, hex::encode(says), hex::encode(has)));
        if let Some((field, expected, found)) =
            sizes.into_iter().chain(roots).find(|(_, says, has)| says != has)
        {
            return Err(RestoreError::Mismatch { height: seal.height, field, expected, found });
        }
        Ok(Self {
            log,
            accounts,
            payments,
            keys,
            next_height: BlockHeight(seal.height.0 + 1),
            first_index: last_seal_index,
            previous_seal: Entry::leaf_hash(last_seal_entry),
        })
    }

    /// Seals the next block. One hash per changed record, O(log n) more for each, and one per entry in each of
    /// `block_root` and `log_root`.
    ///
    /// # Panics
    /// When a record's index lies beyond the next free leaf of its tree, or a block has no entries: the caller's bug.
    pub fn seal(&mut self, block: BlockInput) -> SealedBlock {
        let mut leaf_hashes = Vec::with_capacity(block.leaf_hashes.len() + 1);
        if self.next_height > BlockHeight(0) {
            leaf_hashes.push(self.previous_seal);
        }
        leaf_hashes.extend(block.leaf_hashes);
        let entry_count = u32::try_from(leaf_hashes.len()).unwrap_or(0);
        assert!(entry_count > 0, "a block has 1 to {} entries", u32::MAX);

        self.log.extend(leaf_hashes.iter().copied());
        change(
            &mut self.accounts,
            block.accounts.iter().map(|(index, record)| (index.0, record.leaf_hash())),
        );
        change(
            &mut self.payments,
            block.payments.iter().map(|(index, record)| (index.0, record.leaf_hash())),
        );
        change(&mut self.keys, block.keys.iter().map(|(index, record)| (index.0, record.leaf_hash())));
        let seal = Seal {
            height: self.next_height,
            first_index: self.first_index,
            entry_count,
            previous_seal: self.previous_seal,
            block_root: build::root(&leaf_hashes),
            log_root: self.log.root(),
            account_count: self.accounts.len(),
            accounts_root: self.accounts.root(),
            payment_count: self.payments.len(),
            payments_root: self.payments.root(),
            key_count: self.keys.len(),
            keys_root: self.keys.root(),
            totals_hash: block.totals.hash(),
            params_hash: block.params.hash(),
        };
        self.advance(seal, block.recorded_at_nanos)
    }

    fn advance(&mut self, seal: Seal, recorded_at_nanos: u64) -> SealedBlock {
        let log_index = LogIndex(seal.first_index.0 + u64::from(seal.entry_count));
        let content = Content::Seal(Box::new(seal.clone()));
        let entry = Entry { recorded_at_nanos, outcome: 0, group_len: 1, group_index: 0, content }.encode();
        let leaf_hash = Entry::leaf_hash(&entry);
        let mut with_seal = self.log.clone();
        with_seal.append(leaf_hash);
        self.next_height = BlockHeight(seal.height.0 + 1);
        self.first_index = log_index;
        self.previous_seal = leaf_hash;
        SealedBlock { log_index, seal, entry, leaf_hash, checkpoint_root: with_seal.root() }
    }
}

/// Version of every format that a seal stands for.
const FORMAT_VERSION: u8 = 1;

fn change(tree: &mut DenseTree, leaves: impl Iterator<Item = (u64, Hash)>) {
    let changes: Vec<_> = leaves.collect();
    if let Err(gap) = tree.update(&changes) {
        panic!("a changed record lies outside its tree: {gap}");
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::number::{KeyStatus, Roles};

    fn params() -> Params {
        Params {
            ledger_id: [1; 32],
            rules_version: 1,
            rules_index: LogIndex(0),
            log_key: [2; 32],
            closed_through: 0,
        }
    }

    fn key(index: u64) -> (KeyIndex, Arc<KeyRecord>) {
        let record = KeyRecord {
            status: KeyStatus::Active,
            roles: Roles::OPERATOR,
            key: [index as u8; 32],
            registered_index: LogIndex(index),
            revoked_index: None,
            party: "a party".into(),
            prefix: "".into(),
        };
        (KeyIndex(index), Arc::new(record))
    }

    fn block(first: u64, entries: u64) -> BlockInput {
        let mut block = BlockInput::new(Totals::default(), params());
        (0..entries).for_each(|entry| block.push_leaf([(first + entry) as u8; 32]));
        block.recorded_at_nanos = first + entries;
        block
    }

    /// A chain after the genesis and one more block of 4 entries, and its last seal.
    fn chain() -> (SealChain, SealedBlock) {
        let mut chain = SealChain::new([1; 32]);
        let mut first = block(0, 1);
        first.keys.extend([key(0), key(1)]);
        let sealed = chain.seal(first);
        assert_eq!((sealed.log_index, sealed.seal.previous_seal), (LogIndex(1), [1; 32]));
        let sealed = chain.seal(block(2, 3));
        assert_eq!((sealed.seal.first_index, sealed.seal.entry_count), (LogIndex(1), 4));
        (chain, sealed)
    }

    fn restore(chain: &SealChain, index: LogIndex, entry: &[u8]) -> Result<SealChain, RestoreError> {
        let SealChain { log, accounts, payments, keys, .. } = chain.clone();
        SealChain::restore(log, accounts, payments, keys, index, entry)
    }

    #[test]
    fn a_restored_chain_goes_on_alike() {
        let (mut chain, sealed) = chain();
        let mut restored = restore(&chain, sealed.log_index, &sealed.entry).unwrap();
        let (a, b) = (chain.seal(block(6, 2)), restored.seal(block(6, 2)));
        assert_eq!((a.entry, a.checkpoint_root), (b.entry, b.checkpoint_root));
        assert_eq!((a.seal.first_index, a.seal.previous_seal), (sealed.log_index, sealed.leaf_hash));
        assert_eq!(a.log_index, LogIndex(sealed.log_index.0 + 3));
    }

    #[test]
    fn a_seal_that_does_not_fit_is_refused() {
        let (chain, sealed) = chain();
        let mismatch = |index, change: &dyn Fn(&mut SealChain)| {
            let mut changed = chain.clone();
            change(&mut changed);
            match restore(&changed, index, &sealed.entry) {
                Err(RestoreError::Mismatch { field, .. }) => field,
                other => panic!("{:?}", other.err()),
            }
        };
        let index = sealed.log_index;
        assert_eq!(mismatch(LogIndex(index.0 + 1), &|_| ()), "first_index");
        assert_eq!(mismatch(index, &|chain| chain.log.append([0; 32])), "first_index");
        assert_eq!(mismatch(index, &|chain| chain.keys.push([0; 32])), "key_count");
        assert_eq!(mismatch(index, &|chain| chain.keys.set(1, [0; 32]).unwrap()), "keys_root");
        assert_eq!(mismatch(index, &|chain| chain.log = (0..5).map(|leaf| [leaf; 32]).collect()), "log_root");
        let mut expiry = Vec::new();
        crate::entry::encode_expiry(1, &crate::ids::PaymentId::NIL, &mut expiry);
        assert_eq!(restore(&chain, index, &expiry).err(), Some(RestoreError::NotASeal { index, kind: 3 }));
        assert!(matches!(restore(&chain, index, &[]), Err(RestoreError::Entry(_))));
    }

    #[test]
    #[should_panic(expected = "outside its tree")]
    fn a_record_beyond_its_tree_is_the_callers_bug() {
        let mut block = block(6, 1);
        block.keys.extend([key(3)]);
        chain().0.seal(block);
    }

    #[test]
    #[should_panic(expected = "a block has 1 to")]
    fn a_first_block_without_entries_is_the_callers_bug() {
        SealChain::new([1; 32]).seal(block(0, 0));
    }

    #[test]
    fn a_seal_alone_is_no_block_of_its_own() {
        let (_, sealed) = chain();
        let with_count = |count: u32, height: u64| {
            let mut entry = sealed.entry.clone();
            entry[16..24].copy_from_slice(&height.to_be_bytes());
            entry[32..36].copy_from_slice(&count.to_be_bytes());
            Entry::decode(&entry).map_err(|error| error.field).map(drop)
        };
        assert_eq!(with_count(1, 0), Ok(()));
        assert_eq!(with_count(2, 9), Ok(()));
        for (count, height) in [(0, 0), (2, 0), (0, 9), (1, 9)] {
            assert_eq!(with_count(count, height), Err("entry_count"));
        }
    }
}
