//! Proofs: receipts, exports, foreign checks of signatures, and logs that fork or shrink.

use std::fs;
use std::path::Path;
use std::process::Command;

use ledger_client::Client;
use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::{Content, Entry};
use ledger_core::export::read_bundle;
use ledger_core::genesis::Genesis;
use ledger_crypto::note::VerifierKey;

use crate::pipeline::cents;
use crate::support::{Answer, Ledger, program, run};

#[test]
fn receipts_and_exports_hold_offline() {
    let ledger = Ledger::start();
    ledger.open_books();
    let moved = ledger.operate(&["transfer", "--from", "alice", "--to", "shop", "--amount", "3.21 USD"]).ok();
    let id = moved["event_id"].as_str().unwrap();
    let receipt = ledger.json(&["receipt", id, "--out", "r.tlog-proof"]).ok();
    assert_eq!(receipt["log_index"], moved["log_index"]);
    assert_eq!(verify(&ledger, &["receipt", &ledger.path("r.tlog-proof")]).code, 0);

    assert_eq!(receipt["outcome"], "ACCEPTED");
    let refused = ["transfer", "--from", "alice", "--to", "shop", "--amount", "900.00 USD"];
    let refused = ledger.operate(&refused).json();
    let receipt =
        ledger.json(&["receipt", refused["event_id"].as_str().unwrap(), "--out", "paid.tlog-proof"]);
    assert_eq!((receipt.code, receipt.json()["outcome"].as_str()), (2, Some("INSUFFICIENT_FUNDS")));
    assert_eq!(verify(&ledger, &["receipt", &ledger.path("paid.tlog-proof")]).code, 0);

    let exported = ledger.json(&["export", "--out", "export"]).ok();
    let checked = verify(&ledger, &["archive", &ledger.path("export")]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_eq!(checked.json()["size"], exported["size"]);
    let books = ledger.json(&["books-hash", "export"]).ok();
    assert_eq!(books["books_hash"].as_str().unwrap().len(), 64);

    // More entries, the same folder: brought up to date, still whole.
    ledger.operate(&["transfer", "--from", "alice", "--to", "shop", "--amount", "0.01 USD"]).ok();
    let second = ledger.operate(&["account", "status", "shop", "frozen", "--reason", "TEST"]).ok();
    ledger.json(&["receipt", second["event_id"].as_str().unwrap(), "--out", "s.tlog-proof"]).ok();
    let grown = ledger.json(&["export", "--out", "export"]).ok();
    assert!(size_of(&grown) > size_of(&exported));
    let checked = verify(&ledger, &["archive", &ledger.path("export")]);
    assert_eq!(checked.code, 0, "{checked:?}");
    assert_ne!(ledger.json(&["books-hash", "export"]).ok()["books_hash"], books["books_hash"]);

    let bundle = ledger.path(&format!("export/tile/entries/000.p/{}", size_of(&grown)));
    let mut bytes = fs::read(&bundle).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&bundle, bytes).unwrap();
    assert_eq!(ledger.json(&["books-hash", "export"]).code, 5);
    assert_eq!(verify(&ledger, &["archive", &ledger.path("export")]).code, 5);
    // The export puts it right: every file is recomputed.
    ledger.json(&["export", "--out", "export"]).ok();
    assert_eq!(verify(&ledger, &["archive", &ledger.path("export")]).code, 0);
}

#[test]
fn rules_that_are_not_known_are_no_wrong_log() {
    let ledger = Ledger::start();
    ledger.json(&["export", "--out", "export"]).ok();
    assert_eq!(ledger.json(&["books-hash", "export"]).code, 0);
    let mut entry = Entry::decode(&fs::read(ledger.path("export/genesis")).unwrap()).unwrap();
    let Content::Genesis { payload } = &mut entry.content else { panic!("{entry:?}") };
    let mut genesis = Genesis::decode(payload).unwrap();
    genesis.rules_version += 1;
    *payload = genesis.encode();
    let entry = entry.encode();
    fs::write(ledger.path("export/genesis"), &entry).unwrap();
    fs::write(ledger.path("export/checkpoint"), "made/up\n1\n").unwrap();
    fs::create_dir_all(ledger.path("export/tile/entries/000.p")).unwrap();
    let bundle = [&u16::try_from(entry.len()).unwrap().to_be_bytes(), &entry[..]].concat();
    fs::write(ledger.path("export/tile/entries/000.p/1"), bundle).unwrap();
    let unknown = ledger.json(&["books-hash", "export"]);
    assert_eq!(unknown.code, 1, "{unknown:?}");
    assert!(unknown.err.contains("rules not known"), "{unknown:?}");
}

