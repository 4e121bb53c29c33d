//! The one writer thread: orders units, admits and applies them, commits group after group, publishes, answers.
//!
//! Everything that it decides leaves in order, after the sync of the group in which it was decided and after the state
//! is published.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{At, Effects, ExecutedEntry, MemberOutcome, Subject, execute, expire};
use ledger_core::code::{Code, Refusal};
use ledger_core::entry::{encode_batch_header, encode_batched_event, encode_event, encode_expiry};
use ledger_core::event::{Body, Event, MetadataErased};
use ledger_core::ids::{EventId, LogIndex, PaymentIndex};
use ledger_core::unit::{Submitted, Unit, VerifiedBatch, VerifiedEvent};
use ledger_core::view::{State as _, StateView as _, ViewError};
use ledger_merkle::leaf_hash;
use tokio::sync::oneshot;

use crate::answer::{Answer, EventAnswer, Failure};
use crate::base::Base;
use crate::block::{Cut, OpenBlock};
use crate::clock::{ClockGuard, Reading};
use crate::commit::{CommittedGroup, Group};
use crate::head::Marker;
use crate::intake::{event_of, explained, known_answer, rejected};
use crate::ledger::{Health, Shared};
use crate::sealer::{SealedCut, ToSealer};
use crate::tail::{ReadAhead, Tail};
use crate::view::View;

/// Most cuts that wait for their seal; then the writer waits.
const MAX_UNSEALED_CUTS: usize = 4;
/// How often an idle writer looks at the clock.
const IDLE_TICK: Duration = Duration::from_millis(50);

/// What reaches the writer.
pub(crate) enum Inbox {
    /// Units to decide.
    Request(Request),
    /// A seal to store.
    Sealed(Box<SealedCut>),
    /// The oldest frozen generation is in the store.
    Flushed(Arc<Base>),
    /// Decide what is queued, seal it, and end.
    Close(Sender<()>),
}

/// One unit of a request, or the answers that it got ahead of the queue.
pub(crate) enum Step {
    Answered(Vec<EventAnswer>),
    Unit { unit: Unit, ahead: Arc<ReadAhead> },
}

/// A request on its way through the writer.
pub(crate) struct Request {
    steps: std::vec::IntoIter<Step>,
    answers: Vec<EventAnswer>,
    bytes: usize,
    begun: bool,
    reply: oneshot::Sender<Result<Vec<EventAnswer>, Failure>>,
}

impl Request {
    pub(crate) fn new(
        steps: Vec<Step>,
        bytes: usize,
        reply: oneshot::Sender<Result<Vec<EventAnswer>, Failure>>,
    ) -> Self {
        Self {
            answers: Vec::with_capacity(steps.len()),
            steps: steps.into_iter(),
            bytes,
            begun: false,
            reply,
        }
    }
}

/// The writer's own state.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) tail: Tail,
    pub(crate) block: OpenBlock,
    pub(crate) clock: ClockGuard,
    pub(crate) marker: Marker,
    pub(crate) inbox: Receiver<Inbox>,
    pub(crate) sealer: Sender<ToSealer>,
    pub(crate) queue: VecDeque<Request>,
    pub(crate) seals: Vec<SealedCut>,
    pub(crate) unsealed_cuts: usize,
    pub(crate) closing: Option<Sender<()>>,
}

/// Why the writer ended before it was asked to.
enum Broken {
    Storage(String),
    Invariant(String),
}

impl From<ViewError> for Broken {
    fn from(error: ViewError) -> Self {
        Self::Invariant(error.to_string())
    }
}

/// A group in the making, with the time at which it is decided and the cuts that it makes.
struct Making {
    group: Group,
    now: Reading,
    now_nanos: u64,
    clock_is_off: bool,
    cuts: Vec<Cut>,
    /// Counts for the metrics: accepted, refused, rejected, known.
    counts: [u64; 4],
    expiries: u64,
    /// Events that took an account below its limit, because the money had moved already.
    overrides: u64,
    /// Members of each admitted batch.
    batches: Vec<u64>,
    codes: Vec<Code>,
}

impl Writer {
    /// Runs until it is closed or broken.
    pub(crate) fn run(mut self) {
        if let Err(broken) = self.run_to_end() {
            let failure = match broken {
                Broken::Storage(error) => {
                    tracing::error!(error, "a durable write failed or its outcome is unknown");
                    Failure::StorageUnavailable
                }
                Broken::Invariant(words) => Failure::InvariantBroken(words),
            };
            self.shared.stop(failure.clone());
            self.fail_queue(&failure);
        }
        self.shared.erasures.close();
    }

