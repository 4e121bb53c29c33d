//! Group 4: who must sign. One key of `signers` meets role and coverage both; all are registered and not revoked.

use std::sync::Arc;

use arrayvec::ArrayVec;
use ledger_crypto::KeyBytes;

use crate::apply::{NotAdmitted, Stop};
use crate::code::{Code, Refusal};
use crate::event::{Body, Event, Family, TransferPosted};
use crate::number::{KeyStatus, Roles, Side};
use crate::record::KeyRecord;
use crate::unit::MAX_SIGNERS;
use crate::view::{Constants, StateView};

/// The registered keys among an event's signers, in their order.
pub(crate) type SignerKeys = ArrayVec<Arc<KeyRecord>, MAX_SIGNERS>;

/// Event 17 is signed by the key itself, 20 by the log key in force and by the new one: SIGNERS_MISMATCH.
pub(super) fn check_possession(view: &impl StateView, event: &Event) -> Result<(), Refusal> {
    for key in possessed(view, event) {
        if !event.signers.iter().any(|signer| signer == key) {
            let limit = "a signature of this key itself";
            return Err(Refusal::of(Code::SignersMismatch, "signers", hex::encode(key), limit));
        }
    }
    Ok(())
}

/// SIGNER_KEY_UNKNOWN, then SIGNER_KEY_REVOKED.
pub(super) fn registered(view: &impl StateView, event: &Event) -> Result<SignerKeys, Stop> {
    registered_keys(view, looked_up(view, event))
}

/// The same of the signers of a batch, none of whom signs for a key of its own.
pub(super) fn registered_keys<'e>(
    view: &impl StateView,
    signers: impl IntoIterator<Item = &'e [u8]>,
) -> Result<SignerKeys, Stop> {
    let mut keys = SignerKeys::new();
    for signer in signers {
        let key = KeyBytes::try_from(signer).map_err(|_| NotAdmitted("signers"))?;
        let Some(index) = view.key_index(&key)? else {
            let limit = "a registered key";
            return Err(Refusal::of(Code::SignerKeyUnknown, "signers", hex::encode(key), limit).into());
        };
        keys.try_push(view.key(index)?).map_err(|_| NotAdmitted("signers"))?;
    }
    if let Some(revoked) = keys.iter().find(|key| key.status == KeyStatus::Revoked) {
        let limit =
            revoked.revoked_index.map_or(String::new(), |index| format!("revoked at log index {index}"));
        return Err(Refusal::of(Code::SignerKeyRevoked, "signers", hex::encode(revoked.key), limit).into());
    }
    Ok(keys)
}

/// SIGNER_ROLE_MISSING, then SIGNER_NOT_ACCOUNT_OWNER; for events of a payment the accounts are looked at by the
/// rules.
pub(super) fn check_authority(
    constants: &Constants,
    event: &Event,
    keys: &[Arc<KeyRecord>],
) -> Result<(), Refusal> {
    match event.body.family() {
        Family::Reversal | Family::Registry => {
            let (found, wanted) =
                (keys.iter().filter(|key| key.is_full_operator()).count(), constants.operator_threshold);
            if found < wanted as usize {
                let limit = format!("{wanted} operator keys with an empty prefix");
                return Err(Refusal::of(Code::SignerRoleMissing, "signers", found, limit));
            }
            Ok(())
        }
        Family::Initiation | Family::Step | Family::Transfer | Family::Control => {
            let body = &event.body;
            if !keys.iter().any(|key| has_role(body, key)) {
                let limit = wanted_roles(body);
                return Err(Refusal::of(Code::SignerRoleMissing, "signers", roles_of(keys), limit));
            }
            if !keys.iter().any(|key| has_role(body, key) && covers(body, key)) {
                let prefixes: Vec<_> = keys.iter().map(|key| format!("{:?}", key.prefix)).collect();
                let limit = "a key with the role whose prefix covers the accounts";
                return Err(Refusal::of(Code::SignerNotAccountOwner, "signers", prefixes.join(", "), limit));
            }
            Ok(())
        }
    }
}

