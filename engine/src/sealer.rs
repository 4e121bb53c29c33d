//! The sealer thread: seals what was cut, signs checkpoints of what is durable, flushes what is sealed.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant, SystemTime};

use ledger_core::checkpoint::Checkpoint;
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::seal::{SealChain, SealedBlock};
use ledger_crypto::{Hash, SigningKey};
use ledger_merkle::tile::{Nodes, TileWriter, inclusion_path};
use ledger_merkle::verify;

use crate::answer::Failure;
use crate::base::Base;
use crate::block::Cut;
use crate::flush;
use crate::head::{SwapError, swap_head};
use crate::ledger::{Health, Shared};
use crate::store::{Store, StoreError};
use crate::writer::Inbox;

/// What reaches the sealer.
pub(crate) enum ToSealer {
    /// A block was cut, and its entries are durable.
    Cut(Box<Cut>),
    /// The seal of this height is durable and published.
    Durable(BlockHeight),
    /// Sign the newest seal and end.
    Close(Sender<()>),
}

/// A sealed block and the tiles that its entries and its seal changed, to be stored.
pub(crate) struct SealedCut {
    pub(crate) block: SealedBlock,
    pub(crate) tiles: Vec<(u8, u64, Vec<Hash>)>,
}

/// A checkpoint that is in the head file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Published {
    /// The signed note.
    pub text: String,
    /// Number of entries.
    pub size: u64,
    /// Root of the log tree of that size.
    pub root: Hash,
    /// Height of the seal that is its last entry.
    pub height: BlockHeight,
}

/// The sealer's own state.
pub(crate) struct Sealer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) seals: SealState,
    pub(crate) inbox: Receiver<ToSealer>,
    /// Size and root of sealed blocks whose checkpoint is not signed yet.
    pub(crate) unsigned: BTreeMap<BlockHeight, (u64, Hash)>,
    pub(crate) durable: BlockHeight,
    pub(crate) signed_at: Option<Instant>,
    /// First log index that no flush of this thread has written.
    pub(crate) flushed: LogIndex,
}

/// The trees, moved forward a block at a time.
pub(crate) struct SealState {
    chain: SealChain,
    tiles: TileWriter,
    /// Tiles of blocks that are sealed and not known to be stored: the store has older ones, or none.
    unstored: HashMap<(u8, u64), (BlockHeight, Vec<Hash>)>,
}

/// Why the sealer ended before it was asked to.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SealError {
    #[error("block {height}: {words}")]
    Wrong { height: BlockHeight, words: String },
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("checkpoint: {0}")]
    Checkpoint(String),
    #[error("head file: {0}")]
    Head(SwapError),
}

impl SealState {
    /// Goes on from trees whose tiles are all stored.
    pub(crate) fn new(chain: SealChain, tiles: TileWriter) -> Self {
        Self { chain, tiles, unstored: HashMap::new() }
    }

    /// The blocks up to this height are stored.
    pub(crate) fn take_stored(&mut self, height: BlockHeight) {
        self.unstored.retain(|_, (sealed, _)| *sealed > height);
    }

    /// Computes the seal of the next block, and proves the seal's own entry under the new root as a check of trees and
    /// tiles against each other.
    pub(crate) fn seal(&mut self, store: &Store, cut: Cut) -> Result<SealedCut, SealError> {
        for leaf in &cut.input.leaf_hashes {
            self.tiles.append(*leaf);
        }
        let block = self.chain.seal(cut.input);
        let height = block.seal.height;
        let wrong = |words: String| SealError::Wrong { height, words };
        if block.log_index != cut.log_index || height != cut.height {
            return Err(wrong(format!(
                "its seal came out at {} and not at {}",
                block.log_index, cut.log_index
            )));
        }
        self.tiles.append(block.leaf_hash);
        let tiles = self.tiles.take_changed();
        for (level, index, hashes) in &tiles {
            self.unstored.insert((*level, *index), (height, hashes.clone()));
        }
        let nodes = FreshTiles { unstored: &self.unstored, store };
        let (index, size) = (block.log_index.0, block.log_index.0 + 1);
        let path = inclusion_path(&nodes, index, size).map_err(|error| wrong(error.to_string()))?;
        verify::inclusion(&block.entry, index, size, &path, &block.checkpoint_root)
            .map_err(|error| wrong(format!("the seal is not proved by the tiles: {error}")))?;
        Ok(SealedCut { block, tiles })
    }
}

/// Tiles of blocks that are not stored yet, over the stored ones.
struct FreshTiles<'a> {
    unstored: &'a HashMap<(u8, u64), (BlockHeight, Vec<Hash>)>,
    store: &'a Store,
}

impl Nodes for FreshTiles<'_> {
    type Error = StoreError;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, StoreError> {
        match self.unstored.get(&(level, index)) {
            Some((_, hashes)) => Ok(hashes.clone()),
            None => {
                let missing = || StoreError::Missing(format!("tile {level}/{index}"));
                self.store.tile(level, index)?.ok_or_else(missing)
            }
        }
    }
}

impl Sealer {
    /// Runs until it is closed, the writer is gone, or something is wrong.
    pub(crate) fn run(mut self) {
        if let Err(error) = self.run_to_end() {
            tracing::error!(%error, "the sealer has stopped");
            self.shared.stop(match error {
                SealError::Store(StoreError::RocksDb(_) | StoreError::Broken)
                | SealError::Head(SwapError::Io(_)) => Failure::StorageUnavailable,
                error => Failure::InvariantBroken(error.to_string()),
            });
        }
    }