    fn run_to_end(&mut self) -> Result<(), Broken> {
        loop {
            self.receive();
            if let Some(failure) = self.stopped() {
                self.fail_queue(&failure);
                self.end();
                return Ok(());
            }
            let started = Instant::now();
            let making = self.make_group()?;
            let clock_is_off = making.clock_is_off;
            self.commit(making, started)?;
            if self.closing.is_some() && (self.is_drained() || clock_is_off) {
                self.end();
                return Ok(());
            }
        }
    }

    /// Why another thread stopped the ledger, if so.
    fn stopped(&self) -> Option<Failure> {
        match &*self.shared.health.borrow() {
            Health::Stopped(failure) => Some(failure.clone()),
            Health::Serving | Health::NotServing(_) => None,
        }
    }

    /// Waits for something to do, then takes everything that is there.
    fn receive(&mut self) {
        let blocked = self.unsealed_cuts >= MAX_UNSEALED_CUTS;
        let idle = self.queue.is_empty() && self.seals.is_empty();
        let to_cut = self.closing.is_some() && self.unsealed_cuts == 0;
        if blocked || (idle && !to_cut) {
            match self.inbox.recv_timeout(IDLE_TICK) {
                Ok(message) => self.take(message),
                Err(RecvTimeoutError::Timeout | RecvTimeoutError::Disconnected) => {}
            }
        }
        while let Ok(message) = self.inbox.try_recv() {
            self.take(message);
        }
    }

    fn take(&mut self, message: Inbox) {
        match message {
            Inbox::Request(request) => self.queue.push_back(request),
            Inbox::Sealed(sealed) => self.seals.push(*sealed),
            Inbox::Flushed(base) => self.tail.rebase(base),
            Inbox::Close(done) => self.closing = Some(done),
        }
    }

    /// Decides whole units, the first always, more while they fit.
    fn make_group(&mut self) -> Result<Making, Broken> {
        let now = self.shared.config.clock.read();
        let mut making = Making {
            group: Group { seals: std::mem::take(&mut self.seals), ..Group::default() },
            now,
            now_nanos: 0,
            clock_is_off: false,
            cuts: Vec::new(),
            counts: [0; 4],
            expiries: 0,
            overrides: 0,
            batches: Vec::new(),
            codes: Vec::new(),
        };
        match self.clock.accept(now, self.tail.last_nanos()) {
            Ok(now_nanos) => {
                self.set_health(Health::Serving);
                making.now_nanos = now_nanos;
            }
            Err(failure) => {
                self.set_health(Health::NotServing(failure.clone()));
                self.fail_queue(&failure);
                making.clock_is_off = true;
                return Ok(making);
            }
        }
        while making.group.entry_bytes < self.shared.config.commit_max_bytes {
            if !self.prepare(&mut making)? {
                break;
            }
            let Some(mut request) = self.queue.pop_front() else { break };
            request.begun = true;
            match request.steps.next() {
                Some(Step::Answered(answers)) => request.answers.extend(answers),
                Some(Step::Unit { unit, ahead }) => {
                    self.tail.use_ahead(ahead);
                    let answers = self.decide(&unit, &mut making)?;
                    request.answers.extend(answers);
                }
                None => {}
            }
            if request.steps.len() == 0 {
                self.shared.release(request.bytes);
                making.group.replies.push((request.reply, request.answers));
            } else {
                self.queue.push_front(request);
            }
        }
        self.tail.use_ahead(Arc::default());
        Ok(making)
    }

    /// Cuts if it is time, and appends the expiries that are due: after it, a unit may be decided. `false`: it may not,
    /// because too many cuts wait for their seal or the group is full.
    fn prepare(&mut self, making: &mut Making) -> Result<bool, Broken> {
        loop {
            if self.cut_is_due(making)? {
                if self.unsealed_cuts >= MAX_UNSEALED_CUTS {
                    return Ok(false);
                }
                self.cut(making);
            }
            let t_nanos = self.next_nanos(making);
            let Some((_, payment)) = self.tail.next_due(t_nanos)? else { return Ok(true) };
            if making.group.entry_bytes >= self.shared.config.commit_max_bytes {
                return Ok(false);
            }
            self.expire(payment, t_nanos, making)?;
        }
    }

    fn cut_is_due(&self, making: &Making) -> Result<bool, Broken> {
        let Some(since) = self.block.since_boot_nanos() else { return Ok(false) };
        let age = Duration::from_nanos(making.now.boot_nanos.saturating_sub(since));
        let config = &self.shared.config;
        let closing = self.closing.is_some()
            && self.queue.is_empty()
            && self.tail.next_due(self.next_nanos(making))?.is_none();
        Ok(closing
            || age >= config.block_max_age
            || self.block.entries() >= u64::from(config.block_max_entries))
    }

