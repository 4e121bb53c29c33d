//! What an import found and did, as a table and as JSON.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::time::Duration;

use ledger_core::money::format_amount;
use serde_json::{Map, Value, json};

use crate::output::facts;

use super::file::BankFile;
use super::plan::{Difference, Part, Plan};

/// Differences shown in the table; `--json` has them all.
const SHOWN: usize = 20;

/// Events of an import.
#[derive(Clone, Copy, Debug, Default)]
pub struct Events {
    /// Recorded now.
    pub new: u64,
    /// Recorded before.
    pub already_there: u64,
}

/// Accounts of an import.
#[derive(Clone, Copy, Debug, Default)]
pub struct AccountsCount {
    /// Opened now.
    pub opened: u64,
    /// Open before.
    pub already_there: u64,
    /// Those that rows belong to.
    pub with_rows: u64,
}

/// The whole report. Amounts are text with their currency.
#[derive(Clone, Debug)]
pub struct Report {
    file: String,
    rows: u64,
    matched: u64,
    rounded: u64,
    /// Differences that no rounding explains.
    other: u64,
    /// Rows without a stated balance.
    unstated: u64,
    openings: u64,
    /// Roundings by amount.
    roundings: BTreeMap<String, u64>,
    differences: Vec<DifferenceLine>,
    /// Accounts and days whose rows are too many for the best order to be sought.
    long_days: Vec<(String, String)>,
    /// Accounts whose rows end at the balance that the bank states last.
    balances_reached: u64,
    accounts: AccountsCount,
    events: Events,
    /// Events that the file of acknowledgements had already.
    acknowledged_before: Option<u64>,
    seconds: String,
    events_per_second: u64,
}

#[derive(Clone, Debug)]
struct DifferenceLine {
    line: u64,
    key: String,
    account: String,
    computed: String,
    stated: String,
    difference: String,
    rounding: bool,
}

impl Report {
    /// Puts the findings of a plan and the counts of its sending together.
    pub fn new(
        file: &BankFile,
        plan: &Plan,
        events: Events,
        accounts: AccountsCount,
        took: Duration,
    ) -> Self {
        let (currency, exponent) = file.layout.currency();
        let amount = |minor: i128| format!("{} {currency}", format_amount(minor, exponent));
        let mut roundings = BTreeMap::new();
        for found in plan.differences.iter().filter(|found| found.rounding) {
            *roundings.entry(amount(found.stated - found.computed)).or_default() += 1;
        }
        let line = |found: &Difference| {
            let row = &file.rows[found.row];
            DifferenceLine {
                line: row.line,
                key: row.key.clone(),
                account: file.accounts.at(row.account).id.to_string(),
                computed: amount(found.computed),
                stated: amount(found.stated),
                difference: amount(found.stated - found.computed),
                rounding: found.rounding,
            }
        };
        let long_days = plan.long_days.iter();
        let long_days =
            long_days.map(|(account, day)| (file.accounts.at(*account).id.to_string(), day.to_string()));
        let sent = events.new + events.already_there;
        let millis = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        Self {
            file: file.path.display().to_string(),
            rows: file.rows.len() as u64,
            matched: plan.matched,
            rounded: plan.rounded(),
            other: plan.unexplained(),
            unstated: plan.unstated,
            openings: plan.transfers.iter().filter(|transfer| transfer.part == Part::Opening).count() as u64,
            roundings,
            differences: plan.differences.iter().map(line).collect(),
            long_days: long_days.collect(),
            balances_reached: plan.balances_reached(&file.rows),
            accounts,
            events,
            acknowledged_before: None,
            seconds: format!("{}.{:03}", millis / 1000, millis % 1000),
            events_per_second: sent.saturating_mul(1000) / millis,
        }
    }

    /// With the number of events that the file of acknowledgements had before.
    pub fn acknowledged_before(mut self, events: Option<u64>) -> Self {
        self.acknowledged_before = events;
        self
    }

