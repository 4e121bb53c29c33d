//! Expected findings, and the check of a table of them.

use std::path::Path;
use std::sync::LazyLock;

use ledger_verify::{Checks, Report, Trust, Verdict, check_archive};
use rayon::{ThreadPool, ThreadPoolBuilder};

use crate::forge::{Files, write};

/// What a check must answer.
#[derive(Clone, Debug)]
pub enum Expected {
    /// Everything asked for holds.
    Valid,
    /// This finding, and no other.
    Finding(Place),
    /// The same, but nothing can be said.
    CouldNotCheck(Place),
}

/// Where a finding points, and the fields that it may name.
#[derive(Clone, Debug)]
pub struct Place {
    /// Entry, if the finding is about one.
    pub log_index: Option<u64>,
    /// File, if it must be this one.
    pub file: Option<String>,
    /// Fields that are right answers.
    pub fields: Vec<&'static str>,
}

/// A row of a table: an export, and what must be found in it.
pub struct Row {
    /// What was done.
    pub name: String,
    /// The export.
    pub files: Files,
    /// What the auditor brings along.
    pub trust: Trust,
    /// Answer of the full check.
    pub full: Expected,
    /// Answer of `--hashes-only`.
    pub hashes_only: Expected,
}

/// At an entry, in whichever file it stands.
pub fn at(log_index: u64, field: &'static str) -> Expected {
    Expected::Finding(Place { log_index: Some(log_index), file: None, fields: vec![field] })
}

/// At a file as a whole.
pub fn in_file(file: &str, field: &'static str) -> Expected {
    Expected::Finding(Place { log_index: None, file: Some(file.to_owned()), fields: vec![field] })
}

/// At an entry whose bytes are wrong in a file.
pub fn at_in(log_index: u64, file: &str, fields: &[&'static str]) -> Expected {
    Expected::Finding(Place {
        log_index: Some(log_index),
        file: Some(file.to_owned()),
        fields: fields.to_vec(),
    })
}

/// Two workers, as the smallest machine has.
pub fn pool() -> ThreadPool {
    ThreadPoolBuilder::new().num_threads(2).build().unwrap()
}

/// Writes an export and checks it.
pub fn check(files: &Files, trust: &Trust, checks: Checks) -> Report {
    let dir = tempfile::tempdir().unwrap();
    write(files, dir.path());
    check_folder(dir.path(), trust, checks)
}

/// Checks an export that is written.
pub fn check_folder(dir: &Path, trust: &Trust, checks: Checks) -> Report {
    static POOL: LazyLock<ThreadPool> = LazyLock::new(pool);
    check_archive(dir, trust, checks, &POOL, &mut |_, _| {})
}

/// Checks every row both ways, and fails with all that differ.
pub fn judge_table(rows: &[Row]) {
    let mut differing = Vec::new();
    for row in rows {
        for (checks, expected) in [(Checks::Full, &row.full), (Checks::HashesOnly, &row.hashes_only)] {
            let report = check(&row.files, &row.trust, checks);
            if !meets(&report, expected) {
                let name = &row.name;
                differing.push(format!("{name}, {checks:?}: expected {expected:?}\nfound {report}"));
            }
        }
    }
    assert!(differing.is_empty(), "{} of {}:\n{}", differing.len(), 2 * rows.len(), differing.join("\n\n"));
    println!("{} mutations, each checked in full and by hashes only", rows.len());
}

/// Whether a report is what was expected.
pub fn meets(report: &Report, expected: &Expected) -> bool {
    let (verdict, place) = match expected {
        Expected::Valid => return report.verdict == Verdict::Valid && report.finding.is_none(),
        Expected::Finding(place) => (Verdict::Invalid, place),
        Expected::CouldNotCheck(place) => (Verdict::CouldNotCheck, place),
    };
    report.verdict == verdict
        && report.finding.as_ref().is_some_and(|finding| {
            finding.log_index.map(|index| index.0) == place.log_index
                && place.file.as_ref().is_none_or(|file| finding.file.as_ref() == Some(file))
                && place.fields.contains(&finding.field.as_str())
        })
}
