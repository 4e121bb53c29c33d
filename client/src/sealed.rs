//! Receipts: waiting until an entry is sealed, and checking the proof without the server.

use std::time::Duration;

use ledger_core::ids::EventId;
use ledger_core::receipt::{self, Receipt, VerifiedReceipt};

use crate::connection::Client;
use crate::error::ClientError;
use crate::identity::LogIdentity;
use crate::read::EntryRef;

/// A receipt that was checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealedReceipt {
    /// The `.tlog-proof` file.
    pub text: String,
    /// What it proves.
    pub verified: VerifiedReceipt,
}

/// Why there is no receipt.
#[derive(Debug, thiserror::Error)]
pub enum ReceiptError {
    /// The server gave none.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// What the server gave does not hold.
    #[error(transparent)]
    Invalid(#[from] receipt::ReceiptError),
    /// What the server gave is valid, but of another entry.
    #[error("the receipt is of entry {found}, not of {asked}")]
    OtherEntry {
        /// What was asked for.
        asked: String,
        /// Index of the entry that it proves.
        found: u64,
    },
}

impl Client {
    /// Waits until a signed checkpoint covers an entry, and checks the receipt against the pinned log: signature of
    /// the checkpoint, proof, and every signature of the event.
    ///
    /// # Errors
    /// [`ReceiptError`]; DEADLINE_EXCEEDED when it takes longer than `timeout`.
    pub async fn await_sealed(
        &self,
        log: &LogIdentity,
        entry: EntryRef,
        timeout: Duration,
    ) -> Result<SealedReceipt, ReceiptError> {
        let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        let response = self.sealed_proof(entry, millis).await?;
        let text = String::from_utf8(response.tlog_proof)
            .map_err(|_| ClientError::Malformed { field: "tlog_proof", found: "not text".to_owned() })?;
        let verified = Receipt::parse(&text)?.verify(log.key(), log.ledger_id())?;
        if !is_of(&verified, entry) {
            let asked = match entry {
                EntryRef::Index(index) => format!("entry {index}"),
                EntryRef::Event(id) => format!("event {id}"),
            };
            return Err(ReceiptError::OtherEntry { asked, found: verified.index });
        }
        Ok(SealedReceipt { text, verified })
    }
}

fn is_of(verified: &VerifiedReceipt, entry: EntryRef) -> bool {
    match entry {
        EntryRef::Index(index) => verified.index == index.0,
        EntryRef::Event(EventId(id)) => {
            verified.event.as_ref().is_some_and(|event| event.event_id == id.as_slice())
        }
    }
}
