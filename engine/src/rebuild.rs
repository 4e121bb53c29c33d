//! A payment from its entries: as of an earlier moment, or to compare with its stored record.

use std::sync::Arc;

use ledger_core::apply::At;
use ledger_core::entry::{Content, Entry};
use ledger_core::event::Event;
use ledger_core::ids::{LogIndex, PaymentId, PaymentIndex};
use ledger_core::rebuild::{PaymentEntry, Rebuild, RebuildError};
use ledger_core::record::PaymentRecord;

use crate::log_read::ReadError;
use crate::slice::{Direction, Slice};
use crate::view::View;

/// Entries that are looked up at once.
const ENTRIES_AT_ONCE: usize = 256;

/// A payment as its entries make it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Rebuilt {
    /// Its position.
    pub index: PaymentIndex,
    /// As its entries make it; `None` when it was not yet initiated.
    pub record: Option<Arc<PaymentRecord>>,
    /// As it is stored, now.
    pub stored: Arc<PaymentRecord>,
    /// Accepted entries that were executed.
    pub entry_count: u64,
}

impl Rebuilt {
    /// Whether the record that its entries make has the bytes of the stored one.
    pub fn is_equal(&self) -> bool {
        self.record.as_ref().is_some_and(|record| record.encode() == self.stored.encode())
    }
}

impl View {
    /// Executes the entries of a payment again, those up to `until` or all. `None`: there is no such payment.
    /// O(entries of the payment), a bundle read for each.
    ///
    /// # Errors
    /// [`ReadError::Disagrees`] when an accepted entry does not follow from those before it.
    pub fn rebuild_payment(
        &self,
        id: &PaymentId,
        until: Option<LogIndex>,
    ) -> Result<Option<Rebuilt>, ReadError> {
        let Some((index, stored)) = self.payment(id)? else { return Ok(None) };
        let mut rebuild = Rebuild::new(self.tail(), *id, index);
        let mut from = None;
        'pages: loop {
            let slice = Slice { from, direction: Direction::Ascending, limit: ENTRIES_AT_ONCE };
            let entries = self.payment_entries(id, slice)?;
            for log_index in &entries {
                if until.is_some_and(|until| *log_index > until) {
                    break 'pages;
                }
                self.push_entry(&mut rebuild, *log_index)?;
            }
            match entries.last() {
                Some(last) => from = Some(last.0 + 1),
                None => break,
            }
        }
        let record = rebuild.payment().cloned();
        Ok(Some(Rebuilt { index, record, stored, entry_count: rebuild.entry_count() }))
    }

    fn push_entry(
        &self,
        rebuild: &mut Rebuild<'_, crate::tail::Tail>,
        log_index: LogIndex,
    ) -> Result<(), ReadError> {
        let lost = || ReadError::DataLoss { log_index };
        let entry = Entry::decode(&self.entry(log_index)?).map_err(|_| lost())?;
        if entry.outcome != 0 {
            return Ok(());
        }
        let recorded_at_nanos = entry.recorded_at_nanos;
        let t_nanos = self.unit_nanos(log_index, &entry)?;
        let entry = match entry.content {
            Content::Event { payload, .. } => {
                PaymentEntry::Event(Box::new(Event::decode(&payload).map_err(|_| lost())?))
            }
            Content::BatchedEvent { payload, .. } => {
                PaymentEntry::Event(Box::new(Event::decode_batched(&payload).map_err(|_| lost())?))
            }
            Content::Expiry { .. } => PaymentEntry::Expiry,
            Content::Genesis { .. } | Content::Seal(_) | Content::BatchHeader { .. } => return Err(lost()),
        };
        rebuild.push(&entry, At { t_nanos, log_index, recorded_at_nanos }).map_err(|error| match error {
            RebuildError::View(error) => error.into(),
            error => ReadError::Disagrees(error.to_string()),
        })
    }

    /// Time of the unit of an entry: that of its first entry, which for a batch is the header.
    fn unit_nanos(&self, log_index: LogIndex, entry: &Entry) -> Result<u64, ReadError> {
        let back = match &entry.content {
            Content::BatchedEvent { position, .. } => u64::from(*position) + 1,
            _ => u64::from(entry.group_index),
        };
        match back {
            0 => Ok(entry.recorded_at_nanos),
            _ => self.recorded_at(LogIndex(log_index.0.saturating_sub(back))),
        }
    }
}
