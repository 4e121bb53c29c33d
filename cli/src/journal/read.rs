//! What a journal holds, read from the statements of a server.

use std::collections::BTreeMap;

use ledger_client::messages::{Account, LogEntry, StatementBalance, StatementHead, StatementLine};
use ledger_client::{Client, ClientError, EntryRef, Page, StatementRange};
use ledger_core::date::{midnight_nanos, utc_date};
use ledger_core::event::{Body, Event};
use ledger_core::ids::{AccountId, CurrencyCode, LogIndex};
use ledger_core::number::{AccountKind, Layer, Side};
use tokio::task::JoinSet;

use super::Period;
use super::chart::{self, OPENING};
use crate::commands::statement::By;
use crate::exit::CliError;
use crate::pages::{Limit, Rows};
use crate::progress;
use crate::text;

/// Most decimals of a currency.
const MAX_EXPONENT: u8 = 4;
/// Calls on their way at a time.
const CALLS: usize = 64;
/// What no account can hold: sums of less over all accounts and lines fit.
const TOO_MUCH: u128 = 1 << 95;

/// The posted money of the chosen accounts over a period. Debits are positive. All of it is in memory.
pub struct Books {
    pub accounts: Vec<BookAccount>,
    /// By date and log index.
    pub transactions: BTreeMap<(u32, u64), Transaction>,
    /// Currencies of the accounts and their decimals.
    pub currencies: BTreeMap<String, u8>,
    /// Number of log entries that it was read at: what came later is not in it.
    pub read_at: u64,
    ledger_id: String,
    period: Period,
}

/// An account of the journal.
pub struct BookAccount {
    pub id: String,
    /// As [`chart::name`] has it.
    pub name: String,
    pub currency: String,
    pub exponent: u8,
    pub opening: i128,
    pub closing: i128,
}

/// What an entry posted on the chosen accounts.
#[derive(Default)]
pub struct Transaction {
    /// Type of the event, and what it names.
    pub title: String,
    /// Names and values that lead back to the ledger.
    pub facts: Vec<(&'static str, String)>,
    /// Position of the account in the journal, and the amount.
    postings: Vec<(usize, i128)>,
}

/// A posting of the journal.
pub struct Sum<'a> {
    pub name: &'a str,
    pub minor: i128,
    pub exponent: u8,
    pub currency: &'a str,
}

