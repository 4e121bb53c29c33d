//! The header of a batch on its way into the log.

use ledger_crypto::{Hash, KeyBytes, PublicKey};

use super::{Submitted, VerifiedEvent, signatures};
use crate::batch::{BATCH_TYPE, Batch};
use crate::code::{Code, Refusal};
use crate::entry::EntrySignature;
use crate::ids::BatchId;

/// A decoded header whose signatures were looked at; a fault of theirs is carried along, as in [`VerifiedEvent`].
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedBatch {
    submitted: Submitted,
    batch: Batch,
    signatures: Result<Vec<EntrySignature>, Refusal>,
}

impl VerifiedBatch {
    /// Decodes strictly and checks the signatures. Errors: 301 to 304; carried along: 401, 402, 403.
    pub fn verify(
        submitted: Submitted,
        known: impl Fn(&KeyBytes) -> Option<PublicKey>,
    ) -> Result<Self, Refusal> {
        let batch = decode(&submitted)?;
        let signatures = signatures::verify(&submitted, &batch.signers, known);
        Ok(Self { submitted, batch, signatures })
    }

    /// Takes signatures from a log that this process has checked before. Errors: 301 to 304; carried along: 401, 402.
    pub fn trust(submitted: Submitted) -> Result<Self, Refusal> {
        let batch = decode(&submitted)?;
        let signatures = signatures::in_order_of_signers(&submitted, &batch.signers);
        Ok(Self { submitted, batch, signatures })
    }

    /// The decoded header.
    pub fn batch(&self) -> &Batch {
        &self.batch
    }

    /// Type, payload and signatures as submitted.
    pub fn submitted(&self) -> &Submitted {
        &self.submitted
    }

    /// The batch id, when it has 16 bytes.
    pub fn batch_id(&self) -> Option<BatchId> {
        <[u8; 16]>::try_from(self.batch.batch_id.as_slice()).ok().map(BatchId)
    }

    /// The signatures in the order of an entry, or the fault that was found.
    pub fn signatures(&self) -> Result<&[EntrySignature], Refusal> {
        self.signatures.as_deref().map_err(Refusal::clone)
    }
}

/// `events_root` of these members, none of which has signatures of its own; `None` when one has.
pub(super) fn events_root(members: &[VerifiedEvent]) -> Option<Hash> {
    let leaves: Option<Vec<Hash>> = members.iter().map(|member| member.leaf_hash().copied()).collect();
    leaves.map(|leaves| ledger_merkle::build::root(&leaves))
}

fn decode(submitted: &Submitted) -> Result<Batch, Refusal> {
    if submitted.payload_type != BATCH_TYPE {
        let found = &submitted.payload_type;
        return Err(Refusal::of(Code::SchemaVersionUnsupported, "payload_type", found, BATCH_TYPE));
    }
    Batch::decode(&submitted.payload)
}