    /// The table, and the differences that no rounding explains.
    pub fn text(&self) -> String {
        let Self { accounts, events, .. } = self;
        let roundings = self.roundings.iter().map(|(amount, rows)| format!("{} × {amount}", count(*rows)));
        let roundings = roundings.collect::<Vec<_>>().join(", ");
        let mut rows = vec![
            ("rows", count(self.rows)),
            ("matched", count(self.matched)),
            ("rounded", [count(self.rounded), roundings].join("  ")),
            ("other differences", count(self.other)),
        ];
        let seldom = [("rows without a balance", self.unstated), ("opening balances", self.openings)];
        rows.extend(seldom.into_iter().filter(|(_, rows)| *rows > 0).map(|(name, rows)| (name, count(rows))));
        let reached = format!("{} of {} accounts", count(self.balances_reached), count(accounts.with_rows));
        rows.extend([
            ("accounts opened", count(accounts.opened)),
            ("accounts there before", count(accounts.already_there)),
            ("at the last stated balance", reached),
            ("events new", count(events.new)),
            ("events there before", count(events.already_there)),
            ("acknowledged before", self.acknowledged_before.map_or_else(|| "not kept".to_owned(), count)),
            ("rate", format!("{} events/s, {} s", count(self.events_per_second), self.seconds)),
        ]);
        let mut text = facts(rows).to_string();
        self.write_differences(&mut text);
        self.write_long_days(&mut text);
        text
    }

    /// The same, with every difference, as a document.
    pub fn json(&self) -> Value {
        let text = |number: u64| number.to_string();
        let differences = self.differences.iter().map(|found| {
            json!({
                "line": text(found.line), "key": found.key, "account": found.account, "computed": found.computed,
                "stated": found.stated, "difference": found.difference, "rounding": found.rounding,
            })
        });
        let roundings = self.roundings.iter().map(|(amount, rows)| (amount.clone(), json!(text(*rows))));
        let long_days = self.long_days.iter().map(|(account, day)| json!({"account": account, "day": day}));
        json!({
            "file": self.file,
            "rows": text(self.rows),
            "matched": text(self.matched),
            "rounded": text(self.rounded),
            "other": text(self.other),
            "unstated": text(self.unstated),
            "openings": text(self.openings),
            "roundings": roundings.collect::<Map<_, _>>(),
            "differences": differences.collect::<Vec<_>>(),
            "long_days": long_days.collect::<Vec<_>>(),
            "balances_reached": text(self.balances_reached),
            "accounts": {
                "opened": text(self.accounts.opened),
                "already_there": text(self.accounts.already_there),
                "with_rows": text(self.accounts.with_rows),
            },
            "events": { "new": text(self.events.new), "already_there": text(self.events.already_there) },
            "acknowledged_before": self.acknowledged_before.map(text),
            "seconds": self.seconds,
            "events_per_second": text(self.events_per_second),
        })
    }

    fn write_differences(&self, text: &mut String) {
        let others = self.differences.iter().filter(|found| !found.rounding);
        for found in others.take(SHOWN) {
            let DifferenceLine { line, key, account, computed, stated, difference, .. } = found;
            let file = &self.file;
            let _ = write!(
                text,
                "\n{file}:{line}: row {key:?}: {account} is {computed}, the bank states {stated}: {difference}"
            );
        }
        if let Some(more) =
            usize::try_from(self.other).ok().and_then(|n| n.checked_sub(SHOWN)).filter(|n| *n > 0)
        {
            let _ = write!(text, "\n… and {more} more differences (--json lists all)");
        }
    }

    fn write_long_days(&self, text: &mut String) {
        for (account, day) in self.long_days.iter().take(SHOWN) {
            let most = super::order::EXACT_ROWS;
            let _ = write!(text, "\n{account} has more than {most} rows on {day}: ordered row by row");
        }
        if self.long_days.len() > SHOWN {
            let _ =
                write!(text, "\n… and {} more such days (--json lists all)", self.long_days.len() - SHOWN);
        }
    }
}

/// Digits in groups of three.
fn count(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::count;

    #[test]
    fn counts_are_grouped() {
        let cases = [(0, "0"), (999, "999"), (1000, "1,000"), (28_205, "28,205"), (1_000_000, "1,000,000")];
        for (number, text) in cases {
            assert_eq!(count(number), text);
        }
    }
}
