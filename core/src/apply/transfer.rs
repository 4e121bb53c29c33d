//! Event 14: explicit legs between accounts.

use super::booking::{Booking, Terms};
use super::guard::{check_period, check_reference, in_currency};
use super::pairs::Pairs;
use super::{At, Effects, NotAdmitted, Stop, event_id, id16, minor};
use crate::code::{Code, Field, Refusal};
use crate::event::{Event, Leg, TransferPosted};
use crate::ids::{AccountIndex, PaymentId};
use crate::number::Layer;
use crate::posting::Posting;
use crate::view::{Referenced, StateView};

pub(super) fn apply(
    view: &impl StateView,
    event: &Event,
    body: &TransferPosted,
    at: At,
) -> Result<Effects, Stop> {
    let event_id = event_id(event)?;

    if !body.related_payment_id.is_empty() {
        let related = PaymentId(id16(&body.related_payment_id, "related_payment_id")?);
        if view.payment_index(&related)?.is_none() {
            return Err(Refusal::of(Code::PaymentNotFound, "related_payment_id", related, "").into());
        }
    }
    let external_reference = check_reference(view, event, Referenced::Transfer(event_id))?;
    let accounts = find_accounts(view, body)?;
    for (position, (leg, index)) in body.legs.iter().zip(&accounts).enumerate() {
        in_currency(&*view.account(*index)?, &leg.currency, Field::Leg(position, "account"))?;
    }
    check_period(view, event, at)?;

    let mut booking = Booking::new(view, at, event_id, PaymentId::NIL);
    booking.post_all(pairs(body, &accounts)?)?;
    booking.check(Terms::New)?;
    Ok(Effects { external_reference, ..booking.into_effects() })
}

/// What an accepted transfer posted.
pub(super) fn posted(view: &impl StateView, body: &TransferPosted) -> Result<Vec<Posting>, Stop> {
    Ok(pairs(body, &find_accounts(view, body)?)?.0)
}

/// ACCOUNT_NOT_FOUND, legs in order.
fn find_accounts(view: &impl StateView, body: &TransferPosted) -> Result<Vec<AccountIndex>, Stop> {
    let find = |(position, leg): (usize, &Leg)| {
        view.account_index(&leg.account)?.ok_or_else(|| {
            let field = Field::Leg(position, "account");
            Refusal::of(Code::AccountNotFound, field, &leg.account, "").into()
        })
    };
    body.legs.iter().enumerate().map(find).collect()
}

fn pairs(body: &TransferPosted, accounts: &[AccountIndex]) -> Result<Pairs, NotAdmitted> {
    let posting = |(leg, account): (&Leg, &AccountIndex)| {
        let side = leg.side.ok_or(NotAdmitted("side"))?;
        Ok(Posting { account: *account, layer: Layer::Posted, side, delta: minor(leg.amount) })
    };
    body.legs.iter().zip(accounts).map(posting).collect::<Result<_, _>>().map(Pairs)
}
