//! The four logs: entries, records, statement chains, seals, checkpoints, tiles, books.

use std::collections::BTreeMap;
use std::sync::Arc;

use ledger_core::apply::Effects;
use ledger_core::books::books_hash;
use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::{Content, Entry};
use ledger_core::event::Event;
use ledger_core::export;
use ledger_core::genesis::Genesis;
use ledger_core::ids::{AccountIndex, EventId, KeyIndex, LogIndex, PaymentId, PaymentIndex};
use ledger_core::line::{Line, first_chain};
use ledger_core::number::{KeyStatus, Layer, Roles, Side};
use ledger_core::posting::Posting;
use ledger_core::record::{AccountRecord, Counters, KeyRecord, PaymentRecord};
use ledger_core::seal::{BlockInput, Seal, SealChain, SealedBlock, Totals};
use ledger_core::view::Constants;
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, sha256};
use serde_json::Value;

use crate::compare::{
    compare_account, compare_genesis, compare_head, compare_payload, compare_payment, compare_seal, params,
    totals,
};
use crate::vectors::{bytes, expect_members, hash, list, number, read, signing_key, text};

const ENTRY: [&str; 18] = [
    "index",
    "kind",
    "recorded_at_nanos",
    "entry",
    "leaf_hash",
    "event",
    "group_len",
    "group_index",
    "outcome",
    "outcome_name",
    "detail",
    "postings",
    "accounts_after",
    "payments_after",
    "seal",
    "totals",
    "params",
    "records",
];

#[test]
fn small_ledger() {
    log("small-ledger.json", &[]);
}

#[test]
fn spine() {
    let known = ["not_admitted_about", "not_admitted", "resends_about", "resends"];
    let Some(file) = log("spine.json", &known) else { return };
    let mut payloads = 0;
    for offered in list(&file["not_admitted"]) {
        expect_members(
            offered,
            &["why", "log_size", "t_nanos", "refusal", "number", "member", "detail", "members"],
        );
        for member in list(&offered["members"]) {
            expect_members(member, &["payload", "signatures"]);
            let payload = bytes(&member["payload"]);
            match Event::decode(&payload) {
                Ok(event) => assert_eq!(event.encode(), payload),
                Err(refusal) => assert_eq!(refusal.code.number(), number::<u16>(&offered["number"])),
            }
            payloads += 1;
        }
    }
    for resend in list(&file["resends"]) {
        for payload in list(&resend["payloads"]).iter().map(bytes) {
            assert_eq!(Event::decode(&payload).unwrap().encode(), payload);
            payloads += 1;
        }
    }
    println!("spine.json: {payloads} payloads offered beside the log");
}

#[test]
fn worked_example() {
    let Some(file) = log("worked-example.json", &["steps"]) else { return };
    let steps = list(&file["steps"]);
    for step in steps {
        compare_payment(&step["payment"]);
    }
    println!("worked-example.json: {} steps", steps.len());
}

#[test]
fn every_refusal() {
    log("every-refusal.json", &["records"]);
}

/// Compares everything of a log that is bytes, and gives the file.
fn log(name: &str, more: &[&str]) -> Option<Value> {
    let file = read(name)?;
    let known =
        ["about", "origin", "ledger_id", "vkey", "genesis", "keys", "entries", "books_hash", "checkpoint"];
    expect_members(&file, &[&known, ["tiles"].as_slice(), more].concat());
    let entries = list(&file["entries"]);
    let mut walk = Walk::new(&file, &bytes(&entries[0]["entry"]));
    for golden in entries {
        expect_members(golden, &ENTRY);
        walk.entry(golden);
    }
    compare_genesis(&walk.constants.genesis, &file);
    let key_count = compare_keys(&file);
    let last = walk.last.as_ref().unwrap();
    compare_checkpoint(&file, &walk, last);
    let tiles = compare_tiles(&file, entries);
    let (accounts, payments) = (walk.accounts.values(), walk.payments.values());
    assert_eq!(books_hash(accounts.cloned(), payments.cloned()), hash(&file["books_hash"]));
    println!(
        "{name}: {} entries, {} of them seals, {} records, {} statement lines, {key_count} keys, {tiles} tiles, \
         1 checkpoint, 1 books hash",
        walk.entries, walk.seals, walk.records, walk.lines
    );
    assert_eq!(walk.entries, entries.len());
    Some(file)
}

