//! Retry storms: many clients send their events in order, and send a random half of all events again, in any order and
//! from any client, while the server is killed and started again. The books end as if every event had been sent once.
//!
//! `LEDGER_STORM_EVENTS` sets the size (4,000 when not given), `LEDGER_STORM_SEED` the seed.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use ledger_core::books::books_hash;
use ledger_core::entry::{Content, Entry};
use ledger_core::event::{
    Body, Event, Fee, KeyRegistered, Leg, PaymentAuthorized, PaymentCaptured, PaymentInitiated,
    PaymentRefunded, PaymentVoided, TransferPosted,
};
use ledger_core::ids::LogIndex;
use ledger_core::number::{AccountKind, CaptureMode, Payer, RefundCause, Side};
use ledger_core::replay::{ReadEntry, Replay};
use ledger_crypto::{Hash, SigningKey};
use ledger_engine::{Config, Ledger};
use ledger_proto::v1::{SubmitRequest, SubmittedEvent};
use tokio::sync::{Barrier, watch};
use tokio::time::timeout;

use crate::process::Process;
use crate::support::{Books, Client, accepted, connect, recorded, signed_by};

const CLIENTS: usize = 64;
/// Most events of one request.
const MOST_AT_ONCE: u64 = 24;
/// How long a client waits for the server to be started again.
const RESTART_TIMEOUT: Duration = Duration::from_secs(300);
/// 64 clients call at the same time.
const SETTINGS: &[(&str, &str)] = &[("server.max_submits", "256")];

/// Where the server is: how often it was started, and its address.
type Address = (usize, String);

/// What all clients share.
struct Storm {
    /// Events of each client, in its order.
    plans: Vec<Vec<SubmittedEvent>>,
    /// Index and outcome of the first answer to each.
    answers: Vec<Mutex<Vec<(u64, u32)>>>,
    /// Events that were answered and shall be sent again.
    again: Mutex<Vec<(usize, usize)>>,
    /// Events answered so far.
    answered: watch::Sender<usize>,
    address: watch::Receiver<Address>,
    all_sent: Barrier,
    seed: u64,
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_sent_again_and_again_leave_the_books_of_one_copy_each() {
    let (size, seed) = (number("LEDGER_STORM_EVENTS", 4_000), number("LEDGER_STORM_SEED", 1));
    let mut books = Books::create();
    let (opening, plans) = plans(&mut books, size as usize, seed);
    let calm = books.twin();
    let count = opening.len() + plans.iter().map(Vec::len).sum::<usize>();

    let mut random = Random(seed);
    let kill_at = (size * 3 / 10 + random.below(size * 4 / 10)) as usize;
    let process = Process::start_with(&books, SETTINGS);
    accepted(&mut connect(&process.grpc).await, opening.clone()).await;
    let (to_address, address) = watch::channel((0, process.grpc.clone()));
    let answers = plans.iter().map(|_| Mutex::default()).collect();
    let (answered, mut progress) = watch::channel(0);
    let all_sent = Barrier::new(CLIENTS);
    let storm =
        Arc::new(Storm { plans, answers, again: Mutex::default(), answered, address, all_sent, seed });

    let begun = Instant::now();
    let clients: Vec<_> =
        (0..CLIENTS).map(|number| tokio::spawn(client(Arc::clone(&storm), number))).collect();
    progress.wait_for(|answered| *answered >= kill_at).await.unwrap();
    process.signal("-KILL");
    process.ended();
    let process = Process::start_with(&books, SETTINGS);
    to_address.send_replace((1, process.grpc.clone()));
    let mut sent_again = 0;
    for client in clients {
        sent_again += client.await.unwrap();
    }
    let elapsed = begun.elapsed();
    process.signal("-TERM");
    assert!(process.ended().success());
    let after_the_storm = books_of(&books);

    let process = Process::start_with(&calm, SETTINGS);
    let mut one = connect(&process.grpc).await;
    for events in std::iter::once(&opening).chain(&storm.plans).flat_map(|events| events.chunks(512)) {
        one.submit(SubmitRequest { events: events.to_vec() }).await.unwrap();
    }
    process.signal("-TERM");
    assert!(process.ended().success());
    let (books_hash, events) = books_of(&calm);
    eprintln!(
        "retry storm: {size} events of {CLIENTS} clients, {sent_again} sent again, killed after {kill_at} answers, \
         seed {seed}: {:.1} s; books {} in both runs",
        elapsed.as_secs_f64(),
        hex::encode(books_hash)
    );
    assert!(sent_again >= size / 3, "a random half is sent again");
    assert_eq!(events, count, "every event is in the log once");
    assert_eq!(after_the_storm, (books_hash, events));
}

/// Sends its own events in order, others' again in between; returns how many it sent again.
async fn client(storm: Arc<Storm>, number: usize) -> u64 {
    let mut random = Random(storm.seed ^ (number as u64 + 1) << 32);
    let mut server = Server::reach(storm.address.clone()).await;
    let (mut next, mut sent_again) = (0, 0);
    let own = &storm.plans[number];
    while next < own.len() {
        let end = own.len().min(next + 1 + random.below(MOST_AT_ONCE) as usize);
        let answers = server.submit(&own[next..end]).await;
        storm.answers[number]
            .lock()
            .unwrap()
            .extend(answers.iter().map(|(index, outcome, _)| (*index, *outcome)));
        let again: Vec<_> = (next..end).filter(|_| random.below(2) == 0).map(|at| (number, at)).collect();
        storm.again.lock().unwrap().extend(again);
        storm.answered.send_modify(|answered| *answered += end - next);
        next = end;
        sent_again += storm.send_again(&mut server, &mut random).await;
    }
    storm.all_sent.wait().await;
    loop {
        match storm.send_again(&mut server, &mut random).await {
            0 => return sent_again,
            more => sent_again += more,
        }
    }
}

impl Storm {
    /// Sends some events again that anybody has sent before; returns how many.
    async fn send_again(&self, server: &mut Server, random: &mut Random) -> u64 {
        let most = 1 + random.below(MOST_AT_ONCE);
        let taken: Vec<(usize, usize)> = {
            let mut again = self.again.lock().unwrap();
            let take = |_| {
                (!again.is_empty()).then(|| {
                    let at = random.below(again.len() as u64) as usize;
                    again.swap_remove(at)
                })
            };
            (0..most).map_while(take).collect()
        };
        let events: Vec<_> = taken.iter().map(|(client, at)| self.plans[*client][*at].clone()).collect();
        if events.is_empty() {
            return 0;
        }
        for ((client, at), (index, outcome, already_exists)) in taken.iter().zip(server.submit(&events).await)
        {
            let first = self.answers[*client].lock().unwrap()[*at];
            assert_eq!(((index, outcome), already_exists), (first, true), "event {at} of client {client}");
        }
        events.len() as u64
    }
}

/// A connection to the server, wherever it is.
struct Server {
    address: watch::Receiver<Address>,
    started: usize,
    client: Client,
}

impl Server {
    async fn reach(mut address: watch::Receiver<Address>) -> Self {
        let (started, at) = address.borrow_and_update().clone();
        Self { address, started, client: connect(&at).await }
    }

