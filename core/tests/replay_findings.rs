//! What a replay finds when the next entry of a good log is another than it should be.

#[allow(dead_code, reason = "shared with other tests")]
mod golden;

use golden::{Json, bytes, list, load};
use ledger_core::batch::Batch;
use ledger_core::code::Code;
use ledger_core::entry::{Content, Entry, EntrySignature};
use ledger_core::ids::LogIndex;
use ledger_core::replay::{Halt, ReadEntry, Replay};

/// Replays the first entries of a log.
fn replayed(log: &Json, size: usize) -> Replay {
    let mut replay = Replay::new(bytes(log, "ledger_id").try_into().unwrap());
    for entry in &list(log, "entries")[..size] {
        replay.push(ReadEntry::read(&bytes(entry, "entry"), |_| None), None).unwrap();
    }
    replay
}

fn entry(log: &Json, index: usize) -> Entry {
    Entry::decode(&bytes(&list(log, "entries")[index], "entry")).unwrap()
}

/// Pushes entries until one is found to be wrong: its field, and the entry that is named.
fn finding(what: &str, mut replay: Replay, then: &[Entry]) -> (String, u64) {
    for entry in then {
        match replay.push(ReadEntry::read(&entry.encode(), |_| None), None) {
            Ok(()) => {}
            Err(Halt::Wrong(finding)) => {
                let LogIndex(index) = finding.log_index.expect("an entry is named");
                return (finding.field, index);
            }
            Err(other) => panic!("{what}: {other}"),
        }
    }
    panic!("{what}: nothing is found")
}

#[test]
fn entries_that_may_not_stand_where_they_stand() {
    let Some(log) = load("spine.json") else { return };
    let at_time = |index: usize, recorded_at_nanos: u64| Entry { recorded_at_nanos, ..entry(&log, index) };
    let time = |index: usize| entry(&log, index).recorded_at_nanos;
    let outcome = |index: usize, code: u16| Entry { outcome: code, ..entry(&log, index) };
    let in_group = |index, group_len, group_index| Entry { group_len, group_index, ..entry(&log, index) };
    let all = |from: usize, to: usize| (from..to).map(|index| entry(&log, index)).collect::<Vec<_>>();
    let unsigned = |index: usize| {
        let mut spoilt = entry(&log, index);
        if let Content::Event { signatures, .. } = &mut spoilt.content {
            signatures[0].signature[40] ^= 1;
        }
        spoilt
    };
    // How many entries are right, those that follow, the field and the entry that the finding names.
    let rows: Vec<(&str, usize, Vec<Entry>, &str, u64)> = vec![
        ("a log without its genesis", 0, vec![entry(&log, 2)], "kind", 0),
        ("a second genesis", 2, vec![at_time(0, time(1) + 1)], "kind", 2),
        ("block 0 holds more than the genesis", 1, vec![entry(&log, 2)], "kind", 1),
        ("two entries at one time", 24, vec![at_time(24, time(23))], "recorded_at_nanos", 24),
        ("a seal later than it must be", 22, vec![at_time(22, time(22) + 1)], "recorded_at_nanos", 22),
        ("a block of a seal alone", 23, vec![at_time(22, time(22) + 1)], "kind", 23),
        ("a seal inside a group", 30, vec![at_time(22, time(29) + 1)], "kind", 30),
        ("an expiry inside a group", 30, vec![at_time(88, time(29) + 1)], "kind", 30),
        ("a member left out", 30, vec![entry(&log, 31)], "group_index", 30),
        ("a member of another group", 30, vec![in_group(33, 2, 1)], "group_len", 30),
        ("a group that begins in its middle", 29, vec![entry(&log, 30)], "group_index", 29),
        ("a group that is shorter", 29, vec![in_group(29, 2, 0), in_group(30, 2, 1)], "admission", 29),
        ("a member alone", 29, vec![in_group(29, 1, 0)], "group_len", 29),
        (
            "members exchanged",
            32,
            vec![in_group(33, 2, 0), Entry { recorded_at_nanos: time(33) + 1, ..in_group(32, 2, 1) }],
            "admission",
            32,
        ),
        ("an expiry withheld", 88, vec![entry(&log, 91)], "expiry", 88),
        ("an expiry out of order", 88, vec![at_time(89, time(88))], "expiry", 88),
        ("an expiry that is not due", 87, vec![at_time(88, time(87))], "expiry", 87),
        ("an expiry again", 91, vec![at_time(88, time(91))], "expiry", 91),
        ("a signature spoilt", 24, vec![unsigned(24)], "signature", 24),
        (
            "a member's signature spoilt",
            29,
            vec![entry(&log, 29), unsigned(30), entry(&log, 31)],
            "signature",
            30,
        ),
        (
            "a member's signature spoilt, the next left out",
            29,
            vec![unsigned(29), entry(&log, 31)],
            "signature",
            29,
        ),
        (
            "the second member's signature spoilt, the third of another time",
            29,
            vec![entry(&log, 29), unsigned(30), at_time(31, time(30))],
            "signature",
            30,
        ),
        (
            "a member's signature spoilt, the group cut off by an expiry",
            29,
            vec![unsigned(29), at_time(88, time(29) + 1)],
            "signature",
            29,
        ),
        (
            "a member's signature spoilt, the whole group in the wrong time",
            29,
            vec![at_time(29, time(28)), unsigned(30)],
            "recorded_at_nanos",
            29,
        ),
        ("an event again", 23, vec![at_time(19, time(23))], "admission", 23),
        ("an event of a key not registered yet", 2, vec![entry(&log, 23)], "admission", 2),
        (
            "a day and a second too late",
            46,
            vec![at_time(46, time(46) + 86_401_000_000_000)],
            "admission",
            46,
        ),
        (
            "accepted, but written as refused",
            24,
            vec![outcome(24, Code::InsufficientFunds.number())],
            "outcome",
            24,
        ),
        ("refused, but written as accepted", 18, vec![outcome(18, 0)], "outcome", 18),
        ("refused for another reason", 18, vec![outcome(18, Code::AccountKindTaken.number())], "outcome", 18),
        (
            "a group failed by the operator",
            29,
            {
                let mut failed = all(29, 32);
                failed.iter_mut().for_each(|member| member.outcome = Code::GroupMemberFailed.number());
                failed
            },
            "outcome",
            29,
        ),
        ("an event left out of the log", 24, vec![entry(&log, 25)], "outcome", 24),
    ];
    println!("{} rows", rows.len());
    for (what, size, then, field, index) in rows {
        assert_eq!(finding(what, replayed(&log, size), &then), (field.to_owned(), index), "{what}");
    }
}

