//! Intake: from submitted bytes to units in the queue. Decodes and verifies on the workers; what can be answered from
//! published state is answered here.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use ledger_core::admit::first_difference;
use ledger_core::code::{Code, Detail, Refusal};
use ledger_core::entry::{Content, Entry};
use ledger_core::event::{Body, Event};
use ledger_core::ids::{EventId, LogIndex, PaymentId};
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedBatch, VerifiedEvent};
use ledger_core::view::KnownEvent;
use ledger_crypto::KeyBytes;
use rayon::prelude::*;
use tokio::sync::oneshot;

use crate::answer::{Answer, EventAnswer, Failure, Pending};
use crate::ledger::{Health, Ledger, Shared};
use crate::metrics::Tally;
use crate::rows::index;
use crate::tail::ReadAhead;
use crate::view::View;
use crate::writer::{Inbox, Request, Step};

/// Bound of the unflushed tail.
const TAIL_MAX_BYTES: u64 = 256 << 20;
const RETRY_AFTER: Duration = Duration::from_millis(100);
/// What an event costs in the queue beside its bytes, about.
const EVENT_OVERHEAD_BYTES: usize = 512;
/// The same of a signature.
const SIGNATURE_OVERHEAD_BYTES: usize = 64;
/// What the entry of a batch's member holds beside type and payload: head, number of signatures, position, lengths.
const MEMBER_ENTRY_BYTES: usize = 26;
/// Bytes in memory of a payload and what is decoded of it, per byte of payload.
const DECODED_FACTOR: usize = 2;

impl Ledger {
    /// Submits events, each a unit of its own, in this order. Decoding and signature checks happen in this call: keep
    /// it off async threads. Requests of one thread enter the queue in the order of the calls.
    pub fn submit(&self, events: Vec<Submitted>) -> Result<Pending, Failure> {
        let asked = self.shared().asked(&events, self.shared().config.request_max_bytes);
        self.shared().take(asked, |shared, view| shared.single_steps(view, events))
    }

    /// Submits one atomic group: all of its events are accepted, or none.
    pub fn submit_atomic(&self, events: Vec<Submitted>) -> Result<Pending, Failure> {
        let config = &self.shared().config;
        let asked = self.shared().asked(&events, config.request_max_bytes.min(config.unit_max_bytes));
        self.shared().take(asked, |shared, view| shared.group_step(view, events))
    }

    /// Submits a signed batch: its header, whose signatures are the only ones, and its members in order. It is taken
    /// whole or not at all; of a batch that is taken each member has its own outcome. One answer per member.
    pub fn submit_batch(&self, header: Submitted, members: Vec<Submitted>) -> Result<Pending, Failure> {
        let asked = self.shared().asked_batch(&header, &members);
        self.shared().take(asked, |shared, view| shared.batch_step(view, header, members))
    }
}

/// What a request takes up, and why it cannot be taken.
pub(crate) struct Asked {
    events: usize,
    /// In the queue, about.
    bytes: usize,
    refusal: Option<Refusal>,
}

/// An event on its way to the writer, or its answer.
enum Taken {
    Answered(EventAnswer),
    Verified(Box<VerifiedEvent>),
}

impl Shared {
    fn take(
        &self,
        asked: Asked,
        steps: impl FnOnce(&Self, &Arc<View>) -> Vec<Step> + Send,
    ) -> Result<Pending, Failure> {
        if let Some(failure) = self.refusal() {
            return Err(failure);
        }
        let (reply, pending) = oneshot::channel();
        let Asked { events, bytes, refusal } = asked;
        if let Some(refusal) = refusal {
            let answers = (0..events.max(1)).map(|_| rejected(None, refusal.clone()));
            // The receiver is alive: it is returned below.
            let _ = reply.send(Ok(answers.collect()));
            return Ok(Pending(pending));
        }
        self.reserve(bytes)?;
        let view = self.view.load_full();
        // Measured on the worker: waiting for one is not the work.
        let steps = self.workers.install(|| {
            let started = Instant::now();
            let steps = steps(self, &view);
            self.metrics.verify_seconds.inc_by(started.elapsed().as_secs_f64());
            steps
        });
        self.count_answered(&steps);
        let request = Request::new(steps, bytes, reply);
        self.inbox.send(Inbox::Request(request)).map_err(|_| Failure::StorageUnavailable)?;
        Ok(Pending(pending))
    }

