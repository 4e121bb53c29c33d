//! Exports damaged after they were made: one bit, an entry, a block, a file, the checkpoint. The table says what must
//! be found before anything is run.

use std::fs;

use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::{Content, Entry};
use ledger_core::genesis::{Genesis, GenesisError};
use ledger_core::ids::PaymentId;
use ledger_core::seal::{BlockInput, SealChain, Totals};
use ledger_core::view::StateView;
use ledger_crypto::SigningKey;
use ledger_merkle::tile::{TilePath, encode_bundle, entries_path, parse_path};
use ledger_verify::{Checks, Trust, Verdict};

use crate::forge::{Files, Forge, ORIGIN, files_of_log, files_under, write};
use crate::judge::{Expected, Place, Row, at, at_in, check_folder, in_file, judge_table};
use crate::logs;

/// Seeded positions for each kind of file.
const POSITIONS: usize = 20;

#[test]
fn an_honest_export_is_valid() {
    let forge = logs::honest();
    let files = forge.files();
    let mut with_leftovers = files.clone();
    with_leftovers.insert("tile/0/000.p/9".to_owned(), vec![1; 9 * 32]);
    with_leftovers.insert("tile/entries/000.p/9".to_owned(), vec![1; 9]);
    with_leftovers.insert("notes/README".to_owned(), b"not ours".to_vec());
    let row = |name: &str, files| valid_row(&forge, name, files);
    judge_table(&[
        row("untouched", files),
        row("partial tiles of an earlier size, a file of no format", with_leftovers),
    ]);
}

#[test]
fn one_bit_anywhere_is_found_where_it_is() {
    let forge = logs::honest();
    let files = forge.files();
    let mut random = Seeded(0x5eed);
    let mut rows = Vec::new();
    for (kind, of_kind) in kinds(&files) {
        for _ in 0..POSITIONS {
            let path = of_kind[random.below(of_kind.len())].clone();
            let byte = random.below(files[&path].len());
            let bit = random.below(8);
            let mut mutated = files.clone();
            mutated.get_mut(&path).unwrap()[byte] ^= 1 << bit;
            let (full, hashes_only) = expected_of_bit(&files, &mutated[&path], &path, byte);
            let name = format!("{kind}: bit {bit} of byte {byte} of {path}");
            rows.push(Row { name, files: mutated, trust: forge.trust(), full, hashes_only });
        }
    }
    assert_eq!(rows.len(), 4 * POSITIONS);
    judge_table(&rows);
}

/// The smallest export there is, so that every bit can be had: none may pass, none may be called "could not check".
#[test]
fn every_bit_of_a_genesis_and_its_seal_is_found() {
    let forge = Forge::new();
    let files = forge.files();
    let dir = tempfile::tempdir().unwrap();
    write(&files, dir.path());
    let mut bits = 0;
    for (path, bytes) in &files {
        for byte in 0..bytes.len() {
            for bit in 0..8 {
                let mut mutated = bytes.clone();
                mutated[byte] ^= 1 << bit;
                fs::write(dir.path().join(path), mutated).unwrap();
                for checks in [Checks::Full, Checks::HashesOnly] {
                    let report = check_folder(dir.path(), &forge.trust(), checks);
                    let place = format!("bit {bit} of byte {byte} of {path}, {checks:?}");
                    assert_eq!(report.verdict, Verdict::Invalid, "{place}: {report}");
                }
                bits += 1;
            }
        }
        fs::write(dir.path().join(path), bytes).unwrap();
    }
    println!("{bits} bits, each flipped and checked in full and by hashes only");
}

#[test]
fn a_version_of_the_rules_that_a_bit_made_unknown_is_damage() {
    let forge = logs::honest();
    let genesis = &forge.entries[0];
    let file = "tile/entries/000";
    let mut rows = Vec::new();
    for byte in 0..genesis.len() {
        for bit in 0..8 {
            let mut entry = genesis.clone();
            entry[byte] ^= 1 << bit;
            if !matches!(Genesis::from_entry(&entry), Err(GenesisError::RulesVersion { .. })) {
                continue;
            }
            let mut files = forge.files();
            // The first entry begins behind its length.
            files.get_mut(file).unwrap()[2 + byte] ^= 1 << bit;
            rows.push(damaged_row(
                &forge.trust(),
                format!("bit {bit} of byte {byte}"),
                files,
                at_leaf(0, file),
            ));
        }
    }
    assert_eq!(rows.len(), 6);
    judge_table(&rows);
}

