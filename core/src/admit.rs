//! Admission: groups 2 to 6, against the state before the unit, at the unit's time. What it turns away leaves no trace.

mod batch;
mod fields;
mod identity;
mod request;
pub(crate) mod signers;

pub use request::group_hash;

use std::sync::Arc;

use crate::apply::Stop;
use crate::code::{Code, Refusal};
use crate::event::{Body, Event};
use crate::genesis::RULES_VERSION;
use crate::record::KeyRecord;
use crate::unit::{Unit, UnitKind, VerifiedEvent};
use crate::view::{KnownEvent, StateView, ViewError};

/// What admission found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Every member may be applied.
    Admitted,
    /// Every member is known with the same type and payload: the original answers.
    Known(Vec<KnownEvent>),
    /// A batch, turned away for its header or for what it is as a whole; nothing is recorded.
    BatchRejected(Refusal),
    /// Turned away; nothing is recorded.
    Rejected {
        /// Position of the first failing member; 0 for faults of the whole unit.
        member: usize,
        /// Why.
        refusal: Refusal,
    },
}

/// Whether the rules that hold after an event are known here: after a RulesChanged to a later version they are not.
pub fn rules_known(body: &Body) -> bool {
    match body {
        Body::RulesChanged(body) => body.rules_version <= RULES_VERSION,
        _ => true,
    }
}

/// Admits a unit at time `t_nanos`, in the order: exact matches with known events, group 2, then 304 of a RulesChanged
/// and 307 to 6xx, lowest number first: of a batch's header, then member by member.
pub fn admit(view: &impl StateView, unit: &Unit, t_nanos: u64) -> Result<Admission, ViewError> {
    admit_up_to(RULES_VERSION, view, unit, t_nanos)
}

/// The same, as versions of the rules up to `newest` were known: what a RulesChanged to a later version is judged by,
/// beside that version.
pub(crate) fn admit_up_to(
    newest: u32,
    view: &impl StateView,
    unit: &Unit,
    t_nanos: u64,
) -> Result<Admission, ViewError> {
    let known = known_members(view, unit)?;
    if let Some(originals) = all_exact(unit, &known) {
        return Ok(Admission::Known(originals));
    }
    let signers = match unit.kind() {
        UnitKind::Single | UnitKind::Group => {
            if let Err(refusal) = request::check(view.constants(), unit) {
                return Ok(Admission::Rejected { member: 0, refusal });
            }
            None
        }
        UnitKind::Batch { header, events_root } => {
            match batch::admit_whole(view, header, events_root.as_ref(), unit.members(), t_nanos) {
                Ok(signers) => Some(signers),
                Err(stop) => return stop.turned_away(),
            }
        }
    };
    for (position, (member, known)) in unit.members().iter().zip(&known).enumerate() {
        let checked = check_rules(newest, view, member.signed().event())
            .map_err(Stop::from)
            .and_then(|()| admit_member(view, member, signers.as_deref(), known.as_ref(), t_nanos));
        match checked {
            Ok(()) => {}
            Err(Stop::Refused(refusal)) => return Ok(Admission::Rejected { member: position, refusal }),
            Err(Stop::View(error)) => return Err(error),
        }
    }
    Ok(Admission::Admitted)
}

/// The first field, in declared order, in which two events with one id differ: the detail of EVENT_ID_CONFLICT.
/// `None` when they are equal.
pub fn first_difference(original: &Event, offered: &Event) -> Option<&'static str> {
    let fields = [
        ("ledger_id", original.ledger_id == offered.ledger_id),
        ("event_id", original.event_id == offered.event_id),
        ("payment_id", original.payment_id == offered.payment_id),
        ("previous_event_id", original.previous_event_id == offered.previous_event_id),
        ("signers", original.signers == offered.signers),
        ("group", original.group == offered.group),
        ("timestamp_nanos", original.timestamp_nanos == offered.timestamp_nanos),
        ("effective_date", original.effective_date == offered.effective_date),
        ("external_ref", original.external_ref == offered.external_ref),
        ("metadata_commitment", original.metadata_commitment == offered.metadata_commitment),
        ("body", original.body == offered.body),
    ];
    fields.into_iter().find(|(_, equal)| !equal).map(|(name, _)| name)
}

fn known_members(view: &impl StateView, unit: &Unit) -> Result<Vec<Option<KnownEvent>>, ViewError> {
    let known = |member: &VerifiedEvent| match member.signed().event_id() {
        Some(id) => view.known_event(&id),
        None => Ok(None),
    };
    unit.members().iter().map(known).collect()
}

/// The originals when every member is known with the same type and payload.
fn all_exact(unit: &Unit, known: &[Option<KnownEvent>]) -> Option<Vec<KnownEvent>> {
    let exact = |(member, known): (&VerifiedEvent, &Option<KnownEvent>)| {
        known.filter(|known| known.digest == *member.signed().digest())
    };
    let originals: Option<Vec<_>> = unit.members().iter().zip(known).map(exact).collect();
    originals.filter(|originals| !originals.is_empty())
}

/// `of_batch`: the keys that signed the batch, which are those of every member.
fn admit_member(
    view: &impl StateView,
    member: &VerifiedEvent,
    of_batch: Option<&[Arc<KeyRecord>]>,
    known: Option<&KnownEvent>,
    t_nanos: u64,
) -> Result<(), Stop> {
    let event = member.signed().event();
    check_ledger(view, &event.ledger_id)?;
    let own_keys;
    let keys = match of_batch {
        Some(keys) => keys,
        None => {
            signers::check_possession(view, event)?;
            member.signatures()?;
            own_keys = signers::registered(view, event)?;
            own_keys.as_slice()
        }
    };
    signers::check_authority(view.constants(), event, keys)?;
    identity::check(event, known, keys, t_nanos)?;
    fields::check(view.constants(), member, t_nanos)?;
    Ok(())
}

/// LEDGER_ID_MISMATCH.
fn check_ledger(view: &impl StateView, ledger_id: &[u8]) -> Result<(), Refusal> {
    let ours = &view.constants().ledger_id;
    if ledger_id == ours {
        return Ok(());
    }
    Err(Refusal::of(Code::LedgerIdMismatch, "ledger_id", hex::encode(ledger_id), hex::encode(ours)))
}

/// Event 21 names a version that is known and above the one in force: SCHEMA_VERSION_UNSUPPORTED.
fn check_rules(newest: u32, view: &impl StateView, event: &Event) -> Result<(), Refusal> {
    let Body::RulesChanged(body) = &event.body else { return Ok(()) };
    let in_force = view.params().rules_version;
    if (in_force + 1..=newest).contains(&body.rules_version) {
        return Ok(());
    }
    let limit = format!("above {in_force}, at most {newest}");
    Err(Refusal::of(Code::SchemaVersionUnsupported, "rules_version", body.rules_version, limit))
}
