//! Receipt of a member of a signed batch: its signatures stand in the header of the batch, which travels with it.

use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, dsse};
use ledger_merkle::verify;

use super::{
    ReceiptError, TlogProof, VerifiedReceipt, check_batch, check_group, check_place, check_signatures,
    expect_ledger, field,
};
use crate::batch::{BATCH_TYPE, Batch};
use crate::entry::{Content, Entry};
use crate::event::{EVENT_TYPE, Event};

/// Proof that a member of a batch is in the log, and that its batch was signed. In the file's `extra`: u32 length ‖
/// member ‖ u32 length ‖ header ‖ path to `events_root`, its hashes lowest first.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MemberReceipt {
    /// Bytes of the member's entry.
    pub member: Vec<u8>,
    /// Bytes of the header's entry.
    pub header: Vec<u8>,
    /// Audit path from the member's message to `events_root`.
    pub events_path: Vec<Hash>,
    /// The proof of the member's entry.
    pub proof: TlogProof,
}

impl MemberReceipt {
    /// What a receipt of this form carries as `extra`.
    pub fn extra(member: &[u8], header: &[u8], events_path: &[Hash]) -> Vec<u8> {
        let mut extra = Vec::with_capacity(8 + member.len() + header.len() + events_path.len() * 32);
        for entry in [member, header] {
            extra.extend_from_slice(&(entry.len() as u32).to_be_bytes());
            extra.extend_from_slice(entry);
        }
        extra.extend(events_path.iter().flatten());
        extra
    }

    /// Takes a proof apart whose `extra` has this form.
    ///
    /// # Errors
    /// [`ReceiptError::Field`], about `extra`.
    pub fn from_proof(proof: TlogProof) -> Result<Self, ReceiptError> {
        let expected = "two entries, each after its length, and whole hashes";
        let refuse = || field("extra", format!("{} bytes", proof.extra.len()), expected);
        let (member, rest) = prefixed(&proof.extra).ok_or_else(refuse)?;
        let (header, rest) = prefixed(rest).ok_or_else(refuse)?;
        let (hashes, rest) = rest.as_chunks();
        if !rest.is_empty() {
            return Err(refuse());
        }
        let (member, header, events_path) = (member.to_vec(), header.to_vec(), hashes.to_vec());
        Ok(Self { member, header, events_path, proof })
    }

    /// Checks what [`super::Receipt::verify`] checks, the signatures being those of the header, and that the member is
    /// under the header's `events_root`.
    ///
    /// # Errors
    /// [`ReceiptError`].
    pub fn verify(&self, key: &VerifierKey, ledger_id: &Hash) -> Result<VerifiedReceipt, ReceiptError> {
        let checkpoint = self.proof.verify(&self.member, key)?;
        let entry = Entry::decode(&self.member)?;
        let Content::BatchedEvent { position, payload_type, payload } = &entry.content else {
            return Err(field("kind", entry.kind(), "5, a member of a batch"));
        };
        check_place(self.proof.index, checkpoint.size, &entry)?;
        let batch = verify_header(&self.header, ledger_id)?;
        let header_index = self.proof.index.checked_sub(1 + u64::from(*position));
        check_batch(header_index, &batch, checkpoint.size)?;
        if payload_type != EVENT_TYPE {
            return Err(field("type", payload_type, EVENT_TYPE));
        }
        let event = Event::decode_batched(payload)?;
        expect_ledger(&event.ledger_id, ledger_id)?;
        check_group(&entry, &event)?;
        if event.signers != batch.signers {
            return Err(field("signers", "other keys than those of the batch", "the same keys"));
        }
        let root = Hash::try_from(batch.events_root.as_slice())
            .map_err(|_| field("events_root", format!("{} bytes", batch.events_root.len()), "32 bytes"))?;
        let message = dsse::message(payload_type, payload);
        verify::inclusion(&message, u64::from(*position), u64::from(batch.count), &self.events_path, &root)?;
        Ok(VerifiedReceipt { index: self.proof.index, event: Some(event), entry, checkpoint })
    }
}

/// The batch that a header signs.
fn verify_header(header: &[u8], ledger_id: &Hash) -> Result<Batch, ReceiptError> {
    let header = Entry::decode(header)?;
    let Content::BatchHeader { signatures, payload } = &header.content else {
        return Err(field("kind", header.kind(), "4, the header of a batch"));
    };
    let batch = Batch::decode(payload)?;
    expect_ledger(&batch.ledger_id, ledger_id)?;
    check_signatures(BATCH_TYPE, payload, &batch.signers, signatures)?;
    Ok(batch)
}

/// Bytes after their length of four bytes, and what follows.
fn prefixed(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::try_from(u32::from_be_bytes(*length)).ok()?)
}
