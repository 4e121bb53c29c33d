//! Which log a client trusts: pinned by the client, never taken from the server that it checks.

use ledger_core::checkpoint::{Checkpoint, CheckpointError};
use ledger_core::receipt::ReceiptError;
use ledger_core::rotation::next_key;
use ledger_crypto::Hash;
use ledger_crypto::note::{NoteError, VerifierKey};

/// A log: its key, whose name is the origin, and its ledger.
#[derive(Clone, Debug)]
pub struct LogIdentity {
    /// The key in force.
    key: VerifierKey,
    /// Those before it, the pinned one first.
    earlier: Vec<VerifierKey>,
    ledger_id: Hash,
}

/// A checkpoint whose signature was checked against a [`LogIdentity`]; only [`LogIdentity`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedCheckpoint {
    note: String,
    checkpoint: Checkpoint,
}

impl LogIdentity {
    /// The log that signs with `key` and whose entry 0 has the leaf hash `ledger_id`.
    #[must_use]
    pub fn new(key: VerifierKey, ledger_id: Hash) -> Self {
        Self { key, earlier: Vec::new(), ledger_id }
    }

    /// The same log after a change of its key, by the receipt of the accepted LogKeyRotated. It stands under a
    /// checkpoint of any key that the log had before; it is signed by the last of them, by the new key and by someone
    /// else. What was remembered under the pinned key stays.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn rotated(mut self, receipt: &str) -> Result<Self, ReceiptError> {
        let next = next_key(receipt, &self.key, &self.earlier, &self.ledger_id)?;
        self.earlier.push(std::mem::replace(&mut self.key, next));
        Ok(self)
    }

    /// The log's key, the one in force; its name is the origin.
    #[must_use]
    pub fn key(&self) -> &VerifierKey {
        &self.key
    }

    /// The key that was pinned: the first that this log is known by.
    #[must_use]
    pub fn pinned_key(&self) -> &VerifierKey {
        self.earlier.first().unwrap_or(&self.key)
    }

    /// The ledger.
    #[must_use]
    pub fn ledger_id(&self) -> &Hash {
        &self.ledger_id
    }

    /// Checks the signature, by the key in force, origin and form of a checkpoint.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open(&self, note: &str) -> Result<SignedCheckpoint, CheckpointError> {
        Self::open_with(&self.key, note)
    }

    /// The same of a checkpoint that was taken before: a key that the log had then may have signed it.
    ///
    /// # Errors
    /// [`CheckpointError`].
    pub fn open_earlier(&self, note: &str) -> Result<SignedCheckpoint, CheckpointError> {
        let mut opened = self.open(note);
        for key in self.earlier.iter().rev() {
            if !matches!(opened, Err(CheckpointError::Note(NoteError::Unsigned))) {
                break;
            }
            opened = Self::open_with(key, note);
        }
        opened
    }

    fn open_with(key: &VerifierKey, note: &str) -> Result<SignedCheckpoint, CheckpointError> {
        let checkpoint = Checkpoint::open(note, key, &key.name)?;
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

#[cfg(test)]
mod tests {
    use ledger_crypto::SigningKey;

    use super::*;

    #[test]
    fn a_key_that_was_replaced_opens_what_was_taken_before_and_nothing_new() {
        let keys = [1, 2, 3].map(|seed| SigningKey::from_seed([seed; 32]));
        let origin = "test.example/log";
        let [pinned, next, stranger] = keys.each_ref().map(|key| {
            let head = Checkpoint { origin: origin.to_owned(), size: 5, root: [7; 32] };
            (VerifierKey::new(origin, &key.public()).unwrap(), head.sign(key).unwrap())
        });
        let log = LogIdentity { key: next.0, earlier: vec![pinned.0.clone()], ledger_id: [9; 32] };
        assert_eq!(log.pinned_key().to_string(), pinned.0.to_string());
        assert!(log.open(&next.1).is_ok() && log.open_earlier(&next.1).is_ok());
        assert!(log.open(&pinned.1).is_err() && log.open_earlier(&pinned.1).is_ok());
        assert!(log.open(&stranger.1).is_err() && log.open_earlier(&stranger.1).is_err());
    }
}