    /// `recorded_at` of the next entry.
    fn next_nanos(&self, making: &Making) -> u64 {
        making.now_nanos.max(self.tail.last_nanos() + 1)
    }

    /// Reserves the place of a seal.
    fn cut(&mut self, making: &mut Making) {
        let log_index = self.tail.next_index();
        let recorded_at_nanos = self.tail.last_nanos() + 1;
        let freeze = self.tail.freeze_at(&self.shared.config);
        making.group.push_entry(log_index.0, &[]);
        let cut = self.block.cut(log_index, recorded_at_nanos);
        self.tail.take_seal(cut.height, recorded_at_nanos, freeze);
        making.cuts.push(cut);
        self.unsealed_cuts += 1;
    }

    fn expire(&mut self, payment: PaymentIndex, t_nanos: u64, making: &mut Making) -> Result<(), Broken> {
        let log_index = self.tail.next_index();
        let at = At { t_nanos, log_index, recorded_at_nanos: t_nanos };
        let effects = expire(&self.tail, payment, at)?;
        let payment_id = self.tail.payment(payment)?.id;
        let mut entry = Vec::with_capacity(128);
        encode_expiry(t_nanos, &payment_id, &mut entry);
        self.append(&entry, at, 0, Subject::Expiry { payment_id }, &effects, making);
        making.expiries += 1;
        Ok(())
    }

    /// Admits a unit and applies it: from here every refusal is an entry, not an error.
    fn decide(&mut self, unit: &Unit, making: &mut Making) -> Result<Vec<EventAnswer>, Broken> {
        let t_nanos = self.next_nanos(making);
        let id = |member: usize| unit.members.get(member).and_then(|member| member.signed().event_id());
        match admit(&self.tail, unit, t_nanos)? {
            Admission::Known(known) => {
                making.counts[3] += known.len() as u64;
                let answer =
                    |(member, known)| EventAnswer { event_id: id(member), answer: known_answer(known) };
                Ok(known.iter().enumerate().map(answer).collect())
            }
            Admission::Rejected { member: failing, refusal } => {
                making.counts[2] += unit.members.len() as u64;
                making.codes.push(refusal.code);
                let refusal = explained(unit, failing, refusal, |id| self.original(id, making));
                let of_others = Refusal::of(Code::GroupMemberFailed, "group", failing, refusal.code);
                let answer = |member| {
                    rejected(id(member), if member == failing { refusal.clone() } else { of_others.clone() })
                };
                Ok((0..unit.members.len().max(1)).map(answer).collect())
            }
            Admission::BatchRejected(refusal) => {
                making.counts[2] += unit.members.len() as u64;
                making.codes.push(refusal.code);
                Ok((0..unit.members.len()).map(|member| rejected(id(member), refusal.clone())).collect())
            }
            Admission::Admitted => self.append_unit(unit, t_nanos, making),
        }
    }

    /// Executes an admitted unit, run after run, and appends its entries.
    fn append_unit(
        &mut self,
        unit: &Unit,
        t_nanos: u64,
        making: &mut Making,
    ) -> Result<Vec<EventAnswer>, Broken> {
        if let Some(header) = unit.header() {
            self.append_header(header, t_nanos, making)?;
        }
        let mut answers = Vec::with_capacity(unit.members.len());
        for run in unit.runs() {
            // Of the unit's first entry it is `t_nanos`, of those after it the next nanosecond.
            let recorded_at_nanos = t_nanos.max(self.tail.last_nanos() + 1);
            let first = At { t_nanos, log_index: self.tail.next_index(), recorded_at_nanos };
            let outcomes = execute(&self.tail, run, first)?;
            self.append_run(run, first, outcomes, &mut answers, making)?;
        }
        Ok(answers)
    }

    fn append_header(
        &mut self,
        header: &VerifiedBatch,
        t_nanos: u64,
        making: &mut Making,
    ) -> Result<(), Broken> {
        let signatures = header.signatures().map_err(admitted_unsigned)?;
        let batch_id = header
            .batch_id()
            .ok_or_else(|| Broken::Invariant("a batch without an id of 16 bytes was admitted".to_owned()))?;
        let payload = &header.submitted().payload;
        let mut entry = Vec::with_capacity(512);
        encode_batch_header(t_nanos, signatures, payload, &mut entry);
        let at = At { t_nanos, log_index: self.tail.next_index(), recorded_at_nanos: t_nanos };
        self.append(&entry, at, 0, Subject::Batch { batch_id }, &Effects::default(), making);
        making.batches.push(u64::from(header.batch().count));
        Ok(())
    }

