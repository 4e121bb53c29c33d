//! Invariants of payments, as differences of one entry.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Broken, Entry, credit_view};
use crate::apply::Subject;
use crate::ids::{AccountIndex, EventId, PaymentIndex};
use crate::number::{AccountKind, Layer, Route, Side};
use crate::posting::Posting;
use crate::record::PaymentRecord;
use crate::view::{StateView, ViewError};

impl<V: StateView> Entry<'_, V> {
    pub(super) fn check_payments(&self) -> Result<(), Broken> {
        self.check_nothing_due()?;
        for (index, after) in &self.executed.effects.payments {
            let before = self.payment_before(*index)?;
            self.check_order(after)?;
            self.check_head(before.as_deref(), after)?;
            if let Some(before) = &before {
                self.check_parties(before, after)?;
            }
            self.check_holds(before.as_deref(), after)?;
            self.check_flows(before.as_deref(), after)?;
        }
        self.check_strangers()
    }

    pub(super) fn payment_before(
        &self,
        index: PaymentIndex,
    ) -> Result<Option<Arc<PaymentRecord>>, ViewError> {
        if index.0 < self.before.payment_count() { self.before.payment(index).map(Some) } else { Ok(None) }
    }

    /// P6: no hold is due at the time of a unit; an expiry is not early.
    fn check_nothing_due(&self) -> Result<(), Broken> {
        match self.executed.subject {
            Subject::Event { .. } | Subject::Batch { .. } => {
                match self.before.next_due(self.executed.t_nanos)? {
                    Some((due_nanos, payment)) => {
                        let id = self.before.payment(payment)?.id;
                        let expected = format!("its expiry, due at {due_nanos}");
                        let found = format!("an event at {}", self.executed.t_nanos);
                        self.violated("P6", format!("payment {id}"), expected, found)
                    }
                    None => Ok(()),
                }
            }
            Subject::Expiry { payment_id } => {
                let index = self.before.payment_index(&payment_id)?;
                let payment = index.map(|index| self.before.payment(index)).transpose()?;
                let may_expire = payment.is_some_and(|payment| {
                    payment.hold() > 0 && payment.is_expired_at(self.executed.recorded_at_nanos)
                });
                if may_expire {
                    return Ok(());
                }
                let found = format!("an expiry at {}", self.executed.recorded_at_nanos);
                self.violated("P6", format!("payment {payment_id}"), "a hold that is due", found)
            }
        }
    }

    /// P1 and P4.
    fn check_order(&self, after: &PaymentRecord) -> Result<(), Broken> {
        match disorder(after) {
            Some((invariant, expected, found)) => {
                self.violated(invariant, format!("payment {}", after.id), expected, found)
            }
            None => Ok(()),
        }
    }

    /// P2: the accepted events of a payment form one line.
    fn check_head(&self, before: Option<&PaymentRecord>, after: &PaymentRecord) -> Result<(), Broken> {
        let subject = || format!("head of payment {}", after.id);
        let (head, count) =
            before.map_or((EventId::default(), 0), |before| (before.head, before.event_count));
        self.equal("P2", subject, self.executed.log_index, after.last_index)?;
        let Subject::Event { event, .. } = self.executed.subject else {
            self.equal("P2", subject, head, after.head)?;
            return self.equal("P2", subject, count, after.event_count);
        };
        let previous = if before.is_some() { head.0.as_slice() } else { &[] };
        if previous != event.previous_event_id {
            return self.violated(
                "P2",
                subject(),
                hex::encode(previous),
                hex::encode(&event.previous_event_id),
            );
        }
        if event.event_id != after.head.0 {
            return self.violated("P2", subject(), hex::encode(&event.event_id), hex::encode(after.head.0));
        }
        self.equal("P2", subject, count + 1, after.event_count)
    }

    /// P5: accounts and currency never change.
    fn check_parties(&self, before: &PaymentRecord, after: &PaymentRecord) -> Result<(), Broken> {
        let parties = |payment: &PaymentRecord| {
            let PaymentRecord {
                id, debtor, creditor, clearing, currency, amount, route, capture_mode, ..
            } = payment;
            (*id, *debtor, *creditor, *clearing, *currency, *amount, *route, *capture_mode)
        };
        if parties(before) == parties(after) {
            return Ok(());
        }
        let (expected, found) = (format!("{:?}", parties(before)), format!("{:?}", parties(after)));
        self.violated("P5", format!("payment {}", before.id), expected, found)
    }

    /// P3 and A4: pending postings are on the debtor and the hold's counterparty alone, and on the debtor the change of the
    /// hold; by I1 they are that on the counterparty too.
    fn check_holds(&self, before: Option<&PaymentRecord>, after: &PaymentRecord) -> Result<(), Broken> {
        let change = after.hold() - before.map_or(0, PaymentRecord::hold);
        let mut debited = 0;
        let pending = self.executed.effects.postings.iter().filter(|posting| posting.layer == Layer::Pending);
        for posting in pending {
            match posting.side {
                Side::Debit if posting.account == after.debtor => debited += posting.delta,
                Side::Credit if Some(posting.account) == counterparty(self.before, after)? => {}
                _ => {
                    let subject = format!("hold of payment {}", after.id);
                    let found = format!("a pending posting on account {}", posting.account);
                    return self.violated("A4", subject, "debtor and counterparty only", found);
                }
            }
        }
        self.equal("P3", || format!("hold on the debtor of payment {}", after.id), change, debited)
    }

    /// P7: in one currency and without fees, what the accounts of the payment gain and lose follows from its counters.
    fn check_flows(&self, before: Option<&PaymentRecord>, after: &PaymentRecord) -> Result<(), Broken> {
        if self.before.account(after.creditor)?.currency != after.currency {
            return Ok(());
        }
        let flows = self.posted_without_fees()?;
        let flow = |account: Option<AccountIndex>| {
            account.and_then(|account| flows.get(&account)).copied().unwrap_or(0)
        };
        let change = |counter: fn(&PaymentRecord) -> i128| counter(after) - before.map_or(0, counter);
        let dispute = self.before.special_account(AccountKind::Dispute, after.currency)?;
        let rows = [
            ("debtor", change(|p| p.refd + p.lost - p.capt), flow(Some(after.debtor))),
            ("creditor", change(|p| p.sett - p.refd - p.disp - p.lost), flow(Some(after.creditor))),
            ("clearing account", change(|p| p.capt - p.sett), flow(after.clearing)),
            ("dispute account", change(|p| p.disp), flow(dispute)),
        ];
        for (party, expected, found) in rows {
            self.equal("P7", || format!("{party} of payment {}", after.id), expected, found)?;
        }
        Ok(())
    }

    /// Credits less debits per account; a pair with a fee account is a fee.
    pub(super) fn posted_without_fees(&self) -> Result<BTreeMap<AccountIndex, i128>, Broken> {
        let posted: Vec<&Posting> =
            self.executed.effects.postings.iter().filter(|posting| posting.layer == Layer::Posted).collect();
        let mut flows = BTreeMap::new();
        for pair in posted.chunks(2) {
            let mut is_fee = false;
            for posting in pair {
                is_fee |= self.after(posting)?.kind == AccountKind::Fee;
            }
            for posting in pair.iter().filter(|_| !is_fee) {
                *flows.entry(posting.account).or_default() += credit_view(posting);
            }
        }
        Ok(flows)
    }

    /// A4: without a payment nothing is held.
    fn check_strangers(&self) -> Result<(), Broken> {
        let effects = self.executed.effects;
        let held = effects.postings.iter().find(|posting| posting.layer == Layer::Pending);
        match held {
            Some(posting) if effects.payments.is_empty() => {
                let subject = format!("account {}", posting.account);
                self.violated("A4", subject, "a hold of a payment", posting.delta)
            }
            _ => Ok(()),
        }
    }
}

