//! Events 19 and 21: what every seal commits to changes. Event 20 stands with the keys.

use super::{At, Effects, Stop};
use crate::code::{Code, Refusal};
use crate::date::utc_date;
use crate::event::{PeriodClosed, RulesChanged};
use crate::seal::Params;
use crate::view::StateView;

pub(super) fn close_period(view: &impl StateView, body: &PeriodClosed, at: At) -> Result<Effects, Stop> {
    let before = view.params();
    let (closed_through, today) = (before.closed_through, utc_date(at.t_nanos));
    if body.through <= closed_through || body.through >= today {
        let limit = format!("after {closed_through} and before {today}");
        return Err(Refusal::of(Code::PeriodNotOver, "through", body.through, limit).into());
    }
    let params = Params { closed_through: body.through, ..before.clone() };
    Ok(Effects { params: Some(params), ..Effects::default() })
}

/// Admission has seen to the version.
pub(super) fn change_rules(view: &impl StateView, body: &RulesChanged, at: At) -> Effects {
    let params =
        Params { rules_version: body.rules_version, rules_index: at.log_index, ..view.params().clone() };
    Effects { params: Some(params), ..Effects::default() }
}
