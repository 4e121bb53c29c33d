//! Export: the sealed log as a folder that anyone can check, written durably, the checkpoint last.

use std::io;
use std::path::{Path, PathBuf};

use ledger_core::export::{ExportError as FileError, files_of};
use ledger_core::ids::{BlockHeight, LogIndex};

use crate::head::{create_dirs_durably, write_durably};
use crate::ledger::Ledger;
use crate::log_read::ReadError;

/// Bytes of entries that are read at once.
const PAGE_BYTES: usize = 4 << 20;

/// Why an export stopped. What was written stays; the checkpoint is written last, so a folder with a checkpoint is
/// whole.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The log could not be read.
    #[error(transparent)]
    Read(#[from] FileError<ReadError>),
    /// A file could not be written.
    #[error("{path}: {error}")]
    Io {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
}

/// What was exported.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Exported {
    /// Number of entries.
    pub size: u64,
    /// Height of the last block.
    pub height: BlockHeight,
}

impl Ledger {
    /// Writes everything under the published checkpoint to `dir`. `progress` hears how many entries are done, of how
    /// many.
    pub fn export(&self, dir: &Path, mut progress: impl FnMut(u64, u64)) -> Result<Exported, ExportError> {
        let published = self.checkpoint();
        let mut page = Vec::new().into_iter();
        let mut next = 0;
        let entries = std::iter::from_fn(|| {
            if page.len() == 0 && next < published.size {
                match self.entries(LogIndex(next), usize::MAX, PAGE_BYTES) {
                    Ok(entries) => page = entries.into_iter(),
                    Err(error) => return Some(Err(error)),
                }
            }
            if next == published.size {
                return None;
            }
            next += 1;
            progress(next, published.size);
            page.next().map(Ok)
        });
        for file in files_of(entries, published.size, published.text.clone()) {
            let (name, bytes) = file?;
            let path = dir.join(name);
            let io = |error| ExportError::Io { path: path.clone(), error };
            if let Some(parent) = path.parent() {
                create_dirs_durably(parent).map_err(io)?;
            }
            write_durably(&path, &bytes).map_err(io)?;
        }
        Ok(Exported { size: published.size, height: published.height })
    }
}
