//! What events post on the posted layer, put together in order: debit before credit in each pair, the payment's currency
//! before the creditor's, fees last. A function of the payment, the body and the accounts that they name.

use super::guard::{Bridge, Case, FoundFee};
use super::{NotAdmitted, minor};
use crate::event::Fx;
use crate::ids::AccountIndex;
use crate::number::{Layer, Side};
use crate::posting::Posting;

/// Postings of the posted layer.
#[derive(Default)]
pub(super) struct Pairs(pub Vec<Posting>);

/// How the creditor is reached: through exchange accounts when the currencies differ.
#[derive(Clone, Copy)]
pub(super) struct Passage<'a> {
    bridge: Option<Bridge>,
    fx: Option<&'a Fx>,
}

impl<'a> Passage<'a> {
    /// `fx` has passed the guards: it is there exactly when a bridge is needed.
    pub(super) fn new(bridge: Option<Bridge>, fx: Option<&'a Fx>) -> Self {
        Self { bridge, fx }
    }

    fn exchange(self) -> Result<Option<(Bridge, u64)>, NotAdmitted> {
        match (self.bridge, self.fx) {
            (Some(bridge), Some(fx)) => Ok(Some((bridge, fx.counter_amount))),
            (None, None) => Ok(None),
            (Some(_), None) | (None, Some(_)) => Err(NotAdmitted("fx")),
        }
    }
}

impl Pairs {
    /// One debit and one credit of the same amount.
    pub(super) fn pair(mut self, debited: AccountIndex, credited: AccountIndex, amount: u64) -> Self {
        let delta = minor(amount);
        for (account, side) in [(debited, Side::Debit), (credited, Side::Credit)] {
            self.0.push(Posting { account, layer: Layer::Posted, side, delta });
        }
        self
    }

    /// Money to the creditor, from an account in the payment's currency.
    pub(super) fn pay_creditor(
        self,
        case: &Case,
        from: AccountIndex,
        amount: u64,
        passage: Passage<'_>,
    ) -> Result<Self, NotAdmitted> {
        let creditor = case.before.creditor;
        Ok(match passage.exchange()? {
            None => self.pair(from, creditor, amount),
            Some((bridge, counter_amount)) => {
                self.pair(from, bridge.payment, amount).pair(bridge.counter, creditor, counter_amount)
            }
        })
    }

    /// Money from the creditor, to an account in the payment's currency.
    pub(super) fn take_from_creditor(
        self,
        case: &Case,
        to: AccountIndex,
        amount: u64,
        passage: Passage<'_>,
    ) -> Result<Self, NotAdmitted> {
        let creditor = case.before.creditor;
        Ok(match passage.exchange()? {
            None => self.pair(creditor, to, amount),
            Some((bridge, counter_amount)) => {
                self.pair(bridge.payment, to, amount).pair(creditor, bridge.counter, counter_amount)
            }
        })
    }

    /// Each fee from its payer.
    pub(super) fn fees(self, case: &Case, fees: &[FoundFee<'_>]) -> Result<Self, NotAdmitted> {
        let mut pairs = self;
        for found in fees {
            let (payer, _) = case.payer(found.fee)?;
            pairs = pairs.pair(payer, found.index, found.fee.amount);
        }
        Ok(pairs)
    }
}
