//! Which postings an event makes, in order.

use ledger_core::event::{Body, Event, Fx};
use ledger_core::number::{AccountKind, ChargebackResult, Layer, Side};

use super::books::Books;
use super::guards::{fees_of, payer};
use super::names::currency;
use super::payment::Payment;

/// One change of one counter.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Posting {
    pub account: usize,
    pub layer: Layer,
    pub side: Side,
    pub delta: i128,
}

/// The postings of an event of a payment, from the payment before it.
pub(super) fn of_payment(books: &Books, payment: &Payment, body: &Body) -> Vec<Posting> {
    let mut postings = Vec::new();
    let hold = payment.held();
    let (debtor, creditor) = (payment.debtor, payment.creditor);
    match body {
        Body::PaymentAuthorized(body) => held(books, payment, i128::from(body.amount), &mut postings),
        Body::AuthorizationIncreased(body) => held(books, payment, i128::from(body.amount), &mut postings),
        Body::AuthorizationReduced(body) => held(books, payment, -i128::from(body.amount), &mut postings),
        Body::PaymentVoided(_) => held(books, payment, -hold, &mut postings),
        Body::PaymentCaptured(body) => {
            let released = if body.final_capture { hold } else { i128::from(body.amount) };
            if payment.auth > 0 {
                held(books, payment, -released, &mut postings);
            }
            match payment.clearing {
                Some(clearing) => pair(debtor, clearing, body.amount, &mut postings),
                None => through(books, debtor, creditor, (body.amount, body.fx.as_ref()), &mut postings),
            }
        }
        Body::PaymentSettled(body) => {
            let clearing = payment.clearing.expect("guarded");
            through(books, clearing, creditor, (body.amount, body.fx.as_ref()), &mut postings);
        }
        Body::PaymentRefunded(body) => {
            back(books, creditor, debtor, (body.amount, body.fx.as_ref()), &mut postings);
        }
        Body::ChargebackOpened(body) => {
            let dispute = books.the_one(AccountKind::Dispute, payment.currency).expect("guarded");
            back(books, creditor, dispute, (body.amount, body.fx.as_ref()), &mut postings);
        }
        Body::ChargebackResolved(body) => {
            let dispute = books.the_one(AccountKind::Dispute, payment.currency).expect("guarded");
            match body.result.expect("admitted") {
                ChargebackResult::Won => {
                    through(books, dispute, creditor, (body.amount, body.fx.as_ref()), &mut postings);
                }
                ChargebackResult::Lost => pair(dispute, debtor, body.amount, &mut postings),
            }
        }
        _ => {}
    }
    for fee in fees_of(body) {
        let account = books.account(&fee.account).expect("guarded");
        pair(payer(payment, fee), account, fee.amount, &mut postings);
    }
    postings
}

/// The release of the whole hold.
pub(super) fn of_expiry(books: &Books, payment: &Payment) -> Vec<Posting> {
    let mut postings = Vec::new();
    held(books, payment, -payment.held(), &mut postings);
    postings
}

/// The legs of a transfer.
pub(super) fn of_transfer(books: &Books, event: &Event) -> Vec<Posting> {
    let Body::TransferPosted(body) = &event.body else { panic!("a transfer") };
    let mut postings = Vec::new();
    for leg in &body.legs {
        let account = books.account(&leg.account).expect("guarded");
        debug_assert_eq!(books.accounts[account].currency, currency(&leg.currency));
        let side = leg.side.expect("admitted");
        postings.push(posted(account, side, leg.amount));
    }
    postings
}

/// The posted postings of an entry with sides exchanged.
pub(super) fn mirrored(lines: &[ledger_core::line::Line]) -> Vec<Posting> {
    let mut postings = Vec::new();
    for line in lines {
        if line.posting.layer == Layer::Posted {
            postings.push(Posting {
                account: usize::try_from(line.account.0).expect("an index"),
                layer: Layer::Posted,
                side: if line.posting.side == Side::Debit { Side::Credit } else { Side::Debit },
                delta: line.posting.delta,
            });
        }
    }
    postings
}

/// A hold, or with a negative amount its release: debtor, then the counterparty.
fn held(books: &Books, payment: &Payment, delta: i128, postings: &mut Vec<Posting>) {
    let q = books.accounts[payment.creditor].currency;
    let counterparty = match payment.clearing {
        Some(clearing) => clearing,
        None if payment.currency != q => books.the_one(AccountKind::Fx, payment.currency).expect("guarded"),
        None => payment.creditor,
    };
    for (account, side) in [(payment.debtor, Side::Debit), (counterparty, Side::Credit)] {
        postings.push(Posting { account, layer: Layer::Pending, side, delta });
    }
}

/// From an account in the payment's currency to the creditor: payment currency first.
fn through(
    books: &Books,
    from: usize,
    to: usize,
    (amount, fx): (u64, Option<&Fx>),
    postings: &mut Vec<Posting>,
) {
    let Some(fx) = fx else { return pair(from, to, amount, postings) };
    let (here, there) = exchange_accounts(books, from, to);
    pair(from, here, amount, postings);
    pair(there, to, fx.counter_amount, postings);
}

/// From the creditor to an account in the payment's currency: payment currency first as well.
fn back(
    books: &Books,
    from: usize,
    to: usize,
    (amount, fx): (u64, Option<&Fx>),
    postings: &mut Vec<Posting>,
) {
    let Some(fx) = fx else { return pair(from, to, amount, postings) };
    let (there, here) = exchange_accounts(books, from, to);
    pair(here, to, amount, postings);
    pair(from, there, fx.counter_amount, postings);
}

/// The exchange accounts of the currencies of two accounts.
fn exchange_accounts(books: &Books, one: usize, other: usize) -> (usize, usize) {
    let of =
        |account: usize| books.the_one(AccountKind::Fx, books.accounts[account].currency).expect("guarded");
    (of(one), of(other))
}

fn pair(debit: usize, credit: usize, amount: u64, postings: &mut Vec<Posting>) {
    postings.push(posted(debit, Side::Debit, amount));
    postings.push(posted(credit, Side::Credit, amount));
}

fn posted(account: usize, side: Side, amount: u64) -> Posting {
    Posting { account, layer: Layer::Posted, side, delta: i128::from(amount) }
}
