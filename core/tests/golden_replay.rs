//! The rules against logs that a second implementation produced: the writer's side makes each log again from what was
//! submitted and when, byte for byte; what stands beside each entry (postings, records, details) is compared as well.

mod golden;

use golden::compare::{Compared, compare_entry};
use golden::writer::{Decision, Writer};
use golden::{Json, bytes, list, load, number, text};
use ledger_core::admit::{Admission, admit};
use ledger_core::books::books_hash;
use ledger_core::entry::Content;
use ledger_core::ids::{BlockHeight, LogIndex};
use ledger_core::replay::{Halt, ReadEntry, Replay};

/// Makes the log of a file again, up to the first entry whose rules are not built. Returns how many entries that were.
fn make_again(log: &Json, compared: &mut Compared, mut between: impl FnMut(&Writer)) -> usize {
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
            let unit = &entries[index..index + usize::from(stored.group_len)];
            let submitted = unit.iter().map(|entry| bytes(entry, "entry")).collect::<Vec<_>>();
            match writer.decide(stored.recorded_at_nanos, &submitted) {
                Decision::NotBuilt => return index,
                Decision::Made(made) => {
                    for (entry, made) in entries[index..].iter().zip(&made) {
                        compare_entry(&writer, entry, made, compared);
                    }
                }
            }
        }
        for (made, expected) in writer.log.iter().zip(entries).skip(index) {
            let index = number(expected, "index");
            assert_eq!(hex::encode(made), text(expected, "entry"), "entry {index}");
            compared.entries += 1;
        }
    }
    between(&writer);
    entries.len()
}

#[test]
fn the_spine_is_made_again_whole() {
    let Some(spine) = load("spine.json") else { return };
    let (mut compared, mut turned_away, mut resent) = (Compared::default(), 0, 0);
    let reached = make_again(&spine, &mut compared, |writer| {
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
    assert_eq!(reached, list(&spine, "entries").len(), "every entry is made again");
    assert_eq!(
        compared,
        Compared::all_of(list(&spine, "entries")),
        "everything beside the entries is compared"
    );
    assert_eq!(turned_away, list(&spine, "not_admitted").len(), "every unit that leaves no trace");
    assert_eq!(resent, list(&spine, "resends").len(), "every unit that is sent again");
}

#[test]
fn logs_of_later_rules_are_made_again_up_to_them() {
    for (file, first_unknown) in [
        ("small-ledger.json", "AuthorizationIncreased"),
        ("worked-example.json", "ChargebackOpened"),
        ("every-refusal.json", "AccountLimitChanged"),
    ] {
        let Some(log) = load(file) else { return };
        let mut compared = Compared::default();
        let reached = make_again(&log, &mut compared, |_| {});
        let entries = list(&log, "entries");
        println!("{file}: {compared}; rules reach entry {reached} of {}", entries.len());
        assert_eq!(
            text(&entries[reached], "event"),
            first_unknown,
            "{file} stops at the first rule not built"
        );
        assert_eq!(compared, Compared::all_of(&entries[..reached]), "{file}");
    }
}

#[test]
fn logs_replay_as_far_as_the_rules_reach() {
    for (file, unknown) in [
        ("spine.json", None),
        ("small-ledger.json", Some("AuthorizationIncreased")),
        ("worked-example.json", Some("ChargebackOpened")),
        ("every-refusal.json", Some("AccountLimitChanged")),
    ] {
        let Some(log) = load(file) else { return };
        let entries = list(&log, "entries");
        let ledger_id = bytes(&log, "ledger_id").try_into().unwrap();
        let mut replay = Replay::new(ledger_id);
        let halt = entries
            .iter()
            .find_map(|entry| replay.push(ReadEntry::read(&bytes(entry, "entry"), |_| None), None).err());
        println!("{file}: {} of {} entries replayed", replay.size(), entries.len());
        match (halt, unknown) {
            (None, None) => {
                assert_eq!(replay.size(), entries.len() as u64);
                assert_eq!(replay.sealed(), Some(BlockHeight(8)));
            }
            (Some(Halt::Unknown(finding)), Some(event)) => {
                let index = usize::try_from(replay.size()).unwrap();
                assert_eq!(finding.log_index, Some(LogIndex(replay.size())), "{}", finding.words);
                assert_eq!(text(&entries[index], "event"), event, "{file}: {}", finding.words);
                let first = entries.iter().position(|entry| entry["event"] == event);
                assert_eq!(first, Some(index), "{file} stops at the first rule not built");
            }
            (halt, _) => panic!("{file}: {halt:?}"),
        }
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
