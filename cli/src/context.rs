//! What every command may need: the server, the pinned log, keys, and where results go.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ledger_client::{CheckpointMemory, Client, EventBuilder, LogIdentity, RetryPolicy};
use ledger_core::sidecar::Sidecar;
use ledger_core::unit::Submitted;
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, SigningKey, keyfile};

use crate::exit::CliError;
use crate::output::Output;
use crate::private;
use crate::text;

/// Flags of every command.
#[derive(Clone, Debug, clap::Args)]
pub struct Globals {
    /// Address of the server
    #[arg(
        long,
        global = true,
        value_name = "URL",
        env = "LEDGER_SERVER",
        default_value = "http://127.0.0.1:7400"
    )]
    pub server: String,
    /// Ledger that events are signed for and proofs are checked against, 64 hexadecimal digits; else that of --ledger-dir
    #[arg(long, global = true, value_name = "HEX", env = "LEDGER_ID")]
    pub ledger_id: Option<String>,
    /// Verification key of the log, or a file that holds it; else that of --ledger-dir
    #[arg(long, global = true, value_name = "VKEY", env = "LEDGER_LOG_VKEY")]
    pub log_vkey: Option<String>,
    /// Receipt (.tlog-proof) of a change of the log's key since that one; several in the order of the log
    #[arg(long = "rotation", global = true, value_name = "FILE")]
    pub rotations: Vec<PathBuf>,
    /// Folder with the files `ledger-id` and `log.vkey`, as `ledger init` writes them
    #[arg(long, global = true, value_name = "DIR", env = "LEDGER_DIR")]
    pub ledger_dir: Option<PathBuf>,
    /// Seconds to go on trying while the server is away or overloaded; 0: one attempt
    #[arg(long, global = true, value_name = "SECONDS", default_value_t = 30)]
    pub wait: u64,
    /// Print one JSON document instead of tables
    #[arg(long, global = true)]
    pub json: bool,
}

/// Keys that sign an event.
#[derive(Clone, Debug, clap::Args)]
pub struct Keys {
    /// Private key that signs; once per signer
    #[arg(long = "key", value_name = "FILE", env = "LEDGER_KEY", required = true)]
    pub files: Vec<PathBuf>,
}

/// Who signs a submission, what stays private of it, and whether it is only tried.
#[derive(Clone, Debug, clap::Args)]
pub struct Signing {
    #[command(flatten)]
    keys: Keys,
    #[command(flatten)]
    private: Private,
    /// Ask what would be answered now; nothing is recorded
    #[arg(long)]
    dry_run: bool,
}

/// Keys that were read, and what is done with what they sign.
#[derive(Debug)]
pub struct Signers {
    /// The keys.
    pub keys: Vec<SigningKey>,
    /// Private data that the event commits to, with a salt of its own.
    pub sidecar: Option<Sidecar>,
    /// What is done.
    pub mode: Mode,
}

/// What is done with a signed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mode {
    /// It is submitted.
    Submit,
    /// The server says what it would answer.
    DryRun,
}

impl Signing {
    /// Reads the keys and the private data, and makes its salt.
    pub fn load(&self) -> Result<Signers, CliError> {
        let (keys, sidecar) = (self.keys.load()?, self.private.load()?);
        Ok(Signers { keys, sidecar, mode: Mode::of(self.dry_run) })
    }
}

impl Mode {
    /// By the flag `--dry-run`.
    pub fn of(dry_run: bool) -> Self {
        if dry_run { Self::DryRun } else { Self::Submit }
    }
}

impl Keys {
    /// Reads the keys.
    pub fn load(&self) -> Result<Vec<SigningKey>, CliError> {
        let keys = self.files.iter().map(|file| keyfile::load(file));
        keys.collect::<Result<_, _>>().map_err(CliError::from)
    }
}

/// What stays private of an event.
#[derive(Clone, Debug, clap::Args)]
pub struct Private {
    /// Private data beside the event, at most 8 KiB: the event signs a salted hash of it only, so it can be erased
    #[arg(long, value_name = "FILE")]
    metadata: Option<PathBuf>,
}