    /// The same as far as the queue, for a dry run: steps to decide, of which nothing is counted or queued.
    pub(crate) fn trial(
        &self,
        view: &Arc<View>,
        asked: Asked,
        steps: impl FnOnce(&Self, &Arc<View>) -> Vec<Step> + Send,
    ) -> Result<Vec<Step>, Failure> {
        if let Some(failure) = self.refusal() {
            return Err(failure);
        }
        if let Health::NotServing(failure) = &*self.health.borrow() {
            return Err(failure.clone());
        }
        if let Some(refusal) = asked.refusal {
            let answers = (0..asked.events.max(1)).map(|_| rejected(None, refusal.clone()));
            return Ok(vec![Step::Answered(answers.collect())]);
        }
        Ok(self.workers.install(|| steps(self, view)))
    }

    /// Counts what was answered ahead of the queue.
    fn count_answered(&self, steps: &[Step]) {
        let mut tally = Tally::default();
        for step in steps {
            if let Step::Answered(answers) = step {
                tally.take(answers);
            }
        }
        self.metrics.count(&tally);
    }

    /// Events that may weigh `max_bytes` in the queue.
    pub(crate) fn asked(&self, events: &[Submitted], max_bytes: usize) -> Asked {
        let bytes = events.iter().map(queued_bytes).sum();
        let limit = max_bytes.min(self.config.queue_max_bytes);
        let refusal = no_events(events).or_else(|| too_large(bytes, limit));
        Asked { events: events.len(), bytes, refusal }
    }

    /// A batch whose entries may weigh what a unit may, and that fits into the queue.
    pub(crate) fn asked_batch(&self, header: &Submitted, members: &[Submitted]) -> Asked {
        let bytes = queued_bytes(header) + members.iter().map(queued_bytes).sum::<usize>();
        let entries: usize = members.iter().map(entry_bytes).sum();
        let limit = self.config.request_max_bytes.min(self.config.unit_max_bytes);
        let refusal = no_events(members)
            .or_else(|| too_large(entry_bytes(header) + entries, limit))
            .or_else(|| too_large(bytes, self.config.queue_max_bytes));
        Asked { events: members.len(), bytes, refusal }
    }

    /// Room in the queue for a whole request, or none of it.
    fn reserve(&self, bytes: usize) -> Result<(), Failure> {
        let overloaded = |what, limit: u64| Failure::Overloaded { what, limit, retry_after: RETRY_AFTER };
        if self.view.load().tail().unflushed_bytes() > TAIL_MAX_BYTES {
            return Err(overloaded("the unflushed tail", TAIL_MAX_BYTES));
        }
        let limit = self.config.queue_max_bytes;
        let fits = |queued: usize| queued.checked_add(bytes).filter(|sum| *sum <= limit);
        match self.queue_bytes.fetch_update(Ordering::SeqCst, Ordering::SeqCst, fits) {
            Ok(queued) => {
                self.metrics.queue_bytes.set((queued + bytes) as i64);
                Ok(())
            }
            Err(_) => Err(overloaded("the queue", limit as u64)),
        }
    }

    pub(crate) fn release(&self, bytes: usize) {
        let queued = self.queue_bytes.fetch_sub(bytes, Ordering::SeqCst) - bytes;
        self.metrics.queue_bytes.set(queued as i64);
    }

    pub(crate) fn single_steps(&self, view: &Arc<View>, events: Vec<Submitted>) -> Vec<Step> {
        let single = |event: Submitted| match self.take_event(view, event, LookUp::Answer) {
            Taken::Answered(answer) => Step::Answered(vec![answer]),
            Taken::Verified(event) => {
                let ahead = read_ahead(view, std::slice::from_ref(&event));
                Step::Unit { unit: Unit::single(*event), ahead }
            }
        };
        events.into_par_iter().with_min_len(16).map(single).collect()
    }

    pub(crate) fn group_step(&self, view: &Arc<View>, events: Vec<Submitted>) -> Vec<Step> {
        let limit = view.constants().limits.group_members as usize;
        if events.len() > limit {
            let refusal = Refusal::of(Code::RequestTooLarge, "events", events.len(), limit);
            return vec![Step::Answered(events.iter().map(|_| rejected(None, refusal.clone())).collect())];
        }
        let taken: Vec<Taken> =
            events.into_par_iter().map(|event| self.take_event(view, event, LookUp::Leave)).collect();
        match all_verified(taken, "group") {
            Ok(members) => {
                let ahead = read_ahead(view, &members);
                vec![Step::Unit { unit: Unit::group(members), ahead }]
            }
            Err(answers) => vec![Step::Answered(answers)],
        }
    }

