//! From the messages of a request to the arguments of the engine.

use ledger_core::ids::{BlockHeight, EventId, LogIndex, PaymentId};
use ledger_core::sidecar::Sidecar;
use ledger_core::unit::Submitted;
use ledger_engine::{AsOf, View};
use ledger_proto::v1::{
    self as message, SubmittedEvent, as_of, await_sealed_request, get_event_request, get_receipt_request,
};
use tonic::Status;

use super::about;
use crate::settings::Settings;
use crate::status;

/// Events of a request and what they weigh in memory.
pub struct Batch {
    /// In the order given.
    pub events: Vec<Submitted>,
    /// Bytes that they take in the engine's queue.
    pub bytes: usize,
}

/// The moment that a request means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Moment(AsOf);

impl Moment {
    /// The moment of an `as_of`; `None` when it is absent. Errors: INVALID_ARGUMENT when it names nothing.
    pub fn of(as_of: Option<message::AsOf>) -> Result<Option<Self>, Status> {
        let Some(as_of) = as_of else { return Ok(None) };
        let moment = match as_of.moment {
            Some(as_of::Moment::LogIndex(index)) => AsOf::Entry(LogIndex(index)),
            Some(as_of::Moment::BlockHeight(height)) => AsOf::Block(BlockHeight(height)),
            Some(as_of::Moment::RecordedAtNanos(nanos)) => AsOf::Time(nanos),
            None => {
                return Err(status::malformed(
                    "as_of",
                    "none",
                    "log_index, block_height or recorded_at_nanos",
                ));
            }
        };
        Ok(Some(Self(moment)))
    }

    /// The entry after which it was so. Errors: OUT_OF_RANGE, INVALID_ARGUMENT for a time before the genesis.
    pub fn resolve(self, view: &View) -> Result<LogIndex, Status> {
        view.entry_as_of(self.0).map_err(about(self))
    }
}

impl std::fmt::Display for Moment {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.0 {
            AsOf::Entry(index) => write!(f, "log index {index}"),
            AsOf::Block(height) => write!(f, "block {height}"),
            AsOf::Time(nanos) => write!(f, "time {nanos}"),
        }
    }
}

/// The entry that a request means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum EntryReference {
    /// By position.
    Index(LogIndex),
    /// By the id of its event.
    Event(EventId),
}

impl Batch {
    /// Takes the events over, without copying a payload. Errors: INVALID_ARGUMENT when there are none or too many.
    pub fn take(events: Vec<SubmittedEvent>, settings: &Settings) -> Result<Self, Status> {
        let most = settings.request_max_events;
        if events.is_empty() || events.len() > most as usize {
            return Err(status::malformed("events", events.len(), &format!("1 to {most}")));
        }
        let events: Vec<Submitted> = events.into_iter().map(submitted).collect();
        let bytes = events.iter().map(ledger_engine::queued_bytes).sum();
        Ok(Self { events, bytes })
    }
}

impl EntryReference {
    /// Where the entry stands. Errors: NOT_FOUND for an event that is not in the log.
    pub fn resolve(self, view: &View) -> Result<LogIndex, Status> {
        match self {
            Self::Index(index) => Ok(index),
            Self::Event(id) => {
                let known = view.event(&id).map_err(about(format_args!("event {id}")))?;
                known.map(|event| event.log_index).ok_or_else(|| status::not_found(&format!("event {id}")))
            }
        }
    }
}

impl std::fmt::Display for EntryReference {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Index(index) => write!(f, "log index {index}"),
            Self::Event(id) => write!(f, "event {id}"),
        }
    }
}

macro_rules! entry_references {
    ($($module:ident)+) => {
        $(impl TryFrom<Option<$module::Entry>> for EntryReference {
            type Error = Status;

            fn try_from(entry: Option<$module::Entry>) -> Result<Self, Status> {
                match entry {
                    Some($module::Entry::LogIndex(index)) => Ok(Self::Index(LogIndex(index))),
                    Some($module::Entry::EventId(id)) => Ok(Self::Event(EventId(id16("event_id", &id)?))),
                    None => Err(status::malformed("entry", "none", "log_index or event_id")),
                }
            }
        })+
    };
}

entry_references!(await_sealed_request get_event_request get_receipt_request);

/// The payment that a request means.
pub fn payment_id(bytes: &[u8]) -> Result<PaymentId, Status> {
    id16("payment_id", bytes).map(PaymentId)
}

/// The event that a request means.
pub fn event_id(bytes: &[u8]) -> Result<EventId, Status> {
    id16("event_id", bytes).map(EventId)
}

fn id16(field: &str, bytes: &[u8]) -> Result<[u8; 16], Status> {
    bytes.try_into().map_err(|_| status::malformed(field, format!("{} bytes", bytes.len()), "16 bytes"))
}

/// Header and members of a signed batch. How many there may be is in the genesis, so the engine answers that. Errors:
/// INVALID_ARGUMENT without a header or members, or with a member that is signed itself.
pub fn signed_batch(
    header: Option<SubmittedEvent>,
    members: Vec<SubmittedEvent>,
) -> Result<(Submitted, Vec<Submitted>), Status> {
    let header = header.ok_or_else(|| status::malformed("header", "none", "the signed header"))?;
    if header.sidecar.is_some() {
        return Err(status::malformed("header.sidecar", "present", "absent: private data is beside members"));
    }
    if members.is_empty() {
        return Err(status::malformed("events", 0, "1 or more"));
    }
    if let Some(at) = members.iter().position(|member| !member.signatures.is_empty()) {
        let (field, count) = (format!("events[{at}].signatures"), members[at].signatures.len());
        return Err(status::malformed(&field, count, "none: the header is signed for all members"));
    }
    Ok((submitted(header), members.into_iter().map(submitted).collect()))
}

/// A submitted event, as the engine takes it.
pub fn submitted(event: SubmittedEvent) -> Submitted {
    let signatures = event.signatures.into_iter().map(|one| (one.key, one.signature));
    let (payload_type, payload) = (event.payload_type, event.payload);
    let sidecar = event.sidecar.map(|sidecar| Sidecar { salt: sidecar.salt, metadata: sidecar.metadata });
    Submitted { payload_type, payload, signatures: signatures.collect(), sidecar }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_weighs_what_its_events_weigh_in_the_queue() {
        let signature = message::Signature { key: vec![1; 32], signature: vec![2; 64] };
        let event = SubmittedEvent {
            payload_type: "type".to_owned(),
            payload: vec![0; 10_000],
            signatures: vec![signature; 3],
            sidecar: None,
        };
        let batch = Batch::take(vec![event; 2], &Settings::default()).unwrap();
        // Twice the payload, for it is decoded as well; 512 for an event and 64 for a signature beside their bytes.
        assert_eq!(batch.bytes, 2 * (512 + 4 + 2 * 10_000 + 3 * (32 + 64 + 64)));
        assert_eq!(batch.bytes, batch.events.iter().map(ledger_engine::queued_bytes).sum::<usize>());
    }
}