impl Books {
    /// Reads the statements of all accounts that `chosen` names, or of all. What is recorded meanwhile is left out.
    pub async fn read(client: &Client, chosen: &[String], period: Period, by: By) -> Result<Self, CliError> {
        let status = client.status().await?;
        let mut books = Self {
            accounts: Vec::new(),
            transactions: BTreeMap::new(),
            currencies: BTreeMap::new(),
            read_at: status.next_log_index,
            ledger_id: hex::encode(&status.ledger_id),
            period,
        };
        let accounts = accounts(client, chosen).await?;
        let bar = progress::bar("accounts").with_message("statements");
        bar.set_length(accounts.len() as u64);
        for account in &accounts {
            let mut statement = client.statement(&account.account, range(period, by)?).await?;
            let mut lines = Vec::new();
            while let Some(more) = statement.next().await? {
                lines.extend(more);
            }
            books.take(account, &statement.head, &lines, by)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        books.describe(client).await?;
        Ok(books)
    }

    /// Says of every transaction which event it is.
    async fn describe(&mut self, client: &Client) -> Result<(), CliError> {
        let bar = progress::bar("events").with_message("events");
        bar.set_length(self.transactions.len() as u64);
        let mut keys = self.transactions.keys().copied().collect::<Vec<_>>().into_iter();
        let mut calls = JoinSet::new();
        loop {
            for key in keys.by_ref().take(CALLS - calls.len()) {
                let client = client.clone();
                calls.spawn(async move { (key, client.event(EntryRef::Index(LogIndex(key.1))).await) });
            }
            let Some(done) = calls.join_next().await else { break };
            let (key, entry) = done.unwrap_or_else(|panic| std::panic::resume_unwind(panic.into_panic()));
            if let Some(transaction) = self.transactions.get_mut(&key) {
                transaction.describe(&entry?)?;
            }
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(())
    }

    /// What the journal is.
    pub fn about(&self) -> String {
        let day = |date: Option<u32>, all: &str| date.map_or_else(|| all.to_owned(), text::date);
        let (from, to) = (day(self.period.from, "the beginning"), day(self.period.to, "the end"));
        format!("ledger {}, {} entries, from {from} to {to}", self.ledger_id, self.read_at)
    }

    /// The day of the openings: the first of the period, else of the first transaction.
    pub fn first_day(&self) -> Option<u32> {
        let of_transactions = self.transactions.first_key_value().map(|((date, _), _)| *date);
        self.period.from.or(of_transactions).or(self.period.to)
    }

    /// The day of the closings.
    pub fn last_day(&self) -> Option<u32> {
        let of_transactions = self.transactions.last_key_value().map(|((date, _), _)| *date);
        self.period.to.or(of_transactions).or(self.period.from)
    }

    /// What the accounts held before the period, and where it came from.
    pub fn openings(&self) -> Vec<Sum<'_>> {
        let held = self.accounts.iter().enumerate().filter(|(_, account)| account.opening != 0);
        self.balanced(held.map(|(place, account)| (place, account.opening)), OPENING)
    }

    /// The postings of a transaction; what is missing to zero stands on `other`.
    pub fn postings<'a>(&'a self, transaction: &Transaction, other: &'a str) -> Vec<Sum<'a>> {
        self.balanced(transaction.postings.iter().copied(), other)
    }

    fn balanced<'a>(&'a self, postings: impl Iterator<Item = (usize, i128)>, other: &'a str) -> Vec<Sum<'a>> {
        let mut sums: Vec<Sum<'_>> = Vec::new();
        let mut missing: BTreeMap<&str, i128> = BTreeMap::new();
        for (account, minor) in postings.filter_map(|(place, minor)| Some((self.accounts.get(place)?, minor)))
        {
            *missing.entry(&account.currency).or_default() -= minor;
            let (name, currency) = (account.name.as_str(), account.currency.as_str());
            sums.push(Sum { name, minor, exponent: account.exponent, currency });
        }
        for (currency, minor) in missing.into_iter().filter(|(_, minor)| *minor != 0) {
            let exponent = self.currencies.get(currency).copied().unwrap_or_default();
            sums.push(Sum { name: other, minor, exponent, currency });
        }
        sums
    }

    fn take(
        &mut self,
        account: &Account,
        head: &StatementHead,
        lines: &[StatementLine],
        by: By,
    ) -> Result<(), CliError> {
        let id = AccountId::parse(&account.account).ok_or_else(|| wrong("account", &account.account))?;
        let currency =
            CurrencyCode::parse(&account.currency).ok_or_else(|| wrong("currency", &account.currency))?;
        let kind = AccountKind::from_number(account.kind.cast_unsigned());
        let kind = kind.ok_or_else(|| wrong("kind", &account.kind.to_string()))?;
        let exponent = u8::try_from(account.exponent).ok().filter(|exponent| *exponent <= MAX_EXPONENT);
        let exponent = exponent.ok_or_else(|| wrong("exponent", &account.exponent.to_string()))?;
        let debits = |balance: &Option<StatementBalance>| {
            let counters = balance.as_ref().and_then(|balance| balance.counters.clone()).unwrap_or_default();
            let debits = number("posted_debits", &counters.posted_debits)?;
            Ok::<_, CliError>(debits - number("posted_credits", &counters.posted_credits)?)
        };
        let opening = debits(&head.opening)?;
        let mut closing = debits(&head.closing)?;
        let place = self.accounts.len();
        for line in lines {
            let Some(posted) = line.line.as_ref().filter(|line| is_posted(line.layer)) else { continue };
            let delta = number("delta", &posted.delta)?;
            let is_debit = Side::from_number(posted.side.cast_unsigned()) == Some(Side::Debit);
            let minor = if is_debit { delta } else { -delta };
            if posted.log_index >= self.read_at {
                closing -= minor;
                continue;
            }
            let date = match by {
                By::Effective => line.effective_date,
                By::Recorded => utc_date(posted.recorded_at_nanos),
            };
            let transaction = self.transactions.entry((date, posted.log_index)).or_default();
            transaction.postings.push((place, minor));
        }
        self.currencies.insert(currency.to_string(), exponent);
        self.accounts.push(BookAccount {
            name: chart::name(id.as_str(), kind),
            id: id.to_string(),
            currency: currency.to_string(),
            exponent,
            opening,
            closing,
        });
        Ok(())
    }
}

impl Transaction {
    fn describe(&mut self, entry: &LogEntry) -> Result<(), CliError> {
        let event = Event::decode_batched(&entry.payload)
            .map_err(|refusal| wrong("payload", &refusal.to_string()))?;
        self.title = event.body.name().to_owned();
        self.facts.push(("event", text::uuid(&event.event_id)));
        if !event.payment_id.is_empty() {
            self.facts.push(("payment", text::uuid(&event.payment_id)));
        }
        if !event.external_ref.is_empty() {
            self.facts.push(("reference", event.external_ref.clone()));
        }
        if let Body::TransferPosted(body) = &event.body {
            self.facts.push(("purpose", body.purpose.clone()));
        }
        Ok(())
    }
}

fn wrong(field: &'static str, found: &str) -> CliError {
    CliError::Client(ClientError::Malformed { field, found: found.to_owned() })
}

fn number(field: &'static str, text: &str) -> Result<i128, CliError> {
    let number = text.parse::<i128>().ok().filter(|number| number.unsigned_abs() < TOO_MUCH);
    number.ok_or_else(|| wrong(field, text))
}

fn is_posted(layer: i32) -> bool {
    Layer::from_number(layer.cast_unsigned()) == Some(Layer::Posted)
}

/// A period without an end reaches to where no entry lies.
fn range(period: Period, by: By) -> Result<StatementRange, CliError> {
    const FIRST: u32 = 19_700_101;
    const LAST: u32 = 25_540_101;
    let (from, to) = (period.from.unwrap_or(FIRST), period.to.unwrap_or(LAST));
    if by == By::Effective {
        return Ok(StatementRange::Effective { from_date: from, to_date: to });
    }
    let nanos = |name, date| {
        midnight_nanos(date)
            .ok_or_else(|| CliError::argument(name, text::date(date), "a date from 1970 to 2553"))
    };
    Ok(StatementRange::Recorded {
        from_nanos: nanos("--from", from)?,
        to_nanos: nanos("--to", text::next_day(to))?,
    })
}

/// The accounts that are named, or begin with a text that ends in `:`, in the order of their opening.
async fn accounts(client: &Client, chosen: &[String]) -> Result<Vec<Account>, CliError> {
    let read = async |page: Page| {
        let r = client.accounts(page).await?;
        Ok(Rows { rows: r.accounts, next_cursor: r.next_cursor, read_at: r.read_at })
    };
    let mut accounts = Limit { limit: 0, descending: false }.read(read).await?.rows;
    let chooses = |text: &String, account: &Account| {
        account.account == *text || (text.ends_with(':') && account.account.starts_with(text.as_str()))
    };
    for text in chosen {
        if !accounts.iter().any(|account| chooses(text, account)) {
            return Err(CliError::argument(
                "--account",
                text,
                "an account, or what accounts begin with, to a `:`",
            ));
        }
    }
    accounts.retain(|account| chosen.is_empty() || chosen.iter().any(|text| chooses(text, account)));
    Ok(accounts)
}

#[cfg(test)]
mod tests {
    use ledger_client::messages::{AccountLine, Counters};

