//! What an operator gains from owning the log key: nothing. Each forgery is one change to an otherwise honest log, is
//! sealed with the real key, and goes on honestly; roots, totals and checkpoint all fit what it pretends. The table was
//! written before it was run: where the finding must be, and which.

use std::sync::Arc;

use ledger_core::apply::{At, Effects, ExecutedEntry, Subject, execute};
use ledger_core::event::{Body, Fx, PaymentCaptured};
use ledger_core::ids::{AccountIndex, CurrencyCode, LogIndex};
use ledger_core::line::Line;
use ledger_core::number::{AccountKind, Layer, Rounding};
use ledger_core::posting::Posting;
use ledger_core::record::AccountRecord;
use ledger_core::unit::Submitted;
use ledger_core::view::{State, StateView};

use crate::batch;
use crate::forge::{ALONE, Forge, Payment, Place, Signers, unit_of};
use crate::judge::{Expected, Row, at, judge_table};
use crate::operator::{effects_of, log_anyway, log_with, transfer};

/// What was done; how (it returns the log index that must be named); the field that must be named.
type Forgery = (&'static str, fn(&mut Forge) -> u64, &'static str);

/// A posting leaves no trace but the balances: the seal of its block commits to them, and is the entry at fault.
const TABLE: &[Forgery] = &[
    ("one posting to the wrong account", post_elsewhere, "accounts_root"),
    ("one refusal turned into an acceptance", overdraw, "outcome"),
    ("one acceptance turned into a refusal", refuse_wrongly, "outcome"),
    ("one expiry a nanosecond early", expire_early, "expiry"),
    ("one due expiry withheld", withhold_expiry, "expiry"),
    ("one FX amount off by one, as signed", accept_wrong_amount, "outcome"),
    ("one FX amount off by one, as posted", post_wrong_amount, "accounts_root"),
    ("one group split: a member logged alone", split_alone, "group_len"),
    ("one group split: a member withheld", split_short, "group_len"),
    ("one group split: by a seal", split_by_seal, "kind"),
    ("one batch member moved, its position with it", move_member, "position"),
    ("one batch member moved to another position", renumber_member, "admission"),
    ("one batch member moved behind another event", detach_member, "kind"),
    ("one totals row changed", change_totals, "totals_hash"),
];

/// What is added to a log.
type Act = fn(&mut Forge);

/// The same, done as the rules say.
const HONEST: &[(&str, Act)] = &[
    ("an expiry on time", expire_on_time),
    ("an expiry that is due goes before the event", expire_before_the_event),
    ("a capture across currencies", capture_across_currencies),
    ("a batch in its order", log_batch),
];

#[test]
fn every_forgery_passes_by_its_hashes_and_is_found_by_the_rules() {
    let forged = |(name, forge, field): &Forgery| {
        let mut log = Forge::with_accounts();
        let log_index = forge(&mut log);
        finish(log, name, at(log_index, field))
    };
    judge_table(&TABLE.iter().map(forged).collect::<Vec<_>>());
}

#[test]
fn what_was_forged_is_valid_when_it_is_done_honestly() {
    let done = |(name, act): &(&str, Act)| {
        let mut log = Forge::with_accounts();
        act(&mut log);
        finish(log, name, Expected::Valid)
    };
    judge_table(&HONEST.iter().map(done).collect::<Vec<_>>());
}

/// The log goes on for a block.
fn finish(mut log: Forge, name: &str, full: Expected) -> Row {
    log.seal();
    assert_eq!(log.transfer("cust:bob", "cust:alice", 1), 0);
    log.seal();
    Row { name: name.to_owned(), files: log.files(), trust: log.trust(), full, hashes_only: Expected::Valid }
}

fn post_elsewhere(log: &mut Forge) -> u64 {
    let event = transfer(log);
    let books = account(log, "shop:books");
    let forged = rebooked(log, &effects_of(log, &event), |postings| postings[1].account = books);
    log_anyway(log, &event, None, &forged) + 1
}

fn overdraw(log: &mut Forge) -> u64 {
    let event = log.transfer_event("cust:alice", "cust:bob", 2_000_000, Signers::Service);
    // What the rules would do if alice had a limit, with the limit taken away again.
    let alice = log.state.account_index("cust:alice").unwrap().unwrap();
    let mut generous = log.state.clone();
    let mut record = generous.account(alice).unwrap();
    Arc::make_mut(&mut record).limit = 5_000_000;
    put_account(&mut generous, alice, record);
    let at = At {
        t_nanos: log.next_nanos(),
        log_index: LogIndex(log.entries.len() as u64),
        recorded_at_nanos: log.next_nanos(),
    };
    let mut outcome =
        execute(&generous, unit_of(std::slice::from_ref(&event)).members(), at).unwrap().remove(0);
    assert_eq!(outcome.refusal, None);
    for (index, record) in &mut outcome.effects.accounts {
        if *index == alice {
            Arc::make_mut(record).limit = 0;
        }
    }
    log_anyway(log, &event, None, &outcome.effects)
}

