//! Private data: read it, and wait until it is erased.

use ledger_core::entry::{Content, Entry};
use ledger_core::event::Event;
use ledger_core::ids::{EventId, LogIndex};
use ledger_core::sidecar::Sidecar;
use ledger_crypto::Hash;

use crate::erase::Erasing;
use crate::ledger::Ledger;
use crate::log_read::ReadError;
use crate::view::View;

/// The private data of an event.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Private {
    /// Where the event stands.
    pub log_index: LogIndex,
    /// What it commits to; `None`: it has no private data.
    pub commitment: Option<Hash>,
    /// What is here.
    pub kept: Kept,
}

/// What a ledger has of an event's private data.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Kept {
    /// All of it; it is what the event commits to.
    Here(Sidecar),
    /// Nothing: the event came without it, and a retry cannot bring it later.
    Never,
    /// Nothing any more, by order of the event at this log index.
    Erased(LogIndex),
}

impl View {
    /// The private data of an event, accepted or refused; `None` when there is no such event. Errors:
    /// [`ReadError::DataLoss`] when what is stored is not what the event commits to.
    pub fn private(&self, id: &EventId) -> Result<Option<Private>, ReadError> {
        let Some(known) = self.event(id)? else { return Ok(None) };
        let log_index = known.log_index;
        let lost = || ReadError::DataLoss { log_index };
        let entry = Entry::decode(&self.entry(log_index)?).map_err(|_| lost())?;
        let commitment = match entry.content {
            Content::Event { payload, .. } | Content::BatchedEvent { payload, .. } => {
                Event::decode_batched(&payload).map_err(|_| lost())?.metadata_commitment
            }
            _ => return Err(lost()),
        };
        let commitment = Hash::try_from(commitment).ok();
        // The data first: the order to erase it is durable before it goes.
        let here = self.store().private(log_index.0)?;
        let kept = match (self.store().erasure(log_index.0)?, here) {
            (Some(erasure), _) => Kept::Erased(LogIndex(erasure.by)),
            (None, Some(sidecar)) if Some(sidecar.commitment()) == commitment => Kept::Here(sidecar),
            (None, Some(_)) => return Err(lost()),
            (None, None) => Kept::Never,
        };
        Ok(Some(Private { log_index, commitment, kept }))
    }
}

impl Ledger {
    /// The end of the erasure of the private data of the event at `log_index`, ordered by an event that is accepted; at
    /// once when none is pending.
    pub fn erasing(&self, log_index: LogIndex) -> Erasing {
        self.shared().erasures.end_of(log_index.0)
    }
}
