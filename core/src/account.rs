//! What the counters of an account mean (minor units of its currency).

use crate::number::{AccountKind, AccountStatus, Layer, Side};
use crate::posting::Posting;
use crate::record::{AccountRecord, Counters};

impl Counters {
    /// The counter that a posting changes.
    pub fn counter_mut(&mut self, layer: Layer, side: Side) -> &mut i128 {
        match (layer, side) {
            (Layer::Posted, Side::Debit) => &mut self.posted_debits,
            (Layer::Posted, Side::Credit) => &mut self.posted_credits,
            (Layer::Pending, Side::Debit) => &mut self.pending_debits,
            (Layer::Pending, Side::Credit) => &mut self.pending_credits,
        }
    }

    /// Adds a posting.
    pub fn post(&mut self, posting: Posting) {
        *self.counter_mut(posting.layer, posting.side) += posting.delta;
    }

    /// Takes a posting back.
    pub fn unpost(&mut self, posting: Posting) {
        *self.counter_mut(posting.layer, posting.side) -= posting.delta;
    }

    /// Settled money of an account of a kind: credits less debits, the other way round for CASH.
    pub fn posted(&self, kind: AccountKind) -> i128 {
        kind.normal(self.posted_credits - self.posted_debits)
    }

    /// Settled money with every hold, incoming ones too.
    pub fn pending(&self, kind: AccountKind) -> i128 {
        self.posted(kind) + kind.normal(self.pending_credits - self.pending_debits)
    }
}

impl std::ops::AddAssign for Counters {
    fn add_assign(&mut self, other: Self) {
        self.posted_debits += other.posted_debits;
        self.posted_credits += other.posted_credits;
        self.pending_debits += other.pending_debits;
        self.pending_credits += other.pending_credits;
    }
}

impl AccountKind {
    /// The side that raises the balance. Kinds without one are shown in the credit view.
    pub fn normal_side(self) -> Side {
        match self {
            Self::Cash => Side::Debit,
            Self::Customer
            | Self::Merchant
            | Self::Clearing
            | Self::Dispute
            | Self::Fee
            | Self::Fx
            | Self::External => Side::Credit,
        }
    }

    fn normal(self, credit_view: i128) -> i128 {
        match self.normal_side() {
            Side::Credit => credit_view,
            Side::Debit => -credit_view,
        }
    }

    /// Whether money may not fall below the limit.
    pub fn is_constrained(self) -> bool {
        !matches!(self, Self::Clearing | Self::Fx | Self::External)
    }

    /// Whether an account of this kind has a limit of its own; elsewhere it is 0.
    pub fn takes_limit(self) -> bool {
        matches!(self, Self::Customer | Self::Merchant | Self::Cash)
    }

    /// Whether a payment may name an account of this kind as its debtor or creditor.
    pub fn may_pay(self) -> bool {
        !matches!(self, Self::Fx | Self::Fee | Self::Dispute | Self::Clearing)
    }
}

impl AccountStatus {
    /// Whether new holds and postings on this side are refused. A closed account is a matter of its own.
    pub fn freezes(self, side: Side) -> bool {
        match self {
            Self::Open | Self::Closed => false,
            Self::DebitFrozen => side == Side::Debit,
            Self::CreditFrozen => side == Side::Credit,
            Self::Frozen => true,
        }
    }
}

impl AccountRecord {
    /// Settled money: credits less debits, the other way round for CASH.
    pub fn posted(&self) -> i128 {
        self.counters.posted(self.kind)
    }

    /// Settled money with every hold, incoming ones too.
    pub fn pending(&self) -> i128 {
        self.counters.pending(self.kind)
    }

    /// What may leave: settled money less outgoing holds plus the limit. Incoming holds never count.
    pub fn available(&self) -> i128 {
        let outgoing = match self.kind.normal_side() {
            Side::Credit => self.counters.pending_debits,
            Side::Debit => self.counters.pending_credits,
        };
        self.posted() - outgoing + i128::from(self.limit)
    }

