//! `ledger payment`: read payments.

use ledger_client::PaymentFilter;
use ledger_client::messages::LogEntry;
use ledger_core::event::Event;
use ledger_core::ids::PaymentId;
use ledger_core::number::PaymentStatus;
use serde_json::json;

use super::account::more;
use crate::context::Context;
use crate::draft::payment_id;
use crate::exit::{CliError, Exit};
use crate::pages::{Limit, Rows};
use crate::render::{self, Facts};
use crate::text;

/// Commands about payments.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// Where a payment stands
    Show {
        /// The payment
        #[arg(value_parser = payment_id)]
        payment_id: PaymentId,
        /// As it was after this entry of the log, after block:HEIGHT, at the end of this date, or at this time
        #[arg(long, value_name = "MOMENT")]
        as_of: Option<String>,
    },
    /// Payments, in the order of their initiation
    List {
        /// Only those that name this account
        #[arg(long)]
        account: Option<String>,
        /// Only those of this status now
        #[arg(long, value_parser = payment_status)]
        status: Option<PaymentStatus>,
        #[command(flatten)]
        limit: Limit,
    },
    /// Execute the entries of a payment again and compare with its record
    Check {
        /// The payment
        #[arg(value_parser = payment_id)]
        payment_id: PaymentId,
    },
    /// What happened to a payment, refusals included
    ListEvents {
        /// The payment
        #[arg(value_parser = payment_id)]
        payment_id: PaymentId,
        #[command(flatten)]
        limit: Limit,
    },
}

/// Runs one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match args {
        Args::Show { payment_id, as_of } => {
            let client = context.client()?;
            let payment = match as_of.as_deref().map(text::parse_as_of).transpose()? {
                Some(as_of) => client.payment_as_of(*payment_id, as_of).await?,
                None => client.payment(*payment_id).await?,
            };
            let facts = render::payment(&payment);
            context.out.print(render::facts_table(&facts), &render::object(&facts));
        }
        Args::List { account, status, limit } => {
            list(context, PaymentFilter { account: account.as_deref(), status: *status }, *limit).await?;
        }
        Args::Check { payment_id } => return check(context, *payment_id).await,
        Args::ListEvents { payment_id, limit } => list_events(context, *payment_id, *limit).await?,
    }
    Ok(Exit::Ok)
}

async fn list(context: &Context, filter: PaymentFilter<'_>, limit: Limit) -> Result<(), CliError> {
    let client = context.client()?;
    let read = async |page| {
        let r = client.payments(filter, page).await?;
        Ok(Rows { rows: r.payments, next_cursor: r.next_cursor, read_at: r.read_at })
    };
    let listed = limit.read(read).await?;
    let rows: Vec<Facts> = listed.rows.iter().map(render::payment).collect();
    let columns = ["payment id", "status", "amount", "debtor", "creditor", "captured", "held"];
    let document = render::document("payments", &rows, Some(listed.read_at));
    context.out.print(render::list_table(&rows, &columns, &["amount", "captured", "held"]), &document);
    more(context, listed.more);
    Ok(())
}

/// A record that its entries do not make ends with exit code 5.
async fn check(context: &Context, id: PaymentId) -> Result<Exit, CliError> {
    let response = context.client()?.rebuild_payment(id).await?;
    let stored = render::payment(&response.stored.unwrap_or_default());
    let rebuilt = render::payment(&response.rebuilt.unwrap_or_default());
    let facts: Facts = vec![
        ("payment id", id.to_string()),
        ("equal", response.equal.to_string()),
        ("entries", response.entry_count.to_string()),
        ("read at", response.read_at.to_string()),
    ];
    let document = json!({
        "checked": render::object(&facts),
        "rebuilt": render::object(&rebuilt),
        "stored": render::object(&stored),
    });
    context.out.print(render::facts_table(&facts), &document);
    Ok(if response.equal { Exit::Ok } else { Exit::Verification })
}

fn payment_status(text: &str) -> Result<PaymentStatus, String> {
    let wanted = text.to_ascii_uppercase().replace('-', "_");
    let all = (1..).map_while(PaymentStatus::from_number).collect::<Vec<_>>();
    let names = || all.iter().map(|status| status.name()).collect::<Vec<_>>().join(", ");
    all.iter()
        .find(|status| status.name() == wanted)
        .copied()
        .ok_or_else(|| format!("expected one of {}", names()))
}

async fn list_events(context: &Context, id: PaymentId, limit: Limit) -> Result<(), CliError> {
    let client = context.client()?;
    let read = async |page| {
        let r = client.payment_events(id, page).await?;
        Ok(Rows { rows: r.entries, next_cursor: r.next_cursor, read_at: r.read_at })
    };
    let listed = limit.read(read).await?;
    let rows: Vec<Facts> = listed.rows.iter().map(entry).collect();
    let columns = ["log index", "recorded at", "type", "outcome", "event id"];
    let document = render::document("events", &rows, Some(listed.read_at));
    context.out.print(render::list_table(&rows, &columns, &["log index"]), &document);
    more(context, listed.more);
    Ok(())
}

fn entry(entry: &LogEntry) -> Facts {
    let event = Event::decode_batched(&entry.payload).ok();
    // An expiry is the one entry of a payment that nobody signed.
    let kind = event.as_ref().map_or("PaymentExpired", |event| event.body.name());
    vec![
        ("log index", entry.log_index.to_string()),
        ("recorded at", text::time(entry.recorded_at_nanos)),
        ("type", kind.to_owned()),
        ("outcome", entry.outcome_name.clone()),
        ("event id", event.map(|event| text::uuid(&event.event_id)).unwrap_or_default()),
    ]
}
