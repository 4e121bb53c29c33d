//! The core and the model side by side: the same commands, every answer and every record compared.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{At, Effects, ExecutedEntry, MemberOutcome, Subject, execute, expire};
use ledger_core::event::{EVENT_TYPE, Event};
use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
use ledger_core::ids::LogIndex;
use ledger_core::state::MemoryState;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedEvent};
use ledger_core::view::{State, StateView};
use ledger_crypto::dsse;

use crate::coverage::Coverage;
use crate::keyring;
use crate::model::{Answer, Form, Ledger, Member, Offer, Signature, Way, invariants};
use crate::stream::{Command, Kind, Sent, Signed};

/// 2026-01-05 09:00:00 UTC.
pub const START: u64 = 1_767_603_600_000_000_000;

/// Currencies of every exponent.
pub const CURRENCIES: [(&str, u8); 6] =
    [("CLF", 4), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("MRU", 1), ("USD", 2)];

/// Most members of a group in these worlds.
pub const GROUP_MEMBERS: u32 = 5;

/// Units after which everything is compared and the invariants are checked.
const FULL_EVERY: usize = 250;

/// Both of them.
pub struct Pair {
    /// The model.
    pub model: Ledger,
    /// The core's state.
    pub state: MemoryState,
    /// What was reached.
    pub coverage: Coverage,
    next_index: u64,
    last_time: u64,
    commands: usize,
}

impl Pair {
    /// A ledger with nothing but its genesis and the seal after it.
    pub fn new(threshold: u32) -> Self {
        let genesis = genesis(threshold);
        let (constants, recorded_at) = Genesis::from_entry(&genesis.to_entry(START)).expect("a genesis");
        let mut model = Ledger::found(&genesis, constants.ledger_id, recorded_at);
        model.seal();
        let (next_index, last_time) = (2, model.last_time());
        let (state, coverage) = (MemoryState::new(constants), Coverage::default());
        Self { model, state, coverage, next_index, last_time, commands: 0 }
    }

    /// Gives a command to both.
    ///
    /// # Errors
    /// What differs, or the invariant that is broken.
    pub fn take(&mut self, command: &Command) -> Result<(), String> {
        self.commands += 1;
        let first = self.model.history.len();
        match command.kind {
            Kind::Seal => {
                self.model.seal();
                self.next_index += 1;
                self.last_time += 1;
            }
            Kind::Idle => {
                self.expire_due(command.clock, None)?;
            }
            Kind::Single | Kind::Group => self.unit(command)?,
        }
        let history = &self.model.history;
        let (index, time) = (history.len() as u64, self.model.last_time());
        same("log size and time", &(self.next_index, self.last_time), &(index, time))?;
        self.coverage.entries(&history[first..]);
        same("totals", &self.state.totals().0, &self.model.books.totals())?;
        same("closed_through", &self.state.params().closed_through, &self.model.books.closed_through)?;
        let log_key = self.model.books.log_keys.last().expect("one");
        same("log key", &self.state.params().log_key.as_slice(), &log_key.as_slice())?;
        if self.commands.is_multiple_of(FULL_EVERY) { self.full() } else { Ok(()) }
    }

    /// Compares everything and checks the invariants.
    ///
    /// # Errors
    /// What differs, or the invariant that is broken.
    pub fn full(&self) -> Result<(), String> {
        let books = &self.model.books;
        let accounts: Vec<_> = self.state.accounts().iter().map(|record| record.as_ref().clone()).collect();
        same("accounts", &accounts, &books.accounts.iter().map(|account| account.record()).collect())?;
        let payments: Vec<_> = self.state.payments().iter().map(|record| record.as_ref().clone()).collect();
        same("payments", &payments, &books.payments.iter().map(|payment| payment.record()).collect())?;
        let keys: Vec<_> = self.state.keys().iter().map(|record| record.as_ref().clone()).collect();
        same("keys", &keys, &books.keys.iter().map(|key| key.record()).collect())?;
        invariants::check(&self.model)
    }