    /// An event that is known, and its place: from the group in the making, else from the store.
    fn original(&self, id: &EventId, making: &Making) -> Option<(LogIndex, Event)> {
        let at = self.tail.known_event(id).ok()??.log_index;
        let entry = match making.group.bundles.entry(at.0) {
            Some(entry) => event_of(&entry),
            None => event_of(&self.shared.view.load().entry(at).ok()?),
        };
        entry.map(|event| (at, event))
    }

    /// Appends the entries of a run, with the answer to each.
    fn append_run(
        &mut self,
        run: &[VerifiedEvent],
        first: At,
        outcomes: Vec<MemberOutcome>,
        answers: &mut Vec<EventAnswer>,
        making: &mut Making,
    ) -> Result<(), Broken> {
        let group_len = run.len() as u16;
        let mut entry = Vec::with_capacity(1_024);
        for (index, (member, outcome)) in (0u16..).zip(run.iter().zip(outcomes)) {
            let at = At {
                log_index: LogIndex(first.log_index.0 + u64::from(index)),
                recorded_at_nanos: first.recorded_at_nanos + u64::from(index),
                ..first
            };
            let signed = member.signed();
            let number = outcome.number();
            entry.clear();
            let place = Place { at, outcome: number, group_len, index, position: answers.len() as u32 };
            encode_member(member, &place, &mut entry)?;
            let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
            self.append(&entry, at, number, subject, &outcome.effects, making);
            if let Some(sidecar) = &signed.submitted().sidecar {
                making.group.push_private(at.log_index.0, sidecar);
            }
            if let (0, Body::MetadataErased(erased)) = (number, &signed.event().body) {
                making.group.erasures.push((self.erased(erased)?, at.log_index.0));
            }
            making.counts[usize::from(number != 0)] += 1;
            making.overrides += u64::from(outcome.effects.overdrawn.is_some());
            making.codes.extend(outcome.refusal.as_ref().map(|refusal| refusal.code));
            let answer = Answer::Recorded {
                log_index: at.log_index,
                recorded_at_nanos: at.recorded_at_nanos,
                outcome: number,
                already_exists: false,
                detail: outcome.refusal.map(|refusal| refusal.detail).unwrap_or_default(),
            };
            answers.push(EventAnswer { event_id: signed.event_id(), answer });
        }
        Ok(())
    }

    /// Where the event stands whose private data is erased.
    fn erased(&self, erased: &MetadataErased) -> Result<u64, Broken> {
        let id = <[u8; 16]>::try_from(erased.event_id.as_slice()).ok().map(EventId);
        let known = id.map(|id| self.tail.known_event(&id)).transpose()?.flatten();
        let unknown = || Broken::Invariant("the private data of an unknown event was erased".into());
        Ok(known.ok_or_else(unknown)?.log_index.0)
    }

    fn append(
        &mut self,
        entry: &[u8],
        at: At,
        outcome: u16,
        subject: Subject<'_>,
        effects: &Effects,
        making: &mut Making,
    ) {
        making.group.push_entry(at.log_index.0, entry);
        self.block.push(leaf_hash(entry), effects, making.now.boot_nanos);
        let At { t_nanos, log_index, recorded_at_nanos } = at;
        self.tail.absorb(&ExecutedEntry { log_index, recorded_at_nanos, t_nanos, outcome, subject, effects });
    }

    /// Makes the group durable, publishes the state, answers, and hands the cuts to the sealer: in this order.
    fn commit(&mut self, making: Making, started: Instant) -> Result<(), Broken> {
        let durable = making.group.durable(self.tail.next_index().0);
        let has_rows = making.group.has_rows();
        let sync_started = Instant::now();
        let committed = match making.group.commit(&self.shared.store) {
            Ok(committed) => committed,
            Err((error, replies)) => {
                for (reply, _) in replies {
                    let _ = reply.send(Err(Failure::StorageUnavailable));
                }
                return Err(Broken::Storage(error.to_string()));
            }
        };
        let synced = sync_started.elapsed();
        if let Some(durable) = durable {
            self.marker.write(durable).map_err(|error| Broken::Storage(error.to_string()))?;
        }
        if !committed.seals.is_empty() {
            self.marker.sync().map_err(|error| Broken::Storage(error.to_string()))?;
        }
        for sealed in &committed.seals {
            self.unsealed_cuts -= 1;
            self.tail.set_sealed(sealed.block.seal.height, sealed.block.log_index);
        }
        if !committed.erasures.is_empty() {
            // Before anybody can see the events that order them, and take the erasures for done.
            self.shared.erasures.order(&committed.erasures);
        }
        self.publish();
        self.after_commit(&committed, making.cuts);
        if has_rows {
            self.shared.metrics.sync_duration_seconds.observe(synced.as_secs_f64());
            self.shared.metrics.syncs.inc();
        }
        self.shared.metrics.count_batches(&making.batches);
        self.shared.metrics.mandatory_overrides.inc_by(making.overrides);
        self.count(&committed, making.counts, making.expiries, &making.codes);
        committed.answer();
        if has_rows {
            self.shared.metrics.append_duration_seconds.observe(started.elapsed().as_secs_f64());
        }
        Ok(())
    }

