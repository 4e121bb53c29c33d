//! A writer in memory: decides units at given times, numbers entries, cuts blocks.

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{
    At, Effects, ExecutedEntry, MemberOutcome, Subject, execute, expire, genesis_effects,
};
use ledger_core::code::Refusal;
use ledger_core::entry::{Content, Entry, encode_event, encode_expiry};
use ledger_core::event::EVENT_TYPE;
use ledger_core::genesis::Genesis;
use ledger_core::ids::LogIndex;
use ledger_core::seal::{BlockInput, SealChain};
use ledger_core::state::MemoryState;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedEvent};
use ledger_core::view::{State, StateView};

pub struct Writer {
    pub state: MemoryState,
    pub log: Vec<Vec<u8>>,
    chain: SealChain,
    block: BlockInput,
    last_recorded_at_nanos: u64,
}

/// What became of a call.
pub enum Decision {
    /// It is a signed batch.
    NotBuilt,
    /// Entries made, in order: an expiry, or the members of the unit.
    Made(Vec<MemberOutcome>),
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
    /// or, when a payment is due, makes its expiry instead.
    pub fn decide(&mut self, clock_nanos: u64, entries: &[Vec<u8>]) -> Decision {
        let t_nanos = clock_nanos.max(self.last_recorded_at_nanos + 1);
        let first = At { t_nanos, log_index: LogIndex(self.log.len() as u64), recorded_at_nanos: t_nanos };
        if let Some((_, payment)) = self.state.next_due(t_nanos).unwrap() {
            let payment_id = self.state.payment(payment).unwrap().id;
            let effects = expire(&self.state, payment, first).unwrap();
            let mut entry = Vec::new();
            encode_expiry(t_nanos, &payment_id, &mut entry);
            self.append(entry, 0, Subject::Expiry { payment_id }, &effects);
            return Decision::Made(vec![MemberOutcome { refusal: None, effects }]);
        }
        let Some(submitted) = entries.iter().map(|entry| submitted(entry)).collect::<Option<Vec<_>>>() else {
            return Decision::NotBuilt;
        };
        let unit = unit_of(submitted).unwrap();
        let admission = admit(&self.state, &unit, t_nanos).unwrap();
        assert_eq!(admission, Admission::Admitted, "entry {}", self.log.len());
        let outcomes = execute(&self.state, &unit, first).unwrap();
        for (position, (member, outcome)) in unit.members.iter().zip(&outcomes).enumerate() {
            let signed = member.signed();
            let mut entry = Vec::new();
            encode_event(
                t_nanos + position as u64,
                outcome.number(),
                u16::try_from(unit.members.len()).unwrap(),
                u16::try_from(position).unwrap(),
                member.signatures().unwrap(),
                &signed.submitted().payload_type,
                &signed.submitted().payload,
                &mut entry,
            );
            let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
            self.append(entry, outcome.number(), subject, &outcome.effects);
        }
        Decision::Made(outcomes)
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
        self.state.absorb(&ExecutedEntry { log_index, recorded_at_nanos, outcome, subject, effects });
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
    Ok(Unit { atomic: members.len() != 1, members })
}

/// An event without signatures.
pub fn unsigned(payload: Vec<u8>) -> Submitted {
    Submitted { payload_type: EVENT_TYPE.to_owned(), payload, ..Submitted::default() }
}

/// What was submitted, from its entry; `None` for batches.
fn submitted(entry: &[u8]) -> Option<Submitted> {
    match Entry::decode(entry).unwrap().content {
        Content::Event { signatures, payload_type, payload } => {
            let signatures =
                signatures.iter().rev().map(|s| (s.key.to_vec(), s.signature.to_vec())).collect();
            Some(Submitted { payload_type, payload, signatures, sidecar: None })
        }
        Content::BatchHeader { .. } | Content::BatchedEvent { .. } => None,
        other => panic!("not a unit: {other:?}"),
    }
}
