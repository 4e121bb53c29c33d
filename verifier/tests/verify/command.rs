//! The program itself: verdict, exit code, JSON.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::forge::{Forge, files_under, note_of, receipt_of, write};

#[test]
fn a_valid_export_exits_0_in_words_and_in_json() {
    let (forge, dir) = exported();
    let output = archive(dir.path(), &forge, &[]);
    assert_eq!(output.status.code(), Some(0));
    let words = String::from_utf8(output.stdout).unwrap();
    assert!(words.starts_with("valid: 10 entries in 2 blocks"), "{words}");
    assert!(output.stderr.is_empty(), "no bar where there is no terminal");

    let json = json_of(&archive(dir.path(), &forge, &["--json"]), 0);
    assert_eq!(json, serde_json::json!({ "verdict": "valid", "size": "10", "height": "1", "finding": null }));
    let json = json_of(&archive(dir.path(), &forge, &["--json", "--hashes-only", "--threads", "1"]), 0);
    assert_eq!(json["verdict"], "valid");
}

#[test]
fn a_wrong_export_exits_5_and_names_the_finding() {
    let (forge, dir) = exported();
    let bundle = dir.path().join("tile/entries/000.p/10");
    let mut bytes = fs::read(&bundle).unwrap();
    *bytes.last_mut().unwrap() ^= 1;
    fs::write(bundle, bytes).unwrap();
    let json = json_of(&archive(dir.path(), &forge, &["--json"]), 5);
    assert_eq!(json["verdict"], "invalid");
    assert_eq!(json["size"], "10");
    assert_eq!(json["height"], Value::Null);
    let finding = json["finding"].as_object().unwrap();
    assert_eq!(finding["log_index"], "9");
    assert_eq!(finding["file"], "tile/entries/000.p/10");
    assert_eq!(finding["field"], "leaf_hash");
    let names: Vec<_> = finding.keys().map(String::as_str).collect();
    assert_eq!(names, ["expected", "field", "file", "found", "height", "log_index", "words"]);
}

#[test]
fn what_is_wrong_on_the_command_line_exits_1() {
    let (forge, dir) = exported();
    let trust = forge.trust();
    let (key, id) = (trust.key.to_string(), hex::encode(trust.ledger_id));
    // The identity element: any signature of a small-order key "holds".
    let weak = "ledger.example/forged+00000000+AQEAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";
    for (key, id, field) in [
        ("", id.as_str(), "key"),
        ("ledger.example/forged", &id, "key"),
        (weak, &id, "key"),
        (&key, "", "ledger_id"),
        (&key, &id[1..], "ledger_id"),
    ] {
        let output = verify(&["archive", path(dir.path()), "--key", key, "--ledger-id", id, "--json"]);
        let json = json_of(&output, 1);
        assert_eq!(json["verdict"], "could not check");
        assert_eq!(json["finding"]["field"], field, "{key} {id}");
        assert_eq!(json["finding"]["log_index"], Value::Null);
    }
    for args in [&["archive"][..], &["unknown"], &["archive", ".", "--key", &key], &[]] {
        assert_eq!(verify(args).status.code(), Some(1), "{args:?}");
    }
    assert_eq!(verify(&["--help"]).status.code(), Some(0));
    let missing = archive(&dir.path().join("nowhere"), &forge, &["--json"]);
    assert_eq!(json_of(&missing, 1)["verdict"], "could not check");
}

#[test]
fn another_key_or_ledger_is_refused_with_5() {
    let (forge, dir) = exported();
    let other = ledger_crypto::SigningKey::from_seed([9; 32]).public();
    let key = ledger_crypto::note::VerifierKey::new(crate::forge::ORIGIN, &other).unwrap().to_string();
    let id = hex::encode(forge.trust().ledger_id);
    let output = verify(&["archive", path(dir.path()), "--key", &key, "--ledger-id", &id, "--json"]);
    assert_eq!(json_of(&output, 5)["finding"]["file"], "checkpoint");

    let key = forge.trust().key.to_string();
    let id = "ab".repeat(32);
    let output = verify(&["archive", path(dir.path()), "--key", &key, "--ledger-id", &id, "--json"]);
    let json = json_of(&output, 5);
    assert_eq!(json["finding"]["file"], "genesis");
    assert_eq!(json["finding"]["field"], "ledger_id");
}

/// The export brings a file along whose path is the auditor's key, and in it the key of whoever forged the export.
#[test]
fn a_file_named_like_the_key_is_not_the_key() {
    let (forge, dir) = exported();
    let other = ledger_crypto::SigningKey::from_seed([9; 32]);
    write(&crate::forge::files_of_log(&forge.entries, &other), dir.path());
    let trust = forge.trust();
    let theirs = ledger_crypto::note::VerifierKey::new(crate::forge::ORIGIN, &other.public()).unwrap();
    let decoy = dir.path().join(trust.key.to_string());
    fs::create_dir_all(decoy.parent().unwrap()).unwrap();
    fs::write(decoy, theirs.to_string()).unwrap();
    let output = Command::new(env!("CARGO_BIN_EXE_ledger-verify"))
        .current_dir(dir.path())
        .args(["archive", ".", "--json", "--hashes-only", "--key", &trust.key.to_string()])
        .args(["--ledger-id", &hex::encode(trust.ledger_id)])
        .output()
        .unwrap();
    let json = json_of(&output, 5);
    assert_eq!(
        (&json["finding"]["file"], &json["finding"]["field"]),
        (&"checkpoint".into(), &"signature".into())
    );
}

