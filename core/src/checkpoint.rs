//! Checkpoints: signed tree heads of the log, in the form of C2SP `tlog-checkpoint.md`.

use ledger_crypto::note::{NoteError, VerifierKey};
use ledger_crypto::{Hash, SigningKey};

/// The tree head that a checkpoint signs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Whose log it is; also the name of the key.
    pub origin: String,
    /// Number of entries; the last one is a seal.
    pub size: u64,
    /// Root of the log tree of that size.
    pub root: Hash,
}

/// Why a text is not a checkpoint of the expected log.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CheckpointError {
    /// Not a signed note, or not signed by the key.
    #[error(transparent)]
    Note(#[from] NoteError),
    /// The signed text is not origin, size and root.
    #[error("checkpoint, {field}: {found:?}, expected {expected}")]
    Text {
        /// Which line.
        field: &'static str,
        /// What is there.
        found: String,
        /// What would be right.
        expected: String,
    },
}

impl Checkpoint {
    /// The signed text: three lines.
    pub fn text(&self) -> String {
        todo!("core bytes")
    }

    /// Reads the signed text strictly: no extension lines.
    pub fn parse_text(text: &str) -> Result<Self, CheckpointError> {
        todo!("core bytes")
    }

    /// The signed note.
    pub fn sign(&self, key: &SigningKey) -> Result<String, CheckpointError> {
        todo!("core bytes")
    }

    /// Opens a note signed by `key` for the log `origin`.
    pub fn open(note: &str, key: &VerifierKey, origin: &str) -> Result<Self, CheckpointError> {
        todo!("core bytes")
    }
}
