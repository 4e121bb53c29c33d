//! What the verifier says of an export, and of the same export with one byte changed.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use ledger_client::LogIdentity;
use ledger_merkle::tile::{WIDTH, entries_path};
use serde_json::Value;
use tokio::process::Command;

use super::server::Programs;
use crate::exit::{CliError, Exit};

/// The verifier's answer to an export that must be valid.
pub async fn verify(programs: &Programs, export: &Path, log: &LogIdentity) -> Result<Value, CliError> {
    let (exit, report) = run(programs, export, log).await?;
    if exit != Some(i32::from(Exit::Ok as u8)) || report["verdict"] != "valid" {
        return Err(CliError::Demo { step: "verify", words: format!("the export is not valid: {report}") });
    }
    Ok(report)
}

/// The verifier's answer to a copy with one byte of one entry changed: it must find that.
pub async fn verify_tampered(
    programs: &Programs,
    export: &Path,
    folder: &Path,
    log: &LogIdentity,
    size: u64,
) -> Result<Value, CliError> {
    let copy = tempfile::tempdir_in(folder).map_err(CliError::io(folder))?;
    link_tree(export, copy.path())?;
    let width = u64::from(WIDTH);
    let bundle = size / 2 / width;
    let of_bundle = (size - bundle * width).min(width);
    let path = copy.path().join(entries_path(bundle, u16::try_from(of_bundle).unwrap_or(WIDTH)));
    change_a_byte(&path)?;
    let (exit, report) = run(programs, copy.path(), log).await?;
    if exit != Some(i32::from(Exit::Verification as u8)) || report["verdict"] != "invalid" {
        let words = format!("one changed byte of {} was not found: {report}", path.display());
        return Err(CliError::Demo { step: "tamper", words });
    }
    Ok(report)
}

async fn run(
    programs: &Programs,
    export: &Path,
    log: &LogIdentity,
) -> Result<(Option<i32>, Value), CliError> {
    let mut command = Command::new(&programs.verify);
    command.arg("archive").arg(export).arg("--key").arg(log.key().to_string());
    command.arg("--ledger-id").arg(hex::encode(log.ledger_id())).arg("--json");
    let output = command.stdin(Stdio::null()).stderr(Stdio::inherit()).output().await;
    let output = output.map_err(CliError::io(&programs.verify))?;
    let report = serde_json::from_slice(&output.stdout).map_err(|error| CliError::Demo {
        step: "verify",
        words: format!("the verifier printed no JSON ({error})"),
    })?;
    Ok((output.status.code(), report))
}

/// A second folder over the same files.
fn link_tree(from: &Path, to: &Path) -> Result<(), CliError> {
    for entry in fs::read_dir(from).map_err(CliError::io(from))? {
        let entry = entry.map_err(CliError::io(from))?;
        let (source, target) = (entry.path(), to.join(entry.file_name()));
        if source.is_dir() {
            fs::create_dir(&target).map_err(CliError::io(&target))?;
            link_tree(&source, &target)?;
        } else {
            fs::hard_link(&source, &target).map_err(CliError::io(&target))?;
        }
    }
    Ok(())
}

/// Flips the lowest bit of the middle byte, in a file of its own: the original keeps its bytes.
fn change_a_byte(path: &Path) -> Result<(), CliError> {
    let mut bytes = fs::read(path).map_err(CliError::io(path))?;
    let middle = bytes.len() / 2;
    if let Some(byte) = bytes.get_mut(middle) {
        *byte ^= 1;
    }
    fs::remove_file(path).map_err(CliError::io(path))?;
    fs::write(path, bytes).map_err(CliError::io(path))
}
