//! Statements: opening, lines with a running balance, closing. Nothing of a statement is shown before opening and
//! lines were found to sum to closing.

use ledger_core::date::{is_date, midnight_nanos};
use ledger_core::ids::{AccountIndex, LogIndex};
use ledger_core::record::Counters;
use ledger_core::view::StateView as _;

use crate::account_read::LINES_AT_ONCE;
use crate::log_read::ReadError;
use crate::rows::index::DatedLine;
use crate::slice::{Direction, Slice};
use crate::view::View;

/// Most lines of a statement by effective date: they are sorted in memory, 16 bytes each.
const MAX_SORTED_LINES: usize = 1_000_000;

/// Which lines a statement has.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StatementRange {
    /// By the time of their entries, in log order.
    Recorded {
        /// The first nanosecond.
        from_nanos: u64,
        /// The first one after the range.
        to_nanos: u64,
    },
    /// By the effective date of their events, and within a date in log order.
    Effective {
        /// First date, yyyymmdd.
        from_date: u32,
        /// Last date.
        to_date: u32,
    },
}

/// A statement that was found to add up. Its lines never change, so later views may read them.
#[derive(Clone, Debug)]
pub struct Statement {
    /// Whose it is.
    pub account: AccountIndex,
    /// Counters before the first line.
    pub opening: Counters,
    /// Counters after the last line.
    pub closing: Counters,
    /// First log index that was not looked at.
    pub read_at: LogIndex,
    numbers: Numbers,
}

/// Line numbers in the order of the statement.
#[derive(Clone, Debug)]
enum Numbers {
    Run { first: u64, count: u64 },
    Listed(Vec<u64>),
}

impl Statement {
    /// Number of lines.
    pub fn line_count(&self) -> u64 {
        match &self.numbers {
            Numbers::Run { count, .. } => *count,
            Numbers::Listed(numbers) => numbers.len() as u64,
        }
    }

    /// Runs of consecutive line numbers, first and length, from the `offset`th line on, `limit` lines at most.
    fn runs(&self, offset: u64, limit: usize) -> Vec<(u64, usize)> {
        match &self.numbers {
            Numbers::Run { first, count } => {
                let left = count.saturating_sub(offset).min(limit as u64);
                vec![(first + offset, left as usize)]
            }
            Numbers::Listed(numbers) => {
                let offset = usize::try_from(offset).unwrap_or(usize::MAX).min(numbers.len());
                let wanted = numbers[offset..].iter().take(limit).copied().collect::<Vec<_>>();
                let runs = wanted.chunk_by(|one, next| one + 1 == *next);
                runs.map(|run| (run[0], run.len())).collect()
            }
        }
    }
}

impl View {
    /// The statement of an account.
    ///
    /// By recorded time it reads the lines of the range, O(lines in it). By effective date it reads every line recorded
    /// since the first date, because any of them may be dated back into the range.
    ///
    /// # Errors
    /// [`ReadError::Invalid`] for a range that is none, or more than 1,000,000 lines by effective date;
    /// [`ReadError::Disagrees`] when opening and lines do not sum to closing.
    pub fn statement(&self, account: AccountIndex, range: StatementRange) -> Result<Statement, ReadError> {
        match range {
            StatementRange::Recorded { from_nanos, to_nanos } => {
                self.recorded_statement(account, from_nanos, to_nanos)
            }
            StatementRange::Effective { from_date, to_date } => {
                self.effective_statement(account, from_date, to_date)
            }
        }
    }

    /// Lines of a statement from the `offset`th on, at most `limit`.
    pub fn statement_lines(
        &self,
        statement: &Statement,
        offset: u64,
        limit: usize,
    ) -> Result<Vec<DatedLine>, ReadError> {
        let mut lines = Vec::with_capacity(limit);
        for (first, count) in statement.runs(offset, limit) {
            let slice = Slice { from: Some(first), direction: Direction::Ascending, limit: count };
            lines.extend(self.dated_lines(statement.account, slice)?);
        }
        Ok(lines)
    }

