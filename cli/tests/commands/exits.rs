//! Exit codes: 0 done, 1 usage, 2 refused, 3 conflict, 4 unavailable, 5 verification failed.

use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use crate::support::{Ledger, ledger};

#[test]
fn usage_is_1_and_help_is_0() {
    assert_eq!(ledger(&["--help"]).code, 0);
    assert_eq!(ledger(&["--version"]).code, 0);
    assert_eq!(ledger(&["demo", "--help"]).code, 0);
    let key = ["--key", "nobody.key"];
    for arguments in [
        &["frobnicate"][..],
        &[],
        &["transfer", "--from", "a", "--to", "b", "--amount", "1.00 USD"],
        &["payment", "show", "not-a-uuid"],
        &["event", "show", "01A1FF14-250C-78F0-BE46-5C8A5907588B"],
        &["--server", "nowhere", "status"],
    ] {
        assert_eq!(ledger(arguments).code, 1, "{arguments:?}");
    }
    for amount in [
        "5.0 USD",
        "5 USD",
        "5.00",
        "+5.00 USD",
        "5.000 USD",
        "1e2 JPY",
        "5.00 XAU",
        "10000000000000000.00 USD",
    ] {
        let transfer = ["transfer", "--from", "a", "--to", "b", "--amount", amount];
        assert_eq!(ledger(&[&transfer[..], &key[..]].concat()).code, 1, "{amount}");
    }
}

#[test]
fn a_server_that_is_not_there_is_4() {
    // Port 1 of the loopback interface: nobody listens there.
    let away = ["--server", "http://127.0.0.1:1", "--wait", "0"];
    for command in [&["status"][..], &["trial-balance"], &["account", "show", "alice"]] {
        let answer = ledger(&[&away[..], command].concat());
        assert_eq!(answer.code, 4, "{answer:?}");
        assert_eq!(answer.out, "");
    }
}

#[test]
fn an_event_without_an_answer_is_kept_and_pays_once() {
    let ledger = Ledger::start();
    ledger.open_books();
    let deaf = Deaf::before(&ledger.url());
    let transfer = ["transfer", "--from", "alice", "--to", "shop", "--amount", "20.00 USD"];
    let transfer = [&["--server", &deaf.url, "--wait", "0"], &transfer[..]].concat();
    let unanswered = std::thread::scope(|scope| {
        let sent = scope.spawn(|| ledger.operate(&transfer));
        let end = Instant::now() + Duration::from_secs(60);
        while account(&ledger, "shop") != "20.00 USD" {
            assert!(Instant::now() < end && !sent.is_finished(), "nothing is recorded");
        }
        deaf.close();
        sent.join().unwrap()
    });
    assert_eq!(unanswered.code, 4, "{unanswered:?}");
    let error: serde_json::Value = serde_json::from_str(&unanswered.err).unwrap();
    let words = error["error"].as_str().unwrap();
    let file = words.rsplit(' ').next().unwrap();
    assert!(
        words.ends_with(&format!("ledger event submit {file}")) && file.ends_with(".dsse.json"),
        "{words}"
    );
    let again = ledger.json(&["event", "submit", file]).ok();
    assert_eq!(again["answer"], "ALREADY_EXISTS");
    assert_eq!(again["event_id"].as_str(), file.strip_suffix(".dsse.json"));
    assert_eq!(account(&ledger, "shop"), "20.00 USD");
}

fn account(ledger: &Ledger, account: &str) -> serde_json::Value {
    ledger.json(&["account", "show", account]).ok()["posted"].clone()
}

/// A way to a server on which answers are lost: what a client sends arrives, what the server says does not.
struct Deaf {
    url: String,
    connections: Arc<Mutex<Vec<TcpStream>>>,
}

impl Deaf {
    fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let server = server.trim_start_matches("http://").to_owned();
        let connections = Arc::new(Mutex::new(Vec::new()));
        let held = Arc::clone(&connections);
        std::thread::spawn(move || {
            for client in listener.incoming() {
                let (mut from, mut to) = (client.unwrap(), TcpStream::connect(&server).unwrap());
                held.lock().unwrap().extend([from.try_clone().unwrap(), to.try_clone().unwrap()]);
                std::thread::spawn(move || std::io::copy(&mut from, &mut to));
            }
        });
        Self { url, connections }
    }

    /// Ends all connections.
    fn close(&self) {
        for connection in self.connections.lock().unwrap().iter() {
            let _ = connection.shutdown(Shutdown::Both);
        }
    }
}

