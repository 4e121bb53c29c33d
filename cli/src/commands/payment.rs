//! `ledger payment`: read a payment.

use ledger_client::messages::LogEntry;
use ledger_core::event::Event;
use ledger_core::ids::PaymentId;

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
        Args::Show { payment_id } => {
            let facts = render::payment(&context.client()?.payment(*payment_id).await?);
            context.out.print(render::facts_table(&facts), &render::object(&facts));
        }
        Args::ListEvents { payment_id, limit } => list_events(context, *payment_id, *limit).await?,
    }
    Ok(Exit::Ok)
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
    let event = Event::decode(&entry.payload).ok();
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
