//! Signed batches in the embedded ledger: one signature for many events, each with an answer and a receipt of its own.

mod support;

use std::time::Duration;

use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::code::Code;
use ledger_core::entry::{Content, Entry};
use ledger_core::event::{Body, Event, MetadataErased};
use ledger_core::ids::{BlockHeight, EventId, LogIndex};
use ledger_core::receipt;
use ledger_core::sidecar::Sidecar;
use ledger_core::unit::Submitted;
use ledger_crypto::dsse;
use ledger_crypto::note::VerifierKey;
use ledger_engine::{Answer, EventAnswer, Kept, Ledger, ReadError};
use support::{World, accepted, eventually, log_key, unsigned};

fn transfers(world: &World, count: u64) -> Vec<Submitted> {
    unsigned((1..=count).map(|amount| world.transfer("world:usd", "cust:alice", amount)).collect())
}

fn submit(ledger: &Ledger, header: &Submitted, members: &[Submitted]) -> Vec<EventAnswer> {
    ledger.submit_batch(header.clone(), members.to_vec()).unwrap().wait().unwrap()
}

fn places(answers: &[EventAnswer]) -> Vec<(u64, u16, bool)> {
    let place = |answer: &EventAnswer| match &answer.answer {
        Answer::Recorded { log_index, outcome, already_exists, .. } => {
            (log_index.0, *outcome, *already_exists)
        }
        other => panic!("not recorded: {other:?}"),
    };
    answers.iter().map(place).collect()
}

fn codes(answers: &[EventAnswer]) -> Vec<Code> {
    let code = |answer: &EventAnswer| match &answer.answer {
        Answer::Rejected(refusal) => refusal.code,
        other => panic!("not rejected: {other:?}"),
    };
    answers.iter().map(code).collect()
}

fn seal(world: &World, ledger: &Ledger) {
    world.clock.advance(Duration::from_millis(20));
    eventually("a checkpoint over everything", || {
        let status = ledger.status();
        status.unsealed_entries == 0 && status.checkpoint_size == status.next_index.0
    });
}

#[test]
fn members_have_their_own_outcomes_and_receipts() {
    let world = World::new();
    let ledger = world.furnished();
    let mut members = transfers(&world, 3);
    members.insert(1, unsigned(vec![world.transfer("cust:bob", "cust:alice", 1)]).remove(0));
    let header = world.batch_header(&members, &world.wallet);
    let first = ledger.view().next_index().0;
    let refused = Code::InsufficientFunds.number();
    let answers = submit(&ledger, &header, &members);
    let expected =
        [(first + 1, 0, false), (first + 2, refused, false), (first + 3, 0, false), (first + 4, 0, false)];
    assert_eq!(places(&answers), expected);
    let alice = || ledger.view().account("cust:alice").unwrap().unwrap().1.counters.posted_credits;
    assert_eq!(alice(), 1 + 2 + 3);
    let again: Vec<_> = expected.iter().map(|(index, outcome, _)| (*index, *outcome, true)).collect();
    assert_eq!(places(&submit(&ledger, &header, &members)), again, "sent again, the first answers");
    assert_eq!(alice(), 1 + 2 + 3);

    seal(&world, &ledger);
    let key = VerifierKey::new("ledger.example/engine", &log_key().public()).unwrap();
    for index in first..=first + 4 {
        let text = ledger.receipt(LogIndex(index)).unwrap();
        let verified = receipt::verify_text(&text, &key, &world.ledger_id).unwrap();
        assert_eq!((verified.index, verified.entry.kind()), (index, if index == first { 4 } else { 5 }));
    }
    let entries = ledger.entries(LogIndex(first), usize::MAX, usize::MAX).unwrap();
    for (position, entry) in entries[1..5].iter().enumerate() {
        let Content::BatchedEvent { position: found, .. } = Entry::decode(entry).unwrap().content else {
            panic!("not a member");
        };
        assert_eq!(found as usize, position);
    }
    ledger.close().unwrap();
}

