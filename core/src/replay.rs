//! The same rules over a whole log: what the verifier does with an export and a ledger with its tail at start.

use crate::ids::{BlockHeight, LogIndex};

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
