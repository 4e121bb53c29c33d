//! A mapping resolved against the header of a file: from the fields of one line to a [`Row`].

use std::collections::BTreeSet;

use ledger_core::ids::{AccountId, CurrencyCode};
use ledger_core::number::AccountKind;

use super::accounts::{Accounts, Opened};
use super::amount::AmountFormat;
use super::day::{Day, DayFormat};
use super::mapping::{AccountRule, Direction, Mapping, MappingError, wrong};
use super::template::Template;

/// One row, understood.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Row {
    /// Line in the file, from 1.
    pub line: u64,
    /// What tells it from all other rows of the source.
    pub key: String,
    /// Its day.
    pub day: Day,
    /// The account it belongs to.
    pub account: usize,
    /// The account on the other side.
    pub counter: usize,
    /// Minor units; credit to the account positive, debit negative, never 0.
    pub amount: i128,
    /// The account's balance after it, where the file states one.
    pub balance: Option<i128>,
    /// Purpose of its transfer.
    pub purpose: String,
    /// External reference of its transfer, or empty.
    pub reference: String,
}

/// What is wrong with a field of a row.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FieldFault {
    /// Columns it comes from.
    pub column: String,
    /// What stands there.
    pub value: String,
    /// What may stand there.
    pub expected: String,
}

/// A mapping for files with one header.
pub struct Layout {
    header: Vec<String>,
    key: usize,
    date: usize,
    amount: usize,
    balance: Option<usize>,
    day_format: DayFormat,
    amounts: AmountFormat,
    direction: Option<(usize, Direction)>,
    account: AccountTemplate,
    counters: Vec<Counter>,
    purpose: Template,
    reference: Option<Template>,
    rounding: Option<Correction>,
    rounding_max: i128,
    opening: Option<Correction>,
}

/// A transfer of the importer's own: the account on its other side, and its purpose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Correction {
    /// The account.
    pub account: Opened,
    /// The purpose.
    pub purpose: String,
}

struct Counter {
    when: Vec<(usize, Vec<String>)>,
    account: AccountTemplate,
}

struct AccountTemplate {
    id: Template,
    kind: AccountKind,
    limit: u64,
}

impl Layout {
    /// Resolves the names of columns.
    ///
    /// # Errors
    /// [`MappingError::Value`]: a column that the header does not have, a format, kind or amount that is none.
    pub fn new(mapping: &Mapping, header: Vec<String>) -> Result<Self, MappingError> {
        let amounts = AmountFormat::new(&mapping.amount)?;
        let column = |field: &str, name: &str| {
            let position = header.iter().position(|column| column == name);
            position.ok_or_else(|| wrong(field, name, "a column of the file"))
        };
        let template = |field: &str, text: &str| {
            Template::parse(text, &header).map_err(|error| wrong(field, text, &error.to_string()))
        };
        let account = |field: &str, rule: &AccountRule| {
            let id = template(&format!("{field}.id"), &rule.id)?;
            let (kind, limit) = opened_with(field, rule, &amounts)?;
            Ok(AccountTemplate { id, kind, limit })
        };
        let correction = |field: &str, rule: &AccountRule, purpose: &str| {
            let id = AccountId::parse(&rule.id);
            let id = id.ok_or_else(|| wrong(&format!("{field}.account.id"), &rule.id, ACCOUNT_ID))?;
            if !printable(purpose) {
                return Err(wrong(&format!("{field}.purpose"), purpose, PURPOSE));
            }
            let (kind, limit) = opened_with(&format!("{field}.account"), rule, &amounts)?;
            Ok(Correction { account: Opened { id, kind, limit }, purpose: purpose.to_owned() })
        };
        let names = &mapping.columns;
        let counters = mapping.counter.iter().map(|rule| {
            let when =
                rule.when.iter().map(|(name, values)| Ok((column("counter.when", name)?, values.clone())));
            let when = when.collect::<Result<_, MappingError>>()?;
            Ok(Counter { when, account: account("counter.account", &rule.account)? })
        });
        let direction = mapping.direction.as_ref();
        let direction = direction.map(|rule| Ok((column("direction.column", &rule.column)?, rule.clone())));
        let rounding = mapping.rounding.as_ref();
        let max = |text: &String| amounts.limit(text).ok_or_else(|| wrong("rounding.max", text, AMOUNT));
        let rounding_max = rounding.map(|rule| max(&rule.max)).transpose()?.unwrap_or_default();
        let rounding = rounding.map(|rule| correction("rounding", &rule.account, &rule.purpose));
        let opening = mapping.opening.as_ref();
        let opening = opening.map(|rule| correction("opening", &rule.account, &rule.purpose));
        let reference = mapping.transfer.reference.as_ref();
        Ok(Self {
            key: column("columns.key", &names.key)?,
            date: column("columns.date", &names.date)?,
            amount: column("columns.amount", &names.amount)?,
            balance: names.balance.as_ref().map(|name| column("columns.balance", name)).transpose()?,
            day_format: DayFormat::parse(&mapping.date)?,
            direction: direction.transpose()?,
            account: account("account", &mapping.account)?,
            counters: counters.collect::<Result<_, MappingError>>()?,
            purpose: template("transfer.purpose", &mapping.transfer.purpose)?,
            reference: reference.map(|text| template("transfer.reference", text)).transpose()?,
            rounding: rounding.transpose()?,
            rounding_max: i128::from(rounding_max),
            opening: opening.transpose()?,
            header,
            amounts,
        })
    }

