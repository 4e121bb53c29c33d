//! The chain of seals: from a block's entries and changed records to its seal.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_crypto::Hash;
use ledger_merkle::build;
use ledger_merkle::dense::DenseTree;
use ledger_merkle::frontier::Frontier;

use super::{Params, Seal, Totals};
use crate::apply::Effects;
use crate::entry::{Content, Entry, EntryError};
use crate::ids::{AccountIndex, BlockHeight, KeyIndex, LogIndex, PaymentIndex};
use crate::record::{AccountRecord, KeyRecord, PaymentRecord};

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
