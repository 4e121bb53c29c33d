//! Who signs: which key meets role and coverage.

use ledger_core::event::{Body, Event};
use ledger_core::number::{Roles, Side};

use super::books::{Books, Key};

/// What the signers of an event may do.
pub(super) enum Access {
    /// No key has the role.
    NoRole,
    /// Some key has the role, none covers.
    NotCovered,
    /// The party of the first key of `signers` that meets both.
    Granted(String),
}

/// Keys that sign an event besides those looked up in the registry.
pub(super) fn besides(books: &Books, event: &Event) -> Vec<Vec<u8>> {
    match &event.body {
        Body::KeyRegistered(body) => vec![body.key.clone()],
        Body::LogKeyRotated(body) => {
            vec![books.log_keys.last().expect("the genesis has one").clone(), body.new_key.clone()]
        }
        _ => Vec::new(),
    }
}

/// The registered keys among the signers, in their order.
pub(super) fn looked_up<'b>(books: &'b Books, event: &Event) -> Vec<Option<&'b Key>> {
    let besides = besides(books, event);
    event.signers.iter().filter(|key| !besides.contains(key)).map(|key| books.key(key)).collect()
}

/// What the signers may do. `parties`: ids of debtor and creditor of the payment that the event is of, when the
/// payment is known; without it coverage of a payment's accounts is not asked.
pub(super) fn access(
    books: &Books,
    event: &Event,
    operator_threshold: usize,
    parties: Option<(&str, &str)>,
) -> Access {
    let keys: Vec<&Key> = looked_up(books, event).into_iter().flatten().collect();
    if matches!(event.body.number(), 13 | 17 | 18 | 20 | 21) {
        let operators: Vec<&&Key> = keys.iter().filter(|key| key.is_full_operator()).collect();
        return if operators.len() >= operator_threshold {
            Access::Granted(operators.first().map_or(String::new(), |key| key.party.to_string()))
        } else {
            Access::NoRole
        };
    }
    let roles = roles_of(event.body.number());
    if !keys.iter().any(|key| key.may(roles)) {
        return Access::NoRole;
    }
    match keys.iter().find(|key| meets(key, event, parties)) {
        Some(key) => Access::Granted(key.party.to_string()),
        None => Access::NotCovered,
    }
}

fn roles_of(number: u32) -> &'static [Roles] {
    match number {
        1 => &[Roles::INITIATOR],
        2..=6 | 9 | 11 | 12 => &[Roles::PROCESSOR],
        7 => &[Roles::INITIATOR, Roles::PROCESSOR],
        10 => &[Roles::OWNER, Roles::PROCESSOR],
        14 => &[Roles::OPERATOR, Roles::OWNER],
        _ => &[Roles::OPERATOR],
    }
}

fn meets(key: &Key, event: &Event, parties: Option<(&str, &str)>) -> bool {
    let of_payment = |roles: &[Roles]| {
        key.may(roles) && parties.is_none_or(|(debtor, creditor)| key.covers(debtor) || key.covers(creditor))
    };
    match &event.body {
        Body::PaymentInitiated(body) => {
            key.may(&[Roles::INITIATOR]) && (key.covers(&body.debtor) || key.covers(&body.creditor))
        }
        Body::PaymentVoided(_) => of_payment(&[Roles::INITIATOR, Roles::PROCESSOR]),
        Body::PaymentRefunded(_) => {
            let owns = key.may(&[Roles::OWNER]) && parties.is_none_or(|(_, creditor)| key.covers(creditor));
            owns || of_payment(&[Roles::PROCESSOR])
        }
        Body::TransferPosted(body) => {
            let all = body.legs.iter().all(|leg| key.covers(&leg.account));
            let debited = body
                .legs
                .iter()
                .filter(|leg| leg.side == Some(Side::Debit))
                .all(|leg| key.covers(&leg.account));
            key.may(&[Roles::OPERATOR]) && all || key.may(&[Roles::OWNER]) && debited
        }
        Body::AccountOpened(body) => key.may(&[Roles::OPERATOR]) && key.covers(&body.account),
        Body::AccountStatusChanged(body) => key.may(&[Roles::OPERATOR]) && key.covers(&body.account),
        Body::AccountLimitChanged(body) => key.may(&[Roles::OPERATOR]) && key.covers(&body.account),
        Body::PeriodClosed(_) | Body::MetadataErased(_) => key.is_full_operator(),
        _ => of_payment(&[Roles::PROCESSOR]),
    }
}
