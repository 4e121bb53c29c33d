//! Deciding: the expiries that are due, admission, places in the log, the rules. The writer does it for its groups and a
//! dry run for nobody, on state and a [`Log`] of their own.

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{At, Effects, ExecutedEntry, MemberOutcome, NotAdmitted, Subject, execute, expire};
use ledger_core::code::{Code, Refusal};
use ledger_core::event::Event;
use ledger_core::ids::{BatchId, EventId, LogIndex, PaymentId, PaymentIndex};
use ledger_core::unit::{Unit, VerifiedBatch, VerifiedEvent};
use ledger_core::view::{State as _, StateView as _, ViewError};

use crate::answer::{Answer, EventAnswer};
use crate::intake::{explained, known_answer, rejected};
use crate::tail::Tail;

/// Where decided entries go.
pub(crate) trait Log {
    /// Takes an entry, given the state before it.
    fn append(&mut self, before: &Tail, decided: &Decided<'_>) -> Result<(), ViewError>;

    /// The event that stands at an index of the log, when it can be read back.
    fn event_at(&self, log_index: LogIndex) -> Option<Event>;
}

/// An entry with its place, its outcome and what it does.
pub(crate) struct Decided<'a> {
    pub(crate) content: Content<'a>,
    pub(crate) at: At,
    pub(crate) outcome: u16,
    pub(crate) effects: &'a Effects,
}

/// What an entry holds.
#[derive(Clone, Copy)]
pub(crate) enum Content<'a> {
    Expiry(PaymentId),
    Header(&'a VerifiedBatch, BatchId),
    Member(Member<'a>),
}

/// An event, with its place in its unit.
#[derive(Clone, Copy)]
pub(crate) struct Member<'a> {
    pub(crate) event: &'a VerifiedEvent,
    pub(crate) group_len: u16,
    pub(crate) group_index: u16,
    /// In its batch, when it is in one.
    pub(crate) position: u32,
}

impl<'a> Decided<'a> {
    /// As state takes it.
    pub(crate) fn executed(&self) -> ExecutedEntry<'a> {
        let subject = match self.content {
            Content::Expiry(payment_id) => Subject::Expiry { payment_id },
            Content::Header(_, batch_id) => Subject::Batch { batch_id },
            Content::Member(Member { event, .. }) => {
                let signed = event.signed();
                Subject::Event { event: signed.event(), digest: *signed.digest() }
            }
        };
        let At { t_nanos, log_index, recorded_at_nanos } = self.at;
        ExecutedEntry {
            log_index,
            recorded_at_nanos,
            t_nanos,
            outcome: self.outcome,
            subject,
            effects: self.effects,
        }
    }
}

/// State and log while units are decided, at one reading of the clock.
pub(crate) struct Sequencer<'s, L> {
    pub(crate) tail: &'s mut Tail,
    pub(crate) log: &'s mut L,
    pub(crate) now_nanos: u64,
}

