//! Payments: announced, held, taken, released, paid back.

use ledger_client::messages::Payment;
use ledger_client::{ClientError, new_payment_id};
use ledger_core::event::{
    Body, Fee, Fx, PaymentAuthorized, PaymentCaptured, PaymentInitiated, PaymentRefunded, PaymentVoided,
};
use ledger_core::ids::{EventId, PaymentId};
use ledger_core::number::{CaptureMode, Payer, RefundCause, Rounding};

use super::{Draft, Header, named};
use crate::context::Context;
use crate::exit::CliError;
use crate::text;

/// A payment to come.
#[derive(Clone, Debug, clap::Args)]
pub struct Initiate {
    /// Account that pays
    #[arg(long, value_name = "ACCOUNT")]
    pub debtor: String,
    /// Account that is paid
    #[arg(long, value_name = "ACCOUNT")]
    pub creditor: String,
    /// How much, such as "100.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// deferred (authorize first) or immediate (capture at once)
    #[arg(long, value_name = "MODE", default_value = "deferred")]
    pub capture_mode: String,
    /// Account that the money rests on until it is settled; not given, it goes straight to the creditor
    #[arg(long, value_name = "ACCOUNT", default_value = "")]
    pub clearing_account: String,
    /// Id of the payment; not given, a new one
    #[arg(long, value_name = "UUID", value_parser = payment_id)]
    pub payment_id: Option<PaymentId>,
    #[command(flatten)]
    header: Header,
}

impl Initiate {
    /// The event, with the payment's id.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let amount = text::parse_amount("--amount", &self.amount)?;
        let mode = named("--capture-mode", &self.capture_mode, CaptureMode::ALL, CaptureMode::name)?;
        let payment = match self.payment_id {
            Some(id) => id,
            None => new_payment_id()?,
        };
        let body = Body::PaymentInitiated(PaymentInitiated {
            amount: amount.minor,
            currency: amount.currency.to_string(),
            debtor: self.debtor.clone(),
            creditor: self.creditor.clone(),
            capture_mode: Some(mode),
            clearing_account: self.clearing_account.clone(),
        });
        Ok(Draft { payment: Some(payment), header: self.header.clone(), ..Draft::of_body(body) })
    }
}

/// The payment that an event continues.
#[derive(Clone, Debug, clap::Args)]
pub struct Step {
    /// The payment
    #[arg(value_name = "PAYMENT_ID", value_parser = payment_id)]
    pub payment: PaymentId,
    /// Its last event; not given, what the server says now
    #[arg(long, value_name = "EVENT_ID", value_parser = event_id)]
    pub previous: Option<EventId>,
    /// Day that it counts for in reports, such as 2026-01-31
    #[arg(long, value_name = "DATE")]
    pub effective_date: Option<String>,
}

impl Step {
    /// A step without an amount.
    pub(super) async fn draft(&self, context: &Context, body: Body) -> Result<Draft, CliError> {
        let previous = match self.previous {
            Some(id) => id,
            None => head_of(&context.client()?.payment(self.payment).await?)?,
        };
        Ok(self.after(previous, body))
    }

    /// A step whose body has an amount but no currency: the one that was typed must be the payment's, or another sum
    /// would be signed than was meant.
    pub(super) async fn draft_of(
        &self,
        context: &Context,
        amount: &str,
        body: impl FnOnce(u64) -> Result<Body, CliError>,
    ) -> Result<Draft, CliError> {
        let typed = text::parse_amount("--amount", amount)?;
        let body = body(typed.minor)?;
        let payment = context.client()?.payment(self.payment).await?;
        if typed.currency.as_str() != payment.currency {
            let expected = format!("an amount in {}, the currency of the payment", payment.currency);
            return Err(CliError::argument("--amount", amount, expected));
        }
        let previous = match self.previous {
            Some(id) => id,
            None => head_of(&payment)?,
        };
        Ok(self.after(previous, body))
    }

    fn after(&self, previous: EventId, body: Body) -> Draft {
        let header = Header { external_ref: None, effective_date: self.effective_date.clone() };
        Draft { body, payment: Some(self.payment), previous: Some(previous), header }
    }
}

/// The last event of a payment.
pub(super) fn head_of(payment: &Payment) -> Result<EventId, CliError> {
    let head = payment.head_event_id.as_slice();
    let id = head
        .try_into()
        .map_err(|_| ClientError::Malformed { field: "head_event_id", found: hex::encode(head) })?;
    Ok(EventId(id))
}

/// A hold on the debtor's money.
#[derive(Clone, Debug, clap::Args)]
pub struct Authorize {
    #[command(flatten)]
    step: Step,
    /// How much, such as "100.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// Seconds until the hold runs out
    #[arg(long, value_name = "SECONDS", default_value_t = 604_800)]
    pub timeout: u32,
}

impl Authorize {
    /// The event.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let timeout_s = self.timeout;
        let body = |amount| Ok(Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s }));
        self.step.draft_of(context, &self.amount, body).await
    }
}

/// Held money that is taken.
#[derive(Clone, Debug, clap::Args)]
pub struct Capture {
    #[command(flatten)]
    step: Step,
    /// How much, such as "60.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// Nothing more will be taken: the rest of the hold is released
    #[arg(long = "final")]
    pub final_capture: bool,
    /// A fee, such as "creditor=fees:usd=1.80 USD"
    #[arg(long = "fee", value_name = "PAYER=ACCOUNT=AMOUNT")]
    pub fees: Vec<String>,
    #[command(flatten)]
    exchange: Exchange,
}