    /// [`Self::available`] where it may not fall below 0; `None` for kinds without a constraint.
    pub fn headroom(&self) -> Option<i128> {
        self.kind.is_constrained().then(|| self.available())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountId, AccountIndex, CurrencyCode, LogIndex};

    fn account(kind: AccountKind, limit: u64, [dr, cr, pending_dr, pending_cr]: [i128; 4]) -> AccountRecord {
        AccountRecord {
            status: AccountStatus::Open,
            kind,
            exponent: 2,
            currency: CurrencyCode::parse("USD").unwrap(),
            id: AccountId::parse("a").unwrap(),
            limit,
            counters: Counters {
                posted_debits: dr,
                posted_credits: cr,
                pending_debits: pending_dr,
                pending_credits: pending_cr,
            },
            opened_index: LogIndex(2),
            line_count: 0,
            statement_chain: [0; 32],
        }
    }

    #[test]
    fn balances_by_kind() {
        let counters = [30, 100, 20, 7];
        let rows = [
            (AccountKind::Customer, 5, 70, 57, 55, Some(55)),
            (AccountKind::Merchant, 0, 70, 57, 50, Some(50)),
            (AccountKind::Clearing, 0, 70, 57, 50, None),
            (AccountKind::Dispute, 0, 70, 57, 50, Some(50)),
            (AccountKind::Fee, 0, 70, 57, 50, Some(50)),
            (AccountKind::Fx, 0, 70, 57, 50, None),
            (AccountKind::Cash, 5, -70, -57, -72, Some(-72)),
            (AccountKind::External, 0, 70, 57, 50, None),
        ];
        for (kind, limit, posted, pending, available, headroom) in rows {
            let record = account(kind, limit, counters);
            assert_eq!(record.posted(), posted, "{kind} posted");
            assert_eq!(record.pending(), pending, "{kind} pending");
            assert_eq!(record.available(), available, "{kind} available");
            assert_eq!(record.headroom(), headroom, "{kind} headroom");
        }
    }

    #[test]
    fn counters_are_added_and_taken_back() {
        let four = |[dr, cr, pending_dr, pending_cr]: [i128; 4]| Counters {
            posted_debits: dr,
            posted_credits: cr,
            pending_debits: pending_dr,
            pending_credits: pending_cr,
        };
        let mut sum = four([1, 2, 3, 4]);
        sum += four([10, 20, 30, 40]);
        assert_eq!(sum, four([11, 22, 33, 44]));
        for (layer, side, after) in [
            (Layer::Posted, Side::Debit, [16, 22, 33, 44]),
            (Layer::Posted, Side::Credit, [11, 27, 33, 44]),
            (Layer::Pending, Side::Debit, [11, 22, 38, 44]),
            (Layer::Pending, Side::Credit, [11, 22, 33, 49]),
        ] {
            let posting = Posting { account: AccountIndex(0), layer, side, delta: 5 };
            sum.post(posting);
            assert_eq!(sum, four(after));
            sum.unpost(posting);
            assert_eq!(sum, four([11, 22, 33, 44]));
        }
    }

    /// In whichever profile: an overflow is a fault of the program, never a wrapped amount.
    #[test]
    #[should_panic(expected = "overflow")]
    fn an_overflow_panics() {
        let mut counters = Counters { posted_debits: i128::MAX, ..Counters::default() };
        let posting = Posting { account: AccountIndex(0), layer: Layer::Posted, side: Side::Debit, delta: 1 };
        counters.post(posting);
    }

    #[test]
    fn freezing_is_by_side() {
        let rows = [
            (AccountStatus::Open, false, false),
            (AccountStatus::DebitFrozen, true, false),
            (AccountStatus::CreditFrozen, false, true),
            (AccountStatus::Frozen, true, true),
        ];
        for (status, debit, credit) in rows {
            assert_eq!(status.freezes(Side::Debit), debit, "{status}");
            assert_eq!(status.freezes(Side::Credit), credit, "{status}");
        }
    }
}
