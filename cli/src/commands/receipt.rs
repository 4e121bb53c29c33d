//! `ledger receipt`: wait until an event is sealed, check its proof, write it to a file, and say what it proves.

use std::path::PathBuf;
use std::time::Duration;

use ledger_client::{EntryRef, Verdict, write_durably};
use ledger_core::code::Code;
use ledger_core::ids::EventId;

use crate::context::Context;
use crate::draft::event_id;
use crate::exit::{CliError, Exit};
use crate::render::{self, Facts};

/// Whose receipt, and where to.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The event
    #[arg(value_parser = event_id)]
    pub event_id: EventId,
    /// The file to write, C2SP tlog-proof
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Seconds to wait for the seal
    #[arg(long, value_name = "SECONDS", default_value_t = 30, value_parser = clap::value_parser!(u64).range(1..=300))]
    pub timeout: u64,
}

/// Waits, checks and writes. The receipt of a refused event proves its refusal: it is written, and the exit code is
/// that of the refusal.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let (client, log, memory) = (context.client()?, context.log()?, context.memory()?);
    let timeout = Duration::from_secs(args.timeout);
    let receipt = client.await_sealed(&log, &memory, EntryRef::Event(args.event_id), timeout).await?;
    write_durably(&args.out, receipt.text.as_bytes()).map_err(CliError::io(&args.out))?;
    let verified = &receipt.verified;
    let outcome = verified.entry.outcome;
    let refusal = Code::from_number(outcome);
    let facts: Facts = vec![
        ("event id", args.event_id.to_string()),
        ("log index", verified.index.to_string()),
        ("outcome", outcome_name(outcome, refusal)),
        ("checkpoint size", verified.checkpoint.size.to_string()),
        ("root", hex::encode(verified.checkpoint.root)),
        ("file", args.out.display().to_string()),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(match (outcome, refusal) {
        (0, _) => Exit::Ok,
        (_, Some(code)) => Exit::of_verdict(Verdict::Refused(code)),
        (_, None) => Exit::Refused,
    })
}

/// As the service names it; the number of a code that is not known here.
fn outcome_name(outcome: u16, refusal: Option<Code>) -> String {
    match (outcome, refusal) {
        (0, _) => "ACCEPTED".to_owned(),
        (_, Some(code)) => code.name().to_owned(),
        (number, None) => number.to_string(),
    }
}
