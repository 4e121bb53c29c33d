//! The same rules over a whole log: what the verifier does with an export and a ledger with its tail at start.

mod finding;
mod read;

use ledger_crypto::Hash;

pub use finding::{Finding, Halt};
pub use read::ReadEntry;

use crate::ids::BlockHeight;
use crate::state::MemoryState;

/// A log replayed from its genesis on, an entry at a time. A unit is judged when its last entry is there; a fault of
/// one of its members is named at that member, a fault of the whole at its first entry. (Body: the verifier's author,
/// on the way; it needs `MemoryState::new`, `apply::genesis_effects`, `admit`, `execute` and `expire` as laid out.)
pub struct Replay {
    state: MemoryState,
}

impl Replay {
    /// Starts the log of this ledger id: entry 0 comes first.
    pub fn new(ledger_id: Hash) -> Self {
        todo!("replay, verifier side")
    }

    /// Takes the next entry. Order of its checks: decode, time, `group_len` and `group_index`, cut, due expiries; then
    /// `elsewhere`, which the caller found out about the same entry (its hash tile); then, when a unit is complete,
    /// signatures, admission, outcomes; for a seal, its fields in order. Nothing after the first finding is checked.
    pub fn push(&mut self, entry: ReadEntry, elsewhere: Option<Finding>) -> Result<(), Halt> {
        todo!("replay, verifier side")
    }

    /// Entries taken so far.
    pub fn size(&self) -> u64 {
        todo!("replay, verifier side")
    }

    /// Height of the last block, when its seal is the last entry.
    pub fn sealed(&self) -> Option<BlockHeight> {
        todo!("replay, verifier side")
    }

    /// State after the last judged entry; `None` before the genesis.
    pub fn state(&self) -> Option<&MemoryState> {
        Some(&self.state)
    }
}
