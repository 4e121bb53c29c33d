//! What a replay answers when it goes no further.

use crate::ids::{BlockHeight, LogIndex};
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

impl Finding {
    /// A field of an entry, in a block.
    pub fn at_entry(
        log_index: LogIndex,
        height: BlockHeight,
        field: &str,
        expected: &str,
        found: &str,
    ) -> Self {
        let words = format!("entry {log_index}, block {height}: {field}: expected {expected}, found {found}");
        Self {
            log_index: Some(log_index),
            height: Some(height),
            file: None,
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
            words,
        }
    }
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
