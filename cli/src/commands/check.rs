//! `ledger check`: the server adds up all money.

use ledger_client::messages as v1;
use serde_json::json;

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::render::{self, Facts};

/// Asks for it and prints the sums. A violation ends with exit code 5.
pub async fn run(context: &Context) -> Result<Exit, CliError> {
    let response = context.client()?.check_money_conservation().await?;
    let total = |total: &v1::CurrencyTotals| {
        render::sums(&total.currency, total.exponent, "all", &total.counters.clone().unwrap_or_default())
    };
    let totals: Vec<Facts> = response.totals.iter().map(total).collect();
    let violation = response.violation.as_ref().map(violation);
    let checked: Facts = vec![
        ("accounts", response.account_count.to_string()),
        ("payments", response.payment_count.to_string()),
        ("lines", response.line_count.to_string()),
        ("read at", response.read_at.to_string()),
    ];
    let columns = ["currency", "posted debits", "posted credits", "pending debits", "pending credits"];
    let sums = render::list_table(&totals, &columns, &columns[1..]);
    let verdict = violation.as_ref().unwrap_or(&checked);
    let document = json!({
        "totals": totals.iter().map(render::object).collect::<Vec<_>>(),
        "checked": render::object(&checked),
        "violation": violation.as_ref().map(render::object),
    });
    context.out.print(format_args!("{sums}\n{}", render::facts_table(verdict)), &document);
    Ok(if violation.is_none() { Exit::Ok } else { Exit::Verification })
}

fn violation(violation: &v1::Violation) -> Facts {
    vec![
        ("invariant", violation.invariant.clone()),
        ("log index", violation.log_index.to_string()),
        ("subject", violation.subject.clone()),
        ("expected", violation.expected.clone()),
        ("found", violation.found.clone()),
    ]
}
