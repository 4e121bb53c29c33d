//! Event 22: the private data of an event was erased. The log says that and by whom, never what it was.

use super::{Effects, Stop, id16};
use crate::code::{Code, Refusal};
use crate::event::MetadataErased;
use crate::ids::EventId;
use crate::view::StateView;

/// The event may have been refused, and its data erased before.
pub(super) fn apply(view: &impl StateView, body: &MetadataErased) -> Result<Effects, Stop> {
    let target = EventId(id16(&body.event_id, "event_id")?);
    let limit = match view.original(&target)? {
        Some(original) if original.has_commitment => return Ok(Effects::default()),
        Some(_) => "an event with a metadata_commitment",
        None => "an event in the log",
    };
    Err(Refusal::of(Code::TargetEventNotFound, "event_id", target, limit).into())
}
