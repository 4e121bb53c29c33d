//! Changes of the log's key, followed from the one that somebody pinned.

use ledger_crypto::note::{NoteError, VerifierKey};
use ledger_crypto::{Hash, KeyBytes, PublicKey};

use crate::checkpoint::CheckpointError;
use crate::entry::Content;
use crate::event::{Body, Event, LogKeyRotated};
use crate::receipt::{self, ReceiptError, VerifiedReceipt};

/// The key that follows `newest`, by the receipt of an accepted LogKeyRotated under a checkpoint of `newest` or of a key
/// `earlier` than it, the oldest first. The event is signed by `newest`, by the key that it names, and by someone else:
/// whether that is an operator only the whole log can say.
///
/// # Errors
/// [`ReceiptError`]: the receipt does not hold, or proves something else.
pub fn next_key(
    receipt: &str,
    newest: &VerifierKey,
    earlier: &[VerifierKey],
    ledger_id: &Hash,
) -> Result<VerifierKey, ReceiptError> {
    let mut judged = receipt::verify_text(receipt, newest, ledger_id);
    for key in earlier.iter().rev() {
        if !matches!(judged, Err(ReceiptError::Checkpoint(CheckpointError::Note(NoteError::Unsigned)))) {
            break;
        }
        judged = receipt::verify_text(receipt, key, ledger_id);
    }
    let receipt = judged?;
    let Some((event, rotation)) = rotation(&receipt) else {
        let name = receipt.event.as_ref().map_or("no event", |event| event.body.name());
        let found = format!("{name} with outcome {}", receipt.entry.outcome);
        return Err(wrong("entry", found, "an accepted LogKeyRotated of its own"));
    };
    check_signers(event, &rotation.new_key, newest.key.as_bytes())?;
    let had = |key: &VerifierKey| key.key.as_bytes().as_slice() == rotation.new_key;
    if had(newest) || earlier.iter().any(had) {
        let found = hex::encode(&rotation.new_key);
        return Err(wrong("new_key", found, "a key that the log did not have before"));
    }
    key_of(rotation, &newest.name).map_err(|found| wrong("new_key", found, "a key that may sign a log"))
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
fn check_signers(event: &Event, new: &[u8], old: &KeyBytes) -> Result<(), ReceiptError> {
    let signed = |key: &[u8]| event.signers.iter().any(|signer| signer == key);
    for key in [old, new] {
        if !signed(key) {
            return Err(wrong("signers", "others only", &hex::encode(key)));
        }
    }
    if event.signers.iter().all(|signer| signer == old || signer == new) {
        return Err(wrong("signers", "the log keys only", "an operator beside the log keys"));
    }
    Ok(())
}

fn key_of(rotation: &LogKeyRotated, origin: &str) -> Result<VerifierKey, String> {
    let bytes = KeyBytes::try_from(rotation.new_key.as_slice()).map_err(|error| error.to_string())?;
    let key = PublicKey::from_bytes(&bytes).map_err(|error| error.to_string())?;
    VerifierKey::new(origin, &key).map_err(|error| error.to_string())
}

fn wrong(field: &'static str, found: impl Into<String>, expected: &str) -> ReceiptError {
    ReceiptError::Field { field, found: found.into(), expected: expected.to_owned() }
}