    /// Understands the fields of a line; accounts it names are added to `accounts`.
    ///
    /// # Errors
    /// [`FieldFault`] for the first field that is wrong.
    pub fn row(&self, line: u64, fields: &[String], accounts: &mut Accounts) -> Result<Row, FieldFault> {
        let key = &fields[self.key];
        if key.is_empty() || key.chars().any(char::is_control) {
            return Err(self.fault(
                self.key,
                fields,
                "at least one character, none of them a control character",
            ));
        }
        let day = self.day_format.day(&fields[self.date]);
        let day = day.ok_or_else(|| self.fault(self.date, fields, &self.day_format.expected()))?;
        let counter = self.counter(fields)?;
        let purpose = squeeze(&self.purpose.fill(fields));
        if !printable(&purpose) {
            return Err(self.template_fault(&self.purpose, purpose, PURPOSE));
        }
        let reference = self.reference.as_ref().map(|template| (template, template.fill(fields)));
        if let Some((template, text)) = reference.as_ref().filter(|(_, text)| !printable(text)) {
            return Err(self.template_fault(template, text.clone(), PURPOSE));
        }
        Ok(Row {
            line,
            key: key.clone(),
            day,
            account: self.account_of(&self.account, fields, accounts)?,
            counter: self.account_of(&counter.account, fields, accounts)?,
            amount: self.signed_amount(fields)?,
            balance: self.balance.map(|at| self.number(at, fields)).transpose()?,
            purpose,
            reference: reference.map(|(_, text)| text).unwrap_or_default(),
        })
    }

