//! Admission: groups 2 to 6, and what is known already.

use std::collections::BTreeSet;

use ledger_core::code::Code;
use ledger_core::event::{Body, EVENT_TYPE, Event};
use ledger_core::ids::EventId;
use ledger_core::number::Roles;
use ledger_crypto::sha256;

use super::access::{Access, access, besides, looked_up};
use super::{Answer, Form, Header, Ledger, Member, Offer, SECOND, Signature, Way, fields, runs};

impl Ledger {
    /// Whether an offer is admitted at t; else what it is answered.
    pub(super) fn admit(&self, offer: &Offer, t: u64) -> Result<(), Answer> {
        let members = &offer.members;
        // An exact match with what is in the log is answered before anything else is looked at.
        let known: Vec<_> = members.iter().map(|member| self.known_as(member)).collect();
        if !members.is_empty() && known.iter().all(|known| matches!(known, Known::Same(_))) {
            let originals = known.iter().filter_map(|known| match known {
                Known::Same(position) => {
                    let entry = &self.history[*position];
                    Some((entry.index, entry.outcome()))
                }
                _ => None,
            });
            return Err(Answer::Known(originals.collect()));
        }
        if let Some(code) = self.fault_of_request(offer) {
            return Err(Answer::TurnedAway { member: 0, code });
        }
        let mut sent: &[Signature] = &[];
        if let Way::Batch(header) = &offer.way {
            sent = &header.signatures;
            if let Some(code) = self.faults_of_header(header, t).into_iter().min() {
                return Err(Answer::HeaderTurnedAway(code));
            }
        }
        for (position, (member, known)) in members.iter().zip(&known).enumerate() {
            let signatures = if matches!(offer.way, Way::Batch(_)) { sent } else { &member.signatures };
            let mut faults = self.faults(&member.event, signatures, t);
            faults_of_private(member, &mut faults);
            if !matches!(known, Known::Not) {
                faults.push(Code::EventIdConflict);
            }
            if let Some(code) = faults.into_iter().min() {
                return Err(Answer::TurnedAway { member: position, code });
            }
        }
        Ok(())
    }

    /// Group 2: the lowest number that applies.
    fn fault_of_request(&self, offer: &Offer) -> Option<Code> {
        let members = offer.members.as_slice();
        let most = match &offer.way {
            Way::Single => return (!members[0].event.group.is_empty()).then_some(Code::GroupMismatch),
            Way::Group => self.fixed.group_members,
            Way::Batch(_) => self.fixed.batch_members,
        };
        if members.is_empty() {
            return Some(Code::RequestEmpty);
        }
        if members.len() > most {
            return Some(Code::RequestTooLarge);
        }
        let ids: BTreeSet<&[u8]> = members.iter().map(|member| member.event.event_id.as_slice()).collect();
        if ids.len() < members.len() {
            return Some(Code::DuplicateEventId);
        }
        let Way::Batch(header) = &offer.way else {
            return (members.len() < 2 || !is_whole_group(members)).then_some(Code::GroupMismatch);
        };
        for run in runs(members) {
            let is_group = !run[0].event.group.is_empty();
            let is_right = (2..=self.fixed.group_members).contains(&run.len()) && is_whole_group(run);
            if is_group && !is_right {
                return Some(Code::GroupMismatch);
            }
        }
        let fits = |member: &Member| {
            member.event.signers == header.batch.signers
                && !matches!(member.event.body.number(), 17 | 18 | 20 | 21)
        };
        let leaves: Vec<[u8; 32]> = members.iter().map(leaf).collect();
        let is_right = header.batch.count as usize == members.len()
            && header.batch.events_root == tree_hash(&leaves)
            && members.iter().all(fits);
        (!is_right).then_some(Code::BatchMismatch)
    }

    /// Codes from 307 to 505 of a batch's header.
    fn faults_of_header(&self, header: &Header, t: u64) -> Vec<Code> {
        let batch = &header.batch;
        let mut faults = Vec::new();
        if batch.ledger_id != self.fixed.ledger_id {
            faults.push(Code::LedgerIdMismatch);
        }
        faults_of_signatures(&batch.signers, &header.signatures, &mut faults);
        for key in &batch.signers {
            match self.books.key(key) {
                None => faults.push(Code::SignerKeyUnknown),
                Some(key) if key.revoked_index.is_some() => faults.push(Code::SignerKeyRevoked),
                Some(_) => {}
            }
        }
        faults_of_id(&batch.batch_id, t, &mut faults);
        if self.batches.contains(&batch.batch_id) {
            faults.push(Code::EventIdConflict);
        }
        faults
    }

    /// Everything from 304 to 620 that applies to a member.
    pub(super) fn faults(&self, event: &Event, signatures: &[Signature], t: u64) -> Vec<Code> {
        let mut faults = Vec::new();
        if matches!(event.body, Body::RulesChanged(_)) {
            // Version 1 is the only one that there is, and it is in force.
            faults.push(Code::SchemaVersionUnsupported);
        }
        if event.ledger_id != self.fixed.ledger_id {
            faults.push(Code::LedgerIdMismatch);
        }
        self.faults_of_signers(event, signatures, &mut faults);
        self.faults_of_identity(event, t, &mut faults);
        fields::faults(&self.fixed, event, t, &mut faults);
        faults
    }