    fn unit(&mut self, command: &Command) -> Result<(), String> {
        let mut members = Vec::new();
        let mut verified = Vec::new();
        for sent in &command.members {
            match decoded(sent) {
                Ok((member, event)) => {
                    members.push(member);
                    verified.push(event);
                }
                Err(code) => {
                    self.coverage.undecodable(code);
                    self.expire_due(command.clock, None)?;
                    return Ok(());
                }
            }
        }
        let atomic = command.kind == Kind::Group;
        let way = if atomic { Way::Group } else { Way::Single };
        let (offer, unit) = (Offer { way, members }, Unit { atomic, members: verified });
        let first = self.model.history.len();
        let answer = self.model.offer(&offer, command.clock);
        self.coverage.answer(&offer, &answer);

        let t = self.expire_due(command.clock, Some(first))?;
        let outcomes = match admit(&self.state, &unit, t).expect("memory") {
            Admission::Rejected { member, refusal } => {
                let own = Answer::TurnedAway { member, code: refusal.code };
                return same(&format!("admission ({refusal})"), &own, &answer);
            }
            Admission::Known(originals) => {
                let own = originals.iter().map(|known| (known.log_index.0, known.outcome)).collect();
                return same("admission", &Answer::Known(own), &answer);
            }
            Admission::Admitted => {
                let at = At { t_nanos: t, log_index: LogIndex(self.next_index), recorded_at_nanos: t };
                execute(&self.state, &unit, at).expect("memory")
            }
        };
        let own = Answer::Recorded(outcomes.iter().map(MemberOutcome::number).collect());
        let refusals: Vec<_> = outcomes.iter().filter_map(|outcome| outcome.refusal.as_ref()).collect();
        same(&format!("outcomes ({refusals:?})"), &own, &answer)?;
        for (member, outcome) in unit.members.iter().zip(&outcomes) {
            let signed = member.signed();
            let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
            self.absorb(outcome.number(), subject, &outcome.effects)?;
        }
        self.changed(&outcomes)
    }

    /// The core's expiries; the model's are made already from `made` on, or are made now.
    fn expire_due(&mut self, clock: u64, made: Option<usize>) -> Result<u64, String> {
        let first = made.unwrap_or(self.model.history.len());
        if made.is_none() {
            self.model.expire_due(clock);
        }
        for position in first.. {
            let t = clock.max(self.last_time + 1);
            let Some((_, payment)) = self.state.next_due(t).expect("memory") else { return Ok(t) };
            let at = At { t_nanos: t, log_index: LogIndex(self.next_index), recorded_at_nanos: t };
            let payment_id = self.state.payment(payment).expect("memory").id;
            let effects = expire(&self.state, payment, at).expect("memory");
            self.last_time = t;
            let own = self.model.history.get(position).and_then(|entry| entry.payment);
            same("payment that expires", &Some(payment.0 as usize), &own)?;
            self.absorb_at(t, 0, Subject::Expiry { payment_id }, &effects)?;
        }
        unreachable!("an endless range")
    }

    fn absorb(&mut self, outcome: u16, subject: Subject<'_>, effects: &Effects) -> Result<(), String> {
        let time = self.model.history[self.next_index as usize].recorded_at;
        self.last_time = time;
        self.absorb_at(time, outcome, subject, effects)
    }

    fn absorb_at(
        &mut self,
        recorded_at_nanos: u64,
        outcome: u16,
        subject: Subject<'_>,
        effects: &Effects,
    ) -> Result<(), String> {
        let entry = &self.model.history[self.next_index as usize];
        same("lines", &effects.lines, &entry.lines)?;
        let own: BTreeSet<usize> = effects.accounts.iter().map(|(index, _)| index.0 as usize).collect();
        same("accounts that change", &own, &entry.accounts)?;
        let own = effects.payments.iter().map(|(index, _)| index.0 as usize).collect::<Vec<_>>();
        same("payments that change", &own, &entry.payment.into_iter().collect())?;
        let own = effects.keys.iter().map(|(index, _)| index.0 as usize).collect::<Vec<_>>();
        same("keys that change", &own, &entry.key.into_iter().collect())?;
        let log_index = LogIndex(self.next_index);
        self.state.absorb(&ExecutedEntry { log_index, recorded_at_nanos, outcome, subject, effects });
        self.next_index += 1;
        Ok(())
    }

