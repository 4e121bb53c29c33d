//! The log key changes while the ledger runs: handed over, rotated to, signed with, asked for at the next start.

mod support;

use std::time::Duration;

use ledger_core::checkpoint::Checkpoint;
use ledger_core::code::Code;
use ledger_core::event::{Body, Event, KeyRegistered, LogKeyRotated};
use ledger_core::unit::Submitted;
use ledger_crypto::SigningKey;
use ledger_crypto::note::VerifierKey;
use ledger_engine::{Answer, Ledger, OpenError};
use support::{World, accepted, eventually, log_key};

/// A block of this age is cut.
const BLOCK_AGE: Duration = Duration::from_millis(20);
const ORIGIN: &str = "ledger.example/engine";

#[test]
fn a_running_ledger_changes_its_key() {
    let world = World::new();
    let ledger = world.furnished();
    let next = SigningKey::from_seed([9; 32]);

    let before = ledger.view().next_index();
    let early = rotation(&world, &log_key(), &next);
    match answer(&ledger, early.clone()) {
        Answer::Rejected(refusal) => {
            assert_eq!((refusal.code, refusal.detail.field.as_str()), (Code::FieldInvalid, "new_key"));
        }
        other => panic!("{other:?}"),
    }
    // It takes its place among the other faults.
    let mut forged = early.clone();
    forged.signatures[0].1[0] ^= 1;
    match answer(&ledger, forged) {
        Answer::Rejected(refusal) => assert_eq!(refusal.code, Code::SignatureInvalid),
        other => panic!("{other:?}"),
    }
    assert_eq!(ledger.view().next_index(), before, "it left no trace");

    ledger.hand_log_key(next.clone());
    accepted(ledger.submit(vec![early]).unwrap().wait().unwrap());
    assert_eq!(ledger.view().params().log_key, next.public_bytes());
    world.clock.advance(BLOCK_AGE);
    eventually("a checkpoint of the new key", || signed_by(&ledger, &next));
    assert!(signed_by(&ledger, &log_key()), "the old line stays for 30 days");
    assert_eq!(ledger.status().verifier_key, VerifierKey::new(ORIGIN, &next.public()).unwrap().to_string());

    for key in [&next, &log_key()] {
        assert_eq!(outcome(&ledger, registration(&world, key)), Code::KeyAlreadyRegistered);
        assert_eq!(outcome(&ledger, rotation(&world, &next, key)), Code::KeyAlreadyRegistered);
    }
    ledger.close().unwrap();
    drop(ledger);

    let refused = Ledger::open(world.config(), log_key()).map(|_| ());
    assert!(matches!(refused, Err(OpenError::LogKey { .. })), "{refused:?}");
    // With the new key alone, its line stands alone.
    let ledger = Ledger::open(world.config(), next.clone()).unwrap();
    assert_eq!(outcome(&ledger, registration(&world, &log_key())), Code::KeyAlreadyRegistered);
    world.clock.advance(BLOCK_AGE);
    eventually("a checkpoint without the old key", || !signed_by(&ledger, &log_key()));
    assert!(signed_by(&ledger, &next));
    ledger.close().unwrap();
    drop(ledger);

    world.clock.advance(Duration::from_secs(31 * 86_400));
    let mut config = world.config();
    config.accept_clock = true;
    let ledger = Ledger::open_with_keys(config, vec![log_key(), next.clone()]).unwrap();
    let size = ledger.checkpoint().size;
    accepted(ledger.submit(vec![world.transfer("world:usd", "cust:alice", 1)]).unwrap().wait().unwrap());
    world.clock.advance(BLOCK_AGE);
    eventually("a checkpoint 31 days later", || ledger.checkpoint().size > size);
    assert!(signed_by(&ledger, &next) && !signed_by(&ledger, &log_key()));
    ledger.close().unwrap();
}

#[test]
fn the_head_of_the_old_key_is_known_at_the_next_start() {
    let world = World::new();
    let next = SigningKey::from_seed([9; 32]);
    let ledger = world.open_with(|config| config.checkpoint_interval = Duration::from_secs(3_600));
    ledger.hand_log_key(next.clone());
    accepted(ledger.submit(vec![rotation(&world, &log_key(), &next)]).unwrap().wait().unwrap());
    ledger.close().unwrap();
    drop(ledger);
    for _ in 0..2 {
        let ledger = Ledger::open_with_keys(world.config(), vec![next.clone(), log_key()]).unwrap();
        assert!(signed_by(&ledger, &next));
        ledger.close().unwrap();
    }
}

fn rotation(world: &World, old: &SigningKey, new: &SigningKey) -> Submitted {
    let body = LogKeyRotated { new_key: new.public_bytes().to_vec() };
    let event = Event { body: Body::LogKeyRotated(body), ..world.header() };
    let signers = [&world.operator, old, new];
    let distinct = if old.public_bytes() == new.public_bytes() { 2 } else { 3 };
    world.sign(event, &signers[..distinct])
}

fn registration(world: &World, key: &SigningKey) -> Submitted {
    let body = KeyRegistered {
        key: key.public_bytes().to_vec(),
        party: "log".into(),
        roles: 1,
        prefix: String::new(),
    };
    world.sign(Event { body: Body::KeyRegistered(body), ..world.header() }, &[&world.operator, key])
}

fn signed_by(ledger: &Ledger, key: &SigningKey) -> bool {
    let verifier_key = VerifierKey::new(ORIGIN, &key.public()).unwrap();
    Checkpoint::open(&ledger.checkpoint().text, &verifier_key, ORIGIN).is_ok()
}

fn answer(ledger: &Ledger, submitted: Submitted) -> Answer {
    ledger.submit(vec![submitted]).unwrap().wait().unwrap().remove(0).answer
}

fn outcome(ledger: &Ledger, submitted: Submitted) -> Code {
    match answer(ledger, submitted) {
        Answer::Recorded { outcome, .. } => Code::from_number(outcome).unwrap(),
        other => panic!("{other:?}"),
    }
}
