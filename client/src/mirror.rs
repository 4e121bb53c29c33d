//! Mirroring a log: its entries over gRPC into an export directory that anybody can check offline.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use ledger_core::checkpoint::CheckpointError;
use ledger_core::entry::Entry;
use ledger_core::export::{self, CHECKPOINT_PATH, ExportError};
use ledger_core::ids::LogIndex;
use ledger_crypto::Hash;
use ledger_merkle::frontier::Frontier;
use ledger_merkle::tile::{TileId, WIDTH, entries_path};
use tokio::sync::mpsc;

use crate::connection::Client;
use crate::disk::Tree;
use crate::error::ClientError;
use crate::identity::{LogIdentity, SignedCheckpoint};
use crate::memory::{CheckpointMemory, MemoryError};

/// Pages of entries between fetching and writing.
const PAGES_AHEAD: usize = 4;

/// What a mirror holds now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mirrored {
    /// Its checkpoint.
    pub checkpoint: SignedCheckpoint,
    /// Entries that had to be fetched; the others were there from an earlier run.
    pub fetched: u64,
}

/// Why a mirror was not brought up to date. Its checkpoint, when it has one, is still that of the run before.
#[derive(Debug, thiserror::Error)]
pub enum MirrorError {
    /// The server did not answer.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// The server's checkpoint is not one of the pinned log.
    #[error(transparent)]
    Checkpoint(#[from] CheckpointError),
    /// The log has forked or shrunk, or the memory failed.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// A file could not be read or written.
    #[error("{}: {source}", path.display())]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The folder holds the export of another log.
    #[error("{}: the export in this folder is of another log: {source}", path.display())]
    OtherLog {
        /// The folder.
        path: PathBuf,
        /// What does not fit.
        source: CheckpointError,
    },
    /// Entry 0 is not the genesis of the pinned ledger.
    #[error("entry 0 belongs to ledger {found}, expected {expected}")]
    OtherLedger {
        /// Leaf hash of entry 0, hex.
        found: String,
        /// The pinned ledger id, hex.
        expected: String,
    },
    /// The entries do not have the root that a checkpoint signs.
    #[error("the first {size} entries have root {found}, the checkpoint in {holder} signs {expected}")]
    Root {
        /// Number of entries.
        size: u64,
        /// Root recomputed from them, hex.
        found: String,
        /// Signed root, hex.
        expected: String,
        /// Which checkpoint: `server`, `memory` or `folder`.
        holder: &'static str,
    },
    /// The entries do not make an export.
    #[error("export: {0}")]
    Export(String),
}

impl Client {
    /// Brings the export directory `folder` up to the newest checkpoint of the pinned log. Whole bundles of an earlier
    /// run are not fetched again, unless they have changed since. Everything is recomputed from the entries: the tiles
    /// are written, synced, and the root compared with the signed one before the checkpoint is written. `progress` gets
    /// (done, all) entries.
    ///
    /// # Errors
    /// [`MirrorError`].
    pub async fn mirror(
        &self,
        log: &LogIdentity,
        folder: &Path,
        memory: &CheckpointMemory,
        mut progress: impl FnMut(u64, u64),
    ) -> Result<Mirrored, MirrorError> {
        let checkpoint = log.open(&self.checkpoint().await?)?;
        let mut anchors = vec![("server", checkpoint.clone())];
        let remembered = memory.last(log)?;
        if let Some(old) = &remembered {
            memory.check_size(log, old, &checkpoint)?;
            anchors.push(("memory", old.clone()));
        }
        let mut sources = Sources { reuse: true, reused: 0, fetched: 0 };
        let mut outcome = self.fill(log, folder, &anchors, &mut sources, &mut progress).await;
        let rotten = matches!(outcome, Err(MirrorError::Root { .. } | MirrorError::OtherLedger { .. }));
        if rotten && sources.reused > 0 {
            // What was read from the folder may be at fault: only what the server gives now can tell.
            sources = Sources { reuse: false, reused: 0, fetched: 0 };
            outcome = self.fill(log, folder, &anchors, &mut sources, &mut progress).await;
        }
        outcome?;
        memory.remember(self, log, remembered.as_ref(), &checkpoint).await?;
        Ok(Mirrored { checkpoint, fetched: sources.fetched })
    }

