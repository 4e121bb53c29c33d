//! The signed tree head, opened for the auditor's key.

use ledger_core::checkpoint::{Checkpoint, CheckpointError, SMALLEST_SIZE};

use crate::report::Stop;
use crate::trust::Trust;

/// Opens a checkpoint that stands in `file`.
pub(crate) fn open(note: &[u8], trust: &Trust, file: &str) -> Result<Checkpoint, Stop> {
    let note = std::str::from_utf8(note).map_err(|error| Stop::wrong_file(file, "text", "UTF-8", error))?;
    let checkpoint =
        Checkpoint::open(note, &trust.key, &trust.key.name).map_err(|error| explain(&error, trust, file))?;
    if checkpoint.size < SMALLEST_SIZE {
        let expected = format!("at least {SMALLEST_SIZE}: a genesis and its seal");
        return Err(Stop::wrong_file(file, "size", expected, checkpoint.size));
    }
    Ok(checkpoint)
}

/// What is wrong with a checkpoint, as a finding.
pub(crate) fn explain(error: &CheckpointError, trust: &Trust, file: &str) -> Stop {
    match error {
        CheckpointError::Note(error) => {
            let expected = format!("one valid line of {}", trust.key);
            Stop::wrong_file(file, "signature", expected, error)
        }
        CheckpointError::Text { field, found, expected } => Stop::wrong_file(file, field, expected, found),
    }
}