    /// Submits events until they are answered: log index, outcome, and whether they were there before.
    async fn submit(&mut self, events: &[SubmittedEvent]) -> Vec<(u64, u32, bool)> {
        loop {
            let request = SubmitRequest { events: events.to_vec() };
            match self.client.submit(request).await {
                Ok(answered) => {
                    let results = answered.into_inner().results.into_iter().map(recorded);
                    return results.map(|one| (one.log_index, one.outcome, one.already_exists)).collect();
                }
                Err(status) => {
                    let before = self.started;
                    let again = self.address.wait_for(|(started, _)| *started > before);
                    let again = timeout(RESTART_TIMEOUT, again).await;
                    let (started, at) = again.unwrap_or_else(|_| panic!("{status}")).unwrap().clone();
                    (self.started, self.client) = (started, connect(&at).await);
                }
            }
        }
    }
}

/// The hash of the books of a stopped ledger, replayed from its log, and how many events are in it.
fn books_of(books: &Books) -> (Hash, usize) {
    let ledger = Ledger::open(Config::new(books.dir()), SigningKey::from_seed([1; 32])).unwrap();
    let size = ledger.checkpoint().size;
    let (mut replay, mut events) = (Replay::new(books.ledger_id), 0);
    while replay.size() < size {
        for entry in ledger.entries(LogIndex(replay.size()), usize::MAX, 1 << 20).unwrap() {
            events += usize::from(matches!(Entry::decode(&entry).unwrap().content, Content::Event { .. }));
            replay.push(ReadEntry::read(&entry, |_| None), None).unwrap();
        }
    }
    ledger.close().unwrap();
    let state = replay.state().unwrap();
    let hash =
        books_hash(state.accounts().iter().map(AsRef::as_ref), state.payments().iter().map(AsRef::as_ref));
    (hash, events)
}

/// What opens the books of all clients, and the events of each: transfers and up to four payments at a time, some of
/// them refused.
fn plans(books: &mut Books, size: usize, seed: u64) -> (Vec<SubmittedEvent>, Vec<Vec<SubmittedEvent>>) {
    let mut opening = books.accounts(&[]);
    let mut plans = Vec::new();
    for number in 0..CLIENTS {
        let mut seed_of_key = [11; 32];
        seed_of_key[0] = number as u8;
        let key = SigningKey::from_seed(seed_of_key);
        let prefix = format!("c{number:02}:");
        for (name, kind) in
            [("card", AccountKind::Customer), ("shop", AccountKind::Merchant), ("fees", AccountKind::Fee)]
        {
            opening.push(books.account(&format!("{prefix}{name}"), kind));
        }
        let body = KeyRegistered {
            key: key.public_bytes().to_vec(),
            party: format!("client {number}"),
            roles: 7,
            prefix: prefix.clone(),
        };
        let id = books.event_id();
        opening.push(signed_by(&books.unsigned(id, Body::KeyRegistered(body)), &[&books.operator, &key]));
        opening.push(books.transfer("world", &format!("{prefix}card"), 1_000_000));
        let share = size / CLIENTS + usize::from(number < size % CLIENTS);
        plans.push(
            Plan { books, key, prefix, open: Vec::new(), events: Vec::new() }
                .make(share, seed ^ number as u64),
        );
    }
    (opening, plans)
}

/// The events of one client in the making.
struct Plan<'a> {
    books: &'a mut Books,
    key: SigningKey,
    prefix: String,
    open: Vec<Payment>,
    events: Vec<SubmittedEvent>,
}

