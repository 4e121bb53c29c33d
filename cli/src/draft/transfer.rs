//! Transfers: explicit legs between accounts.

use ledger_core::event::{Body, Leg, TransferPosted};
use ledger_core::ids::PaymentId;
use ledger_core::number::Side;

use super::{Draft, Header};
use crate::exit::CliError;
use crate::text;

/// Money moved between accounts: from one to another, or any legs that balance.
#[derive(Clone, Debug, clap::Args)]
pub struct Transfer {
    /// Account that is debited
    #[arg(long, value_name = "ACCOUNT", requires_all = ["to", "amount"], required_unless_present = "debit")]
    pub from: Option<String>,
    /// Account that is credited
    #[arg(long, value_name = "ACCOUNT", requires = "from")]
    pub to: Option<String>,
    /// How much, such as "12.34 USD"
    #[arg(long, value_name = "AMOUNT", requires = "from")]
    pub amount: Option<String>,
    /// A leg that is debited, such as "alice=12.34 USD"
    #[arg(long, value_name = "ACCOUNT=AMOUNT", conflicts_with = "from", requires = "credit")]
    pub debit: Vec<String>,
    /// A leg that is credited, such as "bob=12.34 USD"
    #[arg(long, value_name = "ACCOUNT=AMOUNT", conflicts_with = "from")]
    pub credit: Vec<String>,
    /// What for, at most 35 characters; public for ever
    #[arg(long, value_name = "TEXT", default_value = "TRANSFER")]
    pub purpose: String,
    /// A payment that it has to do with
    #[arg(long, value_name = "UUID", value_parser = super::payment_id)]
    pub related_payment: Option<PaymentId>,
    #[command(flatten)]
    header: Header,
}

impl Transfer {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let mut legs = Vec::new();
        if let (Some(from), Some(to), Some(amount)) = (&self.from, &self.to, &self.amount) {
            legs.push(leg("--amount", from, Side::Debit, amount)?);
            legs.push(leg("--amount", to, Side::Credit, amount)?);
        }
        for (name, side, given) in
            [("--debit", Side::Debit, &self.debit), ("--credit", Side::Credit, &self.credit)]
        {
            for text in given {
                let Some((account, amount)) = text.split_once('=') else {
                    return Err(CliError::argument(
                        name,
                        text,
                        "ACCOUNT=AMOUNT, such as \"alice=12.34 USD\"",
                    ));
                };
                legs.push(leg(name, account, side, amount)?);
            }
        }
        let body = Body::TransferPosted(TransferPosted {
            legs,
            purpose: self.purpose.clone(),
            related_payment_id: self.related_payment.map(|id| id.0.to_vec()).unwrap_or_default(),
        });
        Ok(Draft { header: self.header.clone(), ..Draft::of_body(body) })
    }
}

fn leg(name: &'static str, account: &str, side: Side, amount: &str) -> Result<Leg, CliError> {
    let amount = text::parse_amount(name, amount)?;
    Ok(Leg {
        account: account.to_owned(),
        side: Some(side),
        currency: amount.currency.to_string(),
        amount: amount.minor,
    })
}
