//! Why an import stopped.

use std::path::PathBuf;

use ledger_client::{ClientError, Verdict};
use ledger_core::ids::{AccountId, LogIndex};
use thiserror::Error;

use crate::exit::{Exit, exit_of};

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
        account: String,
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
    #[error("{first}{others}")]
    Refused {
        /// The first.
        first: Box<RefusedRow>,
        /// Those behind it.
        others: Others,
        /// The highest exit code of all of them.
        exit: Exit,
    },
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
    /// The exit code.
    pub fn exit(&self) -> Exit {
        match self {
            Self::Mapping(_) | Self::File(_) => Exit::Usage,
            Self::Acks(AcksError::Io { .. } | AcksError::Line { .. }) => Exit::Usage,
            Self::Acks(AcksError::Moved { .. }) => Exit::Verification,
            Self::OtherAccount { .. } => Exit::Conflict,
            Self::Client(error) => exit_of(error),
            Self::Refused { exit, .. } => *exit,
        }
    }

    /// Names the row of an event that was not accepted.
    pub fn sending(error: SendError, file: &BankFile) -> Self {
        match error {
            SendError::Client(error) => Self::Client(error),
            SendError::Acks(error) => Self::Acks(error),
            SendError::Stopped(stops) => Self::refused(stops, file),
        }
    }
}

impl ImportError {
    /// Describes the first, and names the rest.
    fn refused(stops: Vec<Stop>, file: &BankFile) -> Self {
        let exit = stops.iter().map(|stop| Exit::of_verdict(stop.verdict)).max().unwrap_or(Exit::Refused);
        let mut rows = stops.into_iter().map(|stop| RefusedRow::new(stop, file));
        match rows.next() {
            Some(first) => Self::Refused { first: Box::new(first), others: Others(rows.collect()), exit },
            None => Self::Client(ClientError::StreamEnded),
        }
    }
}

/// Events that were on their way and were not accepted either.
#[derive(Debug)]
pub struct Others(Vec<RefusedRow>);

impl std::fmt::Display for Others {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0.is_empty() {
            return Ok(());
        }
        write!(f, "; {} more on their way were not accepted:", self.0.len())?;
        for (position, RefusedRow { line, key, part, verdict, .. }) in self.0.iter().enumerate() {
            let comma = if position == 0 { "" } else { "," };
            write!(f, "{comma} line {line} {key:?} ({part}) {verdict}")?;
        }
        Ok(())
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

#[cfg(test)]
mod tests {
    use ledger_core::code::{Code, Detail};

    use super::super::mapping::Mapping;
    use super::super::plan::{Part, Plan};
    use super::*;

    const MAPPING: &str = r#"
        source = "test"
        file = { delimiter = ",", charset = "utf-8", rows = "oldest-first", within_day = "file" }
        columns = { key = "id", date = "day", amount = "amount" }
        date = { format = "yyyymmdd" }
        amount = { currency = "EUR", decimal_mark = "." }
        account = { id = "c:{account}", kind = "CUSTOMER" }
        transfer = { purpose = "{text}", reference = "{ref}" }
        counter = [{ when = { text = ["pay"] }, account = { id = "bank:{bank}", kind = "EXTERNAL" } }]
    "#;

    #[test]
    fn a_refused_row_is_named_with_the_column_that_the_field_comes_from() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        let lines =
            "id,day,account,amount,bank,text,ref\n7,20240101,a,1.00,x,pay,r7\n8,20240102,b,-2.00,x,pay,r8\n";
        std::fs::write(&path, lines).unwrap();
        let mapping: Mapping = toml::from_str(MAPPING).unwrap();
        let mut file = BankFile::read(&path, &mapping).unwrap();
        let plan = Plan::new(&mut file, mapping.file.within_day).unwrap();
        let cases = [
            ("legs[0].account", "c:b", "account"),
            ("legs[1].account", "bank:x", "bank + text"),
            ("legs[0].amount", "200", "amount"),
            ("effective_date", "20240102", "day"),
            ("timestamp_nanos", "1", "day"),
            ("external_ref", "r8", "ref"),
            ("purpose", "", "text"),
            ("signers", "00", "id"),
        ];
        for (field, value, column) in cases {
            let detail = Detail { field: field.to_owned(), value: value.to_owned(), limit: "5".to_owned() };
            let verdict = Verdict::Refused(Code::InsufficientFunds);
            let subject = Subject::Transfer(Part::Row, 1);
            let stop = Stop { subject, verdict, log_index: Some(LogIndex(9)), detail };
            let row = RefusedRow::new(stop, &file);
            assert_eq!((row.line, row.key.as_str(), row.column.as_str()), (3, "8", column), "{field}");
            let words = row.to_string();
            let end = format!(
                "rows.csv:3: row \"8\" (row), column {column:?}: 904 INSUFFICIENT_FUNDS: field {field:?}, value {value:?}, \
                 limit \"5\"; the refusal stands at log index 9"
            );
            assert!(words.ends_with(&end), "{words}");
        }
        let subject = Subject::Account(plan.accounts[1].0);
        let verdict = Verdict::Rejected(Code::SignerRoleMissing);
        let stop = |subject, verdict| Stop { subject, verdict, log_index: None, detail: Detail::default() };
        let row = RefusedRow::new(stop(subject, verdict), &file);
        assert_eq!((row.line, row.part), (2, "account"));
        assert!(row.to_string().ends_with("nothing was recorded"));
        let alone = ImportError::refused(vec![stop(subject, verdict)], &file);
        assert_eq!((alone.exit(), alone.to_string()), (Exit::Refused, row.to_string()));
        let again = Verdict::AlreadyRefused(Code::InsufficientFunds);
        let stops = [
            (subject, verdict),
            (Subject::Transfer(Part::Row, 0), verdict),
            (Subject::Transfer(Part::Row, 1), again),
        ];
        let all = ImportError::refused(stops.map(|(subject, verdict)| stop(subject, verdict)).into(), &file);
        assert_eq!(all.exit(), Exit::Conflict);
        let end = "; 2 more on their way were not accepted: line 2 \"7\" (row) SIGNER_ROLE_MISSING, line 3 \"8\" (row) \
                   EVENT_ALREADY_REFUSED(INSUFFICIENT_FUNDS)";
        assert!(all.to_string().ends_with(end), "{all}");
    }
}