/// What of P1 and P4 a payment breaks, with what is demanded and what is there.
pub fn disorder(payment: &PaymentRecord) -> Option<(&'static str, &'static str, String)> {
    let PaymentRecord { auth, capt, rel, sett, refd, disp, lost, .. } = payment;
    let is_negative = [auth, capt, rel, sett, refd, disp, lost].into_iter().any(|counter| *counter < 0);
    let is_in_order = *sett <= *capt && *capt <= auth - rel && refd + disp + lost <= *sett;
    if is_negative || !is_in_order {
        let expected = "0 <= hold, sett <= capt <= auth - rel, refd + disp + lost <= sett, none negative";
        let found =
            format!("auth {auth} capt {capt} rel {rel} sett {sett} refd {refd} disp {disp} lost {lost}");
        return Some(("P1", expected, found));
    }
    let derived = payment.derived_status();
    (payment.status != derived).then(|| ("P4", derived.name(), payment.status.to_string()))
}

/// The account on the other side of a payment's hold.
pub fn counterparty(
    view: &impl StateView,
    payment: &PaymentRecord,
) -> Result<Option<AccountIndex>, ViewError> {
    match payment.route {
        Route::Clearing => Ok(payment.clearing),
        Route::Direct if view.account(payment.creditor)?.currency == payment.currency => {
            Ok(Some(payment.creditor))
        }
        Route::Direct => view.special_account(AccountKind::Fx, payment.currency),
    }
}
