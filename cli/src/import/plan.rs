//! From rows to transfers: the order within each day, the bank's balances against ours after every row, and the
//! transfers that book roundings and opening balances.

use std::collections::{BTreeMap, HashMap, HashSet};

use super::accounts::{Accounts, Opened};
use super::day::Day;
use super::file::BankFile;
use super::layout::{Correction, Layout, Row};
use super::mapping::{MappingError, WithinDay, wrong};
use super::order::{self, Cost, DayOrder, Move};

/// What a transfer of the import is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    /// The balance before an account's first row.
    Opening,
    /// A row.
    Row,
    /// What the bank's balance differs by after a row.
    Rounding,
}

impl Part {
    /// The word for it.
    pub fn name(self) -> &'static str {
        match self {
            Self::Opening => "opening",
            Self::Row => "row",
            Self::Rounding => "rounding",
        }
    }
}

/// One transfer of two legs.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Transfer {
    /// What it is for.
    pub part: Part,
    /// Position of the row that it belongs to.
    pub row: usize,
    /// Position of the account debited.
    pub debit: usize,
    /// Position of the account credited.
    pub credit: usize,
    /// Minor units.
    pub amount: u64,
}

/// A row after which the bank states another balance than the sum.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Difference {
    /// Position of the row.
    pub row: usize,
    /// The sum: the balance stated before, and the row's amount.
    pub computed: i128,
    /// The bank's.
    pub stated: i128,
    /// Whether it was booked as a rounding; else it is only reported.
    pub rounding: bool,
}

/// What is to be sent, in order, and what was found on the way.
#[derive(Clone, Debug, Default)]
pub struct Plan {
    /// Accounts in the order of their first use, with the day of it.
    pub accounts: Vec<(usize, Day)>,
    /// Transfers.
    pub transfers: Vec<Transfer>,
    /// Rows after which the stated balance is the sum.
    pub matched: u64,
    /// Rows that state no balance.
    pub unstated: u64,
    /// Rows after which it is not.
    pub differences: Vec<Difference>,
    /// Accounts and days of more rows than the best order is sought for.
    pub long_days: Vec<(usize, Day)>,
    /// Accounts with rows.
    pub row_accounts: u64,
}

impl Plan {
    /// Plans the import of a file; adds the accounts of the importer's own transfers to those of the file.
    ///
    /// # Errors
    /// [`MappingError::Value`]: a row names the account of roundings or opening balances with another kind or limit.
    pub fn new(file: &mut BankFile, within_day: WithinDay) -> Result<Self, MappingError> {
        let BankFile { layout, rows, accounts, .. } = file;
        let mut planner = Planner {
            layout,
            rows,
            within_day,
            rounding: own_account("rounding", layout.rounding(), accounts)?,
            opening: own_account("opening", layout.opening(), accounts)?,
            balances: HashMap::new(),
            plan: Self::default(),
        };
        let mut from = 0;
        while let Some(first) = rows.get(from) {
            let length = rows[from..].iter().take_while(|row| row.day == first.day).count();
            planner.day(from, from + length);
            from += length;
        }
        let row_accounts = planner.balances.len() as u64;
        let mut plan = planner.plan;
        plan.row_accounts = row_accounts;
        plan.accounts = first_uses(&plan.transfers, rows);
        Ok(plan)
    }

    /// How many rows were booked with a rounding.
    pub fn rounded(&self) -> u64 {
        self.differences.iter().filter(|difference| difference.rounding).count() as u64
    }

    /// Accounts whose transfers of the import sum to the balance that the bank states last.
    pub fn balances_reached(&self, rows: &[Row]) -> u64 {
        let mut sums: HashMap<usize, i128> = HashMap::new();
        let mut stated = BTreeMap::new();
        for transfer in &self.transfers {
            *sums.entry(transfer.credit).or_default() += i128::from(transfer.amount);
            *sums.entry(transfer.debit).or_default() -= i128::from(transfer.amount);
            let row = &rows[transfer.row];
            stated.insert(row.account, row.balance);
        }
        let reached = stated.iter().filter(|(account, balance)| {
            balance.is_some_and(|balance| sums.get(account).is_some_and(|sum| *sum == balance))
        });
        reached.count() as u64
    }

