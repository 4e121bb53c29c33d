//! `ledger period`: close the books of past days.

use crate::context::{Context, Signing};
use crate::draft::ClosePeriod;
use crate::exit::{CliError, Exit};
use crate::render::Facts;
use crate::submit::submit_draft;

/// Commands about periods.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// Close all days up to one: no event counts for them any more
    Close {
        #[command(flatten)]
        period: ClosePeriod,
        #[command(flatten)]
        signing: Signing,
    },
}

/// Runs one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match args {
        Args::Close { period, signing } => {
            submit_draft(context, period.draft()?, &signing.load()?, Facts::new()).await
        }
    }
}
