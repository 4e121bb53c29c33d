//! Which log a client trusts: pinned by the client, never taken from the server that it checks.

use ledger_core::checkpoint::{Checkpoint, CheckpointError};
use ledger_crypto::Hash;
use ledger_crypto::note::VerifierKey;

/// A log: its key, whose name is the origin, and its ledger.
#[derive(Clone, Debug)]
pub struct LogIdentity {
    key: VerifierKey,
    ledger_id: Hash,
}

/// A checkpoint whose signature was checked against a [`LogIdentity`]; only [`LogIdentity::open`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: String,
    checkpoint: Checkpoint,
}

impl LogIdentity {
    /// The log that signs with `key` and whose entry 0 has the leaf hash `ledger_id`.
    #[must_use]
    pub fn new(key: VerifierKey, ledger_id: Hash) -> Self {
        Self { key, ledger_id }
    }

    /// The log's key; its name is the origin.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The ledger.
    #[must_use]
    pub fn ledger_id(&self) -> &Hash {
        &self.ledger_id
    }

    /// Checks the signature, origin and form of a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(&self, note: &str) -> Result<SignedCheckpoint, CheckpointError> {
        let checkpoint = Checkpoint::open(note, &self.key, &self.key.name)?;
        Ok(SignedCheckpoint { note: note.to_owned(), checkpoint })
    }
}

impl SignedCheckpoint {
    /// The signed note, verbatim.
    #[must_use]
    pub fn note(&self) -> &str {
        &self.note
    }

    /// Number of entries that it covers.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.checkpoint.size
    }

    /// Root of the log tree over them.
    #[must_use]
    pub fn root(&self) -> &Hash {
        &self.checkpoint.root
    }
}
