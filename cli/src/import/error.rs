//! Why an import stopped.

use std::path::PathBuf;

use ledger_client::{ClientError, Verdict};
use ledger_core::ids::{AccountId, LogIndex};
use thiserror::Error;

use super::acks::AcksError;
use super::derive::Subject;
use super::file::{BankFile, FileError};
use super::mapping::MappingError;
use super::send::{SendError, Stop};

/// Why an import stopped.
#[derive(Debug, Error)]
pub enum ImportError {
    /// The mapping cannot be used; nothing was sent.
    #[error("mapping: {0}")]
    Mapping(#[from] MappingError),
    /// The file cannot be understood; nothing was sent.
    #[error(transparent)]
    File(#[from] FileError),
    /// An account is open already, but not as the mapping wants it; nothing was sent.
    #[error("account {account}: its {field} is {there}, the mapping wants {wanted}")]
    OtherAccount {
        /// The account.
        account: AccountId,
        /// Which of its fields.
        field: &'static str,
        /// What the ledger has.
        there: String,
        /// What the mapping says.
        wanted: String,
    },
    /// The server cannot be reached, or answered something wrong; running the import again goes on from there.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// An acknowledgement could not be kept, or contradicts an earlier one.
    #[error(transparent)]
    Acks(#[from] AcksError),
    /// An event was not accepted; nothing after it was sent, but what was already on its way.
    #[error(transparent)]
    Refused(Box<RefusedRow>),
}

/// An event that the ledger did not accept, and where in the file it comes from.
#[derive(Debug, Error)]
#[error("{}", self.words())]
pub struct RefusedRow {
    /// The file.
    pub file: PathBuf,
    /// The line, from 1; that of the first use for the opening of an account.
    pub line: u64,
    /// The row's key.
    pub key: String,
    /// What the event was for.
    pub part: &'static str,
    /// The column that the refused field comes from, or columns joined by ` + `.
    pub column: String,
    /// The answer.
    pub verdict: Verdict,
    /// The event's field that it is about, may be empty.
    pub field: String,
    /// The value found.
    pub value: String,
    /// What would be allowed.
    pub limit: String,
    /// Where the refusal stands in the log; its event id is used up.
    pub log_index: Option<LogIndex>,
}

impl ImportError {
    /// Names the row of an event that was not accepted.
    pub fn sending(error: SendError, file: &BankFile) -> Self {
        match error {
            SendError::Client(error) => Self::Client(error),
            SendError::Acks(error) => Self::Acks(error),
            SendError::Stopped(stop) => Self::Refused(Box::new(RefusedRow::new(*stop, file))),
        }
    }
}

impl RefusedRow {
    fn new(stop: Stop, file: &BankFile) -> Self {
        let uses =
            |account: usize| file.rows.iter().position(|row| [row.account, row.counter].contains(&account));
        let (part, row) = match stop.subject {
            Subject::Account(account) => ("account", uses(account).unwrap_or_default()),
            Subject::Transfer(part, row) => (part.name(), row),
        };
        let row = &file.rows[row];
        let account = |position: usize| file.accounts.at(position).id;
        let detail = stop.detail;
        let layout = &file.layout;
        let about =
            |id: AccountId| detail.value == id.as_str() || detail.value.starts_with(&format!("{id} "));
        let column = match detail.field.as_str() {
            field if field.contains("amount") => layout.amount_column().to_owned(),
            field if field.contains("date") || field.contains("timestamp") => layout.date_column().to_owned(),
            field if field.contains("external_ref") => layout.reference_column(),
            field if field.contains("purpose") => layout.purpose_column(),
            _ if about(account(row.account)) => layout.account_column(),
            _ if about(account(row.counter)) => layout.counter_column(),
            _ => layout.key_column().to_owned(),
        };
        Self {
            file: file.path.clone(),
            line: row.line,
            key: row.key.clone(),
            part,
            column,
            verdict: stop.verdict,
            field: detail.field,
            value: detail.value,
            limit: detail.limit,
            log_index: stop.log_index,
        }
    }

    fn words(&self) -> String {
        let Self { file, line, key, part, column, verdict, field, value, limit, .. } = self;
        let number = verdict.code().map_or_else(String::new, |code| format!("{} ", code.number()));
        let recorded = self.log_index.map_or_else(
            || "nothing was recorded".to_owned(),
            |index| format!("the refusal stands at log index {index}"),
        );
        let file = file.display();
        format!(
            "{file}:{line}: row {key:?} ({part}), column {column:?}: {number}{verdict}: field {field:?}, value {value:?}, \
             limit {limit:?}; {recorded}"
        )
    }
}
