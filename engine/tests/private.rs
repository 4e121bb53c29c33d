//! Private data beside events: kept with the entry, read back, erased from every file.

mod support;

use std::path::Path;
use std::time::Duration;

use ledger_core::code::Code;
use ledger_core::event::Event;
use ledger_core::ids::{EventId, LogIndex};
use ledger_core::receipt::Receipt;
use ledger_core::sidecar::Sidecar;
use ledger_core::unit::Submitted;
use ledger_crypto::note::VerifierKey;
use ledger_engine::{Answer, Kept, Ledger};
use support::{SALT, World, accepted, eventually, id_of, log_key};

fn kept(ledger: &Ledger, event: &Submitted) -> Kept {
    ledger.view().private(&id_of(event)).unwrap().unwrap().kept
}

fn without_sidecar(event: &Submitted) -> Submitted {
    Submitted { sidecar: None, ..event.clone() }
}

/// Index and outcome of an event that is recorded.
fn recorded(ledger: &Ledger, event: &Submitted) -> (u64, u16, bool) {
    match ledger.submit(vec![event.clone()]).unwrap().wait().unwrap().remove(0).answer {
        Answer::Recorded { log_index, outcome, already_exists, .. } => (log_index.0, outcome, already_exists),
        other => panic!("not recorded: {other:?}"),
    }
}

/// The files under a folder that hold one of these byte strings.
fn files_with(dir: &Path, wanted: &[&[u8]]) -> Vec<String> {
    let mut found = Vec::new();
    for file in std::fs::read_dir(dir).unwrap() {
        let path = file.unwrap().path();
        if path.is_dir() {
            found.extend(files_with(&path, wanted));
            continue;
        }
        // RocksDB removes files meanwhile.
        let bytes = std::fs::read(&path).unwrap_or_default();
        if wanted.iter().any(|wanted| bytes.windows(wanted.len()).any(|part| part == *wanted)) {
            found.push(path.display().to_string());
        }
    }
    found
}

#[test]
fn private_data_is_kept_with_its_entry_accepted_or_refused() {
    let world = World::new();
    let ledger = world.furnished();
    let paid = world.private("world:usd", "name: Alice");
    let refused = world.private("cust:alice", "name: Bob");
    let elsewhere = without_sidecar(&world.private("world:usd", "kept elsewhere"));
    assert_eq!(recorded(&ledger, &paid).1, 0);
    assert_eq!(recorded(&ledger, &refused).1, Code::InsufficientFunds.number());
    assert_eq!(recorded(&ledger, &elsewhere).1, 0);
    let check = |ledger: &Ledger| {
        for event in [&paid, &refused] {
            assert_eq!(kept(ledger, event), Kept::Here(event.sidecar.clone().unwrap()));
        }
        let read = ledger.view().private(&id_of(&elsewhere)).unwrap().unwrap();
        assert_eq!(
            read.commitment.unwrap().to_vec(),
            Event::decode(&elsewhere.payload).unwrap().metadata_commitment
        );
        assert_eq!(read.kept, Kept::Never);
    };
    check(&ledger);
    // What came without its data never gets it later.
    let late = world.private("world:usd", "too late");
    recorded(&ledger, &without_sidecar(&late));
    assert!(recorded(&ledger, &late).2);
    assert_eq!(kept(&ledger, &late), Kept::Never);

    ledger.close().unwrap();
    drop(ledger);
    let ledger = world.open();
    check(&ledger);
    assert_eq!(ledger.view().private(&EventId([9; 16])).unwrap(), None);
    ledger.close().unwrap();
}