impl<L: Log> Sequencer<'_, L> {
    /// The payment whose hold has run out by the time of the next entry, the least (time, payment) of several.
    pub(crate) fn next_due(&self) -> Result<Option<PaymentIndex>, ViewError> {
        Ok(self.tail.next_due(self.tail.next_nanos(self.now_nanos))?.map(|(_, payment)| payment))
    }

    /// Appends the expiry of a payment that is due.
    pub(crate) fn expire(&mut self, payment: PaymentIndex) -> Result<(), ViewError> {
        let at = self.next_place();
        let effects = expire(self.tail, payment, at)?;
        let content = Content::Expiry(self.tail.payment(payment)?.id);
        self.append(&Decided { content, at, outcome: 0, effects: &effects })
    }

    /// Admits a unit, when nothing is due, and applies it: from here every refusal is an entry, not an error.
    pub(crate) fn decide(&mut self, unit: &Unit) -> Result<Vec<EventAnswer>, ViewError> {
        let id = |member: usize| unit.members().get(member).and_then(|member| member.signed().event_id());
        match admit(self.tail, unit, self.tail.next_nanos(self.now_nanos))? {
            Admission::Known(known) => {
                let answer =
                    |(member, known)| EventAnswer { event_id: id(member), answer: known_answer(known) };
                Ok(known.iter().enumerate().map(answer).collect())
            }
            Admission::Rejected { member: failing, refusal } => {
                let refusal = explained(unit, failing, refusal, |id| self.original(id));
                let whole = if unit.header().is_some() { "batch" } else { "group" };
                let of_others = Refusal::of(Code::GroupMemberFailed, whole, failing, refusal.code);
                let answer = |member| {
                    rejected(id(member), if member == failing { refusal.clone() } else { of_others.clone() })
                };
                Ok((0..unit.members().len().max(1)).map(answer).collect())
            }
            Admission::BatchRejected(refusal) => {
                Ok((0..unit.members().len()).map(|member| rejected(id(member), refusal.clone())).collect())
            }
            Admission::Admitted => self.append_unit(unit),
        }
    }

    /// Executes an admitted unit, run after run. The time of its first entry is that of the unit.
    fn append_unit(&mut self, unit: &Unit) -> Result<Vec<EventAnswer>, ViewError> {
        let t_nanos = self.tail.next_nanos(self.now_nanos);
        if let Some(header) = unit.header() {
            let batch_id = header.batch_id().ok_or(NotAdmitted("batch_id"))?;
            let (content, effects) = (Content::Header(header, batch_id), Effects::default());
            self.append(&Decided { content, at: self.next_place(), outcome: 0, effects: &effects })?;
        }
        let mut answers = Vec::with_capacity(unit.members().len());
        for run in unit.runs() {
            let first = At { t_nanos, ..self.next_place() };
            let outcomes = execute(self.tail, run, first)?;
            self.append_run(run, first, outcomes, &mut answers)?;
        }
        Ok(answers)
    }

    /// Appends the entries of a run, with the answer to each.
    fn append_run(
        &mut self,
        run: &[VerifiedEvent],
        first: At,
        outcomes: Vec<MemberOutcome>,
        answers: &mut Vec<EventAnswer>,
    ) -> Result<(), ViewError> {
        let group_len = run.len() as u16;
        for (group_index, (event, outcome)) in (0u16..).zip(run.iter().zip(outcomes)) {
            let at = At {
                log_index: LogIndex(first.log_index.0 + u64::from(group_index)),
                recorded_at_nanos: first.recorded_at_nanos + u64::from(group_index),
                ..first
            };
            let number = outcome.number();
            let position = answers.len() as u32;
            let content = Content::Member(Member { event, group_len, group_index, position });
            self.append(&Decided { content, at, outcome: number, effects: &outcome.effects })?;
            let answer = Answer::Recorded {
                log_index: at.log_index,
                recorded_at_nanos: at.recorded_at_nanos,
                outcome: number,
                already_exists: false,
                detail: outcome.refusal.map(|refusal| refusal.detail).unwrap_or_default(),
            };
            answers.push(EventAnswer { event_id: event.signed().event_id(), answer });
        }
        Ok(())
    }

    fn append(&mut self, decided: &Decided<'_>) -> Result<(), ViewError> {
        self.log.append(self.tail, decided)?;
        self.tail.absorb(&decided.executed());
        Ok(())
    }

    /// The place of the next entry, were it the first of a unit.
    fn next_place(&self) -> At {
        let recorded_at_nanos = self.tail.next_nanos(self.now_nanos);
        At { t_nanos: recorded_at_nanos, log_index: self.tail.next_index(), recorded_at_nanos }
    }

    /// An event that is known, and its place.
    fn original(&self, id: &EventId) -> Option<(LogIndex, Event)> {
        let at = self.tail.known_event(id).ok()??.log_index;
        self.log.event_at(at).map(|event| (at, event))
    }
}
