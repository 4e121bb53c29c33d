//! Events 11 and 12: the scheme takes money back from the creditor into dispute, and gives it to whoever won. It has
//! moved already, so frozen accounts do not refuse and the creditor may end below its limit.

use super::booking::{Booking, Terms};
use super::conversion::{self, Creditor};
use super::guard::{Case, check_period, special};
use super::pairs::{Pairs, Passage};
use super::{At, Effects, NotAdmitted, Stop, event_id, minor};
use crate::code::{Code, Refusal};
use crate::event::{ChargebackOpened, ChargebackResolved, Event};
use crate::number::{AccountKind, ChargebackResult};
use crate::view::StateView;

pub(super) fn open(
    view: &impl StateView,
    event: &Event,
    body: &ChargebackOpened,
    at: At,
) -> Result<Effects, Stop> {
    let case = Case::load(view, event)?;
    let bridge = case.bridge(view)?;
    let dispute = special(view, AccountKind::Dispute, case.before.currency)?;
    conversion::check_currency(&case, body.fx.as_ref())?;
    case.check_head(event)?;
    case.check_refundable(event, body.amount, Code::ChargebackExceedsRefundable)?;
    conversion::check(&case, Creditor::Involved, body.amount, body.fx.as_ref())?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    let passage = Passage::new(bridge, body.fx.as_ref());
    booking.post_all(Pairs::default().take_from_creditor(&case, dispute, body.amount, passage)?)?;
    booking.check(Terms::Mandatory { creditor: case.before.creditor })?;

    let mut after = case.advanced(event_id, at);
    after.disp += minor(body.amount);
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}

pub(super) fn resolve(
    view: &impl StateView,
    event: &Event,
    body: &ChargebackResolved,
    at: At,
) -> Result<Effects, Stop> {
    let result = body.result.ok_or(NotAdmitted("result"))?;

    let case = Case::load(view, event)?;
    let (creditor, bridge) = match result {
        ChargebackResult::Won => (Creditor::Involved, case.bridge(view)?),
        ChargebackResult::Lost => (Creditor::Untouched, None),
    };
    let dispute = special(view, AccountKind::Dispute, case.before.currency)?;
    conversion::check_currency(&case, body.fx.as_ref())?;
    case.check_head(event)?;
    let disputed = case.before.disp;
    if disputed == 0 {
        return Err(case.not_allowed(event).into());
    }
    if minor(body.amount) > disputed {
        return Err(Refusal::of(Code::ResolveExceedsDisputed, "amount", body.amount, disputed).into());
    }
    conversion::check(&case, creditor, body.amount, body.fx.as_ref())?;
    check_period(view, event, at)?;

    let event_id = event_id(event)?;
    let mut booking = Booking::new(view, at, event_id, case.before.id);
    booking.post_all(match result {
        ChargebackResult::Won => {
            let passage = Passage::new(bridge, body.fx.as_ref());
            Pairs::default().pay_creditor(&case, dispute, body.amount, passage)?
        }
        ChargebackResult::Lost => Pairs::default().pair(dispute, case.before.debtor, body.amount),
    })?;
    booking.check(Terms::Mandatory { creditor: case.before.creditor })?;

    let mut after = case.advanced(event_id, at);
    after.disp -= minor(body.amount);
    if result == ChargebackResult::Lost {
        after.lost += minor(body.amount);
    }
    Ok(Effects { payments: case.changed(after), ..booking.into_effects() })
}