    fn recorded_statement(
        &self,
        account: AccountIndex,
        from_nanos: u64,
        to_nanos: u64,
    ) -> Result<Statement, ReadError> {
        if to_nanos < from_nanos {
            return Err(invalid("to_nanos", to_nanos, format!("at least from_nanos, {from_nanos}")));
        }
        let count = self.tail().account(account)?.line_count;
        let before = self.lines_before(account, count, |line| line.recorded_at_nanos < from_nanos)?;
        let until = self.lines_before(account, count, |line| line.recorded_at_nanos < to_nanos)?;
        let opening = self.counters_after(account, before)?;
        let closing = self.counters_after(account, until)?;
        let mut sum = opening;
        self.each_line(account, before + 1, until, |dated| {
            sum.post(dated.line.posting);
            Ok(())
        })?;
        let numbers = Numbers::Run { first: before + 1, count: until - before };
        self.agreed(Statement { account, opening, closing, read_at: self.next_index(), numbers }, sum)
    }

    fn effective_statement(
        &self,
        account: AccountIndex,
        from_date: u32,
        to_date: u32,
    ) -> Result<Statement, ReadError> {
        for (field, date) in [("from_date", from_date), ("to_date", to_date)] {
            if !is_date(date) {
                return Err(invalid(field, date, "a date from 19700101 to 99991231, yyyymmdd".to_owned()));
            }
        }
        if to_date < from_date {
            return Err(invalid("to_date", to_date, format!("at least from_date, {from_date}")));
        }
        // No effective date lies after the date of the entry: lines recorded before the range are dated before it.
        let midnight = midnight_nanos(from_date).unwrap_or(u64::MAX);
        let count = self.tail().account(account)?.line_count;
        let before = self.lines_before(account, count, |line| line.recorded_at_nanos < midnight)?;
        let mut opening = self.counters_after(account, before)?;
        let mut closing = self.counters_after(account, count)?;
        let (mut inside, mut dated) = (Counters::default(), Vec::new());
        self.each_line(account, before + 1, count, |found| {
            let posting = found.line.posting;
            if found.effective_date < from_date {
                opening.post(posting);
            } else if found.effective_date > to_date {
                closing.unpost(posting);
            } else if dated.len() == MAX_SORTED_LINES {
                let limit = format!("{MAX_SORTED_LINES} lines by effective date");
                return Err(invalid("effective", format!("{from_date} to {to_date}"), limit));
            } else {
                inside.post(posting);
                dated.push((found.effective_date, found.line.number));
            }
            Ok(())
        })?;
        dated.sort_unstable();
        let numbers = Numbers::Listed(dated.into_iter().map(|(_, number)| number).collect());
        let mut sum = opening;
        sum += inside;
        self.agreed(Statement { account, opening, closing, read_at: self.next_index(), numbers }, sum)
    }

    /// The one way out: opening and lines sum to closing, counter by counter.
    fn agreed(&self, statement: Statement, sum: Counters) -> Result<Statement, ReadError> {
        if sum == statement.closing {
            return Ok(statement);
        }
        Err(ReadError::Disagrees(format!(
            "statement of account {}: opening {:?} and {} lines sum to {sum:?}, closing is {:?}",
            statement.account,
            statement.opening,
            statement.line_count(),
            statement.closing
        )))
    }

    /// Lines `first` to `last` of an account, in order. There must be no gap.
    pub(crate) fn each_line(
        &self,
        account: AccountIndex,
        first: u64,
        last: u64,
        mut take: impl FnMut(&DatedLine) -> Result<(), ReadError>,
    ) -> Result<(), ReadError> {
        let mut next = first;
        while next <= last {
            let limit = usize::try_from(last - next + 1).unwrap_or(usize::MAX).min(LINES_AT_ONCE);
            let slice = Slice { from: Some(next), direction: Direction::Ascending, limit };
            let lines = self.dated_lines(account, slice)?;
            for dated in &lines {
                if dated.line.number != next {
                    break;
                }
                take(dated)?;
                next += 1;
            }
            if lines.last().is_none_or(|dated| dated.line.number + 1 != next) {
                let words = format!("line {next} of account {account} is missing");
                return Err(ReadError::Disagrees(words));
            }
        }
        Ok(())
    }
}

fn invalid(field: &'static str, value: impl ToString, limit: String) -> ReadError {
    ReadError::Invalid { field, value: value.to_string(), limit }
}
