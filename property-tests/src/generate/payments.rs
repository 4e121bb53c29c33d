//! Events of payments, and transfers.

use ledger_core::event::*;
use ledger_core::number::*;

use super::Generator;
use super::money::LARGEST;
use super::scene::Scene;
use crate::model::{Entry, Payment};

impl Generator {
    /// The first event of a payment.
    pub(super) fn initiated(&mut self, scene: &Scene<'_>, mode: Option<CaptureMode>) -> Event {
        let is_party = |kind: AccountKind| {
            matches!(
                kind,
                AccountKind::Customer | AccountKind::Merchant | AccountKind::Cash | AccountKind::External
            )
        };
        let code = self.some_currency();
        let pays = |account: &crate::model::Account| {
            is_party(account.kind) && account.currency.as_str() == code && account.left() != Some(0)
        };
        let debtor = self.account(scene, pays);
        let is_abroad = self.dice.once_in(3);
        let receives = |account: &crate::model::Account| {
            is_party(account.kind) && (is_abroad || account.currency.as_str() == code)
        };
        let creditor = self.account(scene, receives);
        let clearing_account = if self.dice.once_in(2) {
            self.account(scene, |account| {
                account.kind == AccountKind::Clearing && account.currency.as_str() == code
            })
        } else {
            String::new()
        };
        let capture_mode = mode.or_else(|| {
            Some(if self.dice.once_in(4) { CaptureMode::Immediate } else { CaptureMode::Deferred })
        });
        let left = scene.books.account(&debtor).and_then(|account| scene.books.accounts[account].left());
        let amount = match left {
            Some(left) if left > 0 && self.dice.once_in(4) => self.near(left),
            _ => self.amount(),
        };
        let body =
            PaymentInitiated { amount, currency: code, debtor, creditor, capture_mode, clearing_account };
        let mut event = self.event(scene, Body::PaymentInitiated(body));
        event.payment_id = match self.dice.below(40) {
            0 => self.payment(scene, |_| true).map_or(vec![7; 16], |payment| payment.id.0.to_vec()),
            _ => self.new_payment_id(),
        };
        self.refer(&mut event);
        event
    }

    /// An external reference, sometimes a used one.
    fn refer(&mut self, event: &mut Event) {
        if self.dice.once_in(4) {
            event.external_ref = format!("REF {}", self.dice.below(60));
        }
    }

    /// An event of a payment, by number.
    pub(super) fn advanced(&mut self, scene: &Scene<'_>, number: u32) -> Event {
        let t = scene.t;
        let found = self.payment(scene, |payment| fits(payment, number, t));
        match found {
            Some(payment) => self.advance(scene, &payment, number),
            None => self.initiated(scene, None),
        }
    }

