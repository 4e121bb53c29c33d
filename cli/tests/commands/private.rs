//! Private data on the command line: committed to, read back, erased; and the operators' other commands.

use crate::support::{Ledger, ledger};

const SECRET: &str = "name: Alice Example, card 4929";

#[test]
fn private_data_is_read_back_and_erased() {
    let mut ledger = Ledger::start();
    ledger.serve_with("data", &["--set", "private.read=true"]);
    ledger.open_books();
    std::fs::write(ledger.path("secret"), SECRET).unwrap();
    let transfer = ["transfer", "--from", "outside", "--to", "alice", "--amount", "1.00 USD"];
    let paid = ledger.operate(&[&transfer[..], &["--metadata", "secret"]].concat()).ok();
    let id = paid["event_id"].as_str().unwrap();
    assert_eq!(paid["metadata_commitment"].as_str().unwrap().len(), 64);
    let shown = ledger.json(&["event", "show", id]).ok();
    assert_eq!(shown["metadata_commitment"], paid["metadata_commitment"]);
    assert_eq!(ledger.json(&["event", "metadata", id]).ok()["metadata"], SECRET);
    ledger.json(&["event", "metadata", id, "--out", "back"]).ok();
    assert_eq!(std::fs::read_to_string(ledger.path("back")).unwrap(), SECRET);
    assert_eq!(ledger.json(&["event", "metadata", id, "--out", "back"]).code, 1, "files are not overwritten");

    let again = ledger.operate(&[&transfer[..], &["--metadata", "secret"]].concat()).ok();
    assert_ne!(again["metadata_commitment"], paid["metadata_commitment"], "each event has a salt of its own");
    let plain = ledger.operate(&transfer).ok();
    let none = ledger.json(&["event", "metadata", plain["event_id"].as_str().unwrap()]);
    assert_eq!((none.code, none.json()["metadata"].as_str()), (2, Some("not kept here")));

    let erase = |event: &str| ledger.operate(&["admin", "erase-metadata", event, "--reason", "REQUEST 7"]);
    assert_eq!(erase(id).ok()["answer"], "ACCEPTED");
    assert_eq!(erase(id).ok()["answer"], "ACCEPTED", "twice is accepted");
    let erased = ledger.json(&["event", "metadata", id]);
    assert_eq!((erased.code, erased.json()["metadata"].as_str()), (2, Some("erased")));
    let other = ledger.json(&["event", "metadata", again["event_id"].as_str().unwrap()]).ok();
    assert_eq!(other["metadata"], SECRET);
    let unknown = erase(plain["event_id"].as_str().unwrap());
    assert_eq!((unknown.code, unknown.json()["answer"].as_str()), (2, Some("TARGET_EVENT_NOT_FOUND")));

    ledger.serve("data");
    let closed = ledger.json(&["event", "metadata", again["event_id"].as_str().unwrap()]);
    assert_eq!(closed.code, 1);
    assert!(closed.err.contains("private.read"), "{closed:?}");
}

#[test]
fn private_data_above_its_limit_is_refused_before_anything_is_sent() {
    // Nobody listens there: with exit code 4 a file would be left.
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (key, secret, out) = (path("a.key"), path("secret"), path("paid.json"));
    ledger(&["--json", "key", "new", &path("a")]).ok();
    std::fs::write(&secret, vec![b'x'; 8193]).unwrap();
    let id = "0".repeat(64);
    let away = ["--server", "http://127.0.0.1:1", "--wait", "0", "--ledger-id", &id];
    let transfer = ["transfer", "--from", "a", "--to", "b", "--amount", "1.00 USD"];
    let submitted = ledger(&[&away[..], &transfer, &["--key", &key, "--metadata", &secret]].concat());
    let create = ["event", "create", "--out", &out, "--signer", &key, "--metadata", &secret];
    let created = ledger(&[&away[..], &create, &transfer].concat());
    for answer in [submitted, created] {
        assert_eq!(answer.code, 1, "{answer:?}");
        let words = "--metadata \"8193 bytes\": expected at most 8192 bytes";
        assert!(answer.err.contains(words), "{answer:?}");
    }
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 3, "no file is left");
}

