//! The SDK's pipeline while its server is killed.

use std::collections::BTreeSet;

use ledger_client::{CheckpointMemory, Client, EntryRef, EventBuilder, LogIdentity};
use ledger_core::event::{Body, Leg, TransferPosted};
use ledger_core::number::Side;
use ledger_core::unit::Submitted;
use ledger_crypto::{SigningKey, keyfile};

use crate::support::Ledger;

const EVENTS: usize = 1_000;
const BATCH: usize = 5;
const KILL_AFTER: usize = 200;

#[test]
fn a_killed_server_doubles_and_loses_nothing() {
    let mut ledger = Ledger::start();
    ledger.open_books();
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
    runtime.block_on(async {
        let client = Client::connect(&ledger.url()).await.unwrap();
        let events = cents(&ledger);
        let ids: Vec<_> = events.iter().map(|(id, _)| *id).collect();
        let first = events[0].1.clone();
        let (mut sender, mut answers) = client.submit_stream(4);
        let sending = tokio::spawn(async move {
            for batch in events.chunks(BATCH) {
                sender.send(batch.iter().map(|(_, event)| event.clone()).collect()).await.unwrap();
            }
        });
        let mut indices = BTreeSet::new();
        let mut order = Vec::new();
        while let Some(answer) = answers.next().await {
            for event in answer.unwrap().events {
                assert!(event.verdict().is_accepted(), "{event:?}");
                indices.insert(event.recorded().unwrap().log_index);
                order.push(event.event_id.unwrap());
            }
            if order.len() == KILL_AFTER {
                tokio::task::block_in_place(|| ledger.kill_and_serve("data"));
            }
        }
        sending.await.unwrap();
        assert_eq!(order, ids, "answers come in the order of sending");
        assert_eq!(indices.len(), EVENTS, "each event stands in a place of its own");
        let last = *indices.last().unwrap();
        let (log, memory) = (identity(&ledger), CheckpointMemory::new(ledger.path("state").as_ref()));
        let receipt = client.await_sealed(&log, &memory, EntryRef::Index(last), SEALED_IN).await.unwrap();
        assert_eq!(receipt.verified.index, last.0);
        assert_eq!(memory.last(&log).unwrap().unwrap().size(), receipt.verified.checkpoint.size);
        let first = client.await_sealed_event(&log, &memory, &first, SEALED_IN).await.unwrap();
        assert_eq!(first.verified.index, indices.first().unwrap().0);
    });
    let alice = ledger.json(&["account", "show", "alice"]).ok();
    assert_eq!(alice["posted"], "190.00 USD");
}

const SEALED_IN: std::time::Duration = std::time::Duration::from_secs(30);

/// Transfers of 0.01 USD from `alice` to `shop`, with their ids.
pub fn cents(ledger: &Ledger) -> Vec<(ledger_core::ids::EventId, Submitted)> {
    let operator: SigningKey = keyfile::load(ledger.operator().as_ref()).unwrap();
    let ledger_id = *identity(ledger).ledger_id();
    let leg = |account: &str, side| Leg {
        account: account.to_owned(),
        side: Some(side),
        currency: "USD".to_owned(),
        amount: 1,
    };
    let event = |_| {
        let body = Body::TransferPosted(TransferPosted {
            legs: vec![leg("alice", Side::Debit), leg("shop", Side::Credit)],
            purpose: "CENT".to_owned(),
            related_payment_id: Vec::new(),
        });
        let event = EventBuilder::new(&ledger_id, body).unwrap();
        (event.event_id(), event.sign(&[&operator]))
    };
    (0..EVENTS).map(event).collect()
}

fn identity(ledger: &Ledger) -> LogIdentity {
    let read = |name: &str| std::fs::read_to_string(ledger.path(&format!("data/{name}"))).unwrap();
    let key = ledger_crypto::note::VerifierKey::parse(read("log.vkey").trim()).unwrap();
    let id = hex::decode(read("ledger-id").trim()).unwrap();
    LogIdentity::new(key, id.try_into().unwrap())
}
