//! What the ledger answers to a submitted event.

use ledger_core::code::{Code, Detail};
use ledger_core::ids::{EventId, LogIndex};
use ledger_proto::v1;

use crate::error::ClientError;

/// The answer to one event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventAnswer {
    /// The event; `None` when its payload has no readable id.
    pub event_id: Option<EventId>,
    /// What became of it.
    pub answer: Answer,
}

/// What became of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It stands in the log, accepted or refused.
    Recorded(Recorded),
    /// It was turned away and left no trace; it may be corrected under the same id.
    Rejected {
        /// Why.
        code: Code,
        /// Field, value and limit.
        detail: Detail,
    },
}

/// Where and how an event stands in the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recorded {
    /// Index of its entry.
    pub log_index: LogIndex,
    /// `recorded_at` of its entry, unix nanoseconds.
    pub recorded_at_nanos: u64,
    /// Why it was refused; `None` accepted.
    pub refusal: Option<Code>,
    /// It had been recorded before; index, time and outcome are those of that time.
    pub already_exists: bool,
    /// Field, value and limit of a refusal; empty when the event had been recorded before.
    pub detail: Detail,
}

/// An answer in one word.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// Recorded now, accepted.
    Accepted,
    /// Recorded before, accepted.
    AlreadyExists,
    /// Recorded now, refused: the id is used up.
    Refused(Code),
    /// Recorded before, refused: a new attempt needs a new id.
    AlreadyRefused(Code),
    /// Turned away.
    Rejected(Code),
}

impl EventAnswer {
    /// The answer in one word.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match &self.answer {
            Answer::Recorded(recorded) => recorded.verdict(),
            Answer::Rejected { code, .. } => Verdict::Rejected(*code),
        }
    }

    /// Its place in the log, when it has one.
    #[must_use]
    pub fn recorded(&self) -> Option<&Recorded> {
        match &self.answer {
            Answer::Recorded(recorded) => Some(recorded),
            Answer::Rejected { .. } => None,
        }
    }

    pub(crate) fn of_message(result: v1::SubmitResult) -> Result<Self, ClientError> {
        let event_id = match result.event_id.as_slice() {
            [] => None,
            bytes => Some(EventId(bytes.try_into().map_err(|_| malformed("event_id", &result.event_id))?)),
        };
        let answer = match result.answer {
            Some(v1::submit_result::Answer::Recorded(recorded)) => {
                Answer::Recorded(Recorded::of_message(recorded)?)
            }
            Some(v1::submit_result::Answer::Rejected(v1::Rejected { code, detail, .. })) => {
                Answer::Rejected { code: known_code(code)?, detail: detail_of(detail) }
            }
            None => return Err(malformed("answer", "none")),
        };
        Ok(Self { event_id, answer })
    }
}

impl Recorded {
    /// Accepted or refused, now or before.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        match (self.refusal, self.already_exists) {
            (None, false) => Verdict::Accepted,
            (None, true) => Verdict::AlreadyExists,
            (Some(code), false) => Verdict::Refused(code),
            (Some(code), true) => Verdict::AlreadyRefused(code),
        }
    }

    fn of_message(recorded: v1::Recorded) -> Result<Self, ClientError> {
        let refusal = match recorded.outcome {
            0 => None,
            number => Some(known_code(number)?),
        };
        Ok(Self {
            log_index: LogIndex(recorded.log_index),
            recorded_at_nanos: recorded.recorded_at_nanos,
            refusal,
            already_exists: recorded.already_exists,
            detail: detail_of(recorded.detail),
        })
    }
}

impl Verdict {
    /// Whether the event stands in the log as accepted.
    #[must_use]
    pub fn is_accepted(self) -> bool {
        matches!(self, Self::Accepted | Self::AlreadyExists)
    }

    /// The code that stopped the event, when a code did.
    #[must_use]
    pub fn code(self) -> Option<Code> {
        match self {
            Self::Refused(code) | Self::AlreadyRefused(code) | Self::Rejected(code) => Some(code),
            Self::Accepted | Self::AlreadyExists => None,
        }
    }
}

/// `ACCEPTED`, `ALREADY_EXISTS`, the name of a code, or `EVENT_ALREADY_REFUSED(CODE)`.
impl std::fmt::Display for Verdict {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Accepted => f.pad("ACCEPTED"),
            Self::AlreadyExists => f.pad("ALREADY_EXISTS"),
            Self::Refused(code) | Self::Rejected(code) => f.pad(code.name()),
            Self::AlreadyRefused(code) => f.pad(&format!("EVENT_ALREADY_REFUSED({code})")),
        }
    }
}

fn known_code(number: u32) -> Result<Code, ClientError> {
    let code = u16::try_from(number).ok().and_then(Code::from_number);
    code.ok_or_else(|| malformed("code", number))
}

fn detail_of(detail: Option<v1::Detail>) -> Detail {
    let v1::Detail { field, value, limit } = detail.unwrap_or_default();
    Detail { field, value, limit }
}

fn malformed(field: &'static str, found: impl std::fmt::Debug) -> ClientError {
    ClientError::Malformed { field, found: format!("{found:?}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn recorded(outcome: u32, already_exists: bool) -> v1::SubmitResult {
        let recorded = v1::Recorded { log_index: 7, outcome, already_exists, ..Default::default() };
        v1::SubmitResult {
            event_id: vec![1; 16],
            answer: Some(v1::submit_result::Answer::Recorded(recorded)),
        }
    }

    #[test]
    fn a_known_refusal_is_called_event_already_refused() {
        let cases = [
            (0, false, "ACCEPTED"),
            (0, true, "ALREADY_EXISTS"),
            (904, false, "INSUFFICIENT_FUNDS"),
            (904, true, "EVENT_ALREADY_REFUSED(INSUFFICIENT_FUNDS)"),
        ];
        for (outcome, already_exists, words) in cases {
            let answer = EventAnswer::of_message(recorded(outcome, already_exists)).unwrap();
            assert_eq!(answer.verdict().to_string(), words);
            assert_eq!(answer.recorded().unwrap().log_index, LogIndex(7));
        }
    }

    #[test]
    fn answers_that_make_no_sense_are_errors() {
        let unknown = recorded(999, false);
        let short = v1::SubmitResult { event_id: vec![1; 15], ..recorded(0, false) };
        let empty = v1::SubmitResult { answer: None, ..recorded(0, false) };
        for result in [unknown, short, empty] {
            assert!(matches!(EventAnswer::of_message(result), Err(ClientError::Malformed { .. })));
        }
    }
}
