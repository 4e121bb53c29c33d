//! Changes of the log's key, followed from the one that the auditor pinned.

use std::path::{Path, PathBuf};

use ledger_core::checkpoint::CheckpointError;
use ledger_core::entry::Content;
use ledger_core::event::{Body, Event, LogKeyRotated};
use ledger_core::receipt::{self, ReceiptError, VerifiedReceipt};
use ledger_crypto::note::{NoteError, VerifierKey};
use ledger_crypto::{KeyBytes, PublicKey};

use crate::receipt::{describe, explain, read};
use crate::report::{Report, Stop};
use crate::trust::Trust;

/// Follows the log through changes of its key; the newest is trusted then. Each file is the receipt of an accepted
/// LogKeyRotated, in the order of the log, under a checkpoint of any key that is trusted by then. It is signed by the
/// newest of those, by the key that it names, and by someone else: whether that is an operator is for the archive.
///
/// # Errors
/// [`Report`] says what is wrong with a receipt.
pub fn follow_rotations(files: &[PathBuf], pinned: &Trust) -> Result<Trust, Box<Report>> {
    let mut newest = pinned.clone();
    let mut earlier = Vec::new();
    for file in files {
        let key = follow(file, &newest, &earlier).map_err(|stop| Box::new(Report::stopped(stop, None)))?;
        let next = Trust { key, ledger_id: pinned.ledger_id };
        earlier.push(std::mem::replace(&mut newest, next));
    }
    Ok(newest)
}

fn follow(file: &Path, newest: &Trust, earlier: &[Trust]) -> Result<VerifierKey, Stop> {
    let name = file.display().to_string();
    let text = read(file, &name)?;
    let judge = |trust: &Trust| receipt::verify_text(&text, &trust.key, &trust.ledger_id);
    let mut judged = judge(newest);
    for trust in earlier.iter().rev() {
        if !matches!(judged, Err(ReceiptError::Checkpoint(CheckpointError::Note(NoteError::Unsigned)))) {
            break;
        }
        judged = judge(trust);
    }
    let receipt = judged.map_err(|error| explain(&error, newest, &name))?;
    let Some((event, rotation)) = rotation(&receipt) else {
        let found = describe(&receipt.entry);
        return Err(Stop::wrong_file(&name, "entry", "an accepted LogKeyRotated of its own", found));
    };
    check_signers(event, &rotation.new_key, newest.key.key.as_bytes(), &name)?;
    let trusted = |trust: &Trust| trust.key.key.as_bytes().as_slice() == rotation.new_key;
    if trusted(newest) || earlier.iter().any(trusted) {
        let found = hex::encode(&rotation.new_key);
        return Err(Stop::wrong_file(&name, "new_key", "a key that the log did not have before", found));
    }
    next_key(rotation, &newest.key.name)
        .map_err(|found| Stop::wrong_file(&name, "new_key", "a key that may sign a log", found))
}

/// The accepted change of the key, which never stands in a batch.
fn rotation(receipt: &VerifiedReceipt) -> Option<(&Event, &LogKeyRotated)> {
    let event = receipt.event.as_ref()?;
    match (&receipt.entry.content, &event.body) {
        (Content::Event { .. }, Body::LogKeyRotated(rotation)) if receipt.entry.outcome == 0 => {
            Some((event, rotation))
        }
        _ => None,
    }
}

/// Old key, new key, and a third.
fn check_signers(event: &Event, new: &[u8], old: &KeyBytes, name: &str) -> Result<(), Stop> {
    let signed = |key: &[u8]| event.signers.iter().any(|signer| signer == key);
    for key in [old, new] {
        if !signed(key) {
            return Err(Stop::wrong_file(name, "signers", hex::encode(key), "others only"));
        }
    }
    if event.signers.iter().all(|signer| signer == old || signer == new) {
        return Err(Stop::wrong_file(
            name,
            "signers",
            "an operator beside the log keys",
            "the log keys only",
        ));
    }
    Ok(())
}

fn next_key(rotation: &LogKeyRotated, origin: &str) -> Result<VerifierKey, String> {
    let bytes = KeyBytes::try_from(rotation.new_key.as_slice()).map_err(|error| error.to_string())?;
    let key = PublicKey::from_bytes(&bytes).map_err(|error| error.to_string())?;
    VerifierKey::new(origin, &key).map_err(|error| error.to_string())
}
