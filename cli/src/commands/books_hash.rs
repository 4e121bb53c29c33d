//! `ledger books-hash`: replay an export and print the hash of its books.

use std::fs;
use std::path::{Path, PathBuf};

use ledger_core::books::books_hash;
use ledger_core::entry::Entry;
use ledger_core::export::{CHECKPOINT_PATH, GENESIS_PATH, read_bundle};
use ledger_core::replay::{Halt, ReadEntry, Replay};
use ledger_crypto::Hash;
use ledger_merkle::tile::{entries_path, entry_bundles_of_size};
use serde_json::json;

use crate::context::Context;
use crate::exit::{CliError, Exit};
use crate::progress;

/// What to replay.
#[derive(Clone, Debug, clap::Args)]
pub struct Args {
    /// The export directory
    #[arg(value_name = "DIR")]
    pub export: PathBuf,
}

/// Replays with the rules of the ledger, signatures included. The checkpoint is not opened: `ledger-verify` does that.
pub fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    let folder = &args.export;
    let wrong = |words: String| CliError::Log { folder: folder.clone(), words };
    let genesis = read(&folder.join(GENESIS_PATH))?;
    let size = checkpoint_size(&folder.join(CHECKPOINT_PATH))?;
    let mut replay = Replay::new(Entry::leaf_hash(&genesis));
    let bar = progress::bar("entries").with_message("replay");
    bar.set_length(size);
    for (index, width) in entry_bundles_of_size(size) {
        let path = folder.join(entries_path(index, width));
        let bytes = read(&path)?;
        let entries =
            read_bundle(&bytes, width).map_err(|error| wrong(format!("{}: {error}", path.display())))?;
        for entry in entries {
            let entry = ReadEntry::read(entry, |_| None);
            replay.push(entry, None).map_err(|halt| match halt {
                Halt::Wrong(_) => wrong(halt.to_string()),
                Halt::Unknown(_) | Halt::View(_) => {
                    CliError::NotJudged { folder: folder.clone(), words: halt.to_string() }
                }
            })?;
        }
        bar.inc(u64::from(width));
    }
    bar.finish_and_clear();
    let state = replay.state().ok_or_else(|| wrong("no entries".to_owned()))?;
    let hash: Hash =
        books_hash(state.accounts().iter().map(AsRef::as_ref), state.payments().iter().map(AsRef::as_ref));
    let hash = hex::encode(hash);
    context.out.print(&hash, &json!({ "books_hash": hash, "size": size.to_string() }));
    Ok(Exit::Ok)
}

/// The second line of the checkpoint.
fn checkpoint_size(path: &Path) -> Result<u64, CliError> {
    let note = read(path)?;
    let line = note.split(|byte| *byte == b'\n').nth(1).unwrap_or_default();
    let size = std::str::from_utf8(line).ok().and_then(|line| line.parse().ok());
    let wrong = || CliError::argument("checkpoint", path.display(), "a size in its second line");
    size.ok_or_else(wrong)
}

fn read(path: &Path) -> Result<Vec<u8>, CliError> {
    fs::read(path).map_err(CliError::io(path))
}
