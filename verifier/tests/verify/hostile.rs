//! Whatever the files hold, the answer is a verdict, never a panic or an endless read.

use std::fs;
use std::sync::OnceLock;

use ledger_crypto::SigningKey;
use ledger_verify::{Checks, Report, Trust, Verdict, check_receipt};
use proptest::prelude::*;
use proptest::sample::Index;

use crate::forge::{Files, Forge, files_of_log, receipt_of};
use crate::judge::check;
use crate::logs;

/// How a file is damaged.
#[derive(Clone, Debug)]
enum Damage {
    Overwrite(Index, Vec<u8>),
    Insert(Index, Vec<u8>),
    Cut(Index, Index),
    Truncate(Index),
    Replace(Vec<u8>),
    Empty,
    HugeLength(Index),
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn damaged_files_get_a_verdict(file: Index, damages in prop::collection::vec(damage(), 1..4)) {
        let (files, trust) = honest();
        let path = files.keys().nth(file.index(files.len())).unwrap();
        let mut damaged = files.clone();
        let bytes = damaged.get_mut(path).unwrap();
        damages.iter().for_each(|damage| apply(damage, bytes));
        let same = damaged == *files;
        for checks in [Checks::Full, Checks::HashesOnly] {
            let report = check(&damaged, trust, checks);
            prop_assert_eq!(report.verdict == Verdict::Valid, same, "{}: {}", path, report);
        }
    }

    /// Sealed anew by the real key, so that every check behind the hashes meets the damage.
    #[test]
    fn damaged_entries_under_a_right_checkpoint_get_a_verdict(entry: Index, damages in prop::collection::vec(damage(), 1..3)) {
        let log = honest_entries();
        let mut entries = log.clone();
        let at = entry.index(entries.len() - 1);
        damages.iter().for_each(|damage| apply(damage, &mut entries[at]));
        entries[at].truncate(usize::from(u16::MAX));
        let files = files_of_log(&entries, &SigningKey::from_seed([1; 32]));
        let (_, trust) = honest();
        let report = check(&files, trust, Checks::Full);
        prop_assert_eq!(report.verdict == Verdict::Valid, entries == *log, "{}", report);
    }

    #[test]
    fn damaged_receipts_get_a_verdict(damages in prop::collection::vec(damage(), 1..4)) {
        let (_, trust) = honest();
        let mut bytes = receipt().into_bytes();
        damages.iter().for_each(|damage| apply(damage, &mut bytes));
        let report = receipt_report(&bytes, trust);
        prop_assert_eq!(report.verdict == Verdict::Valid, bytes == receipt().into_bytes(), "{}", report);
    }
}

#[test]
fn a_folder_in_the_place_of_a_file_is_a_wrong_file() {
    let (files, trust) = honest();
    for path in files.keys() {
        let dir = tempfile::tempdir().unwrap();
        crate::forge::write(files, dir.path());
        fs::remove_file(dir.path().join(path)).unwrap();
        fs::create_dir(dir.path().join(path)).unwrap();
        let report = ledger_verify::check_archive(
            dir.path(),
            trust,
            Checks::Full,
            &crate::judge::pool(),
            &mut |_, _| {},
        );
        assert_eq!(report.verdict, Verdict::Invalid, "{path}: {report}");
        assert_eq!(report.finding.unwrap().file.as_ref(), Some(path));
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let bytes = || prop::collection::vec(any::<u8>(), 1..40);
    prop_oneof![
        4 => (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Overwrite(at, bytes)),
        2 => (any::<Index>(), bytes()).prop_map(|(at, bytes)| Damage::Insert(at, bytes)),
        2 => (any::<Index>(), any::<Index>()).prop_map(|(from, to)| Damage::Cut(from, to)),
        2 => any::<Index>().prop_map(Damage::Truncate),
        1 => prop::collection::vec(any::<u8>(), 0..400).prop_map(Damage::Replace),
        1 => Just(Damage::Empty),
        2 => any::<Index>().prop_map(Damage::HugeLength),
    ]
}

fn apply(damage: &Damage, bytes: &mut Vec<u8>) {
    let place = |index: &Index| index.index(bytes.len() + 1);
    match damage {
        Damage::Overwrite(at, new) => {
            let at = place(at);
            let end = (at + new.len()).min(bytes.len());
            bytes.splice(at..end, new.iter().copied());
        }
        Damage::Insert(at, new) => {
            let at = place(at);
            bytes.splice(at..at, new.iter().copied());
        }
        Damage::Cut(from, to) => {
            let (from, to) = (place(from), place(to));
            bytes.drain(from.min(to)..from.max(to));
        }
        Damage::Truncate(at) => bytes.truncate(place(at)),
        Damage::Replace(new) => bytes.clone_from(new),
        Damage::Empty => bytes.clear(),
        Damage::HugeLength(at) => {
            let at = place(at);
            let end = (at + 4).min(bytes.len());
            bytes[at..end].fill(0xff);
        }
    }
}

/// A small log with every kind of entry, its files, and what an auditor brings along.
fn honest() -> &'static (Files, Trust) {
    static HONEST: OnceLock<(Files, Trust)> = OnceLock::new();
    HONEST.get_or_init(|| {
        (files_of_log(honest_entries(), &SigningKey::from_seed([1; 32])), Forge::new().trust())
    })
}

fn honest_entries() -> &'static Vec<Vec<u8>> {
    static ENTRIES: OnceLock<Vec<Vec<u8>>> = OnceLock::new();
    ENTRIES.get_or_init(|| logs::small().entries)
}

fn receipt() -> String {
    receipt_of(honest_entries(), 8, std::str::from_utf8(&honest().0["checkpoint"]).unwrap())
}

fn receipt_report(bytes: &[u8], trust: &Trust) -> Report {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("receipt");
    fs::write(&file, bytes).unwrap();
    check_receipt(&file, trust)
}
