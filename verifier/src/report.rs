//! Verdict and finding: what the program answers, in words and as JSON.

use std::fmt;

use ledger_core::replay::{Finding, Halt};
use serde::Serialize;

/// What the check came to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Verdict {
    /// Everything that was asked for holds; what a receipt cannot show is named beside it.
    Valid,
    /// Something is wrong; the finding names the first.
    Invalid,
    /// Neither: a malformed or weak key, rules that this version does not know, a folder that cannot be read.
    CouldNotCheck,
}

impl Verdict {
    /// The word in `--json`: `valid`, `invalid`, `could not check`.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Valid => "valid",
            Self::Invalid => "invalid",
            Self::CouldNotCheck => "could not check",
        }
    }

    /// Exit code of the program: 0 valid, 5 invalid, 1 could not check.
    #[must_use]
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Valid => 0,
            Self::Invalid => 5,
            Self::CouldNotCheck => 1,
        }
    }
}

/// The answer to one check.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Report {
    /// What it came to.
    pub verdict: Verdict,
    /// Entries under the checkpoint, once it is trusted.
    pub size: Option<u64>,
    /// Height of the last block, once all is checked.
    pub height: Option<u64>,
    /// The first thing that is wrong, or why nothing could be said; of a valid receipt, what it leaves open.
    pub finding: Option<Finding>,
    /// One sentence on what was checked, for a person.
    pub words: String,
}

impl Report {
    /// A check that found nothing wrong.
    pub(crate) fn valid(size: u64, height: Option<u64>, words: String) -> Self {
        Self { verdict: Verdict::Valid, size: Some(size), height, finding: None, words }
    }

    /// A check that found nothing wrong, and `open`, what it could not check.
    pub(crate) fn valid_but(size: u64, words: String, open: Finding) -> Self {
        let words = format!("{words}; {}", open.words);
        Self { verdict: Verdict::Valid, size: Some(size), height: None, finding: Some(open), words }
    }

    /// A check that stopped.
    pub(crate) fn stopped(stop: Stop, size: Option<u64>) -> Self {
        let (verdict, finding) = match stop {
            Stop::Invalid(finding) => (Verdict::Invalid, *finding),
            Stop::CouldNotCheck(finding) => (Verdict::CouldNotCheck, *finding),
        };
        let words = format!("{}: {}", verdict.word(), finding.words);
        Self { verdict, size, height: None, finding: Some(finding), words }
    }

    /// A check that did not begin, because of something on the command line.
    #[must_use]
    pub fn refused(field: &str, expected: &str, found: &str, words: String) -> Self {
        let finding = Finding {
            log_index: None,
            height: None,
            file: None,
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
            words,
        };
        Self::stopped(Stop::CouldNotCheck(Box::new(finding)), None)
    }

    /// The answer as one line of JSON; numbers of 64 bits are strings.
    #[must_use]
    pub fn to_json(&self) -> String {
        let finding = self.finding.as_ref().map(|finding| FindingJson {
            log_index: finding.log_index.map(|index| index.to_string()),
            height: finding.height.map(|height| height.to_string()),
            file: finding.file.as_deref(),
            field: &finding.field,
            expected: &finding.expected,
            found: &finding.found,
            words: &finding.words,
        });
        let text = |number: u64| number.to_string();
        let report = ReportJson {
            verdict: self.verdict.word(),
            size: self.size.map(text),
            height: self.height.map(text),
            finding,
        };
        serde_json::to_string(&report).unwrap_or_default()
    }
}

/// What a person reads: the sentence, then the finding a line per field.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.words)?;
        let Some(finding) = &self.finding else { return Ok(()) };
        let index = finding.log_index.map(|index| index.to_string());
        let height = finding.height.map(|height| height.to_string());
        let rows = [
            ("log index", index.as_deref()),
            ("block", height.as_deref()),
            ("file", finding.file.as_deref()),
            ("field", Some(finding.field.as_str())),
            ("expected", Some(finding.expected.as_str())),
            ("found", Some(finding.found.as_str())),
        ];
        for (name, value) in rows {
            if let Some(value) = value {
                write!(f, "\n  {name:<10} {value}")?;
            }
        }
        Ok(())
    }
}

/// Why a check went no further. Boxed: a finding is large, and rare.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Stop {
    /// Something is wrong.
    #[error("{}", .0.words)]
    Invalid(Box<Finding>),
    /// Nothing can be said.
    #[error("{}", .0.words)]
    CouldNotCheck(Box<Finding>),
}

impl Stop {
    /// A file of the export that is wrong.
    pub(crate) fn wrong_file(file: &str, field: &str, expected: impl ToString, found: impl ToString) -> Self {
        Self::Invalid(Box::new(about_file(file, field, expected, found)))
    }

    /// A file that may be right, but could not be read.
    pub(crate) fn unreadable(file: &str, error: &std::io::Error) -> Self {
        Self::CouldNotCheck(Box::new(about_file(file, "file", "a readable file", error)))
    }
}

impl From<Halt> for Stop {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Wrong(finding) => Self::Invalid(finding),
            Halt::Unknown(finding) => Self::CouldNotCheck(finding),
            Halt::View(error) => {
                let words = error.to_string();
                let finding = Finding {
                    log_index: None,
                    height: None,
                    file: None,
                    field: "state".to_owned(),
                    expected: "readable".to_owned(),
                    found: words.clone(),
                    words,
                };
                Self::CouldNotCheck(Box::new(finding))
            }
        }
    }
}

/// A finding about a file.
pub(crate) fn about_file(file: &str, field: &str, expected: impl ToString, found: impl ToString) -> Finding {
    let (expected, found) = (expected.to_string(), found.to_string());
    let words = format!("{file}: {field}: expected {expected}, found {found}");
    Finding {
        log_index: None,
        height: None,
        file: Some(file.to_owned()),
        field: field.to_owned(),
        expected,
        found,
        words,
    }
}

#[derive(Serialize)]
struct ReportJson<'a> {
    verdict: &'a str,
    size: Option<String>,
    height: Option<String>,
    finding: Option<FindingJson<'a>>,
}

#[derive(Serialize)]
struct FindingJson<'a> {
    log_index: Option<String>,
    height: Option<String>,
    file: Option<&'a str>,
    field: &'a str,
    expected: &'a str,
    found: &'a str,
    words: &'a str,
}
