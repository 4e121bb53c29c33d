//! The players' side of the example: accounts, keys, and the events of each step.

use ledger_client::{Client, EventAnswer, EventBuilder, new_payment_id};
use ledger_core::event::{
    AccountOpened, Body, ChargebackOpened, ChargebackResolved, Fee, Fx, KeyRegistered, Leg,
    PaymentAuthorized, PaymentCaptured, PaymentInitiated, PaymentRefunded, TransferPosted,
};
use ledger_core::ids::{EventId, PaymentId};
use ledger_core::number::{AccountKind, CaptureMode, Payer, RefundCause, Roles, Rounding, Side};
use ledger_crypto::{Hash, SigningKey};

use super::example::{Act, EXCHANGE, INSTRUCTED, OPENING, Step, account};
use super::failed;
use crate::exit::CliError;

const WEEK_SECONDS: u32 = 7 * 86_400;

/// A ledger with the accounts of the example, and its one payment.
pub struct Table<'a> {
    client: &'a Client,
    ledger_id: Hash,
    service: SigningKey,
    payment: PaymentId,
    /// Last accepted event of the payment.
    head: EventId,
}

impl<'a> Table<'a> {
    /// Opens the accounts, registers a payment service, gives the customer money, and announces the payment.
    pub async fn lay(client: &'a Client, ledger_id: Hash, operator: &SigningKey) -> Result<Self, CliError> {
        let service = SigningKey::generate()?;
        let payment = new_payment_id()?;
        let mut table = Self { client, ledger_id, service, payment, head: EventId([0; 16]) };
        for (name, currency, kind) in [
            (account::OUTSIDE, "USD", AccountKind::External),
            (account::CUSTOMER, "USD", AccountKind::Customer),
            (account::MERCHANT, "USD", AccountKind::Merchant),
            (account::FEES, "USD", AccountKind::Fee),
            (account::DISPUTES, "USD", AccountKind::Dispute),
            (account::OUTSIDE_EUR, "EUR", AccountKind::External),
            ("card:eur", "EUR", AccountKind::Customer),
            ("shop:jpy", "JPY", AccountKind::Merchant),
            ("fx:eur", "EUR", AccountKind::Fx),
            ("fx:jpy", "JPY", AccountKind::Fx),
        ] {
            let (account, currency) = (name.to_owned(), currency.to_owned());
            let opened = AccountOpened { account, currency, kind: Some(kind), limit: 0 };
            table.accepted(table.event(Body::AccountOpened(opened))?, &[operator]).await?;
        }
        let registered = KeyRegistered {
            key: table.service.public_bytes().to_vec(),
            party: "card processor".to_owned(),
            roles: u32::from(Roles::INITIATOR.0 | Roles::PROCESSOR.0 | Roles::OWNER.0),
            prefix: String::new(),
        };
        let keys = [operator, &table.service];
        table.accepted(table.event(Body::KeyRegistered(registered))?, &keys).await?;
        let funding = transfer(account::OUTSIDE, account::CUSTOMER, "USD", OPENING);
        table.accepted(table.event(funding)?, &[operator]).await?;
        let funding = transfer(account::OUTSIDE_EUR, "card:eur", "EUR", EXCHANGE.amount);
        table.accepted(table.event(funding)?, &[operator]).await?;

        let parties = (account::CUSTOMER, account::MERCHANT);
        let announced = initiated(INSTRUCTED, "USD", parties, CaptureMode::Deferred);
        let announced = table.event(announced)?.payment(table.payment);
        table.head = table.accepted(announced, &[&table.service]).await?;
        Ok(table)
    }

    /// The payment of the example.
    pub fn payment(&self) -> PaymentId {
        self.payment
    }

    /// Submits what happens next; returns the answer to it.
    pub async fn take(&mut self, step: &Step) -> Result<EventAnswer, CliError> {
        let event = self.event(body(step.act))?.payment(self.payment).previous(self.head);
        let answer = self.submit(event, &[&self.service]).await?;
        if let (true, Some(id)) = (answer.verdict().is_accepted(), answer.event_id) {
            self.head = id;
        }
        Ok(answer)
    }

