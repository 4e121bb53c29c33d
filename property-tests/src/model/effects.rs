//! What an event does.

use std::rc::Rc;

use ledger_core::code::Code;
use ledger_core::event::{AccountOpened, Body, Event, KeyRegistered, PaymentInitiated, PaymentReversed};
use ledger_core::ids::{EventId, PaymentId};
use ledger_core::line::first_chain;
use ledger_core::number::{
    AccountKind, AccountStatus, CaptureMode, PaymentStatus, RefundCause, ReleaseCause, Roles,
};

use super::account::Account;
use super::booking::{Attempt, Leave, Origin, book};
use super::books::{Books, Key};
use super::guards::{Before, Sight, event_id, payment_id, refuse_if};
use super::history::{Entry, What};
use super::names::{account_id, currency};
use super::payment::Payment;
use super::{Fixed, Place, postings, transitions};

/// An event that the rules refused.
pub(super) struct Refused {
    pub code: Code,
    pub attempts: Vec<Attempt>,
    pub status_before: Option<PaymentStatus>,
}

/// Lets an event happen to the books. After a refusal the books are of no use.
pub(super) fn happen(
    fixed: &Fixed,
    books: &mut Books,
    before: Before<'_>,
    event: &Event,
    place: Place,
) -> Result<Entry, Refused> {
    let mut entry = Entry::accepted(place, event);
    match step(fixed, books, before, event, place, &mut entry) {
        Ok(()) => Ok(entry),
        Err(code) => Err(Refused { code, attempts: entry.attempts, status_before: entry.status_before }),
    }
}

/// Ends the hold of a payment that is due.
pub(super) fn expire(books: &mut Books, payment: usize, place: Place) -> Entry {
    let mut entry = Entry::plain(place.index, place.recorded_at, What::Expiry);
    let before = books.payments[payment].clone();
    entry.status_before = Some(before.state());
    let postings = postings::of_expiry(books, &before);
    let leave = Leave { ignores_freezes: true, unchecked: None };
    let origin = Origin { event_id: EventId::NIL, payment_id: before.id };
    book(books, &postings, leave, &origin, place, &mut entry).expect("a release is always allowed");
    let after = Rc::make_mut(&mut books.payments[payment]);
    after.rel += before.held();
    after.last_release = Some(ReleaseCause::Expiry);
    after.last_index = place.index;
    (entry.payment, entry.after) = (Some(payment), Some(books.payments[payment].clone()));
    entry
}

fn step(
    fixed: &Fixed,
    books: &mut Books,
    before: Before<'_>,
    event: &Event,
    place: Place,
    entry: &mut Entry,
) -> Result<(), Code> {
    let sight = Sight { fixed, books, before, place };
    sight.references(event)?;
    let reference = (!event.external_ref.is_empty()).then(|| sight.reference(event));
    match &event.body {
        Body::PaymentInitiated(body) => {
            transitions::period(books, event, place.t)?;
            initiate(books, event, body, place, entry);
        }
        Body::PaymentReversed(body) => reverse(books, before, event, body, place, entry)?,
        Body::TransferPosted(_) => {
            transitions::period(books, event, place.t)?;
            let postings = postings::of_transfer(books, event);
            let origin = Origin { event_id: event_id(&event.event_id), payment_id: PaymentId::NIL };
            book(books, &postings, Leave::default(), &origin, place, entry)?;
        }
        Body::AccountOpened(body) => open(fixed, books, body, place, entry),
        Body::AccountStatusChanged(body) => {
            let account = books.account(&body.account).expect("guarded");
            Rc::make_mut(&mut books.accounts[account]).status = body.status.expect("admitted");
            entry.accounts.insert(account);
        }
        Body::AccountLimitChanged(body) => {
            let account = books.account(&body.account).expect("guarded");
            set_limit(Rc::make_mut(&mut books.accounts[account]), body.limit)?;
            entry.accounts.insert(account);
        }
        Body::KeyRegistered(body) => register(books, body, place, entry),
        Body::KeyRevoked(body) => {
            let key = books.keys.iter().position(|key| key.key == body.key.as_slice()).expect("guarded");
            books.keys[key].revoked_index = Some(place.index);
            entry.key = Some(key);
        }
        Body::PeriodClosed(body) => books.closed_through = body.through,
        Body::LogKeyRotated(body) => Rc::make_mut(&mut books.log_keys).push(body.new_key.clone()),
        Body::RulesChanged(_) => panic!("never admitted"),
        Body::MetadataErased(_) => {}
        _ => advance(books, event, place, entry)?,
    }
    if let Some(reference) = reference {
        Rc::make_mut(&mut books.references).insert(reference);
    }
    Ok(())
}

