//! Money in and out: the worked example of the rules, typed and shown as decimals.

use serde_json::Value;

use crate::support::Ledger;

#[test]
fn a_payment_through_all_its_steps_to_the_cent() {
    let ledger = Ledger::start();
    ledger.open_books();
    let pay = |arguments: &[&str]| ledger.json(&[&["pay"], arguments, &["--key", "service.key"]].concat());
    let announced =
        pay(&["initiate", "--debtor", "alice", "--creditor", "shop", "--amount", "100.00 USD"]).ok();
    let id = announced["payment_id"].as_str().unwrap();
    assert_eq!(announced["answer"], "ACCEPTED");

    // (step, posted and available of alice, posted of shop, of fees)
    type Step<'a> = (&'a [&'a str], &'a str, &'a str, &'a str, &'a str);
    let steps: [Step<'_>; 4] = [
        (&["authorize", id, "--amount", "100.00 USD"], "200.00 USD", "100.00 USD", "0.00 USD", "0.00 USD"),
        (
            &["capture", id, "--amount", "60.00 USD", "--fee", "creditor=fees=1.80 USD"],
            "140.00 USD",
            "100.00 USD",
            "58.20 USD",
            "1.80 USD",
        ),
        (
            &["capture", id, "--amount", "30.00 USD", "--final"],
            "110.00 USD",
            "110.00 USD",
            "88.20 USD",
            "1.80 USD",
        ),
        (
            &["refund", id, "--amount", "15.00 USD", "--reason", "RETURNED"],
            "125.00 USD",
            "125.00 USD",
            "73.20 USD",
            "1.80 USD",
        ),
    ];
    for (step, posted, available, shop, fees) in steps {
        assert_eq!(pay(step).ok()["answer"], "ACCEPTED", "{step:?}");
        let alice = account(&ledger, "alice");
        assert_eq!((&alice["posted"], &alice["available"]), (&posted.into(), &available.into()), "{step:?}");
        assert_eq!(account(&ledger, "shop")["posted"], shop, "{step:?}");
        assert_eq!(account(&ledger, "fees")["posted"], fees, "{step:?}");
    }
    let payment = ledger.json(&["payment", "show", id]).ok();
    assert_eq!(payment["status"], "PARTIALLY_REFUNDED");
    assert_eq!((&payment["captured"], &payment["released"]), (&"90.00 USD".into(), &"10.00 USD".into()));

    let too_much = pay(&["refund", id, "--amount", "75.01 USD", "--reason", "RETURNED"]);
    assert_eq!(too_much.code, 2);
    assert_eq!(too_much.json()["answer"], "REFUND_EXCEEDS_REFUNDABLE");
    let stale = announced["event_id"].as_str().unwrap();
    let refund = ["refund", id, "--amount", "1.00 USD", "--reason", "RETURNED", "--previous", stale];
    let stale = pay(&refund);
    assert_eq!((stale.code, stale.json()["answer"].as_str()), (3, Some("PREVIOUS_EVENT_MISMATCH")));

    let events = ledger.json(&["payment", "list-events", id]).ok();
    let types: Vec<&str> =
        events["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap()).collect();
    assert_eq!(types[..2], ["PaymentInitiated", "PaymentAuthorized"]);
    assert!(types.len() >= 5, "{types:?}");

    let balance = ledger.json(&["trial-balance"]).ok();
    assert_eq!(balance["balanced"], true);
    let total = &balance["totals"][0];
    assert_eq!(total["posted_debits"], total["posted_credits"]);
    let lines = ledger.json(&["account", "entries", "alice"]).ok();
    assert_eq!(lines["lines"][0]["amount"], "200.00 USD");
    assert_eq!(lines["lines"][0]["event_id"].as_str().unwrap().len(), 36);
    let opened = ledger.json(&["account", "show", "alice", "--as-of", "6"]).ok();
    assert_eq!(opened["posted"], "200.00 USD");
}

#[test]
fn a_step_is_typed_in_the_currency_of_its_payment() {
    let ledger = Ledger::start();
    ledger.open_books();
    let pay = |arguments: &[&str]| ledger.json(&[&["pay"], arguments, &["--key", "service.key"]].concat());
    let announced =
        pay(&["initiate", "--debtor", "alice", "--creditor", "shop", "--amount", "100.00 USD"]).ok();
    let (id, head) = (announced["payment_id"].as_str().unwrap(), announced["event_id"].as_str().unwrap());
    for step in [&["authorize"][..], &["capture"], &["refund", "--reason", "RETURNED"]] {
        for previous in [&[][..], &["--previous", head]] {
            let turned_away = pay(&[step, &[id, "--amount", "100 JPY"], previous].concat());
            assert_eq!(turned_away.code, 1, "{step:?} {turned_away:?}");
            assert!(turned_away.err.contains("expected an amount in USD"), "{turned_away:?}");
        }
    }
    let draft = ["event", "create", "--out", "hold.json", "--signer", "service.pub"];
    let hold = ["pay-authorize", id, "--amount", "100 JPY", "--previous", head];
    assert_eq!(ledger.json(&[&draft[..], &hold].concat()).code, 1);
    let events = ledger.json(&["payment", "list-events", id]).ok();
    assert_eq!(events["events"].as_array().unwrap().len(), 1, "nothing was signed or sent");
    pay(&["authorize", id, "--amount", "100.00 USD", "--previous", head]).ok();
}

#[test]
fn voided_payments_and_frozen_accounts() {
    let ledger = Ledger::start();
    ledger.open_books();
    let pay = |arguments: &[&str]| ledger.json(&[&["pay"], arguments, &["--key", "service.key"]].concat());
    let announced =
        pay(&["initiate", "--debtor", "alice", "--creditor", "shop", "--amount", "5.00 USD"]).ok();
    let id = announced["payment_id"].as_str().unwrap();
    pay(&["authorize", id, "--amount", "5.00 USD", "--timeout", "60"]).ok();
    pay(&["void", id, "--reason", "CHANGED MIND"]).ok();
    assert_eq!(ledger.json(&["payment", "show", id]).ok()["status"], "VOIDED");
    assert_eq!(account(&ledger, "alice")["available"], "200.00 USD");
    ledger.operate(&["account", "status", "alice", "debit-frozen", "--reason", "COURT"]).ok();
    let frozen = ledger.operate(&["transfer", "--from", "alice", "--to", "shop", "--amount", "1.00 USD"]);
    assert_eq!((frozen.code, frozen.json()["answer"].as_str()), (2, Some("ACCOUNT_DEBIT_FROZEN")));
}

#[test]
fn amounts_have_the_decimals_of_their_currency() {
    let ledger = Ledger::start();
    let accounts = [("JPY", "999999999999999999 JPY"), ("KWD", "1.250 KWD"), ("CLF", "0.0001 CLF")];
    for (currency, amount) in accounts {
        let (from, to) =
            (format!("from-{}", currency.to_lowercase()), format!("to-{}", currency.to_lowercase()));
        for account in [&from, &to] {
            ledger.operate(&["account", "open", account, "--currency", currency, "--kind", "external"]).ok();
        }
        ledger.operate(&["transfer", "--from", &from, "--to", &to, "--amount", amount]).ok();
        assert_eq!(account(&ledger, &to)["posted"], amount);
        assert_eq!(account(&ledger, &from)["posted"], format!("-{amount}"));
    }
    let legs =
        ["--debit", "to-kwd=1.000 KWD", "--credit", "from-kwd=0.250 KWD", "--credit", "from-kwd=0.750 KWD"];
    let moved = ledger.operate(&[&["transfer"], &legs[..]].concat()).ok();
    assert_eq!(account(&ledger, "to-kwd")["posted"], "0.250 KWD");
    let shown = ledger.json(&["event", "show", moved["event_id"].as_str().unwrap()]).ok();
    assert_eq!(shown["legs"], "DEBIT to-kwd 1.000 KWD; CREDIT from-kwd 0.250 KWD; CREDIT from-kwd 0.750 KWD");
    let limited = ["account", "open", "low", "--currency", "USD", "--limit", "100.00 USD"];
    ledger.operate(&limited).ok();
    assert_eq!(account(&ledger, "low")["available"], "100.00 USD");
    assert!(
        ledger.run(&["account", "list"]).out.contains("1.250 KWD")
            || ledger.run(&["account", "list"]).out.contains("0.250 KWD")
    );
}

fn account(ledger: &Ledger, account: &str) -> Value {
    ledger.json(&["account", "show", account]).ok()
}
