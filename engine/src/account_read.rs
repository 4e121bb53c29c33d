//! Reading accounts: lists, statement lines, and how an account was at an earlier moment.

use std::sync::Arc;

use ledger_core::ids::{AccountIndex, LogIndex};
use ledger_core::line::Line;
use ledger_core::number::{AccountKind, AccountStatus};
use ledger_core::record::{AccountRecord, Counters};
use ledger_core::view::StateView as _;

use crate::log_read::ReadError;
use crate::rows::index::{self, DatedLine};
use crate::slice::{Direction, Found, MAX_LOOKED_AT, Slice};
use crate::store::StoreError;
use crate::view::View;

/// Lines that are read at once where many are.
pub(crate) const LINES_AT_ONCE: usize = 1_024;

/// An account at an earlier moment.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AccountThen {
    /// Its status then.
    pub status: AccountStatus,
    /// Its limit then.
    pub limit: u64,
    /// Lines until then.
    pub line_count: u64,
    /// Its counters then.
    pub counters: Counters,
    /// Settled money then.
    pub posted: i128,
    /// The same with every hold.
    pub pending: i128,
    /// What might have left then.
    pub available: i128,
}

/// An account that should hold nothing, and does.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Undrained {
    /// Its position.
    pub index: AccountIndex,
    /// As it is.
    pub record: Arc<AccountRecord>,
    /// `recorded_at` of the line that first made it hold something, if that is among its last 10,000 lines.
    pub since_nanos: Option<u64>,
}

impl View {
    /// Accounts in order of opening; positions are account indices.
    pub fn accounts(&self, slice: Slice) -> Result<Vec<(AccountIndex, Arc<AccountRecord>)>, ReadError> {
        let wanted = slice.positions(0, self.account_count()).take(slice.limit).map(AccountIndex);
        wanted.map(|index| Ok((index, self.tail().account(index)?))).collect()
    }

    /// Statement lines of an account; positions are line numbers, from 1.
    pub fn account_lines(&self, account: AccountIndex, slice: Slice) -> Result<Vec<Line>, ReadError> {
        let lines = self.dated_lines(account, slice)?;
        Ok(lines.into_iter().map(|dated| dated.line).collect())
    }

    /// The same with the effective dates of their events.
    pub fn dated_lines(&self, account: AccountIndex, slice: Slice) -> Result<Vec<DatedLine>, ReadError> {
        let read = |key: &[u8], value: &[u8]| {
            index::line_of_key(key, account)
                .map(|_| index::read_line(account, value).map_err(StoreError::from))
        };
        let count = self.tail().account(account)?.line_count;
        let from = index::line_key(account, slice.begin(1, count));
        Ok(self.tail().rows(&from, slice.direction, slice.limit, read)?)
    }

    /// An account after an entry: its counters after its last line at or before it, and the status and limit that were
    /// in force. `None`: it was not opened yet. O(log lines) point reads.
    pub fn account_then(
        &self,
        account: AccountIndex,
        at: LogIndex,
    ) -> Result<Option<AccountThen>, ReadError> {
        let read = |key: &[u8], value: &[u8]| {
            index::read_standing(key, value, account).map(|row| row.map_err(StoreError::from))
        };
        let from = index::standing_key(account, at);
        let Some(standing) = self.tail().rows(&from, Direction::Descending, 1, read)?.pop() else {
            return Ok(None);
        };
        let now = self.tail().account(account)?;
        let line_count = self.lines_before(account, now.line_count, |line| line.log_index <= at)?;
        let counters = self.counters_after(account, line_count)?;
        let (status, limit) = (standing.status, standing.limit);
        let then = AccountRecord { status, limit, counters, ..AccountRecord::clone(&now) };
        Ok(Some(AccountThen {
            status,
            limit,
            line_count,
            counters,
            posted: then.posted(),
            pending: then.pending(),
            available: then.available(),
        }))
    }

    /// Accounts that should drain to zero, CLEARING and DISPUTE, and have a posted balance, in order of opening. Looks
    /// at 10,000 accounts, and at the last 10,000 lines of each that it finds.
    pub fn undrained(&self, slice: Slice) -> Result<Found<Undrained>, ReadError> {
        let mut found = Found { elements: Vec::new(), next: None };
        let positions = slice.positions(0, self.account_count());
        for (looked_at, index) in positions.map(AccountIndex).enumerate() {
            if looked_at == MAX_LOOKED_AT || found.elements.len() == slice.limit {
                found.next = Some(index.0);
                break;
            }
            let record = self.tail().account(index)?;
            let drains = matches!(record.kind, AccountKind::Clearing | AccountKind::Dispute);
            if drains && record.posted() != 0 {
                let since_nanos = self.holds_since(index)?;
                found.elements.push(Undrained { index, record, since_nanos });
            }
        }
        Ok(found)
    }

    /// Time of the line after the last one that left nothing posted.
    fn holds_since(&self, account: AccountIndex) -> Result<Option<u64>, ReadError> {
        let (mut from, mut since, mut looked_at) = (None, None, 0);
        while looked_at < MAX_LOOKED_AT {
            let slice = Slice { from, direction: Direction::Descending, limit: LINES_AT_ONCE };
            let lines = self.account_lines(account, slice)?;
            for line in &lines {
                if line.after.posted_debits == line.after.posted_credits {
                    return Ok(since);
                }
                since = Some(line.recorded_at_nanos);
            }
            match lines.last() {
                Some(line) if line.number > 1 => from = Some(line.number - 1),
                _ => return Ok(since),
            }
            looked_at += lines.len();
        }
        Ok(None)
    }

    /// Counters after line `number`; zeros before the first.
    pub(crate) fn counters_after(&self, account: AccountIndex, number: u64) -> Result<Counters, ReadError> {
        if number == 0 { Ok(Counters::default()) } else { Ok(self.line(account, number)?.after) }
    }

    /// How many of the first `count` lines are before a boundary: `is_before` holds for a first part of them and for
    /// none after it. O(log count) point reads.
    pub(crate) fn lines_before(
        &self,
        account: AccountIndex,
        count: u64,
        is_before: impl Fn(&Line) -> bool,
    ) -> Result<u64, ReadError> {
        // Lines 1 to `low` are before it, those after `high` are not.
        let (mut low, mut high) = (0, count);
        while low < high {
            let middle = low + (high - low).div_ceil(2);
            if is_before(&self.line(account, middle)?) {
                low = middle;
            } else {
                high = middle - 1;
            }
        }
        Ok(low)
    }

    fn line(&self, account: AccountIndex, number: u64) -> Result<Line, ReadError> {
        let lost = || StoreError::Missing(format!("line {number} of account {account}"));
        let value = self.tail().row(&index::line_key(account, number))?.ok_or_else(lost)?;
        Ok(index::read_line(account, &value).map_err(StoreError::from)?.line)
    }
}
