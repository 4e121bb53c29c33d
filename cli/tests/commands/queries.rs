//! Queries as they are typed: statements, lists, sums, references, dry runs, and the check of a store.

use serde_json::Value;

use crate::support::{Ledger, ledger};

#[test]
fn statements_add_up_and_meet() {
    let ledger = Ledger::start();
    ledger.open_books();
    let mut times = Vec::new();
    for amount in ["10.00 USD", "2.50 USD", "7.25 USD"] {
        let moved = ledger.operate(&["transfer", "--from", "alice", "--to", "shop", "--amount", amount]).ok();
        times.push(moved["recorded_at"].as_str().unwrap().to_owned());
    }
    let today = &times[0][..10];
    let statement = |from: &str, to: &str, by: &str| {
        ledger.json(&["statement", "alice", "--from", from, "--to", to, "--by", by]).ok()
    };
    let all = statement("1970-01-01", today, "recorded");
    assert_eq!(
        (&all["opening"]["posted"], &all["closing"]["posted"]),
        (&"0.00 USD".into(), &"180.25 USD".into())
    );
    let balances: Vec<&Value> = all["lines"].as_array().unwrap().iter().map(|line| &line["posted"]).collect();
    assert_eq!(balances, ["200.00 USD", "190.00 USD", "187.50 USD", "180.25 USD"]);
    let effective = statement(today, today, "effective");
    assert_eq!(effective["lines"], all["lines"]);
    // Cut at the second transfer: it is the first line after the cut.
    let (before, after) =
        (statement("1970-01-01", &times[1], "recorded"), statement(&times[1], today, "recorded"));
    assert_eq!(before["closing"], after["opening"]);
    assert_eq!(after["lines"].as_array().unwrap().len(), 2);
    let shown = ledger.run(&["statement", "alice", "--from", "1970-01-01", "--to", today]);
    assert!(shown.out.contains("opening") && shown.out.contains("180.25 USD"), "{shown:?}");

    let then = ledger.json(&["account", "show", "alice", "--as-of", &times[0]]).ok();
    assert_eq!(then["posted"], "190.00 USD");
    assert_eq!(ledger.json(&["account", "show", "alice", "--as-of", today]).ok()["posted"], "180.25 USD");
    assert_eq!(ledger.json(&["account", "show", "alice", "--as-of", "block:0"]).ok()["posted"], "0.00 USD");
    let trial = ledger.json(&["trial-balance", "--as-of", &times[0], "--currency", "USD"]).ok();
    assert_eq!(trial["totals"][0]["posted_debits"], "210.00 USD");
    for wrong in [
        vec!["statement", "alice", "--from", today, "--to", "1970-01-01"],
        vec!["statement", "alice", "--from", "yesterday", "--to", today],
        vec!["statement", "alice", "--from", &times[0], "--to", today, "--by", "effective"],
        vec!["account", "show", "alice", "--as-of", "block:"],
    ] {
        assert_eq!(ledger.json(&wrong).code, 1, "{wrong:?}");
    }
    assert_eq!(ledger.json(&["account", "show", "alice", "--as-of", "999999"]).code, 2);
}