/// What is known after each entry.
struct Walk {
    constants: Constants,
    /// Records at the end of the log, where the seals have none beside them.
    final_records: Option<Value>,
    chain: SealChain,
    totals: Totals,
    block: Vec<Hash>,
    statements: BTreeMap<String, Statement>,
    accounts: BTreeMap<AccountIndex, Arc<AccountRecord>>,
    payments: BTreeMap<PaymentIndex, Arc<PaymentRecord>>,
    keys: BTreeMap<KeyIndex, Arc<KeyRecord>>,
    previous_time: u64,
    entries: usize,
    seals: usize,
    records: usize,
    lines: usize,
    last: Option<SealedBlock>,
}

/// Statement of one account, built from the postings.
struct Statement {
    index: AccountIndex,
    counters: Counters,
    count: u64,
    chain: Hash,
}

impl Walk {
    fn new(file: &Value, genesis: &[u8]) -> Self {
        let (constants, _) = Genesis::from_entry(genesis).unwrap();
        assert_eq!(constants.ledger_id, hash(&file["ledger_id"]));
        let keys = constants.genesis.operators.iter().zip(0..).map(|(operator, index)| {
            let record = KeyRecord {
                status: KeyStatus::Active,
                roles: Roles::OPERATOR,
                key: operator.key.as_slice().try_into().unwrap(),
                registered_index: LogIndex(0),
                revoked_index: None,
                party: operator.party.as_str().into(),
                prefix: "".into(),
            };
            (KeyIndex(index), Arc::new(record))
        });
        Self {
            keys: keys.collect(),
            chain: SealChain::new(constants.ledger_id),
            constants,
            final_records: file.get("records").cloned(),
            totals: Totals::default(),
            block: Vec::new(),
            statements: BTreeMap::new(),
            accounts: BTreeMap::new(),
            payments: BTreeMap::new(),
            previous_time: 0,
            entries: 0,
            seals: 0,
            records: 0,
            lines: 0,
            last: None,
        }
    }

    fn entry(&mut self, golden: &Value) {
        let encoded = bytes(&golden["entry"]);
        let entry = Entry::decode(&encoded).unwrap();
        assert_eq!(entry.encode(), encoded);
        assert_eq!(self.entries, number::<usize>(&golden["index"]));
        assert!(entry.recorded_at_nanos > self.previous_time, "entry {}", self.entries);
        compare_head(golden, &entry, &encoded);
        compare_payload(golden, &entry);
        match &entry.content {
            Content::Seal(seal) => {
                self.seal(golden, seal, entry.recorded_at_nanos, &encoded);
                self.block.clear();
            }
            _ => {
                if golden.get("accounts_after").is_some() {
                    self.effects(golden, &entry);
                }
                self.block.push(Entry::leaf_hash(&encoded));
            }
        }
        self.previous_time = entry.recorded_at_nanos;
        self.entries += 1;
    }

