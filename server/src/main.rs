//! `ledger-server`: serves a ledger over gRPC.
//!
//! Exit codes: 0 stopped gracefully, 1 did not start, 4 the ledger failed while serving.
#![forbid(unsafe_code)]

use std::io::Write;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use ledger_server::flags::Flags;
use ledger_server::logging;
use ledger_server::server::{Accepted, Server};
use ledger_server::settings::Settings;
use tokio::signal::unix::{SignalKind, signal};

/// Threads of the async runtime; signatures, rules and the database have their own.
const ASYNC_THREADS: usize = 2;
/// Did not start.
const NOT_STARTED: u8 = 1;
/// The ledger failed.
const UNAVAILABLE: u8 = 4;

type Fault = Box<dyn std::error::Error + Send + Sync>;

fn main() -> ExitCode {
    let flags = match Flags::try_parse() {
        Ok(flags) => flags,
        Err(error) => {
            // Help and version come here as well; a closed terminal cannot be told.
            let _ = error.print();
            return ExitCode::from(if error.use_stderr() { NOT_STARTED } else { 0 });
        }
    };
    match prepare(&flags) {
        Ok(None) => ExitCode::SUCCESS,
        Ok(Some(settings)) => run(settings, &flags),
        Err(error) => refuse(&error),
    }
}

/// The checked configuration, logging begun; `None` when only asked to print it.
fn prepare(flags: &Flags) -> Result<Option<Settings>, Fault> {
    let settings = flags.settings(environment())?;
    if flags.print_config {
        print!("{}", settings.to_toml());
        return Ok(None);
    }
    settings.check()?;
    logging::begin(&settings)?;
    Ok(Some(settings))
}

fn environment() -> impl Iterator<Item = (String, String)> {
    std::env::vars_os()
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value.into_string().ok()?)))
}

fn run(settings: Settings, flags: &Flags) -> ExitCode {
    let accepted = Accepted { head_loss: flags.accept_head_loss, clock: flags.accept_clock };
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(ASYNC_THREADS).enable_all().build();
    match runtime {
        Ok(runtime) => runtime.block_on(serve(settings, accepted)),
        Err(error) => refuse(&error.into()),
    }
}

async fn serve(settings: Settings, accepted: Accepted) -> ExitCode {
    let ready_file = settings.ready_file.clone();
    let signals =
        (signal(SignalKind::terminate()), signal(SignalKind::interrupt()), signal(SignalKind::hangup()));
    let (Ok(mut terminate), Ok(mut interrupt), Ok(mut hangup)) = signals else {
        return refuse(&"signals cannot be caught".into());
    };
    if let Some(path) = &ready_file {
        // One that an earlier run left would announce a server that does not serve yet.
        let _ = std::fs::remove_file(path);
    }
    let server = match Server::start(settings, accepted).await {
        Ok(server) => server,
        Err(error) => return refuse(&error.into()),
    };
    if let Err(error) = announce(&server, ready_file.as_deref()) {
        tracing::error!(%error, "where the server listens could not be told");
    }
    loop {
        tokio::select! {
            _ = terminate.recv() => break,
            _ = interrupt.recv() => break,
            () = server.failed() => break,
            _ = hangup.recv() => server.take_next_log_key(),
        }
    }
    match server.stop().await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tracing::error!(%error, "stopped");
            eprintln!("ledger-server: {error}");
            ExitCode::from(UNAVAILABLE)
        }
    }
}

/// Says where the server listens: a line of JSON on standard output, and the ready file, which appears whole.
fn announce(server: &Server, ready_file: Option<&Path>) -> std::io::Result<()> {
    let (grpc, metrics) = (server.grpc(), server.metrics());
    writeln!(std::io::stdout(), r#"{{"event":"serving","grpc":"{grpc}","metrics":"{metrics}"}}"#)?;
    let Some(path) = ready_file else { return Ok(()) };
    let mut partial = path.as_os_str().to_owned();
    partial.push(".partial");
    std::fs::write(&partial, format!("grpc={grpc} metrics={metrics}\n"))?;
    std::fs::rename(&partial, path)
}

fn refuse(error: &Fault) -> ExitCode {
    eprintln!("ledger-server: {error}");
    ExitCode::from(NOT_STARTED)
}
