//! What a journal holds, read from the statements of a server.

use std::collections::BTreeMap;

use ledger_client::messages::{Account, LogEntry, StatementBalance, StatementHead, StatementLine};
use ledger_client::{Client, ClientError, EntryRef, Page, StatementRange};
use ledger_core::date::{midnight_nanos, utc_date};
use ledger_core::event::{Body, Event};
use ledger_core::ids::LogIndex;
use ledger_core::number::{AccountKind, Layer, Side};

use super::Period;
use super::chart::{self, OPENING};
use crate::commands::statement::By;
use crate::exit::CliError;
use crate::pages::{Limit, Rows};
use crate::progress;
use crate::text;

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
        let bar = progress::bar("events").with_message("events");
        bar.set_length(books.transactions.len() as u64);
        for ((_, log_index), transaction) in &mut books.transactions {
            let entry = client.event(EntryRef::Index(LogIndex(*log_index))).await?;
            transaction.describe(&entry)?;
            bar.inc(1);
        }
        bar.finish_and_clear();
        Ok(books)
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
        let wrong = |field: &'static str, value: &str| {
            CliError::Client(ClientError::Malformed { field, found: value.to_owned() })
        };
        let kind = AccountKind::from_number(account.kind.cast_unsigned());
        let kind = kind.ok_or_else(|| wrong("kind", &account.kind.to_string()))?;
        let exponent =
            u8::try_from(account.exponent).map_err(|_| wrong("exponent", &account.exponent.to_string()))?;
        let number = |field, text: &str| text.parse::<i128>().map_err(|_| wrong(field, text));
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
        self.currencies.insert(account.currency.clone(), exponent);
        self.accounts.push(BookAccount {
            name: chart::name(&account.account, kind),
            id: account.account.clone(),
            currency: account.currency.clone(),
            exponent,
            opening,
            closing,
        });
        Ok(())
    }
}

impl Transaction {
    fn describe(&mut self, entry: &LogEntry) -> Result<(), CliError> {
        let event = Event::decode(&entry.payload).map_err(|refusal| {
            CliError::Client(ClientError::Malformed { field: "payload", found: refusal.to_string() })
        })?;
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
