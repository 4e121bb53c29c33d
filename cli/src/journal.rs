//! `ledger export hledger` and `ledger export beancount`: the posted money of accounts as a plain-text journal.
//!
//! A transaction per log entry and date. What an entry moves to accounts outside of the chosen ones stands on
//! `Equity:Outside`, what accounts held before the period on `Equity:Opening`. At the end every account is asserted to
//! hold what the ledger says, so the foreign tool adds everything up a second time.

mod beancount;
mod chart;
mod hledger;
mod read;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;

use serde_json::json;

use crate::commands::statement::By;
use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::text;
use read::Books;

/// Which accounts and days.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The file to write; `-`: standard output
    #[arg(long, value_name = "FILE")]
    out: PathBuf,
    /// An account, or all that begin with a text that ends in `:`; may be repeated [default: all accounts]
    #[arg(long = "account", value_name = "ACCOUNT")]
    accounts: Vec<String>,
    /// First day [default: the first of the ledger]
    #[arg(long, value_name = "DATE")]
    from: Option<String>,
    /// Last day [default: the last of the ledger]
    #[arg(long, value_name = "DATE")]
    to: Option<String>,
    /// Which date of an event counts
    #[arg(long, value_enum, default_value_t = By::Effective)]
    by: By,
}

/// A plain-text accounting format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    Hledger,
    Beancount,
}

/// Days, `yyyymmdd`, both included.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Period {
    from: Option<u32>,
    to: Option<u32>,
}

/// Reads the accounts' statements and writes the journal whole, or nothing.
pub async fn run(format: Format, args: &Args, context: &Context) -> Result<Exit, CliError> {
    let day =
        |name, text: &Option<String>| text.as_deref().map(|text| text::parse_date(name, text)).transpose();
    let period = Period { from: day("--from", &args.from)?, to: day("--to", &args.to)? };
    if let (Some(from), Some(to)) = (period.from, period.to)
        && from > to
    {
        let expected = format!("{} or later", text::date(from));
        return Err(CliError::argument("--to", text::date(to), expected));
    }
    let books = Books::read(&context.client()?, &args.accounts, period, args.by).await?;
    let journal = match format {
        Format::Hledger => hledger::journal(&books),
        Format::Beancount => beancount::journal(&books),
    };
    if args.out.as_os_str() == "-" {
        io::stdout().write_all(journal.as_bytes()).map_err(CliError::io(&args.out))?;
        return Ok(Exit::Ok);
    }
    fs::write(&args.out, journal).map_err(CliError::io(&args.out))?;
    let (accounts, transactions) = (books.accounts.len(), books.transactions.len());
    let words = format!("{transactions} transactions of {accounts} accounts in {}", args.out.display());
    context.out.print(
        words,
        &json!({
            "file": args.out,
            "accounts": accounts.to_string(),
            "transactions": transactions.to_string(),
            "read_at": books.read_at.to_string(),
        }),
    );
    Ok(Exit::Ok)
}
