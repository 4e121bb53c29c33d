//! `ledger demo cards`: one card payment through authorization, two captures, a refund and a lost chargeback, on a real
//! server; then a refund of a cent too much, which is refused, recorded and proved; then an exchange. Every number is
//! compared with the worked example of the rules.

mod example;
mod play;
mod shown;

use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use ledger_client::{CheckpointMemory, Client, EntryRef, LogIdentity, write_durably};
use ledger_core::ids::EventId;
use tokio::process::Command;

use self::example::{EXCHANGE, STEPS};
use self::play::Table;
use self::shown::{Report, Seen};
use super::server::{Programs, Server};
use super::{create_ledger, interrupted};
use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::output::note;

/// How long the refused refund may take to be sealed.
const SEAL_TIMEOUT: Duration = Duration::from_secs(60);

/// Where.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// Keep everything here: data, keys, the receipt, log.vkey, ledger-id; not given, a folder that is removed at the end
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
}

/// Plays it and prints the table; a number that is not the example's ends it with exit code 5.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let temporary = tempfile::tempdir().map_err(CliError::io(&std::env::temp_dir()))?;
    let folder = args.dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    // Dropping what is under way kills the server.
    let report = tokio::select! {
        report = perform(&folder) => report?,
        () = interrupted() => {
            return Err(CliError::Demo { step: "run", words: "interrupted".to_owned() });
        }
    };
    context.out.print(report.table(), &report.json());
    if args.dir.is_none() && context.out.is_human() {
        note("the folder is gone: --dir DIR keeps it, and with it the receipt that the command checks");
    }
    match report.first_difference() {
        None => Ok(Exit::Ok),
        Some(words) => Err(CliError::Demo { step: "cards", words }),
    }
}

async fn perform(folder: &Path) -> Result<Report, CliError> {
    let programs = Programs::beside_this()?;
    let data = folder.join("data");
    let created = create_ledger(folder, &data)?;
    let log = LogIdentity::new(created.log_key, created.ledger_id);
    let server = Server::start(&programs, &data).await?;
    let client = Client::connect(&server.url()).await?;
    let operator = ledger_crypto::keyfile::load(&data.join("operator.key"))?;
    let mut table = Table::lay(&client, created.ledger_id, &operator).await?;

    let mut steps = Vec::new();
    let mut last = None;
    for step in STEPS {
        let answer = table.take(step).await?;
        last = answer.event_id;
        steps.push(Seen::of_step(&client, table.payment(), step, &answer).await?);
    }
    let refused = last.ok_or_else(|| failed("the refused refund has no event id"))?;
    let exchanged = table.exchange().await?;
    let exchange = Seen::of_exchange(&client, &EXCHANGE, &exchanged).await?;
    let command = prove(&client, &log, refused, folder, &programs).await?;
    server.stop().await?;
    Ok(Report { steps, exchange, command })
}

/// Writes the receipt of an event, and checks it with the verifier, away from the server. Returns the command that did.
async fn prove(
    client: &Client,
    log: &LogIdentity,
    event: EventId,
    folder: &Path,
    programs: &Programs,
) -> Result<String, CliError> {
    let memory = CheckpointMemory::new(&folder.join("checkpoints"));
    let receipt = client.await_sealed(log, &memory, EntryRef::Event(event), SEAL_TIMEOUT).await?;
    let path = folder.join("refused-refund.tlog-proof");
    write_durably(&path, receipt.text.as_bytes()).map_err(CliError::io(&path))?;
    let (key, ledger_id) = (log.key().to_string(), hex::encode(log.ledger_id()));
    let mut verify = Command::new(&programs.verify);
    verify.arg("receipt").arg(&path).args(["--key", &key, "--ledger-id", &ledger_id]);
    let output = verify.stdin(Stdio::null()).output().await.map_err(CliError::io(&programs.verify))?;
    let words = String::from_utf8_lossy(&output.stdout);
    if !output.status.success() || !words.contains("a refused event") {
        return Err(failed(&format!("the receipt of the refused refund does not verify: {words}")));
    }
    let program = programs.verify.display();
    Ok(format!("{program} receipt {} --key '{key}' --ledger-id {ledger_id}", path.display()))
}

fn failed(words: &str) -> CliError {
    CliError::Demo { step: "cards", words: words.to_owned() }
}
