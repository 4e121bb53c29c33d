//! Payments that go another way: turned down, held for more or less.

use ledger_core::event::{AuthorizationIncreased, AuthorizationReduced, Body, PaymentRejected};

use super::Draft;
use super::payment::Step;
use crate::context::Context;
use crate::exit::CliError;

/// A payment that is turned down before anything is held.
#[derive(Clone, Debug, clap::Args)]
pub struct Reject {
    #[command(flatten)]
    step: Step,
    /// Why, at most 35 characters; public for ever
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

impl Reject {
    /// The event.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let body = Body::PaymentRejected(PaymentRejected { reason: self.reason.clone() });
        self.step.draft(context, body).await
    }
}

/// A hold that changes by an amount.
#[derive(Clone, Debug, clap::Args)]
pub struct ChangeHold {
    #[command(flatten)]
    step: Step,
    /// By how much, such as "20.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
}

impl ChangeHold {
    /// The event that holds more.
    pub async fn increase(&self, context: &Context) -> Result<Draft, CliError> {
        let body = |amount| Ok(Body::AuthorizationIncreased(AuthorizationIncreased { amount }));
        self.step.draft_of(context, &self.amount, body).await
    }

    /// The event that holds less.
    pub async fn reduce(&self, context: &Context) -> Result<Draft, CliError> {
        let body = |amount| Ok(Body::AuthorizationReduced(AuthorizationReduced { amount }));
        self.step.draft_of(context, &self.amount, body).await
    }
}
