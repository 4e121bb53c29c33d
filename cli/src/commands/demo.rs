//! `ledger demo`: a ledger from nothing. A real server process, events signed one by one, a kill and a restart, an
//! export, and what the verifier says of it before and after one byte was changed.

mod audit;
mod cards;
mod load;
mod metrics;
mod report;
mod server;
mod wallets;

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use ledger_client::{CheckpointMemory, Client, EntryRef, LogIdentity};
use ledger_core::unit::Submitted;
use ledger_crypto::SigningKey;
use tokio::signal::unix::{SignalKind, signal};

use self::load::Answered;
use self::report::{Rejections, Report};
use self::server::Server;
use self::wallets::Wallets;
use super::init;
use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::output::note;
use crate::progress;

/// What to show.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Show {
    /// One card payment, step by step: holds, captures, a refund, a chargeback, an exchange, every number checked
    Cards(cards::Args),
}

/// How much, and where.
#[derive(Clone, Debug, clap::Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Args {
    #[command(subcommand)]
    show: Option<Show>,
    /// Transfers, each signed by its owner
    #[arg(long, value_name = "COUNT", default_value_t = 20_000, value_parser = clap::value_parser!(u64).range(1..=10_000_000))]
    pub events: u64,
    /// Accounts that they move money between; not given, 1,000, from 100,000 events on 10,000
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u64).range(12..=1_000_000))]
    pub accounts: Option<u64>,
    /// Keep everything here: data, keys, export, log.vkey, ledger-id; not given, a folder that is removed at the end
    #[arg(long, value_name = "DIR")]
    pub dir: Option<PathBuf>,
    /// Events of one request
    #[arg(long, value_name = "COUNT", default_value_t = 512, value_parser = clap::value_parser!(u32).range(1..=8192))]
    pub batch: u32,
    /// Requests on their way at a time
    #[arg(long, value_name = "COUNT", default_value_t = 16, value_parser = clap::value_parser!(u32).range(1..=64))]
    pub in_flight: u32,
    /// Kill the server without warning after the run, start it again, and look every event up by its id
    #[arg(long, value_name = "YES", default_value_t = true, action = clap::ArgAction::Set)]
    pub check_restart: bool,
}

/// Runs it and prints the table.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    if let Some(Show::Cards(args)) = &args.show {
        return cards::run(args, context).await;
    }
    let kept = args.dir.is_some();
    let temporary = tempfile::tempdir().map_err(CliError::io(&std::env::temp_dir()))?;
    let folder = args.dir.clone().unwrap_or_else(|| temporary.path().to_owned());
    // Dropping what is under way kills the server.
    let report = tokio::select! {
        report = perform(args, &folder, context) => report?,
        () = interrupted() => {
            return Err(CliError::Demo { step: "run", words: "interrupted".to_owned() });
        }
    };
    context.out.print(report.table(), &report.json());
    if kept && context.out.is_human() {
        note(format_args!("data, keys and export are in {}", folder.display()));
    }
    Ok(Exit::Ok)
}

/// Ends when somebody wants the program to end (SIGINT, SIGTERM); never where signals cannot be had.
async fn interrupted() {
    match (signal(SignalKind::interrupt()), signal(SignalKind::terminate())) {
        (Ok(mut interrupt), Ok(mut terminate)) => {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
            }
        }
        _ => std::future::pending().await,
    }
}