    /// How many rows differ by more than a rounding.
    pub fn unexplained(&self) -> u64 {
        self.differences.len() as u64 - self.rounded()
    }
}

struct Planner<'a> {
    layout: &'a Layout,
    rows: &'a [Row],
    within_day: WithinDay,
    rounding: Option<usize>,
    opening: Option<usize>,
    balances: HashMap<usize, i128>,
    plan: Plan,
}

impl Planner<'_> {
    /// The rows of one day: those of an account take the account's places of that day, in the order found.
    fn day(&mut self, from: usize, to: usize) {
        let mut places: BTreeMap<usize, Vec<usize>> = BTreeMap::new();
        for at in from..to {
            places.entry(self.rows[at].account).or_default().push(at);
        }
        let mut sequence: Vec<usize> = (from..to).collect();
        let mut openings = HashMap::new();
        for (account, places) in places {
            let (opening, order) = self.ordered(account, &places);
            if !order.exact {
                self.plan.long_days.push((account, self.rows[from].day));
            }
            openings.insert(account, opening);
            for (place, found) in places.iter().zip(order.places) {
                sequence[place - from] = places[found];
            }
        }
        for at in sequence {
            if let Some(opening) = openings.remove(&self.rows[at].account).flatten() {
                self.open(at, opening);
            }
            self.row(at);
        }
    }

    /// The order of an account's rows, and, on its first day, the balance it begins with.
    fn ordered(&self, account: usize, places: &[usize]) -> (Option<i128>, DayOrder) {
        let before = self.balances.get(&account).copied();
        let as_in_file = || DayOrder { places: (0..places.len()).collect(), ..DayOrder::default() };
        let moves = places.iter().map(|at| self.stated(*at)).collect::<Option<Vec<_>>>();
        let Some(moves) = moves else { return (before.is_none().then_some(0), as_in_file()) };
        let ordered = |before: i128| match self.within_day {
            WithinDay::Balance => order::best(before, &moves, self.layout.rounding_max()),
            WithinDay::File => order::kept(before, &moves, self.layout.rounding_max()),
        };
        if let Some(before) = before {
            return (None, ordered(before));
        }
        // Zero comes first and an opening balance costs as much as a rounding: it is assumed only where it explains
        // more than one.
        let mut starts = vec![(0, Cost::default())];
        if self.opening.is_some() {
            starts.extend(moves.iter().map(|row| (row.balance - row.amount, Cost::ROUNDING)));
        }
        let orders = starts.into_iter().map(|(start, cost)| (start, cost, ordered(start)));
        let cheapest = orders.min_by_key(|(_, cost, order)| cost.plus(order.cost));
        cheapest.map_or_else(|| (Some(0), as_in_file()), |(start, _, order)| (Some(start), order))
    }

    fn stated(&self, at: usize) -> Option<Move> {
        let row = &self.rows[at];
        row.balance.map(|balance| Move { amount: row.amount, balance })
    }

    fn open(&mut self, at: usize, opening: i128) {
        let row = &self.rows[at];
        self.balances.insert(row.account, opening);
        if let Some(other) = self.opening.filter(|_| opening != 0) {
            self.transfer(Part::Opening, at, other, opening);
        }
    }

    fn row(&mut self, at: usize) {
        let row = &self.rows[at];
        self.transfer(Part::Row, at, row.counter, row.amount);
        let before = self.balances.get(&row.account).copied().unwrap_or_default();
        let computed = before + row.amount;
        let stated = row.balance.unwrap_or(computed);
        self.balances.insert(row.account, stated);
        let difference = stated - computed;
        if row.balance.is_none() {
            self.plan.unstated += 1;
        } else if difference == 0 {
            self.plan.matched += 1;
        } else {
            let rounding = self.rounding.filter(|_| difference.abs() <= self.layout.rounding_max());
            if let Some(other) = rounding {
                self.transfer(Part::Rounding, at, other, difference);
            }
            let rounding = rounding.is_some();
            self.plan.differences.push(Difference { row: at, computed, stated, rounding });
        }
    }

    /// Moves `amount` to the row's account, or from it when negative.
    fn transfer(&mut self, part: Part, row: usize, other: usize, amount: i128) {
        let account = self.rows[row].account;
        let (debit, credit) = if amount > 0 { (other, account) } else { (account, other) };
        // Stated balances and amounts are below 10^18 each, so their sums fit.
        let amount = u64::try_from(amount.unsigned_abs()).unwrap_or(u64::MAX);
        self.plan.transfers.push(Transfer { part, row, debit, credit, amount });
    }
}