    /// The key of a row, as far as it has one.
    pub fn key<'a>(&self, fields: &'a [String]) -> &'a str {
        fields.get(self.key).map_or("", String::as_str)
    }

    /// Name of the column of row keys.
    pub fn key_column(&self) -> &str {
        &self.header[self.key]
    }

    /// Name of the column of dates.
    pub fn date_column(&self) -> &str {
        &self.header[self.date]
    }

    /// Name of the column of amounts.
    pub fn amount_column(&self) -> &str {
        &self.header[self.amount]
    }

    /// Names of the columns that make the account's id.
    pub fn account_column(&self) -> String {
        self.join(self.account.id.columns())
    }

    /// Names of the columns that decide the account on the other side.
    pub fn counter_column(&self) -> String {
        let used = self
            .counters
            .iter()
            .flat_map(|counter| counter.when.iter().map(|(at, _)| *at).chain(counter.account.id.columns()));
        self.join(used.collect::<BTreeSet<_>>().into_iter())
    }

    /// Names of the columns that make the purpose.
    pub fn purpose_column(&self) -> String {
        self.join(self.purpose.columns())
    }

    /// Names of the columns that make the external reference.
    pub fn reference_column(&self) -> String {
        self.join(self.reference.iter().flat_map(Template::columns))
    }

    /// The currency and its decimals.
    pub fn currency(&self) -> (CurrencyCode, u8) {
        self.amounts.currency()
    }

    /// Where roundings go.
    pub fn rounding(&self) -> Option<&Correction> {
        self.rounding.as_ref()
    }

    /// The largest difference that is a rounding, minor units.
    pub fn rounding_max(&self) -> i128 {
        self.rounding_max
    }

    /// Where opening balances come from.
    pub fn opening(&self) -> Option<&Correction> {
        self.opening.as_ref()
    }

    fn counter(&self, fields: &[String]) -> Result<&Counter, FieldFault> {
        let holds = |(at, values): &(usize, Vec<String>)| values.contains(&fields[*at]);
        let found = self.counters.iter().find(|counter| counter.when.iter().all(holds));
        found.ok_or_else(|| {
            let columns = self.counters.iter().flat_map(|counter| counter.when.iter().map(|(at, _)| *at));
            let columns: BTreeSet<_> = columns.collect();
            let value = columns.iter().map(|at| fields[*at].as_str()).collect::<Vec<_>>().join(" + ");
            let expected = "values that one of the mapping's [[counter]] rules names";
            FieldFault { column: self.join(columns.into_iter()), value, expected: expected.to_owned() }
        })
    }

    fn account_of(
        &self,
        template: &AccountTemplate,
        fields: &[String],
        accounts: &mut Accounts,
    ) -> Result<usize, FieldFault> {
        let written = template.id.fill(fields);
        let text = written.to_ascii_lowercase();
        let id = AccountId::parse(&text);
        let id = id.ok_or_else(|| self.template_fault(&template.id, text, ACCOUNT_ID))?;
        let opened = Opened { id, kind: template.kind, limit: template.limit };
        let position = accounts.add(opened).map_err(|other| {
            let expected =
                format!("an account of kind {} with limit {}, as in another rule", other.kind, other.limit);
            self.template_fault(&template.id, id.to_string(), &expected)
        })?;
        accounts.write(position, &written).map_err(|before| {
            let expected = format!("{before:?}, as another row writes the account {id}");
            self.template_fault(&template.id, written, &expected)
        })?;
        Ok(position)
    }

    fn signed_amount(&self, fields: &[String]) -> Result<i128, FieldFault> {
        let amount = self.number(self.amount, fields)?;
        let Some((at, direction)) = &self.direction else {
            return match amount {
                0 => Err(self.fault(self.amount, fields, "an amount other than 0")),
                amount => Ok(amount),
            };
        };
        if amount <= 0 {
            return Err(self.fault(self.amount, fields, "an amount above 0"));
        }
        match &fields[*at] {
            value if direction.credit.contains(value) => Ok(amount),
            value if direction.debit.contains(value) => Ok(-amount),
            _ => {
                let values = direction.credit.iter().chain(&direction.debit).cloned().collect::<Vec<_>>();
                Err(self.fault(*at, fields, &format!("one of {}", values.join(", "))))
            }
        }
    }

    fn number(&self, at: usize, fields: &[String]) -> Result<i128, FieldFault> {
        self.amounts.parse(&fields[at]).ok_or_else(|| self.fault(at, fields, &self.amounts.expected()))
    }

    fn fault(&self, at: usize, fields: &[String], expected: &str) -> FieldFault {
        FieldFault {
            column: self.header[at].clone(),
            value: fields[at].clone(),
            expected: expected.to_owned(),
        }
    }

    fn template_fault(&self, template: &Template, value: String, expected: &str) -> FieldFault {
        FieldFault { column: self.join(template.columns()), value, expected: expected.to_owned() }
    }

    fn join(&self, columns: impl Iterator<Item = usize>) -> String {
        columns.map(|at| self.header[at].as_str()).collect::<Vec<_>>().join(" + ")
    }
}

