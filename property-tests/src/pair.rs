//! The core and the model side by side: the same commands, every answer and every record compared.

use std::collections::{BTreeMap, BTreeSet};

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{At, Effects, ExecutedEntry, MemberOutcome, Subject, execute, expire};
use ledger_core::batch::BATCH_TYPE;
use ledger_core::event::EVENT_TYPE;
use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
use ledger_core::ids::LogIndex;
use ledger_core::sidecar::Sidecar;
use ledger_core::state::MemoryState;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedBatch, VerifiedEvent};
use ledger_core::view::{State, StateView};
use ledger_crypto::dsse;

use crate::coverage::Coverage;
use crate::keyring;
use crate::model::{Answer, Form, Header, Ledger, Member, Offer, Signature, Way, invariants};
use crate::stream::{Command, Kind, Private, Sent, Signed, private_data};

/// 2026-01-05 09:00:00 UTC.
pub const START: u64 = 1_767_603_600_000_000_000;

/// Currencies of every exponent.
pub const CURRENCIES: [(&str, u8); 6] =
    [("CLF", 4), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("MRU", 1), ("USD", 2)];

/// Most members of a group in these worlds.
pub const GROUP_MEMBERS: u32 = 5;

/// Most members of a batch in these worlds.
pub const BATCH_MEMBERS: u32 = 8;

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
            Kind::Single | Kind::Group | Kind::Batch => self.unit(command)?,
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
        let (offer, unit) = match both(command) {
            Ok(both) => both,
            Err(code) => {
                self.coverage.undecodable(code);
                return self.expire_due(command.clock, None).map(drop);
            }
        };
        let first = self.model.history.len();
        let answer = self.model.offer(&offer, command.clock);
        self.coverage.answer(&offer, &answer);

        let t = self.expire_due(command.clock, Some(first))?;
        match admit(&self.state, &unit, t).expect("memory") {
            Admission::BatchRejected(refusal) => {
                let own = Answer::TurnedAway { member: 0, code: refusal.code };
                same(&format!("admission of a batch ({refusal})"), &own, &answer)
            }
            Admission::Rejected { member, refusal } => {
                // A fault of the whole is shown where it was seen; which member that is no rule says.
                let member = if refusal.code.group() == 2 { 0 } else { member };
                let own = Answer::TurnedAway { member, code: refusal.code };
                same(&format!("admission ({refusal})"), &own, &answer)
            }
            Admission::Known(originals) => {
                let own = originals.iter().map(|known| (known.log_index.0, known.outcome)).collect();
                same("admission", &Answer::Known(own), &answer)
            }
            Admission::Admitted => self.execute(&unit, t, &answer),
        }
    }

    fn execute(&mut self, unit: &Unit, t: u64, answer: &Answer) -> Result<(), String> {
        let Answer::Recorded(expected) = answer else {
            return same("admission", &Answer::Recorded(Vec::new()), answer);
        };
        if let Some(header) = unit.header() {
            self.last_time = t;
            let batch_id = header.batch_id().expect("admitted");
            self.absorb(t, (t, 0), Subject::Batch { batch_id }, &Effects::default())?;
        }
        let mut outcomes: Vec<MemberOutcome> = Vec::new();
        for run in unit.runs() {
            let recorded_at_nanos = t.max(self.last_time + 1);
            let at = At { t_nanos: t, log_index: LogIndex(self.next_index), recorded_at_nanos };
            let made = execute(&self.state, run, at).expect("memory");
            let numbers: Vec<u16> = made.iter().map(MemberOutcome::number).collect();
            let refusals: Vec<_> = made.iter().filter_map(|outcome| outcome.refusal.as_ref()).collect();
            let told = expected.get(outcomes.len()..).unwrap_or_default();
            let told = &told[..told.len().min(made.len())];
            same(&format!("outcomes ({refusals:?})"), numbers.as_slice(), told)?;
            for (member, outcome) in run.iter().zip(&made) {
                let signed = member.signed();
                let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
                self.last_time = t.max(self.last_time + 1);
                self.absorb(t, (self.last_time, outcome.number()), subject, &outcome.effects)?;
            }
            outcomes.extend(made);
        }
        same("members", &outcomes.len(), &expected.len())?;
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
            self.absorb(t, (t, 0), Subject::Expiry { payment_id }, &effects)?;
        }
        unreachable!("an endless range")
    }

    fn absorb(
        &mut self,
        t_nanos: u64,
        (recorded_at_nanos, outcome): (u64, u16),
        subject: Subject<'_>,
        effects: &Effects,
    ) -> Result<(), String> {
        let entry = &self.model.history[self.next_index as usize];
        same("time of an entry", &recorded_at_nanos, &entry.recorded_at)?;
        same("lines", &effects.lines, &entry.lines)?;
        let own: BTreeSet<usize> = effects.accounts.iter().map(|(index, _)| index.0 as usize).collect();
        same("accounts that change", &own, &entry.accounts)?;
        let own = effects.payments.iter().map(|(index, _)| index.0 as usize).collect::<Vec<_>>();
        same("payments that change", &own, &entry.payment.into_iter().collect())?;
        let own = effects.keys.iter().map(|(index, _)| index.0 as usize).collect::<Vec<_>>();
        same("keys that change", &own, &entry.key.into_iter().collect())?;
        let log_index = LogIndex(self.next_index);
        let executed = ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome, subject, effects };
        self.state.absorb(&executed);
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
        limits: Some(Limits { group_members: GROUP_MEMBERS, batch_members: BATCH_MEMBERS }),
        nonce: vec![7; 32],
        predecessor: Vec::new(),
    }
}