/// Whether a signer may act on a payment between these accounts.
pub(crate) fn cover_payment(
    view: &impl StateView,
    event: &Event,
    debtor: &str,
    creditor: &str,
) -> Result<bool, Stop> {
    let keys = registered(view, event)?;
    let may_act = |key: &Arc<KeyRecord>| {
        let of_either = key.covers(debtor) || key.covers(creditor);
        match &event.body {
            Body::PaymentRefunded(_) => {
                (key.roles.contains(Roles::OWNER) && key.covers(creditor))
                    || (key.roles.contains(Roles::PROCESSOR) && of_either)
            }
            body => has_role(body, key) && of_either,
        }
    };
    Ok(keys.iter().any(may_act))
}

/// The party of an event that takes an external reference: that of the first signer who meets role and coverage.
pub(crate) fn party(view: &impl StateView, event: &Event) -> Result<Arc<str>, Stop> {
    let keys = registered(view, event)?;
    let first = keys.iter().find(|key| has_role(&event.body, key) && covers(&event.body, key));
    first.map(|key| Arc::clone(&key.party)).ok_or_else(|| NotAdmitted("signers").into())
}

/// Keys that sign for themselves: not looked up in the registry, not counted towards the threshold.
fn possessed<'e>(view: &'e impl StateView, event: &'e Event) -> ArrayVec<&'e [u8], 2> {
    let mut keys = ArrayVec::new();
    match &event.body {
        Body::KeyRegistered(body) => keys.push(body.key.as_slice()),
        Body::LogKeyRotated(body) => {
            keys.push(view.params().log_key.as_slice());
            keys.push(body.new_key.as_slice());
        }
        _ => {}
    }
    keys
}

fn looked_up<'e>(view: &'e impl StateView, event: &'e Event) -> impl Iterator<Item = &'e [u8]> {
    let possessed = possessed(view, event);
    event.signers.iter().map(Vec::as_slice).filter(move |signer| !possessed.contains(signer))
}

fn has_role(body: &Body, key: &KeyRecord) -> bool {
    wanted(body).iter().any(|role| key.roles.contains(*role))
}

/// Any one of these roles.
fn wanted(body: &Body) -> &'static [Roles] {
    match body {
        Body::PaymentVoided(_) => return &[Roles::INITIATOR, Roles::PROCESSOR],
        Body::PaymentRefunded(_) => return &[Roles::OWNER, Roles::PROCESSOR],
        _ => {}
    }
    match body.family() {
        Family::Initiation => &[Roles::INITIATOR],
        Family::Step => &[Roles::PROCESSOR],
        Family::Transfer => &[Roles::OPERATOR, Roles::OWNER],
        Family::Reversal | Family::Control | Family::Registry => &[Roles::OPERATOR],
    }
}

/// Coverage that the event itself decides; a payment's accounts are not part of its later events.
fn covers(body: &Body, key: &KeyRecord) -> bool {
    match body {
        Body::PaymentInitiated(body) => key.covers(&body.debtor) || key.covers(&body.creditor),
        Body::TransferPosted(body) => covers_transfer(body, key),
        Body::AccountOpened(body) => key.covers(&body.account),
        Body::AccountStatusChanged(body) => key.covers(&body.account),
        Body::AccountLimitChanged(body) => key.covers(&body.account),
        Body::PeriodClosed(_) | Body::MetadataErased(_) => key.prefix.is_empty(),
        // Looked at by the rules, which know the payment's accounts; or signed by full operators.
        _ => true,
    }
}

/// An operator covers every leg's account, an owner every debited one.
fn covers_transfer(body: &TransferPosted, key: &KeyRecord) -> bool {
    let as_operator =
        key.roles.contains(Roles::OPERATOR) && body.legs.iter().all(|leg| key.covers(&leg.account));
    let mut debited = body.legs.iter().filter(|leg| leg.side == Some(Side::Debit));
    as_operator || (key.roles.contains(Roles::OWNER) && debited.all(|leg| key.covers(&leg.account)))
}

fn wanted_roles(body: &Body) -> String {
    wanted(body).iter().map(|role| role.names()).collect::<Vec<_>>().join(" or ")
}

fn roles_of(keys: &[Arc<KeyRecord>]) -> String {
    keys.iter().map(|key| key.roles.names()).collect::<Vec<_>>().join(", ")
}