    fn publish(&self) {
        let view = View::new(self.tail.clone(), self.shared.store.clone());
        self.shared.view.store(Arc::new(view));
    }

    /// The sealer never runs ahead of the durable log: it hears of a cut only now. If it is gone, so is this ledger:
    /// its failure has been reported.
    fn after_commit(&self, committed: &CommittedGroup, cuts: Vec<Cut>) {
        for sealed in &committed.seals {
            let _ = self.sealer.send(ToSealer::Durable(sealed.block.seal.height));
        }
        for cut in cuts {
            let _ = self.sealer.send(ToSealer::Cut(Box::new(cut)));
        }
    }

    fn count(&self, committed: &CommittedGroup, counts: [u64; 4], expiries: u64, codes: &[Code]) {
        let metrics = &self.shared.metrics;
        for (outcome, count) in ["accepted", "refused", "rejected", "already_exists"].into_iter().zip(counts)
        {
            if count > 0 {
                metrics.count_event(outcome, count);
            }
        }
        for code in codes {
            metrics.count_code(code.name(), 1);
        }
        metrics.expiries.inc_by(expiries);
        if committed.entry_count > 0 {
            metrics.events_batch_size.observe(committed.entry_count as f64);
        }
        metrics.blocks.inc_by(committed.seals.len() as u64);
        metrics.tell_log(&self.tail);
    }

    fn set_health(&self, health: Health) {
        self.shared.health.send_if_modified(|now| {
            let change = !matches!(now, Health::Stopped(_)) && *now != health;
            if change {
                tracing::warn!(?health, "health changed");
                *now = health;
            }
            change
        });
    }

    /// Answers everybody who waits. What has been decided in part has an unknown outcome.
    fn fail_queue(&mut self, failure: &Failure) {
        for request in self.queue.drain(..) {
            self.shared.release(request.bytes);
            let failure = if request.begun { Failure::StorageUnavailable } else { failure.clone() };
            let _ = request.reply.send(Err(failure));
        }
    }

    /// Nothing queued, nothing unsealed but a seal alone.
    fn is_drained(&self) -> bool {
        self.queue.is_empty()
            && self.seals.is_empty()
            && self.unsealed_cuts == 0
            && self.block.since_boot_nanos().is_none()
    }

    fn end(&mut self) {
        let (done, ended) = mpsc::channel();
        if self.sealer.send(ToSealer::Close(done)).is_ok() {
            let _ = ended.recv();
        }
        if let Some(done) = self.closing.take() {
            let _ = done.send(());
        }
    }
}

/// What the ledger writes beside an event.
struct Place {
    at: At,
    outcome: u16,
    group_len: u16,
    index: u16,
    /// In its batch, when it is in one.
    position: u32,
}

/// The entry of an admitted event: of kind 5 in a batch, else of kind 1.
fn encode_member(member: &VerifiedEvent, place: &Place, out: &mut Vec<u8>) -> Result<(), Broken> {
    let &Place { at, outcome, group_len, index, position } = place;
    let recorded_at_nanos = at.recorded_at_nanos;
    let Submitted { payload_type, payload, .. } = member.signed().submitted();
    if member.leaf_hash().is_some() {
        encode_batched_event(
            recorded_at_nanos,
            outcome,
            group_len,
            index,
            position,
            payload_type,
            payload,
            out,
        );
        return Ok(());
    }
    let signatures = member.signatures().map_err(admitted_unsigned)?;
    encode_event(recorded_at_nanos, outcome, group_len, index, signatures, payload_type, payload, out);
    Ok(())
}

fn admitted_unsigned(refusal: Refusal) -> Broken {
    Broken::Invariant(format!("what has a signature fault was admitted: {refusal}"))
}