#[test]
fn payments_references_and_what_should_drain_are_found() {
    let ledger = Ledger::start();
    ledger.open_books();
    let pay = |arguments: &[&str]| ledger.json(&[&["pay"], arguments, &["--key", "service.key"]].concat());
    let initiate = ["initiate", "--debtor", "alice", "--creditor", "shop", "--amount", "5.00 USD"];
    let first = pay(&[&initiate[..], &["--external-ref", "ORDER 1"]].concat()).ok();
    let id = first["payment_id"].as_str().unwrap();
    pay(&initiate).ok();
    pay(&["authorize", id, "--amount", "5.00 USD"]).ok();

    let listed = |arguments: &[&str]| {
        let listed = ledger.json(&[&["payment", "list"], arguments].concat()).ok();
        let payments = listed["payments"].as_array().unwrap();
        payments.iter().map(|payment| payment["payment_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let all = listed(&["--account", "alice"]);
    assert_eq!((all.len(), all[0].as_str()), (2, id));
    let back = listed(&["--account", "shop", "--descending", "--limit", "1"]);
    assert_eq!(back, all[1..]);
    assert_eq!(listed(&["--status", "authorized"]), [id]);
    assert!(listed(&["--account", "outside"]).is_empty());
    assert_eq!(ledger.json(&["payment", "list", "--status", "lost"]).code, 1);
    let found = ledger.json(&["find", "--party", "service", "ORDER 1"]).ok();
    assert_eq!((found["payment_id"].as_str(), found["status"].as_str()), (Some(id), Some("AUTHORIZED")));
    assert_eq!(ledger.json(&["find", "--party", "service", "ORDER 2"]).code, 2);
    let initiated = first["log_index"].as_str().unwrap();
    let then = ledger.json(&["payment", "show", id, "--as-of", initiated]).ok();
    assert_eq!(then["status"], "INITIATED");
    assert_eq!(ledger.json(&["payment", "check", id]).ok()["checked"]["equal"], "true");

    ledger.operate(&["account", "open", "rail", "--currency", "USD", "--kind", "clearing"]).ok();
    let moved =
        ledger.operate(&["transfer", "--from", "outside", "--to", "rail", "--amount", "1.00 USD"]).ok();
    let draining = ledger.json(&["account", "draining"]).ok();
    let rail = &draining["accounts"][0];
    assert_eq!((&rail["account"], &rail["posted"]), (&"rail".into(), &"1.00 USD".into()));
    assert_eq!(rail["since"], moved["recorded_at"]);
    let checked = ledger.json(&["check"]).ok();
    assert_eq!(
        (&checked["violation"], &checked["totals"][0]["pending_debits"]),
        (&Value::Null, &"5.00 USD".into())
    );
}

#[test]
fn a_dry_run_records_nothing() {
    let ledger = Ledger::start();
    ledger.open_books();
    // Not the size of the log: a seal may come in between.
    let books = || {
        let mut listed = ledger.json(&["account", "list"]).ok();
        listed.as_object_mut().unwrap().remove("read_at").unwrap();
        listed
    };
    let before = books();
    let transfer = ["transfer", "--from", "alice", "--to", "shop", "--amount"];
    let tried = ledger.operate(&[&transfer[..], &["1.00 USD", "--dry-run"]].concat()).ok();
    assert_eq!((&tried["answer"], &tried["dry_run"]), (&"ACCEPTED".into(), &"nothing was recorded".into()));
    let refused = ledger.operate(&[&transfer[..], &["200.01 USD", "--dry-run"]].concat());
    assert_eq!((refused.code, refused.json()["answer"].as_str()), (2, Some("INSUFFICIENT_FUNDS")));
    let account = ["account", "open", "bob", "--currency", "USD", "--dry-run"];
    assert_eq!(ledger.operate(&account).ok()["answer"], "ACCEPTED");
    assert_eq!(books(), before);
}

#[test]
fn a_store_is_checked_beside_its_server_and_without_it() {
    let mut ledger = Ledger::start();
    ledger.open_books();
    let data = ledger.path("data");
    let check = ["--json", "admin", "check", "--dir", &data];
    assert_eq!(self::ledger(&check).ok()["verdict"], "valid");
    ledger.stop();
    let checked = self::ledger(&check).ok();
    assert_eq!((&checked["verdict"], &checked["unsealed"]), (&"valid".into(), &"0".into()));
    assert_eq!(self::ledger(&["admin", "check", "--dir", &ledger.path("nothing")]).code, 1);
    // The marker says that more was durable than there is.
    let mut marker = std::fs::read(ledger.path("data/marker")).unwrap();
    marker.fill(0);
    std::fs::write(ledger.path("data/marker"), marker).unwrap();
    assert_eq!(self::ledger(&check).code, 5);
}