    /// Records and statement lines of an entry that changed some.
    fn effects(&mut self, golden: &Value, entry: &Entry) {
        let after = golden["accounts_after"].as_object().unwrap();
        let mut effects = Effects::default();
        for (id, golden) in after {
            let record = compare_account(id, golden);
            let index = AccountIndex(number(&golden["index"]));
            self.statements.entry(id.clone()).or_insert_with(|| Statement {
                index,
                counters: Counters::default(),
                count: 0,
                chain: first_chain(&record.id),
            });
            effects.accounts.push((index, Arc::new(record)));
            self.records += 1;
        }
        for (id, golden) in golden["payments_after"].as_object().unwrap() {
            assert_eq!(compare_payment(golden).id.0.to_vec(), hex::decode(id).unwrap());
            self.records += 1;
        }
        let (event_id, payment_id) = subject(&entry.content);
        for golden in list(&golden["postings"]) {
            let statement = self.statements.get_mut(text(&golden["account"])).unwrap();
            let posting = posting(golden, statement.index);
            statement.post(
                posting,
                LogIndex(self.entries as u64),
                entry.recorded_at_nanos,
                event_id,
                payment_id,
            );
            effects.postings.push(posting);
            self.lines += 1;
        }
        for (_, record) in &effects.accounts {
            let statement = &self.statements[record.id.as_str()];
            assert_eq!(record.statement_chain, statement.chain, "entry {}, {}", self.entries, record.id);
            assert_eq!((record.line_count, record.counters), (statement.count, statement.counters));
        }
        self.totals.absorb(&effects);
    }

    /// Recomputes a seal from the leaf hashes of its block and the records printed beside it.
    fn seal(&mut self, golden: &Value, seal: &Seal, recorded_at_nanos: u64, encoded: &[u8]) {
        compare_seal(&golden["seal"], seal);
        if let Some(records) =
            golden.get("records").or(self.final_records.as_ref().filter(|_| self.seals > 0))
        {
            let records = records.clone();
            self.take_records(&records);
        }
        let totals = totals(&golden["totals"]);
        if golden.get("records").is_some() {
            assert_eq!(self.totals, totals, "seal {}", seal.height);
        }
        let mut block = BlockInput::new(totals, params(&golden["params"]));
        self.block.iter().for_each(|leaf| block.push_leaf(*leaf));
        block.accounts.clone_from(&self.accounts);
        block.payments.clone_from(&self.payments);
        block.keys.clone_from(&self.keys);
        block.recorded_at_nanos = self.previous_time + 1;
        assert_eq!(recorded_at_nanos, block.recorded_at_nanos);
        let sealed = self.chain.seal(block);
        assert_eq!(&sealed.seal, seal);
        assert_eq!(sealed.entry, encoded);
        assert_eq!(sealed.log_index, LogIndex(self.entries as u64));
        let SealChain { log, accounts, payments, keys, .. } = self.chain.clone();
        let restored = SealChain::restore(log, accounts, payments, keys, sealed.log_index, encoded).unwrap();
        assert_eq!(restored.next_height, self.chain.next_height);
        assert_eq!(restored.previous_seal, sealed.leaf_hash);
        self.chain = restored;
        self.last = Some(sealed);
        self.seals += 1;
    }

    fn take_records(&mut self, records: &Value) {
        expect_members(records, &["accounts", "payments", "keys"]);
        for (encoded, index) in list(&records["accounts"]).iter().map(bytes).zip(0..) {
            let record = AccountRecord::decode(&encoded).unwrap();
            assert_eq!(record.encode(), encoded);
            self.accounts.insert(AccountIndex(index), Arc::new(record));
        }
        for (encoded, index) in list(&records["payments"]).iter().map(bytes).zip(0..) {
            let record = PaymentRecord::decode(&encoded).unwrap();
            assert_eq!(record.encode(), encoded);
            self.payments.insert(PaymentIndex(index), Arc::new(record));
        }
        for (encoded, index) in list(&records["keys"]).iter().map(bytes).zip(0..) {
            let record = KeyRecord::decode(&encoded).unwrap();
            assert_eq!(record.encode(), encoded);
            self.keys.insert(KeyIndex(index), Arc::new(record));
        }
        self.records +=
            ["accounts", "payments", "keys"].map(|kind| list(&records[kind]).len()).iter().sum::<usize>();
    }
}

