//! The core and the model side by side: the same commands, every answer and every record compared.

use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::panic::{AssertUnwindSafe, catch_unwind};

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{At, Effects, ExecutedEntry, MemberOutcome, Subject, execute, expire};
use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
use ledger_core::ids::LogIndex;
use ledger_core::invariants::Invariants;
use ledger_core::state::MemoryState;
use ledger_core::unit::Unit;
use ledger_core::view::{State, StateView};

use crate::coverage::Coverage;
use crate::keyring;
use crate::model::invariants::{self, Fold};
use crate::model::{Answer, Ledger};
use crate::offered::both;
use crate::stream::{Command, Kind};

/// 2026-01-05 09:00:00 UTC.
pub const START: u64 = 1_767_603_600_000_000_000;

/// Currencies of every exponent.
pub const CURRENCIES: [(&str, u8); 6] =
    [("CLF", 4), ("EUR", 2), ("JPY", 0), ("KWD", 3), ("MRU", 1), ("USD", 2)];

/// Most members of a group in these worlds.
pub const GROUP_MEMBERS: u32 = 5;

/// Most members of a batch in these worlds.
pub const BATCH_MEMBERS: u32 = 8;

/// Commands after which everything is compared and added up.
const FULL_EVERY: usize = 250;

/// Both of them.
#[derive(Clone)]
pub struct Pair {
    /// The model.
    pub model: Ledger,
    /// The core's state.
    pub state: MemoryState,
    /// What was reached.
    pub coverage: Coverage,
    /// What the last command was answered; `None` when it offered nothing.
    pub answer: Option<Answer>,
    /// The model's invariants.
    fold: Fold,
    /// The core's.
    invariants: Invariants,
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
        let mut fold = Fold::new(&model.fixed);
        model.history.iter().for_each(|entry| fold.take(entry).expect("a genesis and its seal"));
        Self {
            next_index: 2,
            last_time: model.last_time(),
            model,
            state: MemoryState::new(constants),
            coverage: Coverage::default(),
            answer: None,
            fold,
            invariants: Invariants::default(),
            commands: 0,
        }
    }

    /// Gives a command to both. The pair is of no use after an error.
    ///
    /// # Errors
    /// What differs, the invariant that is broken, or with what words one of them panicked.
    pub fn take(&mut self, command: &Command) -> Result<(), String> {
        caught(|| self.taken(command))
    }

    fn taken(&mut self, command: &Command) -> Result<(), String> {
        self.commands += 1;
        self.answer = None;
        let first = self.model.history.len();
        match command.kind {
            Kind::Seal => {
                self.model.seal();
                self.fold.take(&self.model.history[first])?;
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
        for entry in &history[first..] {
            for account in &entry.accounts {
                let counted = &self.fold.accounts()[*account];
                same("account, counted", counted, self.model.books.accounts[*account].as_ref())?;
            }
        }
        same("closed_through", &self.state.params().closed_through, &self.model.books.closed_through)?;
        let log_key = self.model.books.log_keys.last().expect("one");
        same("log key", &self.state.params().log_key.as_slice(), &log_key.as_slice())?;
        if self.commands.is_multiple_of(FULL_EVERY) { self.compared() } else { Ok(()) }
    }

    /// Compares everything, adds up both sides, and folds the whole log once more from its beginning.
    ///
    /// # Errors
    /// What differs, or the invariant that is broken.
    pub fn full(&self) -> Result<(), String> {
        caught(|| {
            self.compared()?;
            invariants::check(&self.model)
        })
    }

    fn compared(&self) -> Result<(), String> {
        let books = &self.model.books;
        let accounts: Vec<_> = self.state.accounts().iter().map(|record| record.as_ref().clone()).collect();
        same("accounts", &accounts, &books.accounts.iter().map(|account| account.record()).collect())?;
        let payments: Vec<_> = self.state.payments().iter().map(|record| record.as_ref().clone()).collect();
        same("payments", &payments, &books.payments.iter().map(|payment| payment.record()).collect())?;
        let keys: Vec<_> = self.state.keys().iter().map(|record| record.as_ref().clone()).collect();
        same("keys", &keys, &books.keys.iter().map(|key| key.record()).collect())?;
        let last = LogIndex(self.next_index - 1);
        self.invariants.check_whole(&self.state, last).map_err(|broken| format!("core: {broken}"))?;
        self.fold.compare(books)
    }

    fn unit(&mut self, command: &Command) -> Result<(), String> {
        let (offer, unit) = match both(command) {
            Ok(both) => both,
            Err(code) => {
                self.coverage.undecodable(code.number());
                self.answer = Some(Answer::TurnedAway { member: 0, code });
                return self.expire_due(command.clock, None).map(drop);
            }
        };
        let first = self.model.history.len();
        let answer = self.model.offer(&offer, command.clock);
        self.coverage.answer(&offer, &answer);
        self.answer = Some(answer.clone());

        let t = self.expire_due(command.clock, Some(first))?;
        match admit(&self.state, &unit, t).expect("memory") {
            Admission::BatchRejected(refusal) => {
                let own = match refusal.code {
                    code if code.group() == 2 => Answer::TurnedAway { member: 0, code },
                    code => Answer::HeaderTurnedAway(code),
                };
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
        self.fold.take(entry)?;
        for (index, record) in &effects.accounts {
            same("account", record.as_ref(), &self.fold.accounts()[index.0 as usize].record())?;
        }
        for ((_, record), after) in effects.payments.iter().zip(&entry.after) {
            same("payment", record.as_ref(), &after.record())?;
        }
        let log_index = LogIndex(self.next_index);
        let executed = ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome, subject, effects };
        let checked = self.invariants.check_entry(&self.state, &executed);
        checked.map_err(|broken| format!("core: {broken}"))?;
        self.state.absorb(&executed);
        same("totals", &self.state.totals().0, self.fold.totals())?;
        self.next_index += 1;
        Ok(())
    }

    /// The last record of each key that a unit changed.
    fn changed(&self, outcomes: &[MemberOutcome]) -> Result<(), String> {
        let keys = outcomes.iter().flat_map(|outcome| outcome.effects.keys.iter().cloned());
        for (index, record) in keys.collect::<BTreeMap<_, _>>() {
            same("key", record.as_ref(), &self.model.books.keys[index.0 as usize].record())?;
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

/// A panic as a difference.
pub(crate) fn caught<T>(play: impl FnOnce() -> Result<T, String>) -> Result<T, String> {
    catch_unwind(AssertUnwindSafe(play)).unwrap_or_else(|panic| Err(format!("panic: {}", words(&*panic))))
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("without words")
}

fn same<T: PartialEq + std::fmt::Debug + ?Sized>(what: &str, core: &T, model: &T) -> Result<(), String> {
    if core == model { Ok(()) } else { Err(format!("{what}:\n   core {core:?}\n  model {model:?}")) }
}