    fn run_to_end(&mut self) -> Result<(), SealError> {
        self.flush_sealed()?;
        loop {
            let message = self.inbox.recv_timeout(self.until_checkpoint());
            if self.is_stopped() {
                return Ok(());
            }
            match message {
                Ok(ToSealer::Cut(cut)) => self.seal(*cut)?,
                Ok(ToSealer::Durable(height)) => {
                    self.durable = height;
                    self.seals.take_stored(height);
                    self.sign_when_due()?;
                    self.flush_sealed()?;
                }
                Ok(ToSealer::Close(done)) => {
                    self.sign_newest()?;
                    // The writer may have gone already.
                    let _ = done.send(());
                    return Ok(());
                }
                Err(RecvTimeoutError::Timeout) => self.sign_when_due()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    fn is_stopped(&self) -> bool {
        matches!(&*self.shared.health.borrow(), Health::Stopped(_))
    }

    fn seal(&mut self, cut: Cut) -> Result<(), SealError> {
        let started = Instant::now();
        let sealed = self.seals.seal(&self.shared.store, cut)?;
        let (block, size) = (&sealed.block, sealed.block.log_index.0 + 1);
        self.unsigned.insert(block.seal.height, (size, block.checkpoint_root));
        self.shared.metrics.seal_duration_seconds.observe(started.elapsed().as_secs_f64());
        // A writer that is gone has reported why.
        let _ = self.shared.inbox.send(Inbox::Sealed(Box::new(sealed)));
        Ok(())
    }

    fn until_checkpoint(&self) -> Duration {
        let interval = self.shared.config.checkpoint_interval;
        let waiting = self.unsigned.first_key_value().is_some_and(|(height, _)| *height <= self.durable);
        let passed = self.signed_at.map_or(interval, |signed_at| signed_at.elapsed());
        if waiting { interval.saturating_sub(passed) } else { Duration::from_secs(3_600) }
    }

    fn sign_when_due(&mut self) -> Result<(), SealError> {
        let interval = self.shared.config.checkpoint_interval;
        if self.signed_at.is_none_or(|signed_at| signed_at.elapsed() >= interval) {
            self.sign_newest()?;
        }
        Ok(())
    }

    /// Signs the newest durable seal, swaps the head file, publishes: in this order.
    pub(crate) fn sign_newest(&mut self) -> Result<(), SealError> {
        let Some((height, (size, root))) = self.unsigned.range(..=self.durable).next_back() else {
            return Ok(());
        };
        let (height, size, root) = (*height, *size, *root);
        let before = Arc::clone(&self.shared.published.borrow());
        let Some(signers) = self.signers(size)? else {
            // The next seal names a key that is at hand.
            self.unsigned.retain(|unsigned, _| *unsigned > height);
            return Ok(());
        };
        let published = sign(&self.shared.origin, &signers, height, size, root)?;
        let expected = (before.size > 0).then_some(before.text.as_str());
        let head_dir = self.shared.config.head_dir();
        self.shared
            .store
            .step(|| swap_head(&head_dir, expected, &published.text).map_err(SealError::Head))?;
        self.shared.published.send_replace(Arc::new(published));
        self.unsigned.retain(|unsigned, _| *unsigned > height);
        self.signed_at = Some(Instant::now());
        let metrics = &self.shared.metrics;
        metrics.checkpoints.inc();
        metrics.tell_checkpoint(size, SystemTime::now(), &self.shared.config.db_dir());
        Ok(())
    }

    /// The keys of a checkpoint; `None` when its seal names one that is not at hand any more, but has been replaced
    /// since: the next seal is signed.
    fn signers(&self, size: u64) -> Result<Option<Vec<SigningKey>>, SealError> {
        let view = self.shared.view.load_full();
        let tail = view.tail();
        match self.shared.log_keys.signers(&tail.log_keys()?, size, tail.last_nanos()) {
            Ok(signers) => Ok(Some(signers)),
            Err(missing) if missing != view.params().log_key => Ok(None),
            Err(missing) => {
                Err(SealError::Checkpoint(format!("the log key {} is not at hand", hex::encode(missing))))
            }
        }
    }

    /// Flushes every frozen generation whose last seal is durable.
    fn flush_sealed(&mut self) -> Result<(), SealError> {
        let view = self.shared.view.load_full();
        for frozen in view.tail().frozen() {
            // After a failed write nothing more is written.
            if frozen.watermark.height > self.durable || self.is_stopped() {
                break;
            }
            // Flushed already; the writer has yet to hear of it.
            if frozen.watermark.next_index <= self.flushed {
                continue;
            }
            let started = Instant::now();
            flush::write_indices(&self.shared.store, frozen)?;
            if self.is_stopped() {
                break;
            }
            flush::write_state(&self.shared.store, frozen)?;
            self.flushed = frozen.watermark.next_index;
            let base = Base::new(&self.shared.store, frozen.watermark.clone());
            self.shared.metrics.flush_duration_seconds.observe(started.elapsed().as_secs_f64());
            let _ = self.shared.inbox.send(Inbox::Flushed(base));
        }
        Ok(())
    }
}

/// Signs a checkpoint, a line for each key in order.
pub(crate) fn sign(
    origin: &str,
    signers: &[SigningKey],
    height: BlockHeight,
    size: u64,
    root: Hash,
) -> Result<Published, SealError> {
    let checkpoint = Checkpoint { origin: origin.to_owned(), size, root };
    let text = checkpoint.sign_by(signers).map_err(|error| SealError::Checkpoint(error.to_string()))?;
    Ok(Published { text, size, root, height })
}
