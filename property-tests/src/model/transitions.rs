//! Group 8: what a payment's counters allow, and what they are after.

use ledger_core::code::Code;
use ledger_core::event::{Body, ChargebackResolved, Event, PaymentCaptured};
use ledger_core::number::{CaptureMode, ChargebackResult, PaymentStatus, ReleaseCause};

use super::books::Books;
use super::guards::{fx_of, refuse_if};
use super::payment::Payment;
use super::{SECOND, calendar, conversion};

/// The payment after an event of it, or the first guard that refuses.
pub(super) fn after(payment: &Payment, event: &Event, t: u64) -> Result<Payment, Code> {
    let mut after = payment.clone();
    let hold = payment.held();
    match &event.body {
        Body::PaymentRejected(_) => {
            refuse_if(payment.state() != PaymentStatus::Initiated, Code::TransitionNotAllowed)?;
            after.rejected = true;
        }
        Body::PaymentAuthorized(body) => {
            let is_first =
                payment.mode == CaptureMode::Deferred && payment.state() == PaymentStatus::Initiated;
            refuse_if(!is_first, Code::TransitionNotAllowed)?;
            refuse_if(body.amount > payment.instructed, Code::AuthorizeExceedsInstructed)?;
            after.auth += i128::from(body.amount);
            after.expires_at = t + u64::from(body.timeout_s) * SECOND;
        }
        Body::AuthorizationIncreased(body) => {
            changes_a_hold(payment, t)?;
            after.auth += i128::from(body.amount);
        }
        Body::AuthorizationReduced(body) => {
            changes_a_hold(payment, t)?;
            refuse_if(i128::from(body.amount) >= hold, Code::ReduceExceedsHold)?;
            after.rel += i128::from(body.amount);
            after.last_release = Some(ReleaseCause::Reduction);
        }
        Body::PaymentCaptured(body) => captured(payment, body, t, &mut after)?,
        Body::PaymentVoided(_) => {
            changes_a_hold(payment, t)?;
            after.rel += hold;
            after.last_release = Some(ReleaseCause::Void);
        }
        Body::PaymentSettled(body) => {
            let amount = i128::from(body.amount);
            refuse_if(payment.clearing.is_none() || payment.capt == 0, Code::TransitionNotAllowed)?;
            refuse_if(amount > payment.capt - payment.sett, Code::SettleExceedsCaptured)?;
            after.sett += amount;
        }
        Body::PaymentRefunded(body) => {
            let amount = i128::from(body.amount);
            refuse_if(payment.sett == 0, Code::TransitionNotAllowed)?;
            refuse_if(amount > payment.left_to_return(), Code::RefundExceedsRefundable)?;
            after.refd += amount;
        }
        Body::ChargebackOpened(body) => {
            let amount = i128::from(body.amount);
            refuse_if(payment.sett == 0, Code::TransitionNotAllowed)?;
            refuse_if(amount > payment.left_to_return(), Code::ChargebackExceedsRefundable)?;
            after.disp += amount;
        }
        Body::ChargebackResolved(ChargebackResolved { amount, result, .. }) => {
            let amount = i128::from(*amount);
            refuse_if(payment.disp == 0, Code::TransitionNotAllowed)?;
            refuse_if(amount > payment.disp, Code::ResolveExceedsDisputed)?;
            after.disp -= amount;
            if *result == Some(ChargebackResult::Lost) {
                after.lost += amount;
            }
        }
        other => panic!("{} is no event of a payment with guards here", other.name()),
    }
    Ok(after)
}

/// The payment after one of its events is reversed.
pub(super) fn after_reversal(payment: &Payment, target: &Body) -> Result<Payment, Code> {
    let mut after = payment.clone();
    match target {
        Body::PaymentCaptured(body) => {
            let amount = i128::from(body.amount);
            after.capt -= amount;
            after.rel += amount;
            after.last_release = Some(ReleaseCause::Reversal);
            if payment.clearing.is_none() {
                after.sett -= amount;
            }
        }
        Body::PaymentSettled(body) => after.sett -= i128::from(body.amount),
        Body::PaymentRefunded(body) => after.refd -= i128::from(body.amount),
        other => panic!("{} is not reversible", other.name()),
    }
    refuse_if(!after.is_legal(), Code::ReversalBreaksPayment)?;
    Ok(after)
}