    pub(crate) fn batch_step(
        &self,
        view: &Arc<View>,
        header: Submitted,
        members: Vec<Submitted>,
    ) -> Vec<Step> {
        let limit = view.constants().limits.batch_members as usize;
        let to_all = |refusal: Refusal| {
            vec![Step::Answered(members.iter().map(|_| rejected(None, refusal.clone())).collect())]
        };
        if members.len() > limit {
            return to_all(Refusal::of(Code::RequestTooLarge, "events", members.len(), limit));
        }
        let header = match VerifiedBatch::verify(header, |key| self.registered_key(key)) {
            Ok(header) => header,
            Err(refusal) => return to_all(refusal),
        };
        let taken = members.into_par_iter().with_min_len(64).map(Self::take_member);
        match all_verified(taken.collect(), "batch") {
            Ok(members) => {
                let ahead = read_ahead(view, &members);
                vec![Step::Unit { unit: Unit::batch(header, members), ahead }]
            }
            Err(answers) => vec![Step::Answered(answers)],
        }
    }

    fn take_member(submitted: Submitted) -> Taken {
        match SignedEvent::decode_batched(submitted) {
            Ok(signed) => Taken::Verified(Box::new(VerifiedEvent::of_batch(signed))),
            Err(refusal) => Self::undecodable(refusal),
        }
    }

    fn take_event(&self, view: &View, submitted: Submitted, look_up: LookUp) -> Taken {
        let signed = match SignedEvent::decode(submitted) {
            Ok(signed) => signed,
            Err(refusal) => return Self::undecodable(refusal),
        };
        let event_id = signed.event_id();
        if look_up == LookUp::Answer
            && let Some(known) = exact_match(view, &signed)
        {
            return Taken::Answered(EventAnswer { event_id, answer: known_answer(&known) });
        }
        let missing = self.missing_log_key(&signed.event().body);
        let verified = VerifiedEvent::verify(signed, |key| self.registered_key(key));
        Taken::Verified(Box::new(match missing {
            Some(refusal) => verified.with_fault(refusal),
            None => verified,
        }))
    }

    fn undecodable(refusal: Refusal) -> Taken {
        Taken::Answered(rejected(None, refusal))
    }
}

/// The members when all can be decided. Else the first that cannot answers; the others fail with it.
fn all_verified(taken: Vec<Taken>, whole: &'static str) -> Result<Vec<VerifiedEvent>, Vec<EventAnswer>> {
    let Some(failing) = taken.iter().position(|member| matches!(member, Taken::Answered(_))) else {
        let verified = |member| match member {
            Taken::Verified(event) => Some(*event),
            Taken::Answered(_) => None,
        };
        return Ok(taken.into_iter().filter_map(verified).collect());
    };
    let of_others = Refusal::of(Code::GroupMemberFailed, whole, failing, "no failing member");
    let answers = taken.into_iter().enumerate().map(|(position, member)| match member {
        Taken::Answered(answer) if position == failing => answer,
        Taken::Answered(answer) => rejected(answer.event_id, of_others.clone()),
        Taken::Verified(event) => rejected(event.signed().event_id(), of_others.clone()),
    });
    Err(answers.collect())
}

impl Shared {
    /// FIELD_INVALID for a rotation to a log key that was not handed over: no checkpoint could be signed after it.
    fn missing_log_key(&self, body: &Body) -> Option<Refusal> {
        let Body::LogKeyRotated(body) = body else { return None };
        let key = KeyBytes::try_from(body.new_key.as_slice()).ok()?;
        let limit = "a log key whose private half was handed to this ledger";
        let refusal = || Refusal::of(Code::FieldInvalid, "new_key", hex::encode(key), limit);
        self.log_keys.get(&key).is_none().then(refusal)
    }
}

/// Whether an exact match with a published event is answered ahead of the queue.
#[derive(Clone, Copy, PartialEq, Eq)]
enum LookUp {
    Answer,
    /// A member of a group: the writer answers the group as a whole.
    Leave,
}

