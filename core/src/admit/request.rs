//! Group 2: the unit as a whole.

use ledger_crypto::{Hash, Hasher, domain};

use crate::code::{Code, Refusal};
use crate::event::{Body, Event};
use crate::unit::Unit;
use crate::view::Constants;

/// 201, 202, 203, 204, lowest first.
pub(super) fn check(constants: &Constants, unit: &Unit) -> Result<(), Refusal> {
    let len = unit.members.len();
    let most = constants.limits.group_members;
    if len == 0 {
        return Err(Refusal::of(Code::RequestEmpty, "events", 0, 1));
    }
    if len > most as usize {
        return Err(Refusal::of(Code::RequestTooLarge, "events", len, most));
    }
    let events: Vec<&Event> = unit.members.iter().map(|member| member.signed().event()).collect();
    match events.as_slice() {
        [single] if !unit.atomic => check_single(single),
        group => check_group(group),
    }
}

fn check_single(event: &Event) -> Result<(), Refusal> {
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
    let mut ids: Vec<&[u8]> = events.iter().map(|event| event.event_id.as_slice()).collect();
    ids.sort_unstable();
    for pair in ids.windows(2) {
        if let [a, b] = pair
            && a == b
        {
            return Err(Refusal::of(Code::DuplicateEventId, "event_id", hex::encode(a), "once in a group"));
        }
    }
    if events.len() < 2 {
        return Err(Refusal::of(Code::GroupMismatch, "group", events.len(), "at least 2 members"));
    }
    let expected = group_hash(events.iter().map(|event| event.event_id.as_slice()));
    for event in events {
        if is_control(&event.body) {
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

fn is_control(body: &Body) -> bool {
    matches!(
        body,
        Body::AccountOpened(_)
            | Body::AccountStatusChanged(_)
            | Body::KeyRegistered(_)
            | Body::KeyRevoked(_)
            | Body::PeriodClosed(_)
            | Body::LogKeyRotated(_)
            | Body::RulesChanged(_)
            | Body::MetadataErased(_)
            | Body::AccountLimitChanged(_)
    )
}
