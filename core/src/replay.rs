//! The same rules over a whole log: what the verifier does with an export and a ledger with its tail at start.

use ledger_crypto::{Hash, KeyBytes, PublicKey};

use crate::ids::{BlockHeight, LogIndex};
use crate::state::MemoryState;
use crate::view::ViewError;

/// The first thing that is wrong.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Finding {
    /// Entry, when it is about one.
    pub log_index: Option<LogIndex>,
    /// Block, when it is known.
    pub height: Option<BlockHeight>,
    /// File of an export, when it is about one.
    pub file: Option<String>,
    /// Which field of the entry, seal or file, such as `outcome`, `payments_root`, `signature`.
    pub field: String,
    /// What would be right.
    pub expected: String,
    /// What is there.
    pub found: String,
    /// The same in words.
    pub words: String,
}

/// Why a replay went no further.
#[derive(Debug, thiserror::Error)]
pub enum Halt {
    /// The log is wrong.
    #[error("{}", .0.words)]
    Wrong(Box<Finding>),
    /// The log may be right, but this version cannot tell: rules of an event, or a version of the rules, not known.
    #[error("{}", .0.words)]
    Unknown(Box<Finding>),
    /// State could not be read.
    #[error(transparent)]
    View(#[from] ViewError),
}

/// One entry of a log: hashed, decoded (entry and payload), its signatures looked at. Needs no state, so many entries
/// are read at once; what is wrong with one is carried along and answered by [`Replay::push`], in its turn.
#[derive(Clone, Debug)]
pub struct ReadEntry {
    leaf_hash: Hash,
}

impl ReadEntry {
    /// Reads an encoded entry; `known` finds the decompressed keys of signers seen before.
    pub fn read(encoded: &[u8], known: impl Fn(&KeyBytes) -> Option<PublicKey>) -> Self {
        todo!("core rules")
    }

    /// Leaf hash of the entry.
    pub fn leaf_hash(&self) -> &Hash {
        &self.leaf_hash
    }
}

/// A log replayed from its genesis on, an entry at a time. A unit is judged when its last entry is there; a fault of
/// one of its members is named at that member, a fault of the whole at its first entry.
pub struct Replay {
    state: MemoryState,
}

impl Replay {
    /// Starts the log of this ledger id: entry 0 comes first.
    pub fn new(ledger_id: Hash) -> Self {
        todo!("core rules")
    }

    /// Takes the next entry. Order of its checks: decode, time, `group_len` and `group_index`, due expiries, cut; then
    /// `elsewhere`, which the caller found out about the same entry (its hash tile); then, when a unit is complete,
    /// signatures, admission, outcomes; for a seal, its fields in order. Nothing after the first finding is checked.
    pub fn push(&mut self, entry: ReadEntry, elsewhere: Option<Finding>) -> Result<(), Halt> {
        todo!("core rules")
    }

    /// Entries taken so far.
    pub fn size(&self) -> u64 {
        todo!("core rules")
    }

    /// Height of the last seal; `None` before the first, and when entries or a begun unit stand behind it.
    pub fn sealed(&self) -> Option<BlockHeight> {
        todo!("core rules")
    }

    /// State after the last judged entry.
    pub fn state(&self) -> &MemoryState {
        &self.state
    }
}
