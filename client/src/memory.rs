//! The last checkpoint that a client has seen of each log, so that a log that forks or shrinks is noticed.

use std::cmp::Ordering;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ledger_core::checkpoint::CheckpointError;
use ledger_crypto::Hasher;

use crate::connection::Client;
use crate::disk::write_durably;
use crate::error::Cause;
use crate::identity::{LogIdentity, SignedCheckpoint};
use crate::tiles::ConsistencyError;

/// A folder with a file per log, named by a hash over origin, key and ledger id: what the client pinned, never a name
/// that a server chose; a change of the log's key leaves it. The file is the signed checkpoint.
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
    /// Two signed checkpoints of one size have different roots. Both are kept: they are the evidence.
    #[error(
        "the log has forked: it signed two roots of its first {size} entries, the remembered one in {}, the other one in \
         {evidence}",
        path.display()
    )]
    Forked {
        /// The remembered checkpoint.
        path: PathBuf,
        /// The other one.
        evidence: Evidence,
        /// Their size.
        size: u64,
    },
    /// The tiles that the server gives do not show that one checkpoint continues the other. The log may have forked, or
    /// only the tiles are wrong. Both checkpoints are kept.
    #[error(
        "it is not shown that the log's checkpoint of {size} entries, in {evidence}, and the remembered one of \
         {remembered} entries, in {}, are of one log: {words}",
        path.display()
    )]
    NotShown {
        /// The remembered checkpoint.
        path: PathBuf,
        /// The other one.
        evidence: Evidence,
        /// Size of the other one.
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

/// Where a checkpoint that contradicts another one is kept.
#[derive(Debug)]
pub enum Evidence {
    /// In a file.
    File(PathBuf),
    /// Nowhere but here: the file could not be written.
    Note {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
        /// The signed note.
        note: String,
    },
}

impl std::fmt::Display for Evidence {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => path.display().fmt(f),
            Self::Note { path, source, note } => {
                write!(f, "{}, which could not be written ({source}): {note:?}", path.display())
            }
        }
    }
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
        match log.open_earlier(&note) {
            Ok(checkpoint) => Ok(Some(checkpoint)),
            Err(source) => Err(MemoryError::Remembered { path, source }),
        }
    }

    /// Takes the newest checkpoint of a log: it continues the remembered one, shown by tiles of the server, and is
    /// remembered.
    ///
    /// # Errors
    /// [`MemoryError`]; the remembered checkpoint stays.
    pub async fn advance(
        &self,
        client: &Client,
        log: &LogIdentity,
        new: &SignedCheckpoint,
    ) -> Result<(), MemoryError> {
        let old = self.last(log)?;
        if let Some(old) = &old {
            self.check_size(log, old, new)?;
        }
        self.take(client, log, new).await
    }

    /// Takes a checkpoint that something else is proved under. It may be older than the remembered one, which must then
    /// continue it; else it is remembered.
    ///
    /// # Errors
    /// [`MemoryError`]; the remembered checkpoint stays.
    pub async fn take(
        &self,
        client: &Client,
        log: &LogIdentity,
        new: &SignedCheckpoint,
    ) -> Result<(), MemoryError> {
        loop {
            let old = self.last(log)?;
            if let Some(old) = &old {
                self.check_continues(client, log, old, new).await?;
            }
            if self.replace(log, old.as_ref(), new)? {
                return Ok(());
            }
        }
    }

    /// Remembers a checkpoint that was shown to continue `old`, which was the remembered one. When another process has
    /// remembered another one since, the two are compared as well.
    pub(crate) async fn remember(
        &self,
        client: &Client,
        log: &LogIdentity,
        old: Option<&SignedCheckpoint>,
        new: &SignedCheckpoint,
    ) -> Result<(), MemoryError> {
        if self.replace(log, old, new)? { Ok(()) } else { self.take(client, log, new).await }
    }

    /// The smaller of both is the beginning of the larger one.
    async fn check_continues(
        &self,
        client: &Client,
        log: &LogIdentity,
        old: &SignedCheckpoint,
        new: &SignedCheckpoint,
    ) -> Result<(), MemoryError> {
        let shown = match new.size().cmp(&old.size()) {
            Ordering::Equal => return self.check_size(log, old, new),
            Ordering::Greater => client.check_consistency(old, new).await,
            Ordering::Less => client.check_consistency(new, old).await,
        };
        match shown {
            Ok(()) => Ok(()),
            Err(ConsistencyError::Client(error))
                if new.size() < old.size() && error.cause() == Cause::Missing =>
            {
                Err(MemoryError::Shrunk { size: new.size(), remembered: old.size() })
            }
            Err(ConsistencyError::Client(error)) => {
                Err(MemoryError::Consistency(ConsistencyError::Client(error)))
            }
            Err(error) => Err(MemoryError::NotShown {
                path: self.path(log),
                evidence: self.keep_evidence(log, new),
                size: new.size(),
                remembered: old.size(),
                words: error.to_string(),
            }),
        }
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
            let evidence = self.keep_evidence(log, new);
            return Err(MemoryError::Forked { path: self.path(log), evidence, size: new.size() });
        }
        Ok(())
    }

    /// Writes a checkpoint that contradicts the remembered one beside it.
    fn keep_evidence(&self, log: &LogIdentity, new: &SignedCheckpoint) -> Evidence {
        let root = hex::encode(&new.root()[..8]);
        let path = self.path(log).with_extension(format!("forked-{}-{root}", new.size()));
        match write_durably(&path, new.note().as_bytes()) {
            Ok(()) => Evidence::File(path),
            Err(source) => Evidence::Note { path, source, note: new.note().to_owned() },
        }
    }

    /// Remembers `new`, unless `old`, which it was compared with, is the larger one. `false`: another process has
    /// remembered another one than `old` since, and nothing was written.
    fn replace(
        &self,
        log: &LogIdentity,
        old: Option<&SignedCheckpoint>,
        new: &SignedCheckpoint,
    ) -> Result<bool, MemoryError> {
        let path = self.path(log);
        let io = |source| MemoryError::Io { path: path.clone(), source };
        fs::create_dir_all(&self.folder).map_err(io)?;
        let lock = File::create(self.folder.join("lock")).map_err(io)?;
        lock.lock().map_err(io)?;
        if self.last(log)?.as_ref() != old {
            return Ok(false);
        }
        if old.is_none_or(|old| old.size() < new.size()) {
            write_durably(&path, new.note().as_bytes()).map_err(io)?;
        }
        Ok(true)
    }

    fn path(&self, log: &LogIdentity) -> PathBuf {
        let pinned = log.pinned_key();
        let origin = pinned.name.as_bytes();
        let mut hasher = Hasher::new();
        hasher.update(&(origin.len() as u64).to_be_bytes()).update(origin);
        hasher.update(pinned.key.as_bytes()).update(log.ledger_id());
        self.folder.join(format!("{}.checkpoint", hex::encode(hasher.finish())))
    }
}

