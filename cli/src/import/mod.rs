//! `ledger import`: a delimited bank file becomes signed transfers, one per row, streamed to a server.
//!
//! Payloads and ids follow from the rows alone, so an import that was interrupted is simply run again: what the ledger
//! has already is answered with its first log index, and nothing is booked twice.
//!
//! ```text
//! mapping.toml ─► layout ┐
//! file ─► fields ────────┴► rows ─► plan (order within days, reconciliation) ─► derive (ids, signatures) ─► send
//! ```

mod accounts;
mod acks;
mod amount;
mod batched;
mod day;
mod derive;
mod error;
mod existing;
mod file;
mod layout;
mod mapping;
mod order;
mod plan;
mod report;
mod send;
mod template;

use std::path::PathBuf;
use std::time::Instant;

use ledger_crypto::keyfile;

use self::acks::Acks;
use self::derive::{Deriver, Signers, Subject};
use self::file::BankFile;
use self::mapping::Mapping;
use self::plan::Plan;
use self::report::{AccountsCount, Events, Report};
use self::send::Sending;
use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::progress;

pub use self::error::ImportError;

/// What to import, and how.
#[derive(Clone, Debug, clap::Args)]
pub struct ImportArgs {
    /// The bank's file: delimited text with a header, plain or gzip-compressed
    pub file: PathBuf,
    /// How its rows become transfers (TOML)
    #[arg(long, value_name = "FILE")]
    pub mapping: PathBuf,
    /// Key of roles importer and owner (or operator): signs every event
    #[arg(long, value_name = "FILE")]
    pub key: PathBuf,
    /// Key of role operator: signs the opening of accounts besides
    #[arg(long, value_name = "FILE")]
    pub operator_key: PathBuf,
    /// Append every acknowledged event id and its log index here, on disk before the next request is sent
    #[arg(long, value_name = "FILE")]
    pub acks: Option<PathBuf>,
    /// Sign one batch of so many events instead of each event
    #[arg(long, value_name = "COUNT", num_args = 0..=1, default_missing_value = "1000", value_parser = clap::value_parser!(u16).range(1..))]
    pub batch: Option<u16>,
    /// Events of one request, where each is signed by itself
    #[arg(long, value_name = "COUNT", default_value_t = 256, conflicts_with = "batch", value_parser = clap::value_parser!(u16).range(1..=8192))]
    pub request: u16,
    /// Requests on their way at a time, where each event is signed by itself
    #[arg(long, conflicts_with = "batch", value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub window: u16,
}

/// Imports a file and prints what it found and did.
///
/// # Errors
/// [`CliError::Import`] and what is wrong with the keys or flags. Nothing is sent when the mapping, the file or a key
/// is wrong.
pub async fn run(context: &Context, args: &ImportArgs) -> Result<Exit, CliError> {
    let importer = keyfile::load(&args.key)?;
    let operator = keyfile::load(&args.operator_key)?;
    let (client, ledger_id) = (context.client()?, context.ledger_id()?);
    let mapping = Mapping::load(&args.mapping).map_err(ImportError::from)?;
    let mut file = BankFile::read(&args.file, &mapping).map_err(ImportError::from)?;
    let plan = Plan::new(&mut file, mapping.file.within_day).map_err(ImportError::from)?;
    let deriver = Deriver::new(ledger_id, &mapping.source, &importer, &operator, &file);
    let name = |subject| name(&file, subject);
    let acks = args.acks.as_deref().map(Acks::open).transpose().map_err(ImportError::from)?;
    let acknowledged_before = acks.as_ref().map(Acks::len);
    let mut sending = Sending {
        client,
        deriver: &deriver,
        events: usize::from(args.request),
        batch: usize::from(args.batch.unwrap_or(1)),
        window: usize::from(args.window),
        acks,
        name: &name,
        progress: progress::bar("events").with_message("import"),
        new: 0,
        already_there: 0,
    };
    let begun = Instant::now();
    let accounts = send(&mut sending, args.batch.is_some(), &file, &plan).await?;
    let events = Events { new: sending.new, already_there: sending.already_there };
    let report = Report::new(&file, &plan, events, accounts, begun.elapsed());
    let report = report.acknowledged_before(acknowledged_before);
    context.out.print(report.text(), &report.json());
    Ok(Exit::Ok)
}

/// All accounts first: where a key lacks a role, the import stops before a row is refused and its id used up.
async fn send(
    sending: &mut Sending<'_>,
    in_batches: bool,
    file: &BankFile,
    plan: &Plan,
) -> Result<AccountsCount, ImportError> {
    let missing = existing::missing(&sending.client, file, plan).await?;
    let deriver = sending.deriver;
    sending.progress.set_length((missing.len() + plan.transfers.len()) as u64);
    let openings = missing.iter().map(|(account, day)| deriver.account(*account, *day));
    let transfers = plan.transfers.iter().map(|transfer| deriver.transfer(transfer));
    let sent = if in_batches {
        match sending.in_batches(openings, Signers::ImporterAndOperator).await {
            Ok(()) => sending.in_batches(transfers, Signers::Importer).await,
            Err(error) => Err(error),
        }
    } else {
        match sending.singly(openings, Signers::ImporterAndOperator).await {
            Ok(()) => sending.singly(transfers, Signers::Importer).await,
            Err(error) => Err(error),
        }
    };
    sending.progress.finish_and_clear();
    sent.map_err(|error| ImportError::sending(error, file))?;
    let already_there = (plan.accounts.len() - missing.len()) as u64;
    Ok(AccountsCount { opened: missing.len() as u64, already_there, with_rows: plan.row_accounts })
}

/// What an event is for, in the file of acknowledgements.
fn name(file: &BankFile, subject: Subject) -> String {
    match subject {
        Subject::Account(account) => format!("account {}", file.accounts.at(account).id),
        Subject::Transfer(part, row) => format!("{} {}", part.name(), file.rows[row].key),
    }
}
