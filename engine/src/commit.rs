//! A commit group: what one synced write makes durable, and who waits for it.

use ledger_core::sidecar::Sidecar;
use ledger_crypto::sha256;
use rocksdb::WriteBatch;
use tokio::sync::oneshot;

use crate::answer::{EventAnswer, Failure};
use crate::head::Durable;
use crate::rows::events::Bundles;
use crate::rows::sidecar::{self, Erasure, Stage};
use crate::rows::{blocks, events, tiles};
use crate::sealer::SealedCut;
use crate::store::{Store, StoreError, family};

/// Who waits for a group, and what to tell them.
pub(crate) type Reply = (oneshot::Sender<Result<Vec<EventAnswer>, Failure>>, Vec<EventAnswer>);

/// A commit group in the making.
#[derive(Default)]
pub(crate) struct Group {
    pub(crate) bundles: Bundles,
    pub(crate) entry_count: u64,
    pub(crate) entry_bytes: usize,
    /// Private data that came with entries, by their log index.
    pub(crate) private: Vec<(u64, Vec<u8>)>,
    /// Log indices of events whose private data is erased, each with that of the erasing event.
    pub(crate) erasures: Vec<(u64, u64)>,
    pub(crate) seals: Vec<SealedCut>,
    pub(crate) replies: Vec<Reply>,
}

/// A commit group that is on disk. Only a committed group has answers to send.
pub(crate) struct CommittedGroup {
    pub(crate) seals: Vec<SealedCut>,
    pub(crate) erasures: Vec<(u64, u64)>,
    pub(crate) entry_count: u64,
    replies: Vec<Reply>,
}

impl Group {
    pub(crate) fn push_entry(&mut self, log_index: u64, entry: &[u8]) {
        self.bundles.push(log_index, entry);
        self.entry_count += 1;
        self.entry_bytes += entry.len();
    }

    /// Adds the private data of the entry pushed last.
    pub(crate) fn push_private(&mut self, log_index: u64, sidecar: &Sidecar) {
        let value = sidecar::private_value(sidecar);
        self.entry_bytes += value.len();
        self.private.push((log_index, value));
    }

    /// Whether there is anything to write.
    pub(crate) fn has_rows(&self) -> bool {
        !self.bundles.is_empty() || !self.seals.is_empty()
    }

    /// Writes and syncs. On an error nothing more may be written through this handle: the outcome is unknown.
    pub(crate) fn commit(self, store: &Store) -> Result<CommittedGroup, (StoreError, Vec<Reply>)> {
        if self.has_rows() {
            let mut batch = WriteBatch::default();
            for (first, bundle) in &self.bundles.bundles {
                batch.put_cf(store.family(family::EVENTS), events::key(*first), bundle);
            }
            let private = store.family(family::SIDECAR);
            for (log_index, value) in &self.private {
                batch.put_cf(private, sidecar::private_key(*log_index), value);
            }
            for (log_index, by) in &self.erasures {
                let ordered = Erasure { stage: Stage::Pending, by: *by };
                batch.put_cf(private, sidecar::erasure_key(*log_index), sidecar::erasure_value(ordered));
            }
            for sealed in &self.seals {
                put_seal(&mut batch, store, sealed);
            }
            if let Err(error) = store.commit(batch) {
                return Err((error, self.replies));
            }
        }
        let Self { seals, erasures, entry_count, replies, .. } = self;
        Ok(CommittedGroup { seals, erasures, entry_count, replies })
    }

    /// What the marker says once this group is on disk; `None` when it appends no entry.
    pub(crate) fn durable(&self, next_index: u64) -> Option<Durable> {
        let (last_bundle, bytes) = self.bundles.bundles.last()?;
        Some(Durable { next_index, last_bundle: *last_bundle, bundle_hash: sha256(bytes) })
    }
}

impl CommittedGroup {
    /// Tells everybody who waits. A receiver that is gone does not want to know.
    pub(crate) fn answer(self) {
        for (reply, answers) in self.replies {
            let _ = reply.send(Ok(answers));
        }
    }
}

/// Adds the rows of a sealed block: its seal and the tiles that its entries changed.
pub(crate) fn put_seal(batch: &mut WriteBatch, store: &Store, sealed: &SealedCut) {
    let family_of_blocks = store.family(family::BLOCKS);
    let (height, log_index) = (sealed.block.seal.height.0, sealed.block.log_index.0);
    batch.put_cf(
        family_of_blocks,
        blocks::seal_key(height),
        blocks::seal_value(log_index, &sealed.block.entry),
    );
    batch.put_cf(family_of_blocks, blocks::height_key(log_index), height.to_be_bytes());
    for (level, index, hashes) in &sealed.tiles {
        batch.put_cf(store.family(family::MERKLE), tiles::key(*level, *index), tiles::value(hashes));
    }
}