#[test]
fn openssl_verifies_what_is_shown_of_an_event() {
    let ledger = Ledger::start();
    ledger.open_books();
    let moved =
        ["transfer", "--from", "alice", "--to", "shop", "--amount", "1.00 USD", "--key", "service.key"];
    let moved = ledger.json(&moved).ok();
    let files = ["--dsse", "e.json", "--message", "e.msg", "--signature", "e.sig"];
    let shown =
        ledger.json(&[&["event", "show", moved["event_id"].as_str().unwrap()], &files[..]].concat()).ok();
    assert_eq!((&shown["type"], &shown["outcome"]), (&"TransferPosted".into(), &"ACCEPTED".into()));
    let openssl = |message: &str| {
        let arguments = ["pkeyutl", "-verify", "-pubin", "-inkey", &ledger.path("service.pub"), "-rawin"];
        let files = ["-in", &ledger.path(message), "-sigfile", &ledger.path("e.sig")];
        Command::new("openssl").args(arguments).args(files).output().unwrap().status.success()
    };
    assert!(openssl("e.msg"));
    let mut message = fs::read(ledger.path("e.msg")).unwrap();
    *message.last_mut().unwrap() ^= 1;
    fs::write(ledger.path("f.msg"), message).unwrap();
    assert!(!openssl("f.msg"));
    let envelope = fs::read_to_string(ledger.path("e.json")).unwrap();
    let envelope = ledger_crypto::dsse::Envelope::from_json(&envelope).unwrap();
    assert_eq!(envelope.signatures.len(), 1);
    let again = ledger.json(&["event", "submit", "e.json"]).ok();
    assert_eq!(again["answer"], "ALREADY_EXISTS");
}

#[test]
fn a_log_that_shrinks_or_forks_is_refused() {
    let mut ledger = Ledger::start();
    let open = |ledger: &Ledger, account: &str| {
        let opened = ledger.operate(&["account", "open", account, "--currency", "USD"]).ok();
        let id = opened["event_id"].as_str().unwrap().to_owned();
        ledger.json(&["receipt", &id, "--out", "r.tlog-proof"])
    };
    assert_eq!(open(&ledger, "first").code, 0);
    ledger.stop();
    copy(Path::new(&ledger.path("data")), Path::new(&ledger.path("older")));
    ledger.serve("data");
    assert_eq!(open(&ledger, "second").code, 0);
    let seen = ledger.json(&["checkpoint"]).ok();
    let again = ledger.json(&["checkpoint"]).ok();
    assert_eq!(seen["root"], again["root"]);

    ledger.serve("older");
    let shrunk = ledger.json(&["checkpoint"]);
    assert_eq!(shrunk.code, 5, "{shrunk:?}");
    assert!(shrunk.err.contains("shrunk"), "{shrunk:?}");
    let beside = || fs::read_dir(ledger.path("state")).unwrap().map(|file| file.unwrap().path());
    let evidence = || beside().filter(|path| path.to_str().unwrap().contains(".forked-")).collect::<Vec<_>>();
    assert!(evidence().is_empty());
    fs::remove_file(ledger.path("r.tlog-proof")).unwrap();
    for account in ["other", "another", "third"] {
        let receipt = open(&ledger, account);
        assert_eq!(receipt.code, 5, "under a fork it proves nothing: {receipt:?}");
    }
    assert!(!Path::new(&ledger.path("r.tlog-proof")).exists());
    let forked = ledger.json(&["checkpoint"]);
    assert_eq!(forked.code, 5, "{forked:?}");
    assert!(forked.err.contains("are of one log"), "{forked:?}");
    let evidence = evidence().into_iter().find(|file| forked.err.contains(file.to_str().unwrap()));
    let evidence = evidence.unwrap_or_else(|| panic!("{forked:?} names no file that is there"));
    let vkey = fs::read_to_string(ledger.path("data/log.vkey")).unwrap();
    let vkey = VerifierKey::parse(vkey.trim()).unwrap();
    let signed = Checkpoint::open(&fs::read_to_string(evidence).unwrap(), &vkey, &vkey.name).unwrap();
    assert!(signed.size > size_of(&seen), "{signed:?}");
    let export = ledger.json(&["export", "--out", "export"]);
    assert_eq!(export.code, 5, "{export:?}");
    assert!(!Path::new(&ledger.path("export/checkpoint")).exists());

    ledger.serve("data");
    assert_eq!(ledger.json(&["checkpoint"]).ok()["root"], seen["root"]);
}

