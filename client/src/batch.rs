//! Signed batches: one header, signed once, for many events.

use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::ids::BatchId;
use ledger_core::unit::Submitted;
use ledger_crypto::{Hash, SigningKey, dsse};
use ledger_merkle::{build, leaf_hash};
use ledger_proto::v1;

use crate::answer::EventAnswer;
use crate::builder::{EventBuilder, add_signatures, in_order};
use crate::connection::Client;
use crate::error::ClientError;
use crate::retry::call;
use crate::submit::{answers, message};

/// A batch ready to be submitted. The signatures of its header stand for every member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedBatch {
    /// The header with its signatures.
    pub header: Submitted,
    /// The members in order, without signatures.
    pub members: Vec<Submitted>,
}

impl SignedBatch {
    /// Names the keys in every member and in the header, and signs the header with each. An id that no batch had
    /// before: [`crate::new_batch_id`]; the same parts give the same bytes.
    #[must_use]
    pub fn sign(
        ledger_id: &Hash,
        batch_id: BatchId,
        members: Vec<EventBuilder>,
        keys: &[&SigningKey],
    ) -> Self {
        let signers = in_order(keys.iter().map(|key| key.public_bytes()).collect());
        let members: Vec<_> = members.into_iter().map(|member| member.unsigned(signers.clone())).collect();
        let leaf = |member: &Submitted| leaf_hash(&dsse::message(&member.payload_type, &member.payload));
        let leaves: Vec<Hash> = members.iter().map(leaf).collect();
        let batch = Batch {
            ledger_id: ledger_id.to_vec(),
            batch_id: batch_id.0.to_vec(),
            signers: signers.iter().map(|key| key.to_vec()).collect(),
            count: u32::try_from(members.len()).unwrap_or(u32::MAX),
            events_root: build::root(&leaves).to_vec(),
        };
        let mut header = Submitted {
            payload_type: BATCH_TYPE.to_owned(),
            payload: batch.encode(),
            ..Submitted::default()
        };
        add_signatures(&mut header, keys);
        Self { header, members }
    }
}

impl Client {
    /// Submits a signed batch: it is taken whole or not at all, and of a batch that is taken each member has its own
    /// outcome. One answer per member, same order. Tried again as [`Client::submit`] is.
    ///
    /// # Errors
    /// As [`Client::submit`].
    pub async fn submit_batch(&self, batch: &SignedBatch) -> Result<Vec<EventAnswer>, ClientError> {
        let request = v1::SubmitBatchRequest {
            header: Some(message(batch.header.clone())),
            events: batch.members.iter().cloned().map(message).collect(),
        };
        let response: v1::SubmitBatchResponse = call!(self, submit_batch, "SubmitBatch", request)?;
        answers(response.results, &request.events)
    }
}

#[cfg(test)]
mod tests {
    use ledger_core::event::{Body, Event, PaymentVoided};
    use ledger_core::ids::EventId;
    use ledger_crypto::PublicKey;

    use super::*;
    use crate::uuid;

    fn void(id: u8) -> EventBuilder {
        let body = Body::PaymentVoided(PaymentVoided { reason: "gone".to_owned() });
        EventBuilder::with_id(&[7; 32], EventId(uuid::v7(1_700_000_000_000, [id; 10])), 5, body)
    }

    #[test]
    fn the_header_covers_every_member_and_is_signed_by_each_key() {
        let keys = [SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32])];
        let id = BatchId(uuid::v7(1_700_000_000_000, [9; 10]));
        let both = [&keys[0], &keys[1], &keys[0]];
        let signed = SignedBatch::sign(&[7; 32], id, vec![void(1), void(2), void(3)], &both);
        let batch = Batch::decode(&signed.header.payload).unwrap();
        assert_eq!((batch.count, batch.batch_id.as_slice()), (3, id.0.as_slice()));
        let message = dsse::message(BATCH_TYPE, &signed.header.payload);
        assert_eq!(signed.header.signatures.len(), 2);
        for (key, signature) in &signed.header.signatures {
            let key = PublicKey::from_bytes(key.as_slice().try_into().unwrap()).unwrap();
            key.verify(&message, signature.as_slice().try_into().unwrap()).unwrap();
        }
        for member in &signed.members {
            let event = Event::decode_batched(&member.payload).unwrap();
            assert_eq!((event.signers, member.signatures.len()), (batch.signers.clone(), 0));
        }
        let leaves: Vec<_> =
            signed.members.iter().map(|m| dsse::message(&m.payload_type, &m.payload)).collect();
        let (left, right) = (leaf_hash(&leaves[0]), leaf_hash(&leaves[1]));
        let root = ledger_merkle::node_hash(&ledger_merkle::node_hash(&left, &right), &leaf_hash(&leaves[2]));
        assert_eq!(batch.events_root, root);
        let again = SignedBatch::sign(&[7; 32], id, vec![void(1), void(2), void(3)], &both);
        assert_eq!(again, signed, "the same parts give the same bytes");
    }

    #[test]
    fn a_member_has_the_bytes_of_the_single_event() {
        let key = SigningKey::from_seed([3; 32]);
        let id = BatchId(uuid::v7(1_700_000_000_000, [9; 10]));
        let batch = SignedBatch::sign(&[7; 32], id, vec![void(1)], &[&key]);
        assert_eq!(batch.members[0].payload, void(1).sign(&[&key]).payload);
    }
}
