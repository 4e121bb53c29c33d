//! Signing and submitting what a command describes.

use std::fs::OpenOptions;
use std::io::Write;
use std::path::PathBuf;

use ledger_client::{Cause, ClientError, EventAnswer};
use ledger_core::ids::EventId;
use ledger_core::unit::Submitted;
use ledger_crypto::dsse::Envelope;
use serde_json::Value;

use crate::context::{Context, Mode, Signers};
use crate::draft::Draft;
use crate::exit::{CliError, Exit, Kept};
use crate::output::note;
use crate::private;
use crate::render::{self, Facts};

/// Signs one event, submits it, and prints the answer with `extra` facts. Without an answer the event is kept: the same
/// command would make another one.
pub async fn submit_draft(
    context: &Context,
    draft: Draft,
    signers: &Signers,
    mut extra: Facts,
) -> Result<Exit, CliError> {
    let event = draft.build(&context.ledger_id()?)?;
    let id = event.event_id();
    let event = signers.sign(event);
    if let Some(sidecar) = &event.sidecar {
        extra.push(("metadata commitment", hex::encode(sidecar.commitment())));
    }
    if signers.mode == Mode::DryRun {
        let tried = context.client()?.dry_run(&[event]).await?;
        return Ok(print_answers(context, &tried.answers, &would(&extra)));
    }
    let answers = context.client()?.submit(std::slice::from_ref(&event)).await;
    let answers = answers.map_err(|error| unanswered(id, &event, error))?;
    Ok(print_answers(context, &answers, &extra))
}

/// The error of a submission. Without an answer the event is kept.
pub fn unanswered(event_id: EventId, event: &Submitted, error: ClientError) -> CliError {
    match error.cause() {
        Cause::Unavailable | Cause::Broken => {
            CliError::Unanswered { event_id, source: error, kept: keep(event_id, event) }
        }
        Cause::Usage | Cause::Missing => error.into(),
    }
}

/// Keeps a signed event whose outcome is not known, so that the same bytes can be submitted again: the envelope goes
/// into the working folder.
fn keep(id: EventId, event: &Submitted) -> Kept {
    let path = PathBuf::from(format!("{id}.dsse.json"));
    let text = envelope(event).to_json();
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(&path)?;
        file.write_all(text.as_bytes())?;
        file.sync_all()
    };
    // The envelope can be submitted without its private data as well; then nobody keeps it.
    if let Err(error) = private::write_beside(&path, event.sidecar.as_ref()) {
        note(format_args!("the private data was not kept: {error}"));
    }
    match write() {
        Ok(()) => Kept::File(path),
        Err(source) => Kept::Text { path, source, text },
    }
}

/// The DSSE envelope of an event. Signatures of another length than a key's or signature's cannot come from
/// [`ledger_client::add_signatures`].
pub fn envelope(event: &Submitted) -> Envelope {
    let signatures = event.signatures.iter();
    let signatures = signatures.filter_map(|(key, signature)| {
        Some((key.as_slice().try_into().ok()?, signature.as_slice().try_into().ok()?))
    });
    Envelope {
        payload_type: event.payload_type.clone(),
        payload: event.payload.clone(),
        signatures: signatures.collect(),
    }
}

/// Submits signed events, each on its own or all as one group, and prints the answers.
pub async fn submit_signed(
    context: &Context,
    events: &[Submitted],
    atomic: Atomicity,
    mode: Mode,
) -> Result<Exit, CliError> {
    let client = context.client()?;
    let answers = match (mode, atomic) {
        (Mode::Submit, Atomicity::Single) => client.submit(events).await?,
        (Mode::Submit, Atomicity::Group) => client.submit_atomic(events).await?,
        (Mode::DryRun, Atomicity::Single) => client.dry_run(events).await?.answers,
        (Mode::DryRun, Atomicity::Group) => client.dry_run_atomic(events).await?.answers,
    };
    let extra = match mode {
        Mode::Submit => Facts::new(),
        Mode::DryRun => would(&Facts::new()),
    };
    Ok(print_answers(context, &answers, &extra))
}

/// Says first that nothing was recorded.
fn would(extra: &Facts) -> Facts {
    [vec![("dry run", "nothing was recorded".to_owned())], extra.clone()].concat()
}

/// Whether events stand or fall together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Atomicity {
    /// Each on its own.
    Single,
    /// All or none.
    Group,
}

/// Prints the answers to submitted events, each with the same `extra` facts.
pub fn print_answers(context: &Context, answers: &[EventAnswer], extra: &Facts) -> Exit {
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
