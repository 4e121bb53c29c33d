//! `ledger pay`: take a payment through its steps.

use crate::context::{Context, Signing};
use crate::draft::{Authorize, Capture, Draft, Initiate, Refund, Void};
use crate::exit::{CliError, Exit};
use crate::submit::submit_draft;

/// The steps.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// Announce a payment; prints its id
    Initiate {
        #[command(flatten)]
        event: Initiate,
        #[command(flatten)]
        keys: Signing,
    },
    /// Hold the money on the debtor's account
    Authorize {
        #[command(flatten)]
        event: Authorize,
        #[command(flatten)]
        keys: Signing,
    },
    /// Take held money
    Capture {
        #[command(flatten)]
        event: Capture,
        #[command(flatten)]
        keys: Signing,
    },
    /// Release the hold
    Void {
        #[command(flatten)]
        event: Void,
        #[command(flatten)]
        keys: Signing,
    },
    /// Pay money back to the debtor
    Refund {
        #[command(flatten)]
        event: Refund,
        #[command(flatten)]
        keys: Signing,
    },
}

/// Signs and submits one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (draft, keys): (Draft, &Signing) = match args {
        Args::Initiate { event, keys } => (event.draft()?, keys),
        Args::Authorize { event, keys } => (event.draft(context).await?, keys),
        Args::Capture { event, keys } => (event.draft(context).await?, keys),
        Args::Void { event, keys } => (event.draft(context).await?, keys),
        Args::Refund { event, keys } => (event.draft(context).await?, keys),
    };
    let payment = draft.payment.map(|id| ("payment id", id.to_string()));
    submit_draft(context, draft, &keys.load()?, payment.into_iter().collect()).await
}
