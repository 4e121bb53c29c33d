//! Property 2: what is refused changes nothing.

use std::collections::BTreeSet;

use ledger_core::event::{Body, Event};
use ledger_core::ids::{BatchId, EventId, LogIndex};
use ledger_core::number::AccountKind;
use ledger_core::view::{State, StateView};
use ledger_crypto::{Hash, sha256};
use ledger_property_tests::generate::stream;
use ledger_property_tests::keyring;
use ledger_property_tests::model::{Answer, What};
use ledger_property_tests::pair::Pair;
use ledger_property_tests::stream::{Command, Kind};

#[test]
fn p02_a_refused_unit_changes_no_byte() {
    let (mut refused, mut turned_away, mut batches) = (0, 0, 0);
    for seed in 200..206 {
        let mut pair = Pair::new(1);
        let commands = stream(seed, 500);
        let named = Named::of(&commands);
        for command in &commands {
            let own = Named::of(std::slice::from_ref(command));
            let (before, size) = (digest(&pair, &named, &own), pair.model.history.len());
            let known = known(&pair, &own);
            pair.take(command).unwrap_or_else(|difference| panic!("seed {seed}: {difference}"));
            let made = &pair.model.history[size..];
            let is_refused = |what: &What| matches!(what, What::BatchHeader | What::Event(_, Some(_)));
            if pair.answer.is_some() && made.iter().all(|entry| is_refused(&entry.what)) {
                assert_eq!(digest(&pair, &named, &own), before, "seed {seed}: {command:?}");
                for (before, after) in known.into_iter().zip(self::known(&pair, &own)) {
                    let is_new = before.is_none() && !made.is_empty();
                    assert!(is_new || after == before, "seed {seed}: {command:?}");
                }
                refused += made.iter().filter(|entry| entry.event().is_some()).count();
                turned_away += usize::from(made.is_empty() && !matches!(pair.answer, Some(Answer::Known(_))));
                batches += usize::from(command.kind == Kind::Batch);
            }
        }
    }
    println!("{refused} refused events, {turned_away} units turned away, {batches} batches");
    assert!(refused > 500 && turned_away > 100 && batches > 20, "{refused}, {turned_away}, {batches}");
}

/// What the commands of a stream name.
#[derive(Default)]
struct Named {
    events: BTreeSet<[u8; 16]>,
    batches: BTreeSet<[u8; 16]>,
    references: BTreeSet<String>,
    keys: BTreeSet<[u8; 32]>,
}

impl Named {
    fn of(commands: &[Command]) -> Self {
        let mut named = Self::default();
        for command in commands {
            let header = usize::from(command.kind == Kind::Batch).min(command.members.len());
            for sent in &command.members[..header] {
                let batch = ledger_core::batch::Batch::decode(&sent.payload);
                named.batches.extend(batch.ok().and_then(|batch| <[u8; 16]>::try_from(batch.batch_id).ok()));
            }
            for event in command.members[header..].iter().filter_map(|sent| Event::decode(&sent.payload).ok())
            {
                named.events.extend(<[u8; 16]>::try_from(event.event_id.as_slice()));
                named.references.insert(event.external_ref);
                if let Body::LogKeyRotated(body) = event.body {
                    named.keys.extend(<[u8; 32]>::try_from(body.new_key.as_slice()));
                }
            }
        }
        named
    }
}

/// What the core's state knows of events and batches by their ids.
fn known(pair: &Pair, own: &Named) -> Vec<Option<(LogIndex, u16)>> {
    let event = |id: &[u8; 16]| pair.state.known_event(&EventId(*id)).unwrap();
    let batch = |id: &[u8; 16]| pair.state.known_batch(&BatchId(*id)).unwrap();
    let events = own.events.iter().map(|id| event(id).map(|known| (known.log_index, known.outcome)));
    events.chain(own.batches.iter().map(|id| batch(id).map(|index| (index, 0)))).collect()
}

/// A digest of everything that the core's state answers about what the stream names, but what it
/// knows of the events and the batch of the unit in hand.
fn digest(pair: &Pair, named: &Named, own: &Named) -> Hash {
    let state = &pair.state;
    let mut all: Vec<u8> = Vec::new();
    let mut say = |text: String| all.extend_from_slice(text.as_bytes());
    say(format!("{:?}{:?}{}", state.totals(), state.params(), state.operator_count()));
    say(format!("{}{}{}", state.account_count(), state.payment_count(), state.key_count()));
    for record in state.accounts() {
        say(format!("{:?}{:?}", record.encode(), state.account_index(record.id.as_str()).unwrap()));
        for kind in AccountKind::ALL {
            say(format!("{:?}", state.special_account(*kind, record.currency).unwrap()));
        }
    }
    for record in state.payments() {
        say(format!("{:?}{:?}", record.encode(), state.payment_index(&record.id).unwrap()));
        say(format!("{:?}", state.next_due(record.expires_at_nanos).unwrap()));
    }
    let mut parties: BTreeSet<&str> = BTreeSet::new();
    for record in state.keys() {
        parties.insert(&record.party);
        say(format!("{:?}{:?}", record.encode(), state.key_index(&record.key).unwrap()));
    }
    for party in parties {
        for reference in &named.references {
            say(format!("{:?}", state.external_reference(party, reference).unwrap()));
        }
    }
    let log_key: [u8; 32] = keyring::key("log").try_into().expect("32 bytes");
    for key in named.keys.iter().chain([&log_key]) {
        say(format!("{:?}", state.log_key_since(key).unwrap()));
    }
    for id in &named.batches {
        let known: Option<LogIndex> = state.known_batch(&BatchId(*id)).unwrap();
        say(format!("{:?}", known.filter(|_| !own.batches.contains(id))));
    }
    for id in &named.events {
        say(format!("{:?}", state.reversed_at(&EventId(*id)).unwrap()));
        if !own.events.contains(id) {
            let known = state.known_event(&EventId(*id)).unwrap();
            say(format!("{known:?}{}", state.original(&EventId(*id)).unwrap().is_some()));
        }
    }
    sha256(&all)
}
