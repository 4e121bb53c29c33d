//! The last checkpoint that a client has seen of each log, so that a log that forks or shrinks is noticed.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ledger_core::checkpoint::CheckpointError;
use ledger_crypto::Hasher;

use crate::connection::Client;
use crate::disk::write_durably;
use crate::identity::{LogIdentity, SignedCheckpoint};
use crate::tiles::ConsistencyError;

/// A folder with a file per log, named by a hash over origin, key and ledger id: what the client pinned, never a name
/// that a server chose. The file is the signed checkpoint.
#[derive(Clone, Debug)]
pub struct CheckpointMemory {
    folder: PathBuf,
}

/// Why a checkpoint was not taken.
#[derive(Debug, thiserror::Error)]
pub enum MemoryError {
    /// The file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The remembered file was changed by somebody.
    #[error("{}: remembered checkpoint: {source}", path.display())]
    Remembered {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: CheckpointError,
    },
    /// The log has fewer entries than it had.
    #[error("the log has shrunk: {size} entries, it had {remembered}")]
    Shrunk {
        /// Size of the new checkpoint.
        size: u64,
        /// Size of the remembered one.
        remembered: u64,
    },
    /// Two signed checkpoints contradict each other. Keep both: they are the evidence.
    #[error(
        "the log has forked: its checkpoint of {size} entries does not continue the remembered one of {remembered} \
         entries in {}: {words}",
        path.display()
    )]
    Forked {
        /// The remembered checkpoint.
        path: PathBuf,
        /// Size of the new checkpoint.
        size: u64,
        /// Size of the remembered one.
        remembered: u64,
        /// What does not fit.
        words: String,
    },
    /// Consistency could not be checked now.
    #[error(transparent)]
    Consistency(ConsistencyError),
}

impl CheckpointMemory {
    /// The memory in a folder, which is made when something is remembered.
    #[must_use]
    pub fn new(folder: &Path) -> Self {
        Self { folder: folder.to_owned() }
    }

    /// The last checkpoint seen of a log.
    ///
    /// # Errors
    /// [`MemoryError::Io`], [`MemoryError::Remembered`].
    pub fn last(&self, log: &LogIdentity) -> Result<Option<SignedCheckpoint>, MemoryError> {
        let path = self.path(log);
        let note = match fs::read_to_string(&path) {
            Ok(note) => note,
            Err(source) if source.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(MemoryError::Io { path, source }),
        };
        match log.open(&note) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(source) => Err(MemoryError::Remembered { path, source }),
        }
    }

    /// Takes a checkpoint that continues the remembered one, shown by tiles of the server, and remembers it.
    ///
    /// # Errors
    /// [`MemoryError`]; the remembered checkpoint stays.
    pub async fn advance(
        &self,
        client: &Client,
        log: &LogIdentity,
        new: &SignedCheckpoint,
    ) -> Result<(), MemoryError> {
        let Some(old) = self.last(log)? else { return self.remember(log, new) };
        self.check_size(log, &old, new)?;
        if old.size() < new.size() {
            match client.check_consistency(&old, new).await {
                Ok(()) => {}
                Err(ConsistencyError::Client(error)) => {
                    return Err(MemoryError::Consistency(ConsistencyError::Client(error)));
                }
                Err(error) => return Err(self.forked(log, &old, new, error.to_string())),
            }
        }
        self.remember(log, new)
    }

    /// Refuses a smaller log, and another root for the same size.
    pub(crate) fn check_size(
        &self,
        log: &LogIdentity,
        old: &SignedCheckpoint,
        new: &SignedCheckpoint,
    ) -> Result<(), MemoryError> {
        if new.size() < old.size() {
            return Err(MemoryError::Shrunk { size: new.size(), remembered: old.size() });
        }
        if new.size() == old.size() && new.root() != old.root() {
            return Err(self.forked(log, old, new, "another root for the same size".to_owned()));
        }
        Ok(())
    }

    pub(crate) fn forked(
        &self,
        log: &LogIdentity,
        old: &SignedCheckpoint,
        new: &SignedCheckpoint,
        words: String,
    ) -> MemoryError {
        MemoryError::Forked { path: self.path(log), size: new.size(), remembered: old.size(), words }
    }

    /// Remembers a checkpoint whose consistency was shown. Another process may have gone further in the meantime: the
    /// larger one stays.
    pub(crate) fn remember(&self, log: &LogIdentity, new: &SignedCheckpoint) -> Result<(), MemoryError> {
        let path = self.path(log);
        let io = |source| MemoryError::Io { path: path.clone(), source };
        fs::create_dir_all(&self.folder).map_err(io)?;
        let lock = File::create(self.folder.join("lock")).map_err(io)?;
        lock.lock().map_err(io)?;
        if self.last(log)?.is_some_and(|last| last.size() > new.size()) {
            return Ok(());
        }
        write_durably(&path, new.note().as_bytes()).map_err(io)
    }

    fn path(&self, log: &LogIdentity) -> PathBuf {
        let origin = log.key().name.as_bytes();
        let mut hasher = Hasher::new();
        hasher.update(&(origin.len() as u64).to_be_bytes()).update(origin);
        hasher.update(log.key().key.as_bytes()).update(log.ledger_id());
        self.folder.join(format!("{}.checkpoint", hex::encode(hasher.finish())))
    }
}

