//! Events from the command line: one clap struct per event type, used by its own command and by `event create`.

mod account;
mod dispute;
mod hold;
mod key;
mod operate;
mod payment;
mod transfer;

pub use account::{OpenAccount, SetLimit, SetStatus};
pub use dispute::{OpenChargeback, ResolveChargeback, Reverse, Settle};
pub use hold::{ChangeHold, Reject};
pub use key::{NewLogKey, RegisterKey, RevokeKey, RotateLogKey, public_key};
pub use operate::{ClosePeriod, EraseMetadata};
pub use payment::{Authorize, Capture, Initiate, Refund, Void, event_id, payment_id};
pub use transfer::Transfer;

use ledger_client::EventBuilder;
use ledger_core::event::Body;
use ledger_core::ids::{EventId, PaymentId};
use ledger_crypto::Hash;

use crate::context::Context;
use crate::exit::CliError;
use crate::text;

/// An event as the command line describes it, without ids and signers.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What happens.
    pub body: Body,
    /// The payment that it belongs to.
    pub payment: Option<PaymentId>,
    /// That payment's last event.
    pub previous: Option<EventId>,
    /// Reference and date.
    pub header: Header,
}

/// What payments and transfers may carry besides.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Header {
    /// Your own reference, unique among your payments and transfers, at most 35 characters
    #[arg(long, value_name = "TEXT")]
    pub external_ref: Option<String>,
    /// Day that it counts for in reports, such as 2026-01-31
    #[arg(long, value_name = "DATE")]
    pub effective_date: Option<String>,
}

/// The types of `event create`.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum DraftArgs {
    /// Open an account
    AccountOpen(OpenAccount),
    /// Freeze, thaw or close an account
    AccountStatus(SetStatus),
    /// Change how far an account may go below zero
    AccountLimit(SetLimit),
    /// Register a key
    KeyRegister(RegisterKey),
    /// Revoke a key
    KeyRevoke(RevokeKey),
    /// Let another key sign the log; signed by the operators, the log key in force and the new one
    KeyRotateLog(NewLogKey),
    /// Close the books of past days
    PeriodClose(ClosePeriod),
    /// Erase the private data of an event
    MetadataErase(EraseMetadata),
    /// Move money between accounts
    Transfer(Transfer),
    /// Announce a payment
    PayInitiate(Initiate),
    /// Turn an announced payment down
    PayReject(Reject),
    /// Hold the money of a payment
    PayAuthorize(Authorize),
    /// Hold more
    PayIncrease(ChangeHold),
    /// Hold less
    PayReduce(ChangeHold),
    /// Take held money
    PayCapture(Capture),
    /// Release the hold of a payment
    PayVoid(Void),
    /// Pay captured money out of the clearing account
    PaySettle(Settle),
    /// Pay money back
    PayRefund(Refund),
    /// Money that the scheme takes back
    ChargebackOpen(OpenChargeback),
    /// The end of a chargeback
    ChargebackResolve(ResolveChargeback),
    /// Undo the postings of an event
    PayReverse(Reverse),
}

impl DraftArgs {
    /// The event; the server is asked for a payment's currency, and for its last event when it is not given.
    pub async fn draft(&self, context: &Context) -> Result<Draft, CliError> {
        match self {
            Self::AccountOpen(args) => args.draft(),
            Self::AccountStatus(args) => args.draft(),
            Self::AccountLimit(args) => args.draft(),
            Self::KeyRegister(args) => args.draft(),
            Self::KeyRevoke(args) => args.draft(),
            Self::KeyRotateLog(args) => args.draft(),
            Self::PeriodClose(args) => args.draft(),
            Self::MetadataErase(args) => args.draft(),
            Self::Transfer(args) => args.draft(),
            Self::PayInitiate(args) => args.draft(),
            Self::PayReject(args) => args.draft(context).await,
            Self::PayIncrease(args) => args.increase(context).await,
            Self::PayReduce(args) => args.reduce(context).await,
            Self::PaySettle(args) => args.draft(context).await,
            Self::ChargebackOpen(args) => args.draft(context).await,
            Self::ChargebackResolve(args) => args.draft(context).await,
            Self::PayReverse(args) => args.draft(context).await,
            Self::PayAuthorize(args) => args.draft(context).await,
            Self::PayCapture(args) => args.draft(context).await,
            Self::PayVoid(args) => args.draft(context).await,
            Self::PayRefund(args) => args.draft(context).await,
        }
    }
}

impl Draft {
    /// An event that belongs to no payment.
    fn of_body(body: Body) -> Self {
        Self { body, payment: None, previous: None, header: Header::default() }
    }

    /// Gives the event an id and the time now.
    pub fn build(self, ledger_id: &Hash) -> Result<EventBuilder, CliError> {
        let mut event = EventBuilder::new(ledger_id, self.body)?;
        if let Some(payment) = self.payment {
            event = event.payment(payment);
        }
        if let Some(previous) = self.previous {
            event = event.previous(previous);
        }
        if let Some(reference) = self.header.external_ref {
            event = event.external_ref(reference);
        }
        if let Some(date) = self.header.effective_date {
            event = event.effective_date(text::parse_date("--effective-date", &date)?);
        }
        Ok(event)
    }
}

/// The value of a name of a numbered table, in any case and with `-` for `_`.
fn named<T: Copy>(
    name: &'static str,
    text: &str,
    all: &[T],
    name_of: impl Fn(T) -> &'static str,
) -> Result<T, CliError> {
    let wanted = text.replace('-', "_").to_ascii_uppercase();
    all.iter().copied().find(|value| name_of(*value) == wanted).ok_or_else(|| {
        let names: Vec<String> = all.iter().map(|value| name_of(*value).to_ascii_lowercase()).collect();
        CliError::argument(name, text, format!("one of {}", names.join(", ")))
    })
}
