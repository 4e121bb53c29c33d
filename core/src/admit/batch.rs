//! A signed batch as a whole, and its header: group 2, then 307 to 505, lowest number first.

use ledger_crypto::Hash;

use super::{Admission, check_ledger, identity, request, signers};
use crate::apply::Stop;
use crate::code::{Code, Refusal};
use crate::event::{Event, Family};
use crate::unit::{VerifiedBatch, VerifiedEvent};
use crate::view::{Constants, StateView, ViewError};
use signers::SignerKeys;

/// Why a batch goes no further.
pub(super) enum WholeStop {
    /// A member is at fault.
    Member(usize, Refusal),
    /// The header is, or the batch as a whole.
    Whole(Refusal),
    /// State could not be read.
    View(ViewError),
}

impl WholeStop {
    pub(super) fn turned_away(self) -> Result<Admission, ViewError> {
        match self {
            Self::Member(member, refusal) => Ok(Admission::Rejected { member, refusal }),
            Self::Whole(refusal) => Ok(Admission::BatchRejected(refusal)),
            Self::View(error) => Err(error),
        }
    }
}

impl From<Stop> for WholeStop {
    fn from(stop: Stop) -> Self {
        match stop {
            Stop::Refused(refusal) => Self::Whole(refusal),
            Stop::View(error) => Self::View(error),
        }
    }
}

/// Admits everything but the members by themselves. The keys are those of every member.
pub(super) fn admit_whole(
    view: &impl StateView,
    header: &VerifiedBatch,
    events_root: Option<&Hash>,
    members: &[VerifiedEvent],
    t_nanos: u64,
) -> Result<SignerKeys, WholeStop> {
    check_request(view.constants(), header, events_root, members)?;
    admit_header(view, header, t_nanos).map_err(WholeStop::from)
}

/// 201 to 205.
fn check_request(
    constants: &Constants,
    header: &VerifiedBatch,
    events_root: Option<&Hash>,
    members: &[VerifiedEvent],
) -> Result<(), WholeStop> {
    let most = constants.limits.batch_members;
    if members.is_empty() {
        return Err(WholeStop::Whole(Refusal::of(Code::RequestEmpty, "events", 0, 1)));
    }
    if members.len() > most as usize {
        return Err(WholeStop::Whole(Refusal::of(Code::RequestTooLarge, "events", members.len(), most)));
    }
    let events: Vec<&Event> = members.iter().map(|member| member.signed().event()).collect();
    if let Some(position) = request::repeated_id(&events) {
        return Err(WholeStop::Member(position, request::twice(&events, position, "once in a batch")));
    }
    check_groups(constants, &events)?;
    check_agreement(header, events_root, &events)
}

/// 204: consecutive members that name one group are that group.
fn check_groups(constants: &Constants, events: &[&Event]) -> Result<(), WholeStop> {
    let most = constants.limits.group_members as usize;
    let together = |one: &&Event, other: &&Event| !one.group.is_empty() && one.group == other.group;
    let mut position = 0;
    for run in events.chunk_by(together) {
        let checked = match run {
            [single] => request::check_single(single),
            group if group.len() > most => {
                Err(Refusal::of(Code::GroupMismatch, "group", group.len(), format!("at most {most} members")))
            }
            group => request::check_members(group),
        };
        checked.map_err(|refusal| WholeStop::Member(position, refusal))?;
        position += run.len();
    }
    Ok(())
}

/// 205: the header is that of these members.
fn check_agreement(
    header: &VerifiedBatch,
    events_root: Option<&Hash>,
    events: &[&Event],
) -> Result<(), WholeStop> {
    let batch = header.batch();
    let mismatch =
        |field, value: String, limit: String| Refusal::of(Code::BatchMismatch, field, value, limit);
    if batch.count as usize != events.len() {
        let (found, limit) = (batch.count.to_string(), format!("{}, the members", events.len()));
        return Err(WholeStop::Whole(mismatch("count", found, limit)));
    }
    for (position, event) in events.iter().enumerate() {
        let refusal = if event.body.family() == Family::Registry {
            mismatch("body", event.body.name().to_owned(), "an event that may stand in a batch".to_owned())
        } else if event.signers != batch.signers {
            mismatch("signers", hex_list(&event.signers), hex_list(&batch.signers))
        } else {
            continue;
        };
        return Err(WholeStop::Member(position, refusal));
    }
    let Some(root) = events_root else {
        let limit = "members without signatures of their own".to_owned();
        return Err(WholeStop::Whole(mismatch("signatures", "those of a member".to_owned(), limit)));
    };
    if batch.events_root != *root {
        let (found, limit) = (hex::encode(&batch.events_root), hex::encode(root));
        return Err(WholeStop::Whole(mismatch("events_root", found, limit)));
    }
    Ok(())
}

/// 307, then 401 to 405, then 501 to 505. A header needs no role; its members do.
fn admit_header(view: &impl StateView, header: &VerifiedBatch, t_nanos: u64) -> Result<SignerKeys, Stop> {
    let batch = header.batch();
    check_ledger(view, &batch.ledger_id)?;
    header.signatures()?;
    let keys = signers::registered_keys(view, batch.signers.iter().map(Vec::as_slice))?;
    identity::check_batch(&batch.batch_id, |id| view.known_batch(id), t_nanos)?;
    Ok(keys)
}

fn hex_list(keys: &[Vec<u8>]) -> String {
    keys.iter().map(hex::encode).collect::<Vec<_>>().join(", ")
}
