//! How the program ends: exit codes, and the errors behind them.

use std::io;
use std::path::{Path, PathBuf};

use ledger_client::{
    Cause, ClientError, ConsistencyError, IdError, MemoryError, MirrorError, ReceiptError, Verdict,
};
use ledger_core::checkpoint::CheckpointError;
use ledger_core::code::{Code, Refusal};
use ledger_core::ids::EventId;
use ledger_crypto::dsse::EnvelopeError;
use ledger_crypto::keyfile::KeyFileError;
use ledger_crypto::{KeyError, RandomnessError};
use ledger_engine::{CheckError, OpenError};

/// Exit code of the program; of several events the highest counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[repr(u8)]
pub enum Exit {
    /// Done, or done before.
    Ok = 0,
    /// The command line, a file or a name is wrong.
    Usage = 1,
    /// Refused or turned away by a rule.
    Refused = 2,
    /// Something else stands in its place already.
    Conflict = 3,
    /// The server cannot be reached, or takes nothing now.
    Unavailable = 4,
    /// A proof, signature or log does not hold.
    Verification = 5,
}

impl Exit {
    /// The exit code of an answer to an event.
    pub fn of_verdict(verdict: Verdict) -> Self {
        match verdict {
            Verdict::Accepted | Verdict::AlreadyExists => Self::Ok,
            Verdict::AlreadyRefused(_) => Self::Conflict,
            Verdict::Refused(code) | Verdict::Rejected(code) if is_conflict(code) => Self::Conflict,
            Verdict::Refused(_) | Verdict::Rejected(_) => Self::Refused,
        }
    }
}

impl From<Exit> for std::process::ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit as u8)
    }
}

fn is_conflict(code: Code) -> bool {
    matches!(code.number(), 503 | 504 | 703 | 704 | 708 | 712 | 718)
}

