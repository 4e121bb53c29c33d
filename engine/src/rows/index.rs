//! Family `indices`: pure functions of entries, written once, never deleted. Writing one again is harmless.
//!
//! | row | key | value |
//! |---|---|---|
//! | event | 0x01, event id 16 | log index u64, recorded_at u64, outcome u16, content digest 32 |
//! | batch | 0x02, batch id 16 | log index of its header u64 |
//! | payment | 0x03, payment id 16 | payment index u64 |
//! | entry of a payment | 0x04, payment id 16, log index u64 | empty |
//! | statement line | 0x06, account index u64, line number u64 | line 138, effective date u32 (yyyymmdd) |
//! | external reference | 0x07, length of party u8, party, reference | 1 payment or 2 transfer, id 16 |
//! | special account | 0x09, kind u8, currency 3 | account index u64 |
//! | reversed event | 0x0A, event id 16 | log index of its reversal u64 |
//! | log key | 0x0B, public key 32 | log index u64 and recorded_at u64 of the rotation to it; the genesis key has none |
//! | payment of an account | 0x0C, account index u64, payment index u64 | empty |
//! | standing of an account | 0x0D, account index u64, log index u64 | status u8, limit u64, from that entry on |
//!
//! 0x08 is kept for expiries. Accounts are found by name in memory.

use arrayvec::ArrayVec;
use ledger_core::ids::{AccountIndex, BatchId, CurrencyCode, EventId, LogIndex, PaymentId, PaymentIndex};
use ledger_core::line::{LINE_BYTES, Line};
use ledger_core::number::{AccountKind, AccountStatus};
use ledger_core::view::{KnownEvent, Referenced};
use ledger_crypto::KeyBytes;

use super::{RowError, only_u64, split_u64};
use crate::log_keys::NamedKey;

/// Longest: an external reference, 2 + 35 + 35 bytes.
pub(crate) type Key = ArrayVec<u8, 80>;

const EVENT: u8 = 0x01;
const BATCH: u8 = 0x02;
const PAYMENT: u8 = 0x03;
const PAYMENT_ENTRY: u8 = 0x04;
const LINE: u8 = 0x06;
const REFERENCE: u8 = 0x07;
const SPECIAL: u8 = 0x09;
const REVERSED: u8 = 0x0A;
const LOG_KEY: u8 = 0x0B;
const ACCOUNT_PAYMENT: u8 = 0x0C;
const STANDING: u8 = 0x0D;

const PAYMENT_REFERENCE: u8 = 1;
const TRANSFER_REFERENCE: u8 = 2;

fn key(tag: u8, parts: &[&[u8]]) -> Key {
    let mut key = Key::new();
    key.push(tag);
    for part in parts {
        key.try_extend_from_slice(part).expect("no key has more than 80 bytes");
    }
    key
}

fn malformed(what: &str) -> RowError {
    RowError::new("indices", what)
}

pub(crate) fn event_key(id: &EventId) -> Key {
    key(EVENT, &[&id.0])
}

pub(crate) fn event_value(known: &KnownEvent) -> Vec<u8> {
    let mut value = Vec::with_capacity(50);
    value.extend_from_slice(&known.log_index.0.to_be_bytes());
    value.extend_from_slice(&known.recorded_at_nanos.to_be_bytes());
    value.extend_from_slice(&known.outcome.to_be_bytes());
    value.extend_from_slice(&known.digest);
    value
}

pub(crate) fn read_event(value: &[u8]) -> Result<KnownEvent, RowError> {
    let read = || {
        let (log_index, rest) = split_u64(value)?;
        let (recorded_at_nanos, rest) = split_u64(rest)?;
        let (outcome, digest) = rest.split_first_chunk::<2>()?;
        let digest = digest.try_into().ok()?;
        Some(KnownEvent {
            log_index: LogIndex(log_index),
            recorded_at_nanos,
            outcome: u16::from_be_bytes(*outcome),
            digest,
        })
    };
    read().ok_or_else(|| malformed("event"))
}

pub(crate) fn batch_key(id: &BatchId) -> Key {
    key(BATCH, &[&id.0])
}

pub(crate) fn payment_key(id: &PaymentId) -> Key {
    key(PAYMENT, &[&id.0])
}

pub(crate) fn payment_entry_key(id: &PaymentId, log_index: LogIndex) -> Key {
    key(PAYMENT_ENTRY, &[&id.0, &log_index.0.to_be_bytes()])
}

/// Log index in the key of a payment's entry; `None` when the key is not of that payment.
pub(crate) fn payment_entry_of_key(found: &[u8], id: &PaymentId) -> Option<LogIndex> {
    let rest = found.strip_prefix(key(PAYMENT_ENTRY, &[&id.0]).as_slice())?;
    only_u64(rest).map(LogIndex)
}

