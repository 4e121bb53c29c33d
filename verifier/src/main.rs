//! `ledger-verify`: is this export, or this receipt, of that ledger, and right? Offline.
#![forbid(unsafe_code)]

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::thread::available_parallelism;

use clap::{Args, Parser, Subcommand};
use indicatif::{ProgressBar, ProgressStyle};
use ledger_verify::{Checks, Report, Trust, Verdict, check_archive, check_receipt, follow_rotations};
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

/// Checks what a ledger published, offline. Exit code: 0 valid, 5 invalid, 1 could not check.
#[derive(Parser)]
#[command(name = "ledger-verify", version, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Checks an export: every hash, root and signature, the chain of seals, the checkpoint, and the rules by replay
    Archive {
        /// Folder of the export
        dir: PathBuf,
        #[command(flatten)]
        trust: TrustArgs,
        /// Only files, hash tiles, roots of the log, the chain of seals and the checkpoint
        #[arg(long)]
        hashes_only: bool,
        /// Workers for signatures and hashes [default: one per core]
        #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024))]
        threads: Option<u16>,
    },
    /// Checks a receipt: that the entry is in the log, and who signed it
    Receipt {
        /// The .tlog-proof file
        file: PathBuf,
        #[command(flatten)]
        trust: TrustArgs,
    },
}

#[derive(Args)]
struct TrustArgs {
    /// Verifier key of the log (C2SP), or a file that holds one line of it; what contains a `+` is a key
    #[arg(long, value_name = "VKEY")]
    key: String,
    /// Id of the ledger, 64 hexadecimal digits
    #[arg(long, value_name = "HEX")]
    ledger_id: String,
    /// Receipt (.tlog-proof) of a change of the log's key, under a key trusted so far; several in the order of the log
    #[arg(long = "rotation", value_name = "FILE")]
    rotations: Vec<PathBuf>,
    /// Answer in one line of JSON
    #[arg(long)]
    json: bool,
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Nothing can be done when standard error is closed.
            let _ = error.print();
            let asked_for = !error.use_stderr();
            return ExitCode::from(if asked_for { 0 } else { Verdict::CouldNotCheck.exit_code() });
        }
    };
    let (report, json) = match cli.command {
        Command::Archive { dir, trust, hashes_only, threads } => {
            let checks = if hashes_only { Checks::HashesOnly } else { Checks::Full };
            let report = with_trust(&trust, |trust| archive(&dir, trust, checks, threads));
            (report, trust.json)
        }
        Command::Receipt { file, trust } => {
            (with_trust(&trust, |trust| check_receipt(&file, trust)), trust.json)
        }
    };
    println!("{}", if json { report.to_json() } else { report.to_string() });
    ExitCode::from(report.verdict.exit_code())
}

fn with_trust(args: &TrustArgs, check: impl FnOnce(&Trust) -> Report) -> Report {
    match Trust::parse(&args.key, &args.ledger_id) {
        Ok(pinned) => {
            follow_rotations(&args.rotations, &pinned).map_or_else(|report| *report, |trust| check(&trust))
        }
        Err(error) => {
            let found = match error.field() {
                "key" => &args.key,
                _ => &args.ledger_id,
            };
            Report::refused(error.field(), error.expected(), found, error.to_string())
        }
    }
}

fn archive(dir: &std::path::Path, trust: &Trust, checks: Checks, threads: Option<u16>) -> Report {
    let pool = match workers(threads) {
        Ok(pool) => pool,
        Err(error) => {
            return Report::refused("threads", "threads to work on", &error.to_string(), error.to_string());
        }
    };
    let bar = progress_bar();
    let report = check_archive(dir, trust, checks, &pool, &mut |done, size| {
        bar.set_length(size);
        bar.set_position(done);
    });
    bar.finish_and_clear();
    report
}

fn workers(threads: Option<u16>) -> Result<ThreadPool, ThreadPoolBuildError> {
    let cores = available_parallelism().map_or(1, usize::from);
    ThreadPoolBuilder::new().num_threads(threads.map_or(cores, usize::from)).build()
}

/// A bar on standard error when that is a terminal.
fn progress_bar() -> ProgressBar {
    if !std::io::stderr().is_terminal() {
        return ProgressBar::hidden();
    }
    let template = "{bar:40} {human_pos}/{human_len} entries, {per_sec}, {eta} left";
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
