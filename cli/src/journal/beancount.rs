//! The journal of Beancount (<https://beancount.github.io/docs/beancount_language_syntax.html>), for `bean-check`.

use std::fmt::Write;

use ledger_core::money::format_amount;

use super::chart::{OPENING, OUTSIDE};
use super::read::{Books, Sum};
use crate::text;

/// The whole file. Writing to a string does not fail.
pub fn journal(books: &Books) -> String {
    let mut out = String::new();
    let _ = writeln!(out, "option \"title\" {}\n", quoted(&books.about()));
    let (Some(first), Some(last)) = (books.first_day(), books.last_day()) else { return out };
    let day = text::date(first);
    for account in &books.accounts {
        let _ = writeln!(out, "{day} open {} {}", account.name, account.currency);
        let _ = writeln!(out, "  account: {}", quoted(&account.id));
    }
    let _ = writeln!(out, "{day} open {OPENING}\n{day} open {OUTSIDE}");
    let postings = books.openings();
    if !postings.is_empty() {
        let _ = writeln!(out, "\n{day} * \"opening balances\"");
        write_postings(&mut out, &postings);
    }
    for ((date, log_index), transaction) in &books.transactions {
        let _ = writeln!(out, "\n{} * {}", text::date(*date), quoted(&transaction.title));
        let _ = writeln!(out, "  log-index: {log_index}");
        for (name, value) in &transaction.facts {
            let _ = writeln!(out, "  {}: {}", name.replace(' ', "-"), quoted(value));
        }
        write_postings(&mut out, &books.postings(transaction, OUTSIDE));
    }
    // A balance is that of the morning of its date. Without a tolerance of its own, Beancount would let a cent pass.
    let day = text::date(text::next_day(last));
    let _ = writeln!(out);
    for account in &books.accounts {
        let (exponent, currency) = (account.exponent, &account.currency);
        let (none, closing) = (format_amount(0, exponent), format_amount(account.closing, exponent));
        let _ = writeln!(out, "{day} balance {}  {closing} ~ {none} {currency}", account.name);
    }
    out
}

fn write_postings(out: &mut String, postings: &[Sum<'_>]) {
    for Sum { name, minor, exponent, currency } in postings {
        let _ = writeln!(out, "  {name}  {} {currency}", format_amount(*minor, *exponent));
    }
}

fn quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\""))
}