#[test]
fn answers_of_a_server_are_0_2_or_3() {
    let ledger = Ledger::start();
    ledger.open_books();
    let unknown = ledger.json(&["account", "show", "nobody"]);
    let error: serde_json::Value = serde_json::from_str(&unknown.err).unwrap();
    assert_eq!((unknown.code, error["exit"].as_u64()), (2, Some(2)));
    assert!(error["error"].as_str().unwrap().contains("nobody"), "{error}");
    assert_eq!(ledger.json(&["event", "show", "01a1ff14-250c-78f0-be46-5c8a5907588b"]).code, 2);
    assert_eq!(ledger.json(&["event", "show", "--log-index", "999999"]).code, 2);

    let taken = ledger.operate(&["account", "open", "alice", "--currency", "USD"]);
    assert_eq!(taken.code, 3);
    let answer = taken.json();
    assert_eq!((&answer["answer"], &answer["code"]), (&"ACCOUNT_ALREADY_EXISTS".into(), &"708".into()));
    assert!(answer["log_index"].is_string(), "a refusal of group 7 stands in the log");

    let poor = ledger.operate(&["transfer", "--from", "alice", "--to", "shop", "--amount", "200.01 USD"]);
    assert_eq!(poor.code, 2);
    let answer = poor.json();
    assert_eq!((&answer["answer"], &answer["value"]), (&"INSUFFICIENT_FUNDS".into(), &"alice".into()));

    ledger.json(&["key", "new", "stranger"]).ok();
    let transfer = ["transfer", "--from", "alice", "--to", "shop", "--amount", "1.00 USD"];
    let unknown = ledger.json(&[&transfer[..], &["--key", "stranger.key"]].concat());
    assert_eq!((unknown.code, unknown.json()["answer"].as_str()), (2, Some("SIGNER_KEY_UNKNOWN")));
    assert!(unknown.json()["log_index"].is_null(), "nothing is recorded");

    let twice = ledger.operate(&["key", "register", "service.key", "--party", "x", "--roles", "owner"]);
    assert_eq!((twice.code, twice.json()["answer"].as_str()), (3, Some("KEY_ALREADY_REGISTERED")));
    let referenced = [&transfer[..], &["--external-ref", "invoice 7"]].concat();
    ledger.operate(&referenced).ok();
    let doubled = ledger.operate(&referenced);
    assert_eq!((doubled.code, doubled.json()["answer"].as_str()), (3, Some("DUPLICATE_EXTERNAL_REF")));

    ledger.operate(&["key", "revoke", "service.pub", "--reason", "LOST"]).ok();
    let revoked = ledger.json(&[&transfer[..], &["--key", "service.key"]].concat());
    assert_eq!((revoked.code, revoked.json()["answer"].as_str()), (2, Some("SIGNER_KEY_REVOKED")));
}

#[test]
fn an_envelope_is_signed_by_all_and_submitted_again_and_again() {
    let ledger = Ledger::start();
    ledger.open_books();
    let operator = ledger.operator();
    let signers = ["--signer", &operator, "--signer", "service.pub"];
    let draft = |file, amount| {
        let transfer = ["transfer", "--from", "alice", "--to", "shop", "--amount", amount];
        ledger.json(&[&["event", "create", "--out", file], &signers[..], &transfer[..]].concat())
    };
    draft("good.json", "1.00 USD").ok();
    assert_eq!(draft("good.json", "2.00 USD").code, 1, "an envelope is never overwritten by another");
    ledger.json(&["event", "sign", "good.json", "--key", "service.key"]).ok();
    let half = ledger.json(&["event", "submit", "good.json"]);
    assert_eq!((half.code, half.json()["answer"].as_str()), (2, Some("SIGNERS_MISMATCH")));
    ledger.json(&["key", "new", "stranger"]).ok();
    assert_eq!(ledger.json(&["event", "sign", "good.json", "--key", "stranger.key"]).code, 1);
    let signed = ledger.json(&["event", "sign", "good.json", "--key", &operator]).ok();
    assert_eq!((&signed["signatures"], &signed["missing"]), (&"2".into(), &"0".into()));
    let first = ledger.json(&["event", "submit", "good.json"]).ok();
    let second = ledger.json(&["event", "submit", "good.json"]).ok();
    assert_eq!((&first["answer"], &second["answer"]), (&"ACCEPTED".into(), &"ALREADY_EXISTS".into()));
    assert_eq!(first["log_index"], second["log_index"]);

    draft("poor.json", "900.00 USD").ok();
    ledger.json(&["event", "sign", "poor.json", "--key", "service.key", "--key", &operator]).ok();
    assert_eq!(ledger.json(&["event", "submit", "poor.json"]).code, 2);
    let again = ledger.json(&["event", "submit", "poor.json"]);
    assert_eq!(again.code, 3);
    assert_eq!(again.json()["answer"], "EVENT_ALREADY_REFUSED(INSUFFICIENT_FUNDS)");
    let both = ledger.json(&["event", "submit", "good.json", "poor.json"]);
    assert_eq!(both.code, 3, "of several events the highest");
    assert_eq!(both.json().as_array().unwrap().len(), 2);
}
