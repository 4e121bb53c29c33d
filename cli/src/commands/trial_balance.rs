//! `ledger trial-balance`: sums of all accounts per currency and kind.

use ledger_core::number::AccountKind;
use serde_json::json;

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::render::{self, Facts};

/// Reads and prints it. Debits that differ from credits are a broken ledger.
pub async fn run(context: &Context) -> Result<Exit, CliError> {
    let response = context.client()?.trial_balance(None, None).await?;
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
    });
    context.out.print(shown, &document);
    Ok(if balanced { Exit::Ok } else { Exit::Verification })
}

fn balances(counters: &ledger_client::messages::Counters) -> bool {
    counters.posted_debits == counters.posted_credits && counters.pending_debits == counters.pending_credits
}
