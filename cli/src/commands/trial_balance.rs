//! `ledger trial-balance`: sums of all accounts per currency and kind.

use ledger_core::number::AccountKind;
use serde_json::json;

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::render::{self, Facts};
use crate::text;

/// Of when, and of which currency.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// After this entry of the log, after block:HEIGHT, at the end of this date, or at this time
    #[arg(long, value_name = "MOMENT")]
    as_of: Option<String>,
    /// Only this currency
    #[arg(long)]
    currency: Option<String>,
}

/// Reads and prints it. Debits that differ from credits are a broken ledger.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let as_of = args.as_of.as_deref().map(text::parse_as_of).transpose()?;
    let response = context.client()?.trial_balance(as_of, args.currency.as_deref()).await?;
    let row = |row: &ledger_client::messages::TrialBalanceRow| {
        let kind = render::name(row.kind, AccountKind::from_number, AccountKind::name);
        let mut facts =
            render::sums(&row.currency, row.exponent, &kind, &row.counters.clone().unwrap_or_default());
        facts.insert(2, ("accounts", row.account_count.to_string()));
        facts
    };
    let rows: Vec<Facts> = response.rows.iter().map(row).collect();
    let total = |total: &ledger_client::messages::CurrencyTotals| {
        render::sums(&total.currency, total.exponent, "all", &total.counters.clone().unwrap_or_default())
    };
    let totals: Vec<Facts> = response.totals.iter().map(total).collect();
    let balanced = response.totals.iter().all(|total| total.counters.as_ref().is_none_or(balances));
    let columns = [
        "currency",
        "kind",
        "accounts",
        "posted debits",
        "posted credits",
        "pending debits",
        "pending credits",
    ];
    let shown = render::list_table(&[rows.clone(), totals.clone()].concat(), &columns, &columns[2..]);
    let objects = |rows: &[Facts]| rows.iter().map(render::object).collect::<Vec<_>>();
    let document = json!({
        "rows": objects(&rows),
        "totals": objects(&totals),
        "balanced": balanced,
        "read_at": response.read_at.to_string(),
        "as_of": response.as_of_log_index.map(|index| index.to_string()),
    });
    context.out.print(shown, &document);
    Ok(if balanced { Exit::Ok } else { Exit::Verification })
}

fn balances(counters: &ledger_client::messages::Counters) -> bool {
    counters.posted_debits == counters.posted_credits && counters.pending_debits == counters.pending_credits
}
