//! Group 5: the id of an event or batch, and the submitter's claim of when.

use std::sync::Arc;

use crate::apply::Stop;
use crate::code::{Code, Refusal};
use crate::event::Event;
use crate::ids::{BatchId, EventId, LogIndex};
use crate::number::Roles;
use crate::record::KeyRecord;
use crate::view::{KnownEvent, ViewError};

const NANOS_PER_MILLI: u64 = 1_000_000;
/// How far an event may lie ahead of the unit's time, both ends included: 5 minutes.
const AHEAD_NANOS: u64 = 300_000_000_000;
/// How far it may lie behind: 24 hours.
const BEHIND_NANOS: u64 = 86_400_000_000_000;

/// 501, 502, 503, 505, 506. `known` is an event in the log with this id.
pub(super) fn check(
    event: &Event,
    known: Option<&KnownEvent>,
    keys: &[Arc<KeyRecord>],
    t_nanos: u64,
) -> Result<(), Refusal> {
    let id = v7("event_id", &event.event_id)?;
    if let Some(known) = known {
        let limit = format!("log index {}", known.log_index);
        return Err(Refusal::of(Code::EventIdConflict, "event_id", EventId(id), limit));
    }
    check_milli("event_id", id, t_nanos)?;
    let latest = t_nanos.saturating_add(AHEAD_NANOS);
    let is_import = keys.iter().any(|key| key.roles.contains(Roles::IMPORTER));
    let earliest = t_nanos.saturating_sub(BEHIND_NANOS);
    if !is_import && !(earliest..=latest).contains(&event.timestamp_nanos) {
        let limit = format!("{earliest} to {latest}");
        return Err(Refusal::of(Code::TimestampOutOfRange, "timestamp_nanos", event.timestamp_nanos, limit));
    }
    Ok(())
}

/// 501, 502, 503, 505 of a batch id. `known` finds the header of a batch in the log.
pub(super) fn check_batch(
    batch_id: &[u8],
    known: impl FnOnce(&BatchId) -> Result<Option<LogIndex>, ViewError>,
    t_nanos: u64,
) -> Result<(), Stop> {
    let id = v7("batch_id", batch_id)?;
    if let Some(header) = known(&BatchId(id))? {
        let limit = format!("log index {header}");
        return Err(Refusal::of(Code::EventIdConflict, "batch_id", BatchId(id), limit).into());
    }
    check_milli("batch_id", id, t_nanos)?;
    Ok(())
}

/// The millisecond in a UUID v7 lies at most 5 minutes ahead: EVENT_ID_FROM_FUTURE.
fn check_milli(field: &'static str, id: [u8; 16], t_nanos: u64) -> Result<(), Refusal> {
    let latest = t_nanos.saturating_add(AHEAD_NANOS);
    let [a, b, c, d, e, f, ..] = id;
    let milli = u64::from_be_bytes([0, 0, a, b, c, d, e, f]);
    if milli > latest / NANOS_PER_MILLI {
        let limit = format!("at most {} ms", latest / NANOS_PER_MILLI);
        return Err(Refusal::of(Code::EventIdFromFuture, field, format!("{milli} ms"), limit));
    }
    Ok(())
}

/// The bytes of a UUID v7 (RFC 9562, section 5.7): EVENT_ID_NIL, EVENT_ID_NOT_V7.
fn v7(field: &'static str, bytes: &[u8]) -> Result<[u8; 16], Refusal> {
    if bytes.iter().all(|byte| *byte == 0) {
        return Err(Refusal::of(Code::EventIdNil, field, hex::encode(bytes), "a UUID v7"));
    }
    let not_v7 = || Refusal::of(Code::EventIdNotV7, field, hex::encode(bytes), "a UUID v7");
    let id = <[u8; 16]>::try_from(bytes).map_err(|_| not_v7())?;
    let [_, _, _, _, _, _, version, _, variant, ..] = id;
    if version >> 4 != 7 || variant >> 6 != 0b10 {
        return Err(not_v7());
    }
    Ok(id)
}

#[cfg(test)]
mod tests {
    use super::*;

    const T: u64 = 1_767_603_600_000_000_000;

    fn event(milli: u64, timestamp_nanos: u64) -> Event {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&milli.to_be_bytes()[2..]);
        id[6] = 0x70;
        id[8] = 0x80;
        id[15] = 1;
        Event { event_id: id.to_vec(), timestamp_nanos, ..Event::default() }
    }

    fn code(event: &Event, keys: &[Arc<KeyRecord>]) -> Option<Code> {
        check(event, None, keys, T).err().map(|refusal| refusal.code)
    }

    #[test]
    fn windows_include_both_ends() {
        let milli = T / NANOS_PER_MILLI;
        assert_eq!(code(&event(milli, T + AHEAD_NANOS), &[]), None);
        assert_eq!(code(&event(milli, T + AHEAD_NANOS + 1), &[]), Some(Code::TimestampOutOfRange));
        assert_eq!(code(&event(milli, T - BEHIND_NANOS), &[]), None);
        assert_eq!(code(&event(milli, T - BEHIND_NANOS - 1), &[]), Some(Code::TimestampOutOfRange));
        assert_eq!(code(&event(milli + 300_000, T), &[]), None);
        assert_eq!(code(&event(milli + 300_001, T), &[]), Some(Code::EventIdFromFuture));
        assert_eq!(code(&event(0, T), &[]), None);
    }

    #[test]
    fn ids_are_v7() {
        let mut nil = event(1, T);
        nil.event_id = vec![0; 16];
        assert_eq!(code(&nil, &[]), Some(Code::EventIdNil));
        nil.event_id.clear();
        assert_eq!(code(&nil, &[]), Some(Code::EventIdNil));
        for (position, value) in [(6, 0x40), (8, 0x00), (8, 0xc0)] {
            let mut event = event(1, T);
            event.event_id[position] = value;
            assert_eq!(code(&event, &[]), Some(Code::EventIdNotV7), "byte {position} {value:x}");
        }
        let mut short = event(1, T);
        short.event_id.pop();
        assert_eq!(code(&short, &[]), Some(Code::EventIdNotV7));
    }

    #[test]
    fn an_importer_may_be_late_but_its_id_not_early() {
        let key = KeyRecord {
            status: crate::number::KeyStatus::Active,
            roles: Roles::IMPORTER,
            key: [1; 32],
            registered_index: crate::ids::LogIndex(2),
            revoked_index: None,
            party: Arc::from("bank"),
            prefix: Arc::from(""),
        };
        let keys = [Arc::new(key)];
        assert_eq!(code(&event(1, 1), &keys), None);
        let milli = T / NANOS_PER_MILLI;
        assert_eq!(code(&event(milli + 300_001, 1), &keys), Some(Code::EventIdFromFuture));
    }
}