impl Private {
    /// Reads the private data, and makes its salt.
    pub fn load(&self) -> Result<Option<Sidecar>, CliError> {
        let Some(path) = &self.metadata else { return Ok(None) };
        let metadata = fs::read(path).map_err(CliError::io(path))?;
        let sidecar = ledger_client::sidecar(metadata)?;
        private::check_size("--metadata", &sidecar)?;
        Ok(Some(sidecar))
    }
}

impl Signers {
    /// Commits the event to the private data, and signs it.
    pub fn sign(&self, event: EventBuilder) -> Submitted {
        let keys: Vec<&SigningKey> = self.keys.iter().collect();
        match &self.sidecar {
            Some(sidecar) => event.private(sidecar.clone()).sign(&keys),
            None => event.sign(&keys),
        }
    }
}

/// The flags, resolved when something needs them.
#[derive(Clone, Debug)]
pub struct Context {
    globals: Globals,
    /// Where results go.
    pub out: Output,
}

impl Context {
    /// From the flags.
    pub fn new(globals: Globals) -> Self {
        let out = Output::new(globals.json);
        Self { globals, out }
    }

    /// A client of the server; it connects with its first call.
    pub fn client(&self) -> Result<Client, CliError> {
        let give_up_after = Duration::from_secs(self.globals.wait);
        let retry = RetryPolicy { give_up_after, ..RetryPolicy::default() };
        Ok(Client::lazy(&self.globals.server)?.with_retry(retry))
    }

    /// The pinned ledger id.
    pub fn ledger_id(&self) -> Result<Hash, CliError> {
        if let Some(text) = &self.globals.ledger_id {
            return text::parse_hash("--ledger-id", text);
        }
        let Some(dir) = &self.globals.ledger_dir else {
            return Err(CliError::Missing {
                what: "the ledger id",
                how: "--ledger-id HEX or --ledger-dir DIR",
            });
        };
        text::parse_hash("--ledger-dir, ledger-id", read_line(&dir.join("ledger-id"))?.trim_end())
    }

    /// The pinned log, followed through the changes of its key.
    pub fn log(&self) -> Result<LogIdentity, CliError> {
        let vkey = match (&self.globals.log_vkey, &self.globals.ledger_dir) {
            (Some(text), _) if text.contains('+') => text.clone(),
            (Some(file), _) => read_line(Path::new(file))?,
            (None, Some(dir)) => read_line(&dir.join("log.vkey"))?,
            (None, None) => {
                let how = "--log-vkey VKEY or --ledger-dir DIR";
                return Err(CliError::Missing { what: "the log's key", how });
            }
        };
        let key = VerifierKey::parse(vkey.trim_end()).map_err(|error| {
            CliError::argument("--log-vkey", vkey.trim_end(), format!("a verification key ({error})"))
        })?;
        self.globals.rotations.iter().try_fold(LogIdentity::new(key, self.ledger_id()?), |log, path| {
            let receipt = fs::read_to_string(path).map_err(CliError::io(path))?;
            log.rotated(&receipt).map_err(|source| CliError::Rotation { path: path.clone(), source })
        })
    }

    /// Where this user remembers the last checkpoint of each log.
    pub fn memory(&self) -> Result<CheckpointMemory, CliError> {
        let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty()).map(PathBuf::from);
        let folder = variable("LEDGER_STATE_DIR")
            .or_else(|| variable("XDG_STATE_HOME").map(|state| state.join("ledger")))
            .or_else(|| variable("HOME").map(|home| home.join(".local/state/ledger")));
        let how = "HOME or LEDGER_STATE_DIR in the environment";
        let folder = folder.ok_or(CliError::Missing { what: "the folder of remembered checkpoints", how })?;
        Ok(CheckpointMemory::new(&folder))
    }
}

fn read_line(path: &Path) -> Result<String, CliError> {
    fs::read_to_string(path).map_err(CliError::io(path))
}
