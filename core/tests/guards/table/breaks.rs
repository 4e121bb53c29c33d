//! Breaks and preparations that several tables share.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use super::{Guard, event};
use crate::peel::*;
use crate::world::*;

/// The last closed day of every table.
pub const CLOSED_DAY: u32 = 20_260_104;

/// A draft of the payment at its head.
pub fn at_head(world: &mut World, body: Body) -> Draft {
    draft(world.event_of(PAYMENT, body, &["acquirer"]), &["acquirer"])
}

/// 100.00 USD.
pub fn pay(world: &mut World, debtor: &str, creditor: &str, mode: CaptureMode, rail: &str) {
    let mut draft = draft(world.event(initiation(debtor, creditor, rail), &["anyone"]), &["anyone"]);
    draft.event.payment_id = PAYMENT.to_vec();
    body!(draft, PaymentInitiated).capture_mode = Some(mode);
    world.accept_event(&draft.event, &draft.by);
}

/// The next event of the payment, which may be refused.
pub fn attempt(world: &mut World, body: Body) {
    let event = world.event_of(PAYMENT, body, &["acquirer"]);
    world.attempt(&event, &["acquirer"]);
}

/// One of an operator, which may be refused.
pub fn attempt_as_operator(world: &mut World, body: Body) {
    let event = world.event(body, &["op1"]);
    world.attempt(&event, &["op1"]);
}

pub fn attempt_status(world: &mut World, account: &str, status: AccountStatus) {
    let (account, reason) = (account.to_owned(), "TEST".to_owned());
    let body = AccountStatusChanged { account, status: Some(status), reason };
    attempt_as_operator(world, Body::AccountStatusChanged(body));
}

/// Moves money from an account to the outside world, or back when it is negative.
fn move_out(world: &mut World, account: &str, minor: i128) {
    let currency = world.account(account).currency.to_string();
    let outside = format!("world:{}", currency.to_lowercase());
    let (from, to) = if minor < 0 { (outside.as_str(), account) } else { (account, outside.as_str()) };
    if minor != 0 {
        let amount = minor.unsigned_abs().try_into().unwrap();
        attempt_as_operator(world, transfer(from, to, &currency, amount));
    }
}

/// Empties and closes an account.
pub fn close(world: &mut World, account: &str) {
    if world.index_of(account).is_some() {
        let counters = world.account(account).counters;
        move_out(world, account, counters.posted_credits - counters.posted_debits);
    }
    attempt_status(world, account, AccountStatus::Closed);
}

/// Takes what is available, so that the next unit on the wrong side is too much.
pub fn exhaust(world: &mut World, account: &str) {
    let record = world.account(account);
    let sign = if record.kind.normal_side() == Side::Credit { 1 } else { -1 };
    move_out(world, account, sign * record.available());
}

pub fn set_limit(world: &mut World, account: &str, limit: u64) {
    let body = AccountLimitChanged { account: account.to_owned(), limit };
    world.accept(Body::AccountLimitChanged(body), &["op1"]);
}

/// Lets the authorization of the payment run out.
pub fn expire(world: &mut World) {
    let expires_at = world.payment(PAYMENT).unwrap().expires_at_nanos;
    world.now_nanos = expires_at.max(world.now_nanos);
    if world.expire_due() == 0 {
        world.failures += 1;
    }
}

/// A row: an account is closed.
macro_rules! closed {
    ($account:literal) => {
        Guard { what: concat!($account, " closed"), code: AccountClosed, broken: Break::Closed($account) }
    };
}

/// A row: an account is frozen on the side of its posting.
macro_rules! frozen {
    ($account:literal, $side:ident) => {{
        let (code, status) = match Side::$side {
            Side::Debit => (AccountDebitFrozen, AccountStatus::DebitFrozen),
            Side::Credit => (AccountCreditFrozen, AccountStatus::CreditFrozen),
        };
        Guard { what: concat!($account, " frozen"), code, broken: Break::Frozen($account, status) }
    }};
}

/// An account that is closed cannot be frozen.
macro_rules! one_status {
    ($($account:literal),+) => {
        [$((concat!($account, " closed"), vec![concat!($account, " frozen")], "closed is final")),+]
    };
}

pub fn no_payment() -> Guard {
    event("no payment", PaymentNotFound, |_, draft| draft.event.payment_id = vec![9; 16])
}