/// Why a command did not come to its end.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// A value on the command line.
    #[error("{name} {value:?}: expected {expected}")]
    Argument {
        /// Name of the flag or argument.
        name: &'static str,
        /// What was given.
        value: String,
        /// What would be right.
        expected: String,
    },
    /// A value that the command cannot do without.
    #[error("{what} is not known: give {how}")]
    Missing {
        /// What is missing.
        what: &'static str,
        /// How to give it.
        how: &'static str,
    },
    /// A file or folder.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A call to the server.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// A submission without an answer: it may stand in the log, or not.
    #[error(
        "{source}; whether event {event_id} was recorded is not known, and the same command again would be another \
         event: submit this one again, {kept}"
    )]
    Unanswered {
        /// The event.
        event_id: EventId,
        /// What went wrong.
        source: ClientError,
        /// The signed event.
        kept: Kept,
    },
    /// A key file.
    #[error(transparent)]
    KeyFile(#[from] KeyFileError),
    /// A public key.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// No random bytes for a key.
    #[error(transparent)]
    Randomness(#[from] RandomnessError),
    /// No new id.
    #[error(transparent)]
    Id(#[from] IdError),
    /// An envelope file.
    #[error("{}: {source}", path.display())]
    Envelope {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: EnvelopeError,
    },
    /// An event in a file that is none.
    #[error("{}: {source}", path.display())]
    Event {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: Refusal,
    },
    /// A checkpoint of the server.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// A change of the log's key that does not hold.
    #[error("--rotation {}: {source}", path.display())]
    Rotation {
        /// The receipt.
        path: PathBuf,
        /// What is wrong with it.
        source: ledger_core::receipt::ReceiptError,
    },
    /// A checkpoint that does not continue the last one.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// The export.
    #[error(transparent)]
    Mirror(#[from] MirrorError),
    /// A receipt.
    #[error(transparent)]
    Receipt(#[from] ReceiptError),
    /// A log that breaks the rules.
    #[error("{}: {words}", folder.display())]
    Log {
        /// The export.
        folder: PathBuf,
        /// The first thing that is wrong.
        words: String,
    },
    /// A log that may be right, but that this program cannot judge.
    #[error("{}: {words}", folder.display())]
    NotJudged {
        /// The export.
        folder: PathBuf,
        /// What is not known.
        words: String,
    },
    /// A store that is not as it must be, or could not be checked.
    #[error("{}: {source}", dir.display())]
    Store {
        /// The data directory.
        dir: PathBuf,
        /// What is wrong.
        source: Box<CheckError>,
    },
    /// The data directory of a new ledger.
    #[error("{}: {source}", folder.display())]
    Create {
        /// The data directory.
        folder: PathBuf,
        /// What stands in the way.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The import.
    #[error(transparent)]
    Import(Box<crate::import::ImportError>),
    /// The demonstration came to another end than it must.
    #[error("demo, {step}: {words}")]
    Demo {
        /// What it was doing.
        step: &'static str,
        /// What went wrong.
        words: String,
    },
}

/// Where a signed event without an answer is.
#[derive(Debug)]
pub enum Kept {
    /// In a file.
    File(PathBuf),
    /// Nowhere but here: the file could not be written.
    Text {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
        /// What the file would hold.
        text: String,
    },
}

impl std::fmt::Display for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::File(path) => write!(f, "ledger event submit {}", path.display()),
            Self::Text { path, source, text } => {
                write!(
                    f,
                    "{} could not be written ({source}), this is what it must hold: {text}",
                    path.display()
                )
            }
        }
    }
}

impl From<crate::import::ImportError> for CliError {
    fn from(error: crate::import::ImportError) -> Self {
        Self::Import(Box::new(error))
    }
}

impl CliError {
    /// An error about a file or folder.
    pub fn io(path: &Path) -> impl Fn(io::Error) -> Self {
        move |source| Self::Io { path: path.to_owned(), source }
    }

    /// An error about a value on the command line.
    pub fn argument(name: &'static str, value: impl ToString, expected: impl ToString) -> Self {
        Self::Argument { name, value: value.to_string(), expected: expected.to_string() }
    }

    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Client(error) | Self::Unanswered { source: error, .. } => exit_of(error),
            Self::Checkpoint(_) | Self::Rotation { .. } | Self::Log { .. } => Exit::Verification,
            Self::Memory(error) => exit_of_memory(error),
            Self::Mirror(error) => match error {
                MirrorError::Client(error) => exit_of(error),
                MirrorError::Memory(error) => exit_of_memory(error),
                MirrorError::Io { .. } => Exit::Usage,
                _ => Exit::Verification,
            },
            Self::Receipt(error) => match error {
                ReceiptError::Client(error) => exit_of(error),
                ReceiptError::Memory(error) => exit_of_memory(error),
                ReceiptError::Event(_) | ReceiptError::NoEvent => Exit::Usage,
                ReceiptError::Invalid(_) | ReceiptError::OtherEntry { .. } => Exit::Verification,
            },
            Self::Store { source, .. } => match source.as_ref() {
                CheckError::Wrong(_) | CheckError::Open(OpenError::DataLoss(_)) => Exit::Verification,
                _ => Exit::Usage,
            },
            Self::Import(error) => error.exit(),
            Self::Demo { .. } => Exit::Verification,
            _ => Exit::Usage,
        }
    }
}

/// The exit code of a failed call.
pub fn exit_of(error: &ClientError) -> Exit {
    match error.cause() {
        Cause::Usage => Exit::Usage,
        Cause::Missing => Exit::Refused,
        Cause::Unavailable => Exit::Unavailable,
        Cause::Broken => Exit::Verification,
    }
}

fn exit_of_memory(error: &MemoryError) -> Exit {
    match error {
        MemoryError::Io { .. } => Exit::Usage,
        MemoryError::Consistency(ConsistencyError::Client(error)) => exit_of(error),
        _ => Exit::Verification,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn conflicts_are_told_from_refusals() {
        let cases = [
            (Verdict::Accepted, Exit::Ok),
            (Verdict::AlreadyExists, Exit::Ok),
            (Verdict::Refused(Code::InsufficientFunds), Exit::Refused),
            (Verdict::Rejected(Code::SignerKeyUnknown), Exit::Refused),
            (Verdict::AlreadyRefused(Code::InsufficientFunds), Exit::Conflict),
            (Verdict::Rejected(Code::EventIdConflict), Exit::Conflict),
            (Verdict::Refused(Code::PaymentAlreadyExists), Exit::Conflict),
            (Verdict::Refused(Code::DuplicateExternalRef), Exit::Conflict),
            (Verdict::Refused(Code::AccountAlreadyExists), Exit::Conflict),
            (Verdict::Refused(Code::PreviousEventMismatch), Exit::Conflict),
            (Verdict::Refused(Code::KeyAlreadyRegistered), Exit::Conflict),
        ];
        for (verdict, exit) in cases {
            assert_eq!(Exit::of_verdict(verdict), exit, "{verdict}");
        }
        assert!(Exit::Verification > Exit::Unavailable && Exit::Unavailable > Exit::Conflict);
    }
}
