//! The naive model against logs that another implementation produced: it must decide every unit as they did.

use std::path::PathBuf;

use ledger_core::batch::Batch;
use ledger_core::entry::{Content, Entry};
use ledger_core::event::{EVENT_TYPE, Event};
use ledger_core::genesis::Genesis;
use ledger_crypto::{PublicKey, dsse};
use ledger_property_tests::model::{
    Answer, Form, Header, Ledger, Member, Offer, Signature, Way, What, invariants,
};
use serde_json::Value as Json;

#[test]
fn the_model_decides_every_golden_log_as_they_did() {
    for file in ["spine.json", "small-ledger.json", "worked-example.json", "every-refusal.json"] {
        let Some(golden) = load(file) else { return };
        let entries = list(&golden, "entries");
        let ledger = replay(file, &golden);
        invariants::check(&ledger).unwrap_or_else(|broken| panic!("{file}: {broken}"));
        assert_eq!(hex::encode(ledger.books.hash()), text(&golden, "books_hash"), "{file}");
        println!("{file}: {} entries", entries.len());
    }
}

/// Feeds the units of a log at their times and compares every entry.
fn replay(file: &str, golden: &Json) -> Ledger {
    let entries = list(golden, "entries");
    let first = bytes(&entries[0], "entry");
    let (constants, recorded_at) = Genesis::from_entry(&first).unwrap();
    let mut ledger = Ledger::found(&constants.genesis, constants.ledger_id, recorded_at);
    let mut position = 1;
    while position < entries.len() {
        for offer in golden["not_admitted"].as_array().into_iter().flatten() {
            if number(offer, "log_size") == position as i128 {
                turned_away(&mut ledger.clone(), offer);
            }
        }
        let entry = Entry::decode(&bytes(&entries[position], "entry")).unwrap();
        let length = match &entry.content {
            Content::Seal(_) => {
                ledger.seal();
                1
            }
            Content::Expiry { .. } => {
                ledger.expire_due(entry.recorded_at_nanos);
                1
            }
            Content::Event { .. } => {
                let members = entries[position..position + usize::from(entry.group_len)].iter().map(member);
                let way = if entry.group_len == 1 { Way::Single } else { Way::Group };
                let offer = Offer { way, members: members.collect() };
                decide(file, &mut ledger, &offer, entry.recorded_at_nanos)
            }
            Content::BatchHeader { signatures, payload } => {
                let batch = Batch::decode(payload).unwrap();
                let count = batch.count as usize;
                let signatures =
                    signatures.iter().map(|s| Signature { key: s.key.to_vec(), form: Form::Valid }).collect();
                let members = entries[position + 1..position + 1 + count].iter().map(member).collect();
                let offer = Offer { way: Way::Batch(Header { batch, signatures }), members };
                1 + decide(file, &mut ledger, &offer, entry.recorded_at_nanos)
            }
            other => panic!("{file}, entry {position}: {other:?}"),
        };
        for _ in 0..length {
            compare(file, &ledger, &entries[position], position);
            position += 1;
        }
    }
    ledger
}

/// Offers a unit that is in the log and says how many members it has.
fn decide(file: &str, ledger: &mut Ledger, offer: &Offer, time: u64) -> usize {
    let index = ledger.history.len();
    let answer = ledger.offer(offer, time);
    assert!(matches!(answer, Answer::Recorded(_)), "{file}, entry {index}: {answer:?}");
    assert_eq!(ledger.history[index].recorded_at, time, "{file}, entry {index}: an expiry too many");
    offer.members.len()
}