    /// The last record of each account, payment and key that a unit changed.
    fn changed(&self, outcomes: &[MemberOutcome]) -> Result<(), String> {
        let books = &self.model.books;
        let effects = || outcomes.iter().map(|outcome| &outcome.effects);
        let accounts: BTreeMap<_, _> =
            effects().flat_map(|effects| effects.accounts.iter().cloned()).collect();
        for (index, record) in accounts {
            same("account", record.as_ref(), &books.accounts[index.0 as usize].record())?;
        }
        let payments: BTreeMap<_, _> =
            effects().flat_map(|effects| effects.payments.iter().cloned()).collect();
        for (index, record) in payments {
            same("payment", record.as_ref(), &books.payments[index.0 as usize].record())?;
        }
        let keys: BTreeMap<_, _> = effects().flat_map(|effects| effects.keys.iter().cloned()).collect();
        for (index, record) in keys {
            same("key", record.as_ref(), &books.keys[index.0 as usize].record())?;
        }
        Ok(())
    }
}

/// The genesis of the generated worlds.
pub fn genesis(threshold: u32) -> Genesis {
    let mut operators: Vec<Operator> = ["op0", "op1", "op2"]
        .iter()
        .map(|name| Operator { key: keyring::key(name), party: (*name).to_owned() })
        .collect();
    operators.sort_by(|one, other| one.key.cmp(&other.key));
    let currency =
        |(code, exponent): &(&str, u8)| Currency { code: (*code).to_owned(), exponent: u32::from(*exponent) };
    Genesis {
        origin: "ledger.example/model".to_owned(),
        log_key: keyring::key("log"),
        operators,
        operator_threshold: threshold,
        currencies: CURRENCIES.iter().map(currency).collect(),
        rules_version: 1,
        limits: Some(Limits { group_members: GROUP_MEMBERS, batch_members: 8 }),
        nonce: vec![7; 32],
        predecessor: Vec::new(),
    }
}

/// A member for either side, or the code of what cannot be decoded.
fn decoded(sent: &Sent) -> Result<(Member, VerifiedEvent), u16> {
    let payload = sent.payload.clone();
    let mut submitted = Submitted { payload_type: EVENT_TYPE.to_owned(), payload, ..Submitted::default() };
    let signed = SignedEvent::decode(submitted.clone()).map_err(|refusal| refusal.code.number())?;
    let event = signed.event().clone();
    let (signatures, forms, is_checked) = signatures(sent, &event);
    submitted.signatures = signatures;
    let signed = SignedEvent::decode(submitted).expect("decoded before");
    let verified =
        if is_checked { VerifiedEvent::verify(signed, |_| None) } else { VerifiedEvent::trust(signed) };
    Ok((Member { event, payload: sent.payload.clone(), signatures: forms }, verified))
}

type Signatures = (Vec<(Vec<u8>, Vec<u8>)>, Vec<Signature>, bool);

fn signatures(sent: &Sent, event: &Event) -> Signatures {
    let is_checked = matches!(sent.signed, Signed::Checked | Signed::Forged)
        && event.signers.iter().all(|key| keyring::secret(key).is_some());
    let message = if is_checked { dsse::message(EVENT_TYPE, &sent.payload) } else { Vec::new() };
    let mut given: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for key in &event.signers {
        let secret = keyring::secret(key).filter(|_| is_checked);
        let signature = secret.map_or(vec![0; 64], |secret| secret.sign(&message).to_vec());
        given.push((key.clone(), signature));
    }
    let mut forms = vec![Form::Valid; given.len()];
    match sent.signed {
        Signed::Good | Signed::Checked => {}
        Signed::Missing => {
            given.pop();
            forms.pop();
        }
        Signed::Foreign => {
            given.push((keyring::key("stranger"), vec![0; 64]));
            forms.push(Form::Valid);
        }
        Signed::Twice => {
            if let Some(first) = given.first().cloned() {
                given.push(first);
                forms.push(Form::Valid);
            }
        }
        Signed::Short => {
            if let Some((_, signature)) = given.first_mut() {
                signature.pop();
                forms[0] = Form::Malformed;
            }
        }
        Signed::Forged if is_checked => {
            if let Some((_, signature)) = given.first_mut() {
                signature[7] ^= 1;
                forms[0] = Form::Invalid;
            }
        }
        Signed::Forged => {}
    }
    // The order in which signatures are handed in means nothing.
    given.reverse();
    forms.reverse();
    let forms =
        given.iter().zip(forms).map(|((key, _), form)| Signature { key: key.clone(), form }).collect();
    (given, forms, is_checked)
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, core: &T, model: &T) -> Result<(), String> {
    if core == model { Ok(()) } else { Err(format!("{what}:\n   core {core:?}\n  model {model:?}")) }
}
