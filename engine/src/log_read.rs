//! Reading the sealed log: entries, tiles, receipts. Only what the published checkpoint covers, and every entry that
//! leaves is hashed again and compared with its hash tile.

use ledger_core::batch::Batch;
use ledger_core::entry::{Content, Entry};
use ledger_core::ids::LogIndex;
use ledger_core::receipt::{MemberReceipt, TlogProof};
use ledger_core::view::ViewError;
use ledger_crypto::{Hash, dsse};
use ledger_merkle::tile::{self, Nodes, encode_bundle};
use ledger_merkle::{build, leaf_hash};

use crate::ledger::Ledger;
use crate::store::{Store, StoreError};
use crate::view::View;

/// Why something could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// Beyond the end of the log.
    #[error("beyond the end of the log: the next log index is {head}")]
    OutOfRange {
        /// First log index that does not exist yet.
        head: LogIndex,
    },
    /// No published checkpoint covers it yet.
    #[error("not sealed yet: no published checkpoint covers it")]
    NotSealedYet,
    /// What is stored is not what was sealed.
    #[error("entry {log_index} is not what was sealed, or is missing")]
    DataLoss {
        /// The entry.
        log_index: LogIndex,
    },
    /// Sums that must agree do not.
    #[error("sums that must agree do not: {0}")]
    Disagrees(String),
    /// A malformed request, such as a tile of width 0.
    #[error("{field} is {value}: {limit}")]
    Invalid {
        /// Which parameter.
        field: &'static str,
        /// What was given.
        value: String,
        /// What is allowed.
        limit: String,
    },
    /// The store could not be read.
    #[error("the store could not be read: {0}")]
    Storage(String),
}

impl From<StoreError> for ReadError {
    fn from(error: StoreError) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<ViewError> for ReadError {
    fn from(error: ViewError) -> Self {
        Self::Storage(error.to_string())
    }
}

/// The stored tiles as nodes of proofs.
pub(crate) struct StoredTiles<'a>(pub(crate) &'a Store);

impl Nodes for StoredTiles<'_> {
    type Error = StoreError;

    fn tile(&self, level: u8, index: u64, _width: u16) -> Result<Vec<Hash>, StoreError> {
        self.0.tile(level, index)?.ok_or_else(|| StoreError::Missing(format!("tile {level}/{index}")))
    }
}

impl Ledger {
    /// Entries from `from` on, in order, at most `limit`, until `limit_bytes` are reached (the first always), below the
    /// published checkpoint.
    pub fn entries(
        &self,
        from: LogIndex,
        limit: usize,
        limit_bytes: usize,
    ) -> Result<Vec<Vec<u8>>, ReadError> {
        let size = LogIndex(self.checkpoint().size);
        if from >= size {
            return Err(ReadError::OutOfRange { head: size });
        }
        self.view().entries(from, size, limit, limit_bytes)
    }

    /// A hash tile of the tree under the published checkpoint: `width` hashes of 32 bytes.
    pub fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, ReadError> {
        check_width(width)?;
        let hashes = self.checkpoint().size.checked_shr(8 * u32::from(level)).unwrap_or(0);
        check_end(index, width, hashes)?;
        let tile = self.store().tile(level, index)?;
        let lost = || ReadError::DataLoss { log_index: LogIndex(index << 8) };
        let hashes = tile.ok_or_else(lost)?;
        hashes.get(..usize::from(width)).map(<[Hash]>::concat).ok_or_else(lost)
    }

    /// An entry bundle of the log under the published checkpoint, as in C2SP tlog-tiles.
    pub fn entry_bundle(&self, index: u64, width: u16) -> Result<Vec<u8>, ReadError> {
        check_width(width)?;
        check_end(index, width, self.checkpoint().size)?;
        let first = index << 8;
        let entries = self.view().entries(
            LogIndex(first),
            LogIndex(first + u64::from(width)),
            usize::MAX,
            usize::MAX,
        )?;
        encode_bundle(&entries).map_err(|error| ReadError::Storage(error.to_string()))
    }

    /// The receipt of an entry: a C2SP tlog-proof under the published checkpoint. That of a member of a batch costs a
    /// read of the whole batch.
    pub fn receipt(&self, log_index: LogIndex) -> Result<String, ReadError> {
        let published = self.checkpoint();
        let view = self.view();
        if log_index >= view.next_index() {
            return Err(ReadError::OutOfRange { head: view.next_index() });
        }
        if log_index.0 >= published.size {
            return Err(ReadError::NotSealedYet);
        }
        let entry = view.entry(log_index)?;
        let path = tile::inclusion_path(&StoredTiles(self.store()), log_index.0, published.size)
            .map_err(|error| ReadError::Storage(error.to_string()))?;
        let extra = match decoded(log_index, &entry)?.content {
            Content::BatchedEvent { position, .. } => member_extra(&view, log_index, &entry, position)?,
            _ => entry,
        };
        let checkpoint = published.text.clone();
        Ok(TlogProof { extra, index: log_index.0, path, checkpoint }.to_text())
    }
}

/// What the receipt of a member of a batch carries: it, the header, and its path to `events_root`. O(members).
fn member_extra(view: &View, log_index: LogIndex, entry: &[u8], position: u32) -> Result<Vec<u8>, ReadError> {
    let lost = || ReadError::DataLoss { log_index };
    let header_index = log_index.0.checked_sub(u64::from(position) + 1).ok_or_else(lost)?;
    let header = view.entry(LogIndex(header_index))?;
    let Content::BatchHeader { payload, .. } = decoded(LogIndex(header_index), &header)?.content else {
        return Err(lost());
    };
    let count = u64::from(Batch::decode(&payload).map_err(|_| lost())?.count);
    let (first, end) = (LogIndex(header_index + 1), LogIndex(header_index + 1 + count));
    let members = view.entries(first, end, usize::MAX, usize::MAX)?;
    let message_hash = |(index, member): (u64, &Vec<u8>)| match decoded(LogIndex(index), member)?.content {
        Content::BatchedEvent { payload_type, payload, .. } => {
            Ok(leaf_hash(&dsse::message(&payload_type, &payload)))
        }
        _ => Err(ReadError::DataLoss { log_index: LogIndex(index) }),
    };
    let leaves: Vec<Hash> =
        (header_index + 1..).zip(&members).map(message_hash).collect::<Result<_, ReadError>>()?;
    let path = build::inclusion_path(&leaves, position as usize).ok_or_else(lost)?;
    Ok(MemberReceipt::extra(entry, &header, &path))
}

fn decoded(log_index: LogIndex, entry: &[u8]) -> Result<Entry, ReadError> {
    Entry::decode(entry).map_err(|_| ReadError::DataLoss { log_index })
}

fn check_width(width: u16) -> Result<(), ReadError> {
    if (1..=256).contains(&width) {
        return Ok(());
    }
    Err(ReadError::Invalid { field: "width", value: width.to_string(), limit: "1 to 256".into() })
}

fn check_end(index: u64, width: u16, count: u64) -> Result<(), ReadError> {
    match index.checked_mul(256).and_then(|first| first.checked_add(u64::from(width))) {
        Some(end) if end <= count => Ok(()),
        _ => Err(ReadError::OutOfRange { head: LogIndex(count) }),
    }
}