fn own_account(
    field: &str,
    rule: Option<&Correction>,
    accounts: &mut Accounts,
) -> Result<Option<usize>, MappingError> {
    let Some(rule) = rule else { return Ok(None) };
    let conflict = |other: Opened| {
        let expected = format!("of kind {} with limit {}, as rows name it", other.kind, other.limit);
        wrong(&format!("{field}.account"), rule.account.id.as_str(), &expected)
    };
    accounts.add(rule.account).map(Some).map_err(conflict)
}

fn first_uses(transfers: &[Transfer], rows: &[Row]) -> Vec<(usize, Day)> {
    let mut seen = HashSet::new();
    let mut uses = Vec::new();
    for transfer in transfers {
        for account in [transfer.debit, transfer.credit] {
            if seen.insert(account) {
                uses.push((account, rows[transfer.row].day));
            }
        }
    }
    uses
}

#[cfg(test)]
mod tests {
    use std::path::{Path, PathBuf};

    use super::super::mapping::Mapping;
    use super::*;

    const MAPPING: &str = r#"
        source = "test"
        file = { delimiter = ",", charset = "utf-8", rows = "oldest-first", within_day = "balance" }
        columns = { key = "id", date = "day", amount = "amount", balance = "balance" }
        date = { format = "yyyy-mm-dd" }
        amount = { currency = "EUR", decimal_mark = "." }
        account = { id = "c:{account}", kind = "CUSTOMER", limit = "10.00" }
        transfer = { purpose = "{text}" }
        counter = [{ account = { id = "outside", kind = "EXTERNAL" } }]
        rounding = { max = "0.01", purpose = "ROUNDING", account = { id = "rounding", kind = "EXTERNAL" } }
    "#;
    const OPENING: &str = r#"
        opening = { purpose = "OPENING", account = { id = "opening", kind = "EXTERNAL" } }
    "#;

