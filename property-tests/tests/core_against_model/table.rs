//! The cells of `coverage/impossible.toml` against those that were reached.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::path::PathBuf;

use ledger_core::code::Code;
use ledger_core::number::{AccountKind, AccountStatus, PaymentStatus, Side};
use ledger_property_tests::coverage::{Coverage, HEADER};
use ledger_property_tests::model::Attempt;

/// Side, and whether the posting was taken.
const WAYS: [(Side, bool); 4] =
    [(Side::Debit, true), (Side::Debit, false), (Side::Credit, true), (Side::Credit, false)];

/// What came of a run.
#[derive(Default)]
pub struct Compared {
    /// Every axis: per row what was reached how often, then how many cells are reached, missing, impossible.
    pub text: String,
    /// Possible cells that were not reached.
    pub missing: Vec<String>,
    /// Impossible cells that were.
    pub forbidden: Vec<String>,
    row: String,
    /// Reached, missing, impossible, of the axis in hand.
    counts: [usize; 3],
}

/// Compares the table with what was reached, axis by axis.
pub fn compare(reached: &Coverage) -> Compared {
    let table = Table::read();
    let mut compared = Compared::default();
    let of_whole = reached.codes.get(&(0, 201)).copied();
    compared.cell("a group without members", "201", true, of_whole);
    compared.line("a group without members");
    for event in 1..=HEADER {
        let row = format!("event {event}");
        for code in std::iter::once(0).chain(Code::ALL.iter().map(|code| code.number())) {
            if code == 0 || code >= 200 && !matches!(code, 301..=303 | 305 | 306) {
                let count = reached.codes.get(&(event, code)).copied();
                compared.cell(&row, &code.to_string(), table.allows_code(event, code), count);
            }
        }
        compared.line(&row);
    }
    compared.axis("(event, code)");
    for event in 1..=HEADER {
        let count = reached.known.get(&event).copied();
        compared.cell("known", &event.to_string(), table.allows_known(event), count);
    }
    compared.line("known");
    compared.axis("event accepted before: ALREADY_EXISTS");
    for event in 1..=14 {
        let row = format!("event {event}");
        for status in std::iter::once(None).chain(PaymentStatus::ALL.iter().copied().map(Some)) {
            let name = status.map_or("NONE", PaymentStatus::name);
            for accepted in [true, false] {
                let count = reached.statuses.get(&(event, status, accepted)).copied();
                let cell = format!("{name} {}", if accepted { "accepted" } else { "refused" });
                compared.cell(&row, &cell, table.allows_status(event, name, accepted), count);
            }
        }
        compared.line(&row);
    }
    compared.axis("(event, status before, accepted or refused)");
    for kind in AccountKind::ALL.iter().copied() {
        for status in AccountStatus::ALL.iter().copied() {
            for (side, taken) in WAYS {
                let attempt = Attempt { kind, status, side, taken };
                let count = reached.attempts.get(&attempt).copied();
                let cell = posting(status, side, taken);
                compared.cell(kind.name(), &cell, table.allows_posting(&attempt), count);
            }
        }
        compared.line(kind.name());
    }
    compared.axis("(account kind, status, side, taken or refused for the status)");
    for event in 1..=14 {
        let row = format!("event {event}");
        for status in [AccountStatus::DebitFrozen, AccountStatus::CreditFrozen, AccountStatus::Frozen] {
            for (side, taken) in WAYS {
                let count = reached.freezes.get(&(event, status, side, taken)).copied();
                let is_possible = table.allows_freeze(event, status, side, taken);
                compared.cell(&row, &posting(status, side, taken), is_possible, count);
            }
        }
        compared.line(&row);
    }
    compared.axis("(event, freeze, side, taken or refused)");
    compared
}

fn posting(status: AccountStatus, side: Side, taken: bool) -> String {
    format!("{} {} {}", status.name(), side.name(), if taken { "taken" } else { "refused" })
}

impl Compared {
    fn cell(&mut self, row: &str, cell: &str, is_possible: bool, count: Option<u64>) {
        let column = match (is_possible, count) {
            (true, Some(count)) => {
                write!(self.row, "  {cell}: {count}").unwrap();
                0
            }
            (true, None) => {
                self.missing.push(format!("{row}, {cell}"));
                1
            }
            (false, None) => 2,
            (false, Some(count)) => {
                self.forbidden.push(format!("{row}, {cell}: {count}"));
                2
            }
        };
        self.counts[column] += 1;
    }

    fn line(&mut self, row: &str) {
        writeln!(self.text, "{row}:{}", std::mem::take(&mut self.row)).unwrap();
    }

    fn axis(&mut self, name: &str) {
        let [reached, missing, impossible] = std::mem::take(&mut self.counts);
        let cells = format!("{reached} cells reached, {missing} not, {impossible} impossible");
        writeln!(self.text, "= {name}: {cells}").unwrap();
    }
}

/// `coverage/impossible.toml`.
struct Table(toml::Table);

impl Table {
    fn read() -> Self {
        let path: PathBuf = [env!("CARGO_MANIFEST_DIR"), "coverage", "impossible.toml"].iter().collect();
        Self(std::fs::read_to_string(path).unwrap().parse().unwrap())
    }

    fn rows(&self, name: &str) -> impl Iterator<Item = &toml::Table> {
        let rows = self.0[name].as_array().unwrap().iter();
        rows.map(|row| {
            let row = row.as_table().unwrap();
            assert!(row["reason"].as_str().is_some_and(|reason| reason.len() > 10), "{row:?}");
            row
        })
    }

    /// Rows about an event.
    fn of_event(&self, name: &str, event: u32) -> impl Iterator<Item = &toml::Table> {
        self.rows(name).filter(move |row| values(row, "events").contains(&event.to_string()))
    }

    fn allows_code(&self, event: u32, code: u16) -> bool {
        let (event_name, code) = (event.to_string(), code.to_string());
        let mut by_code = self.rows("codes").filter(|row| values(row, "codes").contains(&code));
        by_code.all(|row| values(row, "only").contains(&event_name))
            && self.of_event("events", event).all(|row| values(row, "codes").contains(&code))
    }

    fn allows_known(&self, event: u32) -> bool {
        self.of_event("known", event).next().is_none()
    }

    fn allows_status(&self, event: u32, status: &str, accepted: bool) -> bool {
        let only = if accepted { "accepted" } else { "refused" };
        self.of_event("statuses", event).all(|row| values(row, only).contains(status))
    }

    fn allows_posting(&self, attempt: &Attempt) -> bool {
        let Attempt { kind, status, side, taken } = *attempt;
        !self
            .rows("postings")
            .any(|row| values(row, "kinds").contains(kind.name()) && is_posting(row, status, side, taken))
    }

    fn allows_freeze(&self, event: u32, status: AccountStatus, side: Side, taken: bool) -> bool {
        !self.of_event("freezes", event).any(|row| is_posting(row, status, side, taken))
    }
}

fn is_posting(row: &toml::Table, status: AccountStatus, side: Side, taken: bool) -> bool {
    values(row, "statuses").contains(status.name())
        && values(row, "sides").contains(side.name())
        && row.get("taken").is_none_or(|only| only.as_bool() == Some(taken))
}

fn values(row: &toml::Table, name: &str) -> BTreeSet<String> {
    let text = |value: &toml::Value| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    row[name].as_array().unwrap().iter().map(text).collect()
}