#[test]
fn a_receipt_is_checked_with_the_key_in_a_file() {
    let (forge, dir) = exported();
    let checkpoint = fs::read_to_string(dir.path().join("checkpoint")).unwrap();
    let receipt = |index: usize| receipt_of(&forge.entries, index, &checkpoint);
    let id = hex::encode(forge.trust().ledger_id);
    let key = dir.path().join("log.vkey");
    fs::write(&key, format!("{}\n", forge.trust().key)).unwrap();
    let file = dir.path().join("event.tlog-proof");
    let check_for =
        |id: &str| verify(&["receipt", path(&file), "--key", path(&key), "--ledger-id", id, "--json"]);
    let check = || check_for(&id);
    let another = "ab".repeat(32);
    // The last entry is a seal that is not the first: it names no ledger, and the answer says that.
    let last = forge.entries.len() - 1;
    for index in 0..last {
        fs::write(&file, receipt(index)).unwrap();
        let json = json_of(&check(), 0);
        assert_eq!((&json["size"], &json["finding"]), (&"10".into(), &Value::Null), "{index}");
        assert_eq!(json_of(&check_for(&another), 5)["finding"]["field"], "ledger_id", "{index}");
    }
    fs::write(&file, receipt(last)).unwrap();
    let json = json_of(&check_for(&another), 0);
    assert_eq!(
        (&json["finding"]["field"], &json["finding"]["expected"]),
        (&"ledger_id".into(), &another.into())
    );
    assert_eq!(json["finding"]["found"], "a seal, which names no ledger");
    fs::write(&file, receipt(7).replace("\nindex 7\n", "\nindex 8\n")).unwrap();
    assert_eq!(json_of(&check(), 5)["finding"]["field"], "path");
    fs::write(&file, "c2sp.org/tlog-proof@v1\n").unwrap();
    assert_eq!(json_of(&check(), 5)["finding"]["field"], "text");
    fs::remove_file(&file).unwrap();
    assert_eq!(json_of(&check(), 1)["verdict"], "could not check");
}

#[test]
fn an_auditor_follows_a_change_of_the_log_key() {
    let mut forge = Forge::with_accounts();
    let pinned = forge.trust().key.to_string();
    let next = ledger_crypto::SigningKey::from_seed([9; 32]);
    let index = forge.entries.len();
    let rotation = forge.rotation(&next);
    assert_eq!(forge.submit(vec![rotation]), [0]);
    forge.seal();
    let dir = tempfile::tempdir().unwrap();
    let (old, both, new) = (dir.path().join("old"), dir.path().join("both"), dir.path().join("new"));
    write(&forge.files(), &old);
    write(
        &files_under(&forge.entries, note_of(&forge.entries, &[next.clone(), forge.log_key.clone()])),
        &both,
    );
    let (proof, other) = (dir.path().join("rotation.tlog-proof"), dir.path().join("other.tlog-proof"));
    let checkpoint = fs::read_to_string(both.join("checkpoint")).unwrap();
    fs::write(&proof, receipt_of(&forge.entries, index, &checkpoint)).unwrap();
    fs::write(&other, receipt_of(&forge.entries, index - 2, &checkpoint)).unwrap();
    forge.log_key = next;
    write(&forge.files(), &new);

    let id = hex::encode(forge.trust().ledger_id);
    let check = |archive: &Path, more: &[&str]| {
        verify(&[&["archive", path(archive), "--key", &pinned, "--ledger-id", &id, "--json"], more].concat())
    };
    let field = |output: &Output| json_of(output, 5)["finding"]["field"].clone();
    let followed = ["--rotation", path(&proof)];
    assert_eq!(json_of(&check(&both, &[]), 0)["verdict"], "valid", "the old line is still there");
    assert_eq!(json_of(&check(&both, &followed), 0)["verdict"], "valid");
    assert_eq!(json_of(&check(&new, &followed), 0)["verdict"], "valid");
    assert_eq!(json_of(&check(&new, &[]), 5)["finding"]["file"], "checkpoint");
    assert_eq!(json_of(&check(&old, &[]), 5)["finding"]["file"], "checkpoint", "the new line is missing");
    assert_eq!(json_of(&check(&old, &followed), 5)["finding"]["file"], "checkpoint");
    assert_eq!(field(&check(&new, &["--rotation", path(&other)])), "entry");
    assert_eq!(field(&check(&new, &[followed, followed].concat())), "new_key", "followed already");
}

fn exported() -> (Forge, TempDir) {
    let forge = Forge::with_accounts();
    let dir = tempfile::tempdir().unwrap();
    write(&forge.files(), dir.path());
    (forge, dir)
}

fn archive(dir: &Path, forge: &Forge, more: &[&str]) -> Output {
    let (key, id) = (forge.trust().key.to_string(), hex::encode(forge.trust().ledger_id));
    let args = ["archive", path(dir), "--key", &key, "--ledger-id", &id];
    verify(&[&args, more].concat())
}

fn verify(args: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ledger-verify")).args(args).output().unwrap()
}

fn json_of(output: &Output, code: i32) -> Value {
    let text = String::from_utf8_lossy(&output.stdout);
    assert_eq!(output.status.code(), Some(code), "{text}");
    assert_eq!(text.lines().count(), 1, "{text}");
    serde_json::from_str(&text).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}