#[cfg(test)]
mod tests {
    use ledger_core::checkpoint::Checkpoint;
    use ledger_crypto::SigningKey;
    use ledger_crypto::note::VerifierKey;

    use super::*;

    const ORIGIN: &str = "test.example/log";

    fn log(seed: u8, ledger: u8) -> (SigningKey, LogIdentity) {
        let key = SigningKey::from_seed([seed; 32]);
        let verifier = VerifierKey::new(ORIGIN, &key.public()).unwrap();
        (key, LogIdentity::new(verifier, [ledger; 32]))
    }

    fn checkpoint(key: &SigningKey, log: &LogIdentity, size: u64, root: u8) -> SignedCheckpoint {
        let head = Checkpoint { origin: ORIGIN.to_owned(), size, root: [root; 32] };
        log.open(&head.sign(key).unwrap()).unwrap()
    }

    #[test]
    fn a_smaller_log_and_another_root_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let memory = CheckpointMemory::new(folder.path());
        let (key, log) = log(1, 9);
        let old = checkpoint(&key, &log, 10, 1);
        memory.remember(&log, &old).unwrap();
        assert_eq!(memory.last(&log).unwrap(), Some(old.clone()));
        let shrunk = memory.check_size(&log, &old, &checkpoint(&key, &log, 9, 1));
        assert!(matches!(shrunk, Err(MemoryError::Shrunk { size: 9, remembered: 10 })));
        let forked = memory.check_size(&log, &old, &checkpoint(&key, &log, 10, 2));
        assert!(matches!(forked, Err(MemoryError::Forked { .. })));
        memory.remember(&log, &checkpoint(&key, &log, 5, 5)).unwrap();
        assert_eq!(memory.last(&log).unwrap().unwrap().size(), 10);
    }

    #[test]
    fn logs_are_told_apart_by_key_and_ledger_and_not_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let memory = CheckpointMemory::new(folder.path());
        let (key, first) = log(1, 9);
        memory.remember(&first, &checkpoint(&key, &first, 10, 1)).unwrap();
        for (seed, ledger) in [(2, 9), (1, 8)] {
            assert_eq!(memory.last(&log(seed, ledger).1).unwrap(), None);
        }
    }

    #[test]
    fn a_remembered_checkpoint_that_somebody_changed_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let memory = CheckpointMemory::new(folder.path());
        let (key, log) = log(1, 9);
        memory.remember(&log, &checkpoint(&key, &log, 10, 1)).unwrap();
        let path = memory.path(&log);
        let changed = fs::read_to_string(&path).unwrap().replace("\n10\n", "\n11\n");
        fs::write(&path, changed).unwrap();
        assert!(matches!(memory.last(&log), Err(MemoryError::Remembered { .. })));
    }
}
