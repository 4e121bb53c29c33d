//! A writer in memory: decides units at given times, numbers entries, cuts blocks.

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{
    At, Effects, ExecutedEntry, MemberOutcome, Subject, execute, expire, genesis_effects,
};
use ledger_core::batch::BATCH_TYPE;
use ledger_core::code::Refusal;
use ledger_core::entry::{
    Content, Entry, EntrySignature, encode_batch_header, encode_batched_event, encode_event, encode_expiry,
};
use ledger_core::event::EVENT_TYPE;
use ledger_core::genesis::Genesis;
use ledger_core::ids::LogIndex;
use ledger_core::seal::{BlockInput, SealChain};
use ledger_core::state::MemoryState;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedBatch, VerifiedEvent};
use ledger_core::view::{State, StateView};

pub struct Writer {
    pub state: MemoryState,
    pub log: Vec<Vec<u8>>,
    chain: SealChain,
    block: BlockInput,
    last_recorded_at_nanos: u64,
}

impl Writer {
    /// Entry 0 and nothing else.
    pub fn create(genesis: &[u8]) -> Self {
        let (constants, recorded_at_nanos) = Genesis::from_entry(genesis).unwrap();
        let effects = genesis_effects(&constants);
        let chain = SealChain::new(constants.ledger_id);
        let state = MemoryState::new(constants);
        let mut block = BlockInput::new(state.totals().clone(), state.params().clone());
        block.absorb(&effects);
        block.push_leaf(Entry::leaf_hash(genesis));
        Self { state, log: vec![genesis.to_vec()], chain, block, last_recorded_at_nanos: recorded_at_nanos }
    }

    /// Takes the unit in these entries (kind, time and outcome are not looked at) when the clock says `clock_nanos`;
    /// or, when a payment is due, makes its expiry instead. Returns what became of the expiry, or of each member.
    pub fn decide(&mut self, clock_nanos: u64, entries: &[Vec<u8>]) -> Vec<MemberOutcome> {
        let t_nanos = clock_nanos.max(self.last_recorded_at_nanos + 1);
        let first = At { t_nanos, log_index: LogIndex(self.log.len() as u64), recorded_at_nanos: t_nanos };
        if let Some((_, payment)) = self.state.next_due(t_nanos).unwrap() {
            let payment_id = self.state.payment(payment).unwrap().id;
            let effects = expire(&self.state, payment, first).unwrap();
            let mut entry = Vec::new();
            encode_expiry(t_nanos, &payment_id, &mut entry);
            self.append(entry, 0, Subject::Expiry { payment_id }, &effects);
            return vec![MemberOutcome { refusal: None, effects }];
        }
        let unit = unit_in(entries);
        let admission = admit(&self.state, &unit, t_nanos).unwrap();
        assert_eq!(admission, Admission::Admitted, "entry {}", self.log.len());
        if let Some(header) = unit.header() {
            let mut entry = Vec::new();
            encode_batch_header(
                t_nanos,
                header.signatures().unwrap(),
                &header.submitted().payload,
                &mut entry,
            );
            let batch_id = header.batch_id().unwrap();
            self.append(entry, 0, Subject::Batch { batch_id }, &Effects::default());
        }
        let (mut decided, mut recorded_at_nanos) = (Vec::new(), t_nanos + u64::from(unit.header().is_some()));
        for run in unit.runs() {
            let at = At { t_nanos, log_index: LogIndex(self.log.len() as u64), recorded_at_nanos };
            let outcomes = execute(&self.state, run, at).unwrap();
            for (index, (member, outcome)) in (0u16..).zip(run.iter().zip(&outcomes)) {
                let group_len = u16::try_from(run.len()).unwrap();
                let position = u32::try_from(decided.len()).unwrap() + u32::from(index);
                let place = (recorded_at_nanos, outcome.number(), group_len, index, position);
                let signed = member.signed();
                let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
                self.append(encode_member(member, place), outcome.number(), subject, &outcome.effects);
                recorded_at_nanos += 1;
            }
            decided.extend(outcomes);
        }
        decided
    }

