//! One entry, checked offline: its proof under a checkpoint of the log's key, its form, its signatures.

use std::fs;
use std::path::Path;

use ledger_core::entry::{Content, Entry};
use ledger_core::ids::LogIndex;
use ledger_core::receipt::{self, ReceiptError, VerifiedReceipt};
use ledger_core::replay::Finding;

use crate::checkpoint;
use crate::report::{Report, Stop};
use crate::trust::Trust;

/// Longest receipt that is read: an entry in base64, a path of 64 hashes and a checkpoint with a hundred lines.
const RECEIPT_BYTES: u64 = 2 << 20;

/// Checks the receipt in a file. What it proves: the log's key committed to this entry at this index, and each of its
/// signers signed it for this ledger. A seal after the first and an expiry name no ledger; the answer says so. Whether
/// a signer was registered then is for the archive or the key's certificate.
pub fn check_receipt(file: &Path, trust: &Trust) -> Report {
    let name = file.display().to_string();
    match judge(file, &name, trust) {
        Ok(receipt) => {
            let size = receipt.checkpoint.size;
            let what = describe(&receipt.entry);
            let words = format!("valid: {what} is entry {} of a log of {size} entries", receipt.index);
            if receipt.names_ledger() {
                Report::valid(size, None, words)
            } else {
                Report::valid_but(size, words, unnamed(receipt.index, what, trust))
            }
        }
        Err(stop) => Report::stopped(stop, None),
    }
}

/// What the receipt leaves open about the pinned ledger id.
fn unnamed(index: u64, what: &str, trust: &Trust) -> Finding {
    let expected = hex::encode(trust.ledger_id);
    let found = format!("{what}, which names no ledger");
    Finding {
        log_index: Some(LogIndex(index)),
        height: None,
        file: None,
        field: "ledger_id".to_owned(),
        words: format!("the ledger id was not checked: {found}; it rests on the log key"),
        expected,
        found,
    }
}

fn judge(file: &Path, name: &str, trust: &Trust) -> Result<VerifiedReceipt, Stop> {
    let text = read(file, name)?;
    receipt::verify_text(&text, &trust.key, &trust.ledger_id).map_err(|error| explain(&error, trust, name))
}

/// The text of a receipt, read with a bound.
pub(crate) fn read(file: &Path, name: &str) -> Result<String, Stop> {
    let unreadable = |error| Stop::unreadable(name, &error);
    let metadata = fs::metadata(file).map_err(unreadable)?;
    if !metadata.is_file() {
        return Err(Stop::wrong_file(name, "file", "a regular file", "something else"));
    }
    if metadata.len() > RECEIPT_BYTES {
        let expected = format!("at most {RECEIPT_BYTES} bytes");
        return Err(Stop::wrong_file(name, "length", expected, format!("{} bytes", metadata.len())));
    }
    let bytes = fs::read(file).map_err(unreadable)?;
    String::from_utf8(bytes).map_err(|error| Stop::wrong_file(name, "text", "UTF-8", error))
}

/// What is wrong with a receipt, as a finding.
pub(crate) fn explain(error: &ReceiptError, trust: &Trust, name: &str) -> Stop {
    let wrong = |field: &str, expected: &str| Stop::wrong_file(name, field, expected, error);
    match error {
        ReceiptError::Checkpoint(error) => checkpoint::explain(error, trust, name),
        ReceiptError::Field { field, found, expected } => Stop::wrong_file(name, field, expected, found),
        ReceiptError::Form { .. } => wrong("text", "a .tlog-proof file"),
        ReceiptError::Proof(_) => wrong("path", "a proof of this entry under the checkpoint"),
        ReceiptError::Entry(_) => wrong("entry", "the bytes of an entry"),
        ReceiptError::Payload(_) => wrong("payload", "a payload in canonical form"),
    }
}

/// An entry in words.
fn describe(entry: &Entry) -> &'static str {
    match entry.content {
        Content::Genesis { .. } => "the genesis",
        Content::Event { .. } | Content::BatchedEvent { .. } if entry.outcome == 0 => "an accepted event",
        Content::Event { .. } | Content::BatchedEvent { .. } => "a refused event",
        Content::Seal(_) => "a seal",
        Content::Expiry { .. } => "an expiry",
        Content::BatchHeader { .. } => "the header of a batch",
    }
}
