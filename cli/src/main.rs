//! Operator and client command line of the ledger.
#![forbid(unsafe_code)]

mod commands;
mod context;
mod draft;
mod exit;
mod import;
mod journal;
mod output;
mod pages;
mod private;
mod progress;
mod render;
mod submit;
mod text;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::commands as c;
use crate::context::{Context, Globals};
use crate::exit::{CliError, Exit};

const EXAMPLES: &str = "\
Examples:
  ledger demo                                        everything once, in a temporary folder
  ledger init books && ledger-server --dir books     a ledger of your own
  export LEDGER_DIR=books LEDGER_KEY=books/operator.key
  ledger account open alice --currency USD
  ledger transfer --from world --to alice --amount \"200.00 USD\"
  ledger receipt EVENT_ID --out paid.tlog-proof
  ledger export --out export
  ledger-verify archive export --key books/log.vkey --ledger-id $(cat books/ledger-id)";

/// Command line of a cryptographically verifiable payment ledger.
///
/// Exit codes: 0 done (or done before), 1 usage, 2 refused by a rule, 3 conflict with what is there, 4 server
/// unavailable, 5 verification failed.
#[derive(Debug, Parser)]
#[command(name = "ledger", version, arg_required_else_help = true, after_help = EXAMPLES)]
struct Cli {
    #[command(flatten)]
    globals: Globals,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Make a new ledger: its keys, its genesis, its data directory
    Init(c::init::Args),
    /// Make, show, register and revoke keys
    #[command(subcommand)]
    Key(c::key::Args),
    /// Open, change and read accounts
    #[command(subcommand)]
    Account(c::account::Args),
    /// Move money between accounts
    Transfer(c::transfer::Args),
    /// Take a payment through its steps
    #[command(subcommand)]
    Pay(c::pay::Args),
    /// Read a payment
    #[command(subcommand)]
    Payment(c::payment::Args),
    /// Read events, and make those that several keys sign
    #[command(subcommand)]
    Event(c::event::Args),
    /// Read blocks
    #[command(subcommand)]
    Block(c::block::Args),
    /// Close the books of past days
    #[command(subcommand)]
    Period(c::period::Args),
    /// What only operators do, now and then
    #[command(subcommand)]
    Admin(c::admin::Args),
    /// The newest signed checkpoint, checked against the last one seen
    Checkpoint,
    /// Wait until an event is sealed, check its proof, and write it to a file
    Receipt(c::receipt::Args),
    /// Mirror the log into a folder that anybody can check offline
    Export(c::export::Args),
    /// Sums of all accounts per currency and kind
    TrialBalance(c::trial_balance::Args),
    /// Opening, lines and closing of an account over a range
    Statement(c::statement::Args),
    /// What a party has named by an external reference
    Find(c::find::Args),
    /// Let the server add up all money and compare it with its records
    Check,
    /// Replay an export and print the hash of its books
    BooksHash(c::books_hash::Args),
    /// Import a bank's file, one signed transfer per row
    Import(import::ImportArgs),
    /// Which ledger a server has, and how far it is
    Status,
    /// A ledger from nothing: a real server, signed events, export, verification, tampering found
    Demo(c::demo::Args),
}

fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are no errors; the rest is exit code 1, not the 2 that clap would give.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Ok };
            let _ = error.print();
            return exit.into();
        }
    };
    let context = Context::new(cli.globals);
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    let outcome = match runtime {
        Ok(runtime) => {
            let outcome = runtime.block_on(run(cli.command, &context));
            // An interrupted command may have left work on other threads that nobody waits for.
            runtime.shutdown_background();
            outcome
        }
        Err(source) => Err(CliError::Io { path: "tokio".into(), source }),
    };
    match outcome {
        Ok(exit) => exit.into(),
        Err(error) => {
            let exit = error.exit();
            if context.out.is_human() {
                output::note(format_args!("ledger: {error}"));
            } else {
                output::note(serde_json::json!({ "error": error.to_string(), "exit": exit as u8 }));
            }
            exit.into()
        }
    }
}

async fn run(command: Command, context: &Context) -> Result<Exit, CliError> {
    match command {
        Command::Init(args) => c::init::run(&args, context),
        Command::Key(args) => c::key::run(&args, context).await,
        Command::Account(args) => c::account::run(&args, context).await,
        Command::Transfer(args) => c::transfer::run(&args, context).await,
        Command::Pay(args) => c::pay::run(&args, context).await,
        Command::Payment(args) => c::payment::run(&args, context).await,
        Command::Event(args) => c::event::run(&args, context).await,
        Command::Block(args) => c::block::run(&args, context).await,
        Command::Period(args) => c::period::run(&args, context).await,
        Command::Admin(args) => c::admin::run(&args, context).await,
        Command::Checkpoint => c::checkpoint::run(context).await,
        Command::Receipt(args) => c::receipt::run(&args, context).await,
        Command::Export(args) => c::export::run(&args, context).await,
        Command::TrialBalance(args) => c::trial_balance::run(&args, context).await,
        Command::Statement(args) => c::statement::run(&args, context).await,
        Command::Find(args) => c::find::run(&args, context).await,
        Command::Check => c::check::run(context).await,
        Command::BooksHash(args) => c::books_hash::run(&args, context),
        Command::Import(args) => import::run(context, &args).await,
        Command::Status => c::status::run(context).await,
        Command::Demo(args) => c::demo::run(&args, context).await,
    }
}
