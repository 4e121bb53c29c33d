//! After the capture: settled, charged back, reversed.

use ledger_client::EntryRef;
use ledger_core::event::{
    Body, ChargebackOpened, ChargebackResolved, Event, PaymentReversed, PaymentSettled,
};
use ledger_core::ids::{EventId, PaymentId};
use ledger_core::number::ChargebackResult;

use super::payment::{Exchange, Step, event_id, head_of};
use super::{Draft, Header, named};
use crate::context::Context;
use crate::exit::CliError;

/// Captured money that leaves the clearing account for the creditor.
#[derive(Clone, Debug, clap::Args)]
pub struct Settle {
    #[command(flatten)]
    step: Step,
    /// How much, such as "60.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// Reference of the settlement, at most 35 characters
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub settlement_ref: String,
    #[command(flatten)]
    exchange: Exchange,
}

impl Settle {
    /// The event.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let body = |amount| {
            Ok(Body::PaymentSettled(PaymentSettled {
                amount,
                settlement_ref: self.settlement_ref.clone(),
                fx: self.exchange.fx()?,
            }))
        };
        self.step.draft_of(context, &self.amount, body).await
    }
}

/// Money that the scheme took back from the creditor.
#[derive(Clone, Debug, clap::Args)]
pub struct OpenChargeback {
    #[command(flatten)]
    step: Step,
    /// How much, such as "20.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// Why, at most 35 characters; public for ever
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    #[command(flatten)]
    exchange: Exchange,
}

impl OpenChargeback {
    /// The event.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let body = |amount| {
            Ok(Body::ChargebackOpened(ChargebackOpened {
                amount,
                reason: self.reason.clone(),
                fx: self.exchange.fx()?,
            }))
        };
        self.step.draft_of(context, &self.amount, body).await
    }
}

/// The end of a chargeback.
#[derive(Clone, Debug, clap::Args)]
pub struct ResolveChargeback {
    #[command(flatten)]
    step: Step,
    /// How much, such as "20.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// won (the creditor gets it back) or lost (the debtor gets it)
    #[arg(long, value_name = "RESULT")]
    pub result: String,
    #[command(flatten)]
    exchange: Exchange,
}

impl ResolveChargeback {
    /// The event.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let body = |amount| {
            Ok(Body::ChargebackResolved(ChargebackResolved {
                amount,
                result: Some(named("--result", &self.result, ChargebackResult::ALL, ChargebackResult::name)?),
                fx: self.exchange.fx()?,
            }))
        };
        self.step.draft_of(context, &self.amount, body).await
    }
}

/// An event whose postings are undone: a capture, a settlement, a refund or a transfer.
#[derive(Clone, Debug, clap::Args)]
pub struct Reverse {
    /// The event
    #[arg(value_name = "EVENT_ID", value_parser = event_id)]
    pub target: EventId,
    /// Why, at most 35 characters; public for ever
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Last event of its payment; not given, what the server says now
    #[arg(long, value_name = "EVENT_ID", value_parser = event_id)]
    pub previous: Option<EventId>,
    /// Day that it counts for in reports, such as 2026-01-31
    #[arg(long, value_name = "DATE")]
    pub effective_date: Option<String>,
}

impl Reverse {
    /// The event; the server is asked which payment its target belongs to.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let client = context.client()?;
        let entry = client.event(EntryRef::Event(self.target)).await?;
        let target = Event::decode(&entry.payload).map_err(|refusal| {
            CliError::argument("EVENT_ID", self.target, format!("an event of this version ({refusal})"))
        })?;
        let payment = target.payment_id.try_into().ok().map(PaymentId);
        let previous = match (payment, self.previous) {
            (Some(_), Some(given)) => Some(given),
            (Some(payment), None) => Some(head_of(&client.payment(payment).await?)?),
            (None, _) => None,
        };
        let body = PaymentReversed { target_event_id: self.target.0.to_vec(), reason: self.reason.clone() };
        let header = Header { external_ref: None, effective_date: self.effective_date.clone() };
        Ok(Draft { body: Body::PaymentReversed(body), payment, previous, header })
    }
}