    /// Seals the block.
    pub fn cut(&mut self) {
        self.last_recorded_at_nanos += 1;
        let next = BlockInput::new(self.state.totals().clone(), self.state.params().clone());
        let mut block = std::mem::replace(&mut self.block, next);
        block.recorded_at_nanos = self.last_recorded_at_nanos;
        let sealed = self.chain.seal(block);
        assert_eq!(sealed.log_index.0, self.log.len() as u64);
        self.log.push(sealed.entry);
    }

    fn append(&mut self, entry: Vec<u8>, outcome: u16, subject: Subject<'_>, effects: &Effects) {
        let recorded_at_nanos = Entry::decode(&entry).unwrap().recorded_at_nanos;
        let log_index = LogIndex(self.log.len() as u64);
        let t_nanos = recorded_at_nanos;
        self.state.absorb(&ExecutedEntry {
            log_index,
            recorded_at_nanos,
            t_nanos,
            outcome,
            subject,
            effects,
        });
        self.block.absorb(effects);
        self.block.push_leaf(Entry::leaf_hash(&entry));
        self.last_recorded_at_nanos = recorded_at_nanos;
        self.log.push(entry);
    }
}

/// Decodes and verifies. Errors: 301 to 306 of the first member that has one, with its position.
pub fn unit_of(members: Vec<Submitted>) -> Result<Unit, (usize, Refusal)> {
    let verified = |(position, submitted)| match SignedEvent::decode(submitted) {
        Ok(signed) => Ok(VerifiedEvent::verify(signed, |_| None)),
        Err(refusal) => Err((position, refusal)),
    };
    let members: Vec<_> = members.into_iter().enumerate().map(verified).collect::<Result<_, _>>()?;
    Ok(Unit::logged(members))
}

/// An event without signatures.
pub fn unsigned(payload: Vec<u8>) -> Submitted {
    Submitted { payload_type: EVENT_TYPE.to_owned(), payload, ..Submitted::default() }
}

/// The unit in these entries; signatures in another order than theirs.
fn unit_in(entries: &[Vec<u8>]) -> Unit {
    let mut header = None;
    let mut members = Vec::new();
    let submitted = |signatures: Vec<EntrySignature>, payload_type: &str, payload| {
        let signatures = signatures.iter().rev().map(|s| (s.key.to_vec(), s.signature.to_vec())).collect();
        Submitted { payload_type: payload_type.to_owned(), payload, signatures, sidecar: None }
    };
    for entry in entries {
        match Entry::decode(entry).unwrap().content {
            Content::Event { signatures, payload_type, payload } => {
                let signed = SignedEvent::decode(submitted(signatures, &payload_type, payload)).unwrap();
                members.push(VerifiedEvent::verify(signed, |_| None));
            }
            Content::BatchHeader { signatures, payload } => {
                let submitted = submitted(signatures, BATCH_TYPE, payload);
                header = Some(VerifiedBatch::verify(submitted, |_| None).unwrap());
            }
            Content::BatchedEvent { payload_type, payload, .. } => {
                let signed =
                    SignedEvent::decode_batched(submitted(Vec::new(), &payload_type, payload)).unwrap();
                members.push(VerifiedEvent::of_batch(signed));
            }
            other => panic!("not a unit: {other:?}"),
        }
    }
    match header {
        Some(header) => Unit::batch(header, members),
        None => Unit::logged(members),
    }
}

/// The entry of a member: time, outcome, group_len, group_index, position in its batch.
fn encode_member(member: &VerifiedEvent, place: (u64, u16, u16, u16, u32)) -> Vec<u8> {
    let (recorded_at_nanos, outcome, group_len, group_index, position) = place;
    let Submitted { payload_type, payload, .. } = member.signed().submitted();
    let mut entry = Vec::new();
    match member.signatures() {
        Ok(signatures) => encode_event(
            recorded_at_nanos,
            outcome,
            group_len,
            group_index,
            signatures,
            payload_type,
            payload,
            &mut entry,
        ),
        Err(_) => encode_batched_event(
            recorded_at_nanos,
            outcome,
            group_len,
            group_index,
            position,
            payload_type,
            payload,
            &mut entry,
        ),
    }
    entry
}
