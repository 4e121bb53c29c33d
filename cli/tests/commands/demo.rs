//! The demonstration, small.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::support::{ledger, program, run};

#[test]
fn the_demonstration_ends_with_its_table_and_keeps_its_folder() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kept");
    let dir = dir.to_str().unwrap();
    let answer = ledger(&["demo", "--events", "1200", "--accounts", "60", "--dir", dir, "--json"]);
    let report = answer.ok();
    assert_eq!((&report["submitted"], &report["accepted"]), (&"1204".into(), &"1200".into()));
    assert_eq!(report["found_after_kill"], "1200");
    let refused: Vec<&str> =
        report["refused"].as_array().unwrap().iter().map(|one| one["answer"].as_str().unwrap()).collect();
    let expected =
        ["INSUFFICIENT_FUNDS", "SIGNER_NOT_ACCOUNT_OWNER", "SIGNER_KEY_UNKNOWN", "SIGNATURE_INVALID"];
    assert_eq!(refused, expected);
    assert_eq!(report["trial_balance"].as_array().unwrap().len(), 3);
    for total in report["trial_balance"].as_array().unwrap() {
        assert_eq!(total["posted_debits"], total["posted_credits"]);
    }
    assert_eq!(report["verdict"]["verdict"], "valid");
    assert_eq!(report["tampered"]["verdict"], "invalid");
    assert!(report["tampered"]["finding"]["words"].is_string());

    let file = |name: &str| Path::new(dir).join(name);
    let id = std::fs::read_to_string(file("ledger-id")).unwrap();
    let (export, vkey) = (file("export"), file("log.vkey"));
    let arguments =
        ["archive", export.to_str().unwrap(), "--key", vkey.to_str().unwrap(), "--ledger-id", id.trim()];
    assert_eq!(run(&program("ledger-verify"), &arguments).code, 0, "the kept export is the unchanged one");
    assert!(file("data/db").is_dir());
    assert_eq!(ledger(&["demo", "--events", "12", "--dir", dir]).code, 1, "nothing is overwritten");
}

#[test]
fn an_interrupted_demonstration_leaves_no_server_behind() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("kept");
    let ready = dir.join("data/ready");
    let mut demo = Command::new(env!("CARGO_BIN_EXE_ledger"))
        .args(["demo", "--events", "1000000", "--json", "--dir"])
        .arg(&dir)
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let end = Instant::now() + Duration::from_secs(60);
    let line = loop {
        if let Ok(line) = std::fs::read_to_string(&ready) {
            break line;
        }
        assert!(Instant::now() < end && demo.try_wait().unwrap().is_none(), "no server was started");
        std::thread::yield_now();
    };
    assert!(Command::new("kill").args(["-TERM", &demo.id().to_string()]).status().unwrap().success());
    assert_eq!(demo.wait().unwrap().code(), Some(5));
    let address = line.split_whitespace().find_map(|word| word.strip_prefix("grpc=")).unwrap();
    while std::net::TcpStream::connect(address).is_ok() {
        assert!(Instant::now() < end, "the server still answers at {address}");
        std::thread::yield_now();
    }
}
