//! `ledger status`: which ledger a server has, and how far it is.

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::render::{self, Facts};

/// Reads and prints it.
pub async fn run(context: &Context) -> Result<Exit, CliError> {
    let s = context.client()?.status().await?;
    let limits = s.limits.unwrap_or_default();
    let serving = if s.serving { "yes".to_owned() } else { format!("no: {}", s.not_serving_reason) };
    let facts: Facts = vec![
        ("ledger id", hex::encode(&s.ledger_id)),
        ("origin", s.origin),
        ("log key", s.log_vkey),
        ("serving", serving),
        ("next log index", s.next_log_index.to_string()),
        ("height", s.height.to_string()),
        ("checkpoint size", s.checkpoint_size.to_string()),
        ("unsealed entries", s.unsealed_entries.to_string()),
        ("unflushed bytes", s.unflushed_bytes.to_string()),
        ("queue bytes", s.queue_bytes.to_string()),
        ("currencies", s.currencies.len().to_string()),
        ("operator threshold", s.operator_threshold.to_string()),
        ("rules version", s.rules_version.to_string()),
        ("request events limit", limits.request_events.to_string()),
        ("request bytes limit", limits.request_bytes.to_string()),
        ("stream messages limit", limits.stream_messages.to_string()),
        ("page limit", limits.page.to_string()),
        ("server version", s.server_version),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}
