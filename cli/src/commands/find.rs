//! `ledger find`: what a party has named by an external reference.

use ledger_client::messages::lookup_reference_response::Found;
use ledger_core::event::Event;

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::render::{self, Facts};
use crate::text;

/// Whose reference.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The reference
    external_ref: String,
    /// The party that gave it
    #[arg(long)]
    party: String,
}

/// Looks it up and prints the payment, or the entry of the transfer.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let response = context.client()?.reference(&args.party, &args.external_ref).await?;
    let facts: Facts = match &response.found {
        Some(Found::Payment(payment)) => render::payment(payment),
        Some(Found::Transfer(entry)) => {
            let event = Event::decode_batched(&entry.payload);
            vec![
                ("log index", entry.log_index.to_string()),
                ("recorded at", text::time(entry.recorded_at_nanos)),
                ("event id", event.map(|event| text::uuid(&event.event_id)).unwrap_or_default()),
            ]
        }
        None => Facts::new(),
    };
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}
