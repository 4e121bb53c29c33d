//! Building events: the header around a body, then the signatures of every signer.

use ledger_core::admit::group_hash;
use ledger_core::event::{Body, EVENT_TYPE, Event};
use ledger_core::ids::{EventId, PaymentId};
use ledger_core::sidecar::Sidecar;
use ledger_core::unit::Submitted;
use ledger_crypto::{Hash, KeyBytes, SigningKey, dsse};

use crate::uuid::{self, IdError};

/// An event that is not signed yet.
///
/// Nothing is checked here: what the ledger thinks of the event is its answer to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EventBuilder {
    event: Event,
    event_id: EventId,
    sidecar: Option<Sidecar>,
}

impl EventBuilder {
    /// An event with a new id and the time now as its timestamp.
    ///
    /// # Errors
    /// [`IdError`] when the system gives no time or no random bytes.
    pub fn new(ledger_id: &Hash, body: Body) -> Result<Self, IdError> {
        Ok(Self::with_id(ledger_id, uuid::new_event_id()?, uuid::now_nanos()?, body))
    }

    /// An event with a given id and timestamp (unix nanoseconds): the same parts give the same bytes.
    #[must_use]
    pub fn with_id(ledger_id: &Hash, event_id: EventId, timestamp_nanos: u64, body: Body) -> Self {
        let event = Event {
            ledger_id: ledger_id.to_vec(),
            event_id: event_id.0.to_vec(),
            timestamp_nanos,
            body,
            ..Event::default()
        };
        Self { event, event_id, sidecar: None }
    }

    /// The payment that the event belongs to.
    #[must_use]
    pub fn payment(mut self, id: PaymentId) -> Self {
        self.event.payment_id = id.0.to_vec();
        self
    }

    /// The payment's last accepted event: the ledger refuses when another one came in between.
    #[must_use]
    pub fn previous(mut self, id: EventId) -> Self {
        self.event.previous_event_id = id.0.to_vec();
        self
    }

    /// The day it counts for in reports, `yyyymmdd`; not given, the day it is recorded.
    #[must_use]
    pub fn effective_date(mut self, yyyymmdd: u32) -> Self {
        self.event.effective_date = yyyymmdd;
        self
    }

    /// A reference of the submitter's own, unique per party, at most 35 printable characters.
    #[must_use]
    pub fn external_ref(mut self, reference: impl Into<String>) -> Self {
        self.event.external_ref = reference.into();
        self
    }

    /// Private data: the event signs its salted hash, the data travels beside it and can be erased. The salt is to be
    /// random ([`crate::sidecar`]).
    #[must_use]
    pub fn private(mut self, sidecar: Sidecar) -> Self {
        self.event.metadata_commitment = sidecar.commitment().to_vec();
        self.sidecar = Some(sidecar);
        self
    }

    /// The id of the event.
    #[must_use]
    pub fn event_id(&self) -> EventId {
        self.event_id
    }

    /// The event as it stands now.
    #[must_use]
    pub fn event(&self) -> &Event {
        &self.event
    }

    /// Names the keys in the payload, in ascending order, and signs it with each. A key given twice signs once.
    #[must_use]
    pub fn sign(self, keys: &[&SigningKey]) -> Submitted {
        let signers = keys.iter().map(|key| key.public_bytes()).collect();
        let mut submitted = self.unsigned(signers);
        add_signatures(&mut submitted, keys);
        submitted
    }

    /// The payload for these signers, without signatures: each of them signs it later ([`add_signatures`]).
    #[must_use]
    pub fn unsigned(mut self, signers: Vec<KeyBytes>) -> Submitted {
        self.event.signers = in_order(signers).iter().map(|key| key.to_vec()).collect();
        Submitted {
            payload_type: EVENT_TYPE.to_owned(),
            payload: self.event.encode(),
            signatures: Vec::new(),
            sidecar: self.sidecar,
        }
    }
}

/// Signers as an event or a batch names them: ascending, each once.
pub(crate) fn in_order(mut signers: Vec<KeyBytes>) -> Vec<KeyBytes> {
    signers.sort_unstable();
    signers.dedup();
    signers
}

/// Ties events into one atomic group: all of them carry the hash of all their ids in order, so that none can be left
/// out, added or moved.
#[must_use]
pub fn group(members: Vec<EventBuilder>) -> Vec<EventBuilder> {
    let hash = group_hash(members.iter().map(|member| member.event_id.0.as_slice()));
    let tied = members.into_iter().map(|mut member| {
        member.event.group = hash.to_vec();
        member
    });
    tied.collect()
}

/// Signs the payload with each key that has not signed it yet; signatures stand ascending by key.
pub fn add_signatures(submitted: &mut Submitted, keys: &[&SigningKey]) {
    let message = dsse::message(&submitted.payload_type, &submitted.payload);
    for key in keys {
        let public = key.public_bytes();
        if submitted.signatures.iter().all(|(signer, _)| signer != &public) {
            submitted.signatures.push((public.to_vec(), key.sign(&message).to_vec()));
        }
    }
    submitted.signatures.sort_unstable();
}

#[cfg(test)]
mod tests {
    use ledger_core::event::PaymentVoided;
    use ledger_crypto::PublicKey;

    use super::*;

    fn void(id: u8) -> EventBuilder {
        let body = Body::PaymentVoided(PaymentVoided { reason: "gone".to_owned() });
        EventBuilder::with_id(&[7; 32], EventId(uuid::v7(1_700_000_000_000, [id; 10])), 5, body)
    }

    #[test]
    fn every_signer_is_named_and_signs_the_message() {
        let keys = [SigningKey::from_seed([1; 32]), SigningKey::from_seed([2; 32])];
        let submitted = void(1).payment(PaymentId([9; 16])).sign(&[&keys[0], &keys[1], &keys[0]]);
        let event = Event::decode(&submitted.payload).unwrap();
        assert_eq!(event.payment_id, [9; 16]);
        let signed_by: Vec<_> = submitted.signatures.iter().map(|(key, _)| key.clone()).collect();
        assert_eq!(event.signers, signed_by);
        assert!(signed_by.is_sorted() && signed_by.len() == 2);
        let message = dsse::message(EVENT_TYPE, &submitted.payload);
        for (key, signature) in &submitted.signatures {
            let key = PublicKey::from_bytes(key.as_slice().try_into().unwrap()).unwrap();
            key.verify(&message, signature.as_slice().try_into().unwrap()).unwrap();
        }
    }

    #[test]
    fn the_same_parts_give_the_same_bytes() {
        let key = SigningKey::from_seed([3; 32]);
        assert_eq!(void(1).sign(&[&key]), void(1).sign(&[&key]));
        assert_ne!(void(1).sign(&[&key]).payload, void(2).sign(&[&key]).payload);
    }

    #[test]
    fn a_group_is_the_hash_of_its_ids_in_order() {
        let members = group(vec![void(1), void(2)]);
        let ids = [members[0].event_id().0, members[1].event_id().0].concat();
        let expected = ledger_crypto::sha256(&[b"ledger/v1/group".as_slice(), &ids].concat());
        assert!(members.iter().all(|member| member.event().group == expected));
        let turned = group(vec![void(2), void(1)]);
        assert_ne!(turned[0].event().group, expected);
    }
}