fn refuse_wrongly(log: &mut Forge) -> u64 {
    let event = transfer(log);
    log_with(log, &event, Place { outcome: 904, ..ALONE }, &Effects::default())
}

fn split_alone(log: &mut Forge) -> u64 {
    let group = log.group([100, 200]);
    let effects = effects_of(log, &group[0]);
    log_anyway(log, &group[0], None, &effects)
}

/// The second member is withheld; what follows is where the group should go on.
fn split_short(log: &mut Forge) -> u64 {
    let group = log.group([100, 200]);
    let effects = effects_of(log, &group[0]);
    log_with(log, &group[0], Place { group_len: 2, ..ALONE }, &effects);
    let next = log.entries.len() as u64;
    assert_eq!(log.transfer("cust:bob", "cust:alice", 5), 0);
    next
}

fn split_by_seal(log: &mut Forge) -> u64 {
    let group = log.group([100, 200]);
    for (group_index, member) in group.iter().enumerate() {
        let effects = effects_of(log, member);
        log_with(log, member, Place { outcome: 0, group_len: 2, group_index }, &effects);
        if group_index == 0 {
            log.seal();
        }
    }
    log.entries.len() as u64 - 2
}

fn expire_early(log: &mut Forge) -> u64 {
    let (payment, due_nanos) = held(log);
    log.now_nanos = due_nanos - 1;
    let index = log.entries.len() as u64;
    log.expire(payment.id);
    index
}

fn expire_on_time(log: &mut Forge) {
    let (payment, due_nanos) = held(log);
    log.now_nanos = due_nanos;
    log.expire(payment.id);
}

fn withhold_expiry(log: &mut Forge) -> u64 {
    let (_, due_nanos) = held(log);
    log.now_nanos = due_nanos;
    let event = transfer(log);
    let index = log.entries.len() as u64;
    assert_eq!(log.log_unit(&unit_of(&[event])), [0]);
    index
}

fn expire_before_the_event(log: &mut Forge) {
    let (_, due_nanos) = held(log);
    log.now_nanos = due_nanos;
    let event = transfer(log);
    let before = log.entries.len();
    assert_eq!(log.submit(vec![event]), [0]);
    assert_eq!(log.entries.len(), before + 2);
}

/// The signers signed 92.01 EUR where the rate makes it 92.00, and the ledger booked that.
fn accept_wrong_amount(log: &mut Forge) -> u64 {
    let payment = authorized_across(log);
    let right = capture(log, payment, COUNTER_AMOUNT);
    let honest = effects_of(log, &right);
    let wrong = capture(log, payment, COUNTER_AMOUNT + 1);
    let forged = rebooked(log, &honest, one_more);
    log_anyway(log, &wrong, None, &forged)
}

/// The signers signed the right amount, and the ledger booked a cent more.
fn post_wrong_amount(log: &mut Forge) -> u64 {
    let payment = authorized_across(log);
    let event = capture(log, payment, COUNTER_AMOUNT);
    let forged = rebooked(log, &effects_of(log, &event), one_more);
    log_anyway(log, &event, None, &forged) + 1
}

fn capture_across_currencies(log: &mut Forge) {
    let payment = authorized_across(log);
    let event = capture(log, payment, COUNTER_AMOUNT);
    assert_eq!(log.submit(vec![event]), [0]);
}

/// Members 1 and 2 stand in each other's place, and say so.
fn move_member(log: &mut Forge) -> u64 {
    let signed = batch::sign(log, &[10, 20, 30]);
    let order = [0, 2, 1];
    batch::log(log, &signed, &order, |place| order[place] as u32) + 2
}

/// Members 1 and 2 stand in each other's place, numbered as they stand: the header, which signed their order, is at fault.
fn renumber_member(log: &mut Forge) -> u64 {
    let signed = batch::sign(log, &[10, 20, 30]);
    batch::log(log, &signed, &[0, 2, 1], |place| place as u32)
}

/// The last member comes after an event of its own unit.
fn detach_member(log: &mut Forge) -> u64 {
    let signed = batch::sign(log, &[10, 20, 30]);
    let event = transfer(log);
    let header = batch::log(log, &signed, &[0, 1], |place| place as u32);
    let effects = effects_of(log, &event);
    log_anyway(log, &event, None, &effects);
    header + 3
}

