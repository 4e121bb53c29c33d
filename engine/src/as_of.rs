//! "As of": the state after an entry, however the moment is named.

use ledger_core::entry::Entry;
use ledger_core::ids::{BlockHeight, LogIndex};

use crate::log_read::ReadError;
use crate::view::View;

/// A moment of the ledger.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum AsOf {
    /// After this entry.
    Entry(LogIndex),
    /// After the last entry of this block.
    Block(BlockHeight),
    /// After the last entry recorded at or before this time, unix nanoseconds.
    Time(u64),
}

impl View {
    /// The entry after which it was so. A block's own seal changes no state, so it stands for the block. By time: a
    /// binary search over the log, O(log entries) reads of a bundle.
    ///
    /// # Errors
    /// [`ReadError::OutOfRange`] beyond this state, with the number of entries or of blocks; [`ReadError::Invalid`] for
    /// a time before the genesis.
    pub fn entry_as_of(&self, as_of: AsOf) -> Result<LogIndex, ReadError> {
        match as_of {
            AsOf::Entry(log_index) if log_index < self.next_index() => Ok(log_index),
            AsOf::Entry(_) => Err(ReadError::OutOfRange { head: self.next_index() }),
            AsOf::Block(height) => {
                let count = self.height().map_or(0, |newest| newest.0 + 1);
                let block = self.block(height)?;
                Ok(block.ok_or(ReadError::OutOfRange { head: LogIndex(count) })?.log_index)
            }
            AsOf::Time(nanos) => self.last_entry_at(nanos),
        }
    }

    /// `recorded_at` of an entry; at the reserved place of a seal that of the seal to be.
    pub(crate) fn recorded_at(&self, log_index: LogIndex) -> Result<u64, ReadError> {
        match self.entry_or_place(log_index)? {
            Some(entry) => {
                let entry = Entry::decode(&entry).map_err(|_| ReadError::DataLoss { log_index })?;
                Ok(entry.recorded_at_nanos)
            }
            // Two seals never stand next to each other.
            None => Ok(self.recorded_at(LogIndex(log_index.0 - 1))? + 1),
        }
    }

    fn last_entry_at(&self, nanos: u64) -> Result<LogIndex, ReadError> {
        let genesis = self.recorded_at(LogIndex(0))?;
        if nanos < genesis {
            let limit = format!("not before the genesis, {genesis}");
            return Err(ReadError::Invalid { field: "recorded_at_nanos", value: nanos.to_string(), limit });
        }
        // The entry `low` is at or before the time, those after `high` are not.
        let (mut low, mut high) = (0, self.next_index().0 - 1);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if self.recorded_at(LogIndex(middle))? <= nanos {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(LogIndex(low))
    }
}