#[test]
fn members_of_a_batch_that_may_not_stand_where_they_stand() {
    let Some(log) = load("small-ledger.json") else { return };
    const HEADER: usize = 40;
    // Entries 41 to 44: a payment, a group of two, and a refused event.
    let at = |index: usize, change: &dyn Fn(&mut Entry)| {
        let mut changed = entry(&log, index);
        change(&mut changed);
        changed
    };
    let all = |from: usize, to: usize| (from..to).map(|index| entry(&log, index)).collect::<Vec<_>>();
    let time = |index: usize| entry(&log, index).recorded_at_nanos;
    let moved = |index: usize, place: usize, position: u32| {
        at(index, &|entry| {
            entry.recorded_at_nanos = time(place);
            if let Content::BatchedEvent { position: found, .. } = &mut entry.content {
                *found = position;
            }
        })
    };
    let header = |change: &dyn Fn(&mut Batch)| {
        at(HEADER, &|entry| {
            if let Content::BatchHeader { payload, .. } = &mut entry.content {
                let mut batch = Batch::decode(payload).unwrap();
                change(&mut batch);
                *payload = batch.encode();
            }
        })
    };
    let signed = |change: &dyn Fn(&mut EntrySignature)| {
        at(HEADER, &|entry| {
            if let Content::BatchHeader { signatures, .. } = &mut entry.content {
                change(&mut signatures[0]);
            }
        })
    };
    let in_group = |index, group_len, group_index| Entry { group_len, group_index, ..entry(&log, index) };
    let with = |first: Vec<Entry>, from, to| [first, all(from, to)].concat();
    let later = |index: usize| Entry { recorded_at_nanos: time(44) + index as u64, ..entry(&log, index) };
    let rows: Vec<(&str, usize, Vec<Entry>, &str, u64)> = vec![
        ("a member without its header", 40, all(41, 42), "kind", 40),
        ("a member more than the header counts", 45, vec![later(44)], "kind", 45),
        ("a member left out", 42, all(43, 44), "position", 42),
        ("a member twice", 42, vec![moved(41, 42, 0)], "position", 42),
        (
            "members moved, numbered as they stand",
            40,
            [all(40, 41), vec![moved(44, 41, 0)], all(42, 44), vec![moved(41, 44, 3)]].concat(),
            "admission",
            40,
        ),
        ("a header of nothing", 40, vec![header(&|batch| batch.count = 0)], "count", 40),
        ("a header of too many", 40, vec![header(&|batch| batch.count = 70_000)], "count", 40),
        (
            "a header of more than there are",
            40,
            with(vec![header(&|batch| batch.count = 5)], 41, 46),
            "signature",
            40,
        ),
        ("a batch without its last member", 40, [all(40, 44), all(45, 46)].concat(), "kind", 44),
        (
            "another root than was signed",
            40,
            with(vec![header(&|batch| batch.events_root[0] ^= 1)], 41, 45),
            "signature",
            40,
        ),
        (
            "a header signed by another key",
            40,
            with(vec![signed(&|line| line.key[0] ^= 1)], 41, 45),
            "signature",
            40,
        ),
        (
            "a header's signature spoilt",
            40,
            with(vec![signed(&|line| line.signature[40] ^= 1)], 41, 45),
            "signature",
            40,
        ),
        (
            "a header's signature spoilt, the first member left out",
            40,
            with(vec![signed(&|line| line.signature[40] ^= 1)], 42, 43),
            "signature",
            40,
        ),
        (
            "a header's signature spoilt, a member without canonical form",
            40,
            vec![
                signed(&|line| line.signature[40] ^= 1),
                at(41, &|entry| {
                    if let Content::BatchedEvent { payload, .. } = &mut entry.content {
                        payload.push(0);
                    }
                }),
            ],
            "signature",
            40,
        ),
        (
            "a seal inside a batch",
            42,
            vec![Entry { recorded_at_nanos: time(41) + 1, ..entry(&log, 1) }],
            "kind",
            42,
        ),
        (
            "an event inside a batch",
            42,
            vec![Entry { recorded_at_nanos: time(42), ..entry(&log, 13) }],
            "kind",
            42,
        ),
        (
            "a batch inside a batch",
            42,
            vec![Entry { recorded_at_nanos: time(42), ..entry(&log, 40) }],
            "kind",
            42,
        ),
        ("a group begins in its middle", 42, vec![in_group(42, 2, 1)], "group_index", 42),
        ("a group split inside a batch", 43, vec![in_group(43, 2, 0)], "group_index", 43),
        ("a member of a group alone", 42, vec![in_group(42, 1, 0)], "group_len", 42),
        (
            "a group longer than it is",
            42,
            vec![in_group(42, 3, 0), in_group(43, 3, 1), entry(&log, 44)],
            "group_len",
            44,
        ),
        (
            "refused, but written as accepted",
            44,
            vec![Entry { outcome: 0, ..entry(&log, 44) }],
            "outcome",
            44,
        ),
        (
            "accepted, but written as refused",
            41,
            with(vec![Entry { outcome: 701, ..entry(&log, 41) }], 42, 45),
            "outcome",
            41,
        ),
        ("a batch again", 45, (40..45).map(later).collect(), "admission", 45),
    ];
    println!("{} rows", rows.len());
    for (what, size, then, field, index) in rows {
        assert_eq!(finding(what, replayed(&log, size), &then), (field.to_owned(), index), "{what}");
    }
}