#[test]
fn another_key_or_ledger_is_refused() {
    let ledger = Ledger::start();
    let other = Ledger::start();
    let vkey = fs::read_to_string(other.path("data/log.vkey")).unwrap();
    assert_eq!(ledger.json(&["--log-vkey", vkey.trim(), "checkpoint"]).code, 5);
    let id = fs::read_to_string(other.path("data/ledger-id")).unwrap();
    let export = ledger.json(&["--ledger-id", id.trim(), "export", "--out", "export"]);
    assert_eq!(export.code, 5, "{export:?}");
    assert!(export.err.contains("entry 0 belongs to ledger"), "{export:?}");
    let operator = ledger.operator();
    let open = ["account", "open", "a", "--currency", "USD", "--key", &operator];
    let foreign = ledger.json(&[&["--ledger-id", id.trim()], &open[..]].concat());
    assert_eq!((foreign.code, foreign.json()["answer"].as_str()), (2, Some("LEDGER_ID_MISMATCH")));
    let blocks = ledger.json(&["block", "list"]).ok();
    assert_eq!(blocks["blocks"][0]["entries"], "1");
    assert_eq!(ledger.json(&["block", "show", "0"]).ok()["block_root"], blocks["blocks"][0]["block_root"]);
    let status = ledger.json(&["status"]).ok();
    assert_eq!(status["next_log_index"], "2");
}

#[test]
fn an_export_that_rots_on_the_disk_heals() {
    let ledger = Ledger::start();
    ledger.open_books();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let answers = runtime.block_on(async {
        let events: Vec<_> = cents(&ledger).into_iter().take(300).map(|(_, event)| event).collect();
        Client::connect(&ledger.url()).await.unwrap().submit(&events).await.unwrap()
    });
    let last = answers.last().unwrap().event_id.unwrap().to_string();
    ledger.json(&["receipt", &last, "--out", "r.tlog-proof"]).ok();
    ledger.json(&["export", "--out", "export"]).ok();
    let again = ledger.json(&["export", "--out", "export"]).ok();
    assert!(fetched(&again) < 256, "a whole bundle is not fetched again: {again}");
    let (bundle, tile) = (ledger.path("export/tile/entries/000"), ledger.path("export/tile/0/000"));
    let (entries, hashes) = (fs::read(&bundle).unwrap(), fs::read(&tile).unwrap());
    let mut rotten = entries.clone();
    *rotten.last_mut().unwrap() ^= 1;
    let rotten_hashes: Vec<u8> =
        read_bundle(&rotten, 256).unwrap().into_iter().flat_map(Entry::leaf_hash).collect();
    for hashes_now in [&hashes, &rotten_hashes] {
        fs::write(&bundle, &rotten).unwrap();
        fs::write(&tile, hashes_now).unwrap();
        let healed = ledger.json(&["export", "--out", "export"]).ok();
        assert!(fetched(&healed) >= 256, "{healed}");
        assert_eq!((fs::read(&bundle).unwrap(), fs::read(&tile).unwrap()), (entries.clone(), hashes.clone()));
        assert_eq!(verify(&ledger, &["archive", &ledger.path("export")]).code, 0);
    }
}

fn fetched(export: &serde_json::Value) -> u64 {
    export["fetched"].as_str().unwrap().parse().unwrap()
}

fn size_of(checkpoint: &serde_json::Value) -> u64 {
    checkpoint["size"].as_str().unwrap().parse().unwrap()
}

fn verify(ledger: &Ledger, arguments: &[&str]) -> Answer {
    let id = fs::read_to_string(ledger.path("data/ledger-id")).unwrap();
    let trust = ["--key", &ledger.path("data/log.vkey"), "--ledger-id", id.trim(), "--json"];
    run(&program("ledger-verify"), &[arguments, &trust[..]].concat())
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}