#[test]
fn rules_that_are_not_known_excuse_no_damage() {
    let (entries, trust) = of_other_rules();
    let key = SigningKey::from_seed([1; 32]);
    let files = files_of_log(&entries, &key);
    let mut changed = entries.clone();
    // Its time, which only the rules look at.
    changed[100][9] ^= 1;
    let (bundle, tile) = ("tile/entries/000".to_owned(), "tile/0/000".to_owned());
    let other = files_of_log(&changed, &key);
    let with = |paths: &[&String]| {
        let mut files = files.clone();
        paths.iter().for_each(|path| files.get_mut(*path).unwrap().clone_from(&other[*path]));
        files
    };
    judge_table(&[
        Row {
            name: "untouched".to_owned(),
            files: files.clone(),
            trust: trust.clone(),
            full: Expected::CouldNotCheck(Place {
                log_index: Some(0),
                file: None,
                fields: vec!["rules_version"],
            }),
            hashes_only: Expected::Valid,
        },
        damaged_row(&trust, "an entry changed".to_owned(), with(&[&bundle]), at_leaf(100, &bundle)),
        damaged_row(
            &trust,
            "an entry and its hash tile changed".to_owned(),
            with(&[&bundle, &tile]),
            in_file("tile/1/000.p/1", "hash[0]"),
        ),
        damaged_row(
            &trust,
            "a checkpoint over another root".to_owned(),
            files_under(&entries, String::from_utf8(other["checkpoint"].clone()).unwrap()),
            in_file("checkpoint", "root"),
        ),
    ]);
}

#[test]
fn entries_dropped_swapped_and_repeated_are_found_at_the_first_that_moved() {
    let forge = logs::honest();
    // A plain transfer in the second bundle, with two more behind it.
    let place = 300;
    let file = "tile/entries/001";
    let edit = |name: &str, full, hashes_only, change: &dyn Fn(&mut Vec<Vec<u8>>)| {
        let mut entries = forge.entries.clone();
        change(&mut entries);
        let files = bundles_only(&forge, &entries);
        Row { name: name.to_owned(), files, trust: forge.trust(), full, hashes_only }
    };
    let moved = |index| at_in(index, file, &["leaf_hash"]);
    judge_table(&[
        edit("an entry dropped", moved(300), moved(300), &|entries| {
            entries.remove(place);
        }),
        edit("two entries swapped", moved(300), moved(300), &|entries| entries.swap(place, place + 1)),
        edit("an entry repeated", at_in(301, file, &["recorded_at_nanos"]), moved(301), &|entries| {
            let again = entries[place].clone();
            entries.insert(place, again);
        }),
    ]);
}

#[test]
fn a_dropped_block_is_found_by_its_files_or_by_its_seals() {
    let forge = logs::honest();
    let seals = logs::seals(&forge.entries);
    // Block 2 is the seal of block 1 and what follows up to, not including, its own seal.
    let (first, end) = (seals[1], seals[2]);
    let mut entries = forge.entries.clone();
    entries.drain(first..end);
    let note = String::from_utf8(forge.files()["checkpoint"].clone()).unwrap();
    let index = first as u64;
    judge_table(&[
        Row {
            name: "a block dropped, all files made anew but the checkpoint".to_owned(),
            files: files_under(&entries, note),
            trust: forge.trust(),
            full: at(index, "recorded_at_nanos"),
            hashes_only: at(index, "height"),
        },
        Row {
            name: "a block dropped, the checkpoint signed anew by the log's key".to_owned(),
            files: files_of_log(&entries, &forge.log_key),
            trust: forge.trust(),
            full: at(index, "recorded_at_nanos"),
            hashes_only: at(index, "height"),
        },
    ]);
}