fn exact_match(view: &View, signed: &SignedEvent) -> Option<KnownEvent> {
    // A read error here is left to the writer, which meets it again.
    let known = view.event(&signed.event_id()?).ok().flatten()?;
    (known.digest == *signed.digest()).then_some(known)
}

/// What the writer will ask for, read from the store now. It only warms: see [`crate::tail::Tail::row`].
fn read_ahead(view: &View, members: &[VerifiedEvent]) -> Arc<ReadAhead> {
    let base = view.tail().base();
    let rows_of = |member: &VerifiedEvent| {
        let event = member.signed().event();
        let id = |bytes: &[u8]| <[u8; 16]>::try_from(bytes).ok();
        let keys = [
            id(&event.event_id).map(|id| index::event_key(&EventId(id))),
            id(&event.payment_id).map(|id| index::payment_key(&PaymentId(id))),
        ];
        // An unreadable row is left to the writer.
        keys.into_iter().flatten().filter_map(|key| base.row(&key).ok().map(|value| (key, value)))
    };
    let mut rows: Vec<_> = members.par_iter().with_min_len(64).flat_map_iter(rows_of).collect();
    rows.sort_by(|(one, _), (other, _)| one.cmp(other));
    Arc::new(ReadAhead { next_index: base.next_index(), rows })
}

pub(crate) fn known_answer(known: &KnownEvent) -> Answer {
    Answer::Recorded {
        log_index: known.log_index,
        recorded_at_nanos: known.recorded_at_nanos,
        outcome: known.outcome,
        already_exists: true,
        detail: Detail::default(),
    }
}

/// EVENT_ID_CONFLICT tells the first field that differs from the original, when that can be read back.
pub(crate) fn explained(
    unit: &Unit,
    failing: usize,
    refusal: Refusal,
    original: impl FnOnce(&EventId) -> Option<(LogIndex, Event)>,
) -> Refusal {
    let first_field = || {
        let offered = unit.members().get(failing)?.signed();
        let id = offered.event_id()?;
        let (log_index, original) = original(&id)?;
        let field = first_difference(&original, offered.event())?;
        Some(Refusal::of(Code::EventIdConflict, field, id, format!("as in entry {log_index}")))
    };
    if refusal.code == Code::EventIdConflict { first_field().unwrap_or(refusal) } else { refusal }
}

/// The event in an entry, signed on its own or as a member of a batch.
pub(crate) fn event_of(entry: &[u8]) -> Option<Event> {
    match Entry::decode(entry).ok()?.content {
        Content::Event { payload, .. } => Event::decode(&payload).ok(),
        Content::BatchedEvent { payload, .. } => Event::decode_batched(&payload).ok(),
        _ => None,
    }
}

pub(crate) fn rejected(event_id: Option<EventId>, refusal: Refusal) -> EventAnswer {
    EventAnswer { event_id, answer: Answer::Rejected(refusal) }
}

fn no_events(events: &[Submitted]) -> Option<Refusal> {
    events.is_empty().then(|| Refusal::of(Code::RequestEmpty, "events", 0, "1 or more"))
}

fn too_large(bytes: usize, limit: usize) -> Option<Refusal> {
    (bytes > limit).then(|| Refusal::of(Code::RequestTooLarge, "events", format!("{bytes} bytes"), limit))
}

/// What a header or member takes in the log, about.
fn entry_bytes(event: &Submitted) -> usize {
    let signatures: usize = event.signatures.iter().map(|(key, signature)| key.len() + signature.len()).sum();
    MEMBER_ENTRY_BYTES + event.payload_type.len() + event.payload.len() + signatures
}

/// Bytes of memory that an event takes while it waits for the writer: what `queue_max_bytes` and `request_max_bytes`
/// count.
pub fn queued_bytes(event: &Submitted) -> usize {
    let signatures: usize = event.signatures.iter().map(|(key, signature)| key.len() + signature.len()).sum();
    let overhead = EVENT_OVERHEAD_BYTES + event.signatures.len() * SIGNATURE_OVERHEAD_BYTES;
    // Decoded, the smallest element of a repeated field takes about 32 times its two bytes; what is allowed to be long
    // is the payload's own text, so a multiple bounds both.
    let private = event.sidecar.as_ref().map_or(0, |sidecar| sidecar.salt.len() + sidecar.metadata.len());
    overhead + event.payload_type.len() + event.payload.len() * DECODED_FACTOR + signatures + private
}
