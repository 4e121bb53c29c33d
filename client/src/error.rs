//! Why a call to a server failed.

use std::time::Duration;

use tonic::Code as GrpcCode;

/// A call that gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The text is not the URL of a server.
    #[error("server address {endpoint:?}: expected http://HOST:PORT")]
    Endpoint {
        /// The refused address.
        endpoint: String,
    },
    /// The server answered a call with a status other than OK.
    #[error("{call}: {} ({})", status.message(), status.code())]
    Status {
        /// Name of the call.
        call: &'static str,
        /// Code and message.
        status: Box<tonic::Status>,
    },
    /// The server answered something that cannot be.
    #[error("the server's answer makes no sense: {field} is {found}")]
    Malformed {
        /// Which part of the answer.
        field: &'static str,
        /// What was found there.
        found: String,
    },
    /// A stream was used after its server side had ended.
    #[error("the submit stream has ended")]
    StreamEnded,
}

/// What kind of failure a [`ClientError`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cause {
    /// The request is malformed or too large, or the address is none. Nothing happened.
    Usage,
    /// What was asked for is not there, or not built.
    Missing,
    /// The server cannot be reached or takes nothing now. Whether a submission was recorded is not known: send the
    /// same bytes again.
    Unavailable,
    /// The server answered something wrong, or says that its data is damaged.
    Broken,
}

impl ClientError {
    pub(crate) fn status(call: &'static str) -> impl Fn(tonic::Status) -> Self {
        move |status| Self::Status { call, status: Box::new(status) }
    }

    /// What kind of failure this is.
    #[must_use]
    pub fn cause(&self) -> Cause {
        match self {
            Self::Endpoint { .. } => Cause::Usage,
            Self::Malformed { .. } => Cause::Broken,
            Self::StreamEnded => Cause::Unavailable,
            Self::Status { status, .. } => match status.code() {
                GrpcCode::InvalidArgument | GrpcCode::Unauthenticated | GrpcCode::PermissionDenied => {
                    Cause::Usage
                }
                // The server names no delay for a message above its limit; a connection that breaks has a source.
                GrpcCode::ResourceExhausted
                    if retry_delay(status).is_none() && std::error::Error::source(&**status).is_none() =>
                {
                    Cause::Usage
                }
                GrpcCode::NotFound | GrpcCode::OutOfRange | GrpcCode::Unimplemented => Cause::Missing,
                GrpcCode::DataLoss => Cause::Broken,
                _ => Cause::Unavailable,
            },
        }
    }

    /// Whether the same call may succeed later without anything being changed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        let Self::Status { status, .. } = self else { return false };
        is_transient(status)
    }
}

pub(crate) fn is_transient(status: &tonic::Status) -> bool {
    match status.code() {
        GrpcCode::Unavailable => true,
        // A message above a size limit carries no delay and stays too large.
        GrpcCode::ResourceExhausted => retry_delay(status).is_some(),
        // What hyper and h2 report when a connection breaks under a call.
        GrpcCode::Unknown | GrpcCode::Cancelled | GrpcCode::Internal => {
            std::error::Error::source(status).is_some()
        }
        _ => false,
    }
}

/// The delay that the server asks for (google.rpc.RetryInfo).
pub(crate) fn retry_delay(status: &tonic::Status) -> Option<Duration> {
    use tonic_types::StatusExt;

    status.get_details_retry_info()?.retry_delay
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use tonic::Status;
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    #[test]
    fn a_message_above_the_limit_is_usage_and_an_overloaded_server_is_away() {
        let too_large = Status::resource_exhausted("message above the limit of this server");
        let details = ErrorDetails::with_retry_info(Some(Duration::from_millis(5)));
        let full = Status::with_error_details(GrpcCode::ResourceExhausted, "queue full", details);
        let mut broken = Status::resource_exhausted("the connection broke");
        broken.set_source(Arc::new(std::io::Error::other("h2")));
        for (status, cause) in
            [(too_large, Cause::Usage), (full, Cause::Unavailable), (broken, Cause::Unavailable)]
        {
            let error = ClientError::status("Submit")(status);
            assert_eq!(error.cause(), cause, "{error}");
        }
    }
}
