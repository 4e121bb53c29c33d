//! A unit, entry or seal in question: what is wrong with it.

use super::finding::{Finding, Halt};
use crate::admit::{Admission, admit_up_to, rules_known};
use crate::code::{Code, Refusal};
use crate::genesis::RULES_VERSION;
use crate::ids::{BlockHeight, LogIndex};
use crate::invariants::Broken;
use crate::state::MemoryState;
use crate::unit::{Unit, VerifiedBatch, VerifiedEvent};

/// The unit or entry in question.
pub(super) struct Case {
    pub(super) first_index: u64,
    pub(super) height: BlockHeight,
}

impl Case {
    /// Signatures, then admission. Of two members at fault the first is named; a fault of the whole at its first entry.
    pub(super) fn check_admission(&self, state: &MemoryState, unit: &Unit, t_nanos: u64) -> Result<(), Halt> {
        let unsigned = self.first_unsigned(unit.header(), unit.members());
        let unknown = unit.members().iter().position(|member| !rules_known(&member.signed().event().body));
        // Rules that are not known excuse nothing that the rules in force say of the event that brings them.
        let newest = if unknown.is_some() { u32::MAX } else { RULES_VERSION };
        let (index, found) = match admit_up_to(newest, state, unit, t_nanos)? {
            Admission::Admitted => {
                return match (unsigned, unknown) {
                    (Some(unsigned), _) => Err(self.unsigned(&unsigned)),
                    (None, Some(unknown)) => Err(self.unknown(unit, unknown)),
                    (None, None) => Ok(()),
                };
            }
            Admission::Rejected { member, refusal } => (self.index_of(unit, member), refusal.to_string()),
            Admission::BatchRejected(refusal) => (self.first_index, refusal.to_string()),
            Admission::Known(known) => {
                let first = known.first().map_or(0, |event| event.log_index.0);
                (self.first_index, format!("the event of entry {first} again"))
            }
        };
        match unsigned {
            Some(unsigned) if unsigned.0.0 <= index => Err(self.unsigned(&unsigned)),
            _ => {
                let expected = "an event that may be admitted";
                Err(self.wrong(LogIndex(index), "admission", expected, &found))
            }
        }
    }

    /// The header of a batch, or the first member outside of one, whose signatures are not right.
    pub(super) fn first_unsigned<'a>(
        &self,
        header: Option<&VerifiedBatch>,
        members: impl IntoIterator<Item = &'a VerifiedEvent>,
    ) -> Option<(LogIndex, Refusal)> {
        if let Some(header) = header {
            return header.signatures().err().map(|refusal| (LogIndex(self.first_index), refusal));
        }
        let fault = |(index, member): (u64, &VerifiedEvent)| {
            member.signatures().err().map(|refusal| (LogIndex(index), refusal))
        };
        (self.first_index..).zip(members).find_map(fault)
    }

    /// The entry whose signatures are not right.
    pub(super) fn unsigned(&self, (index, refusal): &(LogIndex, Refusal)) -> Halt {
        let expected = "the valid signature of each signer, no other";
        self.wrong(*index, "signature", expected, &refusal.to_string())
    }

    /// `group_len` of an entry is the length of the run that it stands in.
    pub(super) fn check_group_len(
        &self,
        log_index: LogIndex,
        found: u16,
        run_len: usize,
    ) -> Result<(), Halt> {
        if usize::from(found) == run_len {
            return Ok(());
        }
        Err(self.wrong(log_index, "group_len", &run_len.to_string(), &found.to_string()))
    }

    pub(super) fn check_outcome(
        &self,
        log_index: LogIndex,
        found: u16,
        refusal: Option<&Refusal>,
    ) -> Result<(), Halt> {
        let expected = refusal.map_or(0, |refusal| refusal.code.number());
        if expected == found {
            return Ok(());
        }
        let expected = refusal.map_or("0 ACCEPTED".to_owned(), ToString::to_string);
        let found = match Code::from_number(found) {
            Some(code) => format!("{found} {code}"),
            None if found == 0 => "0 ACCEPTED".to_owned(),
            None => found.to_string(),
        };
        Err(self.wrong(log_index, "outcome", &expected, &found))
    }

    pub(super) fn broken(&self, broken: Broken) -> Halt {
        match broken {
            Broken::Violated(violation) => {
                let field = format!("invariant {}, {}", violation.invariant, violation.subject);
                self.wrong(violation.log_index, &field, &violation.expected, &violation.found)
            }
            Broken::View(error) => Halt::View(error),
        }
    }

    fn unknown(&self, unit: &Unit, member: usize) -> Halt {
        let name = unit.members().get(member).map_or("", |member| member.signed().event().body.name());
        let index = LogIndex(self.index_of(unit, member));
        let mut finding = self.finding(index, "body", "an event whose rules are known here", name);
        finding.words = format!("entry {index}: rules of this event not known: {name}");
        Halt::Unknown(Box::new(finding))
    }

    /// Log index of a member: after the header, when it is a batch.
    pub(super) fn index_of(&self, unit: &Unit, member: usize) -> u64 {
        self.first_index + u64::from(unit.header().is_some()) + member as u64
    }

    pub(super) fn wrong(&self, log_index: LogIndex, field: &str, expected: &str, found: &str) -> Halt {
        Halt::Wrong(Box::new(self.finding(log_index, field, expected, found)))
    }

    pub(super) fn finding(&self, log_index: LogIndex, field: &str, expected: &str, found: &str) -> Finding {
        Finding::at_entry(log_index, self.height, field, expected, found)
    }
}