#[test]
fn a_wrong_checkpoint_is_found() {
    let forge = logs::honest();
    let files = forge.files();
    let size = forge.entries.len() as u64;
    let other = SigningKey::from_seed([9; 32]);
    let signed = |size: u64, origin: &str, key: &SigningKey| {
        let note = Checkpoint { origin: origin.to_owned(), size, root: [5; 32] }.sign(key).unwrap();
        let mut files = files.clone();
        files.insert("checkpoint".to_owned(), note.into_bytes());
        files
    };
    let row = |name: &str, files, expected: Expected| Row {
        name: name.to_owned(),
        files,
        trust: forge.trust(),
        full: expected.clone(),
        hashes_only: expected,
    };
    let last = forge.entries.len() - 1;
    judge_table(&[
        row(
            "signed by another key",
            files_of_log(&forge.entries, &other),
            in_file("checkpoint", "signature"),
        ),
        row(
            "of another origin",
            signed(size, "ledger.example/other", &forge.log_key),
            in_file("checkpoint", "signature"),
        ),
        row(
            "another root for the same size",
            signed(size, ORIGIN, &forge.log_key),
            in_file("checkpoint", "root"),
        ),
        row("a size without files", signed(1 << 62, ORIGIN, &forge.log_key), in_file("tile/1/000", "file")),
        row("no genesis and seal", signed(1, ORIGIN, &forge.log_key), in_file("checkpoint", "size")),
        row(
            "ends within a block",
            files_of_log(&forge.entries[..last], &forge.log_key),
            in_file("checkpoint", "size"),
        ),
    ]);
}

/// Folders and files that are links to one another have a file for every index of any size.
#[test]
fn a_size_that_the_files_only_repeat_is_found_where_they_do() {
    let forge = logs::honest();
    let mut files = forge.files();
    let (bundle, tile) = (files["tile/entries/000"].clone(), files["tile/0/000"].clone());
    files.insert("tile/entries/001".to_owned(), bundle);
    let leaves: Vec<_> = tile.as_chunks().0.to_vec();
    files.insert("tile/0/001".to_owned(), tile);
    files.insert("tile/1/000".to_owned(), ledger_merkle::build::root(&leaves).repeat(256));
    let note = Checkpoint { origin: ORIGIN.to_owned(), size: 1 << 62, root: [5; 32] };
    files.insert("checkpoint".to_owned(), note.sign(&forge.log_key).unwrap().into_bytes());
    judge_table(&[Row {
        name: "the first bundle again, for the next".to_owned(),
        files,
        trust: forge.trust(),
        full: at(256, "recorded_at_nanos"),
        hashes_only: at(257, "height"),
    }]);
}

#[test]
fn missing_and_misshapen_files_are_found() {
    let forge = logs::honest();
    let mut rows = Vec::new();
    let mut add = |name: String, files, expected: Expected| {
        rows.push(Row { name, files, trust: forge.trust(), full: expected.clone(), hashes_only: expected });
    };
    for path in forge.files().keys() {
        let mut files = forge.files();
        files.remove(path);
        add(format!("{path} missing"), files, in_file(path, "file"));
        let tile = matches!(parse_path(path), Some(TilePath::Hashes(_)));
        if tile {
            let mut files = forge.files();
            files.get_mut(path).unwrap().pop();
            add(format!("{path} one byte shorter"), files, in_file(path, "length"));
            let mut files = forge.files();
            files.get_mut(path).unwrap().push(0);
            add(format!("{path} one byte longer"), files, in_file(path, "length"));
        }
    }
    let size = forge.entries.len() as u64;
    let last = entries_path(size / 256, (size % 256) as u16);
    let mut files = forge.files();
    files.get_mut(&last).unwrap().pop();
    add(format!("{last} one byte shorter"), files, at_in(size - 1, &last, &["length"]));
    let mut files = forge.files();
    files.get_mut(&last).unwrap().push(0);
    add(format!("{last} one byte longer"), files, in_file(&last, "length"));
    judge_table(&rows);
}

fn valid_row(forge: &Forge, name: &str, files: Files) -> Row {
    let (full, hashes_only) = (Expected::Valid, Expected::Valid);
    Row { name: name.to_owned(), files, trust: forge.trust(), full, hashes_only }
}

/// A row of damage that both checks must find alike.
fn damaged_row(trust: &Trust, name: String, files: Files, expected: Expected) -> Row {
    Row { name, files, trust: trust.clone(), full: expected.clone(), hashes_only: expected }
}

fn at_leaf(log_index: u64, file: &str) -> Expected {
    at_in(log_index, file, &["leaf_hash"])
}

