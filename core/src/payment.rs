//! What the counters of a payment mean (minor units of its currency).

use crate::number::{PaymentStatus, ReleaseCause};
use crate::record::PaymentRecord;

impl PaymentRecord {
    /// Money still held on the debtor.
    pub fn hold(&self) -> i128 {
        self.auth - self.capt - self.rel
    }

    /// What may still go back to the debtor.
    pub fn refundable(&self) -> i128 {
        self.sett - self.refd - self.disp - self.lost
    }

    /// Whether the counters can be: none negative, `capt ≤ auth − rel`, `sett ≤ capt`, `refd + disp + lost ≤ sett`.
    pub fn is_legal(&self) -> bool {
        let counters = [self.auth, self.capt, self.rel, self.sett, self.refd, self.disp, self.lost];
        counters.iter().all(|counter| *counter >= 0)
            && self.hold() >= 0
            && self.sett <= self.capt
            && self.refundable() >= 0
    }

    /// Whether nothing but the initiation has happened.
    pub fn is_untouched(&self) -> bool {
        self.derived_status() == PaymentStatus::Initiated
    }

    /// Whether the authorization has run out at `t_nanos`, on the record or not yet.
    pub fn is_expired_at(&self, t_nanos: u64) -> bool {
        self.expires_at_nanos > 0 && t_nanos >= self.expires_at_nanos
    }

    /// The status that the counters say: the first line that matches. Only REJECTED, which no counter shows, is taken
    /// from the record.
    pub fn derived_status(&self) -> PaymentStatus {
        let hold = self.hold();
        let back = self.refd + self.lost;
        if self.status == PaymentStatus::Rejected {
            PaymentStatus::Rejected
        } else if self.auth == 0 {
            PaymentStatus::Initiated
        } else if self.disp > 0 {
            PaymentStatus::Disputed
        } else if hold > 0 && self.capt == 0 {
            PaymentStatus::Authorized
        } else if hold > 0 {
            PaymentStatus::PartiallyCaptured
        } else if self.capt == 0 {
            self.status_without_capture()
        } else if self.lost == self.capt {
            PaymentStatus::ChargedBack
        } else if back == self.capt {
            PaymentStatus::Refunded
        } else if back > 0 {
            PaymentStatus::PartiallyRefunded
        } else if self.sett == self.capt {
            PaymentStatus::Settled
        } else {
            PaymentStatus::Captured
        }
    }

    fn status_without_capture(&self) -> PaymentStatus {
        match self.last_release {
            Some(ReleaseCause::Expiry) => PaymentStatus::Expired,
            Some(ReleaseCause::Reversal) => PaymentStatus::Reversed,
            Some(ReleaseCause::Void | ReleaseCause::FinalCapture | ReleaseCause::Reduction) | None => {
                PaymentStatus::Voided
            }
        }
    }

