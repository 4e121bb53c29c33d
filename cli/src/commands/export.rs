//! `ledger export`: mirror the log into a folder that anybody can check offline.

use std::path::PathBuf;

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::progress;
use crate::render::{self, Facts};

/// Where to.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The export directory; what it has already is not fetched again
    #[arg(long, value_name = "DIR")]
    pub out: PathBuf,
}

/// Mirrors up to the newest checkpoint.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (client, log, memory) = (context.client()?, context.log()?, context.memory()?);
    let bar = progress::bar("entries").with_message("export");
    let mirrored = client
        .mirror(&log, &args.out, &memory, |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await?;
    bar.finish_and_clear();
    let facts: Facts = vec![
        ("folder", args.out.display().to_string()),
        ("origin", log.key().name.clone()),
        ("size", mirrored.checkpoint.size().to_string()),
        ("root", hex::encode(mirrored.checkpoint.root())),
        ("fetched", mirrored.fetched.to_string()),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}