/// A log whose genesis asks for rules of a later version, with more than a bundle of entries.
fn of_other_rules() -> (Vec<Vec<u8>>, Trust) {
    let honest = Forge::new();
    let genesis = Genesis { rules_version: 2, ..honest.state.constants().genesis.clone() };
    let mut entries = vec![genesis.to_entry(1_000)];
    let ledger_id = Entry::leaf_hash(&entries[0]);
    let mut chain = SealChain::new(ledger_id);
    let mut nanos = 1_000;
    for expiries in [0, 300] {
        let mut block = BlockInput::new(Totals::default(), honest.state.params().clone());
        for _ in 0..expiries {
            nanos += 1;
            let content = Content::Expiry { payment_id: PaymentId::default() };
            let entry = Entry { recorded_at_nanos: nanos, outcome: 0, group_len: 1, group_index: 0, content };
            entries.push(entry.encode());
        }
        let begun = entries.len() - expiries.max(1);
        entries[begun..].iter().for_each(|entry| block.push_leaf(Entry::leaf_hash(entry)));
        nanos += 1;
        block.recorded_at_nanos = nanos;
        entries.push(chain.seal(block).entry);
    }
    (entries, Trust { ledger_id, ..honest.trust() })
}

/// The files of the export by kind.
fn kinds(files: &Files) -> [(&'static str, Vec<String>); 4] {
    let named = |wanted: &dyn Fn(&str) -> bool| files.keys().filter(|path| wanted(path)).cloned().collect();
    [
        ("entry bundle", named(&|path| path.starts_with("tile/entries/"))),
        ("hash tile", named(&|path| matches!(parse_path(path), Some(TilePath::Hashes(_))))),
        ("checkpoint", named(&|path| path == "checkpoint")),
        ("genesis", named(&|path| path == "genesis")),
    ]
}

/// What a flipped bit must lead to: of the full check, and of the hashes alone.
pub fn expected_of_bit(files: &Files, mutated: &[u8], path: &str, byte: usize) -> (Expected, Expected) {
    let both = |expected: Expected| (expected.clone(), expected);
    match parse_path(path) {
        None if path == "genesis" => both(in_file(path, "ledger_id")),
        None => {
            let text = std::str::from_utf8(mutated).is_ok();
            both(in_file(path, if text { "signature" } else { "text" }))
        }
        Some(TilePath::Hashes(tile)) if tile.level == 0 => {
            both(at_in(tile.index * 256 + (byte / 32) as u64, path, &["leaf_hash"]))
        }
        Some(TilePath::Hashes(_)) => {
            let field: &'static str = ["hash[0]", "hash[1]"][byte / 32];
            both(in_file(path, field))
        }
        Some(TilePath::Entries { index, .. }) => {
            let (position, offset) = entry_at(&files[path], byte);
            let log_index = index * 256 + position;
            let place = |fields: &[&'static str]| at_in(log_index, path, fields);
            let Some(offset) = offset else { return both(place(&["length", "entry"])) };
            (place(fields_at(offset)), place(&["entry", "leaf_hash"]))
        }
    }
}

/// Fields that a flipped bit at an offset of an entry may make wrong first. Nothing else may be named.
fn fields_at(offset: usize) -> &'static [&'static str] {
    match offset {
        0 | 1 => &["entry"],
        2..10 => &["recorded_at_nanos", "expiry", "leaf_hash"],
        10..12 => &["entry", "leaf_hash"],
        12..16 => &["entry", "group_len", "group_index", "leaf_hash"],
        16 => &["entry", "leaf_hash"],
        _ => &["entry", "payload", "genesis", "group_len", "expiry", "position", "count", "leaf_hash"],
    }
}

/// Position of the entry in whose bytes `byte` lies, and the offset in it; `None` in its length.
fn entry_at(bundle: &[u8], byte: usize) -> (u64, Option<usize>) {
    let mut start = 0;
    for position in 0.. {
        let length = usize::from(u16::from_be_bytes([bundle[start], bundle[start + 1]]));
        let end = start + 2 + length;
        if byte < end {
            return (position, byte.checked_sub(start + 2));
        }
        start = end;
    }
    unreachable!("a bundle ends with an entry")
}

/// The honest export with the bundles of other entries: as many files, the last entries cut off or left out.
pub fn bundles_only(forge: &Forge, entries: &[Vec<u8>]) -> Files {
    let mut files = forge.files();
    let size = forge.entries.len();
    for (index, chunk) in entries[..entries.len().min(size)].chunks(256).enumerate() {
        let width = (size - index * 256).min(256) as u16;
        let path = entries_path(index as u64, width);
        files.insert(path, encode_bundle(chunk).unwrap());
    }
    files
}

/// SplitMix64 (Steele, Lea, Flood 2014): the same positions in every run.
pub struct Seeded(pub u64);

impl Seeded {
    /// A number below `bound`.
    pub fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((mixed ^ (mixed >> 31)) % bound as u64) as usize
    }
}
