//! The log key changes under a running server, step by step as docs/operating/server.md says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use crate::support::{Answer, Ledger, program, run};

#[test]
fn the_log_key_changes_under_a_running_server() {
    let mut ledger = Ledger::start();
    ledger.open_books();
    let old_vkey = fs::read_to_string(ledger.path("data/log.vkey")).unwrap().trim_end().to_owned();

    ledger.json(&["key", "new", &ledger.path("next")]).ok();
    let next = ledger.path("data/log.key.next");
    fs::rename(ledger.path("next.key"), &next).unwrap();
    assert_no_key_at_hand(&rotate(&ledger), "before the server was told");
    // A key that others may read is no key: the server says so in its log, goes on, and takes the mended one.
    fs::set_permissions(&next, fs::Permissions::from_mode(0o644)).unwrap();
    ledger.hang_up();
    transfer(&ledger);
    fs::set_permissions(&next, fs::Permissions::from_mode(0o600)).unwrap();
    assert_no_key_at_hand(&rotate(&ledger), "others could read it");
    ledger.hang_up();
    let rotated = rotated_soon(&ledger);
    let id = rotated.json()["event_id"].as_str().unwrap().to_owned();

    // Both lines stand under the checkpoint: who pinned the old key goes on.
    ledger.run(&["receipt", &id, "--out", "rotation.tlog-proof"]);
    let new_vkey = ledger.json(&["status"]).ok()["log_key"].as_str().unwrap().to_owned();
    assert_ne!(new_vkey, old_vkey);
    ledger.json(&["export", "--out", "both"]).ok();
    for vkey in [&old_vkey, &new_vkey] {
        let verified = verify(&ledger, "both", vkey, &[]);
        assert_eq!(verified.code, 0, "{vkey}: {verified:?}");
    }

    // Without the key in force it does not start, and says which one it wants.
    ledger.stop();
    fs::rename(&next, ledger.path("aside.key")).unwrap();
    let refused = run(&program("ledger-server"), &["--dir", &ledger.path("data"), "--listen", "127.0.0.1:0"]);
    assert_eq!(refused.code, 1, "{refused:?}");
    let wanted = ledger.path("next.pub");
    let shown = crate::support::ledger(&["--json", "key", "show", &wanted]).ok();
    assert!(refused.err.contains(shown["key"].as_str().unwrap()), "{refused:?}");

    // With the new key alone its line stands alone, and the old key wants the receipt of the rotation.
    fs::rename(ledger.path("data/log.key"), ledger.path("old.key")).unwrap();
    fs::rename(ledger.path("aside.key"), ledger.path("data/log.key")).unwrap();
    ledger.serve("data");
    fs::write(ledger.path("data/log.vkey"), format!("{new_vkey}\n")).unwrap();
    let last = transfer(&ledger);
    assert_eq!(ledger.json(&["receipt", &last, "--out", "last.tlog-proof"]).code, 0);
    ledger.json(&["export", "--out", "alone"]).ok();
    assert_eq!(verify(&ledger, "alone", &old_vkey, &[]).code, 5);
    let rotation = ledger.path("rotation.tlog-proof");
    let followed = verify(&ledger, "alone", &old_vkey, &["--rotation", &rotation]);
    assert_eq!(followed.code, 0, "{followed:?}");
    let other = ledger.path("last.tlog-proof");
    assert_eq!(verify(&ledger, "alone", &old_vkey, &["--rotation", &other]).code, 5, "no rotation");
    assert_eq!(verify(&ledger, "alone", &new_vkey, &[]).code, 0);
}

fn rotate(ledger: &Ledger) -> Answer {
    let (new, old) = (ledger.path("data/log.key.next"), ledger.path("data/log.key"));
    ledger.operate(&["key", "rotate-log", &new, "--old-log-key", &old])
}

/// A signal is taken some time after it was sent.
fn rotated_soon(ledger: &Ledger) -> Answer {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let rotated = rotate(ledger);
        if rotated.code == 0 {
            return rotated;
        }
        assert_no_key_at_hand(&rotated, "until the signal is taken");
        assert!(Instant::now() < end, "the server did not take the key");
        std::thread::sleep(Duration::from_millis(20));
    }
}

fn assert_no_key_at_hand(answer: &Answer, when: &str) {
    let told = answer.json();
    assert_eq!(
        (answer.code, told["code"].as_str(), told["field"].as_str()),
        (2, Some("603"), Some("new_key")),
        "{when}: {told}"
    );
}

/// Moves a cent; the id of the event.
fn transfer(ledger: &Ledger) -> String {
    let moved = ledger.operate(&["transfer", "--from", "alice", "--to", "shop", "--amount", "0.01 USD"]).ok();
    moved["event_id"].as_str().unwrap().to_owned()
}

fn verify(ledger: &Ledger, export: &str, vkey: &str, more: &[&str]) -> Answer {
    let id = fs::read_to_string(ledger.path("data/ledger-id")).unwrap();
    let export = ledger.path(export);
    let arguments = ["archive", "--json", &export, "--key", vkey, "--ledger-id", id.trim_end()];
    run(&program("ledger-verify"), &[&arguments[..], more].concat())
}