    /// A payment between two currencies, taken at once; returns the answer to its capture.
    pub async fn exchange(&self) -> Result<EventAnswer, CliError> {
        let payment = new_payment_id()?;
        let announced = initiated(EXCHANGE.amount, "EUR", ("card:eur", "shop:jpy"), CaptureMode::Immediate);
        let announced = self.event(announced)?.payment(payment);
        let announced = self.accepted(announced, &[&self.service]).await?;
        let captured = Body::PaymentCaptured(PaymentCaptured {
            amount: EXCHANGE.amount,
            final_capture: true,
            fees: Vec::new(),
            fx: Some(Fx {
                counter_currency: "JPY".to_owned(),
                counter_amount: EXCHANGE.counter_amount,
                rate_mantissa: EXCHANGE.rate_mantissa,
                rate_scale: EXCHANGE.rate_scale,
                rounding: Some(Rounding::Floor),
                quote_ref: "QUOTE 1".to_owned(),
            }),
        });
        self.submit(self.event(captured)?.payment(payment).previous(announced), &[&self.service]).await
    }

    fn event(&self, body: Body) -> Result<EventBuilder, CliError> {
        Ok(EventBuilder::new(&self.ledger_id, body)?)
    }

    async fn submit(&self, event: EventBuilder, keys: &[&SigningKey]) -> Result<EventAnswer, CliError> {
        let answers = self.client.submit(&[event.sign(keys)]).await?;
        answers.into_iter().next().ok_or_else(|| failed("an event has no answer"))
    }

    async fn accepted(&self, event: EventBuilder, keys: &[&SigningKey]) -> Result<EventId, CliError> {
        let id = event.event_id();
        let answer = self.submit(event, keys).await?;
        if answer.verdict().is_accepted() {
            return Ok(id);
        }
        Err(failed(&format!("an event was not accepted: {answer:?}")))
    }
}

fn body(act: Act) -> Body {
    match act {
        Act::Authorize(amount) => {
            Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s: WEEK_SECONDS })
        }
        Act::Capture { amount, last, fee } => {
            Body::PaymentCaptured(PaymentCaptured { amount, final_capture: last, fees: fees(fee), fx: None })
        }
        Act::Refund(amount) => Body::PaymentRefunded(PaymentRefunded {
            amount,
            cause: Some(RefundCause::Merchant),
            reason: "RETURNED".to_owned(),
            fees: Vec::new(),
            fx: None,
        }),
        Act::OpenChargeback(amount) => {
            Body::ChargebackOpened(ChargebackOpened { amount, reason: "NOT RECEIVED".to_owned(), fx: None })
        }
        Act::Resolve(amount, result) => {
            Body::ChargebackResolved(ChargebackResolved { amount, result: Some(result), fx: None })
        }
    }
}

fn fees(amount: u64) -> Vec<Fee> {
    if amount == 0 {
        return Vec::new();
    }
    let (account, currency) = (account::FEES.to_owned(), "USD".to_owned());
    vec![Fee { payer: Some(Payer::Creditor), account, currency, amount }]
}

fn initiated(amount: u64, currency: &str, (debtor, creditor): (&str, &str), mode: CaptureMode) -> Body {
    Body::PaymentInitiated(PaymentInitiated {
        amount,
        currency: currency.to_owned(),
        debtor: debtor.to_owned(),
        creditor: creditor.to_owned(),
        capture_mode: Some(mode),
        clearing_account: String::new(),
    })
}

fn transfer(from: &str, to: &str, currency: &str, amount: u64) -> Body {
    let leg = |account: &str, side| Leg {
        account: account.to_owned(),
        side: Some(side),
        currency: currency.to_owned(),
        amount,
    };
    let legs = vec![leg(from, Side::Debit), leg(to, Side::Credit)];
    Body::TransferPosted(TransferPosted {
        legs,
        purpose: "OPENING".to_owned(),
        related_payment_id: Vec::new(),
    })
}
