//! From rows to signed events. Ids, times and bodies follow from the file, its mapping, the ledger and the keys: a
//! second import makes the same bytes.

use ledger_client::{EventBuilder, SignedBatch, v7};
use ledger_core::event::{AccountOpened, Body, Leg, TransferPosted};
use ledger_core::ids::{BatchId, EventId};
use ledger_core::number::Side;
use ledger_core::unit::Submitted;
use ledger_crypto::{Hash, Hasher, SigningKey, domain};

use super::accounts::Opened;
use super::day::Day;
use super::file::BankFile;
use super::layout::Correction;
use super::plan::{Part, Transfer};

/// Makes the events of one import.
pub struct Deriver<'a> {
    ledger_id: Hash,
    source: &'a str,
    importer: &'a SigningKey,
    operator: &'a SigningKey,
    file: &'a BankFile,
}

/// An event ready to be signed and sent.
#[derive(Clone)]
pub struct Prepared {
    /// Its id.
    pub event_id: EventId,
    /// What it is for.
    pub subject: Subject,
    /// The day of the row that it comes from.
    pub day: Day,
    event: EventBuilder,
}

/// Who signs the events of a part of an import.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signers {
    /// Transfers.
    Importer,
    /// Openings of accounts.
    ImporterAndOperator,
}

/// What an event of an import is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Subject {
    /// The opening of an account, by position.
    Account(usize),
    /// A transfer of a row, by position.
    Transfer(Part, usize),
}

impl<'a> Deriver<'a> {
    /// For the rows of `file`, from a source whose name has 1 to 255 bytes.
    pub fn new(
        ledger_id: Hash,
        source: &'a str,
        importer: &'a SigningKey,
        operator: &'a SigningKey,
        file: &'a BankFile,
    ) -> Self {
        Self { ledger_id, source, importer, operator, file }
    }

    /// The opening of an account, on the day of its first use.
    pub fn account(&self, position: usize, day: Day) -> Prepared {
        let Opened { id, kind, limit } = *self.file.accounts.at(position);
        let body = Body::AccountOpened(AccountOpened {
            account: id.to_string(),
            currency: self.currency(),
            kind: Some(kind),
            limit,
        });
        let event_id = event_id(&self.ledger_id, self.source, day, &own_key("account", id.as_str()));
        let event = EventBuilder::with_id(&self.ledger_id, event_id, day.midnight_nanos(), body);
        Prepared { event_id, subject: Subject::Account(position), day, event }
    }

    /// A row's transfer, or one of the importer's own that belongs to it.
    pub fn transfer(&self, transfer: &Transfer) -> Prepared {
        let row = &self.file.rows[transfer.row];
        let (key, purpose, reference) = match transfer.part {
            Part::Row => (row.key.clone(), row.purpose.as_str(), row.reference.as_str()),
            Part::Rounding => (own_key("rounding", &row.key), purpose_of(self.file.layout.rounding()), ""),
            Part::Opening => (own_key("opening", &row.key), purpose_of(self.file.layout.opening()), ""),
        };
        let leg = |account: usize, side| Leg {
            account: self.file.accounts.at(account).id.to_string(),
            side: Some(side),
            currency: self.currency(),
            amount: transfer.amount,
        };
        let body = Body::TransferPosted(TransferPosted {
            legs: vec![leg(transfer.debit, Side::Debit), leg(transfer.credit, Side::Credit)],
            purpose: purpose.to_owned(),
            related_payment_id: Vec::new(),
        });
        let event_id = event_id(&self.ledger_id, self.source, row.day, &key);
        let event = EventBuilder::with_id(&self.ledger_id, event_id, row.day.midnight_nanos(), body)
            .effective_date(row.day.yyyymmdd())
            .external_ref(reference);
        Prepared { event_id, subject: Subject::Transfer(transfer.part, transfer.row), day: row.day, event }
    }

    /// The event with its own signatures.
    pub fn sign(&self, event: Prepared, by: Signers) -> Submitted {
        event.event.sign(&self.keys(by))
    }

    /// Events under one signed header, whose id follows from theirs: the same events make the same batch.
    pub fn sign_batch(&self, events: Vec<Prepared>, by: Signers) -> SignedBatch {
        let first_nanos = events.first().map_or(0, |event| event.day.midnight_nanos());
        let ids: Vec<u8> = events.iter().flat_map(|event| event.event_id.0).collect();
        let bits = import_bits(&self.ledger_id, self.source, &[BATCH_KEY, &ids]);
        let batch_id = BatchId(v7(first_nanos / 1_000_000, bits));
        let members = events.into_iter().map(|event| event.event).collect();
        SignedBatch::sign(&self.ledger_id, batch_id, members, &self.keys(by))
    }

    fn keys(&self, by: Signers) -> Vec<&'a SigningKey> {
        match by {
            Signers::Importer => vec![self.importer],
            Signers::ImporterAndOperator => vec![self.importer, self.operator],
        }
    }

    fn currency(&self) -> String {
        self.file.layout.currency().0.to_string()
    }
}

/// UUID v7 of the day's first millisecond and of bits of
/// `H("ledger/v1/import" ‖ ledger id ‖ length of the source's name, 1 byte ‖ name ‖ row key)`.
pub fn event_id(ledger_id: &Hash, source: &str, day: Day, row_key: &str) -> EventId {
    let bits = import_bits(ledger_id, source, &[row_key.as_bytes()]);
    EventId(v7(day.midnight_nanos() / 1_000_000, bits))
}

fn import_bits(ledger_id: &Hash, source: &str, key: &[&[u8]]) -> [u8; 10] {
    let length = u8::try_from(source.len()).unwrap_or(u8::MAX);
    let mut hasher = Hasher::tagged(domain::IMPORT);
    hasher.update(ledger_id).update(&[length]).update(source.as_bytes());
    for part in key {
        hasher.update(part);
    }
    let hash = hasher.finish();
    let mut bits = [0; 10];
    bits.copy_from_slice(&hash[..10]);
    bits
}

fn purpose_of(rule: Option<&Correction>) -> &str {
    rule.map_or("", |rule| &rule.purpose)
}

/// What stands before the event ids in the key of a batch; as in [`own_key`].
const BATCH_KEY: &[u8] = b"batch\x1f";

/// The key of an event that is no row itself. Row keys hold no control characters, so none is equal to it.
fn own_key(part: &str, key: &str) -> String {
    format!("{part}\u{1f}{key}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_follow_from_ledger_source_day_and_key() {
        let day = Day::new(1993, 1, 1).unwrap();
        let id = event_id(&[7; 32], "czech-bank-1993", day, "695247");
        let mut input = b"ledger/v1/import".to_vec();
        input.extend([7; 32]);
        input.push(15);
        input.extend(b"czech-bank-1993695247");
        let hash = ledger_crypto::sha256(&input);
        assert_eq!(id.0[..6], 725_846_400_000_u64.to_be_bytes()[2..]);
        assert_eq!(id.0[6], 0x70 | hash[0] & 0x0f);
        assert_eq!(id.0[7], hash[1]);
        assert_eq!(id.0[8], 0x80 | hash[2] & 0x3f);
        assert_eq!(id.0[9..], hash[3..10]);
        let others = [
            event_id(&[8; 32], "czech-bank-1993", day, "695247"),
            event_id(&[7; 32], "czech-bank-199", day, "3695247"),
            event_id(&[7; 32], "czech-bank-1993", day, "695248"),
            event_id(&[7; 32], "czech-bank-1993", day, &own_key("rounding", "695247")),
        ];
        assert!(!others.contains(&id));
    }
}