    fn plan(mapping: &str, lines: &str) -> (BankFile, Plan) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("rows.csv");
        std::fs::write(&path, format!("id,day,account,amount,balance,text\n{lines}")).unwrap();
        let mapping: Mapping = toml::from_str(mapping).unwrap();
        let mut file = BankFile::read(&path, &mapping).unwrap();
        let plan = Plan::new(&mut file, mapping.file.within_day).unwrap();
        (file, plan)
    }

    fn words(file: &BankFile, plan: &Plan) -> Vec<String> {
        let words = plan.transfers.iter().map(|transfer| {
            let Transfer { part, row, debit, credit, amount } = transfer;
            let id = |account: &usize| file.accounts.at(*account).id;
            format!("{} {}: {} > {} {amount}", part.name(), file.rows[*row].key, id(debit), id(credit))
        });
        words.collect()
    }

    #[test]
    fn rows_of_a_day_take_the_places_of_their_account() {
        let lines = "1,2024-01-01,a,-1.00,4.00,x\n2,2024-01-01,b,7.00,7.00,x\n3,2024-01-01,a,5.00,5.00,x\n";
        let (file, plan) = plan(MAPPING, lines);
        assert_eq!(
            words(&file, &plan),
            ["row 3: outside > c:a 500", "row 2: outside > c:b 700", "row 1: c:a > outside 100"]
        );
        assert_eq!((plan.matched, plan.differences.len(), plan.row_accounts), (3, 0, 2));
        let days: Vec<_> =
            plan.accounts.iter().map(|(account, _)| file.accounts.at(*account).id.to_string()).collect();
        assert_eq!(days, ["outside", "c:a", "c:b"]);
        assert_eq!(plan.balances_reached(&file.rows), 2);
    }

    #[test]
    fn a_rounding_is_booked_and_a_larger_difference_only_reported() {
        let lines = "1,2024-01-01,a,5.00,5.01,x\n2,2024-01-02,a,1.00,6.00,x\n3,2024-01-03,a,1.00,9.00,x\n\
                     4,2024-01-04,a,1.00,10.00,x\n";
        let (file, plan) = plan(MAPPING, lines);
        assert_eq!(
            words(&file, &plan),
            [
                "row 1: outside > c:a 500",
                "rounding 1: rounding > c:a 1",
                "row 2: outside > c:a 100",
                "rounding 2: c:a > rounding 1",
                "row 3: outside > c:a 100",
                "row 4: outside > c:a 100",
            ]
        );
        assert_eq!((plan.matched, plan.rounded(), plan.unexplained()), (1, 2, 1));
        assert_eq!(plan.differences[2], Difference { row: 2, computed: 700, stated: 900, rounding: false });
        assert_eq!(plan.balances_reached(&file.rows), 0);
    }

    #[test]
    fn an_opening_balance_is_found_where_a_rule_says_whence() {
        let lines = "1,2024-01-01,a,-1.00,40.00,x\n2,2024-01-01,a,2.00,41.00,x\n3,2024-01-01,b,1.00,1.01,x\n";
        let (file, with_rule) = plan(&format!("{MAPPING}{OPENING}"), lines);
        assert_eq!(
            words(&file, &with_rule),
            [
                "opening 2: opening > c:a 3900",
                "row 2: outside > c:a 200",
                "row 1: c:a > outside 100",
                "row 3: outside > c:b 100",
                "rounding 3: rounding > c:b 1",
            ]
        );
        assert_eq!((with_rule.rounded(), with_rule.unexplained()), (1, 0));
        let (_, without) = plan(MAPPING, lines);
        assert_eq!((without.rounded(), without.unexplained()), (1, 1));
    }

    #[test]
    fn without_balances_rows_stay_as_they_are() {
        let mapping = MAPPING.replace("\"balance\" }\n        columns", "\"file\" }\n        columns");
        let mapping = mapping.replace(", balance = \"balance\"", "");
        let (file, plan) = plan(&mapping, "2,2024-01-01,a,-1.00,,x\n1,2024-01-01,a,5.00,,x\n");
        assert_eq!(words(&file, &plan), ["row 2: c:a > outside 100", "row 1: outside > c:a 500"]);
        assert_eq!((plan.matched, plan.unstated), (0, 2));
    }

    /// A folder of the shared data; `None`, and a word about it, where it is not there outside of CI.
    fn shared_data(name: &str) -> Option<PathBuf> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/data").join(name);
        if path.exists() {
            return Some(path);
        }
        assert!(std::env::var_os("CI").is_none(), "{} is missing", path.display());
        eprintln!("skipped: {} is missing", path.display());
        None
    }

    #[test]
    fn the_czech_bank_year_matches_but_for_roundings_of_ten_hundredths() {
        let Some(path) = shared_data("czech-bank-1993/transactions.csv.gz") else { return };
        let mapping = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/czech-bank/mapping.toml");
        let mapping = Mapping::load(&mapping).unwrap();
        let mut file = BankFile::read(&path, &mapping).unwrap();
        let plan = Plan::new(&mut file, mapping.file.within_day).unwrap();
        assert_eq!(file.rows.len(), 28_205);
        assert_eq!((plan.matched, plan.rounded(), plan.unexplained()), (26_783, 1_422, 0));
        assert!(plan.differences.iter().all(|found| (found.stated - found.computed).abs() == 10));
        assert_eq!((plan.row_accounts, plan.balances_reached(&file.rows)), (1_139, 1_139));
        assert!(plan.long_days.is_empty());
        assert_eq!(plan.transfers.len(), 28_205 + 1_422);
        // 13 partner banks, cash, interest, two kinds of fees, roundings.
        assert_eq!(plan.accounts.len(), 1_139 + 18);
        assert_eq!(file.rows.iter().filter(|row| row.balance.is_some_and(|balance| balance < 0)).count(), 15);
    }
}
