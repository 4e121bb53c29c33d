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
    let rotated = until_the_key_is_at_hand(|| rotate(&ledger));
    let id = rotated.json()["event_id"].as_str().unwrap().to_owned();

    // Both lines stand under the checkpoint: who pinned the old key goes on.
    ledger.run(&["receipt", &id, "--out", "rotation.tlog-proof"]);
    let new_vkey = ledger.json(&["status"]).ok()["log_key"].as_str().unwrap().to_owned();
    assert_ne!(new_vkey, old_vkey);
    ledger.json(&["export", "--out", "both"]).ok();
    for vkey in [&old_vkey, &new_vkey] {
        let checked = verify(&ledger, "both", vkey, &[]);
        assert_eq!(checked.code, 0, "{checked:?}");
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

    // A client that pinned the old key follows it by the receipt, and goes on from what it knew.
    let last = transfer(&ledger);
    let rotation = ledger.path("rotation.tlog-proof");
    for command in
        [&["receipt", &last, "--out", "r.tlog-proof"][..], &["checkpoint"], &["export", "--out", "both"]]
    {
        assert_eq!(ledger.json(command).code, 5, "{command:?}");
        let followed = ledger.json(&[command, &["--rotation", &rotation]].concat());
        assert_eq!(followed.code, 0, "{followed:?}");
    }
    let remembered = || fs::read_dir(ledger.path("state")).unwrap().count();
    assert_eq!(remembered(), 2, "the checkpoint of one log, and the lock");
    assert_eq!(verify(&ledger, "both", &old_vkey, &["--rotation", &rotation]).code, 0);
    let again = ledger.json(&["checkpoint", "--rotation", &rotation, "--rotation", &rotation]);
    assert_eq!(again.code, 5, "{again:?}");
    assert!(again.err.contains("new_key"), "{again:?}");

    fs::write(ledger.path("data/log.vkey"), format!("{new_vkey}\n")).unwrap();
    let last = transfer(&ledger);
    assert_eq!(ledger.json(&["receipt", &last, "--out", "last.tlog-proof"]).code, 0);
    ledger.json(&["export", "--out", "alone"]).ok();
    assert_eq!(verify(&ledger, "alone", &old_vkey, &[]).code, 5);
    let followed = verify(&ledger, "alone", &old_vkey, &["--rotation", &rotation]);
    assert_eq!(followed.code, 0, "{followed:?}");
    let other = ledger.path("last.tlog-proof");
    assert_eq!(verify(&ledger, "alone", &old_vkey, &["--rotation", &other]).code, 5, "no rotation");
    assert_eq!(verify(&ledger, "alone", &new_vkey, &[]).code, 0);
}

#[test]
fn the_signers_of_a_rotation_need_not_meet() {
    let ledger = Ledger::start();
    ledger.open_books();
    ledger.json(&["key", "new", &ledger.path("next")]).ok();
    fs::copy(ledger.path("next.key"), ledger.path("data/log.key.next")).unwrap();
    ledger.hang_up();
    let vkey = fs::read_to_string(ledger.path("data/log.vkey")).unwrap();
    let old =
        ledger.json(&["key", "show", &ledger.path("data/log.key")]).ok()["key"].as_str().unwrap().to_owned();
    let signers = ["--signer", &ledger.path("data/operator.pub"), "--signer", &old, "--signer", "next.pub"];
    let create = ["event", "create", "--out", "rotation.json"];
    let create = [&create[..], &signers, &["key-rotate-log", "next.pub"]].concat();
    let id = ledger.json(&create).ok()["event_id"].as_str().unwrap().to_owned();
    for (file, missing) in [("data/operator.key", "2"), ("next.key", "1"), ("data/log.key", "0")] {
        let signed = ledger.json(&["event", "sign", "rotation.json", "--key", &ledger.path(file)]).ok();
        assert_eq!(signed["missing"], missing);
    }
    let submitted = until_the_key_is_at_hand(|| ledger.json(&["event", "submit", "rotation.json"])).json();
    assert_eq!(
        (submitted["answer"].as_str(), submitted["event_id"].as_str()),
        (Some("ACCEPTED"), Some(&*id))
    );
    let receipt = ledger.json(&["receipt", &id, "--out", "rotation.tlog-proof"]).ok();
    assert_eq!(receipt["outcome"], "ACCEPTED");
    assert_ne!(ledger.json(&["status"]).ok()["log_key"].as_str(), Some(vkey.trim_end()));
}

fn rotate(ledger: &Ledger) -> Answer {
    let (new, old) = (ledger.path("data/log.key.next"), ledger.path("data/log.key"));
    ledger.operate(&["key", "rotate-log", &new, "--old-log-key", &old])
}

/// A signal is taken some time after it was sent.
fn until_the_key_is_at_hand(rotate: impl Fn() -> Answer) -> Answer {
    let end = Instant::now() + Duration::from_secs(60);
    loop {
        let rotated = rotate();
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
