//! Keys: registering, revoking, rotating that of the log.

use std::path::{Path, PathBuf};

use ledger_core::event::{Body, KeyRegistered, KeyRevoked, LogKeyRotated};
use ledger_core::number::Roles;
use ledger_crypto::{KeyBytes, PublicKey, SigningKey, keyfile};

use super::Draft;
use crate::exit::CliError;
use crate::text;

/// A key that may sign from now on. It signs its own registration, besides the operators.
#[derive(Clone, Debug, clap::Args)]
pub struct RegisterKey {
    /// The new key: NAME.key, NAME.pub or 64 hexadecimal digits
    pub new_key: String,
    /// Name of its party, at most 35 characters
    #[arg(long, value_name = "NAME")]
    pub party: String,
    /// initiator, processor, owner, operator, importer; several with ','
    #[arg(long, value_name = "ROLES", value_delimiter = ',', required = true)]
    pub roles: Vec<String>,
    /// Accounts that it covers: one, or those that begin with a prefix ending in ':'; not given, all
    #[arg(long, value_name = "PREFIX", default_value = "")]
    pub prefix: String,
}

impl RegisterKey {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let mut roles = Roles::default();
        for name in &self.roles {
            roles.0 |= role(name)?.0;
        }
        Ok(Draft::of_body(Body::KeyRegistered(KeyRegistered {
            key: public_key("new key", &self.new_key)?.to_vec(),
            party: self.party.clone(),
            roles: u32::from(roles.0),
            prefix: self.prefix.clone(),
        })))
    }

    /// The private half, when the new key is given as its file.
    pub fn private(&self) -> Result<Option<SigningKey>, CliError> {
        let path = Path::new(&self.new_key);
        if path.extension().is_some_and(|extension| extension == "key") {
            return Ok(Some(keyfile::load(path)?));
        }
        Ok(None)
    }
}

/// A key that may not sign any more.
#[derive(Clone, Debug, clap::Args)]
pub struct RevokeKey {
    /// The key: NAME.pub, NAME.key or 64 hexadecimal digits
    pub revoked_key: String,
    /// Why, at most 35 characters; public for ever
    #[arg(long, value_name = "TEXT", default_value = "")]
    pub reason: String,
}

impl RevokeKey {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let key = public_key("revoked key", &self.revoked_key)?.to_vec();
        Ok(Draft::of_body(Body::KeyRevoked(KeyRevoked { key, reason: self.reason.clone() })))
    }
}

/// A key that signs the log from now on, in place of another.
#[derive(Clone, Debug, clap::Args)]
pub struct RotateLogKey {
    /// The new log key: NAME.key
    pub new_log_key: PathBuf,
    /// The log key in force: NAME.key
    #[arg(long, value_name = "FILE")]
    pub old_log_key: PathBuf,
}

impl RotateLogKey {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let new_key = keyfile::load(&self.new_log_key)?.public_bytes().to_vec();
        Ok(Draft::of_body(Body::LogKeyRotated(LogKeyRotated { new_key })))
    }

    /// Both log keys: each signs the rotation.
    pub fn log_keys(&self) -> Result<[SigningKey; 2], CliError> {
        Ok([keyfile::load(&self.old_log_key)?, keyfile::load(&self.new_log_key)?])
    }
}

/// The same for several signers, each on a machine of its own: the operators, the log key in force and the new one. Name
/// all of them as signers.
#[derive(Clone, Debug, clap::Args)]
pub struct NewLogKey {
    /// The new log key: NAME.pub or 64 hexadecimal digits
    pub new_log_key: String,
}

impl NewLogKey {
    /// The event.
    pub fn draft(&self) -> Result<Draft, CliError> {
        let new_key = public_key("new log key", &self.new_log_key)?.to_vec();
        Ok(Draft::of_body(Body::LogKeyRotated(LogKeyRotated { new_key })))
    }
}

/// A public key given as 64 hexadecimal digits, or as a file NAME.pub or NAME.key.
pub fn public_key(name: &'static str, text: &str) -> Result<KeyBytes, CliError> {
    let path = PathBuf::from(text);
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("key") => Ok(keyfile::load(&path)?.public_bytes()),
        Some(_) => Ok(*keyfile::load_public(&path)?.as_bytes()),
        None => Ok(*PublicKey::from_bytes(&text::parse_hash(name, text)?)?.as_bytes()),
    }
}

fn role(name: &str) -> Result<Roles, CliError> {
    let all =
        [Roles::INITIATOR, Roles::PROCESSOR, Roles::OWNER, Roles::OPERATOR, Roles::IMPORTER, Roles::AUDITOR];
    let found = all.into_iter().find(|role| role.names() == name);
    found.ok_or_else(|| {
        CliError::argument("--roles", name, format!("some of {}", Roles::ALL.names().replace('+', ", ")))
    })
}
