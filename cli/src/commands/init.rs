//! `ledger init`: make a new ledger.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};

use ledger_client::IdError;
use ledger_core::genesis::{Currency, Genesis, Limits, Operator, RULES_VERSION};
use ledger_core::ids::CurrencyCode;
use ledger_core::money::currencies;
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, KeyBytes, SigningKey, keyfile};
use ledger_engine::{Config, Ledger};

use super::key;
use crate::context::Context;
use crate::draft::public_key;
use crate::exit::{CliError, Exit};
use crate::output::note;
use crate::render::{self, Facts};
use crate::text;

/// What the genesis fixes for ever.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The data directory; files that are there are never overwritten
    pub dir: PathBuf,
    /// Origin of the checkpoints, unique in the world, such as ledger.example/main; not given, one is made up
    #[arg(long, value_name = "NAME")]
    pub origin: Option<String>,
    /// Name of the operators' party, at most 35 characters
    #[arg(long, value_name = "NAME", default_value = "operator")]
    pub operator_party: String,
    /// Key of an operator: NAME.pub, NAME.key or 64 hexadecimal digits; not given, operator.key is made
    #[arg(long = "operator-key", value_name = "KEY")]
    pub operator_keys: Vec<String>,
    /// How many operators sign what operators sign together
    #[arg(long, value_name = "COUNT", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=6))]
    pub threshold: u32,
    /// Currency of the ledger; not given, all that have decimals
    #[arg(long = "currency", value_name = "CODE")]
    pub currencies: Vec<String>,
    /// Most members of an atomic group
    #[arg(long, value_name = "COUNT", default_value_t = 1_000, value_parser = clap::value_parser!(u32).range(2..=1_000))]
    pub group_members: u32,
    /// Most members of a signed batch
    #[arg(long, value_name = "COUNT", default_value_t = 65_535, value_parser = clap::value_parser!(u32).range(1..=65_535))]
    pub batch_members: u32,
    /// Folder of the head file and its marker, on another disk if possible; not given, the data directory
    #[arg(long, value_name = "DIR")]
    pub head_path: Option<PathBuf>,
}

/// A ledger that was made.
pub struct Created {
    /// Leaf hash of entry 0.
    pub ledger_id: Hash,
    /// Verification key of its checkpoints.
    pub log_key: VerifierKey,
    /// What its entry 0 says.
    pub genesis: Genesis,
}

/// Makes a ledger and prints what it is.
pub fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let Created { ledger_id, log_key, genesis } = create(args)?;
    if genesis.operator_threshold == 1 {
        note("warning: one operator key alone registers and revokes keys (--threshold, --operator-key)");
    }
    let keys: Vec<String> = genesis.operators.iter().map(|operator| hex::encode(&operator.key)).collect();
    let facts: Facts = vec![
        ("ledger id", hex::encode(ledger_id)),
        ("origin", genesis.origin.clone()),
        ("log key", log_key.to_string()),
        ("operators", keys.join(" ")),
        ("operator threshold", genesis.operator_threshold.to_string()),
        ("currencies", genesis.currencies.len().to_string()),
        ("folder", args.dir.display().to_string()),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}