fn log_batch(log: &mut Forge) {
    let signed = batch::sign(log, &[10, 20, 30]);
    batch::log(log, &signed, &[0, 1, 2], |place| place as u32);
}

/// Debits and credits of a currency are equal still.
fn change_totals(log: &mut Forge) -> u64 {
    let event = transfer(log);
    assert_eq!(log.submit(vec![event]), [0]);
    log.seal_with(|block| {
        let row = block.totals.0.get_mut(&CurrencyCode::parse("USD").unwrap()).unwrap();
        row.posted_debits += 1;
        row.posted_credits += 1;
    });
    let index = log.entries.len() as u64 - 1;
    // A block has an entry beside the seal before it.
    assert_eq!(log.transfer("cust:bob", "cust:alice", 2), 0);
    index
}

/// 100.00 USD at 0.92.
const AMOUNT: u64 = 10_000;
const COUNTER_AMOUNT: u64 = 9_200;

/// A payment to a merchant in EUR, with a hold of [`AMOUNT`].
fn authorized_across(log: &mut Forge) -> Payment {
    log.open("fx:usd", AccountKind::Fx);
    log.open_in("EUR", "fx:eur", AccountKind::Fx);
    log.open_in("EUR", "shop:wien", AccountKind::Merchant);
    log.authorize_to("shop:wien", AMOUNT, 600)
}

fn capture(log: &mut Forge, payment: Payment, counter_amount: u64) -> Submitted {
    let fx = Fx {
        counter_currency: "EUR".to_owned(),
        counter_amount,
        rate_mantissa: 92,
        rate_scale: 2,
        rounding: Some(Rounding::HalfEven),
        quote_ref: String::new(),
    };
    let body = PaymentCaptured { amount: AMOUNT, final_capture: true, fees: Vec::new(), fx: Some(fx) };
    log.event(Some(payment), Body::PaymentCaptured(body), Signers::Service)
}

/// A cent more on both sides of the pair in EUR, so that the books balance.
fn one_more(postings: &mut [Posting]) {
    let counter = postings
        .iter_mut()
        .filter(|posting| posting.layer == Layer::Posted && posting.delta == i128::from(COUNTER_AMOUNT));
    assert_eq!(counter.map(|posting| posting.delta += 1).count(), 2);
}

/// A payment with a hold of a minute, and when it is due.
fn held(log: &mut Forge) -> (Payment, u64) {
    let payment = log.authorize(100, 60);
    let index = log.state.payment_index(&payment.id).unwrap().unwrap();
    (payment, log.state.payment(index).unwrap().expires_at_nanos)
}

fn account(log: &Forge, name: &str) -> AccountIndex {
    log.state.account_index(name).unwrap().unwrap()
}

/// What an entry does when it posts other postings: counters, lines and statement chains as the rules make them.
/// Without a change that is the honest entry.
fn rebooked(log: &Forge, honest: &Effects, change: impl FnOnce(&mut [Posting])) -> Effects {
    assert_eq!(rebook(log, honest, |_| ()), *honest);
    rebook(log, honest, change)
}

fn rebook(log: &Forge, honest: &Effects, change: impl FnOnce(&mut [Posting])) -> Effects {
    let mut postings = honest.postings.clone();
    change(&mut postings);
    let mut accounts: Vec<(AccountIndex, Arc<AccountRecord>)> = Vec::new();
    let mut lines = Vec::new();
    for (posting, like) in postings.iter().zip(&honest.lines) {
        let place = accounts.iter().position(|(index, _)| *index == posting.account).unwrap_or_else(|| {
            accounts.push((posting.account, log.state.account(posting.account).unwrap()));
            accounts.len() - 1
        });
        let record = Arc::make_mut(&mut accounts[place].1);
        *record.counters.counter_mut(posting.layer, posting.side) += posting.delta;
        record.line_count += 1;
        let (number, after) = (record.line_count, record.counters);
        let line = Line { account: posting.account, number, posting: *posting, after, ..*like };
        record.statement_chain = line.chained(&record.statement_chain);
        lines.push(line);
    }
    Effects { accounts, postings, lines, ..honest.clone() }
}

fn put_account(state: &mut impl State, index: AccountIndex, record: Arc<AccountRecord>) {
    let effects = Effects { accounts: vec![(index, record)], ..Effects::default() };
    state.absorb(&ExecutedEntry {
        log_index: LogIndex(0),
        recorded_at_nanos: 0,
        t_nanos: 0,
        outcome: 0,
        subject: Subject::Expiry { payment_id: Default::default() },
        effects: &effects,
    });
}
