//! What the generator sees when it makes an event.

use std::rc::Rc;

use ledger_core::event::{Body, Event};
use ledger_core::ids::PaymentId;

use super::Generator;
use crate::keyring;
use crate::model::{Books, Key, Ledger, Payment};

/// State and time that an event will meet.
#[derive(Clone, Copy)]
pub(super) struct Scene<'a> {
    pub model: &'a Ledger,
    /// The model's, or those after the members of a group before this one.
    pub books: &'a Books,
    pub t: u64,
}

impl Scene<'_> {
    /// Currency of an account.
    pub(super) fn currency(&self, account: usize) -> String {
        self.books.accounts[account].currency.to_string()
    }

    pub(super) fn exponent(&self, account: usize) -> u8 {
        self.books.accounts[account].exponent
    }

    /// Whether a payment's parties have different currencies.
    pub(super) fn crosses(&self, payment: &Payment) -> bool {
        self.books.accounts[payment.creditor].currency != payment.currency
    }
}

impl Generator {
    /// An event whose header is right, but for signers.
    pub(super) fn event(&mut self, scene: &Scene<'_>, body: Body) -> Event {
        Event {
            ledger_id: scene.model.fixed.ledger_id.to_vec(),
            event_id: self.new_id(scene.t),
            timestamp_nanos: scene.t,
            body,
            ..Event::default()
        }
    }

    /// The same of a payment, at its head.
    pub(super) fn event_of(&mut self, scene: &Scene<'_>, payment: &Payment, body: Body) -> Event {
        let (payment_id, head) = (payment.id.0.to_vec(), payment.head.0.to_vec());
        Event { payment_id, previous_event_id: head, ..self.event(scene, body) }
    }

    /// A UUID v7 of this millisecond.
    pub(super) fn new_id(&mut self, t: u64) -> Vec<u8> {
        let mut id = [0; 16];
        id[..6].copy_from_slice(&(t / 1_000_000).to_be_bytes()[2..]);
        id[8..].copy_from_slice(&self.next_id.to_be_bytes());
        id[6] = 0x70;
        id[8] = 0x80;
        self.next_id += 1;
        id.to_vec()
    }

    pub(super) fn new_payment_id(&mut self) -> Vec<u8> {
        let mut id = [0xAA; 16];
        id[8..].copy_from_slice(&self.next_id.to_be_bytes());
        self.next_id += 1;
        id.to_vec()
    }

    /// Lets fitting keys sign, mostly.
    pub(super) fn sign(&mut self, scene: &Scene<'_>, event: &mut Event) {
        let books = scene.books;
        let number = event.body.number();
        let mut signers: Vec<Vec<u8>> = Vec::new();
        if matches!(number, 13 | 17 | 18 | 20 | 21) {
            let mut operators: Vec<&Key> = books
                .keys
                .iter()
                .filter(|key| key.is_full_operator() && key.revoked_index.is_none())
                .collect();
            for _ in 0..scene.model.fixed.operator_threshold {
                if !operators.is_empty() && !self.dice.once_in(40) {
                    let at = self.dice.below(operators.len() as u64) as usize;
                    signers.push(operators.swap_remove(at).key.to_vec());
                }
            }
        } else {
            let roles: u16 = match number {
                1 => 1,
                2..=6 | 9 | 11 | 12 => 2,
                7 => 3,
                10 => 6,
                14 => 12,
                _ => 8,
            };
            let fits = |key: &&Key| key.roles.0 & roles != 0 && key.revoked_index.is_none();
            let fitting: Vec<&Key> = books.keys.iter().filter(fits).collect();
            let wide: Vec<&Key> = fitting.iter().copied().filter(|key| key.prefix.is_empty()).collect();
            let from = if self.dice.once_in(5) || wide.is_empty() { fitting } else { wide };
            if !from.is_empty() {
                signers.push(self.dice.pick(&from).key.to_vec());
            }
        }
        match &event.body {
            Body::KeyRegistered(body) => signers.push(body.key.clone()),
            Body::LogKeyRotated(body) => {
                signers.push(body.new_key.clone());
                signers.extend(books.log_keys.last().cloned());
            }
            _ => {}
        }
        if signers.is_empty() || self.dice.once_in(30) {
            let any = self.dice.pick(&keyring::NAMES[1..]);
            signers.push(keyring::key(any));
        }
        if self.dice.once_in(60) {
            let known = self.dice.pick(&books.keys);
            signers = vec![known.key.to_vec()];
        }
        signers.sort();
        signers.dedup();
        event.signers = signers;
    }

    /// A payment, mostly one of the latest, and mostly one of those that `fits`.
    pub(super) fn payment(
        &mut self,
        scene: &Scene<'_>,
        fits: impl Fn(&Payment) -> bool,
    ) -> Option<Rc<Payment>> {
        let payments = &scene.books.payments;
        let latest = payments.len().saturating_sub(if self.dice.once_in(5) { 400 } else { 25 });
        let near = &payments[latest..];
        let fitting: Vec<&Rc<Payment>> = near.iter().filter(|payment| fits(payment)).collect();
        if !fitting.is_empty() && !self.dice.once_in(4) {
            return Some(self.dice.pick(&fitting).clone());
        }
        (!near.is_empty()).then(|| self.dice.pick(near))
    }

    /// An account, mostly one of those that fit; empty when there is none.
    pub(super) fn account(
        &mut self,
        scene: &Scene<'_>,
        fits: impl Fn(&crate::model::Account) -> bool,
    ) -> String {
        if self.dice.once_in(60) {
            return "cust:nobody".to_owned();
        }
        let accounts = &scene.books.accounts;
        let fitting: Vec<_> = accounts.iter().filter(|account| fits(account)).collect();
        if !fitting.is_empty() && !self.dice.once_in(30) {
            return self.dice.pick(&fitting).id.to_string();
        }
        if accounts.is_empty() { String::new() } else { self.dice.pick(accounts).id.to_string() }
    }

    /// A payment id that is not there.
    pub(super) fn no_payment(&mut self) -> PaymentId {
        PaymentId(self.new_payment_id().try_into().expect("16 bytes"))
    }
}
