//! Dry run: what a submission would be answered now, by the same decoding, checks and sequencer, on a copy of the
//! published state that is thrown away. Nothing is queued, recorded or written.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_core::event::Event;
use ledger_core::ids::LogIndex;
use ledger_core::unit::{Submitted, Unit};
use ledger_core::view::ViewError;

use crate::answer::{EventAnswer, Failure};
use crate::intake::event_of;
use crate::ledger::Ledger;
use crate::sequencer::{Content, Decided, Log, Member, Sequencer};
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

impl Ledger {
    /// What [`Ledger::submit`] would answer now, each event on top of those before it. Bounded as a submission is.
    /// Decoding and signature checks happen in this call: keep it off async threads.
    pub fn dry_run(&self, events: Vec<Submitted>) -> Result<DryRun, Failure> {
        let asked = self.shared().asked(&events, self.shared().config.request_max_bytes);
        let view = self.view();
        let steps = self.shared().trial(&view, asked, |shared, view| shared.single_steps(view, events))?;
        self.try_out(view, steps)
    }

    /// What [`Ledger::submit_atomic`] would answer now.
    pub fn dry_run_atomic(&self, events: Vec<Submitted>) -> Result<DryRun, Failure> {
        let config = &self.shared().config;
        let asked = self.shared().asked(&events, config.request_max_bytes.min(config.unit_max_bytes));
        let view = self.view();
        let steps = self.shared().trial(&view, asked, |shared, view| shared.group_step(view, events))?;
        self.try_out(view, steps)
    }

    /// What [`Ledger::submit_batch`] would answer now.
    pub fn dry_run_batch(&self, header: Submitted, members: Vec<Submitted>) -> Result<DryRun, Failure> {
        let asked = self.shared().asked_batch(&header, &members);
        let view = self.view();
        let steps =
            self.shared().trial(&view, asked, |shared, view| shared.batch_step(view, header, members))?;
        self.try_out(view, steps)
    }

    fn try_out(&self, view: Arc<View>, steps: Vec<Step>) -> Result<DryRun, Failure> {
        let now_nanos = self.shared().config.clock.read().wall_nanos;
        let (mut tail, read_at) = (view.tail().clone(), view.next_index());
        let mut log = Trial { view, tried: BTreeMap::new() };
        let mut sequencer = Sequencer { tail: &mut tail, log: &mut log, now_nanos };
        let mut answers = Vec::new();
        for step in steps {
            match step {
                Step::Answered(answered) => answers.extend(answered),
                Step::Unit { unit, .. } => {
                    let decided = decide(&mut sequencer, &unit);
                    answers.extend(decided.map_err(|error| Failure::InvariantBroken(error.to_string()))?);
                }
            }
        }
        Ok(DryRun { answers, read_at })
    }
}

/// As the writer does, but that no block is cut.
fn decide(sequencer: &mut Sequencer<'_, Trial>, unit: &Unit) -> Result<Vec<EventAnswer>, ViewError> {
    while let Some(payment) = sequencer.next_due()? {
        sequencer.expire(payment)?;
    }
    sequencer.decide(unit)
}

/// A log that nobody keeps, on top of a published one.
struct Trial {
    view: Arc<View>,
    /// Events that this dry run has let in.
    tried: BTreeMap<LogIndex, Event>,
}

impl Log for Trial {
    fn append(&mut self, _: &Tail, decided: &Decided<'_>) -> Result<(), ViewError> {
        if let Content::Member(Member { event, .. }) = decided.content {
            self.tried.insert(decided.at.log_index, event.signed().event().clone());
        }
        Ok(())
    }

    fn event_at(&self, log_index: LogIndex) -> Option<Event> {
        match self.tried.get(&log_index) {
            Some(event) => Some(event.clone()),
            None => event_of(&self.view.entry(log_index).ok()?),
        }
    }
}
