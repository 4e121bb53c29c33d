//! A unit of which not all entries are there yet: which entry may come next.

use super::read::{Header, Member};

/// Entries so far; none between units.
#[derive(Default)]
pub(super) struct Begun {
    /// The first entry of a batch.
    pub(super) header: Option<Header>,
    pub(super) members: Vec<Member>,
}

/// An entry that may not come next.
pub(super) struct Misplaced {
    pub(super) field: &'static str,
    pub(super) expected: String,
    pub(super) found: String,
}

impl Begun {
    /// Which entry must come next; `None` when the unit is complete, or none has begun.
    pub(super) fn expects(&self) -> Option<String> {
        let (len, whole) = match (&self.header, self.members.first()) {
            (Some(header), _) => (u64::from(header.batch.batch().count), "batch"),
            (None, Some(first)) => (u64::from(first.group_len), "group"),
            (None, None) => return None,
        };
        let next = self.members.len();
        (next as u64 != len).then(|| format!("member {next} of {len} of the {whole}"))
    }

    /// A single event, or a member of an atomic group.
    pub(super) fn check_event(&self, member: &Member) -> Result<(), Misplaced> {
        match (&self.header, self.expects()) {
            (Some(_), Some(expected)) => Err(misplaced("kind", expected, "event")),
            _ => check_group(self.members.last(), member),
        }
    }

    /// A member of the batch that has begun.
    pub(super) fn check_batched(&self, position: u32, member: &Member) -> Result<(), Misplaced> {
        match (&self.header, self.expects()) {
            (Some(_), Some(_)) => {}
            (_, expected) => {
                let expected = expected.unwrap_or_else(|| "the header of the batch before it".to_owned());
                return Err(misplaced("kind", expected, "batched event"));
            }
        }
        let next = self.members.len();
        if usize::try_from(position) != Ok(next) {
            return Err(misplaced("position", next, position));
        }
        check_group(self.members.last(), member)
    }
}

/// Goes on with the group of the member before it, or begins one when that is complete.
fn check_group(before: Option<&Member>, member: &Member) -> Result<(), Misplaced> {
    let open = before.filter(|before| before.group_index + 1 < before.group_len);
    let Some(before) = open else {
        return match member.group_index {
            0 => Ok(()),
            found => Err(misplaced("group_index", "0: a group begins", found)),
        };
    };
    if member.group_len != before.group_len {
        return Err(misplaced("group_len", before.group_len, member.group_len));
    }
    let next = before.group_index + 1;
    if member.group_index != next {
        return Err(misplaced("group_index", next, member.group_index));
    }
    Ok(())
}

fn misplaced(field: &'static str, expected: impl ToString, found: impl ToString) -> Misplaced {
    Misplaced { field, expected: expected.to_string(), found: found.to_string() }
}