    /// Writes all files of the first anchor's checkpoint.
    async fn fill(
        &self,
        log: &LogIdentity,
        folder: &Path,
        anchors: &[(&'static str, SignedCheckpoint)],
        sources: &mut Sources,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), MirrorError> {
        let (pages, written) = mpsc::channel(PAGES_AHEAD);
        let size = anchors.first().map_or(0, |(_, checkpoint)| checkpoint.size());
        let writer = Writer::open(log, folder, anchors.to_vec())?;
        let writing = tokio::task::spawn_blocking(move || writer.run(written));
        let sent = self.send_entries(folder, size, &pages, sources, progress).await;
        drop(pages);
        // What the writer found is the cause, a closed channel only its consequence.
        match writing.await {
            Ok(outcome) => outcome?,
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
        Ok(sent?)
    }

    /// Hands all entries to the writer, in order: from the folder where it has a whole bundle, else from the server.
    async fn send_entries(
        &self,
        folder: &Path,
        size: u64,
        pages: &mpsc::Sender<Vec<Vec<u8>>>,
        sources: &mut Sources,
        progress: &mut impl FnMut(u64, u64),
    ) -> Result<(), ClientError> {
        let page_limit = self.status().await?.limits.map_or(WIDTH.into(), |limits| limits.page);
        let mut next = 0;
        while next < size {
            progress(next, size);
            let present = if sources.reuse { bundle_of_folder(folder, next, size) } else { None };
            let page = match present {
                Some(entries) => {
                    sources.reused += entries.len() as u64;
                    entries
                }
                None => {
                    let limit = page_from(next, size, page_limit);
                    let entries = self.entries(LogIndex(next), limit).await?;
                    sources.fetched += entries.len() as u64;
                    entries
                }
            };
            next += page.len() as u64;
            if pages.send(page).await.is_err() {
                break;
            }
        }
        progress(next, size);
        Ok(())
    }
}

/// Where the entries of a run come from.
struct Sources {
    /// Whether bundles of the folder are taken at all.
    reuse: bool,
    /// Entries taken from the folder.
    reused: u64,
    /// Entries that the server gave.
    fetched: u64,
}

/// Entries to ask for at `next`: a page, cut where a bundle ends, so that the next one may come from the folder.
fn page_from(next: u64, size: u64, page_limit: u32) -> u32 {
    let end = (next + u64::from(page_limit)).min(size);
    let bundle_end = end - end % u64::from(WIDTH);
    let end = if end < size && bundle_end > next { bundle_end } else { end };
    u32::try_from(end - next).unwrap_or(page_limit)
}

/// The entries of a whole bundle that starts at `next`, when the folder has it and its hashes are those of the tile
/// beside it: one of the two may have rotted on the disk. They are checked like fetched ones.
fn bundle_of_folder(folder: &Path, next: u64, size: u64) -> Option<Vec<Vec<u8>>> {
    let width = u64::from(WIDTH);
    if !next.is_multiple_of(width) || size - next < width {
        return None;
    }
    let index = next / width;
    let bytes = fs::read(folder.join(entries_path(index, WIDTH))).ok()?;
    let entries = export::read_bundle(&bytes, WIDTH).ok()?;
    let tile = TileId { level: 0, index, width: WIDTH };
    let hashes = export::read_tile(&fs::read(folder.join(tile.path())).ok()?, WIDTH)?;
    let equal = hashes.iter().zip(&entries).all(|(hash, entry)| Entry::leaf_hash(entry) == *hash);
    equal.then(|| entries.into_iter().map(<[u8]>::to_vec).collect())
}

/// The blocking half: files from entries.
struct Writer {
    folder: PathBuf,
    tree: Tree,
    /// Held until the end: two runs into one folder would tear files.
    _lock: File,
    ledger_id: Hash,
    /// Checkpoints that the entries must agree with; the first is the one to be written.
    anchors: Vec<(&'static str, SignedCheckpoint)>,
    /// Size of the checkpoint that stood in the folder.
    previous_size: u64,
}

impl Writer {
    fn open(
        log: &LogIdentity,
        folder: &Path,
        mut anchors: Vec<(&'static str, SignedCheckpoint)>,
    ) -> Result<Self, MirrorError> {
        let io = |source| MirrorError::Io { path: folder.to_owned(), source };
        let tree = Tree::open(folder).map_err(io)?;
        let lock = File::open(folder).map_err(io)?;
        lock.try_lock().map_err(|error| io(error.into()))?;
        let previous = match fs::read_to_string(folder.join(CHECKPOINT_PATH)) {
            Ok(note) => Some(
                log.open_earlier(&note)
                    .map_err(|source| MirrorError::OtherLog { path: folder.to_owned(), source })?,
            ),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(io(error)),
        };
        let previous_size = previous.as_ref().map_or(0, SignedCheckpoint::size);
        if let Some(previous) = previous {
            let size = anchors[0].1.size();
            if previous.size() > size {
                return Err(MemoryError::Shrunk { size, remembered: previous.size() }.into());
            }
            anchors.push(("folder", previous));
        }
        let ledger_id = *log.ledger_id();
        Ok(Self { folder: folder.to_owned(), tree, _lock: lock, ledger_id, anchors, previous_size })
    }

    fn run(mut self, pages: mpsc::Receiver<Vec<Vec<u8>>>) -> Result<(), MirrorError> {
        let checkpoint = self.anchors[0].1.clone();
        let (size, note) = (checkpoint.size(), checkpoint.note().to_owned());
        let entries = Checked {
            pages,
            page: Vec::new().into_iter(),
            log: Frontier::new(),
            ledger_id: self.ledger_id,
            anchors: self.anchors.clone(),
        };
        for file in export::files_of(entries, size, note) {
            let (path, bytes) = file.map_err(|error| match error {
                ExportError::Source(error) => error,
                other => MirrorError::Export(other.to_string()),
            })?;
            let io = |source| MirrorError::Io { path: self.folder.join(&path), source };
            if path == CHECKPOINT_PATH {
                self.tree.sync().map_err(io)?;
            }
            self.tree.write(&path, &bytes).map_err(io)?;
        }
        self.tree.sync().map_err(|source| MirrorError::Io { path: self.folder.clone(), source })?;
        self.remove_outgrown(size);
        Ok(())
    }

    /// Removes the partial files of the run before that are whole or longer now. Nobody needs them any more, so one
    /// that cannot be removed is left.
    fn remove_outgrown(&self, size: u64) {
        let partial = |path: &String| path.contains(".p/");
        let needed: Vec<String> = export::paths_of_size(size).filter(partial).collect();
        for path in export::paths_of_size(self.previous_size).filter(partial) {
            if !needed.contains(&path) {
                let path = self.folder.join(path);
                let _ = fs::remove_file(&path);
                let _ = path.parent().map(fs::remove_dir);
            }
        }
    }
}

/// Entries that are counted into the log tree on their way; ends with an error where a checkpoint disagrees.
struct Checked {
    pages: mpsc::Receiver<Vec<Vec<u8>>>,
    page: std::vec::IntoIter<Vec<u8>>,
    log: Frontier,
    ledger_id: Hash,
    anchors: Vec<(&'static str, SignedCheckpoint)>,
}

impl Iterator for Checked {
    type Item = Result<Vec<u8>, MirrorError>;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(self.check(&entry).map(|()| entry));
            }
            self.page = self.pages.blocking_recv()?.into_iter();
        }
    }
}

impl Checked {
    fn check(&mut self, entry: &[u8]) -> Result<(), MirrorError> {
        let leaf_hash = Entry::leaf_hash(entry);
        if self.log.size() == 0 && leaf_hash != self.ledger_id {
            let (found, expected) = (hex::encode(leaf_hash), hex::encode(self.ledger_id));
            return Err(MirrorError::OtherLedger { found, expected });
        }
        self.log.append(leaf_hash);
        let size = self.log.size();
        for (holder, anchor) in self.anchors.iter().filter(|(_, anchor)| anchor.size() == size) {
            let root = self.log.root();
            if root != *anchor.root() {
                let (found, expected) = (hex::encode(root), hex::encode(anchor.root()));
                return Err(MirrorError::Root { size, found, expected, holder });
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_end_where_bundles_end_and_at_the_size() {
        let cases =
            [(0, 5, 1000, 5), (0, 5000, 1000, 768), (768, 5000, 1000, 1000 - 232), (0, 5000, 100, 100)];
        for (next, size, page_limit, expected) in cases {
            assert_eq!(page_from(next, size, page_limit), expected, "{next} {size} {page_limit}");
        }
        assert_eq!(page_from(200, 5000, 100), 56);
        assert_eq!(page_from(4900, 5000, 1000), 100);
    }
}
