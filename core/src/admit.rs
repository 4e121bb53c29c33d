//! Admission: groups 2 to 6, against the state before the unit, at the unit's time. What it turns away leaves no trace.

use crate::apply::Stop;
use crate::code::Refusal;
use crate::event::Body;
use crate::unit::Unit;
use crate::view::{KnownEvent, StateView, ViewError};

/// What admission found.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Admission {
    /// Every member may be applied.
    Admitted,
    /// Every member is known with the same type and payload: the original answers.
    Known(Vec<KnownEvent>),
    /// Turned away; nothing is recorded.
    Rejected {
        /// Position of the first failing member; 0 for faults of the whole unit.
        member: usize,
        /// Why.
        refusal: Refusal,
    },
}

/// Whether the rules of an event type are built into this version.
pub fn rules_built(body: &Body) -> bool {
    todo!("core rules")
}

/// Admits a unit at time `t_nanos`, in the order: exact matches with known events, group 2, then 307 to 6xx member by
/// member, lowest number first.
pub fn admit(view: &impl StateView, unit: &Unit, t_nanos: u64) -> Result<Admission, ViewError> {
    todo!("core rules")
}