#[test]
fn what_was_not_committed_to_is_turned_away_and_leaves_nothing() {
    let world = World::new();
    let ledger = world.furnished();
    let good = world.private("world:usd", "name: Alice");
    let other = |sidecar| Submitted { sidecar: Some(sidecar), ..good.clone() };
    let salt = SALT.to_vec();
    let plain = world.transfer("world:usd", "cust:bob", 1);
    let rows = [
        (other(Sidecar { salt: salt.clone(), metadata: vec![b'x'; 8_193] }), Code::MetadataTooLarge),
        (
            other(Sidecar { salt: salt.clone(), metadata: b"name: Bob".to_vec() }),
            Code::MetadataCommitmentMismatch,
        ),
        (other(Sidecar { salt: vec![1; 31], metadata: Vec::new() }), Code::MetadataCommitmentMismatch),
        (Submitted { sidecar: good.sidecar.clone(), ..plain }, Code::MetadataCommitmentMismatch),
    ];
    let before = ledger.view().next_index();
    for (event, code) in rows {
        match ledger.submit(vec![event]).unwrap().wait().unwrap().remove(0).answer {
            Answer::Rejected(refusal) => assert_eq!(refusal.code, code, "{refusal}"),
            other => panic!("{code:?}: {other:?}"),
        }
    }
    assert_eq!(ledger.view().next_index(), before);
    accepted(ledger.submit(vec![good]).unwrap().wait().unwrap());
    ledger.close().unwrap();
}

#[test]
fn erased_data_is_in_no_file_and_comes_back_with_no_retry() {
    let world = World::new();
    let ledger = world.furnished();
    let (gone, stays) = (world.private("world:usd", "name: Alice"), world.private("world:usd", "name: Bob"));
    let refused = world.private("cust:alice", "name: Carol");
    let (gone_at, _, _) = recorded(&ledger, &gone);
    recorded(&ledger, &stays);
    recorded(&ledger, &refused);
    let key = VerifierKey::new("ledger.example/engine", &log_key().public()).unwrap();
    let proved = |ledger: &Ledger| {
        world.clock.advance(Duration::from_millis(20));
        eventually("it is sealed", || ledger.checkpoint().size > gone_at);
        Receipt::parse(&ledger.receipt(LogIndex(gone_at)).unwrap())
            .unwrap()
            .verify(&key, &world.ledger_id)
            .unwrap();
    };
    proved(&ledger);
    let dir = world.dir();
    assert!(!files_with(dir, &[b"name: Alice"]).is_empty(), "the search means something");

    for event in [&gone, &refused, &gone] {
        let (by, outcome, _) = recorded(&ledger, &world.erasing(event));
        assert_eq!(outcome, 0);
        assert_eq!(kept(&ledger, event), Kept::Erased(LogIndex(by)), "at once");
        let at = ledger.view().event(&id_of(event)).unwrap().unwrap().log_index;
        ledger.erasing(at).wait().unwrap();
    }
    let secrets: [&[u8]; 2] = [b"name: Alice", b"name: Carol"];
    assert_eq!(files_with(dir, &secrets), [""; 0]);
    assert_eq!(kept(&ledger, &stays), Kept::Here(stays.sidecar.clone().unwrap()));
    for event in [&gone, &refused] {
        assert!(recorded(&ledger, event).2);
    }
    proved(&ledger);
    assert_eq!(files_with(dir, &secrets), [""; 0]);
    ledger.close().unwrap();
    drop(ledger);

    let ledger = world.open();
    assert!(recorded(&ledger, &gone).2);
    proved(&ledger);
    assert!(matches!(kept(&ledger, &gone), Kept::Erased(_)));
    assert_eq!(files_with(dir, &secrets), [""; 0]);
    assert!(!files_with(dir, &[b"name: Bob"]).is_empty());
    ledger.close().unwrap();
}

#[test]
fn only_committed_data_of_a_known_event_is_erased() {
    let world = World::new();
    let ledger = world.furnished();
    let plain = world.transfer("world:usd", "cust:bob", 1);
    recorded(&ledger, &plain);
    let unknown = world.private("world:usd", "never submitted");
    for target in [&plain, &unknown] {
        let (_, outcome, _) = recorded(&ledger, &world.erasing(target));
        assert_eq!(outcome, Code::TargetEventNotFound.number());
    }
    ledger.erasing(LogIndex(2)).wait().unwrap();
    ledger.close().unwrap();
}