#[test]
fn a_batch_survives_restarts_flushed_or_not() {
    for flush_max_entries in [5, 1_000_000] {
        let world = World::new();
        let ledger = world.open_with(|config| config.flush_max_entries = flush_max_entries);
        world.furnish(&ledger);
        let members = transfers(&world, 200);
        let header = world.batch_header(&members, &world.wallet);
        let places_before = places(&submit(&ledger, &header, &members));
        let before = ledger.view().account("cust:alice").unwrap().unwrap().1;
        ledger.close().unwrap();
        drop(ledger);
        for _ in 0..2 {
            let ledger = world.open_with(|config| config.flush_max_entries = flush_max_entries);
            assert_eq!(ledger.view().account("cust:alice").unwrap().unwrap().1, before);
            let again = places(&submit(&ledger, &header, &members));
            assert!(again.iter().zip(&places_before).all(|(now, then)| now.0 == then.0 && now.2));
            let mut other = members[..3].to_vec();
            other.push(unsigned(vec![world.transfer("world:usd", "cust:alice", 1)]).remove(0));
            let mixed = with_the_id_of(&world, &other, &header);
            let failed = codes(&submit(&ledger, &mixed, &other));
            assert_eq!(failed[0], Code::EventIdConflict, "a batch id seen before");
            assert!(receipt_holds(&world, &ledger, places_before[199].0));
            ledger.close().unwrap();
        }
    }
}

/// A header with the batch id of another.
fn with_the_id_of(world: &World, members: &[Submitted], other: &Submitted) -> Submitted {
    let mut fresh = world.batch_header(members, &world.wallet);
    let mut batch = Batch::decode(&fresh.payload).unwrap();
    batch.batch_id = Batch::decode(&other.payload).unwrap().batch_id;
    fresh.payload = batch.encode();
    fresh.signatures[0].1 = world.wallet.sign(&dsse::message(BATCH_TYPE, &fresh.payload)).to_vec();
    fresh
}

fn receipt_holds(world: &World, ledger: &Ledger, index: u64) -> bool {
    let key = VerifierKey::new("ledger.example/engine", &log_key().public()).unwrap();
    let text = ledger.receipt(LogIndex(index)).unwrap();
    receipt::verify_text(&text, &key, &world.ledger_id).is_ok()
}

#[test]
fn a_batch_is_taken_whole_or_not_at_all() {
    let world = World::new();
    let ledger = world.furnished();
    let members = transfers(&world, 4);
    let good = world.batch_header(&members, &world.wallet);
    let before = ledger.view().next_index();
    let failed = Code::GroupMemberFailed;

    let mut cut = members.clone();
    cut[2].payload.pop();
    assert_eq!(codes(&submit(&ledger, &good, &cut)), [failed, failed, Code::EncodingNotCanonical, failed]);
    let mut moved = members.clone();
    moved.swap(1, 2);
    assert_eq!(codes(&submit(&ledger, &good, &moved)), [Code::BatchMismatch; 4]);
    assert_eq!(codes(&submit(&ledger, &good, &members[..3])), [Code::BatchMismatch; 3]);
    let mut forged = good.clone();
    forged.signatures[0].1 = vec![7; 64];
    assert_eq!(codes(&submit(&ledger, &forged, &members)), [Code::SignatureInvalid; 4]);
    let mut of_event_type = good.clone();
    of_event_type.payload_type = ledger_core::event::EVENT_TYPE.to_owned();
    assert_eq!(codes(&submit(&ledger, &of_event_type, &members)), [Code::SchemaVersionUnsupported; 4]);
    assert_eq!(codes(&submit(&ledger, &good, &[])), [Code::RequestEmpty]);
    assert_eq!(ledger.view().next_index(), before, "nothing is recorded");

    // A member that is known already conflicts: as a single event first, then in a batch with new ones.
    let single = world.transfer("world:usd", "cust:alice", 9);
    accepted(ledger.submit(vec![single.clone()]).unwrap().wait().unwrap());
    let mixed = unsigned(vec![world.transfer("world:usd", "cust:alice", 1), single]);
    let of_mixed = world.batch_header(&mixed, &world.wallet);
    assert_eq!(codes(&submit(&ledger, &of_mixed, &mixed)), [failed, Code::EventIdConflict]);
    let known = world.batch_header(&mixed[1..], &world.wallet);
    assert!(places(&submit(&ledger, &known, &mixed[1..]))[0].2, "of known members alone the first answers");

    // A member is no event of its own: nobody signed it.
    let alone = ledger.submit(vec![members[0].clone()]).unwrap().wait().unwrap();
    assert_eq!(codes(&alone), [Code::SignersMismatch]);
    assert_eq!(places(&submit(&ledger, &good, &members)).len(), 4);
    ledger.close().unwrap();
}