fn compare(file: &str, ledger: &Ledger, expected: &Json, position: usize) {
    let made = &ledger.history[position];
    let entry = Entry::decode(&bytes(expected, "entry")).unwrap();
    assert_eq!(made.recorded_at, entry.recorded_at_nanos, "{file}, entry {position}");
    let is_expiry = matches!(entry.content, Content::Expiry { .. });
    assert_eq!(matches!(made.what, What::Expiry), is_expiry, "{file}, entry {position}");
    assert_eq!(made.outcome(), entry.outcome, "{file}, entry {position}: {}", text(expected, "event"));
    if let Some(postings) = expected["postings"].as_array() {
        let lines: Vec<(String, i128)> = made
            .lines
            .iter()
            .map(|line| (ledger.books.accounts[line.account.0 as usize].id.to_string(), line.posting.delta))
            .collect();
        let told: Vec<(String, i128)> = postings
            .iter()
            .map(|posting| (text(posting, "account").to_owned(), number(posting, "delta")))
            .collect();
        assert_eq!(lines, told, "{file}, entry {position}");
    }
    let changed = |name: &str| expected[name].as_object().into_iter().flatten();
    for (id, account) in changed("accounts_after") {
        let record = ledger.books.accounts[ledger.books.account(id).unwrap()].record();
        // Members of a unit are applied before the first is compared.
        if record.line_count == u64::try_from(number(account, "line_count")).unwrap() {
            assert_eq!(hex::encode(record.encode()), text(account, "record"), "{file}, entry {position}");
        }
    }
    for (id, payment) in changed("payments_after") {
        let known = ledger.books.payment(&hex::decode(id).unwrap()).unwrap();
        let record = ledger.books.payments[known].record();
        if record.last_index.0 == position as u64 {
            assert_eq!(hex::encode(record.encode()), text(payment, "record"), "{file}, entry {position}");
        }
    }
}

/// A unit that leaves no trace.
fn turned_away(ledger: &mut Ledger, offer: &Json) {
    let why = text(offer, "why");
    let members: Option<Vec<Member>> = list(offer, "members").iter().map(offered).collect();
    // What cannot be decoded is no business of the model.
    let Some(members) = members else { return };
    let way = if members.len() == 1 { Way::Single } else { Way::Group };
    let unit = Offer { way, members };
    let t = u64::try_from(number(offer, "t_nanos")).unwrap();
    let Answer::TurnedAway { member, code } = ledger.offer(&unit, t) else { panic!("{why}: admitted") };
    assert_eq!(i128::from(code.number()), number(offer, "number"), "{why}: {code}");
    assert_eq!(member as u64, offer["member"].as_u64().unwrap_or(0), "{why}");
}

fn offered(member: &Json) -> Option<Member> {
    let payload = bytes(member, "payload");
    let event = Event::decode(&payload).ok()?;
    let message = dsse::message(EVENT_TYPE, &payload);
    let mut signatures = Vec::new();
    for signature in list(member, "signatures") {
        let (key, signature) = (bytes(signature, "key"), bytes(signature, "signature"));
        let form = match (<[u8; 64]>::try_from(signature), <[u8; 32]>::try_from(key.clone())) {
            (Ok(signature), Ok(bytes)) => match PublicKey::from_bytes(&bytes) {
                Ok(public) if public.verify(&message, &signature).is_ok() => Form::Valid,
                _ => Form::Invalid,
            },
            _ => Form::Malformed,
        };
        signatures.push(Signature { key, form });
    }
    Some(Member { event, payload, signatures, private: None })
}

/// What was submitted, from its entry.
fn member(entry: &Json) -> Member {
    let (signatures, payload) = match Entry::decode(&bytes(entry, "entry")).unwrap().content {
        Content::Event { signatures, payload, .. } => (signatures, payload),
        Content::BatchedEvent { payload, .. } => (Vec::new(), payload),
        other => panic!("no event: {other:?}"),
    };
    let signatures =
        signatures.iter().map(|s| Signature { key: s.key.to_vec(), form: Form::Valid }).collect();
    Member { event: Event::decode(&payload).unwrap(), payload, signatures, private: None }
}

/// A golden file; `None` when the folder is not there and nobody insists.
fn load(file: &str) -> Option<Json> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/golden");
    match std::fs::read_to_string(folder.join(file)) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) if std::env::var_os("CI").is_some() => panic!("{file}: {error}"),
        Err(error) => {
            println!("skipped: {file}: {error}");
            None
        }
    }
}

fn list<'j>(of: &'j Json, name: &str) -> &'j [Json] {
    of[name].as_array().unwrap_or_else(|| panic!("{name} is a list"))
}

fn text<'j>(of: &'j Json, name: &str) -> &'j str {
    of[name].as_str().unwrap_or("")
}

fn bytes(of: &Json, name: &str) -> Vec<u8> {
    hex::decode(of[name].as_str().unwrap()).unwrap()
}

fn number(of: &Json, name: &str) -> i128 {
    match &of[name] {
        Json::Number(number) => i128::from(number.as_i64().unwrap()),
        Json::String(digits) => digits.parse().unwrap(),
        other => panic!("{name} is a number, not {other}"),
    }
}
