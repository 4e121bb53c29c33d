//! Registering and revoking keys.

use std::sync::Arc;

use ledger_crypto::KeyBytes;

use super::{At, Effects, NotAdmitted, Stop};
use crate::code::{Code, Refusal};
use crate::event::{KeyRegistered, KeyRevoked, LogKeyRotated};
use crate::genesis::Operator;
use crate::ids::{KeyIndex, LogIndex};
use crate::number::{KeyStatus, Roles};
use crate::record::KeyRecord;
use crate::seal::Params;
use crate::view::StateView;

/// The record of an operator that the genesis names.
pub(super) fn of_genesis(operator: &Operator) -> KeyRecord {
    KeyRecord {
        status: KeyStatus::Active,
        roles: Roles::OPERATOR,
        key: KeyBytes::try_from(operator.key.as_slice()).unwrap_or_default(),
        registered_index: LogIndex(0),
        revoked_index: None,
        party: Arc::from(operator.party.as_str()),
        prefix: Arc::from(""),
    }
}

pub(super) fn register(view: &impl StateView, body: &KeyRegistered, at: At) -> Result<Effects, Stop> {
    let key = key_bytes(&body.key)?;
    let roles = u16::try_from(body.roles).map(Roles).map_err(|_| NotAdmitted("roles"))?;

    check_new(view, "key", &key)?;

    let record = KeyRecord {
        status: KeyStatus::Active,
        roles,
        key,
        registered_index: at.log_index,
        revoked_index: None,
        party: Arc::from(body.party.as_str()),
        prefix: Arc::from(body.prefix.as_str()),
    };
    let index = KeyIndex(view.key_count());
    Ok(Effects { keys: vec![(index, Arc::new(record))], ..Effects::default() })
}

pub(super) fn revoke(view: &impl StateView, body: &KeyRevoked, at: At) -> Result<Effects, Stop> {
    let key = key_bytes(&body.key)?;

    let Some(index) = view.key_index(&key)? else {
        return Err(Refusal::of(Code::KeyNotFound, "key", hex::encode(key), "").into());
    };
    let before = view.key(index)?;
    if let Some(revoked_index) = before.revoked_index {
        let limit = format!("revoked at log index {revoked_index}");
        return Err(Refusal::of(Code::KeyAlreadyRevoked, "key", hex::encode(key), limit).into());
    }
    let threshold = u64::from(view.constants().operator_threshold);
    if before.is_full_operator() && view.operator_count() <= threshold {
        let limit = format!("{threshold} operator keys");
        return Err(Refusal::of(Code::OperatorsTooFew, "key", hex::encode(key), limit).into());
    }

    let record = KeyRecord {
        status: KeyStatus::Revoked,
        revoked_index: Some(at.log_index),
        ..KeyRecord::clone(&before)
    };
    Ok(Effects { keys: vec![(index, Arc::new(record))], ..Effects::default() })
}

/// Event 20: from the seal of its block on, checkpoints are signed by another key.
pub(super) fn rotate_log(view: &impl StateView, body: &LogKeyRotated) -> Result<Effects, Stop> {
    let log_key = key_bytes(&body.new_key)?;
    check_new(view, "new_key", &log_key)?;
    let params = Params { log_key, ..view.params().clone() };
    Ok(Effects { params: Some(params), ..Effects::default() })
}

/// KEY_ALREADY_REGISTERED: ever registered, or ever a log key.
fn check_new(view: &impl StateView, field: &str, key: &KeyBytes) -> Result<(), Stop> {
    let limit = if let Some(index) = view.key_index(key)? {
        format!("registered at log index {}", view.key(index)?.registered_index)
    } else if let Some(since) = view.log_key_since(key)? {
        format!("the log key since log index {since}")
    } else {
        return Ok(());
    };
    Err(Refusal::of(Code::KeyAlreadyRegistered, field, hex::encode(key), limit).into())
}

fn key_bytes(bytes: &[u8]) -> Result<KeyBytes, NotAdmitted> {
    KeyBytes::try_from(bytes).map_err(|_| NotAdmitted("key"))
}
