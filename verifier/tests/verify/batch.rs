//! Signed batches of a forged log: signed in one order, logged in any.

use ledger_core::apply::{At, Effects, Subject, execute};
use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::entry::{Content, Entry};
use ledger_core::event::{Body, EVENT_TYPE};
use ledger_core::ids::{BatchId, LogIndex};
use ledger_core::unit::{SignedEvent, Submitted, VerifiedEvent};
use ledger_core::view::StateView;
use ledger_crypto::{SigningKey, dsse};
use ledger_merkle::{build, leaf_hash};

use crate::forge::{Forge, entry_signatures, sorted, transfer_body};

/// A header and its members, in the order in which they were signed.
pub struct SignedBatch {
    id: BatchId,
    header: Submitted,
    members: Vec<Submitted>,
}

/// Transfers from alice to bob, signed by the service once.
pub fn sign(log: &mut Forge, amounts: &[u64]) -> SignedBatch {
    sign_bodies(log, amounts.iter().map(|amount| transfer_body("cust:alice", "cust:bob", *amount)))
}

/// Events of these bodies, signed by the service once.
pub fn sign_bodies(log: &mut Forge, bodies: impl IntoIterator<Item = Body>) -> SignedBatch {
    let service = log.service.clone();
    sign_by(log, &[service], bodies)
}

/// Events of these bodies, signed by any keys once.
pub fn sign_by(log: &mut Forge, keys: &[SigningKey], bodies: impl IntoIterator<Item = Body>) -> SignedBatch {
    let mut member = |body| Submitted { signatures: Vec::new(), ..log.event_by(body, keys) };
    let members: Vec<Submitted> = bodies.into_iter().map(&mut member).collect();
    let leaves: Vec<_> =
        members.iter().map(|member| leaf_hash(&dsse::message(EVENT_TYPE, &member.payload))).collect();
    let id = log.uuid();
    let batch = Batch {
        ledger_id: log.state.constants().ledger_id.to_vec(),
        batch_id: id.to_vec(),
        signers: sorted(keys),
        count: members.len() as u32,
        events_root: build::root(&leaves).to_vec(),
    };
    let payload = batch.encode();
    let message = dsse::message(BATCH_TYPE, &payload);
    let signatures =
        keys.iter().map(|key| (key.public_bytes().to_vec(), key.sign(&message).to_vec())).collect();
    let header = Submitted { payload_type: BATCH_TYPE.to_owned(), payload, signatures, sidecar: None };
    SignedBatch { id: BatchId(id), header, members }
}

/// Logs the header, then the members with these numbers; each entry says `position(place)`. Returns the index of the
/// header.
pub fn log(log: &mut Forge, batch: &SignedBatch, order: &[usize], position: impl Fn(usize) -> u32) -> u64 {
    let first = log.entries.len() as u64;
    let t_nanos = log.next_nanos();
    let entry = |recorded_at_nanos, content| {
        Entry { recorded_at_nanos, outcome: 0, group_len: 1, group_index: 0, content }.encode()
    };
    log.absorb(t_nanos, 0, Subject::Batch { batch_id: batch.id }, &Effects::default());
    let (signatures, payload) = (entry_signatures(&batch.header), batch.header.payload.clone());
    log.append(entry(t_nanos, Content::BatchHeader { signatures, payload }));
    for (place, member) in order.iter().map(|number| &batch.members[*number]).enumerate() {
        let recorded_at_nanos = log.next_nanos();
        let at = At { t_nanos, log_index: LogIndex(log.entries.len() as u64), recorded_at_nanos };
        let event = VerifiedEvent::of_batch(SignedEvent::decode_batched(member.clone()).unwrap());
        let decided = execute(&log.state, std::slice::from_ref(&event), at).unwrap().remove(0);
        assert_eq!(decided.refusal, None);
        let signed = event.signed();
        let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
        log.absorb(recorded_at_nanos, 0, subject, &decided.effects);
        let (payload_type, payload) = (EVENT_TYPE.to_owned(), member.payload.clone());
        let content = Content::BatchedEvent { position: position(place), payload_type, payload };
        log.append(entry(recorded_at_nanos, content));
    }
    first
}