pub(crate) fn line_key(account: AccountIndex, number: u64) -> Key {
    key(LINE, &[&account.0.to_be_bytes(), &number.to_be_bytes()])
}

/// Line number in the key of a line; `None` when the key is not of that account.
pub(crate) fn line_of_key(found: &[u8], account: AccountIndex) -> Option<u64> {
    only_u64(found.strip_prefix(key(LINE, &[&account.0.to_be_bytes()]).as_slice())?)
}

/// A statement line and the effective date of its event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct DatedLine {
    /// The line.
    pub line: Line,
    /// yyyymmdd.
    pub effective_date: u32,
}

pub(crate) fn line_value(line: &Line, effective_date: u32) -> [u8; LINE_BYTES + 4] {
    let mut value = [0; LINE_BYTES + 4];
    value[..LINE_BYTES].copy_from_slice(&line.encode());
    value[LINE_BYTES..].copy_from_slice(&effective_date.to_be_bytes());
    value
}

pub(crate) fn read_line(account: AccountIndex, value: &[u8]) -> Result<DatedLine, RowError> {
    let (line, date) = value.split_last_chunk().ok_or_else(|| malformed("statement line"))?;
    let line = Line::decode(account, line).map_err(|error| malformed(&error.to_string()))?;
    Ok(DatedLine { line, effective_date: u32::from_be_bytes(*date) })
}

pub(crate) fn account_payment_key(account: AccountIndex, payment: PaymentIndex) -> Key {
    key(ACCOUNT_PAYMENT, &[&account.0.to_be_bytes(), &payment.0.to_be_bytes()])
}

/// Payment in the key of an account's payment; `None` when the key is not of that account.
pub(crate) fn payment_of_key(found: &[u8], account: AccountIndex) -> Option<PaymentIndex> {
    let rest = found.strip_prefix(key(ACCOUNT_PAYMENT, &[&account.0.to_be_bytes()]).as_slice())?;
    only_u64(rest).map(PaymentIndex)
}

/// What events without postings set on an account.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Standing {
    pub(crate) status: AccountStatus,
    pub(crate) limit: u64,
}

pub(crate) fn standing_key(account: AccountIndex, log_index: LogIndex) -> Key {
    key(STANDING, &[&account.0.to_be_bytes(), &log_index.0.to_be_bytes()])
}

pub(crate) fn standing_value(standing: Standing) -> [u8; 9] {
    let mut value = [standing.status.number(); 9];
    value[1..].copy_from_slice(&standing.limit.to_be_bytes());
    value
}

/// The standing in a row; `None` when the key is not of that account.
pub(crate) fn read_standing(
    found: &[u8],
    value: &[u8],
    account: AccountIndex,
) -> Option<Result<Standing, RowError>> {
    found.strip_prefix(key(STANDING, &[&account.0.to_be_bytes()]).as_slice())?;
    let read = || {
        let (status, limit) = value.split_first()?;
        let status = AccountStatus::from_number(u32::from(*status))?;
        Some(Standing { status, limit: only_u64(limit)? })
    };
    Some(read().ok_or_else(|| malformed("standing of an account")))
}

pub(crate) fn reference_key(party: &str, reference: &str) -> Option<Key> {
    let length = u8::try_from(party.len()).ok().filter(|_| party.len() + reference.len() <= 70)?;
    Some(key(REFERENCE, &[&[length], party.as_bytes(), reference.as_bytes()]))
}

pub(crate) fn reference_value(referenced: Referenced) -> Vec<u8> {
    match referenced {
        Referenced::Payment(id) => [&[PAYMENT_REFERENCE], id.0.as_slice()].concat(),
        Referenced::Transfer(id) => [&[TRANSFER_REFERENCE], id.0.as_slice()].concat(),
    }
}

pub(crate) fn read_reference(value: &[u8]) -> Result<Referenced, RowError> {
    let read = || {
        let (kind, id) = value.split_first()?;
        let id = id.try_into().ok()?;
        match *kind {
            PAYMENT_REFERENCE => Some(Referenced::Payment(PaymentId(id))),
            TRANSFER_REFERENCE => Some(Referenced::Transfer(EventId(id))),
            _ => None,
        }
    };
    read().ok_or_else(|| malformed("external reference"))
}

pub(crate) fn special_key(kind: AccountKind, currency: CurrencyCode) -> Key {
    key(SPECIAL, &[&[kind.number()], currency.as_bytes()])
}

