//! The naive model against logs that another implementation produced: it must decide every unit as they did.

use std::io::Write;
use std::path::PathBuf;

use ledger_core::batch::Batch;
use ledger_core::entry::{Content, Entry};
use ledger_core::event::{EVENT_TYPE, Event};
use ledger_core::genesis::Genesis;
use ledger_core::line::Line;
use ledger_core::posting::Posting;
use ledger_crypto::{PublicKey, dsse};
use ledger_property_tests::model::invariants::{self, Fold};
use ledger_property_tests::model::{self, Answer, Form, Header, Ledger, Member, Offer, Signature, Way, What};
use serde_json::Value as Json;

#[test]
fn the_model_decides_every_golden_log_as_they_did() {
    for (file, undecodable) in
        [("spine.json", 2), ("small-ledger.json", 0), ("worked-example.json", 0), ("every-refusal.json", 0)]
    {
        let Some(golden) = load(file) else { return };
        let mut counts = Counts::default();
        let ledger = replay(file, &golden, &mut counts);
        invariants::check(&ledger).unwrap_or_else(|broken| panic!("{file}: {broken}"));
        assert_eq!(hex::encode(ledger.books.hash()), text(&golden, "books_hash"), "{file}");
        println!("{file}: {counts:?}");
        assert_eq!(counts, Counts::of(&golden, undecodable), "{file}");
    }
}

/// How much was compared.
#[derive(Default, PartialEq, Debug)]
struct Counts {
    entries: usize,
    postings: usize,
    records: usize,
    turned_away: usize,
    /// Units that cannot be decoded: they are no business of the model.
    undecodable: usize,
}

impl Counts {
    /// Everything that stands in a file.
    fn of(golden: &Json, undecodable: usize) -> Self {
        let entries = list(golden, "entries");
        let sum = |name: &str| {
            let lengths = entries.iter().map(|entry| match &entry[name] {
                Json::Array(rows) => rows.len(),
                Json::Object(rows) => rows.len(),
                _ => 0,
            });
            lengths.sum::<usize>()
        };
        Self {
            entries: entries.len() - 1,
            postings: sum("postings"),
            records: sum("accounts_after") + sum("payments_after"),
            turned_away: golden["not_admitted"].as_array().map_or(0, Vec::len) - undecodable,
            undecodable,
        }
    }
}

/// Feeds the units of a log at their times and compares every entry.
fn replay(file: &str, golden: &Json, counts: &mut Counts) -> Ledger {
    let entries = list(golden, "entries");
    let first = bytes(&entries[0], "entry");
    let (constants, recorded_at) = Genesis::from_entry(&first).unwrap();
    let mut ledger = Ledger::found(&constants.genesis, constants.ledger_id, recorded_at);
    let mut fold = Fold::new(&ledger.fixed);
    fold.take(&ledger.history[0]).unwrap();
    let mut position = 1;
    while position < entries.len() {
        for offer in golden["not_admitted"].as_array().into_iter().flatten() {
            if number(offer, "log_size") == position as i128 {
                turned_away(&mut ledger.clone(), offer, counts);
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
            let made = &ledger.history[position];
            fold.take(made).unwrap_or_else(|broken| panic!("{file}: {broken}"));
            compare(made, &fold, &entries[position], counts, &format!("{file}, entry {position}"));
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

fn compare(made: &model::Entry, fold: &Fold, expected: &Json, counts: &mut Counts, place: &str) {
    counts.entries += 1;
    let entry = Entry::decode(&bytes(expected, "entry")).unwrap();
    assert_eq!(made.recorded_at, entry.recorded_at_nanos, "{place}");
    let is_expiry = matches!(entry.content, Content::Expiry { .. });
    assert_eq!(matches!(made.what, What::Expiry), is_expiry, "{place}");
    assert_eq!(made.outcome(), entry.outcome, "{place}: {}", text(expected, "event"));
    if let Some(postings) = expected["postings"].as_array() {
        let posting = |line: &Line| {
            let Posting { account, layer, side, delta } = line.posting;
            let account = fold.accounts()[account.0 as usize].id.to_string();
            (layer.name().to_lowercase(), side.name().to_lowercase(), account, delta)
        };
        let told = |posting: &Json| {
            let name = |name| text(posting, name).to_owned();
            (name("layer"), name("side"), name("account"), number(posting, "delta"))
        };
        let made: Vec<_> = made.lines.iter().map(posting).collect();
        assert_eq!(made, postings.iter().map(told).collect::<Vec<_>>(), "{place}");
        counts.postings += postings.len();
    }
    let changed = |name: &str| expected[name].as_object().into_iter().flatten();
    for (id, account) in changed("accounts_after") {
        let counted = fold.accounts().iter().find(|account| account.id.as_str() == id).unwrap();
        assert_eq!(hex::encode(counted.record().encode()), text(account, "record"), "{place}");
        counts.records += 1;
    }
    for (id, payment) in changed("payments_after") {
        let after = made.after.as_ref().unwrap();
        assert_eq!(hex::encode(after.id.0), id.replace('-', ""), "{place}");
        assert_eq!(hex::encode(after.record().encode()), text(payment, "record"), "{place}");
        counts.records += 1;
    }
}

/// A unit that leaves no trace.
fn turned_away(ledger: &mut Ledger, offer: &Json, counts: &mut Counts) {
    let why = text(offer, "why");
    let members: Option<Vec<Member>> = list(offer, "members").iter().map(offered).collect();
    let Some(members) = members else {
        assert!(matches!(number(offer, "number"), 301..=306), "{why}");
        counts.undecodable += 1;
        return;
    };
    counts.turned_away += 1;
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

/// A golden file; `None` when it is not there, which is a failure where `CI` is set.
fn load(file: &str) -> Option<Json> {
    let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../shared/data/golden").join(file);
    match std::fs::read_to_string(&path) {
        Ok(text) => Some(serde_json::from_str(&text).unwrap()),
        Err(error) => {
            assert!(std::env::var_os("CI").is_none(), "{}: {error}", path.display());
            let skipped = format!("skipped: {file}: {error}\n");
            std::io::stdout().write_all(skipped.as_bytes()).unwrap();
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