    /// Releases the whole hold.
    pub(crate) fn release(&mut self, cause: ReleaseCause) {
        let hold = self.hold();
        if hold > 0 {
            self.rel += hold;
            self.last_release = Some(cause);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::{AccountIndex, CurrencyCode, EventId, LogIndex, PaymentId};
    use crate::number::{CaptureMode, Route};
    use proptest::prelude::*;

    fn payment([auth, capt, rel, sett, refd, disp, lost]: [i128; 7]) -> PaymentRecord {
        PaymentRecord {
            status: PaymentStatus::Initiated,
            capture_mode: CaptureMode::Deferred,
            route: Route::Direct,
            last_release: None,
            id: PaymentId([1; 16]),
            debtor: AccountIndex(0),
            creditor: AccountIndex(1),
            clearing: None,
            currency: CurrencyCode::parse("USD").unwrap(),
            amount: 100,
            auth,
            capt,
            rel,
            sett,
            refd,
            disp,
            lost,
            expires_at_nanos: 0,
            head: EventId([2; 16]),
            event_count: 1,
            last_index: LogIndex(9),
        }
    }

    #[test]
    fn statuses_in_order() {
        use PaymentStatus::*;
        use ReleaseCause::*;
        let rows = [
            ([0, 0, 0, 0, 0, 0, 0], None, Initiated),
            ([100, 90, 0, 90, 0, 20, 0], None, Disputed),
            ([100, 0, 0, 0, 0, 0, 0], None, Authorized),
            ([100, 0, 40, 0, 0, 0, 0], Some(Reduction), Authorized),
            ([100, 60, 0, 60, 0, 0, 0], None, PartiallyCaptured),
            ([100, 0, 100, 0, 0, 0, 0], Some(Void), Voided),
            ([100, 0, 100, 0, 0, 0, 0], Some(Expiry), Expired),
            ([100, 0, 100, 0, 0, 0, 0], Some(Reversal), Reversed),
            ([100, 90, 10, 90, 0, 0, 90], Some(FinalCapture), ChargedBack),
            ([100, 90, 10, 90, 60, 0, 30], Some(FinalCapture), Refunded),
            ([100, 90, 10, 90, 15, 0, 20], Some(FinalCapture), PartiallyRefunded),
            ([100, 90, 10, 90, 0, 0, 0], Some(FinalCapture), Settled),
            ([100, 90, 10, 40, 0, 0, 0], Some(FinalCapture), Captured),
        ];
        for (counters, cause, status) in rows {
            let record = PaymentRecord { last_release: cause, ..payment(counters) };
            assert_eq!(record.derived_status(), status, "{counters:?} {cause:?}");
        }
        let rejected = PaymentRecord { status: Rejected, ..payment([0; 7]) };
        assert_eq!(rejected.derived_status(), Rejected);
    }

    #[test]
    fn what_may_go_back_and_which_counters_can_be() {
        assert_eq!(payment([100, 90, 10, 80, 7, 11, 13]).refundable(), 80 - 7 - 11 - 13);
        assert!(payment([100, 60, 40, 60, 20, 20, 20]).is_legal());
        for broken in [
            [-1, 0, 0, 0, 0, 0, 0],
            [100, -1, 0, -1, 0, 0, 0],
            [100, 60, -1, 60, 0, 0, 0],
            [100, 60, 41, 60, 0, 0, 0],
            [100, 60, 40, 61, 0, 0, 0],
            [100, 60, 40, 60, 21, 20, 20],
            [100, 60, 40, 60, -1, 0, 0],
            [100, 60, 40, 60, 0, -1, 0],
            [100, 60, 40, 60, 0, 0, -1],
        ] {
            assert!(!payment(broken).is_legal(), "{broken:?}");
        }
    }

    #[test]
    fn where_nothing_is_held_nothing_is_released() {
        let mut record = payment([100, 100, 0, 100, 0, 0, 0]);
        record.release(ReleaseCause::FinalCapture);
        assert_eq!((record.rel, record.last_release), (0, None));
    }

    proptest! {
        /// Any legal counters have a status, and the status says what is left of the hold.
        #[test]
        fn the_status_is_total(auth in 0i128..1000, parts in prop::array::uniform6(0i128..1000)) {
            let [a, b, c, d, e, f] = parts;
            let capt = a % (auth + 1);
            let rel = b % (auth - capt + 1);
            let sett = c % (capt + 1);
            let refd = d % (sett + 1);
            let disp = e % (sett - refd + 1);
            let lost = f % (sett - refd - disp + 1);
            let record = payment([auth, capt, rel, sett, refd, disp, lost]);
            let status = record.derived_status();
            prop_assert!(record.hold() >= 0 && record.refundable() >= 0);
            prop_assert_eq!(status == PaymentStatus::Initiated, auth == 0);
            let held = matches!(status, PaymentStatus::Authorized | PaymentStatus::PartiallyCaptured);
            prop_assert!(!held || record.hold() > 0);
        }
    }
}
