//! The one place where faults become gRPC statuses. Numbered codes 201 to 1001 are results of events and never come
//! here.

use std::time::Duration;

use ledger_core::code::Code as Number;
use ledger_engine::{Failure, ReadError};
use tonic::{Code, Status};
use tonic_types::{ErrorDetails, StatusExt};

/// Domain of `google.rpc.ErrorInfo`.
const DOMAIN: &str = "ledger.v1";
/// How long a client waits that met a limit of the server.
const RETRY_AFTER: Duration = Duration::from_millis(100);

/// A call that the system could not serve: RESOURCE_EXHAUSTED with a retry delay for 101 and 102, UNAVAILABLE for
/// 103 to 107, INTERNAL for 108. The number and its name stand in `google.rpc.ErrorInfo`.
pub fn failure(failure: &Failure) -> Status {
    let number = failure.code();
    let delay = match failure {
        Failure::Overloaded { retry_after, .. } => Some(*retry_after),
        _ => None,
    };
    let status = numbered(number, failure.to_string(), delay);
    if status.code() == Code::Internal {
        tracing::error!(%failure, "a call failed");
    }
    status
}

/// More calls of a kind than this server takes at a time: 101, nothing happened.
pub fn too_many(what: &str, limit: u32) -> Status {
    said(Number::Overloaded, format!("{what}: {limit} are in work already"), Some(RETRY_AFTER))
}

/// The server is stopping: 104, nothing happened.
pub fn stopping() -> Status {
    said(Number::ShuttingDown, "the server is stopping".to_owned(), None)
}

/// A read that could not be answered. `what` names the thing, such as `block 17`.
pub fn read(error: &ReadError, what: &str) -> Status {
    match error {
        ReadError::OutOfRange { head } => beyond(what, head.0),
        ReadError::NotSealedYet => {
            let mut details = ErrorDetails::with_retry_info(Some(RETRY_AFTER));
            details.set_error_info("NOT_SEALED_YET", DOMAIN, [("entry".to_owned(), what.to_owned())]);
            Status::with_error_details(Code::Unavailable, format!("{what}: not sealed yet"), details)
        }
        ReadError::Invalid { field, value, limit } => malformed(field, value, limit),
        ReadError::DataLoss { .. } | ReadError::Disagrees(_) => Status::data_loss(format!("{what}: {error}")),
        ReadError::Storage(_) => said(Number::StorageUnavailable, format!("{what}: {error}"), None),
    }
}

/// One thing that is not there.
pub fn not_found(what: &str) -> Status {
    Status::not_found(format!("{what}: not found"))
}

/// What the configuration of this server does not allow.
pub fn not_allowed(what: &str) -> Status {
    Status::permission_denied(what)
}

/// A position at or after the end of what there is.
pub fn beyond(what: &str, end: u64) -> Status {
    Status::out_of_range(format!("{what}: the first {end} are there"))
}

/// A request that means nothing: names the field, what was found and what is allowed.
pub fn malformed(field: &str, found: impl std::fmt::Display, allowed: &str) -> Status {
    let text = format!("found {found}, expected {allowed}");
    let details = ErrorDetails::with_bad_request_violation(field, text.clone());
    Status::with_error_details(Code::InvalidArgument, format!("{field}: {text}"), details)
}

/// A message above the limit of the server.
pub fn too_large(detail: &str) -> Status {
    Status::resource_exhausted(format!("message above the limit of this server: {detail}"))
}

/// A request that was not there whole in time; nothing happened.
pub fn not_received(limit: Duration) -> Status {
    Status::deadline_exceeded(format!(
        "server.request_timeout: the request took longer than {limit:?} to arrive"
    ))
}

/// A stream on which nothing came; whoever has more to send opens another.
pub fn rested(limit: Duration) -> Status {
    Status::unavailable(format!("server.stream_timeout: no message within {limit:?}"))
}

/// The wait for a checkpoint took longer than the client wanted.
pub fn not_in_time(what: &str, timeout: Duration) -> Status {
    Status::deadline_exceeded(format!("{what}: not sealed within {} ms", timeout.as_millis()))
}

/// A fault of the server itself.
pub fn internal(what: &str) -> Status {
    said(Number::InternalInvariantBroken, what.to_owned(), None)
}

/// Name of a status, as gRPC writes it.
pub fn name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

fn said(number: Number, message: String, retry_after: Option<Duration>) -> Status {
    numbered(number, format!("{} {number}: {message}", number.number()), retry_after)
}

fn numbered(number: Number, message: String, retry_after: Option<Duration>) -> Status {
    let code = match number {
        Number::Overloaded | Number::RateLimited => Code::ResourceExhausted,
        Number::StorageUnavailable
        | Number::ShuttingDown
        | Number::ClockRegressed
        | Number::ClockJumped
        | Number::ReadOnly => Code::Unavailable,
        _ => Code::Internal,
    };
    let mut details = ErrorDetails::new();
    details.set_error_info(number.name(), DOMAIN, [("code".to_owned(), number.number().to_string())]);
    if retry_after.is_some() {
        details.set_retry_info(retry_after);
    }
    Status::with_error_details(code, message, details)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_failure_has_its_status_its_number_and_a_delay_where_waiting_helps() {
        let full = Failure::Overloaded { what: "the queue", limit: 1, retry_after: Duration::from_millis(7) };
        let rows = [
            (full, Code::ResourceExhausted, "101"),
            (Failure::StorageUnavailable, Code::Unavailable, "103"),
            (Failure::ShuttingDown, Code::Unavailable, "104"),
            (Failure::ClockRegressed, Code::Unavailable, "105"),
            (Failure::ClockJumped, Code::Unavailable, "106"),
            (Failure::InvariantBroken("sums".to_owned()), Code::Internal, "108"),
        ];
        for (one, code, number) in rows {
            let status = failure(&one);
            let details = status.get_error_details();
            assert_eq!(status.code(), code);
            assert_eq!(details.error_info().unwrap().metadata["code"], number);
            assert!(status.message().starts_with(number), "{}", status.message());
            let delay = details.retry_info().and_then(|info| info.retry_delay);
            assert_eq!(delay, (number == "101").then_some(Duration::from_millis(7)));
        }
    }

    #[test]
    fn a_malformed_request_names_field_value_and_limit() {
        let status = malformed("events", 8_193, "1 to 8192");
        assert_eq!(status.code(), Code::InvalidArgument);
        assert_eq!(status.message(), "events: found 8193, expected 1 to 8192");
        assert_eq!(status.get_error_details().bad_request().unwrap().field_violations[0].field, "events");
    }
}