/// A payment under way: its id, its last accepted event, and what comes next.
struct Payment {
    id: Vec<u8>,
    head: Vec<u8>,
    steps: std::vec::IntoIter<Body>,
}

impl Plan<'_> {
    fn make(mut self, count: usize, seed: u64) -> Vec<SubmittedEvent> {
        let mut random = Random(seed);
        while self.events.len() < count {
            match random.below(6) {
                0 => self.transfer(1 + random.below(2_000), random.below(2) == 0),
                // More than there ever is: refused.
                1 => self.transfer(1_000_000_000, random.below(2) == 0),
                2 if self.open.len() < 4 => self.initiate(10 + random.below(500), random.below(3)),
                _ if self.open.is_empty() => self.initiate(10 + random.below(500), random.below(3)),
                _ => self.continue_one(random.below(self.open.len() as u64) as usize),
            }
        }
        self.events
    }

    fn transfer(&mut self, amount: u64, forth: bool) {
        let (card, shop) = (format!("{}card", self.prefix), format!("{}shop", self.prefix));
        let (from, to) = if forth { (card, shop) } else { (shop, card) };
        let leg = |account, side| Leg { account, side: Some(side), currency: "EUR".to_owned(), amount };
        let legs = vec![leg(from, Side::Debit), leg(to, Side::Credit)];
        let body = TransferPosted { legs, purpose: "STORM".to_owned(), related_payment_id: Vec::new() };
        let id = self.books.event_id();
        self.push(self.books.unsigned(id, Body::TransferPosted(body)));
    }

    fn initiate(&mut self, amount: u64, course: u64) {
        let (id, event_id) = (self.books.event_id(), self.books.event_id());
        let body = PaymentInitiated {
            amount,
            currency: "EUR".to_owned(),
            debtor: format!("{}card", self.prefix),
            creditor: format!("{}shop", self.prefix),
            capture_mode: Some(CaptureMode::Deferred),
            clearing_account: String::new(),
        };
        let event = self.books.unsigned(event_id.clone(), Body::PaymentInitiated(body));
        self.push(Event { payment_id: id.clone(), ..event });
        let steps = steps(amount, course, format!("{}fees", self.prefix)).into_iter();
        self.open.push(Payment { id, head: event_id, steps });
    }

    fn continue_one(&mut self, at: usize) {
        let Some(body) = self.open[at].steps.next() else {
            self.open.swap_remove(at);
            return;
        };
        let event_id = self.books.event_id();
        // A refund of more than was captured is refused, and refusals do not move the head.
        let refused = matches!(&body, Body::PaymentRefunded(refund) if refund.amount > 1_000);
        let event = self.books.unsigned(event_id.clone(), body);
        let payment = &mut self.open[at];
        let (payment_id, previous_event_id) = (payment.id.clone(), payment.head.clone());
        if !refused {
            payment.head = event_id;
        }
        self.push(Event { payment_id, previous_event_id, ..event });
    }

    fn push(&mut self, event: Event) {
        self.events.push(signed_by(&event, &[&self.key]));
    }
}

/// After the initiation: captured in two parts and paid back in part, or given up.
fn steps(amount: u64, course: u64, fees: String) -> Vec<Body> {
    let authorize = Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s: 604_800 });
    let capture = |amount, final_capture, fees| {
        Body::PaymentCaptured(PaymentCaptured { amount, final_capture, fees, fx: None })
    };
    let refund = |amount| {
        Body::PaymentRefunded(PaymentRefunded {
            amount,
            cause: Some(RefundCause::Merchant),
            reason: "STORM".to_owned(),
            fees: Vec::new(),
            fx: None,
        })
    };
    if course == 0 {
        return vec![authorize, Body::PaymentVoided(PaymentVoided { reason: "STORM".to_owned() })];
    }
    let fee = Fee { payer: Some(Payer::Creditor), account: fees, currency: "EUR".to_owned(), amount: 1 };
    let first = amount / 2;
    vec![
        authorize,
        capture(first, false, vec![fee]),
        capture(amount - first - 1, true, Vec::new()),
        refund(1_000_000),
        refund(1),
        refund(1),
    ]
}

/// SplitMix64.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let z = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (z ^ (z >> 31)) % limit
    }
}

fn number(variable: &str, default: u64) -> u64 {
    std::env::var(variable).map_or(default, |text| text.parse().expect("a whole number"))
}
