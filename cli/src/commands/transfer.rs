//! `ledger transfer`: move money between accounts.

use crate::context::{Context, Signing};
use crate::draft::Transfer;
use crate::exit::{CliError, Exit};
use crate::render::Facts;
use crate::submit::submit_draft;

/// What, and who signs.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    transfer: Transfer,
    #[command(flatten)]
    signing: Signing,
}

/// Signs and submits it.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    submit_draft(context, args.transfer.draft()?, &args.signing.load()?, Facts::new()).await
}
