//! `ledger export`: mirror the log into a folder that anybody can check offline, or write a journal for accountants.

use std::path::{Path, PathBuf};

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::journal::{self, Format};
use crate::progress;
use crate::render::{self, Facts};

/// Where to, or in which other form.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
pub struct Args {
    #[command(subcommand)]
    journal: Option<Journal>,
    /// The export directory; what it has already is not fetched again
    #[arg(long, value_name = "DIR", required = true)]
    out: Option<PathBuf>,
}

/// Journals for accountants: the posted money of accounts over a period.
#[derive(Clone, Debug, clap::Subcommand)]
enum Journal {
    /// A journal that `hledger check --strict` accepts
    Hledger(journal::Args),
    /// A journal that `bean-check` accepts
    Beancount(journal::Args),
}

/// Mirrors up to the newest checkpoint, or writes a journal.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match (&args.journal, &args.out) {
        (Some(Journal::Hledger(args)), _) => journal::run(Format::Hledger, args, context).await,
        (Some(Journal::Beancount(args)), _) => journal::run(Format::Beancount, args, context).await,
        (None, Some(out)) => mirror(out, context).await,
        (None, None) => Err(CliError::Missing { what: "the export directory", how: "--out DIR" }),
    }
}

async fn mirror(out: &Path, context: &Context) -> Result<Exit, CliError> {
    let (client, log, memory) = (context.client()?, context.log()?, context.memory()?);
    let bar = progress::bar("entries").with_message("export");
    let mirrored = client
        .mirror(&log, out, &memory, |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await?;
    bar.finish_and_clear();
    let facts: Facts = vec![
        ("folder", out.display().to_string()),
        ("origin", log.key().name.clone()),
        ("size", mirrored.checkpoint.size().to_string()),
        ("root", hex::encode(mirrored.checkpoint.root())),
        ("fetched", mirrored.fetched.to_string()),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}