async fn perform(args: &Args, folder: &Path, context: &Context) -> Result<Report, CliError> {
    let say = |words: std::fmt::Arguments<'_>| {
        if context.out.is_human() {
            note(words);
        }
    };
    let programs = server::Programs::beside_this()?;
    let data = folder.join("data");
    let created = create_ledger(folder, &data)?;
    let log = LogIdentity::new(created.log_key.clone(), created.ledger_id);
    say(format_args!("ledger {} made in {}", hex::encode(created.ledger_id), data.display()));

    let mut server = Server::start(&programs, &data).await?;
    let client = Client::connect(&server.url()).await?;
    let operator = ledger_crypto::keyfile::load(&data.join("operator.key"))?;
    let accounts = args.accounts.unwrap_or(if args.events < 100_000 { 1_000 } else { 10_000 });
    let wallets = Arc::new(Wallets::new(created.ledger_id, accounts)?);
    say(format_args!("server at {}; opening {accounts} accounts", server.url()));
    let pipeline =
        load::Pipeline { client: &client, batch: args.batch as usize, in_flight: args.in_flight as usize };
    prepare(&pipeline, &wallets, &operator).await?;

    let events = sign_transfers(&wallets, args.events).await?;
    let ids = load::ids_of(&events);
    let before = server.usage().await?;
    let bar = progress::bar("events").with_message("submit");
    let begun = Instant::now();
    let answered = pipeline.run(events, &bar).await?;
    let elapsed = begun.elapsed();
    bar.finish_and_clear();
    let usage = server.usage().await?.since(&before);
    expect_all_accepted("submit", &answered)?;
    let rejections = refused_on_purpose(&client, &wallets).await?;
    say(format_args!("{} events in {:.2} s", args.events, elapsed.as_secs_f64()));

    let entries_before = client.status().await?.next_log_index;
    let (client, found) = if args.check_restart {
        server.kill().await?;
        server = Server::start(&programs, &data).await?;
        let client = Client::connect(&server.url()).await?;
        say(format_args!("server killed and started again; looking for {} events", ids.len()));
        let found = load::find_all(&client, &ids, &answered, entries_before).await?;
        (client, Some(found))
    } else {
        (client, None)
    };

    let last = answered.log_indices.iter().copied().max().unwrap_or_default();
    let timeout = Duration::from_secs(60);
    let memory = CheckpointMemory::new(&folder.join("checkpoints"));
    let last = EntryRef::Index(ledger_core::ids::LogIndex(last));
    client.await_sealed(&log, &memory, last, timeout).await?;
    let export = folder.join("export");
    let bar = progress::bar("entries").with_message("export");
    let mirrored = client
        .mirror(&log, &export, &memory, |done, all| {
            bar.set_length(all);
            bar.set_position(done);
        })
        .await?;
    bar.finish_and_clear();
    let trial_balance = client.trial_balance(None, None).await?;
    let block = client.block(None).await?;
    server.stop().await?;

    say(format_args!("verifying the export of {} entries", mirrored.checkpoint.size()));
    let verdict = audit::verify(&programs, &export, &log).await?;
    let finding =
        audit::verify_tampered(&programs, &export, folder, &log, mirrored.checkpoint.size()).await?;
    Ok(Report {
        events: args.events,
        accounts,
        elapsed,
        answered,
        rejections,
        found,
        usage,
        trial_balance,
        blocks: block.height + 1,
        entries: mirrored.checkpoint.size(),
        verdict,
        finding,
    })
}

fn create_ledger(folder: &Path, data: &Path) -> Result<init::Created, CliError> {
    let args = init::Args {
        dir: data.to_owned(),
        origin: None,
        operator_party: "operator".to_owned(),
        operator_keys: Vec::new(),
        threshold: 1,
        currencies: Vec::new(),
        group_members: 1_000,
        batch_members: 65_535,
        head_path: None,
    };
    let created = init::create(&args)?;
    for name in ["log.vkey", "ledger-id"] {
        fs::copy(data.join(name), folder.join(name)).map_err(CliError::io(&folder.join(name)))?;
    }
    Ok(created)
}

/// Keys, accounts and opening balances.
async fn prepare(
    pipeline: &load::Pipeline<'_>,
    wallets: &Wallets,
    operator: &SigningKey,
) -> Result<(), CliError> {
    let bar = progress::bar("events").with_message("prepare");
    for events in [wallets.registrations(operator)?, wallets.openings(operator)?, wallets.funding(operator)?]
    {
        let answered = pipeline.run(events, &bar).await?;
        expect_all_accepted("prepare", &answered)?;
    }
    bar.finish_and_clear();
    Ok(())
}

/// Signs on threads of its own, so that the demonstration can be interrupted meanwhile.
async fn sign_transfers(wallets: &Arc<Wallets>, count: u64) -> Result<Vec<Submitted>, CliError> {
    let wallets = Arc::clone(wallets);
    match tokio::task::spawn_blocking(move || wallets.transfers(count)).await {
        Ok(events) => events,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

fn expect_all_accepted(step: &'static str, answered: &Answered) -> Result<(), CliError> {
    match &answered.first_refused {
        None => Ok(()),
        Some(answer) => {
            let words = format!("an event was not accepted: {answer:?}");
            Err(CliError::Demo { step, words })
        }
    }
}

/// Events that must not be accepted, and whether they were answered as they must be.
async fn refused_on_purpose(client: &Client, wallets: &Wallets) -> Result<Rejections, CliError> {
    let mut rejections = Rejections::default();
    for (what, expected, event) in wallets.bad_events()? {
        let answers = client.submit(&[event]).await?;
        let verdict = answers.first().map(|answer| answer.verdict().to_string()).unwrap_or_default();
        if verdict != expected {
            let words = format!("{what} was answered {verdict}, expected {expected}");
            return Err(CliError::Demo { step: "refusals", words });
        }
        rejections.push(what, verdict);
    }
    Ok(rejections)
}
