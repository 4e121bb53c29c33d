//! Group 2: a single event or an atomic group as a whole.

use ledger_crypto::{Hash, Hasher, domain};

use crate::code::{Code, Refusal};
use crate::event::{Event, Family};
use crate::unit::{Unit, UnitKind};
use crate::view::Constants;

/// 201, 202, 203, 204, lowest first.
pub(super) fn check(constants: &Constants, unit: &Unit) -> Result<(), Refusal> {
    let len = unit.members().len();
    let most = constants.limits.group_members;
    if len == 0 {
        return Err(Refusal::of(Code::RequestEmpty, "events", 0, 1));
    }
    if len > most as usize {
        return Err(Refusal::of(Code::RequestTooLarge, "events", len, most));
    }
    let events: Vec<&Event> = unit.members().iter().map(|member| member.signed().event()).collect();
    match (unit.kind(), events.as_slice()) {
        (UnitKind::Single, [single]) => check_single(single),
        (_, group) => check_group(group),
    }
}

/// 204: a lone event names no group.
pub(super) fn check_single(event: &Event) -> Result<(), Refusal> {
    if event.group.is_empty() {
        return Ok(());
    }
    Err(Refusal::of(
        Code::GroupMismatch,
        "group",
        hex::encode(&event.group),
        "the other members of the group",
    ))
}

fn check_group(events: &[&Event]) -> Result<(), Refusal> {
    if let Some(position) = repeated_id(events) {
        return Err(twice(events, position, "once in a group"));
    }
    check_members(events)
}

/// 203, of the member at `position`.
pub(super) fn twice(events: &[&Event], position: usize, limit: &str) -> Refusal {
    let id = events.get(position).map_or(String::new(), |event| hex::encode(&event.event_id));
    Refusal::of(Code::DuplicateEventId, "event_id", id, limit)
}

/// Position of the first member whose event id a member before it has.
pub(super) fn repeated_id(events: &[&Event]) -> Option<usize> {
    let mut ids: Vec<_> = events.iter().map(|event| event.event_id.as_slice()).zip(0..).collect();
    ids.sort_unstable();
    let again = |pair: &[(&[u8], usize)]| match pair {
        [(one, _), (other, position)] if one == other => Some(*position),
        _ => None,
    };
    ids.windows(2).filter_map(again).min()
}

/// 204: two members or more, no control event, and the hash of their ids in each.
pub(super) fn check_members(events: &[&Event]) -> Result<(), Refusal> {
    if events.len() < 2 {
        return Err(Refusal::of(Code::GroupMismatch, "group", events.len(), "at least 2 members"));
    }
    let expected = group_hash(events.iter().map(|event| event.event_id.as_slice()));
    for event in events {
        if matches!(event.body.family(), Family::Control | Family::Registry) {
            let limit = "no control event in a group";
            return Err(Refusal::of(Code::GroupMismatch, "body", event.body.name(), limit));
        }
        if event.group != expected {
            let (found, limit) = (hex::encode(&event.group), hex::encode(expected));
            return Err(Refusal::of(Code::GroupMismatch, "group", found, limit));
        }
    }
    Ok(())
}

/// `H("ledger/v1/group" ‖ event ids in order)`.
pub fn group_hash<'e>(event_ids: impl IntoIterator<Item = &'e [u8]>) -> Hash {
    let mut hasher = Hasher::tagged(domain::GROUP);
    for id in event_ids {
        hasher.update(id);
    }
    hasher.finish()
}
