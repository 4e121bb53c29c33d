//! Signing and submitting what a command describes.

use ledger_client::EventAnswer;
use ledger_core::unit::Submitted;
use ledger_crypto::SigningKey;
use serde_json::Value;

use crate::context::Context;
use crate::draft::Draft;
use crate::exit::{CliError, Exit};
use crate::render::{self, Facts};

/// Signs one event, submits it, and prints the answer with `extra` facts.
pub async fn submit_draft(
    context: &Context,
    draft: Draft,
    keys: &[SigningKey],
    extra: Facts,
) -> Result<Exit, CliError> {
    let keys: Vec<&SigningKey> = keys.iter().collect();
    let event = draft.build(&context.ledger_id()?)?.sign(&keys);
    let answers = context.client()?.submit(&[event]).await?;
    Ok(print_answers(context, &answers, &extra))
}

/// Submits signed events, each on its own or all as one group, and prints the answers.
pub async fn submit_signed(
    context: &Context,
    events: &[Submitted],
    atomic: Atomicity,
) -> Result<Exit, CliError> {
    let client = context.client()?;
    let answers = match atomic {
        Atomicity::Single => client.submit(events).await?,
        Atomicity::Group => client.submit_atomic(events).await?,
    };
    Ok(print_answers(context, &answers, &Facts::new()))
}

/// Whether events stand or fall together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atomicity {
    /// Each on its own.
    Single,
    /// All or none.
    Group,
}

fn print_answers(context: &Context, answers: &[EventAnswer], extra: &Facts) -> Exit {
    let facts = |answer| [extra.clone(), render::answer(answer)].concat();
    let rows: Vec<Facts> = answers.iter().map(facts).collect();
    match &rows[..] {
        [one] => context.out.print(render::facts_table(one), &render::object(one)),
        _ => {
            let columns = ["event id", "answer", "code", "log index", "field", "value", "limit"];
            let table = render::list_table(&rows, &columns, &["log index"]);
            let objects: Vec<Value> = rows.iter().map(render::object).collect();
            context.out.print(table, &Value::from(objects));
        }
    }
    answers.iter().map(|answer| Exit::of_verdict(answer.verdict())).max().unwrap_or(Exit::Ok)
}
