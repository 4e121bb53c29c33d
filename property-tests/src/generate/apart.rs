//! Payments that share nothing: each with its own accounts.

use ledger_core::event::*;
use ledger_core::number::*;

use super::Generator;
use super::payments::leg;
use super::scene::Scene;
use crate::dice::Dice;
use crate::model::{Entry, Payment, SECOND};
use crate::pair::{Pair, caught};
use crate::stream::{Command, Kind, Sent};

/// Commands that open accounts, and those of each payment, as they were accepted and refused one payment after another.
///
/// # Panics
/// When core and model differ on them.
pub fn independent_payments(seed: u64, payments: usize) -> Made {
    let made = caught(|| made(seed, payments));
    made.unwrap_or_else(|difference| panic!("independent payments of seed {seed}: {difference}"))
}

/// Commands of the beginning, and those of each payment.
type Made = (Vec<Command>, Vec<Vec<Command>>);

fn made(seed: u64, payments: usize) -> Result<Made, String> {
    let mut generator = Generator::new(Dice::new(seed));
    generator.mood.amounts = 1_000;
    let mut pair = Pair::new(1);
    let mut setup = generator.setup(&pair.model);
    for command in &setup {
        pair.take(command)?;
    }
    // Nothing runs out: the clock stands still from here on.
    generator.clock += SECOND;
    for number in 0..payments {
        for body in generator.own_accounts(number) {
            let command = generator.command_of(&pair, body, None);
            pair.take(&command)?;
            setup.push(command);
        }
    }
    let mut scripts = Vec::new();
    for number in 0..payments {
        let mut script = vec![generator.beginning(&pair, number)];
        pair.take(&script[0])?;
        let id = Event::decode(&script[0].members[0].payload).expect("encoded").payment_id;
        for _ in 0..40 {
            let books = &pair.model.books;
            let Some(payment) = books.payment(&id).map(|position| books.payments[position].clone()) else {
                break;
            };
            let command = generator.step(&pair, &payment);
            pair.take(&command)?;
            script.push(command);
        }
        scripts.push(script);
    }
    Ok((setup, scripts))
}

impl Generator {
    /// A debtor with money and a creditor.
    fn own_accounts(&mut self, number: usize) -> Vec<Body> {
        let (from, to) = (self.some_currency(), self.some_currency());
        let open = |account: String, currency: &str, kind| {
            let currency = currency.to_owned();
            Body::AccountOpened(AccountOpened { account, currency, kind: Some(kind), limit: 100 })
        };
        let legs = vec![
            leg(&format!("world:{}", from.to_lowercase()), Side::Debit, &from, 5_000),
            leg(&format!("apart:d{number}"), Side::Credit, &from, 5_000),
        ];
        let purpose = "OPENING".to_owned();
        vec![
            open(format!("apart:d{number}"), &from, AccountKind::Customer),
            open(format!("apart:c{number}"), &to, AccountKind::Merchant),
            Body::TransferPosted(TransferPosted { legs, purpose, related_payment_id: Vec::new() }),
        ]
    }

    fn beginning(&mut self, pair: &Pair, number: usize) -> Command {
        let debtor = format!("apart:d{number}");
        let books = &pair.model.books;
        let currency = books.accounts[books.account(&debtor).expect("opened")].currency.to_string();
        let capture_mode =
            Some(self.dice.pick(&[CaptureMode::Deferred, CaptureMode::Deferred, CaptureMode::Immediate]));
        let rail = format!("rail:{}", currency.to_lowercase());
        let clearing_account = if self.dice.once_in(2) { rail } else { String::new() };
        let creditor = format!("apart:c{number}");
        let amount = self.dice.between(1, 1_000);
        let body = PaymentInitiated { amount, currency, debtor, creditor, capture_mode, clearing_account };
        let payment_id = self.new_payment_id();
        self.command_of(pair, Body::PaymentInitiated(body), Some(payment_id))
    }

    /// The next event of a payment: one that fits, or any.
    fn step(&mut self, pair: &Pair, payment: &Payment) -> Command {
        let scene = Scene { model: &pair.model, books: &pair.model.books, t: self.clock };
        let own = |entry: &&Entry| {
            entry.accepted_event().is_some_and(|event| {
                event.payment_id == payment.id.0 && matches!(event.body.number(), 6 | 9 | 10)
            })
        };
        let targets: Vec<&Entry> = pair.model.history.iter().filter(own).collect();
        let mut event = if !targets.is_empty() && self.dice.once_in(6) {
            let target = self.dice.pick(&targets).event().expect("an event").event_id.clone();
            let body = PaymentReversed { target_event_id: target, reason: self.reason() };
            self.event_of(&scene, payment, Body::PaymentReversed(body))
        } else {
            let number = self.dice.pick(&[3, 3, 4, 5, 6, 6, 6, 7, 9, 9, 10, 11, 12]);
            self.advance(&scene, payment, number)
        };
        self.sign(&scene, &mut event);
        let sent = Sent::good(event.encode());
        Command { clock: self.clock, kind: Kind::Single, members: vec![sent] }
    }

    fn command_of(&mut self, pair: &Pair, body: Body, payment_id: Option<Vec<u8>>) -> Command {
        let scene = Scene { model: &pair.model, books: &pair.model.books, t: self.clock };
        let mut event = self.event(&scene, body);
        event.payment_id = payment_id.unwrap_or_default();
        event.signers = vec![crate::keyring::key("all")];
        let sent = Sent::good(event.encode());
        Command { clock: self.clock, kind: Kind::Single, members: vec![sent] }
    }
}