impl Capture {
    /// The event.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let body = |amount| {
            Ok(Body::PaymentCaptured(PaymentCaptured {
                amount,
                final_capture: self.final_capture,
                fees: fees(&self.fees)?,
                fx: self.exchange.fx()?,
            }))
        };
        self.step.draft_of(context, &self.amount, body).await
    }
}

/// A hold that is released.
#[derive(Clone, Debug, clap::Args)]
pub struct Void {
    #[command(flatten)]
    step: Step,
    /// Why, at most 35 characters; public for ever
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

impl Void {
    /// The event.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let body = Body::PaymentVoided(PaymentVoided { reason: self.reason.clone() });
        self.step.draft(context, body).await
    }
}

/// Money that goes back to the debtor.
#[derive(Clone, Debug, clap::Args)]
pub struct Refund {
    #[command(flatten)]
    step: Step,
    /// How much, such as "15.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub amount: String,
    /// merchant, return or recall
    #[arg(long, value_name = "CAUSE", default_value = "merchant")]
    pub cause: String,
    /// Why, at most 35 characters; public for ever
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// A fee, such as "creditor=fees:usd=1.80 USD"
    #[arg(long = "fee", value_name = "PAYER=ACCOUNT=AMOUNT")]
    pub fees: Vec<String>,
    #[command(flatten)]
    exchange: Exchange,
}

impl Refund {
    /// The event.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        let body = |amount| {
            Ok(Body::PaymentRefunded(PaymentRefunded {
                amount,
                cause: Some(named("--cause", &self.cause, RefundCause::ALL, RefundCause::name)?),
                reason: self.reason.clone(),
                fees: fees(&self.fees)?,
                fx: self.exchange.fx()?,
            }))
        };
        self.step.draft_of(context, &self.amount, body).await
    }
}

/// A conversion, when the creditor's currency is another one.
#[derive(Clone, Debug, clap::Args)]
pub struct Exchange {
    /// What the creditor gets or gives, such as "16123 JPY"
    #[arg(long, value_name = "AMOUNT", requires = "fx_rate")]
    pub fx_amount: Option<String>,
    /// Units of the creditor's currency for one of the payment's, such as 161.237
    #[arg(long, value_name = "RATE", requires = "fx_amount")]
    pub fx_rate: Option<String>,
    /// floor or half-even
    #[arg(long, value_name = "RULE", default_value = "floor")]
    pub fx_rounding: String,
    /// Reference of the quote, at most 35 characters
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub fx_quote: String,
}

impl Exchange {
    pub(super) fn fx(&self) -> Result<Option<Fx>, CliError> {
        let (Some(amount), Some(rate)) = (&self.fx_amount, &self.fx_rate) else { return Ok(None) };
        let amount = text::parse_amount("--fx-amount", amount)?;
        let (rate_mantissa, rate_scale) = parse_rate(rate)?;
        Ok(Some(Fx {
            counter_currency: amount.currency.to_string(),
            counter_amount: amount.minor,
            rate_mantissa,
            rate_scale,
            rounding: Some(named("--fx-rounding", &self.fx_rounding, Rounding::ALL, Rounding::name)?),
            quote_ref: self.fx_quote.clone(),
        }))
    }
}

/// A rate as mantissa and scale: `161.237` is 161237 and 3.
fn parse_rate(text: &str) -> Result<(u64, u32), CliError> {
    let wrong =
        || CliError::argument("--fx-rate", text, "a decimal number such as 161.237, at most 10 decimals");
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    let dangling = text.ends_with('.');
    if whole.is_empty() || dangling || decimals.len() > 10 || !digits(whole) || !digits(decimals) {
        return Err(wrong());
    }
    let mantissa = format!("{whole}{decimals}").parse().map_err(|_| wrong())?;
    let scale = u32::try_from(decimals.len()).map_err(|_| wrong())?;
    Ok((mantissa, scale))
}

fn fees(given: &[String]) -> Result<Vec<Fee>, CliError> {
    let fee = |text: &String| {
        let parts: Vec<&str> = text.split('=').collect();
        let [payer, account, amount] = parts[..] else {
            return Err(CliError::argument(
                "--fee",
                text,
                "PAYER=ACCOUNT=AMOUNT, such as \"creditor=fees:usd=1.80 USD\"",
            ));
        };
        let amount = text::parse_amount("--fee", amount)?;
        Ok(Fee {
            payer: Some(named("--fee", payer, Payer::ALL, Payer::name)?),
            account: account.to_owned(),
            currency: amount.currency.to_string(),
            amount: amount.minor,
        })
    };
    given.iter().map(fee).collect()
}

/// A payment id on the command line.
pub fn payment_id(text: &str) -> Result<PaymentId, String> {
    PaymentId::parse(text).ok_or_else(|| "expected a UUID in lower case".to_owned())
}

/// An event id on the command line.
pub fn event_id(text: &str) -> Result<EventId, String> {
    EventId::parse(text).ok_or_else(|| "expected a UUID in lower case".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rates_keep_their_decimals() {
        assert_eq!(parse_rate("161.237").unwrap(), (161_237, 3));
        assert_eq!(parse_rate("2").unwrap(), (2, 0));
        assert_eq!(parse_rate("0.50").unwrap(), (50, 2));
        for wrong in ["", ".5", "5.", "1e3", "-1", "1.00000000000"] {
            assert!(parse_rate(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn fees_name_payer_account_and_amount() {
        let fee = &fees(&["creditor=fees:usd=1.80 USD".to_owned()]).unwrap()[0];
        assert_eq!((fee.payer, fee.account.as_str(), fee.amount), (Some(Payer::Creditor), "fees:usd", 180));
        assert!(fees(&["fees:usd=1.80 USD".to_owned()]).is_err());
        assert!(fees(&["bank=fees:usd=1.80 USD".to_owned()]).is_err());
    }
}