fn initiate(books: &mut Books, event: &Event, body: &PaymentInitiated, place: Place, entry: &mut Entry) {
    let clearing = books.account(&body.clearing_account);
    books.payments.push(Rc::new(Payment {
        id: payment_id(&event.payment_id),
        mode: body.capture_mode.expect("admitted"),
        debtor: books.account(&body.debtor).expect("guarded"),
        creditor: books.account(&body.creditor).expect("guarded"),
        clearing,
        currency: currency(&body.currency),
        instructed: body.amount,
        rejected: false,
        auth: 0,
        capt: 0,
        rel: 0,
        sett: 0,
        refd: 0,
        disp: 0,
        lost: 0,
        last_release: None,
        expires_at: 0,
        head: event_id(&event.event_id),
        event_count: 1,
        last_index: place.index,
    }));
    (entry.payment, entry.after) = (Some(books.payments.len() - 1), books.payments.last().cloned());
}

/// An event that moves a payment on.
fn advance(books: &mut Books, event: &Event, place: Place, entry: &mut Entry) -> Result<(), Code> {
    let position = books.payment(&event.payment_id).expect("guarded");
    let payment = books.payments[position].clone();
    entry.status_before = Some(payment.state());
    let after = transitions::after(&payment, event, place.t)?;
    transitions::exchange(books, &payment, &event.body)?;
    transitions::period(books, event, place.t)?;
    let postings = postings::of_payment(books, &payment, &event.body);
    let is_mandatory = match &event.body {
        Body::ChargebackOpened(_) | Body::ChargebackResolved(_) => true,
        Body::PaymentRefunded(body) => body.cause == Some(RefundCause::Return),
        _ => false,
    };
    let ignores_freezes = is_mandatory
        || match &event.body {
            Body::AuthorizationReduced(_) | Body::PaymentVoided(_) => true,
            Body::PaymentCaptured(_) => payment.mode == CaptureMode::Deferred,
            _ => false,
        };
    let leave = Leave { ignores_freezes, unchecked: is_mandatory.then_some(payment.creditor) };
    let origin = Origin { event_id: event_id(&event.event_id), payment_id: payment.id };
    book(books, &postings, leave, &origin, place, entry)?;
    keep(books, position, after, event, place, entry);
    Ok(())
}

fn reverse(
    books: &mut Books,
    before: Before<'_>,
    event: &Event,
    body: &PaymentReversed,
    place: Place,
    entry: &mut Entry,
) -> Result<(), Code> {
    let (history, unit) = before;
    let named =
        |entry: &&Entry| entry.accepted_event().is_some_and(|target| target.event_id == body.target_event_id);
    let target = history.iter().chain(unit).find(named).expect("guarded");
    let position = books.payment(&event.payment_id);
    let mut after = None;
    if let Some(position) = position {
        let payment = &books.payments[position];
        entry.status_before = Some(payment.state());
        after = Some(transitions::after_reversal(payment, &target.accepted_event().expect("accepted").body)?);
    }
    transitions::period(books, event, place.t)?;
    let postings = postings::mirrored(&target.lines);
    let origin = Origin { event_id: event_id(&event.event_id), payment_id: payment_id(&event.payment_id) };
    book(books, &postings, Leave::default(), &origin, place, entry)?;
    Rc::make_mut(&mut books.reversed).insert(event_id(&body.target_event_id));
    if let (Some(position), Some(after)) = (position, after) {
        keep(books, position, after, event, place, entry);
    }
    Ok(())
}

/// The payment after an accepted event of it.
fn keep(books: &mut Books, position: usize, after: Payment, event: &Event, place: Place, entry: &mut Entry) {
    let head = event_id(&event.event_id);
    let event_count = after.event_count + 1;
    books.payments[position] = Rc::new(Payment { head, event_count, last_index: place.index, ..after });
    (entry.payment, entry.after) = (Some(position), Some(books.payments[position].clone()));
}

fn open(fixed: &Fixed, books: &mut Books, body: &AccountOpened, place: Place, entry: &mut Entry) {
    let id = account_id(&body.account);
    let currency = currency(&body.currency);
    entry.accounts.insert(books.accounts.len());
    books.accounts.push(Rc::new(Account {
        id,
        currency,
        exponent: fixed.exponents[&currency],
        kind: body.kind.expect("admitted"),
        limit: body.limit,
        status: AccountStatus::Open,
        posted_dr: 0,
        posted_cr: 0,
        pending_dr: 0,
        pending_cr: 0,
        opened_index: place.index,
        line_count: 0,
        chain: first_chain(&id),
    }));
}

fn set_limit(account: &mut Account, limit: u64) -> Result<(), Code> {
    let before = account.left();
    account.limit = limit;
    let (Some(before), Some(after)) = (before, account.left()) else { return Ok(()) };
    let code =
        if account.kind == AccountKind::Cash { Code::CreditsExceedDebits } else { Code::InsufficientFunds };
    refuse_if(after < before && after < 0, code)
}

fn register(books: &mut Books, body: &KeyRegistered, place: Place, entry: &mut Entry) {
    entry.key = Some(books.keys.len());
    books.keys.push(Key {
        key: body.key.as_slice().try_into().expect("admitted"),
        party: body.party.as_str().into(),
        roles: Roles(u16::try_from(body.roles).expect("admitted")),
        prefix: body.prefix.as_str().into(),
        registered_index: place.index,
        revoked_index: None,
    });
}