#[test]
fn of_a_unit_that_the_end_cuts_off_the_signatures_are_judged() {
    let cut_off = |log: &Json, size: usize, last: &Entry| {
        let mut replay = replayed(log, size);
        replay.push(ReadEntry::read(&last.encode(), |_| None), None).unwrap();
        match replay.check_whole() {
            Ok(()) => None,
            Err(Halt::Wrong(finding)) => Some((finding.field, finding.log_index.unwrap().0)),
            Err(other) => panic!("{other}"),
        }
    };
    let spoilt = |mut entry: Entry| {
        if let Content::Event { signatures, .. } | Content::BatchHeader { signatures, .. } =
            &mut entry.content
        {
            signatures[0].signature[40] ^= 1;
        }
        entry
    };
    // The first member of a group, the header of a batch.
    for (file, index) in [("spine.json", 29), ("small-ledger.json", 40)] {
        let Some(log) = load(file) else { return };
        assert_eq!(cut_off(&log, index, &entry(&log, index)), None);
        let expected = Some(("signature".to_owned(), index as u64));
        assert_eq!(cut_off(&log, index, &spoilt(entry(&log, index))), expected);
    }
}

#[test]
fn every_field_of_a_seal_is_named() {
    let Some(log) = load("spine.json") else { return };
    // Offset of the last byte of each field, and its name.
    let fields = [
        (23, "height"),
        (31, "first_index"),
        (35, "entry_count"),
        (67, "previous_seal"),
        (99, "block_root"),
        (131, "log_root"),
        (139, "account_count"),
        (171, "accounts_root"),
        (179, "payment_count"),
        (211, "payments_root"),
        (219, "key_count"),
        (251, "keys_root"),
        (283, "totals_hash"),
        (315, "params_hash"),
    ];
    let good = bytes(&list(&log, "entries")[45], "entry");
    for (offset, field) in fields {
        let mut seal = good.clone();
        seal[offset] ^= 1;
        let mut replay = replayed(&log, 45);
        match replay.push(ReadEntry::read(&seal, |_| None), None) {
            Err(Halt::Wrong(finding)) => assert_eq!(finding.field, field, "{}", finding.words),
            other => panic!("{field}: {other:?}"),
        }
    }
}
