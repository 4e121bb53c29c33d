//! Which accounts of an import are open already: from another file, or from an earlier run.

use ledger_client::{Cause, Client};
use ledger_core::number::AccountKind;

use super::accounts::Opened;
use super::day::Day;
use super::error::ImportError;
use super::file::BankFile;
use super::plan::Plan;
use crate::text;

/// The accounts of a plan that the ledger does not have.
///
/// # Errors
/// [`ImportError::OtherAccount`]: an account is there with another currency, kind or limit; [`ImportError::Client`].
pub async fn missing(
    client: &Client,
    file: &BankFile,
    plan: &Plan,
) -> Result<Vec<(usize, Day)>, ImportError> {
    let mut missing = Vec::new();
    for (position, day) in &plan.accounts {
        let wanted = file.accounts.at(*position);
        let there = match client.account(wanted.id.as_str(), None).await {
            Ok(response) => response.account.unwrap_or_default(),
            Err(error) if error.cause() == Cause::Missing => {
                missing.push((*position, *day));
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let (currency, exponent) = file.layout.currency();
        let amount = |minor: u64| text::amount(minor.into(), exponent.into(), currency.as_str());
        check(wanted, "currency", there.currency, currency.as_str())?;
        let kind = AccountKind::from_number(there.kind.unsigned_abs());
        check(wanted, "kind", kind.map_or_else(String::new, |kind| kind.to_string()), wanted.kind.name())?;
        check(wanted, "limit", amount(there.limit), &amount(wanted.limit))?;
    }
    Ok(missing)
}

fn check(account: &Opened, field: &'static str, there: String, wanted: &str) -> Result<(), ImportError> {
    if there == wanted {
        return Ok(());
    }
    let account = account.id.to_string();
    Err(ImportError::OtherAccount { account, field, there, wanted: wanted.to_owned() })
}
