//! `ledger key`: make, show, register and revoke keys, change that of the log.

use std::path::{Path, PathBuf};

use ledger_crypto::{SigningKey, keyfile};

use crate::context::{Context, Signing};
use crate::draft::{RegisterKey, RevokeKey, RotateLogKey, public_key};
use crate::exit::{CliError, Exit};
use crate::render::{self, Facts};
use crate::submit::submit_draft;

/// Commands about keys.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// Make a key: NAME.key (PKCS#8 PEM, for its owner only) and NAME.pub (SPKI PEM)
    New {
        /// Path of the files without `.key` and `.pub`
        name: PathBuf,
    },
    /// The public key of a file, in hexadecimal digits
    Show {
        /// NAME.key or NAME.pub
        file: String,
    },
    /// Register a key: signed by the operators and by the key itself
    Register {
        #[command(flatten)]
        registration: RegisterKey,
        #[command(flatten)]
        signing: Signing,
    },
    /// Let another key sign the log: signed by the operators, the old log key and the new one, which the server must
    /// have at hand (`log.key.next`)
    RotateLog {
        #[command(flatten)]
        rotation: RotateLogKey,
        #[command(flatten)]
        signing: Signing,
    },
    /// Revoke a key
    Revoke {
        #[command(flatten)]
        revocation: RevokeKey,
        #[command(flatten)]
        signing: Signing,
    },
}

/// Runs one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match args {
        Args::New { name } => {
            let key = SigningKey::generate()?;
            let (private, public) = create(name, &key)?;
            let facts: Facts = vec![
                ("key", key.public().to_string()),
                ("private file", private.display().to_string()),
                ("public file", public.display().to_string()),
            ];
            context.out.print(render::facts_table(&facts), &render::object(&facts));
            Ok(Exit::Ok)
        }
        Args::Show { file } => {
            let key = hex::encode(public_key("file", file)?);
            context.out.print(&key, &serde_json::json!({ "key": key }));
            Ok(Exit::Ok)
        }
        Args::Register { registration, signing } => {
            let mut signers = signing.load()?;
            signers.keys.extend(registration.private()?);
            submit_draft(context, registration.draft()?, &signers, Facts::new()).await
        }
        Args::RotateLog { rotation, signing } => {
            let mut signers = signing.load()?;
            signers.keys.extend(rotation.log_keys()?);
            submit_draft(context, rotation.draft()?, &signers, Facts::new()).await
        }
        Args::Revoke { revocation, signing } => {
            submit_draft(context, revocation.draft()?, &signing.load()?, Facts::new()).await
        }
    }
}

/// Writes both files of a key; neither replaces one that is there.
pub fn create(name: &Path, key: &SigningKey) -> Result<(PathBuf, PathBuf), CliError> {
    let file = |ending: &str| {
        let mut path = name.as_os_str().to_owned();
        path.push(ending);
        PathBuf::from(path)
    };
    let (private, public) = (file(".key"), file(".pub"));
    if public.exists() {
        let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
        return Err(CliError::Io { path: public, source });
    }
    keyfile::create(&private, key)?;
    keyfile::create_public(&public, &key.public())?;
    Ok((private, public))
}