    /// An event of this payment, by number.
    pub(super) fn advance(&mut self, scene: &Scene<'_>, payment: &Payment, number: u32) -> Event {
        let hold = payment.held();
        let is_direct = payment.clearing.is_none();
        let body = match number {
            2 => Body::PaymentRejected(PaymentRejected { reason: self.reason() }),
            3 => {
                let timeout_s = self.dice.pick(&[1, 2, 5, 30, 600, 86_400, 31_536_000]);
                let amount = self.near(i128::from(payment.instructed));
                Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s })
            }
            4 => {
                let left = scene.books.accounts[payment.debtor].left().unwrap_or(50);
                let amount = if self.dice.once_in(3) { self.near(left) } else { self.amount() };
                Body::AuthorizationIncreased(AuthorizationIncreased { amount })
            }
            5 => Body::AuthorizationReduced(AuthorizationReduced { amount: self.near(hold - 1) }),
            6 => {
                let is_immediate = payment.mode == CaptureMode::Immediate;
                let amount =
                    if is_immediate && !self.dice.once_in(15) { payment.instructed } else { self.near(hold) };
                let final_capture = is_immediate != self.dice.once_in(if is_immediate { 15 } else { 3 });
                let fx = self.exchange(scene, payment, amount, is_direct);
                let fees = self.fees(scene, payment);
                Body::PaymentCaptured(PaymentCaptured { amount, final_capture, fees, fx })
            }
            7 => Body::PaymentVoided(PaymentVoided { reason: self.reason() }),
            9 => {
                let amount = self.near(payment.capt - payment.sett);
                let fx = self.exchange(scene, payment, amount, true);
                let settlement_ref =
                    if self.dice.once_in(2) { "SETTLEMENT 1".to_owned() } else { String::new() };
                Body::PaymentSettled(PaymentSettled { amount, settlement_ref, fx })
            }
            10 => {
                let amount = self.near(payment.left_to_return());
                let cause =
                    Some(self.dice.pick(&[RefundCause::Merchant, RefundCause::Return, RefundCause::Recall]));
                let (fx, fees) = (self.exchange(scene, payment, amount, true), self.fees(scene, payment));
                Body::PaymentRefunded(PaymentRefunded { amount, cause, reason: self.reason(), fees, fx })
            }
            11 => {
                let amount = self.near(payment.left_to_return());
                let fx = self.exchange(scene, payment, amount, true);
                Body::ChargebackOpened(ChargebackOpened { amount, reason: self.reason(), fx })
            }
            _ => {
                let amount = self.near(payment.disp);
                let result = self.dice.pick(&[ChargebackResult::Won, ChargebackResult::Lost]);
                let fx = self.exchange(scene, payment, amount, result == ChargebackResult::Won);
                Body::ChargebackResolved(ChargebackResolved { amount, result: Some(result), fx })
            }
        };
        self.event_of(scene, payment, body)
    }

    /// A reversal of something that was accepted, or (seldom) not.
    pub(super) fn reversed(&mut self, scene: &Scene<'_>) -> Event {
        let history = &scene.model.history;
        let first = history.len().saturating_sub(if self.dice.once_in(4) { 2_000 } else { 60 });
        let reversible = |entry: &&Entry| {
            entry.accepted_event().is_some_and(|event| matches!(event.body.number(), 6 | 9 | 10 | 14))
        };
        let any = |entry: &&Entry| entry.event().is_some();
        let mut targets: Vec<&Entry> = history[first..].iter().filter(reversible).collect();
        if targets.is_empty() || self.dice.once_in(8) {
            targets = history[first..].iter().filter(any).collect();
        }
        let Some(target) = (!targets.is_empty()).then(|| self.dice.pick(&targets)) else {
            return self.transfer(scene);
        };
        let target = target.event().expect("an event").clone();
        let mut target_event_id = target.event_id.clone();
        if self.dice.once_in(40) {
            target_event_id = self.new_id(scene.t);
        }
        let body = Body::PaymentReversed(PaymentReversed { target_event_id, reason: self.reason() });
        let position = scene.books.payment(&target.payment_id);
        match position.map(|position| scene.books.payments[position].clone()) {
            _ if self.dice.once_in(30) => match self.payment(scene, |_| true) {
                Some(other) => self.event_of(scene, &other, body),
                None => self.event(scene, body),
            },
            Some(payment) => self.event_of(scene, &payment, body),
            None => self.event(scene, body),
        }
    }

    /// A transfer of 2 to a few legs.
    pub(super) fn transfer(&mut self, scene: &Scene<'_>) -> Event {
        let mut legs = Vec::new();
        for _ in 0..self.dice.pick(&[1, 1, 1, 1, 2, 3]) {
            let code = self.some_currency();
            let of = |account: &crate::model::Account| account.currency.as_str() == code;
            let is_funding = self.dice.once_in(3);
            let from = self.account(scene, |account| {
                of(account) && (!is_funding || account.kind == AccountKind::External)
            });
            let to = self.account(scene, of);
            let left = scene.books.account(&from).and_then(|account| scene.books.accounts[account].left());
            let amount = match left {
                Some(left) if left > 0 && self.dice.once_in(2) => self.near(left),
                _ if is_funding && self.dice.once_in(2) => self.mood.amounts.saturating_mul(20).min(LARGEST),
                _ => self.amount(),
            };
            legs.push(leg(&from, Side::Debit, &code, amount));
            if amount > 1 && self.dice.once_in(6) {
                let part = self.dice.between(1, amount - 1);
                let other = self.account(scene, of);
                legs.push(leg(&other, Side::Credit, &code, part));
                legs.push(leg(&to, Side::Credit, &code, amount - part));
            } else {
                legs.push(leg(&to, Side::Credit, &code, amount));
            }
        }
        let related_payment_id = match self.dice.below(20) {
            0 => self.no_payment().0.to_vec(),
            1 | 2 => self.payment(scene, |_| true).map_or(Vec::new(), |payment| payment.id.0.to_vec()),
            _ => Vec::new(),
        };
        let purpose = self.dice.pick(&["TOP_UP", "EXCESS_CHARGEBACK", "RETURN_TO_CLOSED"]).to_owned();
        let body = TransferPosted { legs, purpose, related_payment_id };
        let mut event = self.event(scene, Body::TransferPosted(body));
        self.refer(&mut event);
        event
    }

    pub(super) fn reason(&mut self) -> String {
        self.dice.pick(&["CUSTOMER", "FRAUD", "a reason of thirty-five characters."]).to_owned()
    }
}

pub(super) fn leg(account: &str, side: Side, currency: &str, amount: u64) -> Leg {
    Leg { account: account.to_owned(), side: Some(side), currency: currency.to_owned(), amount }
}

/// Whether a payment is one for this event.
fn fits(payment: &Payment, number: u32, t: u64) -> bool {
    let is_new = payment.auth == 0 && !payment.rejected;
    let holds = payment.held() > 0 && payment.expires_at > t;
    match number {
        2 | 3 => is_new && payment.mode == CaptureMode::Deferred,
        4 | 5 | 7 => holds,
        6 => holds || is_new && payment.mode == CaptureMode::Immediate,
        9 => payment.clearing.is_some() && payment.capt > payment.sett,
        10 | 11 => payment.left_to_return() > 0,
        _ => payment.disp > 0,
    }
}