impl Statement {
    fn post(&mut self, posting: Posting, index: LogIndex, at: u64, event_id: EventId, payment_id: PaymentId) {
        *match (posting.layer, posting.side) {
            (Layer::Posted, Side::Debit) => &mut self.counters.posted_debits,
            (Layer::Posted, Side::Credit) => &mut self.counters.posted_credits,
            (Layer::Pending, Side::Debit) => &mut self.counters.pending_debits,
            (Layer::Pending, Side::Credit) => &mut self.counters.pending_credits,
        } += posting.delta;
        self.count += 1;
        let line = Line {
            account: self.index,
            number: self.count,
            log_index: index,
            recorded_at_nanos: at,
            posting,
            event_id,
            payment_id,
            after: self.counters,
        };
        assert_eq!(Line::decode(self.index, &line.encode()), Ok(line));
        self.chain = line.chained(&self.chain);
    }
}

/// Event id and payment id of the statement lines of an entry.
fn subject(content: &Content) -> (EventId, PaymentId) {
    match content {
        Content::Expiry { payment_id } => (EventId::NIL, *payment_id),
        Content::Event { payload, .. } | Content::BatchedEvent { payload, .. } => {
            let event = Event::decode_batched(payload).unwrap();
            let payment_id = event.payment_id.as_slice().try_into().map_or(PaymentId::NIL, PaymentId);
            (EventId(event.event_id.as_slice().try_into().unwrap()), payment_id)
        }
        _ => (EventId::NIL, PaymentId::NIL),
    }
}

fn posting(golden: &Value, account: AccountIndex) -> Posting {
    expect_members(golden, &["layer", "side", "account", "delta"]);
    Posting {
        account,
        layer: Layer::from_name(&text(&golden["layer"]).to_uppercase()).unwrap(),
        side: Side::from_name(&text(&golden["side"]).to_uppercase()).unwrap(),
        delta: number(&golden["delta"]),
    }
}

fn compare_keys(file: &Value) -> usize {
    let Some(keys) = file.get("keys") else { return 0 };
    let keys = keys.as_object().unwrap();
    for key in keys.values() {
        assert_eq!(signing_key(&key["seed"]).public_bytes(), hash(&key["key"]));
    }
    keys.len()
}

/// The checkpoint of the newest seal, signed by the log key where its seed is there.
fn compare_checkpoint(file: &Value, walk: &Walk, last: &SealedBlock) {
    let note = text(&file["checkpoint"]);
    let key = VerifierKey::parse(text(&file["vkey"])).unwrap();
    let origin = walk.constants.genesis.origin.as_str();
    let checkpoint = Checkpoint::open(note, &key, origin).unwrap();
    assert_eq!(checkpoint.size, last.log_index.0 + 1);
    assert_eq!(checkpoint.size, walk.entries as u64);
    assert_eq!(checkpoint.root, last.checkpoint_root);
    if let Some(log) = file.get("keys").map(|keys| signing_key(&keys["log"]["seed"])) {
        assert_eq!(VerifierKey::new(origin, &log.public()).unwrap().to_string(), text(&file["vkey"]));
        assert_eq!(checkpoint.sign(&log).unwrap(), note);
    }
}

/// The files of the export; the golden file has their digests.
fn compare_tiles(file: &Value, entries: &[Value]) -> usize {
    let Some(golden) = file.get("tiles") else { return 0 };
    let size = entries.len() as u64;
    let note = text(&file["checkpoint"]).to_owned();
    let source = entries.iter().map(|golden| Ok::<_, std::convert::Infallible>(bytes(&golden["entry"])));
    let mut files: BTreeMap<String, Vec<u8>> =
        export::files_of(source, size, note.clone()).collect::<Result<_, _>>().unwrap();
    assert_eq!(files.remove("checkpoint"), Some(note.into_bytes()));
    assert_eq!(files.remove("genesis"), Some(bytes(&entries[0]["entry"])));
    let digests: BTreeMap<&str, Hash> =
        golden.as_object().unwrap().iter().map(|(path, digest)| (path.as_str(), hash(digest))).collect();
    let found: BTreeMap<&str, Hash> =
        files.iter().map(|(path, bytes)| (path.as_str(), sha256(bytes))).collect();
    assert_eq!(found, digests);
    digests.len()
}
