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

use indicatif::{ProgressBar, ProgressStyle};
use ledger_client::Client;
use ledger_crypto::{Hash, SigningKey};

use self::acks::Acks;
use self::derive::{Deriver, Subject};
use self::file::BankFile;
use self::mapping::Mapping;
use self::plan::Plan;
use self::report::{AccountsCount, Events};
use self::send::Sending;

pub use self::error::ImportError;
pub use self::report::Report;

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
    /// Events of one request
    #[arg(long, value_name = "COUNT", default_value_t = 256, value_parser = clap::value_parser!(u16).range(1..=8192))]
    pub batch: u16,
    /// Requests on their way at a time
    #[arg(long, value_name = "COUNT", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=64))]
    pub window: u16,
}

/// Where an import goes, and who signs it.
pub struct Target {
    /// The server.
    pub client: Client,
    /// The ledger that events are signed for.
    pub ledger_id: Hash,
    /// Signs every event.
    pub importer: SigningKey,
    /// Signs openings of accounts besides.
    pub operator: SigningKey,
}

/// Imports a file. `progress` draws a bar when it has a target.
///
/// # Errors
/// [`ImportError`]. Nothing is sent when the mapping or the file is wrong.
pub async fn run(args: &ImportArgs, target: &Target, progress: ProgressBar) -> Result<Report, ImportError> {
    let mapping = Mapping::load(&args.mapping)?;
    let mut file = BankFile::read(&args.file, &mapping)?;
    let plan = Plan::new(&mut file, mapping.file.within_day)?;
    let deriver = Deriver {
        ledger_id: target.ledger_id,
        source: &mapping.source,
        importer: &target.importer,
        operator: &target.operator,
        file: &file,
        rounding_purpose: file.layout.rounding().map_or("", |rule| &rule.purpose),
        opening_purpose: file.layout.opening().map_or("", |rule| &rule.purpose),
    };
    let missing = existing::missing(&target.client, &file, &plan).await?;
    let already_there = (plan.accounts.len() - missing.len()) as u64;
    progress.set_length((missing.len() + plan.transfers.len()) as u64);
    progress.set_style(bar());
    let mut sending = Sending {
        client: target.client.clone(),
        batch: usize::from(args.batch),
        window: usize::from(args.window),
        acks: args.acks.as_deref().map(Acks::open).transpose()?,
        name: &|subject| name(&file, subject),
        progress,
        new: 0,
        already_there: 0,
    };
    let begun = Instant::now();
    // All accounts first: a key without the role stops the import before a row is refused and its id burnt.
    let openings = missing.iter().map(|(account, day)| deriver.account(*account, *day));
    let transfers = plan.transfers.iter().map(|transfer| deriver.transfer(transfer));
    sending.all(openings).await.map_err(|error| ImportError::sending(error, &file))?;
    let opened = missing.len() as u64;
    sending.all(transfers).await.map_err(|error| ImportError::sending(error, &file))?;
    sending.progress.finish_and_clear();
    let events = Events { new: sending.new, already_there: sending.already_there };
    let accounts = AccountsCount { opened, already_there, with_rows: plan.row_accounts };
    Ok(Report::new(&file, &plan, events, accounts, begun.elapsed()))
}

/// What an event is for, in the file of acknowledgements.
fn name(file: &BankFile, subject: Subject) -> String {
    match subject {
        Subject::Account(account) => format!("account {}", file.accounts.at(account).id),
        Subject::Transfer(part, row) => format!("{} {}", part.name(), file.rows[row].key),
    }
}

fn bar() -> ProgressStyle {
    let template = "{bar:40} {human_pos}/{human_len} events, {per_sec}, {eta} left";
    ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar())
}
