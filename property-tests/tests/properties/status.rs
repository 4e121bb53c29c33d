//! Property 13: the status is a total function of the counters, and the core's is the same.

use std::collections::BTreeSet;

use ledger_core::ids::{AccountIndex, CurrencyCode, EventId, LogIndex, PaymentId};
use ledger_core::number::*;
use ledger_core::record::PaymentRecord;
use ledger_property_tests::model::{counters_of_status, legal_counters, status_of_counters};

#[test]
fn p13_all_counters_up_to_four_have_one_status_and_the_core_agrees() {
    let (mut legal, mut reached) = (0, BTreeSet::new());
    let causes = [None].into_iter().chain(ReleaseCause::ALL.iter().copied().map(Some));
    let causes: Vec<Option<ReleaseCause>> = causes.collect();
    for code in 0..5u32.pow(7) {
        let counters: [i128; 7] = std::array::from_fn(|place| i128::from(code / 5u32.pow(place as u32) % 5));
        if !legal_counters(counters) {
            continue;
        }
        for cause in &causes {
            legal += 1;
            let status = status_of_counters(false, counters, *cause);
            reached.insert(status);
            assert_eq!(record(counters, *cause).derived_status(), status, "{counters:?} {cause:?}");
        }
    }
    println!("{legal} vectors of counters");
    let but_rejected = PaymentStatus::ALL.iter().filter(|status| **status != PaymentStatus::Rejected);
    assert_eq!(reached, but_rejected.copied().collect());
}

#[test]
fn p13_every_status_has_counters() {
    for status in PaymentStatus::ALL {
        let (rejected, counters, cause) = counters_of_status(*status);
        assert!(legal_counters(counters), "{status}");
        assert_eq!(status_of_counters(rejected, counters, cause), *status);
    }
}

fn record(
    [auth, capt, rel, sett, refd, disp, lost]: [i128; 7],
    cause: Option<ReleaseCause>,
) -> PaymentRecord {
    PaymentRecord {
        status: PaymentStatus::Initiated,
        capture_mode: CaptureMode::Deferred,
        route: Route::Direct,
        last_release: cause,
        id: PaymentId::NIL,
        debtor: AccountIndex(0),
        creditor: AccountIndex(1),
        clearing: None,
        currency: CurrencyCode::parse("USD").unwrap(),
        amount: 4,
        auth,
        capt,
        rel,
        sett,
        refd,
        disp,
        lost,
        expires_at_nanos: 0,
        head: EventId::NIL,
        event_count: 1,
        last_index: LogIndex(0),
    }
}