/// Makes keys, genesis and data directory. Nothing is written when a file is in the way or the genesis is none.
pub fn create(args: &Args) -> Result<Created, CliError> {
    let currencies = currency_table(&args.currencies)?;
    let given = args.operator_keys.iter().map(|key| public_key("--operator-key", key));
    let given = given.collect::<Result<BTreeSet<_>, CliError>>()?;
    if args.threshold as usize > given.len().max(1) {
        let expected = format!("at most the number of operator keys, {}", given.len().max(1));
        return Err(CliError::argument("--threshold", args.threshold, expected));
    }
    refuse_existing(&args.dir)?;
    let signer = SigningKey::generate()?;
    let origin = args.origin.clone().unwrap_or_else(|| made_up_origin(&signer.public_bytes()));
    let log_key = VerifierKey::new(&origin, &signer.public()).map_err(|error| {
        CliError::argument("--origin", &origin, format!("printable ASCII without space and '+' ({error})"))
    })?;
    let made = if given.is_empty() { Some(SigningKey::generate()?) } else { None };
    let operators = made.iter().map(SigningKey::public_bytes).chain(given);
    let operator = |key: KeyBytes| Operator { key: key.to_vec(), party: args.operator_party.clone() };
    let genesis = Genesis {
        origin,
        log_key: signer.public_bytes().to_vec(),
        operators: operators.map(operator).collect(),
        operator_threshold: args.threshold,
        currencies,
        rules_version: RULES_VERSION,
        limits: Some(Limits { group_members: args.group_members, batch_members: args.batch_members }),
        nonce: nonce()?,
        predecessor: Vec::new(),
    };
    let config = Config { head_path: args.head_path.clone(), ..Config::new(&args.dir) };
    let failed = |source| CliError::Create { folder: args.dir.clone(), source };
    genesis.check([0; 32]).map_err(|error| failed(Box::new(error)))?;

    fs::create_dir_all(&args.dir).map_err(CliError::io(&args.dir))?;
    keyfile::create(&args.dir.join("log.key"), &signer)?;
    create_file(&args.dir.join("log.vkey"), format!("{log_key}\n").as_bytes())?;
    if let Some(operator) = made {
        key::create(&args.dir.join("operator"), &operator)?;
    }
    let ledger_id = Ledger::create(&config, &genesis, &signer).map_err(|error| failed(Box::new(error)))?;
    let entry = genesis_entry(config, signer).map_err(failed)?;
    create_file(&args.dir.join("genesis"), &entry)?;
    create_file(&args.dir.join("ledger-id"), format!("{}\n", hex::encode(ledger_id)).as_bytes())?;
    Ok(Created { ledger_id, log_key, genesis })
}

/// Entry 0 as the new ledger holds it.
fn genesis_entry(
    config: Config,
    log_key: SigningKey,
) -> Result<Vec<u8>, Box<dyn std::error::Error + Send + Sync>> {
    let ledger = Ledger::open(config, log_key)?;
    let entry = ledger.view().entry(ledger_core::ids::LogIndex(0))?;
    ledger.close()?;
    Ok(entry)
}

/// Every name that `init` writes, before anything is written.
fn refuse_existing(dir: &Path) -> Result<(), CliError> {
    let names = [
        "log.key",
        "log.vkey",
        "ledger-id",
        "genesis",
        "operator.key",
        "operator.pub",
        "db",
        "head",
        "marker",
    ];
    for path in names.map(|name| dir.join(name)) {
        if path.exists() {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(CliError::Io { path, source });
        }
    }
    Ok(())
}

fn currency_table(given: &[String]) -> Result<Vec<Currency>, CliError> {
    let mut table: Vec<(CurrencyCode, u8)> = Vec::new();
    for code in given {
        let known = CurrencyCode::parse(code).and_then(|code| Some((code, text::decimals(code)?)));
        let wrong =
            || CliError::argument("--currency", code, "a code of ISO 4217 with decimals, such as USD");
        table.push(known.ok_or_else(wrong)?);
    }
    if table.is_empty() {
        table = currencies().collect();
    }
    table.sort_unstable();
    table.dedup();
    let currency = |(code, exponent): (CurrencyCode, u8)| Currency {
        code: code.to_string(),
        exponent: u32::from(exponent),
    };
    Ok(table.into_iter().map(currency).collect())
}

/// An origin that no other ledger has, for those who do not name theirs.
fn made_up_origin(log_key: &KeyBytes) -> String {
    format!("ledger.invalid/{}", hex::encode(&log_key[..8]))
}

fn nonce() -> Result<Vec<u8>, CliError> {
    let mut nonce = vec![0; 32];
    getrandom::fill(&mut nonce).map_err(IdError::Randomness)?;
    Ok(nonce)
}

fn create_file(path: &Path, bytes: &[u8]) -> Result<(), CliError> {
    let write = || {
        let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
        file.write_all(bytes)?;
        file.sync_all()
    };
    write().map_err(CliError::io(path))
}
