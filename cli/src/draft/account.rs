//! Accounts: opening, freezing, closing, limits.

use ledger_core::event::{AccountLimitChanged, AccountOpened, AccountStatusChanged, Body};
use ledger_core::ids::CurrencyCode;
use ledger_core::number::{AccountKind, AccountStatus};

use super::{Draft, named};
use crate::exit::CliError;
use crate::text;

/// A new account.
#[derive(Clone, Debug, clap::Args)]
pub struct OpenAccount {
    /// Its id: a-z, 0-9, ':', '_', '-', at most 64 characters; it is public for ever, so no personal data in it
    pub account: String,
    /// Its one currency, such as USD
    #[arg(long, value_name = "CODE")]
    pub currency: String,
    /// customer, merchant, clearing, dispute, fee, fx, cash or external
    #[arg(long, value_name = "KIND", default_value = "customer")]
    pub kind: String,
    /// How far it may go below zero, such as "100.00 USD"
    #[arg(long, value_name = "AMOUNT")]
    pub limit: Option<String>,
}

impl OpenAccount {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let Some(currency) = CurrencyCode::parse(&self.currency) else {
            return Err(CliError::argument("--currency", &self.currency, "three capitals, such as USD"));
        };
        let limit = match &self.limit {
            None => 0,
            Some(text) => {
                let limit = text::parse_amount("--limit", text)?;
                if limit.currency != currency {
                    return Err(CliError::argument("--limit", text, format!("an amount in {currency}")));
                }
                limit.minor
            }
        };
        Ok(Draft::of_body(Body::AccountOpened(AccountOpened {
            account: self.account.clone(),
            currency: self.currency.clone(),
            kind: Some(named("--kind", &self.kind, AccountKind::ALL, AccountKind::name)?),
            limit,
        })))
    }
}

/// Another status for an account.
#[derive(Clone, Debug, clap::Args)]
pub struct SetStatus {
    /// The account
    pub account: String,
    /// open, debit-frozen, credit-frozen, frozen or closed
    pub status: String,
    /// Why, at most 35 characters; public for ever
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
}

impl SetStatus {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        Ok(Draft::of_body(Body::AccountStatusChanged(AccountStatusChanged {
            account: self.account.clone(),
            status: Some(named("status", &self.status, AccountStatus::ALL, AccountStatus::name)?),
            reason: self.reason.clone(),
        })))
    }
}

/// How far an account may go below zero from now on.
#[derive(Clone, Debug, clap::Args)]
pub struct SetLimit {
    /// The account
    pub account: String,
    /// How far, such as "100.00 USD", in the account's currency
    pub limit: String,
}

impl SetLimit {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let limit = text::parse_amount("limit", &self.limit)?.minor;
        let body = AccountLimitChanged { account: self.account.clone(), limit };
        Ok(Draft::of_body(Body::AccountLimitChanged(body)))
    }
}
