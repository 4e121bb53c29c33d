//! Family `state`: records by epoch, and the watermark.
//!
//! | row | key | value |
//! |---|---|---|
//! | account | 0x41, account index u64, complement of the epoch u32 | record |
//! | payment | 0x50, payment index u64, complement of the epoch u32 | record |
//! | key | 0x4B, key index u64, complement of the epoch u32 | record |
//! | watermark | 0x57 | below |
//!
//! The newest epoch of a record comes first in key order: a search from (tag, index) finds it.
//!
//! Watermark: next log index u64, height u64, `recorded_at` of that seal u64, epoch of the next records u32,
//! rules_version u32, rules_index u64, log key 32, closed_through u32, number of accounts, payments, keys u64 each,
//! number of totals rows u32, then per row currency 3 and the four counters (i128).

use ledger_core::ids::{BlockHeight, CurrencyCode, LogIndex};
use ledger_core::record::Counters;
use ledger_core::seal::{Params, Totals};
use ledger_crypto::Hash;

use super::{RowError, split_u64};

/// Length of (tag, index): the prefix that all epochs of a record share.
pub(crate) const PREFIX_BYTES: usize = 9;

/// Which records.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[repr(u8)]
pub(crate) enum Record {
    Account = 0x41,
    Key = 0x4B,
    Payment = 0x50,
}

/// Everything up to one seal is in the store: where the tail begins.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Watermark {
    /// First entry of the tail: the one after the seal.
    pub(crate) next_index: LogIndex,
    /// Height of that seal.
    pub(crate) height: BlockHeight,
    /// `recorded_at` of that seal.
    pub(crate) seal_nanos: u64,
    /// Epoch under which the next records are written.
    pub(crate) epoch: u32,
    /// Parameters in force after the seal.
    pub(crate) params: Params,
    /// Number of accounts.
    pub(crate) account_count: u64,
    /// Number of payments.
    pub(crate) payment_count: u64,
    /// Number of keys.
    pub(crate) key_count: u64,
    /// Totals after the seal.
    pub(crate) totals: Totals,
}

/// Key of a record in an epoch.
pub(crate) fn record_key(record: Record, index: u64, epoch: u32) -> [u8; 13] {
    let mut key = [record as u8; 13];
    key[1..9].copy_from_slice(&index.to_be_bytes());
    key[9..].copy_from_slice(&(!epoch).to_be_bytes());
    key
}

/// What all epochs of a record begin with.
pub(crate) fn record_prefix(record: Record, index: u64) -> [u8; PREFIX_BYTES] {
    let mut key = [record as u8; PREFIX_BYTES];
    key[1..].copy_from_slice(&index.to_be_bytes());
    key
}

/// Index in the key of a record; `None` when the key is of another kind.
pub(crate) fn index_of_key(record: Record, key: &[u8]) -> Option<u64> {
    let (index, epoch) = split_u64(key.strip_prefix(&[record as u8])?)?;
    (epoch.len() == 4).then_some(index)
}

/// Key of the watermark.
pub(crate) const WATERMARK_KEY: &[u8] = &[0x57];

impl Watermark {
    /// Bytes of the row.
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::new();
        out.extend(self.next_index.0.to_be_bytes());
        out.extend(self.height.0.to_be_bytes());
        out.extend(self.seal_nanos.to_be_bytes());
        out.extend(self.epoch.to_be_bytes());
        out.extend(self.params.rules_version.to_be_bytes());
        out.extend(self.params.rules_index.0.to_be_bytes());
        out.extend(self.params.log_key);
        out.extend(self.params.closed_through.to_be_bytes());
        for count in [self.account_count, self.payment_count, self.key_count] {
            out.extend(count.to_be_bytes());
        }
        out.extend((self.totals.0.len() as u32).to_be_bytes());
        for (currency, counters) in &self.totals.0 {
            out.extend(currency.as_bytes());
            out.extend(counters.to_bytes());
        }
        out
    }

    /// Reads the row of the ledger `ledger_id`.
    pub(crate) fn decode(bytes: &[u8], ledger_id: Hash) -> Result<Self, RowError> {
        let mut fields = Fields(bytes);
        let read = |fields: &mut Fields<'_>| {
            let watermark = Self {
                next_index: LogIndex(fields.u64()?),
                height: BlockHeight(fields.u64()?),
                seal_nanos: fields.u64()?,
                epoch: fields.u32()?,
                params: Params {
                    ledger_id,
                    rules_version: fields.u32()?,
                    rules_index: LogIndex(fields.u64()?),
                    log_key: fields.array()?,
                    closed_through: fields.u32()?,
                },
                account_count: fields.u64()?,
                payment_count: fields.u64()?,
                key_count: fields.u64()?,
                totals: fields.totals()?,
            };
            fields.0.is_empty().then_some(watermark)
        };
        read(&mut fields).ok_or_else(|| RowError::new("state", "watermark"))
    }
}

struct Fields<'a>(&'a [u8]);

impl Fields<'_> {
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (array, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(*array)
    }

    fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_be_bytes)
    }

    fn u32(&mut self) -> Option<u32> {
        self.array().map(u32::from_be_bytes)
    }

    fn i128(&mut self) -> Option<i128> {
        self.array().map(i128::from_be_bytes)
    }

    fn totals(&mut self) -> Option<Totals> {
        let mut totals = Totals::default();
        for _ in 0..self.u32()? {
            let currency = CurrencyCode::from_bytes(self.array()?)?;
            let counters = Counters {
                posted_debits: self.i128()?,
                posted_credits: self.i128()?,
                pending_debits: self.i128()?,
                pending_credits: self.i128()?,
            };
            totals.0.insert(currency, counters);
        }
        Some(totals)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_epoch_comes_first() {
        assert!(record_key(Record::Account, 1, 7) < record_key(Record::Account, 1, 6));
        assert!(record_key(Record::Account, 1, 0) < record_key(Record::Account, 2, 9));
        assert!(record_key(Record::Account, 1, 7).starts_with(&record_prefix(Record::Account, 1)));
        assert_eq!(index_of_key(Record::Account, &record_key(Record::Account, 5, 3)), Some(5));
        assert_eq!(index_of_key(Record::Key, &record_key(Record::Account, 5, 3)), None);
    }

    #[test]
    fn the_watermark_round_trips() {
        let mut totals = Totals::default();
        let usd = CurrencyCode::parse("USD").unwrap();
        totals.0.insert(
            usd,
            Counters { posted_debits: 1, posted_credits: 2, pending_debits: 3, pending_credits: 4 },
        );
        let watermark = Watermark {
            next_index: LogIndex(10),
            height: BlockHeight(2),
            seal_nanos: 3,
            epoch: 4,
            params: Params {
                ledger_id: [5; 32],
                rules_version: 1,
                rules_index: LogIndex(0),
                log_key: [6; 32],
                closed_through: 20_250_101,
            },
            account_count: 7,
            payment_count: 8,
            key_count: 9,
            totals,
        };
        let bytes = watermark.encode();
        assert_eq!(Watermark::decode(&bytes, [5; 32]), Ok(watermark));
        assert!(Watermark::decode(&bytes[..bytes.len() - 1], [5; 32]).is_err());
    }
}
