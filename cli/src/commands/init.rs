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
use ledger_crypto::{KeyBytes, SigningKey, keyfile};
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

/// Makes keys, genesis and data directory.
pub fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let currencies = currency_table(&args.currencies)?;
    let given = args.operator_keys.iter().map(|key| public_key("--operator-key", key));
    let given = given.collect::<Result<Vec<_>, CliError>>()?;
    let operator_count = given.iter().collect::<BTreeSet<_>>().len().max(1);
    if args.threshold as usize > operator_count {
        let expected = format!("at most the number of operator keys, {operator_count}");
        return Err(CliError::argument("--threshold", args.threshold, expected));
    }
    refuse_existing(&args.dir)?;
    fs::create_dir_all(&args.dir).map_err(CliError::io(&args.dir))?;

    let log_key = SigningKey::generate()?;
    let origin = args.origin.clone().unwrap_or_else(|| made_up_origin(&log_key.public_bytes()));
    let vkey = VerifierKey::new(&origin, &log_key.public()).map_err(|error| {
        CliError::argument("--origin", &origin, format!("printable ASCII without space and '+' ({error})"))
    })?;
    keyfile::create(&args.dir.join("log.key"), &log_key)?;
    create_file(&args.dir.join("log.vkey"), format!("{vkey}\n").as_bytes())?;
    let operators = match given.is_empty() {
        false => given,
        true => {
            let operator = SigningKey::generate()?;
            key::create(&args.dir.join("operator"), &operator)?;
            vec![operator.public_bytes()]
        }
    };
    let limits = Limits { group_members: args.group_members, batch_members: args.batch_members };
    let genesis = Genesis {
        origin,
        log_key: log_key.public_bytes().to_vec(),
        operators: operator_table(operators, &args.operator_party),
        operator_threshold: args.threshold,
        currencies,
        rules_version: RULES_VERSION,
        limits: Some(limits),
        nonce: nonce()?,
        predecessor: Vec::new(),
    };
    let config = Config { head_path: args.head_path.clone(), ..Config::new(&args.dir) };
    let create = |source| CliError::Create { folder: args.dir.clone(), source };
    let ledger_id = Ledger::create(&config, &genesis, &log_key).map_err(|error| create(Box::new(error)))?;
    let entry = genesis_entry(config, log_key).map_err(create)?;
    create_file(&args.dir.join("genesis"), &entry)?;
    create_file(&args.dir.join("ledger-id"), format!("{}\n", hex::encode(ledger_id)).as_bytes())?;

    if genesis.operator_threshold == 1 {
        note("warning: one operator key alone registers and revokes keys (--threshold, --operator-key)");
    }
    let keys: Vec<String> = genesis.operators.iter().map(|operator| hex::encode(&operator.key)).collect();
    let facts: Facts = vec![
        ("ledger id", hex::encode(ledger_id)),
        ("origin", genesis.origin.clone()),
        ("log key", vkey.to_string()),
        ("operators", keys.join(" ")),
        ("operator threshold", genesis.operator_threshold.to_string()),
        ("currencies", genesis.currencies.len().to_string()),
        ("folder", args.dir.display().to_string()),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
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

fn operator_table(mut keys: Vec<KeyBytes>, party: &str) -> Vec<Operator> {
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter().map(|key| Operator { key: key.to_vec(), party: party.to_owned() }).collect()
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