/// FX_REQUIRED, FX_NOT_ALLOWED, FX_AMOUNT_MISMATCH.
pub(super) fn exchange(books: &Books, payment: &Payment, body: &Body) -> Result<(), Code> {
    let (debtor, creditor) = (&books.accounts[payment.debtor], &books.accounts[payment.creditor]);
    let is_direct = payment.clearing.is_none();
    let moves_to_or_from_creditor = match body {
        Body::PaymentCaptured(_) => is_direct,
        Body::PaymentSettled(_) | Body::PaymentRefunded(_) | Body::ChargebackOpened(_) => true,
        Body::ChargebackResolved(body) => body.result == Some(ChargebackResult::Won),
        _ => return Ok(()),
    };
    let crosses = moves_to_or_from_creditor && payment.currency != creditor.currency;
    let Some(fx) = fx_of(body) else { return refuse_if(crosses, Code::FxRequired) };
    refuse_if(!crosses, Code::FxNotAllowed)?;
    let expected = conversion::counter_amount(amount_of(body), fx, debtor.exponent, creditor.exponent);
    refuse_if(i128::from(fx.counter_amount) != expected, Code::FxAmountMismatch)
}

/// PERIOD_CLOSED.
pub(super) fn period(books: &Books, event: &Event, t: u64) -> Result<(), Code> {
    let date = if event.effective_date == 0 { calendar::utc_date(t) } else { event.effective_date };
    refuse_if(date <= books.closed_through, Code::PeriodClosed)
}

pub(super) fn amount_of(body: &Body) -> u64 {
    match body {
        Body::PaymentAuthorized(body) => body.amount,
        Body::AuthorizationIncreased(body) => body.amount,
        Body::AuthorizationReduced(body) => body.amount,
        Body::PaymentCaptured(body) => body.amount,
        Body::PaymentSettled(body) => body.amount,
        Body::PaymentRefunded(body) => body.amount,
        Body::ChargebackOpened(body) => body.amount,
        Body::ChargebackResolved(body) => body.amount,
        other => panic!("{} has no amount", other.name()),
    }
}

fn captured(payment: &Payment, body: &PaymentCaptured, t: u64, after: &mut Payment) -> Result<(), Code> {
    let amount = i128::from(body.amount);
    match payment.mode {
        CaptureMode::Deferred => {
            refuse_if(payment.auth == 0, Code::TransitionNotAllowed)?;
            not_expired(payment, t)?;
            refuse_if(amount > payment.held(), Code::CaptureExceedsHold)?;
        }
        CaptureMode::Immediate => {
            refuse_if(payment.state() != PaymentStatus::Initiated, Code::TransitionNotAllowed)?;
            let is_full = body.amount == payment.instructed && body.final_capture;
            refuse_if(!is_full, Code::CaptureMustBeFull)?;
            after.auth += amount;
        }
    }
    after.capt += amount;
    let rest = after.held();
    if body.final_capture && rest > 0 {
        after.rel += rest;
        after.last_release = Some(ReleaseCause::FinalCapture);
    }
    if payment.clearing.is_none() {
        after.sett += amount;
    }
    Ok(())
}

/// The guards that increases, reductions and voids begin with.
fn changes_a_hold(payment: &Payment, t: u64) -> Result<(), Code> {
    refuse_if(payment.auth == 0, Code::TransitionNotAllowed)?;
    not_expired(payment, t)?;
    refuse_if(payment.held() == 0, Code::TransitionNotAllowed)
}

fn not_expired(payment: &Payment, t: u64) -> Result<(), Code> {
    refuse_if(payment.expires_at > 0 && t >= payment.expires_at, Code::AuthorizationExpired)
}
