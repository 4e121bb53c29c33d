//! The one writer thread: takes units in order, has them decided ([`crate::sequencer`]), commits group after group,
//! publishes, answers.
//!
//! Everything that it decides leaves in order, after the sync of the group in which it was decided and after the state
//! is published.

use std::collections::VecDeque;
use std::sync::Arc;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::time::{Duration, Instant};

use ledger_core::apply::{At, NotAdmitted};
use ledger_core::code::Refusal;
use ledger_core::entry::{encode_batch_header, encode_batched_event, encode_event, encode_expiry};
use ledger_core::event::{Body, Event, MetadataErased};
use ledger_core::ids::{EventId, LogIndex};
use ledger_core::unit::{Submitted, Unit};
use ledger_core::view::{StateView as _, ViewError};
use ledger_merkle::leaf_hash;
use tokio::sync::oneshot;

use crate::answer::{EventAnswer, Failure};
use crate::base::Base;
use crate::block::{Cut, OpenBlock};
use crate::clock::{ClockGuard, Reading};
use crate::commit::{CommittedGroup, Group};
use crate::head::Marker;
use crate::intake::event_of;
use crate::ledger::{Health, Shared};
use crate::metrics::Tally;
use crate::sealer::{SealedCut, ToSealer};
use crate::sequencer::{Content, Decided, Log, Member, Sequencer};
use crate::store::StoreError;
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

impl From<std::io::Error> for Broken {
    fn from(error: std::io::Error) -> Self {
        Self::Storage(error.to_string())
    }
}

impl From<StoreError> for Broken {
    fn from(error: StoreError) -> Self {
        Self::Storage(error.to_string())
    }
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
    tally: Tally,
    /// Bytes of the entry that is appended, kept to be filled again.
    entry: Vec<u8>,
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
            tally: Tally::default(),
            entry: Vec::new(),
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
                    let answers = self.sequence(&mut making, |sequencer| sequencer.decide(&unit))?;
                    making.tally.take(&answers);
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
            let Some(payment) = self.sequence(making, |sequencer| sequencer.next_due())? else {
                return Ok(true);
            };
            if making.group.entry_bytes >= self.shared.config.commit_max_bytes {
                return Ok(false);
            }
            self.sequence(making, |sequencer| sequencer.expire(payment))?;
        }
    }

    fn cut_is_due(&self, making: &Making) -> Result<bool, Broken> {
        let Some(since) = self.block.since_boot_nanos() else { return Ok(false) };
        let age = Duration::from_nanos(making.now.boot_nanos.saturating_sub(since));
        let config = &self.shared.config;
        let closing = self.closing.is_some()
            && self.queue.is_empty()
            && self.tail.next_due(self.tail.next_nanos(making.now_nanos))?.is_none();
        Ok(closing
            || age >= config.block_max_age
            || self.block.entries() >= u64::from(config.block_max_entries))
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

    /// Lets the sequencer append to the group in the making.
    fn sequence<T>(
        &mut self,
        making: &mut Making,
        step: impl FnOnce(&mut Sequencer<'_, GroupLog<'_>>) -> Result<T, ViewError>,
    ) -> Result<T, Broken> {
        let now_nanos = making.now_nanos;
        let mut log = GroupLog { making, block: &mut self.block, shared: &self.shared };
        Ok(step(&mut Sequencer { tail: &mut self.tail, log: &mut log, now_nanos })?)
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
            let marker = &mut self.marker;
            self.shared.store.step(|| Ok::<_, Broken>(marker.write(durable)?))?;
        }
        if !committed.seals.is_empty() {
            self.shared.store.step(|| Ok::<_, Broken>(self.marker.sync()?))?;
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
        self.count(&committed, &making.tally);
        committed.answer();
        if has_rows {
            self.shared.metrics.append_duration_seconds.observe(started.elapsed().as_secs_f64());
        }
        Ok(())
    }

    fn publish(&self) {
        let view = View::new(self.tail.clone(), self.shared.store.clone(), self.shared.health.clone());
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

    fn count(&self, committed: &CommittedGroup, tally: &Tally) {
        let metrics = &self.shared.metrics;
        metrics.count(tally);
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

/// The group in the making, as the sequencer appends to it.
struct GroupLog<'w> {
    making: &'w mut Making,
    block: &'w mut OpenBlock,
    shared: &'w Shared,
}

impl Log for GroupLog<'_> {
    fn append(&mut self, before: &Tail, decided: &Decided<'_>) -> Result<(), ViewError> {
        let Decided { content, at, outcome, effects } = decided;
        let Making { group, now, tally, entry, .. } = &mut *self.making;
        entry.clear();
        encode(decided, entry)?;
        group.push_entry(at.log_index.0, entry);
        self.block.push(leaf_hash(entry), effects, now.boot_nanos);
        match content {
            Content::Expiry(_) => tally.expiries += 1,
            Content::Header(header, _) => tally.batches.push(header.batch().count),
            Content::Member(Member { event, .. }) => {
                let signed = event.signed();
                if let Some(sidecar) = &signed.submitted().sidecar {
                    group.push_private(at.log_index.0, sidecar);
                }
                if let (0, Body::MetadataErased(erased)) = (outcome, &signed.event().body) {
                    group.erasures.push((place_of_erased(before, erased)?, at.log_index.0));
                }
                tally.overrides += u64::from(effects.overdrawn.is_some());
            }
        }
        Ok(())
    }

    /// From the group, else from the store.
    fn event_at(&self, log_index: LogIndex) -> Option<Event> {
        match self.making.group.bundles.entry(log_index.0) {
            Some(entry) => event_of(&entry),
            None => event_of(&self.shared.view.load().entry(log_index).ok()?),
        }
    }
}

/// The bytes of an entry: of kind 3, 4 or 1, in a batch 5.
fn encode(decided: &Decided<'_>, out: &mut Vec<u8>) -> Result<(), ViewError> {
    let Decided { content, at: At { recorded_at_nanos, .. }, outcome, .. } = decided;
    match content {
        Content::Expiry(payment_id) => encode_expiry(*recorded_at_nanos, payment_id, out),
        Content::Header(header, _) => {
            let signatures = header.signatures().map_err(unsigned)?;
            encode_batch_header(*recorded_at_nanos, signatures, &header.submitted().payload, out);
        }
        Content::Member(Member { event, group_len, group_index, position }) => {
            let Submitted { payload_type, payload, .. } = event.signed().submitted();
            if event.leaf_hash().is_some() {
                encode_batched_event(
                    *recorded_at_nanos,
                    *outcome,
                    *group_len,
                    *group_index,
                    *position,
                    payload_type,
                    payload,
                    out,
                );
            } else {
                let signatures = event.signatures().map_err(unsigned)?;
                encode_event(
                    *recorded_at_nanos,
                    *outcome,
                    *group_len,
                    *group_index,
                    signatures,
                    payload_type,
                    payload,
                    out,
                );
            }
        }
    }
    Ok(())
}

/// Where the event stands whose private data is erased.
fn place_of_erased(before: &Tail, erased: &MetadataErased) -> Result<u64, ViewError> {
    let id = <[u8; 16]>::try_from(erased.event_id.as_slice()).ok().map(EventId);
    let known = id.map(|id| before.known_event(&id)).transpose()?.flatten();
    Ok(known.ok_or(NotAdmitted("event_id"))?.log_index.0)
}

fn unsigned(_: Refusal) -> NotAdmitted {
    NotAdmitted("signatures")
}
