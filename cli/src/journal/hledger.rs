//! The journal of hledger (<https://hledger.org/hledger.html>), for `hledger check --strict`.

use std::fmt::Write;

use ledger_core::money::format_amount;

use super::chart::{OPENING, OUTSIDE};
use super::read::{Books, Sum};
use crate::text;

/// The whole file. Writing to a string does not fail.
pub fn journal(books: &Books) -> String {
    let mut out = String::new();
    let _ = write!(out, "; {}\n\n", books.about());
    for (currency, exponent) in &books.currencies {
        let one = format_amount(10i128.pow(u32::from(*exponent)), *exponent);
        // hledger wants a decimal mark in the directive, even where there are no decimals.
        let mark = if *exponent == 0 { "." } else { "" };
        let _ = writeln!(out, "commodity {one}{mark} {currency}");
    }
    for account in &books.accounts {
        let _ = writeln!(out, "account {}  ; id: {}", account.name, account.id);
    }
    let _ = writeln!(out, "account {OPENING}\naccount {OUTSIDE}");
    if let Some(first) = books.first_day() {
        let postings = books.openings();
        if !postings.is_empty() {
            let _ = writeln!(out, "\n{} * opening balances", text::date(first));
            write_postings(&mut out, &postings);
        }
    }
    for ((date, log_index), transaction) in &books.transactions {
        let _ = writeln!(out, "\n{} * ({log_index}) {}", text::date(*date), transaction.title);
        for (name, value) in &transaction.facts {
            let _ = writeln!(out, "    ; {name}: {value}");
        }
        write_postings(&mut out, &books.postings(transaction, OUTSIDE));
    }
    if let Some(last) = books.last_day() {
        let _ = writeln!(out, "\n{} * balances that the ledger states", text::date(last));
        for account in &books.accounts {
            let (currency, exponent) = (&account.currency, account.exponent);
            let (none, closing) = (format_amount(0, exponent), format_amount(account.closing, exponent));
            let _ = writeln!(out, "    {}  {none} {currency} = {closing} {currency}", account.name);
        }
    }
    out
}

fn write_postings(out: &mut String, postings: &[Sum<'_>]) {
    for Sum { name, minor, exponent, currency } in postings {
        let _ = writeln!(out, "    {name}  {} {currency}", format_amount(*minor, *exponent));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_never_a_tag_of_its_own() {
        // hledger takes `type:` in the comment of an account for the account's type.
        let books = Books::of_account("type:cash");
        assert!(journal(&books).contains("\naccount Assets:Cash:Type:Cash  ; id: type:cash\n"));
    }
}
