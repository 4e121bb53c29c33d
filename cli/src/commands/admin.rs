//! `ledger admin`: work on a data directory, without a server.

use std::path::PathBuf;

use ledger_engine::{Checked, Config, check_store};

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::progress;
use crate::render::{self, Facts};

/// Commands about a data directory.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// Execute the whole log again and compare it with everything that is stored; writes nothing
    Check(Check),
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
pub fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match args {
        Args::Check(args) => check(args, context),
    }
}

/// Something wrong ends with exit code 5 and names the first entry.
fn check(args: &Check, context: &Context) -> Result<Exit, CliError> {
    let config = Config { head_path: args.head_path.clone(), ..Config::new(&args.dir) };
    let bar = progress::bar("entries").with_message("check");
    let checked = check_store(&config, |done| bar.set_position(done));
    bar.finish_and_clear();
    let Checked { entries, unsealed, height, records, index_rows } =
        checked.map_err(|error| CliError::Store { dir: args.dir.clone(), source: Box::new(error) })?;
    let facts: Facts = vec![
        ("verdict", "valid".to_owned()),
        ("entries", entries.to_string()),
        ("unsealed", unsealed.to_string()),
        ("height", height.map(|height| height.to_string()).unwrap_or_default()),
        ("records", records.to_string()),
        ("index rows", index_rows.to_string()),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}
