//! Dry run: what a submission would be answered now, by the same decoding, checks and rules, on a copy of the published
//! state that is thrown away. Nothing is queued, recorded or written.

use std::sync::Arc;

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{At, ExecutedEntry, MemberOutcome, Subject, execute, expire};
use ledger_core::code::{Code, Refusal};
use ledger_core::event::Event;
use ledger_core::ids::{EventId, LogIndex};
use ledger_core::unit::{Submitted, Unit, VerifiedEvent};
use ledger_core::view::{State as _, StateView as _, ViewError};

use crate::answer::{Answer, EventAnswer, Failure};
use crate::intake::{event_of, explained, known_answer, rejected};
use crate::ledger::Ledger;
use crate::tail::Tail;
use crate::view::View;
use crate::writer::Step;

/// What a submission would be answered.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct DryRun {
    /// One answer per event. Log indices and times are those that the events would get if nothing came in between.
    pub answers: Vec<EventAnswer>,
    /// First log index that was not there.
    pub read_at: LogIndex,
}

/// The copy.
struct Trial {
    view: Arc<View>,
    tail: Tail,
    now_nanos: u64,
    /// Events that this dry run has let in.
    tried: Vec<(EventId, LogIndex, Event)>,
}

impl Ledger {
    /// What [`Ledger::submit`] would answer now, each event on top of those before it. Bounded as a submission is.
    /// Decoding and signature checks happen in this call: keep it off async threads.
    pub fn dry_run(&self, events: Vec<Submitted>) -> Result<DryRun, Failure> {
        let asked = self.shared().asked(&events, self.shared().config.request_max_bytes);
        let view = self.view();
        let steps = self.shared().trial(&view, asked, |shared, view| shared.single_steps(view, events))?;
        self.decide(view, steps)
    }

    /// What [`Ledger::submit_atomic`] would answer now.
    pub fn dry_run_atomic(&self, events: Vec<Submitted>) -> Result<DryRun, Failure> {
        let config = &self.shared().config;
        let asked = self.shared().asked(&events, config.request_max_bytes.min(config.unit_max_bytes));
        let view = self.view();
        let steps = self.shared().trial(&view, asked, |shared, view| shared.group_step(view, events))?;
        self.decide(view, steps)
    }

    fn decide(&self, view: Arc<View>, steps: Vec<Step>) -> Result<DryRun, Failure> {
        let now_nanos = self.shared().config.clock.read().wall_nanos;
        let read_at = view.next_index();
        let mut trial = Trial { tail: view.tail().clone(), view, now_nanos, tried: Vec::new() };
        let mut answers = Vec::new();
        for step in steps {
            match step {
                Step::Answered(answered) => answers.extend(answered),
                Step::Unit { unit, .. } => {
                    let decided = trial.decide(&unit);
                    answers.extend(decided.map_err(|error| Failure::InvariantBroken(error.to_string()))?);
                }
            }
        }
        Ok(DryRun { answers, read_at })
    }
}

impl Trial {
    fn decide(&mut self, unit: &Unit) -> Result<Vec<EventAnswer>, ViewError> {
        let t_nanos = self.expire_due()?;
        let id = |member: usize| unit.members.get(member).and_then(|member| member.signed().event_id());
        match admit(&self.tail, unit, t_nanos)? {
            Admission::Known(known) => {
                let answer =
                    |(member, known)| EventAnswer { event_id: id(member), answer: known_answer(known) };
                Ok(known.iter().enumerate().map(answer).collect())
            }
            Admission::Rejected { member: failing, refusal } => {
                let refusal = explained(unit, failing, refusal, |id| self.original(id));
                let of_others = Refusal::of(Code::GroupMemberFailed, "group", failing, refusal.code);
                let answer = |member| {
                    rejected(id(member), if member == failing { refusal.clone() } else { of_others.clone() })
                };
                Ok((0..unit.members.len().max(1)).map(answer).collect())
            }
            Admission::BatchRejected(refusal) => {
                Ok((0..unit.members.len()).map(|member| rejected(id(member), refusal.clone())).collect())
            }
            Admission::Admitted => self.execute(unit, t_nanos),
        }
    }

    /// Executes an admitted unit, run after run. No dry run is of a signed batch, so there is no header to take.
    fn execute(&mut self, unit: &Unit, t_nanos: u64) -> Result<Vec<EventAnswer>, ViewError> {
        let mut answers = Vec::with_capacity(unit.members.len());
        for run in unit.runs() {
            let recorded_at_nanos = t_nanos.max(self.tail.last_nanos() + 1);
            let first = At { t_nanos, log_index: self.tail.next_index(), recorded_at_nanos };
            let outcomes = execute(&self.tail, run, first)?;
            answers.extend(self.take(run, first, outcomes));
        }
        Ok(answers)
    }

    /// Expires what is due, as the writer does before a unit; the time of the unit.
    fn expire_due(&mut self) -> Result<u64, ViewError> {
        loop {
            let t_nanos = self.now_nanos.max(self.tail.last_nanos() + 1);
            let Some((_, payment)) = self.tail.next_due(t_nanos)? else { return Ok(t_nanos) };
            let log_index = self.tail.next_index();
            let at = At { t_nanos, log_index, recorded_at_nanos: t_nanos };
            let effects = expire(&self.tail, payment, at)?;
            let payment_id = self.tail.payment(payment)?.id;
            self.tail.absorb(&ExecutedEntry {
                log_index,
                recorded_at_nanos: t_nanos,
                t_nanos,
                outcome: 0,
                subject: Subject::Expiry { payment_id },
                effects: &effects,
            });
        }
    }

    fn take(&mut self, run: &[VerifiedEvent], first: At, outcomes: Vec<MemberOutcome>) -> Vec<EventAnswer> {
        let mut answers = Vec::with_capacity(run.len());
        for (position, (member, outcome)) in (0u64..).zip(run.iter().zip(outcomes)) {
            let signed = member.signed();
            let log_index = LogIndex(first.log_index.0 + position);
            let recorded_at_nanos = first.recorded_at_nanos + position;
            let number = outcome.number();
            self.tail.absorb(&ExecutedEntry {
                log_index,
                recorded_at_nanos,
                t_nanos: first.t_nanos,
                outcome: number,
                subject: Subject::Event { event: signed.event(), digest: *signed.digest() },
                effects: &outcome.effects,
            });
            self.tried.extend(signed.event_id().map(|id| (id, log_index, signed.event().clone())));
            let detail = outcome.refusal.map(|refusal| refusal.detail).unwrap_or_default();
            let answer = Answer::Recorded {
                log_index,
                recorded_at_nanos,
                outcome: number,
                already_exists: false,
                detail,
            };
            answers.push(EventAnswer { event_id: signed.event_id(), answer });
        }
        answers
    }

    /// An event with this id, of this dry run or of the log.
    fn original(&self, id: &EventId) -> Option<(LogIndex, Event)> {
        if let Some((_, at, event)) = self.tried.iter().find(|(tried, ..)| tried == id) {
            return Some((*at, event.clone()));
        }
        let at = self.view.event(id).ok()??.log_index;
        event_of(&self.view.entry(at).ok()?).map(|event| (at, event))
    }
}