const ACCOUNT_ID: &str = "an account id: 1 to 64 of a-z, 0-9, ':', '_', '-', first a letter or digit";
const PURPOSE: &str = "1 to 35 printable ASCII characters";
const AMOUNT: &str = "an amount with all decimals of the currency, such as 100000.00";

fn opened_with(
    field: &str,
    rule: &AccountRule,
    amounts: &AmountFormat,
) -> Result<(AccountKind, u64), MappingError> {
    let names = AccountKind::ALL.iter().map(|kind| kind.name()).collect::<Vec<_>>().join(", ");
    let kind = AccountKind::from_name(&rule.kind);
    let kind = kind.ok_or_else(|| wrong(&format!("{field}.kind"), &rule.kind, &names))?;
    let Some(text) = &rule.limit else { return Ok((kind, 0)) };
    if !matches!(kind, AccountKind::Customer | AccountKind::Merchant | AccountKind::Cash) {
        return Err(wrong(
            &format!("{field}.limit"),
            text,
            "none: only CUSTOMER, MERCHANT and CASH have one",
        ));
    }
    let limit = amounts.limit(text).ok_or_else(|| wrong(&format!("{field}.limit"), text, AMOUNT))?;
    Ok((kind, limit))
}

fn printable(text: &str) -> bool {
    (1..=35).contains(&text.len()) && text.bytes().all(|b| (0x20..=0x7e).contains(&b))
}

