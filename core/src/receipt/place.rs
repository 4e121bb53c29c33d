//! Where in a log an entry may stand, as far as the entry itself and the size of the log tell.

use super::{ReceiptError, field};
use crate::batch::Batch;
use crate::checkpoint::SMALLEST_SIZE;
use crate::entry::{Content, Entry};
use crate::event::Event;

/// Entry 0 is the genesis, entry 1 its seal, the last one a seal. A seal stands right behind its block, everything else
/// with its whole group between the first seal and the last.
pub(super) fn check_place(index: u64, size: u64, entry: &Entry) -> Result<(), ReceiptError> {
    if size < SMALLEST_SIZE {
        return Err(field("size", size, format!("at least {SMALLEST_SIZE}: a genesis and its seal")));
    }
    let wrong_kind = |expected| Err(field("kind", entry.kind(), expected));
    let (len, before) = (u64::from(entry.group_len), u64::from(entry.group_index));
    match &entry.content {
        Content::Genesis { .. } if index == 0 => Ok(()),
        _ if index == 0 => wrong_kind("0, the genesis"),
        Content::Genesis { .. } => wrong_kind("1 to 5"),
        Content::Seal(seal) => {
            let behind = seal.first_index.0.checked_add(u64::from(seal.entry_count));
            if behind == Some(index) {
                return Ok(());
            }
            let expected = format!("{index}, the index of the seal, less its {} entries", seal.entry_count);
            Err(field("first_index", seal.first_index, expected))
        }
        _ if index == 1 => wrong_kind("2, the seal of the genesis"),
        _ if index + 1 == size => wrong_kind("2, a seal, which ends the log"),
        Content::BatchedEvent { position, .. } if u64::from(*position) < before => {
            Err(field("position", position, format!("{before} or more, its place in its group")))
        }
        _ => check_span(index.checked_sub(before), len, size, "group_len"),
    }
}

/// The header of a batch at `index` and its members stand between the first seal and the last.
pub(super) fn check_batch(index: Option<u64>, batch: &Batch, size: u64) -> Result<(), ReceiptError> {
    check_span(index, 1 + u64::from(batch.count), size, "count")
}

/// Only the member of a group has company.
pub(super) fn check_group(entry: &Entry, event: &Event) -> Result<(), ReceiptError> {
    match (event.group.is_empty(), entry.group_len) {
        (true, 1) | (false, 2..) => Ok(()),
        (true, found) => Err(field("group_len", found, "1: the event names no group")),
        (false, found) => Err(field("group_len", found, "2 or more: the event names a group")),
    }
}

/// `count` entries from `first` on stand between the seal of the genesis and the last one.
fn check_span(first: Option<u64>, count: u64, size: u64, name: &'static str) -> Result<(), ReceiptError> {
    let end = first.filter(|first| *first >= SMALLEST_SIZE).and_then(|first| first.checked_add(count));
    if end.is_some_and(|end| end < size) {
        return Ok(());
    }
    let last = size.saturating_sub(2);
    Err(field(name, count, format!("entries from {SMALLEST_SIZE} to {last} of the log")))
}
