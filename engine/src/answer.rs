//! What a submitter gets back.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use ledger_core::code::{Code, Detail, Refusal};
use ledger_core::ids::{EventId, LogIndex};
use tokio::sync::oneshot;

/// The system could not take the request (group 1). After [`Failure::StorageUnavailable`] the outcome is unknown; the
/// others mean that nothing happened. In every case: send the same bytes with the same ids again.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Failure {
    /// 101: the queue, the unsealed cuts or the unflushed tail are at their bound.
    #[error("101 OVERLOADED: {what} is at its bound of {limit}; try again in {retry_after:?}")]
    Overloaded {
        /// What is full.
        what: &'static str,
        /// Its bound, in bytes.
        limit: u64,
        /// When to try again.
        retry_after: Duration,
    },
    /// 103: a write failed or its outcome is unknown.
    #[error("103 STORAGE_UNAVAILABLE: the outcome is unknown; send the same bytes again")]
    StorageUnavailable,
    /// 104: the ledger is closing.
    #[error("104 SHUTTING_DOWN")]
    ShuttingDown,
    /// 105: the wall clock lies more than 1 s behind the last entry.
    #[error("105 CLOCK_REGRESSED: the wall clock is more than 1 s behind the last entry")]
    ClockRegressed,
    /// 106: the wall clock ran more than 1 s ahead of the monotonic clock.
    #[error("106 CLOCK_JUMPED: the wall clock ran more than 1 s ahead of the monotonic clock")]
    ClockJumped,
    /// 108: a check of the ledger against itself failed; it has stopped.
    #[error("108 INTERNAL_INVARIANT_BROKEN: {0}")]
    InvariantBroken(String),
}

impl Failure {
    /// The published code.
    pub fn code(&self) -> Code {
        match self {
            Self::Overloaded { .. } => Code::Overloaded,
            Self::StorageUnavailable => Code::StorageUnavailable,
            Self::ShuttingDown => Code::ShuttingDown,
            Self::ClockRegressed => Code::ClockRegressed,
            Self::ClockJumped => Code::ClockJumped,
            Self::InvariantBroken(_) => Code::InternalInvariantBroken,
        }
    }
}

/// The answer to one submitted event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventAnswer {
    /// Its id, when it could be read.
    pub event_id: Option<EventId>,
    /// What became of it.
    pub answer: Answer,
}

/// What became of a submitted event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Answer {
    /// It is an entry, on disk.
    Recorded {
        /// Where.
        log_index: LogIndex,
        /// When.
        recorded_at_nanos: u64,
        /// 0 accepted, else the refusal code.
        outcome: u16,
        /// Whether it was there before this submission.
        already_exists: bool,
        /// Field, value and limit of a refusal decided now; empty otherwise.
        detail: Detail,
    },
    /// Admission turned it away; nothing is recorded.
    Rejected(Refusal),
}

/// Answers of a request that is in the queue, in the order of its events. Await it or [`Pending::wait`] for it.
#[derive(Debug)]
pub struct Pending(pub(crate) oneshot::Receiver<Result<Vec<EventAnswer>, Failure>>);

impl Pending {
    /// Blocks until every event of the request is decided and on disk. Not for async threads.
    pub fn wait(self) -> Result<Vec<EventAnswer>, Failure> {
        self.0.blocking_recv().unwrap_or(Err(Failure::StorageUnavailable))
    }
}

impl Future for Pending {
    type Output = Result<Vec<EventAnswer>, Failure>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let answers = Pin::new(&mut self.0).poll(context);
        answers.map(|answers| answers.unwrap_or(Err(Failure::StorageUnavailable)))
    }
}
