//! Journals for accountants. `make conformance` lets hledger and Beancount judge them.

use std::fs;

use crate::support::Ledger;

#[test]
fn journals_hold_the_posted_money_of_the_chosen_accounts() {
    let ledger = Ledger::start();
    ledger.open_books();
    let transfer = ["transfer", "--from", "alice", "--to", "shop"];
    let earlier =
        ["--amount", "3.21 USD", "--external-ref", "a \"quoted\\ one;", "--effective-date", "2001-02-03"];
    let moved = ledger.operate(&[&transfer[..], &earlier].concat()).ok();
    let (index, event) = (moved["log_index"].as_str().unwrap(), moved["event_id"].as_str().unwrap());

    let export = |arguments: &[&str]| {
        let answer = ledger.run(&[&["export"], arguments, &["--out", "-"]].concat());
        assert_eq!(answer.code, 0, "{answer:?}");
        answer.out
    };
    let only = ["--account", "shop", "--to", "2001-12-31"];
    let journal = export(&[&["hledger"], &only[..]].concat());
    let body = journal.split_once('\n').unwrap().1;
    let expected = format!(
        "
commodity 1.00 USD
account Liabilities:Merchant:Shop  ; id: shop
account Equity:Opening
account Equity:Outside

2001-02-03 * ({index}) TransferPosted
    ; event: {event}
    ; reference: a \"quoted\\ one;
    ; purpose: TRANSFER
    Liabilities:Merchant:Shop  -3.21 USD
    Equity:Outside  3.21 USD

2001-12-31 * balances that the ledger states
    Liabilities:Merchant:Shop  0.00 USD = -3.21 USD
"
    );
    assert_eq!(body, expected);

    let later = [
        "beancount",
        "--account",
        "shop",
        "--account",
        "alic:",
        "--from",
        "2001-02-04",
        "--to",
        "2001-02-05",
    ];
    let journal = ledger.run(&[&["export"], &later[..], &["--out", "-"]].concat());
    assert_eq!((journal.code, journal.out.as_str()), (1, ""), "nothing begins with alic: {journal:?}");
    let later: Vec<&str> =
        later.into_iter().map(|word| if word == "alic:" { "shop" } else { word }).collect();
    let journal = export(&later);
    let body = journal.split_once('\n').unwrap().1;
    let expected = "
2001-02-04 open Liabilities:Merchant:Shop USD
  account: \"shop\"
2001-02-04 open Equity:Opening
2001-02-04 open Equity:Outside

2001-02-04 * \"opening balances\"
  Liabilities:Merchant:Shop  -3.21 USD
  Equity:Opening  3.21 USD

2001-02-06 balance Liabilities:Merchant:Shop  -3.21 ~ 0.00 USD
";
    assert_eq!(body, expected);
    let whole = export(&["beancount", "--by", "recorded"]);
    assert!(whole.contains("  reference: \"a \\\"quoted\\\\ one;\"\n"), "{whole}");
    assert!(!whole.contains("2001-02-03"), "by the day of recording");

    let written = ledger.json(&["export", "hledger", "--out", "books.journal"]).ok();
    let file = fs::read_to_string(ledger.path("books.journal")).unwrap();
    assert_eq!(written["transactions"].as_str().unwrap(), file.matches(" * (").count().to_string());
    assert!(!file.contains("Equity:Outside  "), "all accounts together need no outside:\n{file}");
}

#[test]
fn a_period_that_ends_before_it_begins_is_refused() {
    let ledger = Ledger::start();
    for (arguments, words) in [
        (["--from", "2026-02-01", "--to", "2026-01-31"], "--to \"2026-01-31\": expected 2026-02-01 or later"),
        (["--from", "2026-02-30", "--to", "2026-03-31"], "--from \"2026-02-30\": expected a date"),
    ] {
        let answer = ledger.run(&[&["export", "hledger", "--out", "x.journal"][..], &arguments].concat());
        assert_eq!(answer.code, 1, "{answer:?}");
        assert!(answer.err.contains(words), "{answer:?}");
    }
    let answer = ledger.run(&["export"]);
    assert_eq!(answer.code, 1, "{answer:?}");
    assert!(answer.err.contains("--out"), "{answer:?}");
}
