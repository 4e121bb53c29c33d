//! Roots and seals alone: what `--hashes-only` recomputes. Neither signatures, times, cuts, state nor parameters.

use ledger_core::entry::{Content, Entry};
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::replay::Finding;
use ledger_core::seal::Seal;
use ledger_merkle::frontier::Frontier;
use ledger_merkle::{Hash, leaf_hash};

use crate::bundle::Leaf;
use crate::report::Stop;

/// An entry as this check needs it: its hash, and the seal if it is one.
pub(crate) struct HashedEntry {
    leaf_hash: Hash,
    seal: Result<Option<Box<Seal>>, String>,
}

impl HashedEntry {
    /// Hashes and decodes an entry.
    pub(crate) fn read(encoded: &[u8]) -> Self {
        let seal = match Entry::decode(encoded) {
            Ok(Entry { content: Content::Seal(seal), .. }) => Ok(Some(seal)),
            Ok(_) => Ok(None),
            Err(error) => Err(error.to_string()),
        };
        Self { leaf_hash: leaf_hash(encoded), seal }
    }
}

impl Leaf for HashedEntry {
    fn leaf_hash(&self) -> &Hash {
        &self.leaf_hash
    }
}

/// The log so far, as far as its hashes go.
pub(crate) struct Chain {
    /// All entries.
    log: Frontier,
    /// Entries of the block in work, the seal before included.
    block: Frontier,
    first_index: u64,
    next_height: u64,
    previous_seal: Hash,
    ends_in_seal: bool,
}

impl Chain {
    /// Before entry 0 of the ledger.
    pub(crate) fn new(ledger_id: Hash) -> Self {
        Self {
            log: Frontier::new(),
            block: Frontier::new(),
            first_index: 0,
            next_height: 0,
            previous_seal: ledger_id,
            ends_in_seal: false,
        }
    }

    /// Takes the next entry. Order of its checks: decode; `elsewhere`, what its hash tile says against it; the ledger
    /// id of entry 0; a seal's fields.
    pub(crate) fn push(&mut self, entry: HashedEntry, elsewhere: Option<Finding>) -> Result<(), Stop> {
        let seal = entry.seal.map_err(|error| self.wrong("entry", "an entry", &error))?;
        if let Some(finding) = elsewhere {
            return Err(Stop::Invalid(Box::new(finding)));
        }
        if self.log.size() == 0 && entry.leaf_hash != self.previous_seal {
            let (expected, found) = (hex::encode(self.previous_seal), hex::encode(entry.leaf_hash));
            return Err(self.wrong("ledger_id", &expected, &found));
        }
        self.ends_in_seal = seal.is_some();
        if let Some(seal) = seal {
            self.compare(&seal)?;
            self.first_index = self.log.size();
            self.next_height += 1;
            self.previous_seal = entry.leaf_hash;
            self.block = Frontier::new();
        }
        self.log.append(entry.leaf_hash);
        self.block.append(entry.leaf_hash);
        Ok(())
    }

    /// Height of the seal that is the last entry; `None` when the last entry is none.
    pub(crate) fn sealed(&self) -> Option<BlockHeight> {
        self.next_height.checked_sub(1).filter(|_| self.ends_in_seal).map(BlockHeight)
    }

    fn compare(&self, seal: &Seal) -> Result<(), Stop> {
        let numbers = [
            ("height", self.next_height, seal.height.0),
            ("first_index", self.first_index, seal.first_index.0),
            ("entry_count", self.block.size(), u64::from(seal.entry_count)),
        ];
        for (field, expected, found) in numbers {
            if expected != found {
                return Err(self.wrong(field, &expected.to_string(), &found.to_string()));
            }
        }
        let hashes = [
            ("previous_seal", self.previous_seal, seal.previous_seal),
            ("block_root", self.block.root(), seal.block_root),
            ("log_root", self.log.root(), seal.log_root),
        ];
        for (field, expected, found) in hashes {
            if expected != found {
                return Err(self.wrong(field, &hex::encode(expected), &hex::encode(found)));
            }
        }
        Ok(())
    }

    fn wrong(&self, field: &str, expected: &str, found: &str) -> Stop {
        let (index, height) = (LogIndex(self.log.size()), BlockHeight(self.next_height));
        Stop::Invalid(Box::new(Finding::at_entry(index, height, field, expected, found)))
    }
}
