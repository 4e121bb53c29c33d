//! Blocks and entries of every kind dropped, swapped and repeated: with the tiles and the checkpoint as they were, and
//! with all of them made anew by the log's key. And each byte of a small export.

use std::fs;

use ledger_core::entry::{Content, Entry};
use ledger_verify::{Checks, Trust};

use crate::forge::{Files, Forge, files_of_log, files_under, write};
use crate::judge::{Expected, Place, Row, at, check_folder, judge_table, meets};
use crate::logs;
use crate::tampering::{Seeded, bundles_only, expected_of_bit};

#[test]
fn swapped_and_repeated_blocks_are_found_at_their_first_entry() {
    let forge = logs::honest();
    let seals = logs::seals(&forge.entries);
    // Block k is the seal of the block before it and what follows, without its own.
    let (second, third, fourth) = (seals[1], seals[2], seals[3]);
    let part = |from: usize, to: usize| forge.entries[from..to].to_vec();
    let swapped =
        [part(0, second), part(third, fourth), part(second, third), part(fourth, fourth + 1)].concat();
    let repeated = [part(0, third), part(second, fourth + 1)].concat();
    let note = String::from_utf8(forge.files()["checkpoint"].clone()).unwrap();
    let row = |name: &str, files: Files, index: usize, hashes_field| Row {
        name: name.to_owned(),
        files,
        trust: forge.trust(),
        full: at(index as u64, "recorded_at_nanos"),
        hashes_only: at(index as u64, hashes_field),
    };
    let anew = |entries: &[Vec<u8>]| files_of_log(entries, &forge.log_key);
    judge_table(&[
        row("swapped, tiles as they were", bundles_only(&forge, &swapped), second, "leaf_hash"),
        row("swapped, the old checkpoint", files_under(&swapped, note), second, "height"),
        row("swapped, signed anew", anew(&swapped), second, "height"),
        row("repeated, tiles as they were", bundles_only(&forge, &repeated), third, "leaf_hash"),
        row("repeated, signed anew", anew(&repeated), third, "height"),
    ]);
}

/// What is done to one entry, and what is then found: in full, and by hashes only.
type Edit = (&'static str, fn(&mut Vec<Vec<u8>>, usize), [(usize, &'static str); 2]);

fn drop_it(entries: &mut Vec<Vec<u8>>, place: usize) {
    entries.remove(place);
}

fn repeat_it(entries: &mut Vec<Vec<u8>>, place: usize) {
    entries.insert(place, entries[place].clone());
}

#[test]
fn entries_of_every_kind_dropped_swapped_and_repeated_are_found() {
    let forge = logs::honest();
    let seals = logs::seals(&forge.entries);
    let found = |wanted: &dyn Fn(&Entry) -> bool| {
        let is = |entry: &Vec<u8>| wanted(&Entry::decode(entry).unwrap());
        forge.entries.iter().position(is).unwrap()
    };
    let (start, seal) = (seals[3], seals[4]);
    let (first, last) = (start + 1, seal - 1);
    let group = found(&|entry| entry.group_len == 2 && entry.outcome == 0);
    let header = found(&|entry| matches!(entry.content, Content::BatchHeader { .. }));
    let member = header + 2;
    // The seal of the block in which the group stands.
    let of_group = *seals.iter().find(|seal| **seal > group).unwrap();
    let time = "recorded_at_nanos";
    let swap_it: fn(&mut Vec<Vec<u8>>, usize) = |entries, place| entries.swap(place, place + 1);
    let edits = |place: usize, seal: usize, dropped, swapped| -> [Edit; 3] {
        [
            ("dropped", drop_it, [dropped, (seal - 1, "entry_count")]),
            ("swapped with the next", swap_it, [swapped, (seal, "block_root")]),
            ("repeated", repeat_it, [(place + 1, time), (seal + 1, "entry_count")]),
        ]
    };
    let at_seal: [Edit; 3] = [
        ("dropped", drop_it, [(seal - 1, "height"), (seal - 1, "height")]),
        ("swapped with the next", swap_it, [(start + 1, time), (start + 1, "entry_count")]),
        ("repeated", repeat_it, [(start + 1, time), (start + 1, "height")]),
    ];
    let mut at_last = edits(last, seal, (last, time), (last, time));
    at_last[1].2[1] = (last, "entry_count");
    let places = [
        ("the first of a block", first, edits(first, seal, (seal - 1, "entry_count"), (first + 1, time))),
        ("the last of a block", last, at_last),
        ("a seal", start, at_seal),
        (
            "a member of a group",
            group,
            edits(group, of_group, (group, "group_index"), (group, "group_index")),
        ),
        ("the header of a batch", header, edits(header, seal, (header, "kind"), (header, "kind"))),
        ("a member of a batch", member, edits(member, seal, (member, "position"), (member, "position"))),
    ];
    let mut rows = Vec::new();
    for (what, place, edits) in places {
        for (how, edit, [full, hashes_only]) in edits {
            let mut entries = forge.entries.clone();
            edit(&mut entries, place);
            let row = |name: &str, files: Files, full, hashes_only| Row {
                name: format!("{what} {how}, {name}"),
                files,
                trust: forge.trust(),
                full,
                hashes_only,
            };
            let moved = place + usize::from(how == "repeated");
            let fields = vec![time, "kind", "group_index", "position", "leaf_hash"];
            let by_tile = Expected::Finding(Place { log_index: Some(moved as u64), file: None, fields });
            let files = bundles_only(&forge, &entries);
            rows.push(row("tiles as they were", files, by_tile, at(moved as u64, "leaf_hash")));
            let files = files_of_log(&entries, &forge.log_key);
            let expected = |(index, field): (usize, _)| at(index as u64, field);
            rows.push(row("signed anew", files, expected(full), expected(hashes_only)));
        }
    }
    assert_eq!(rows.len(), 36);
    judge_table(&rows);
}

/// Start of the bits that are flipped.
const SEED: u64 = 0x00b1_75ee;

#[test]
fn a_bit_of_every_byte_of_a_small_export_is_found_where_it_is() {
    let forge: Forge = logs::small();
    let (files, trust): (Files, Trust) = (forge.files(), forge.trust());
    let dir = tempfile::tempdir().unwrap();
    write(&files, dir.path());
    let mut random = Seeded(SEED);
    let mut bytes = 0;
    for (path, honest) in &files {
        for byte in 0..honest.len() {
            let bit = random.below(8);
            let mut mutated = honest.clone();
            mutated[byte] ^= 1 << bit;
            fs::write(dir.path().join(path), &mutated).unwrap();
            let expected = expected_of_bit(&files, &mutated, path, byte);
            for (checks, expected) in [(Checks::Full, expected.0), (Checks::HashesOnly, expected.1)] {
                let report = check_folder(dir.path(), &trust, checks);
                let place = format!("seed {SEED:#x}: bit {bit} of byte {byte} of {path}, {checks:?}");
                assert!(meets(&report, &expected), "{place}: expected {expected:?}\nfound {report}");
            }
            bytes += 1;
        }
        fs::write(dir.path().join(path), honest).unwrap();
    }
    println!("seed {SEED:#x}: a bit of each of {bytes} bytes, checked in full and by hashes only");
}
