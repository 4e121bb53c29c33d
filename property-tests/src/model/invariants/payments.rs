//! What must be true of a payment after each of its entries.

use std::collections::BTreeMap;
use std::rc::Rc;

use ledger_core::event::{Body, Event};
use ledger_core::number::{AccountKind, Layer, Side};

use super::{Fold, credited, ensure, position};
use crate::model::guards::{fees_of, fx_of};
use crate::model::transitions::amount_of;
use crate::model::{Entry, Payment, What, conversion};

/// A payment as its entries make it.
#[derive(Clone)]
pub(super) struct Seen {
    /// After the last of them.
    pub payment: Rc<Payment>,
    /// Debits on the pending layer.
    held: i128,
    /// Credits less debits per account, posted, fees aside.
    net: BTreeMap<usize, i128>,
    expiries: u32,
}

impl Fold {
    pub(super) fn payment(
        &mut self,
        entry: &Entry,
        number: usize,
        after: &Rc<Payment>,
    ) -> Result<(), String> {
        if let Some(Body::PaymentInitiated(_)) = entry.accepted_event().map(|event| &event.body) {
            ensure(number == self.payments.len(), || format!("P2: payment {number}"))?;
            self.payments.push(Seen { payment: after.clone(), held: 0, net: BTreeMap::new(), expiries: 0 });
        }
        let Some(seen) = self.payments.get(number) else { return Err(format!("P2: payment {number}")) };
        let before = seen.payment.clone();
        ensure(after.is_legal(), || format!("P1: {after:?}"))?;
        ensure(identity(&before) == identity(after), || format!("P5: {after:?}"))?;
        match (&entry.what, entry.accepted_event()) {
            (What::Expiry, _) => self.expired(entry, number, after)?,
            (_, Some(event)) => self.advanced(entry, event, &before, after)?,
            _ => return Err("P2: neither an event nor an expiry".to_owned()),
        }
        self.moved(entry, number, after)?;
        self.flows(number, after)?;
        self.keep(number, &before, after);
        Ok(())
    }

    /// P6: once, not before its time, and it moves neither head nor count.
    fn expired(&mut self, entry: &Entry, number: usize, after: &Payment) -> Result<(), String> {
        let seen = &mut self.payments[number];
        seen.expiries += 1;
        let is_right = seen.expiries == 1 && entry.recorded_at >= after.expires_at && after.held() == 0;
        ensure(is_right, || format!("P6: expiry {} of {}", seen.expiries, after.id))?;
        let (head, count) = (seen.payment.head, seen.payment.event_count);
        ensure((after.head, after.event_count) == (head, count), || format!("P2: {}", after.id))
    }

    /// P2, P5, I6.
    fn advanced(
        &mut self,
        entry: &Entry,
        event: &Event,
        before: &Payment,
        after: &Payment,
    ) -> Result<(), String> {
        if let Body::PaymentInitiated(body) = &event.body {
            let named = |account: usize, id: &str| self.accounts[account].id.as_str() == id;
            let is_kept = named(after.debtor, &body.debtor)
                && named(after.creditor, &body.creditor)
                && after
                    .clearing
                    .map_or(body.clearing_account.is_empty(), |k| named(k, &body.clearing_account))
                && after.currency.as_str() == body.currency
                && after.id.0 == event.payment_id.as_slice()
                && after.instructed == body.amount;
            ensure(is_kept, || format!("P5: {after:?}"))?;
            ensure(event.previous_event_id.is_empty() && after.event_count == 1, || {
                format!("P2: {after:?}")
            })?;
        } else {
            let follows = before.head.0 == event.previous_event_id.as_slice();
            ensure(follows && after.event_count == before.event_count + 1, || format!("P2: {after:?}"))?;
        }
        let is_last = after.head.0 == event.event_id.as_slice() && after.last_index == entry.index;
        ensure(is_last, || format!("P2: {after:?}"))?;
        if !fees_of(&event.body).is_empty() {
            self.fees.insert(event.event_id.clone(), fees_of(&event.body).len());
        }
        if let Some(fx) = fx_of(&event.body) {
            let (from, to) = (&self.accounts[after.debtor], &self.accounts[after.creditor]);
            let expected = conversion::counter_amount(amount_of(&event.body), fx, from.exponent, to.exponent);
            ensure(i128::from(fx.counter_amount) == expected, || format!("I6: {fx:?}"))?;
        }
        Ok(())
    }

