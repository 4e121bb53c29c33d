//! Logs and receipts of a second implementation.

use std::fs;

use base64::engine::{Engine, general_purpose::STANDARD};
use ledger_core::replay::{Halt, ReadEntry, Replay};
use ledger_verify::{Checks, Trust, Verdict, check_receipt};
use serde_json::Value;

use crate::forge::files_under;
use crate::judge::check;

#[test]
fn the_log_of_known_rules_is_valid() {
    let Some(log) = load("spine") else { return };
    let files = files_under(&entries(&log), text(&log["checkpoint"]).to_owned());
    for checks in [Checks::Full, Checks::HashesOnly] {
        let report = check(&files, &trust(&log), checks);
        assert_eq!(report.verdict, Verdict::Valid, "{report}");
        assert_eq!((report.size, report.height), (Some(167), Some(8)));
    }
}

#[test]
fn every_prefix_of_the_log_replays() {
    let Some(log) = load("spine") else { return };
    let mut replay = Replay::new(trust(&log).ledger_id);
    let mut seals = 0;
    for (entry, bytes) in log["entries"].as_array().unwrap().iter().zip(entries(&log)) {
        let read = ReadEntry::read(&bytes, |_| None);
        assert_eq!(hex::encode(read.leaf_hash()), text(&entry["leaf_hash"]));
        replay.push(read, None).unwrap();
        let sealed = replay.sealed().map(|height| height.0);
        assert_eq!(sealed, (entry["kind"] == "seal").then_some(seals), "entry {}", replay.size() - 1);
        seals += u64::from(sealed.is_some());
    }
    assert_eq!((replay.size(), seals), (167, 9));
}

#[test]
fn the_other_logs_are_valid() {
    for name in ["small-ledger", "worked-example", "every-refusal"] {
        let Some(log) = load(name) else { return };
        let files = files_under(&entries(&log), text(&log["checkpoint"]).to_owned());
        for checks in [Checks::Full, Checks::HashesOnly] {
            let report = check(&files, &trust(&log), checks);
            assert_eq!(report.verdict, Verdict::Valid, "{name}: {report}");
        }
    }
}

#[test]
fn an_entry_at_the_end_of_time_is_judged_without_a_panic() {
    let Some(log) = load("spine") else { return };
    let mut stopped = 0;
    for (index, bytes) in entries(&log).iter().enumerate().skip(1) {
        let mut replay = Replay::new(trust(&log).ledger_id);
        for before in &entries(&log)[..index] {
            replay.push(ReadEntry::read(before, |_| None), None).unwrap();
        }
        let mut late = bytes.clone();
        late[2..10].copy_from_slice(&[0xff; 8]);
        let result = replay.push(ReadEntry::read(&late, |_| None), None);
        if let Err(Halt::Wrong(finding)) = &result {
            assert!(
                ["recorded_at_nanos", "expiry", "admission", "outcome"].contains(&finding.field.as_str())
            );
            stopped += 1;
        }
    }
    assert!(stopped > 0);
}

#[test]
fn the_receipts_are_valid_and_their_twins_are_not() {
    let (Some(receipts), Some(log)) = (load("receipts"), load("small-ledger")) else { return };
    let trust = trust(&log);
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("receipt");
    for name in ["event", "batch_member"] {
        let proof = text(&receipts[name]["tlog_proof"]);
        fs::write(&file, proof).unwrap();
        let report = check_receipt(&file, &trust);
        assert_eq!(report.verdict, Verdict::Valid, "{name}: {report}");
        assert_eq!(report.size, Some(55));
        for (at, _) in proof.char_indices() {
            let mut twin = proof.as_bytes().to_vec();
            twin[at] ^= 1;
            fs::write(&file, twin).unwrap();
            let report = check_receipt(&file, &trust);
            let expected =
                if time_of_header(name, proof).contains(&at) { report.verdict } else { Verdict::Invalid };
            assert_eq!(report.verdict, expected, "{name}, byte {at}: {report}");
        }
        fs::write(&file, proof).unwrap();
        let other = Trust { ledger_id: [1; 32], key: trust.key.clone() };
        assert_eq!(check_receipt(&file, &other).verdict, Verdict::Invalid, "{name}: another ledger");
    }
}

/// Where in a proof the `recorded_at` of a batch's header stands: of a member's receipt the only thing that neither the
/// path nor a signature covers.
fn time_of_header(name: &str, proof: &str) -> std::ops::Range<usize> {
    if name != "batch_member" {
        return 0..0;
    }
    let start = proof.find("extra ").unwrap() + "extra ".len();
    let encoded = proof[start..].lines().next().unwrap();
    let extra = STANDARD.decode(encoded).unwrap();
    let header = 4 + u32::from_be_bytes(extra[..4].try_into().unwrap()) as usize + 4;
    let symbol = |byte: usize| start + byte / 3 * 4;
    symbol(header + 2)..symbol(header + 10) + 4
}

/// A golden file; `None`, said aloud, where the data is not at hand. With CI set that is a failure.
fn load(name: &str) -> Option<Value> {
    let path = format!("{}/../../shared/data/golden/{name}.json", env!("CARGO_MANIFEST_DIR"));
    match fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{path}: {error}"),
        Err(error) => {
            println!("skipped: {path}: {error}");
            None
        }
    }
}

fn entries(log: &Value) -> Vec<Vec<u8>> {
    let listed = log["entries"].as_array().unwrap();
    listed.iter().map(|entry| hex::decode(text(&entry["entry"])).unwrap()).collect()
}

fn trust(log: &Value) -> Trust {
    Trust::parse(text(&log["vkey"]), text(&log["ledger_id"])).unwrap()
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}
