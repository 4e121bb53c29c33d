//! The rules against logs that a second implementation produced: the writer's side makes each log again from what was
//! submitted and when, byte for byte; what stands beside each entry (postings, records, details) is compared as well.

mod golden;

use golden::compare::{Compared, compare_entry};
use golden::writer::Writer;
use golden::{Json, bytes, list, load, number, text};
use ledger_core::admit::{Admission, admit};
use ledger_core::batch::Batch;
use ledger_core::books::books_hash;
use ledger_core::entry::Content;
use ledger_core::replay::{ReadEntry, Replay};

/// Makes the log of a file again.
fn make_again(log: &Json, compared: &mut Compared, mut between: impl FnMut(&Writer)) {
    let entries = list(log, "entries");
    let mut writer = Writer::create(&bytes(&entries[0], "entry"));
    compared.entries += 1;
    while let Some(expected) = entries.get(writer.log.len()) {
        between(&writer);
        let index = writer.log.len();
        let stored = ledger_core::entry::Entry::decode(&bytes(expected, "entry")).unwrap();
        if matches!(stored.content, Content::Seal(_)) {
            writer.cut();
            compared.seals += 1;
        } else {
            let (len, header_len) = match &stored.content {
                Content::BatchHeader { payload, .. } => (Batch::decode(payload).unwrap().count as usize, 1),
                _ => (usize::from(stored.group_len), 0),
            };
            let unit = &entries[index..index + header_len + len];
            let submitted = unit.iter().map(|entry| bytes(entry, "entry")).collect::<Vec<_>>();
            let made = writer.decide(stored.recorded_at_nanos, &submitted);
            for (entry, made) in entries[index + header_len..].iter().zip(&made) {
                compare_entry(&writer, entry, made, compared);
            }
        }
        for (made, expected) in writer.log.iter().zip(entries).skip(index) {
            let index = number(expected, "index");
            assert_eq!(hex::encode(made), text(expected, "entry"), "entry {index}");
            compared.entries += 1;
        }
    }
    between(&writer);
}

#[test]
fn the_spine_is_made_again_whole() {
    let Some(spine) = load("spine.json") else { return };
    let (mut compared, mut turned_away, mut resent) = (Compared::default(), 0, 0);
    make_again(&spine, &mut compared, |writer| {
        let offered_now =
            |offer: &&Json| usize::try_from(number(offer, "log_size")).unwrap() == writer.log.len();
        for offer in list(&spine, "not_admitted").iter().filter(offered_now) {
            golden::offer::turned_away(writer, offer);
            turned_away += 1;
        }
        for offer in list(&spine, "resends").iter().filter(offered_now) {
            golden::offer::sent_again(writer, offer);
            resent += 1;
        }
        if writer.log.len() == list(&spine, "entries").len() {
            let hash = books_hash(
                writer.state.accounts().iter().map(AsRef::as_ref),
                writer.state.payments().iter().map(AsRef::as_ref),
            );
            assert_eq!(hex::encode(hash), text(&spine, "books_hash"));
        }
    });
    println!("spine.json: {compared}, {turned_away} units turned away, {resent} sent again");
    assert_eq!(
        compared,
        Compared::all_of(list(&spine, "entries")),
        "everything beside the entries is compared"
    );
    assert_eq!(turned_away, list(&spine, "not_admitted").len(), "every unit that leaves no trace");
    assert_eq!(resent, list(&spine, "resends").len(), "every unit that is sent again");
}

#[test]
fn the_other_logs_are_made_again_whole() {
    for file in ["small-ledger.json", "worked-example.json", "every-refusal.json"] {
        let Some(log) = load(file) else { return };
        let mut compared = Compared::default();
        make_again(&log, &mut compared, |_| {});
        println!("{file}: {compared}");
        assert_eq!(compared, Compared::all_of(list(&log, "entries")), "{file}");
    }
}

#[test]
fn logs_replay_to_their_last_seal() {
    for file in ["spine.json", "small-ledger.json", "worked-example.json", "every-refusal.json"] {
        let Some(log) = load(file) else { return };
        let entries = list(&log, "entries");
        let mut replay = Replay::new(bytes(&log, "ledger_id").try_into().unwrap());
        for entry in entries {
            replay.push(ReadEntry::read(&bytes(entry, "entry"), |_| None), None).unwrap();
        }
        assert_eq!(replay.size(), entries.len() as u64, "{file}");
        assert!(replay.sealed().is_some(), "{file}");
    }
}

#[test]
fn payloads_that_only_group_6_refuses() {
    let Some(events) = load("events.json") else { return };
    let Some(spine) = load("spine.json") else { return };
    let writer = Writer::create(&bytes(&list(&spine, "entries")[0], "entry"));
    for case in list(&events, "canonical_but_refused_later") {
        let event = ledger_core::event::Event::decode(&bytes(case, "payload")).unwrap();
        assert_eq!(event.encode(), bytes(case, "payload"), "{}", text(case, "why"));
        let unit = golden::writer::unit_of(vec![golden::writer::unsigned(bytes(case, "payload"))]).unwrap();
        let admission = admit(&writer.state, &unit, 1_767_603_600_000_000_002).unwrap();
        assert!(matches!(admission, Admission::Rejected { .. }), "{admission:?}");
    }
}