#[cfg(test)]
mod tests {
    use ledger_core::checkpoint::Checkpoint;
    use ledger_crypto::SigningKey;
    use ledger_crypto::note::VerifierKey;

    use super::*;
    use crate::retry::RetryPolicy;

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
        assert!(memory.replace(&log, None, &old).unwrap());
        assert_eq!(memory.last(&log).unwrap(), Some(old.clone()));
        let shrunk = memory.check_size(&log, &old, &checkpoint(&key, &log, 9, 1));
        assert!(matches!(shrunk, Err(MemoryError::Shrunk { size: 9, remembered: 10 })));
        let forked = memory.check_size(&log, &old, &checkpoint(&key, &log, 10, 2));
        assert!(matches!(forked, Err(MemoryError::Forked { .. })));
        assert!(memory.replace(&log, Some(&old), &checkpoint(&key, &log, 5, 5)).unwrap());
        assert_eq!(memory.last(&log).unwrap().unwrap().size(), 10);
    }

    #[test]
    fn both_checkpoints_of_a_fork_are_kept() {
        let folder = tempfile::tempdir().unwrap();
        let memory = CheckpointMemory::new(folder.path());
        let (key, log) = log(1, 9);
        let (old, new) = (checkpoint(&key, &log, 10, 1), checkpoint(&key, &log, 10, 2));
        memory.replace(&log, None, &old).unwrap();
        let Err(MemoryError::Forked { path, evidence: Evidence::File(evidence), size: 10 }) =
            memory.check_size(&log, &old, &new)
        else {
            panic!("no fork")
        };
        for (file, expected) in [(path, old), (evidence, new)] {
            assert_eq!(log.open(&fs::read_to_string(file).unwrap()).unwrap(), expected);
        }
    }

    /// Nobody listens there: what needs the server fails.
    fn nowhere() -> Client {
        Client::lazy("http://127.0.0.1:1").unwrap().with_retry(RetryPolicy::never())
    }

    #[tokio::test]
    async fn what_another_process_remembered_meanwhile_is_compared_too() {
        let folder = tempfile::tempdir().unwrap();
        let memory = CheckpointMemory::new(folder.path());
        let (key, log) = log(1, 9);
        let start = checkpoint(&key, &log, 10, 1);
        memory.replace(&log, None, &start).unwrap();
        let (first, second) = (checkpoint(&key, &log, 20, 3), checkpoint(&key, &log, 20, 4));
        memory.remember(&nowhere(), &log, Some(&start), &first).await.unwrap();
        let forked = memory.remember(&nowhere(), &log, Some(&start), &second).await;
        assert!(matches!(forked, Err(MemoryError::Forked { size: 20, .. })), "{forked:?}");
        assert_eq!(memory.last(&log).unwrap(), Some(first.clone()));
        let further = memory.remember(&nowhere(), &log, Some(&start), &checkpoint(&key, &log, 30, 5)).await;
        assert!(matches!(further, Err(MemoryError::Consistency(_))), "{further:?}");
        memory.remember(&nowhere(), &log, Some(&start), &first).await.unwrap();
    }

    #[test]
    fn logs_are_told_apart_by_key_and_ledger_and_not_by_name() {
        let folder = tempfile::tempdir().unwrap();
        let memory = CheckpointMemory::new(folder.path());
        let (key, first) = log(1, 9);
        memory.replace(&first, None, &checkpoint(&key, &first, 10, 1)).unwrap();
        for (seed, ledger) in [(2, 9), (1, 8)] {
            assert_eq!(memory.last(&log(seed, ledger).1).unwrap(), None);
        }
    }

    #[test]
    fn a_remembered_checkpoint_that_somebody_changed_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let memory = CheckpointMemory::new(folder.path());
        let (key, log) = log(1, 9);
        memory.replace(&log, None, &checkpoint(&key, &log, 10, 1)).unwrap();
        let path = memory.path(&log);
        let changed = fs::read_to_string(&path).unwrap().replace("\n10\n", "\n11\n");
        fs::write(&path, changed).unwrap();
        assert!(matches!(memory.last(&log), Err(MemoryError::Remembered { .. })));
    }
}