pub fn denied() -> Guard {
    event("denied", PaymentAccessDenied, |_, draft| resign(draft, &["regional"]))
}

pub fn stale() -> Guard {
    event("stale", PreviousEventMismatch, |_, draft| draft.event.previous_event_id = vec![3; 16])
}

pub fn period() -> Guard {
    event("period", PeriodClosed, |_, draft| draft.event.effective_date = CLOSED_DAY)
}

/// Four fees of one minor unit: three of the debtor, one of the creditor in its currency.
pub fn four_fees(creditor_account: &str, creditor_currency: &str) -> Vec<Fee> {
    let mut fees = vec![fee(Payer::Debtor, "fee:usd", "USD", 1); 3];
    fees.push(fee(Payer::Creditor, creditor_account, creditor_currency, 1));
    fees
}

/// The first fee's account is not there.
pub fn fee_account() -> Guard {
    event("fee account", AccountNotFound, |_, draft| {
        fees_of(draft)[0].account = "fee:none".to_owned();
    })
}

/// The second, third and fourth fee: the account's kind, its currency, and the payer's.
pub fn fee_terms() -> [Guard; 3] {
    [
        event("fee kind", AccountKindNotAllowed, |_, draft| {
            fees_of(draft)[1].account = "rail:usd".to_owned();
        }),
        event("fee currency", AccountCurrencyMismatch, |_, draft| {
            fees_of(draft)[2].account = "fee:eur".to_owned();
        }),
        event("fee payer", AccountCurrencyMismatch, |_, draft| {
            fees_of(draft)[3] = fee(Payer::Debtor, "fee:eur", "EUR", 1);
        }),
    ]
}

pub fn fx_currency() -> Guard {
    event("fx currency", AccountCurrencyMismatch, |_, draft| {
        any_fx(draft).counter_currency = "JPY".to_owned();
    })
}

/// Money crosses currencies.
pub fn fx_due() -> [Guard; 2] {
    [
        event("fx absent", FxRequired, |_, draft| *fx_of(draft) = None),
        event("fx amount", FxAmountMismatch, |_, draft| any_fx(draft).counter_amount += 1),
    ]
}

/// It stays on the debtor's side of a clearing account.
pub fn fx_early() -> Guard {
    event("fx given", FxNotAllowed, |_, draft| {
        any_fx(draft);
    })
}

/// Both accounts are in dollars.
pub fn fx_at_home() -> Guard {
    event("fx given", FxNotAllowed, |_, draft| {
        fx_of(draft).get_or_insert_with(|| fx("USD", 1, 1, 0));
    })
}

/// Another amount, converted at the same rate; a wrong conversion stays as wrong.
pub fn set_amount(draft: &mut Draft, to: u64) {
    let amount = std::mem::replace(amount_of(draft), to);
    if let Some(fx) = fx_of(draft) {
        fx.counter_amount = fx.counter_amount + to - amount;
    }
}

/// The conversion, one to one into euros when there is none.
pub fn any_fx(draft: &mut Draft) -> &mut Fx {
    let amount = *amount_of(draft);
    fx_of(draft).get_or_insert_with(|| fx("EUR", amount, 1, 0))
}

fn amount_of(draft: &mut Draft) -> &mut u64 {
    match &mut draft.event.body {
        Body::PaymentCaptured(body) => &mut body.amount,
        Body::PaymentSettled(body) => &mut body.amount,
        Body::PaymentRefunded(body) => &mut body.amount,
        Body::ChargebackOpened(body) => &mut body.amount,
        Body::ChargebackResolved(body) => &mut body.amount,
        other => panic!("{other:?}"),
    }
}

pub fn fx_of(draft: &mut Draft) -> &mut Option<Fx> {
    match &mut draft.event.body {
        Body::PaymentCaptured(body) => &mut body.fx,
        Body::PaymentSettled(body) => &mut body.fx,
        Body::PaymentRefunded(body) => &mut body.fx,
        Body::ChargebackOpened(body) => &mut body.fx,
        Body::ChargebackResolved(body) => &mut body.fx,
        other => panic!("{other:?}"),
    }
}

pub fn fees_of(draft: &mut Draft) -> &mut Vec<Fee> {
    match &mut draft.event.body {
        Body::PaymentCaptured(body) => &mut body.fees,
        Body::PaymentRefunded(body) => &mut body.fees,
        other => panic!("{other:?}"),
    }
}
