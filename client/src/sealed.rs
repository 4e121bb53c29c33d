//! Receipts: waiting until an entry is sealed, and checking the proof without the server.

use std::time::Duration;

use ledger_core::code::Refusal;
use ledger_core::entry::Content;
use ledger_core::event::Event;
use ledger_core::ids::EventId;
use ledger_core::receipt::{self, VerifiedReceipt};
use ledger_core::unit::Submitted;

use crate::connection::Client;
use crate::error::ClientError;
use crate::identity::{LogIdentity, SignedCheckpoint};
use crate::memory::{CheckpointMemory, MemoryError};
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
    /// Its checkpoint is not of one log with the remembered one, or the memory failed.
    #[error(transparent)]
    Memory(#[from] MemoryError),
    /// What was submitted is no event.
    #[error(transparent)]
    Event(#[from] Refusal),
    /// What was submitted has no event id of 16 bytes.
    #[error("the event has no id of 16 bytes")]
    NoEvent,
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
    /// the checkpoint, proof, and every signature of the event or of the batch that it is a member of. The checkpoint
    /// must be of one log with the remembered one, which it replaces when it is newer: a receipt under a fork is no
    /// proof. Asked for by its event's id, it is *an* entry with this id: what the event says and who signed it is in
    /// the answer. Whoever has the event asks for that ([`Client::await_sealed_event`]).
    ///
    /// # Errors
    /// [`ReceiptError`]; DEADLINE_EXCEEDED when it takes longer than `timeout`.
    pub async fn await_sealed(
        &self,
        log: &LogIdentity,
        memory: &CheckpointMemory,
        entry: EntryRef,
        timeout: Duration,
    ) -> Result<SealedReceipt, ReceiptError> {
        let millis = u32::try_from(timeout.as_millis()).unwrap_or(u32::MAX);
        let response = self.sealed_proof(entry, millis).await?;
        let text = String::from_utf8(response.tlog_proof)
            .map_err(|_| ClientError::Malformed { field: "tlog_proof", found: "not text".to_owned() })?;
        let (receipt, checkpoint) = checked(log, text)?;
        if !is_of(&receipt.verified, entry) {
            let asked = match entry {
                EntryRef::Index(index) => format!("entry {index}"),
                EntryRef::Event(id) => format!("event {id}"),
            };
            return Err(ReceiptError::OtherEntry { asked, found: receipt.verified.index });
        }
        memory.take(self, log, &checkpoint).await?;
        Ok(receipt)
    }

    /// The same for an event that was submitted: the receipt must hold its payload, byte for byte.
    ///
    /// # Errors
    /// [`ReceiptError`], as of [`Client::await_sealed`]; [`ReceiptError::NoEvent`].
    pub async fn await_sealed_event(
        &self,
        log: &LogIdentity,
        memory: &CheckpointMemory,
        submitted: &Submitted,
        timeout: Duration,
    ) -> Result<SealedReceipt, ReceiptError> {
        let event = Event::decode_batched(&submitted.payload)?;
        let id = EventId(event.event_id.as_slice().try_into().map_err(|_| ReceiptError::NoEvent)?);
        let receipt = self.await_sealed(log, memory, EntryRef::Event(id), timeout).await?;
        holds(receipt, id, submitted)
    }
}

fn checked(log: &LogIdentity, text: String) -> Result<(SealedReceipt, SignedCheckpoint), ReceiptError> {
    let verified = receipt::verify_text(&text, log.key(), log.ledger_id())?;
    let checkpoint = receipt::TlogProof::parse(&text)?.checkpoint;
    let checkpoint = log.open(&checkpoint).map_err(receipt::ReceiptError::from)?;
    Ok((SealedReceipt { text, verified }, checkpoint))
}

/// The receipt, when it is of this event and not only of one with the same id.
fn holds(receipt: SealedReceipt, id: EventId, submitted: &Submitted) -> Result<SealedReceipt, ReceiptError> {
    match &receipt.verified.entry.content {
        Content::Event { payload_type, payload, .. }
        | Content::BatchedEvent { payload_type, payload, .. }
            if *payload_type == submitted.payload_type && *payload == submitted.payload =>
        {
            Ok(receipt)
        }
        _ => {
            let asked = format!("event {id} with the payload that was submitted");
            Err(ReceiptError::OtherEntry { asked, found: receipt.verified.index })
        }
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

#[cfg(test)]
mod tests {
    use ledger_core::checkpoint::Checkpoint;
    use ledger_core::entry::{Entry, EntrySignature};
    use ledger_core::event::{Body, PaymentVoided};
    use ledger_crypto::SigningKey;
    use ledger_crypto::note::VerifierKey;
    use ledger_merkle::frontier::Frontier;

    use super::*;
    use crate::builder::EventBuilder;

    const LEDGER: [u8; 32] = [7; 32];

    fn event(reason: &str, signer: u8) -> Submitted {
        let body = Body::PaymentVoided(PaymentVoided { reason: reason.to_owned() });
        let event = EventBuilder::with_id(&LEDGER, EventId([3; 16]), 5, body);
        event.sign(&[&SigningKey::from_seed([signer; 32])])
    }

    /// A receipt of entry 2 of 4, between two seals, signed by the log's own key.
    fn receipt(event: &Submitted) -> SealedReceipt {
        let signature = |(key, signature): &(Vec<u8>, Vec<u8>)| EntrySignature {
            key: key.as_slice().try_into().unwrap(),
            signature: signature.as_slice().try_into().unwrap(),
        };
        let content = Content::Event {
            signatures: event.signatures.iter().map(signature).collect(),
            payload_type: event.payload_type.clone(),
            payload: event.payload.clone(),
        };
        let entry =
            Entry { recorded_at_nanos: 9, outcome: 0, group_len: 1, group_index: 0, content }.encode();
        let mut tree = Frontier::new();
        for leaf in [[1; 32], [2; 32], Entry::leaf_hash(&entry), [4; 32]] {
            tree.append(leaf);
        }
        let path = vec![[4; 32], ledger_merkle::node_hash(&[1; 32], &[2; 32])];
        let key = SigningKey::from_seed([9; 32]);
        let origin = "test.example/log".to_owned();
        let log = LogIdentity::new(VerifierKey::new(&origin, &key.public()).unwrap(), LEDGER);
        let checkpoint = Checkpoint { origin, size: 4, root: tree.root() }.sign(&key).unwrap();
        let text = receipt::Receipt { index: 2, entry, path, checkpoint }.to_text();
        checked(&log, text).unwrap().0
    }

    #[test]
    fn another_event_with_the_same_id_is_another_entry() {
        let (submitted, forged) = (event("mine", 1), event("forged", 2));
        let id = EventId([3; 16]);
        let forged = receipt(&forged);
        assert!(is_of(&forged.verified, EntryRef::Event(id)), "valid, and of this id");
        let other = holds(forged, id, &submitted).unwrap_err();
        assert!(matches!(other, ReceiptError::OtherEntry { found: 2, .. }), "{other}");
        assert!(holds(receipt(&submitted), id, &submitted).is_ok());
    }
}