    /// Adds the lines of an entry to its payment; those of its fees, which come last, aside.
    fn moved(&mut self, entry: &Entry, number: usize, after: &Payment) -> Result<(), String> {
        let with_fees = match entry.accepted_event() {
            Some(Event { body: Body::PaymentReversed(body), .. }) => Some(&body.target_event_id),
            event => event.map(|event| &event.event_id),
        };
        let fees = with_fees.and_then(|event| self.fees.get(event)).copied().unwrap_or_default();
        let counterparty = self.counterparty(after);
        let seen = &mut self.payments[number];
        for (place, line) in entry.lines.iter().enumerate() {
            let account = position(line);
            ensure(line.payment_id == after.id, || format!("P3: {line:?}"))?;
            match (line.posting.layer, line.posting.side) {
                (Layer::Pending, Side::Debit) if account == after.debtor => seen.held += line.posting.delta,
                (Layer::Pending, Side::Credit) if Some(account) == counterparty => {}
                (Layer::Pending, _) => return Err(format!("P3, A4: {line:?}")),
                (Layer::Posted, _) if place + 2 * fees >= entry.lines.len() => {}
                (Layer::Posted, _) => *seen.net.entry(account).or_default() += credited(line),
            }
        }
        Ok(())
    }

    /// P3 and P7.
    fn flows(&self, number: usize, after: &Payment) -> Result<(), String> {
        let seen = &self.payments[number];
        ensure(seen.held == after.held(), || format!("P3: {after:?}, held {}", seen.held))?;
        let net = |account: usize| seen.net.get(&account).copied().unwrap_or_default();
        let is_clear = |account: Option<usize>, expected: i128| account.is_none_or(|k| net(k) == expected);
        let outflow = after.capt - after.refd - after.lost;
        ensure(-net(after.debtor) == outflow, || format!("P7: debtor of {after:?}"))?;
        let (clearing, dispute) = (after.clearing, self.special.get(&(AccountKind::Dispute, after.currency)));
        ensure(is_clear(clearing, after.capt - after.sett), || format!("P7: clearing of {after:?}"))?;
        ensure(is_clear(dispute.copied(), after.disp), || format!("P7: dispute of {after:?}"))?;
        ensure(clearing.is_some() || after.sett == after.capt, || format!("P7: settled of {after:?}"))?;
        let crosses = self.accounts[after.creditor].currency != after.currency;
        let inflow = after.sett - after.refd - after.disp - after.lost;
        ensure(crosses || net(after.creditor) == inflow, || format!("P7: creditor of {after:?}"))
    }

    /// The payment after the entry, and the sums that it is part of.
    fn keep(&mut self, number: usize, before: &Payment, after: &Rc<Payment>) {
        let held = after.held() - before.held();
        self.held[after.debtor].0 += held;
        if let Some(counterparty) = self.counterparty(after) {
            self.held[counterparty].1 += held;
        }
        *self.disputed.entry(after.currency).or_default() += after.disp - before.disp;
        self.due.remove(&(before.expires_at, number));
        if after.held() > 0 {
            self.due.insert((after.expires_at, number));
        }
        self.payments[number].payment = after.clone();
    }
}

/// What never changes after the first event.
fn identity(payment: &Payment) -> impl PartialEq {
    let Payment { id, mode, debtor, creditor, clearing, currency, instructed, .. } = *payment;
    (id, mode, debtor, creditor, clearing, currency, instructed)
}
