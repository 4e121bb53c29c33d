//! `ledger admin`: check a data directory without a server; erase private data.

use std::path::PathBuf;

use ledger_engine::{Checked, Config, check_store};

use crate::context::{Context, Mode, Signing};
use crate::draft::EraseMetadata;
use crate::exit::{CliError, Exit};
use crate::progress;
use crate::render::{self, Facts};
use crate::submit::{print_answers, submit_draft, unanswered};

/// What only operators do, now and then.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// Execute the whole log again and compare it with everything that is stored; writes nothing
    Check(Check),
    /// Erase the private data of an event; returns when no file of the server holds it any more
    ///
    /// The event, its signatures and every proof stay valid. Backups of the server are not touched.
    EraseMetadata {
        #[command(flatten)]
        erasure: EraseMetadata,
        #[command(flatten)]
        signing: Signing,
    },
}

/// Which store.
#[derive(Clone, Debug, clap::Args)]
pub struct Check {
    /// The data directory
    #[arg(long)]
    dir: PathBuf,
    /// Folder of the head file, when it is elsewhere
    #[arg(long)]
    head_path: Option<PathBuf>,
}

/// Runs one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match args {
        Args::Check(args) => check(args, context),
        Args::EraseMetadata { erasure, signing } => erase(erasure, signing, context).await,
    }
}

/// Something wrong ends with exit code 5 and names the first entry.
fn check(args: &Check, context: &Context) -> Result<Exit, CliError> {
    let config = Config { head_path: args.head_path.clone(), ..Config::new(&args.dir) };
    let bar = progress::bar("entries").with_message("check");
    let checked = check_store(&config, |done| bar.set_position(done));
    bar.finish_and_clear();
    let Checked { entries, unsealed, height, checkpoint, records, index_rows, tiles, private_rows } =
        checked.map_err(|error| CliError::Store { dir: args.dir.clone(), source: Box::new(error) })?;
    let facts: Facts = vec![
        ("verdict", "valid".to_owned()),
        ("entries", entries.to_string()),
        ("unsealed", unsealed.to_string()),
        ("height", height.to_string()),
        ("checkpoint", checkpoint.to_string()),
        ("records", records.to_string()),
        ("index rows", index_rows.to_string()),
        ("tiles", tiles.to_string()),
        ("private rows", private_rows.to_string()),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}

/// Signs the order, submits it, and waits until it is carried out.
async fn erase(erasure: &EraseMetadata, signing: &Signing, context: &Context) -> Result<Exit, CliError> {
    let signers = signing.load()?;
    if signers.mode == Mode::DryRun {
        return submit_draft(context, erasure.draft()?, &signers, Facts::new()).await;
    }
    let event = erasure.draft()?.build(&context.ledger_id()?)?;
    let id = event.event_id();
    let event = signers.sign(event);
    let answer = context.client()?.erase_metadata(&event).await;
    let answer = answer.map_err(|error| unanswered(id, &event, error))?;
    let erased: Facts = vec![("erased event id", erasure.erased_event.to_string())];
    Ok(print_answers(context, &[answer], &erased))
}