    fn faults_of_signers(&self, event: &Event, signatures: &[Signature], faults: &mut Vec<Code>) {
        let besides = besides(&self.books, event);
        if !besides.iter().all(|key| event.signers.contains(key)) {
            faults.push(Code::SignersMismatch);
        }
        faults_of_signatures(&event.signers, signatures, faults);
        for key in looked_up(&self.books, event) {
            match key {
                None => faults.push(Code::SignerKeyUnknown),
                Some(key) if key.revoked_index.is_some() => faults.push(Code::SignerKeyRevoked),
                Some(_) => {}
            }
        }
        match access(&self.books, event, self.fixed.operator_threshold, None) {
            Access::NoRole => faults.push(Code::SignerRoleMissing),
            Access::NotCovered => faults.push(Code::SignerNotAccountOwner),
            Access::Granted(_) => {}
        }
    }

    fn faults_of_identity(&self, event: &Event, t: u64, faults: &mut Vec<Code>) {
        faults_of_id(&event.event_id, t, faults);
        let imports =
            looked_up(&self.books, event).into_iter().flatten().any(|key| key.may(&[Roles::IMPORTER]));
        let claimed = i128::from(event.timestamp_nanos);
        let (second, t) = (i128::from(SECOND), i128::from(t));
        if !imports && (claimed < t - 86_400 * second || claimed > t + 300 * second) {
            faults.push(Code::TimestampOutOfRange);
        }
    }

    fn known_as(&self, member: &Member) -> Known {
        let Ok(id) = member.event.event_id.as_slice().try_into() else { return Known::Not };
        match self.known.get(&EventId(id)) {
            None => Known::Not,
            Some(position) if self.history[*position].payload == member.payload => Known::Same(*position),
            Some(_) => Known::Other,
        }
    }
}

/// What is known of an event id.
enum Known {
    Not,
    /// With the same bytes, at this position of the log.
    Same(usize),
    Other,
}

/// Signers in order, and exactly one good signature of each.
fn faults_of_signatures(signers: &[Vec<u8>], signatures: &[Signature], faults: &mut Vec<Code>) {
    let mut signed: Vec<&Vec<u8>> = signatures.iter().map(|signature| &signature.key).collect();
    signed.sort();
    if !are_keys_in_order(signers) || signed != signers.iter().collect::<Vec<_>>() {
        faults.push(Code::SignersMismatch);
    }
    for signature in signatures {
        match signature.form {
            Form::Valid => {}
            Form::Malformed => faults.push(Code::SignatureMalformed),
            Form::Invalid => faults.push(Code::SignatureInvalid),
        }
    }
}

/// The id of an event or a batch: a UUID v7, not of the future.
fn faults_of_id(id: &[u8], t: u64, faults: &mut Vec<Code>) {
    if id.iter().all(|byte| *byte == 0) {
        return faults.push(Code::EventIdNil);
    }
    if id.len() != 16 || id[6] >> 4 != 7 || id[8] >> 6 != 0b10 {
        return faults.push(Code::EventIdNotV7);
    }
    let mut millis: u128 = 0;
    for byte in &id[..6] {
        millis = millis * 256 + u128::from(*byte);
    }
    if millis * 1_000_000 > u128::from(t) + 300 * u128::from(SECOND) {
        faults.push(Code::EventIdFromFuture);
    }
}

/// Private data: at most 8 KiB, with 32 bytes of salt, and what the event commits to.
fn faults_of_private(member: &Member, faults: &mut Vec<Code>) {
    let Some((salt, metadata)) = &member.private else { return };
    if metadata.len() > 8 * 1024 {
        faults.push(Code::MetadataTooLarge);
    }
    let hashed = [b"ledger/v1/metadata", salt.as_slice(), metadata].concat();
    if salt.len() != 32 || member.event.metadata_commitment != sha256(&hashed) {
        faults.push(Code::MetadataCommitmentMismatch);
    }
}

/// Whether these members, in this order, are one group.
fn is_whole_group(members: &[Member]) -> bool {
    let mut hashed = b"ledger/v1/group".to_vec();
    for member in members {
        hashed.extend_from_slice(&member.event.event_id);
    }
    let group = sha256(&hashed);
    members.iter().all(|member| member.event.group == group && !is_control(&member.event))
}

/// Leaf hash of a member of a batch: of its DSSE message.
fn leaf(member: &Member) -> [u8; 32] {
    let mut leaf = vec![0];
    leaf.extend_from_slice(b"DSSEv1");
    for part in [EVENT_TYPE.as_bytes(), &member.payload] {
        leaf.extend_from_slice(format!(" {} ", part.len()).as_bytes());
        leaf.extend_from_slice(part);
    }
    sha256(&leaf)
}

/// RFC 6962: split at the largest power of two below the number of leaves.
fn tree_hash(leaves: &[[u8; 32]]) -> [u8; 32] {
    if let [leaf] = leaves {
        return *leaf;
    }
    let mut split = 1;
    while split * 2 < leaves.len() {
        split *= 2;
    }
    let mut node = vec![1];
    node.extend_from_slice(&tree_hash(&leaves[..split]));
    node.extend_from_slice(&tree_hash(&leaves[split..]));
    sha256(&node)
}

/// 15 to 23: never in a group.
fn is_control(event: &Event) -> bool {
    event.body.number() >= 15
}

/// 1 to 8 keys of 32 bytes, strictly ascending.
fn are_keys_in_order(signers: &[Vec<u8>]) -> bool {
    (1..=8).contains(&signers.len())
        && signers.iter().all(|key| key.len() == 32)
        && signers.windows(2).all(|pair| pair[0] < pair[1])
}