#[test]
fn a_batch_is_larger_than_a_block_and_never_than_a_unit() {
    let world = World::new();
    let ledger = world.open_with(|config| {
        config.block_max_entries = 10;
        config.unit_max_bytes = 64 << 10;
    });
    world.furnish(&ledger);
    let too_many = transfers(&world, 400);
    let of_them = world.batch_header(&too_many, &world.wallet);
    assert_eq!(codes(&submit(&ledger, &of_them, &too_many)), [Code::RequestTooLarge; 400]);

    seal(&world, &ledger);
    let members = transfers(&world, 150);
    let of_them = world.batch_header(&members, &world.wallet);
    let first = ledger.view().next_index().0;
    let recorded = places(&submit(&ledger, &of_them, &members));
    assert!(recorded.iter().zip(first + 1..).all(|((found, ..), index)| *found == index));
    seal(&world, &ledger);
    let view = ledger.view();
    let height = view.height().unwrap();
    let within = |block: ledger_engine::BlockRead| {
        let end = block.seal.first_index.0 + u64::from(block.seal.entry_count);
        block.seal.first_index.0 <= first && first + 150 < end
    };
    let whole = (0..=height.0).any(|height| within(view.block(BlockHeight(height)).unwrap().unwrap()));
    assert!(whole, "header and members stand in one block");
    assert!(matches!(ledger.receipt(LogIndex(1 << 40)), Err(ReadError::OutOfRange { .. })));
    ledger.close().unwrap();
}

#[test]
fn batches_of_the_largest_count_are_taken() {
    let world = World::new();
    let ledger = world.open_with(|config| {
        config.request_max_bytes = 64 << 20;
        config.unit_max_bytes = 64 << 20;
        config.queue_max_bytes = 256 << 20;
    });
    world.furnish(&ledger);
    let members = transfers(&world, 65_535);
    let of_them = world.batch_header(&members, &world.wallet);
    let started = std::time::Instant::now();
    let recorded = places(&submit(&ledger, &of_them, &members));
    println!("65,535 members in {:?}", started.elapsed());
    assert!(recorded.iter().all(|(_, outcome, known)| *outcome == 0 && !known));
    let last = EventId(
        ledger_core::event::Event::decode_batched(&members[65_534].payload)
            .unwrap()
            .event_id
            .try_into()
            .unwrap(),
    );
    let known = ledger.view().event(&last).unwrap().unwrap();
    assert_eq!(known.log_index.0, recorded[65_534].0);
    seal(&world, &ledger);
    let started = std::time::Instant::now();
    assert!(receipt_holds(&world, &ledger, recorded[40_000].0));
    println!("a receipt of one of them in {:?}", started.elapsed());
    ledger.close().unwrap();
    drop(ledger);
    let started = std::time::Instant::now();
    let ledger = world.open();
    println!("opened again in {:?}", started.elapsed());
    assert_eq!(ledger.view().account("cust:alice").unwrap().unwrap().1.line_count, 65_535);
    ledger.close().unwrap();
}

/// Operators may sign both, so that one batch holds an event with private data and the order to erase it.
#[test]
fn private_data_of_members_is_kept_and_erased_like_any() {
    let world = World::new();
    let ledger = world.furnished();
    let sidecar = Sidecar { salt: vec![7; 32], metadata: b"name: Alice".to_vec() };
    let member = |commitment: [u8; 32]| {
        let event = Event::decode(&world.transfer("world:usd", "cust:alice", 5).payload).unwrap();
        let event = Event { metadata_commitment: commitment.to_vec(), ..event };
        Submitted { sidecar: Some(sidecar.clone()), ..world.sign(event, &[&world.operator]) }
    };
    let id = |event: &Submitted| EventId(Event::decode(&event.payload).unwrap().event_id.try_into().unwrap());
    let kept = |event: &Submitted| ledger.view().private(&id(event)).unwrap().unwrap().kept;

    let wrong = unsigned(vec![member([9; 32])]);
    let answers = submit(&ledger, &world.batch_header(&wrong, &world.operator), &wrong);
    assert!(matches!(&answers[0].answer, Answer::Rejected(r) if r.code == Code::MetadataCommitmentMismatch));

    let (stays, gone) = (member(sidecar.commitment()), member(sidecar.commitment()));
    let erased = MetadataErased { event_id: id(&gone).0.to_vec(), reason: "REQUEST".into() };
    let erasing = Event { body: Body::MetadataErased(erased), ..world.header() };
    let members = unsigned(vec![stays.clone(), gone.clone(), world.sign(erasing, &[&world.operator])]);
    let answers = places(&submit(&ledger, &world.batch_header(&members, &world.operator), &members));
    assert!(answers.iter().all(|(_, outcome, _)| *outcome == 0), "{answers:?}");
    assert_eq!(kept(&stays), Kept::Here(sidecar.clone()));
    assert_eq!(kept(&gone), Kept::Erased(LogIndex(answers[2].0)));
    ledger.erasing(LogIndex(answers[1].0)).wait().unwrap();
    ledger.close().unwrap();
}