pub(crate) fn reversed_key(target: &EventId) -> Key {
    key(REVERSED, &[&target.0])
}

pub(crate) fn log_key_key(log_key: &KeyBytes) -> Key {
    key(LOG_KEY, &[log_key])
}

/// Where the keys begin that [`read_log_key`] reads.
pub(crate) fn first_log_key() -> Key {
    key(LOG_KEY, &[])
}

pub(crate) fn log_key_value(log_index: LogIndex, recorded_at_nanos: u64) -> [u8; 16] {
    let mut value = [0; 16];
    value[..8].copy_from_slice(&log_index.0.to_be_bytes());
    value[8..].copy_from_slice(&recorded_at_nanos.to_be_bytes());
    value
}

/// A row of a log key; `None` when the key is of another kind of row.
pub(crate) fn read_log_key(found: &[u8], value: &[u8]) -> Option<Result<NamedKey, RowError>> {
    let key = found.strip_prefix(&[LOG_KEY])?;
    let read = || {
        let (log_index, rest) = split_u64(value)?;
        let (key, log_index) = (key.try_into().ok()?, LogIndex(log_index));
        Some(NamedKey { key, log_index, since_nanos: only_u64(rest)? })
    };
    Some(read().ok_or_else(|| malformed("log key")))
}

pub(crate) fn index_value(index: u64) -> Vec<u8> {
    index.to_be_bytes().to_vec()
}

pub(crate) fn read_account_index(value: &[u8]) -> Result<AccountIndex, RowError> {
    only_u64(value).map(AccountIndex).ok_or_else(|| malformed("account index"))
}

pub(crate) fn read_log_index(value: &[u8]) -> Result<LogIndex, RowError> {
    only_u64(value).map(LogIndex).ok_or_else(|| malformed("log index"))
}

pub(crate) fn read_payment_index(value: &[u8]) -> Result<PaymentIndex, RowError> {
    only_u64(value).map(PaymentIndex).ok_or_else(|| malformed("payment index"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_round_trip() {
        let known =
            KnownEvent { log_index: LogIndex(7), recorded_at_nanos: 8, outcome: 904, digest: [9; 32] };
        assert_eq!(read_event(&event_value(&known)), Ok(known));
        assert!(read_event(&event_value(&known)[1..]).is_err());
        for referenced in [Referenced::Payment(PaymentId([1; 16])), Referenced::Transfer(EventId([2; 16]))] {
            assert_eq!(read_reference(&reference_value(referenced)), Ok(referenced));
        }
        let payment = PaymentId([3; 16]);
        assert_eq!(
            payment_entry_of_key(&payment_entry_key(&payment, LogIndex(4)), &payment),
            Some(LogIndex(4))
        );
        assert_eq!(
            payment_entry_of_key(&payment_entry_key(&payment, LogIndex(4)), &PaymentId([4; 16])),
            None
        );
        assert_eq!(line_of_key(&line_key(AccountIndex(5), 6), AccountIndex(5)), Some(6));
        assert_eq!(read_account_index(&index_value(5)), Ok(AccountIndex(5)));
        assert_eq!(read_payment_index(&index_value(5)), Ok(PaymentIndex(5)));
        assert_eq!(read_log_index(&index_value(5)), Ok(LogIndex(5)));
        let named = NamedKey { key: [6; 32], log_index: LogIndex(7), since_nanos: 8 };
        let value = log_key_value(LogIndex(7), 8);
        assert_eq!(read_log_key(&log_key_key(&[6; 32]), &value), Some(Ok(named)));
        assert!(matches!(read_log_key(&log_key_key(&[6; 32]), &value[1..]), Some(Err(_))));
        assert_eq!(read_log_key(&reversed_key(&EventId([6; 16])), &value), None);
        assert_ne!(batch_key(&BatchId([1; 16])), event_key(&EventId([1; 16])));
        let key = account_payment_key(AccountIndex(5), PaymentIndex(6));
        assert_eq!(payment_of_key(&key, AccountIndex(5)), Some(PaymentIndex(6)));
        assert_eq!(payment_of_key(&key, AccountIndex(6)), None);
        let standing = Standing { status: AccountStatus::Frozen, limit: 7 };
        let (key, value) = (standing_key(AccountIndex(5), LogIndex(9)), standing_value(standing));
        assert_eq!(read_standing(&key, &value, AccountIndex(5)), Some(Ok(standing)));
        assert_eq!(read_standing(&key, &value, AccountIndex(4)), None);
        assert!(read_standing(&key, &value[1..], AccountIndex(5)).unwrap().is_err());
        assert_ne!(reference_key("ab", "c"), reference_key("a", "bc"));
    }
}
