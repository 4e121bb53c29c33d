//! The mapping file: how the rows of one bank's file become transfers. TOML; unknown keys are errors.
//!
//! Read here as it is written; [`crate::import::layout`] resolves it against the header of a file.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde::Deserialize;
use thiserror::Error;

/// A mapping as it is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Mapping {
    /// Name of the source, 1 to 255 bytes: part of every id, so that equal row keys of two sources stay apart.
    pub source: String,
    /// How the file is written.
    pub file: FileFormat,
    /// Which column is what.
    pub columns: ColumnNames,
    /// How dates are written.
    pub date: DateText,
    /// How amounts are written.
    pub amount: AmountText,
    /// Whether a row adds to or takes from the account; without it the amount's own sign says so.
    pub direction: Option<Direction>,
    /// The account that a row belongs to.
    pub account: AccountRule,
    /// The account on the other side: the first whose conditions hold.
    pub counter: Vec<CounterRule>,
    /// What a row's transfer says.
    pub transfer: TransferText,
    /// Where differences up to a bound go; without it every difference is only reported.
    pub rounding: Option<RoundingRule>,
    /// Where a balance before an account's first row comes from; without it an account begins with zero.
    pub opening: Option<OpeningRule>,
}

/// How the file is written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileFormat {
    /// One ASCII character.
    pub delimiter: char,
    /// How bytes become text.
    pub charset: Charset,
    /// Which day comes first.
    pub rows: RowOrder,
    /// What is known of the order within a day.
    pub within_day: WithinDay,
}

/// How bytes become text.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
pub enum Charset {
    /// ISO 8859-1: each byte is the character of its number.
    #[serde(rename = "latin-1")]
    Latin1,
    /// UTF-8.
    #[serde(rename = "utf-8")]
    Utf8,
}

/// Which day comes first.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RowOrder {
    /// Days ascend.
    OldestFirst,
    /// Days descend; the file is read backwards.
    NewestFirst,
}

/// What is known of the order within a day.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WithinDay {
    /// Rows stand as they happened.
    File,
    /// The stated balances tell.
    Balance,
}

/// Which column is what, by the names in the header.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ColumnNames {
    /// What tells a row from all others of the source.
    pub key: String,
    /// The day.
    pub date: String,
    /// The amount.
    pub amount: String,
    /// The account's balance after the row.
    pub balance: Option<String>,
}

/// How dates are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DateText {
    /// `yyyy` or `yy`, `mm`, `dd`, and anything between them, such as `dd.mm.yyyy`.
    pub format: String,
    /// What is added to a `yy`.
    pub century: Option<u32>,
}

/// How amounts are written.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AmountText {
    /// Currency of the file, all its accounts and transfers.
    pub currency: String,
    /// What stands before the decimals.
    pub decimal_mark: char,
    /// What may stand between groups of three digits.
    pub grouping_mark: Option<char>,
}

/// Whether a row adds to or takes from the account.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Direction {
    /// The column that says it.
    pub column: String,
    /// Values that add to the account.
    pub credit: Vec<String>,
    /// Values that take from it.
    pub debit: Vec<String>,
}

/// An account: a template of its id, and what it is opened with.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountRule {
    /// Template of the id. Letters of the row become lower case.
    pub id: String,
    /// Kind as the ledger names it, such as `CUSTOMER`.
    pub kind: String,
    /// Limit in the currency of the file, such as `100000.00`; not given: 0.
    pub limit: Option<String>,
}

/// The account on the other side of some rows.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct CounterRule {
    /// Columns and the values that each may have; none: every row.
    #[serde(default)]
    pub when: BTreeMap<String, Vec<String>>,
    /// The account.
    pub account: AccountRule,
}

/// What a row's transfer says.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct TransferText {
    /// Template of the purpose, at most 35 printable ASCII characters once filled in.
    pub purpose: String,
    /// Template of the external reference, unique for the key that signs; not given: none.
    pub reference: Option<String>,
}

/// Where roundings go.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RoundingRule {
    /// The largest difference that is one, such as `0.10`.
    pub max: String,
    /// Purpose of its transfer.
    pub purpose: String,
    /// The account on the other side.
    pub account: AccountRule,
}

/// Where opening balances come from.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OpeningRule {
    /// Purpose of its transfer.
    pub purpose: String,
    /// The account on the other side.
    pub account: AccountRule,
}

/// Why a mapping cannot be used.
#[derive(Debug, Error)]
pub enum MappingError {
    /// The file cannot be read.
    #[error("{path}: {source}")]
    Read {
        /// The mapping file.
        path: PathBuf,
        /// What the system says.
        source: std::io::Error,
    },
    /// Not TOML, a key missing or unknown, a value of another type.
    #[error("{path}: {source}")]
    Toml {
        /// The mapping file.
        path: PathBuf,
        /// Line, column and what is wrong.
        source: Box<toml::de::Error>,
    },
    /// A value that says nothing.
    #[error("{field} {value:?}: expected {expected}")]
    Value {
        /// The key, with its tables.
        field: String,
        /// What stands there.
        value: String,
        /// What may stand there.
        expected: String,
    },
}

impl Mapping {
    /// Reads a mapping file.
    ///
    /// # Errors
    /// [`MappingError`].
    pub fn load(path: &Path) -> Result<Self, MappingError> {
        let read = |source| MappingError::Read { path: path.to_owned(), source };
        let toml = |source| MappingError::Toml { path: path.to_owned(), source: Box::new(source) };
        let mapping: Self = toml::from_str(&std::fs::read_to_string(path).map_err(read)?).map_err(toml)?;
        if mapping.source.is_empty() || mapping.source.len() > 255 {
            return Err(wrong("source", &mapping.source, "1 to 255 bytes"));
        }
        if mapping.file.within_day == WithinDay::Balance && mapping.columns.balance.is_none() {
            return Err(wrong("file.within_day", "balance", "needs columns.balance"));
        }
        Ok(mapping)
    }
}

/// A [`MappingError::Value`].
pub fn wrong(field: &str, value: &str, expected: &str) -> MappingError {
    MappingError::Value { field: field.to_owned(), value: value.to_owned(), expected: expected.to_owned() }
}
