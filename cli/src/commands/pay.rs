//! `ledger pay`: take a payment through its steps.

use crate::context::{Context, Signing};
use crate::draft::{
    Authorize, Capture, ChangeHold, Draft, Initiate, OpenChargeback, Refund, Reject, ResolveChargeback,
    Reverse, Settle, Void,
};
use crate::exit::{CliError, Exit};
use crate::submit::submit_draft;

/// A step and who signs it.
#[derive(Clone, Debug, clap::Args)]
pub struct Signed<T: clap::Args> {
    #[command(flatten)]
    event: T,
    #[command(flatten)]
    signing: Signing,
}

/// The steps.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// Announce a payment; prints its id
    Initiate(Signed<Initiate>),
    /// Turn an announced payment down
    Reject(Signed<Reject>),
    /// Hold the money on the debtor's account
    Authorize(Signed<Authorize>),
    /// Hold more
    Increase(Signed<ChangeHold>),
    /// Hold less
    Reduce(Signed<ChangeHold>),
    /// Take held money
    Capture(Signed<Capture>),
    /// Release the hold
    Void(Signed<Void>),
    /// Pay captured money out of the clearing account
    Settle(Signed<Settle>),
    /// Pay money back to the debtor
    Refund(Signed<Refund>),
    /// Money that the scheme takes back
    #[command(subcommand)]
    Chargeback(Chargeback),
    /// Undo the postings of a capture, a settlement, a refund or a transfer
    Reverse(Signed<Reverse>),
}

/// The steps of a chargeback.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Chargeback {
    /// The scheme has taken the money: it moves from the creditor to the dispute account
    Open(Signed<OpenChargeback>),
    /// It is decided: the money goes to the creditor (won) or the debtor (lost)
    Resolve(Signed<ResolveChargeback>),
}

/// Signs and submits one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (draft, signing): (Draft, &Signing) = match args {
        Args::Initiate(step) => (step.event.draft()?, &step.signing),
        Args::Reject(step) => (step.event.draft(context).await?, &step.signing),
        Args::Authorize(step) => (step.event.draft(context).await?, &step.signing),
        Args::Increase(step) => (step.event.increase(context).await?, &step.signing),
        Args::Reduce(step) => (step.event.reduce(context).await?, &step.signing),
        Args::Capture(step) => (step.event.draft(context).await?, &step.signing),
        Args::Void(step) => (step.event.draft(context).await?, &step.signing),
        Args::Settle(step) => (step.event.draft(context).await?, &step.signing),
        Args::Refund(step) => (step.event.draft(context).await?, &step.signing),
        Args::Chargeback(Chargeback::Open(step)) => (step.event.draft(context).await?, &step.signing),
        Args::Chargeback(Chargeback::Resolve(step)) => (step.event.draft(context).await?, &step.signing),
        Args::Reverse(step) => (step.event.draft(context).await?, &step.signing),
    };
    let payment = draft.payment.map(|id| ("payment id", id.to_string()));
    submit_draft(context, draft, &signing.load()?, payment.into_iter().collect()).await
}
