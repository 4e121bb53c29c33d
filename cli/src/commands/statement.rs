//! `ledger statement`: opening, lines with a running balance, closing.

use ledger_client::messages as v1;
use ledger_client::{Statement, StatementRange};
use ledger_core::number::{Layer, Side};
use serde_json::{Value, json};

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::output::table;
use crate::render::{self, Facts};
use crate::text;

/// Which account and range.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The account
    account: String,
    /// First date, such as 2026-01-01, or time, such as 2026-01-01T08:00:00Z
    #[arg(long, value_name = "DATE|TIME")]
    from: String,
    /// Last date, all of it; or the first time after the range
    #[arg(long, value_name = "DATE|TIME")]
    to: String,
    /// Which date of a line counts
    #[arg(long, value_enum, default_value_t = By::Recorded)]
    by: By,
}

/// Which date of a line counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub enum By {
    /// When the ledger recorded it
    Recorded,
    /// When it takes effect, by its event
    Effective,
}

/// Reads all of it, then prints it: half a statement is none.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let mut statement = context.client()?.statement(&args.account, args.range()?).await?;
    let mut lines = Vec::new();
    while let Some(next) = statement.next().await? {
        lines.extend(next);
    }
    let Statement { head, .. } = statement;
    let rows: Vec<Facts> = lines.iter().map(|line| facts(line, &head)).collect();
    let (opening, closing) = (balance(&head, &head.opening), balance(&head, &head.closing));
    context.out.print(human(&rows, &opening, &closing), &document(&head, &rows, &opening, &closing));
    Ok(Exit::Ok)
}

impl Args {
    fn range(&self) -> Result<StatementRange, CliError> {
        Ok(match self.by {
            By::Recorded => StatementRange::Recorded {
                from_nanos: text::parse_moment("--from", &self.from)?.first_nanos(),
                to_nanos: text::parse_moment("--to", &self.to)?.end_nanos(),
            },
            By::Effective => StatementRange::Effective {
                from_date: text::parse_date("--from", &self.from)?,
                to_date: text::parse_date("--to", &self.to)?,
            },
        })
    }
}

/// A line: what it adds, and the balances after it.
fn facts(line: &v1::StatementLine, head: &v1::StatementHead) -> Facts {
    let amount = |minor: &str| text::decimal_amount(minor, head.exponent, &head.currency);
    let posting = line.line.clone().unwrap_or_default();
    let after = balance(head, &line.balance);
    vec![
        ("line", posting.number.to_string()),
        ("log index", posting.log_index.to_string()),
        ("recorded at", text::time(posting.recorded_at_nanos)),
        ("effective", text::date(line.effective_date)),
        ("layer", render::name(posting.layer, Layer::from_number, Layer::name)),
        ("side", render::name(posting.side, Side::from_number, Side::name)),
        ("amount", amount(&posting.delta)),
        ("posted", after.0),
        ("pending", after.1),
        ("event id", text::uuid(&posting.event_id)),
        ("payment id", text::uuid(&posting.payment_id)),
    ]
}

/// Posted and pending.
fn balance(head: &v1::StatementHead, balance: &Option<v1::StatementBalance>) -> (String, String) {
    let balance = balance.clone().unwrap_or_default();
    let amount = |minor: &str| text::decimal_amount(minor, head.exponent, &head.currency);
    (amount(&balance.posted), amount(&balance.pending))
}

fn human(rows: &[Facts], opening: &(String, String), closing: &(String, String)) -> comfy_table::Table {
    let columns = ["line", "recorded at", "effective", "layer", "side", "amount", "posted", "pending"];
    let cell = |row: &Facts, column: &str| {
        row.iter().find(|(name, _)| *name == column).map(|(_, value)| value.clone()).unwrap_or_default()
    };
    let of = |name: &str, (posted, pending): &(String, String)| {
        let mut row = vec![String::new(); columns.len() - 2];
        row[1] = name.to_owned();
        row.extend([posted.clone(), pending.clone()]);
        row
    };
    let lines = rows.iter().map(|row| columns.iter().map(|column| cell(row, column)).collect());
    let all = std::iter::once(of("opening", opening)).chain(lines).chain([of("closing", closing)]);
    table(&columns, &["line", "amount", "posted", "pending"], all.collect::<Vec<_>>())
}

fn document(
    head: &v1::StatementHead,
    rows: &[Facts],
    opening: &(String, String),
    closing: &(String, String),
) -> Value {
    let balance = |(posted, pending): &(String, String)| json!({ "posted": posted, "pending": pending });
    json!({
        "account": head.account,
        "currency": head.currency,
        "opening": balance(opening),
        "lines": rows.iter().map(render::object).collect::<Vec<_>>(),
        "closing": balance(closing),
        "read_at": head.read_at.to_string(),
    })
}
