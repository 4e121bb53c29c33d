//! Changes of the log's key, followed from the one that the auditor pinned.

use std::path::{Path, PathBuf};

use ledger_core::rotation::next_key;
use ledger_crypto::note::VerifierKey;

use crate::receipt::{explain, read};
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
        earlier.push(std::mem::replace(&mut newest.key, key));
    }
    Ok(newest)
}

fn follow(file: &Path, newest: &Trust, earlier: &[VerifierKey]) -> Result<VerifierKey, Stop> {
    let name = file.display().to_string();
    let text = read(file, &name)?;
    next_key(&text, &newest.key, earlier, &newest.ledger_id).map_err(|error| explain(&error, newest, &name))
}