/// A unit for either side, or the code of what cannot be decoded.
fn both(command: &Command) -> Result<(Offer, Unit), u16> {
    let mut sent = command.members.as_slice();
    let mut headers = None;
    if command.kind == Kind::Batch
        && let Some((first, rest)) = sent.split_first()
    {
        headers = Some(header(first)?);
        sent = rest;
    }
    let decode = if headers.is_some() { batched } else { member };
    let members = sent.iter().map(decode).collect::<Result<Vec<_>, u16>>()?;
    let (own, members): (Vec<Member>, Vec<VerifiedEvent>) = members.into_iter().unzip();
    Ok(match headers {
        Some((header, verified)) => {
            (Offer { way: Way::Batch(header), members: own }, Unit::batch(verified, members))
        }
        None if command.kind == Kind::Single => {
            let single = members.into_iter().next().expect("one event");
            (Offer { way: Way::Single, members: own }, Unit::single(single))
        }
        None => (Offer { way: Way::Group, members: own }, Unit::group(members)),
    })
}

fn header(sent: &Sent) -> Result<(Header, VerifiedBatch), u16> {
    let mut submitted = submitted(sent, BATCH_TYPE);
    let decoded = VerifiedBatch::trust(submitted.clone()).map_err(|refusal| refusal.code.number())?;
    let batch = decoded.batch().clone();
    let (given, signatures, is_checked) = signatures(sent, BATCH_TYPE, &batch.signers);
    submitted.signatures = given;
    let verified =
        if is_checked { VerifiedBatch::verify(submitted, |_| None) } else { VerifiedBatch::trust(submitted) };
    Ok((Header { batch, signatures }, verified.expect("decoded before")))
}

fn batched(sent: &Sent) -> Result<(Member, VerifiedEvent), u16> {
    let signed = SignedEvent::decode_batched(submitted(sent, EVENT_TYPE));
    let signed = signed.map_err(|refusal| refusal.code.number())?;
    let (event, private) = (signed.event().clone(), private_data(sent.private));
    let own = Member { event, payload: sent.payload.clone(), signatures: Vec::new(), private };
    Ok((own, VerifiedEvent::of_batch(signed)))
}

fn member(sent: &Sent) -> Result<(Member, VerifiedEvent), u16> {
    let mut submitted = submitted(sent, EVENT_TYPE);
    let signed = SignedEvent::decode(submitted.clone()).map_err(|refusal| refusal.code.number())?;
    let event = signed.event().clone();
    let (given, signatures, is_checked) = signatures(sent, EVENT_TYPE, &event.signers);
    submitted.signatures = given;
    let signed = SignedEvent::decode(submitted).expect("decoded before");
    let verified =
        if is_checked { VerifiedEvent::verify(signed, |_| None) } else { VerifiedEvent::trust(signed) };
    // Private data is looked at where signatures are.
    let private = private_data(sent.private).filter(|_| is_checked);
    Ok((Member { event, payload: sent.payload.clone(), signatures, private }, verified))
}

fn submitted(sent: &Sent, payload_type: &str) -> Submitted {
    let sidecar = private_data(sent.private).map(|(salt, metadata)| Sidecar { salt, metadata });
    let (payload_type, payload) = (payload_type.to_owned(), sent.payload.clone());
    Submitted { payload_type, payload, signatures: Vec::new(), sidecar }
}

type Signatures = (Vec<(Vec<u8>, Vec<u8>)>, Vec<Signature>, bool);

/// The signatures as they are handed in, what is known of them, and whether the core shall check them.
fn signatures(sent: &Sent, payload_type: &str, signers: &[Vec<u8>]) -> Signatures {
    let asks = matches!(sent.signed, Signed::Checked | Signed::Forged) || sent.private != Private::None;
    let is_checked = asks && signers.iter().all(|key| keyring::secret(key).is_some());
    let message = if is_checked { dsse::message(payload_type, &sent.payload) } else { Vec::new() };
    let mut given: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for key in signers {
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
