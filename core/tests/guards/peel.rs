//! An event that is mended guard by guard.

use ledger_core::code::{Code, Refusal};
use ledger_core::event::Event;
use ledger_core::number::*;
use ledger_core::unit::Submitted;

use crate::world::*;

/// An event to be mended, who signs it, and what is done to it after signing.
pub struct Draft {
    pub event: Event,
    pub by: Vec<&'static str>,
    pub spoil: Vec<fn(&mut Submitted)>,
}

pub type Mend = fn(&mut World, &mut Draft);

/// The refusal that comes next: its code, the field it names, the limit it tells (`*` any), and what mends it.
pub type Row = (Code, &'static str, &'static str, Mend);

/// Submits the draft (under a new id when the last answer burnt it), expects the refusal of each row, mends; in the end
/// the event is accepted. Refusals change no record.
pub fn peel(world: &mut World, draft: &mut Draft, rows: &[Row]) {
    for (position, (code, field, limit, mend)) in rows.iter().enumerate() {
        let refusal = offer(world, draft).unwrap_or_else(|| panic!("accepted before mending {code}"));
        assert_eq!(refusal.code, *code, "row {position}: {refusal}");
        tells(&refusal, field, limit);
        mend(world, draft);
    }
    assert_eq!(offer(world, draft), None, "mended");
}

/// Whether a refusal tells this field and limit.
pub fn tells(refusal: &Refusal, field: &str, limit: &str) {
    assert_eq!(refusal.detail.field, field, "{refusal}");
    assert!(limit == "*" || refusal.detail.limit == limit, "{refusal}, not limit={limit}");
}

/// Submits the draft once.
pub fn offer(world: &mut World, draft: &mut Draft) -> Option<Refusal> {
    let before = world.records();
    let mut submitted = sign(&draft.event, &draft.by);
    draft.spoil.iter().for_each(|spoil| spoil(&mut submitted));
    let refusal = world.submit(submitted).refusal();
    if refusal.is_some() {
        assert!(world.records() == before, "{refusal:?} changes nothing");
    }
    if refusal.as_ref().is_some_and(|refusal| refusal.code.is_logged()) {
        draft.event.event_id = world.new_id();
    }
    refusal
}

/// Signs and submits an event once.
pub fn code_of(world: &mut World, event: &Event, by: &[&str]) -> Option<Code> {
    world.submit(sign(event, by)).code()
}

pub fn draft(event: Event, by: &[&'static str]) -> Draft {
    Draft { event, by: by.to_vec(), spoil: Vec::new() }
}

pub fn resign(draft: &mut Draft, by: &[&'static str]) {
    draft.by = by.to_vec();
    draft.event.signers = sorted_keys(by);
}

pub fn head(world: &World, payment: [u8; 16]) -> Vec<u8> {
    world.payment(payment).unwrap().head.0.to_vec()
}

/// Makes the draft one of another payment, at its head.
pub fn move_to(world: &World, draft: &mut Draft, payment: [u8; 16]) {
    draft.event.payment_id = payment.to_vec();
    draft.event.previous_event_id = head(world, payment);
}

/// A draft of a payment that does not exist, by a key that covers no account of those that do, at no head, in a closed
/// period: what comes first and last for every event of a payment.
pub fn stray(world: &mut World, body: ledger_core::event::Body) -> Draft {
    let mut event = world.event_of([9; 16], body, &["regional"]);
    event.previous_event_id = vec![3; 16];
    event.effective_date = 20_260_104;
    world.close_period(20_260_104);
    draft(event, &["regional"])
}

pub fn freeze(world: &mut World, account: &str, status: AccountStatus) {
    world.change_status(account, status);
}

/// The body of a draft, of a known type.
macro_rules! body {
    ($draft:expr, $name:ident) => {
        match &mut $draft.event.body {
            Body::$name(body) => body,
            other => panic!("{other:?}"),
        }
    };
}
