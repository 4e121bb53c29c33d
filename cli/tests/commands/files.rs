//! What `init` and `key` write, and that they overwrite nothing.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::support::ledger;

const WRITTEN: [&str; 8] =
    ["genesis", "head", "ledger-id", "log.key", "log.vkey", "marker", "operator.key", "operator.pub"];

#[test]
fn init_writes_keys_genesis_and_data_and_never_over_them() {
    let folder = tempfile::tempdir().unwrap();
    let dir = folder.path().join("d");
    let made = ledger(&["init", dir.to_str().unwrap(), "--origin", "test.example/one", "--json"]);
    assert!(made.err.contains("one operator key alone"), "{made:?}");
    let made = made.ok();
    assert_eq!(made["operator_threshold"], "1");
    assert_eq!(made["currencies"], "170");
    assert_eq!(made["origin"], "test.example/one");
    assert_eq!(read(&dir, "ledger-id"), format!("{}\n", made["ledger_id"].as_str().unwrap()));
    assert_eq!(read(&dir, "log.vkey"), format!("{}\n", made["log_key"].as_str().unwrap()));
    for (name, mode) in [("log.key", 0o600), ("operator.key", 0o600), ("operator.pub", 0o644)] {
        assert_eq!(fs::metadata(dir.join(name)).unwrap().permissions().mode() & 0o777, mode, "{name}");
    }
    let entry = fs::read(dir.join("genesis")).unwrap();
    let leaf = ledger_crypto::sha256(&[&[0][..], &entry].concat());
    assert_eq!(made["ledger_id"], hex::encode(leaf), "the ledger id is the leaf hash of entry 0");

    let before = contents(&dir);
    for name in WRITTEN {
        let again = ledger(&["init", dir.to_str().unwrap()]);
        assert_eq!(again.code, 1, "{again:?}");
        assert_eq!(contents(&dir), before, "{name}");
    }
    for name in WRITTEN {
        let other = folder.path().join(name);
        fs::create_dir(&other).unwrap();
        fs::write(other.join(name), b"mine").unwrap();
        assert_eq!(ledger(&["init", other.to_str().unwrap()]).code, 1, "{name}");
        assert_eq!(contents(&other), BTreeMap::from([(name.to_owned(), b"mine".to_vec())]));
    }
}

#[test]
fn init_takes_operators_currencies_and_a_threshold() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    for name in ["a", "b"] {
        assert_eq!(ledger(&["key", "new", &path(name)]).code, 0);
    }
    let (a, b, dir) = (path("a.pub"), path("b.pub"), path("d"));
    let operators = ["--operator-key", &a, "--operator-key", &b];
    let too_many = ledger(&[&["init", &dir, "--threshold", "3"], &operators[..]].concat());
    assert_eq!(too_many.code, 1);
    assert!(too_many.err.contains("at most the number of operator keys, 2"), "{too_many:?}");
    for wrong in [
        ["--origin", "with space"],
        ["--origin", "ledger.example/é"],
        ["--origin", &"o".repeat(65)],
        ["--operator-party", ""],
        ["--operator-party", &"p".repeat(36)],
        ["--currency", "XAU"],
        ["--currency", "usd"],
        ["--threshold", "7"],
    ] {
        assert_eq!(ledger(&[&["init", &dir], &wrong[..]].concat()).code, 1, "{wrong:?}");
        assert!(!Path::new(&dir).exists(), "{wrong:?}");
    }
    let flags = ["--threshold", "2", "--currency", "USD", "--currency", "JPY", "--json"];
    let made = ledger(&[&["init", &dir], &operators[..], &flags[..]].concat());
    assert!(!made.err.contains("warning"), "{made:?}");
    let made = made.ok();
    assert_eq!((&made["operator_threshold"], &made["currencies"]), (&"2".into(), &"2".into()));
    assert_eq!(made["operators"].as_str().unwrap().split(' ').count(), 2);
    assert!(!Path::new(&dir).join("operator.key").exists(), "operators were given");
}

#[test]
fn keys_are_those_of_openssl_and_for_their_owner_only() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let made = ledger(&["key", "new", &path("mine"), "--json"]).ok();
    let (private, public) = (path("mine.key"), path("mine.pub"));
    let derived = Command::new("openssl").args(["pkey", "-in", &private, "-pubout"]).output().unwrap();
    assert_eq!(String::from_utf8(derived.stdout).unwrap(), fs::read_to_string(&public).unwrap());
    for file in [&private, &public] {
        assert_eq!(ledger(&["key", "show", file]).out.trim(), made["key"]);
    }
    let before = contents(folder.path());
    assert_eq!(ledger(&["key", "new", &path("mine")]).code, 1);
    assert_eq!(contents(folder.path()), before);
    fs::set_permissions(&private, fs::Permissions::from_mode(0o640)).unwrap();
    let open = ledger(&["key", "show", &private]);
    assert_eq!(open.code, 1);
    assert!(open.err.contains("0600"), "{open:?}");
}

fn read(dir: &Path, name: &str) -> String {
    fs::read_to_string(dir.join(name)).unwrap()
}

/// Names and bytes of the files in a folder, the database aside.
fn contents(dir: &Path) -> BTreeMap<String, Vec<u8>> {
    let files = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    let files = files.filter(|path| path.is_file());
    files
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), fs::read(&path).unwrap()))
        .collect()
}
