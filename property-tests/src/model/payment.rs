//! A payment: a vector of counters, its status a function of them.

use ledger_core::ids::{CurrencyCode, EventId, PaymentId};
use ledger_core::number::{CaptureMode, PaymentStatus, ReleaseCause};

/// A payment.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(missing_docs, reason = "named as in the published record")]
pub struct Payment {
    pub id: PaymentId,
    pub mode: CaptureMode,
    pub debtor: usize,
    pub creditor: usize,
    pub clearing: Option<usize>,
    pub currency: CurrencyCode,
    pub instructed: u64,
    pub rejected: bool,
    pub auth: i128,
    pub capt: i128,
    pub rel: i128,
    pub sett: i128,
    pub refd: i128,
    pub disp: i128,
    pub lost: i128,
    pub last_release: Option<ReleaseCause>,
    pub expires_at: u64,
    pub head: EventId,
    pub event_count: u32,
    pub last_index: u64,
}

impl Payment {
    /// Held and neither captured nor released.
    pub fn held(&self) -> i128 {
        self.auth - self.capt - self.rel
    }

    /// What may be refunded or charged back.
    pub fn left_to_return(&self) -> i128 {
        self.sett - self.refd - self.disp - self.lost
    }

    /// The seven counters in their published order.
    pub fn counters(&self) -> [i128; 7] {
        [self.auth, self.capt, self.rel, self.sett, self.refd, self.disp, self.lost]
    }

    /// The first line of the status table that matches.
    pub fn state(&self) -> PaymentStatus {
        status_of_counters(self.rejected, self.counters(), self.last_release)
    }

    /// Whether the counters obey P1.
    pub fn is_legal(&self) -> bool {
        legal_counters(self.counters())
    }
}

/// Status from the rejected flag, `auth, capt, rel, sett, refd, disp, lost` and the cause of the last release.
pub fn status_of_counters(
    rejected: bool,
    [auth, capt, rel, sett, refd, disp, lost]: [i128; 7],
    last_release: Option<ReleaseCause>,
) -> PaymentStatus {
    let hold = auth - capt - rel;
    if rejected {
        PaymentStatus::Rejected
    } else if auth == 0 {
        PaymentStatus::Initiated
    } else if disp > 0 {
        PaymentStatus::Disputed
    } else if hold > 0 && capt == 0 {
        PaymentStatus::Authorized
    } else if hold > 0 {
        PaymentStatus::PartiallyCaptured
    } else if capt == 0 {
        match last_release {
            Some(ReleaseCause::Expiry) => PaymentStatus::Expired,
            Some(ReleaseCause::Reversal) => PaymentStatus::Reversed,
            _ => PaymentStatus::Voided,
        }
    } else if lost == capt {
        PaymentStatus::ChargedBack
    } else if refd + lost == capt {
        PaymentStatus::Refunded
    } else if refd + lost > 0 {
        PaymentStatus::PartiallyRefunded
    } else if sett == capt {
        PaymentStatus::Settled
    } else {
        PaymentStatus::Captured
    }
}

/// P1: `0 ≤ hold`, `sett ≤ capt ≤ auth − rel`, `refd + disp + lost ≤ sett`, none negative.
pub fn legal_counters(counters: [i128; 7]) -> bool {
    let [auth, capt, rel, sett, refd, disp, lost] = counters;
    counters.iter().all(|counter| *counter >= 0)
        && auth - capt - rel >= 0
        && sett <= capt
        && capt <= auth - rel
        && refd + disp + lost <= sett
}

/// A vector of counters with a status, one for each status: the smallest examples.
pub fn counters_of_status(status: PaymentStatus) -> (bool, [i128; 7], Option<ReleaseCause>) {
    let counters = match status {
        PaymentStatus::Initiated | PaymentStatus::Rejected => [0; 7],
        PaymentStatus::Authorized => [2, 0, 0, 0, 0, 0, 0],
        PaymentStatus::PartiallyCaptured => [2, 1, 0, 0, 0, 0, 0],
        PaymentStatus::Captured => [2, 2, 0, 1, 0, 0, 0],
        PaymentStatus::Settled => [2, 2, 0, 2, 0, 0, 0],
        PaymentStatus::PartiallyRefunded => [2, 2, 0, 2, 1, 0, 0],
        PaymentStatus::Refunded => [2, 2, 0, 2, 2, 0, 0],
        PaymentStatus::Disputed => [2, 2, 0, 2, 0, 1, 0],
        PaymentStatus::ChargedBack => [2, 2, 0, 2, 0, 0, 2],
        PaymentStatus::Voided | PaymentStatus::Expired | PaymentStatus::Reversed => [2, 0, 2, 0, 0, 0, 0],
    };
    let cause = match status {
        PaymentStatus::Voided => Some(ReleaseCause::Void),
        PaymentStatus::Expired => Some(ReleaseCause::Expiry),
        PaymentStatus::Reversed => Some(ReleaseCause::Reversal),
        _ => None,
    };
    (status == PaymentStatus::Rejected, counters, cause)
}
