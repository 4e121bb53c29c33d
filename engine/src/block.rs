//! The block in the making.

use ledger_core::apply::Effects;
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::seal::{BlockInput, Params, Totals};
use ledger_crypto::Hash;

/// Entries since the last cut.
pub(crate) struct OpenBlock {
    /// Its height.
    pub(crate) height: BlockHeight,
    input: BlockInput,
    /// Monotonic time of the first entry that is not a seal.
    since_boot_nanos: Option<u64>,
}

/// A block that was cut: its seal's place is reserved.
pub(crate) struct Cut {
    /// Its height.
    pub(crate) height: BlockHeight,
    /// Place of its seal.
    pub(crate) log_index: LogIndex,
    /// Everything that its seal depends on.
    pub(crate) input: BlockInput,
}

impl OpenBlock {
    pub(crate) fn new(height: BlockHeight, totals: Totals, params: Params) -> Self {
        Self { height, input: BlockInput::new(totals, params), since_boot_nanos: None }
    }

    /// Takes an entry in.
    pub(crate) fn push(&mut self, leaf_hash: Hash, effects: &Effects, boot_nanos: u64) {
        self.input.push_leaf(leaf_hash);
        self.input.absorb(effects);
        self.since_boot_nanos.get_or_insert(boot_nanos);
    }

    /// Entries beside the seal that the block begins with.
    pub(crate) fn entries(&self) -> u64 {
        self.input.leaf_hashes.len() as u64
    }

    /// Monotonic time of the first entry that is not a seal; `None`: a block of a seal alone is never cut.
    pub(crate) fn since_boot_nanos(&self) -> Option<u64> {
        self.since_boot_nanos
    }

    /// Closes the block; its seal stands at `log_index`. Returns the cut and the next block.
    pub(crate) fn cut(&mut self, log_index: LogIndex, recorded_at_nanos: u64) -> Cut {
        let next = BlockHeight(self.height.0 + 1);
        let fresh = Self::new(next, self.input.totals.clone(), self.input.params.clone());
        let mut closed = std::mem::replace(self, fresh);
        closed.input.recorded_at_nanos = recorded_at_nanos;
        Cut { height: closed.height, log_index, input: closed.input }
    }
}