fn squeeze(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const MAPPING: &str = r#"
        source = "test"
        file = { delimiter = ";", charset = "latin-1", rows = "oldest-first", within_day = "file" }
        columns = { key = "id", date = "day", amount = "amount", balance = "balance" }
        date = { format = "dd.mm.yyyy" }
        amount = { currency = "EUR", decimal_mark = ",", grouping_mark = "." }
        direction = { column = "type", credit = ["IN"], debit = ["OUT"] }
        account = { id = "c:{account}", kind = "CUSTOMER", limit = "10.00" }
        transfer = { purpose = "{type} {text}", reference = "{id}" }
        counter = [
            { when = { text = ["fee"] }, account = { id = "fees", kind = "FEE" } },
            { when = { text = ["", "pay"] }, account = { id = "bank:{bank}", kind = "EXTERNAL" } },
        ]
    "#;
    const ROW: [&str; 8] = ["7", "29.02.2024", "A1", "1.234,50", "-0,50", "OUT", "pay", "XY"];

    fn header() -> Vec<String> {
        ["id", "day", "account", "amount", "balance", "type", "text", "bank"].map(str::to_owned).to_vec()
    }

    fn layout(mapping: &str) -> Result<Layout, MappingError> {
        Layout::new(&toml::from_str(mapping).unwrap(), header())
    }

    fn row(changes: &[(usize, &str)], accounts: &mut Accounts) -> Result<Row, FieldFault> {
        let mut fields = ROW.map(str::to_owned);
        for (at, text) in changes {
            fields[*at] = (*text).to_owned();
        }
        layout(MAPPING).unwrap().row(12, &fields, accounts)
    }

    #[test]
    fn a_row_is_understood() {
        let mut accounts = Accounts::default();
        let understood = row(&[], &mut accounts).unwrap();
        let expected = Row {
            line: 12,
            key: "7".to_owned(),
            day: Day::new(2024, 2, 29).unwrap(),
            account: 0,
            counter: 1,
            amount: -123_450,
            balance: Some(-50),
            purpose: "OUT pay".to_owned(),
            reference: "7".to_owned(),
        };
        assert_eq!(understood, expected);
        let opened = |id: &str, kind, limit| Opened { id: AccountId::parse(id).unwrap(), kind, limit };
        assert_eq!(*accounts.at(0), opened("c:a1", AccountKind::Customer, 1000));
        assert_eq!(*accounts.at(1), opened("bank:xy", AccountKind::External, 0));
        let other = row(&[(5, "IN"), (6, "")], &mut accounts).unwrap();
        assert_eq!((other.amount, other.counter, other.purpose.as_str()), (123_450, 1, "IN"));
    }

    #[test]
    fn the_first_wrong_field_is_named() {
        let cases = [
            (0, "", "id", ""),
            (0, "a\u{1f}b", "id", "a\u{1f}b"),
            (1, "2024-02-29", "day", "2024-02-29"),
            (2, "A 1", "account", "c:a 1"),
            (3, "1234,5", "amount", "1234,5"),
            (3, "12.34,50", "amount", "12.34,50"),
            (3, "0,00", "amount", "0,00"),
            (3, "-1,00", "amount", "-1,00"),
            (4, "0.50", "balance", "0.50"),
            (5, "BOTH", "type", "BOTH"),
            (6, "gift", "text", "gift"),
            (7, "X Y", "bank", "bank:x y"),
        ];
        for (at, text, column, value) in cases {
            let fault = row(&[(at, text)], &mut Accounts::default()).unwrap_err();
            assert_eq!((fault.column.as_str(), fault.value.as_str()), (column, value), "{text}");
        }
        let long = row(&[(6, "pay"), (5, &"x".repeat(33))], &mut Accounts::default()).unwrap_err();
        assert_eq!((long.column.as_str(), long.value.len()), ("type + text", 37));
    }

    #[test]
    fn accounts_that_differ_in_capitals_do_not_become_one() {
        let mut accounts = Accounts::default();
        row(&[(2, "AB1")], &mut accounts).unwrap();
        row(&[(2, "AB1")], &mut accounts).unwrap();
        let fault = row(&[(2, "ab1")], &mut accounts).unwrap_err();
        assert_eq!((fault.column.as_str(), fault.value.as_str()), ("account", "c:ab1"));
        assert!(fault.expected.contains("\"c:AB1\""), "{fault:?}");
        // The Kelvin sign, whose lower case is a plain k.
        let fault = row(&[(2, "\u{212a}")], &mut accounts).unwrap_err();
        assert_eq!((fault.column.as_str(), fault.value.as_str()), ("account", "c:\u{212a}"));
    }

    #[test]
    fn an_id_cannot_have_two_kinds() {
        let mut accounts = Accounts::default();
        row(&[(6, "fee")], &mut accounts).unwrap();
        let id = AccountId::parse("bank:xy").unwrap();
        accounts.add(Opened { id, kind: AccountKind::Cash, limit: 0 }).unwrap();
        assert_eq!(row(&[], &mut accounts).unwrap_err().column, "bank");
    }

    #[test]
    fn a_mapping_that_does_not_fit_the_file_is_refused() {
        let cases = [
            ("key = \"id\"", "key = \"ID\"", "columns.key"),
            ("{account}", "{konto}", "account.id"),
            ("text = [\"fee\"]", "txt = [\"fee\"]", "counter.when"),
            ("kind = \"FEE\"", "kind = \"fee\"", "counter.account.kind"),
            ("kind = \"FEE\"", "kind = \"FEE\", limit = \"1.00\"", "counter.account.limit"),
            ("limit = \"10.00\"", "limit = \"10\"", "account.limit"),
            ("EUR", "XAU", "amount.currency"),
            ("column = \"type\"", "column = \"Type\"", "direction.column"),
            ("reference = \"{id}\"", "reference = \"{id\"", "transfer.reference"),
        ];
        for (from, to, expected) in cases {
            match layout(&MAPPING.replacen(from, to, 1)) {
                Err(MappingError::Value { field, .. }) => assert_eq!(field, expected),
                _ => panic!("{to} was taken"),
            }
        }
    }
}