    use super::*;

    impl Books {
        /// Books of one account, without a transaction.
        pub fn of_account(id: &str) -> Self {
            let account = Account { account: id.to_owned(), ..account() };
            read(&account, ("0", "0"), "0", 0).unwrap()
        }
    }

    fn balance(debits: &str, credits: &str) -> Option<StatementBalance> {
        let (posted_debits, posted_credits) = (debits.to_owned(), credits.to_owned());
        let counters = Some(Counters { posted_debits, posted_credits, ..Default::default() });
        Some(StatementBalance { counters, ..Default::default() })
    }

    fn account() -> Account {
        let kind = AccountKind::Cash.number().into();
        Account {
            account: "till".to_owned(),
            currency: "EUR".to_owned(),
            exponent: 2,
            kind,
            ..Default::default()
        }
    }

    fn line(delta: &str) -> StatementLine {
        let (layer, side) = (Layer::Posted.number().into(), Side::Credit.number().into());
        let line = AccountLine { log_index: 7, layer, side, delta: delta.to_owned(), ..Default::default() };
        StatementLine { line: Some(line), effective_date: 20_260_131, ..Default::default() }
    }

    /// The books of one account after `read_at` entries; else what makes no sense.
    fn read(
        account: &Account,
        opening: (&str, &str),
        delta: &str,
        read_at: u64,
    ) -> Result<Books, &'static str> {
        let (accounts, transactions, currencies) = (Vec::new(), BTreeMap::new(), BTreeMap::new());
        let (ledger_id, period) = (String::new(), Period::default());
        let mut books = Books { accounts, transactions, currencies, read_at, ledger_id, period };
        let opening = balance(opening.0, opening.1);
        let head = StatementHead { opening, closing: balance("5", "0"), ..Default::default() };
        match books.take(account, &head, &[line(delta)], By::Effective) {
            Ok(()) => Ok(books),
            Err(CliError::Client(ClientError::Malformed { field, .. })) => Err(field),
            Err(other) => panic!("{other}"),
        }
    }

    #[test]
    fn what_a_server_cannot_mean_is_malformed() {
        let (most, least) = (i128::MAX.to_string(), i128::MIN.to_string());
        for (opening, delta, field) in [
            ((most.as_str(), "0"), "1", "posted_debits"),
            (("0", least.as_str()), "1", "posted_credits"),
            (("0", "0"), least.as_str(), "delta"),
            (("0", "0"), "much", "delta"),
        ] {
            assert_eq!(read(&account(), opening, delta, 9).err(), Some(field));
        }
        for (account, field) in [
            (Account { exponent: 5, ..account() }, "exponent"),
            (Account { exponent: 300, ..account() }, "exponent"),
            (Account { account: "a\naccount b".to_owned(), ..account() }, "account"),
            (Account { currency: "EURO".to_owned(), ..account() }, "currency"),
            (Account { kind: 99, ..account() }, "kind"),
        ] {
            assert_eq!(read(&account, ("0", "0"), "1", 9).err(), Some(field));
        }
    }

    #[test]
    fn what_was_recorded_later_is_left_out() {
        let books = read(&account(), ("3", "1"), "4", 8).unwrap();
        assert_eq!(
            (books.accounts[0].opening, books.accounts[0].closing, books.transactions.len()),
            (2, 5, 1)
        );
        let earlier = read(&account(), ("3", "1"), "4", 7).unwrap();
        assert_eq!((earlier.accounts[0].closing, earlier.transactions.len()), (9, 0));
    }
}
