//! Statements, a part at a time.

use ledger_proto::v1;
use ledger_proto::v1::get_statement_response::Part;
use tonic::Streaming;

use crate::connection::Client;
use crate::error::ClientError;
use crate::retry::retried;

/// Which lines a statement has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatementRange {
    /// By the time of their entries, unix nanoseconds.
    Recorded {
        /// The first nanosecond.
        from_nanos: u64,
        /// The first one after the range.
        to_nanos: u64,
    },
    /// By the effective date of their events, yyyymmdd.
    Effective {
        /// First date.
        from_date: u32,
        /// Last date.
        to_date: u32,
    },
}

/// A statement that is being read.
#[derive(Debug)]
pub struct Statement {
    /// Opening, closing and how many lines follow.
    pub head: v1::StatementHead,
    parts: Streaming<v1::GetStatementResponse>,
    left: u64,
}

impl Client {
    /// The statement of an account. The server has found it to add up before the head comes. Tried again while the
    /// server is away, until the head is there.
    ///
    /// # Errors
    /// [`ClientError`].
    pub async fn statement(&self, account: &str, range: StatementRange) -> Result<Statement, ClientError> {
        let range = match range {
            StatementRange::Recorded { from_nanos, to_nanos } => {
                v1::get_statement_request::Range::Recorded(v1::RecordedRange { from_nanos, to_nanos })
            }
            StatementRange::Effective { from_date, to_date } => {
                v1::get_statement_request::Range::Effective(v1::EffectiveRange { from_date, to_date })
            }
        };
        let request = v1::GetStatementRequest { account: account.to_owned(), range: Some(range) };
        retried!(self, "GetStatement", self.begin_statement(request.clone()))?
    }

    async fn begin_statement(
        &self,
        request: v1::GetStatementRequest,
    ) -> Result<Result<Statement, ClientError>, tonic::Status> {
        let mut parts = self.service().get_statement(request).await?.into_inner();
        Ok(match parts.message().await?.and_then(|message| message.part) {
            Some(Part::Head(head)) => Ok(Statement { left: head.line_count, head, parts }),
            other => {
                Err(ClientError::Malformed { field: "part", found: format!("{other:?} before the head") })
            }
        })
    }
}

impl Statement {
    /// The next lines, in the order of the statement; `None` after the last. Ends only when all lines that the head
    /// promised have come.
    ///
    /// # Errors
    /// [`ClientError`]; then read the statement again from its beginning.
    pub async fn next(&mut self) -> Result<Option<Vec<v1::StatementLine>>, ClientError> {
        let malformed = |found: String| ClientError::Malformed { field: "part", found };
        let message = self.parts.message().await.map_err(ClientError::status("GetStatement"))?;
        match message.map(|message| message.part) {
            None if self.left == 0 => Ok(None),
            None => Err(malformed(format!("the end, with {} lines to come", self.left))),
            Some(Some(Part::Lines(v1::StatementLines { lines }))) => {
                let count = lines.len() as u64;
                let more = || malformed(format!("{count} lines where {} were to come", self.left));
                self.left = self.left.checked_sub(count).ok_or_else(more)?;
                Ok(Some(lines))
            }
            Some(other) => Err(malformed(format!("{other:?} after the head"))),
        }
    }
}
