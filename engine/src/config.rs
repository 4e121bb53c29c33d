//! Where a ledger lives and what bounds it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::clock::{Clock, SystemClock};

/// Configuration of an embedded ledger. [`Config::new`] has the defaults.
#[derive(Clone, Debug)]
pub struct Config {
    /// Data directory; holds `db/`, `lock`, and, unless `head_path` says otherwise, `head` and `marker`.
    pub dir: PathBuf,
    /// Folder of `head` and `marker`, possibly on another disk; never in backups.
    pub head_path: Option<PathBuf>,
    /// A block is cut when it holds this many entries.
    pub block_max_entries: u32,
    /// A block is cut when its first entry that is not a seal is this old.
    pub block_max_age: Duration,
    /// Least time between two checkpoints.
    pub checkpoint_interval: Duration,
    /// The tail is flushed when it holds this many entries.
    pub flush_max_entries: u64,
    /// The tail is flushed when it holds about this many bytes.
    pub flush_max_bytes: u64,
    /// A commit group takes whole units while their payloads stay below this; the first unit always.
    pub commit_max_bytes: usize,
    /// Requests beyond this many queued bytes are refused with OVERLOADED.
    pub queue_max_bytes: usize,
    /// Most bytes of one request.
    pub request_max_bytes: usize,
    /// Most bytes of one unit.
    pub unit_max_bytes: usize,
    /// Most rows of one page of a list.
    pub page_max: usize,
    /// Threads that decode and verify.
    pub workers: usize,
    /// Start although the head file is missing beside existing blocks.
    pub accept_head_loss: bool,
    /// Start although the clock is more than 7 days after the last entry.
    pub accept_clock: bool,
    /// Source of time.
    pub clock: Arc<dyn Clock>,
}

impl Config {
    /// The defaults, for a ledger in `dir`.
    pub fn new(dir: impl Into<PathBuf>) -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self {
            dir: dir.into(),
            head_path: None,
            block_max_entries: 10_000,
            block_max_age: Duration::from_secs(1),
            checkpoint_interval: Duration::from_secs(1),
            flush_max_entries: 100_000,
            flush_max_bytes: 128 << 20,
            commit_max_bytes: 4 << 20,
            queue_max_bytes: 64 << 20,
            request_max_bytes: 16 << 20,
            unit_max_bytes: 16 << 20,
            page_max: 1_000,
            workers: cores.saturating_sub(1).max(1),
            accept_head_loss: false,
            accept_clock: false,
            clock: Arc::new(SystemClock),
        }
    }

    pub(crate) fn db_dir(&self) -> PathBuf {
        self.dir.join("db")
    }

    pub(crate) fn head_dir(&self) -> PathBuf {
        self.head_path.clone().unwrap_or_else(|| self.dir.clone())
    }
}