#[test]
fn an_envelope_keeps_its_private_data_in_a_file_beside() {
    let mut ledger = Ledger::start();
    ledger.serve_with("data", &["--set", "private.read=true"]);
    ledger.open_books();
    std::fs::write(ledger.path("secret"), SECRET).unwrap();
    let operator = ledger.operator();
    let create = ["event", "create", "--out", "paid.json", "--signer", &operator, "--metadata", "secret"];
    let transfer = ["transfer", "--from", "outside", "--to", "alice", "--amount", "1.00 USD"];
    let id = ledger.json(&[&create[..], &transfer].concat()).ok()["event_id"].as_str().unwrap().to_owned();
    let envelope = std::fs::read(ledger.path("paid.json")).unwrap();
    assert!(!envelope.windows(5).any(|part| part == &SECRET.as_bytes()[..5]));
    ledger.json(&["event", "sign", "paid.json", "--key", &operator]).ok();
    ledger.json(&["event", "submit", "paid.json"]).ok();
    assert_eq!(ledger.json(&["event", "metadata", &id]).ok()["metadata"], SECRET);
}

#[test]
fn what_payments_and_operators_do_besides() {
    let ledger = Ledger::start();
    ledger.open_books();
    let dispute = ["account", "open", "disputes", "--currency", "USD", "--kind", "dispute"];
    ledger.operate(&dispute).ok();
    ledger.operate(&["account", "open", "rail", "--currency", "USD", "--kind", "clearing"]).ok();
    let pay = |arguments: &[&str]| ledger.json(&[&["pay"], arguments, &["--key", "service.key"]].concat());
    let initiate = |more: &[&str]| {
        let parties = ["initiate", "--debtor", "alice", "--creditor", "shop", "--amount", "50.00 USD"];
        pay(&[&parties[..], more].concat()).ok()["payment_id"].as_str().unwrap().to_owned()
    };
    let status = |id: &str| ledger.json(&["payment", "show", id]).ok()["status"].as_str().unwrap().to_owned();

    let turned_down = initiate(&[]);
    pay(&["reject", &turned_down, "--reason", "LIMIT"]).ok();
    assert_eq!(status(&turned_down), "REJECTED");

    let settled = initiate(&["--clearing-account", "rail"]);
    pay(&["authorize", &settled, "--amount", "40.00 USD"]).ok();
    pay(&["increase", &settled, "--amount", "15.00 USD"]).ok();
    pay(&["reduce", &settled, "--amount", "5.00 USD"]).ok();
    assert_eq!(ledger.json(&["payment", "show", &settled]).ok()["held"], "50.00 USD");
    let euros = pay(&["increase", &settled, "--amount", "5.00 EUR"]);
    assert_eq!(euros.code, 1, "{euros:?}");
    let captured = pay(&["capture", &settled, "--amount", "50.00 USD", "--final"]).ok();
    assert_eq!(status(&settled), "CAPTURED");
    pay(&["settle", &settled, "--amount", "50.00 USD", "--settlement-ref", "FILE 7"]).ok();
    assert_eq!(status(&settled), "SETTLED");
    pay(&["chargeback", "open", &settled, "--amount", "20.00 USD", "--reason", "NOT RECEIVED"]).ok();
    assert_eq!(status(&settled), "DISPUTED");
    pay(&["chargeback", "resolve", &settled, "--amount", "20.00 USD", "--result", "won"]).ok();
    assert_eq!(status(&settled), "SETTLED");

    let refunded = pay(&["refund", &settled, "--amount", "10.00 USD", "--reason", "RETURNED"]).ok();
    assert_eq!(status(&settled), "PARTIALLY_REFUNDED");
    let reverse = |event: &serde_json::Value| {
        ledger.operate(&["pay", "reverse", event["event_id"].as_str().unwrap(), "--reason", "MISTAKE"])
    };
    reverse(&refunded).ok();
    assert_eq!(status(&settled), "SETTLED");
    let broken = reverse(&captured);
    assert_eq!((broken.code, broken.json()["answer"].as_str()), (2, Some("REVERSAL_BREAKS_PAYMENT")));
    let moved =
        ledger.operate(&["transfer", "--from", "outside", "--to", "alice", "--amount", "1.00 USD"]).ok();
    reverse(&moved).ok();

    let posted = |account: &str, field: &str| ledger.json(&["account", "show", account]).ok()[field].clone();
    assert_eq!(posted("alice", "posted"), "150.00 USD");
    ledger.operate(&["account", "limit", "alice", "25.00 USD"]).ok();
    assert_eq!(posted("alice", "available"), "175.00 USD");
    ledger.operate(&["period", "close", "2020-12-31"]).ok();
    let again = ledger.operate(&["period", "close", "2020-12-31"]);
    assert_eq!((again.code, again.json()["answer"].as_str()), (2, Some("PERIOD_NOT_OVER")));
    let late = ["transfer", "--from", "outside", "--to", "alice", "--amount", "1.00 USD"];
    let late = ledger.operate(&[&late[..], &["--effective-date", "2020-12-31"]].concat());
    assert_eq!((late.code, late.json()["answer"].as_str()), (2, Some("PERIOD_CLOSED")));
}
