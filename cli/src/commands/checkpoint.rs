//! `ledger checkpoint`: the newest signed checkpoint, checked against the last one seen.

use serde_json::json;

use crate::context::Context;
use crate::exit::{CliError, Exit};

/// Fetches, checks, remembers and prints it.
pub async fn run(context: &Context) -> Result<Exit, CliError> {
    let (client, log) = (context.client()?, context.log()?);
    let checkpoint = log.open(&client.checkpoint().await?)?;
    context.memory()?.advance(&client, &log, &checkpoint).await?;
    let document = json!({
        "origin": log.key().name,
        "size": checkpoint.size().to_string(),
        "root": hex::encode(checkpoint.root()),
        "note": checkpoint.note(),
    });
    context.out.print(checkpoint.note().trim_end_matches('\n'), &document);
    Ok(Exit::Ok)
}
