//! A dishonest operator: logs sealed and signed with the real log key, whose hashes all hold, so that only the full
//! check finds what is wrong. The table says what must be found before anything is run.

use std::sync::Arc;

use ledger_core::apply::{At, Effects, execute};
use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::{Entry, EntrySignature};
use ledger_core::event::*;
use ledger_core::genesis::Genesis;
use ledger_core::ids::LogIndex;
use ledger_core::seal::{BlockInput, SealChain, Totals};
use ledger_core::unit::{SignedEvent, Submitted};
use ledger_core::view::StateView;
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{SigningKey, dsse};
use ledger_verify::Trust;

use crate::batch;
use crate::forge::{
    ALONE, Forge, Place, Signers, entry_signatures, files_of_log, files_under, transfer_body, unit_of,
};
use crate::judge::{self, Expected, Row, at, in_file, judge_table};

#[test]
fn what_only_the_full_check_finds_is_found_at_its_entry() {
    let rows: Vec<Row> = TABLE
        .iter()
        .map(|(name, forge, field)| {
            let mut log = Forge::with_accounts();
            let log_index = forge(&mut log);
            log.seal();
            Row {
                name: (*name).to_owned(),
                files: log.files(),
                trust: log.trust(),
                full: at(log_index, field),
                hashes_only: Expected::Valid,
            }
        })
        .collect();
    judge_table(&rows);
}

#[test]
fn rules_of_a_later_version_stop_the_full_check() {
    let mut log = Forge::with_accounts();
    let index = log.entries.len() as u64;
    let event = log.event(None, later_rules(), Signers::Operator);
    log_anyway(&mut log, &event, None, &Effects::default());
    log.seal();
    let place = judge::Place { log_index: Some(index), file: None, fields: vec!["body"] };
    judge_table(&[Row {
        name: "from here on rules that are not known".to_owned(),
        files: log.files(),
        trust: log.trust(),
        full: Expected::CouldNotCheck(place),
        hashes_only: Expected::Valid,
    }]);
}

#[test]
fn a_log_for_other_rules_stops_the_full_check() {
    let honest = Forge::new();
    let constants = honest.state.constants();
    let genesis = Genesis { rules_version: 2, ..constants.genesis.clone() };
    let entry = genesis.to_entry(1_000);
    let ledger_id = Entry::leaf_hash(&entry);
    let mut block = BlockInput::new(Totals::default(), honest.state.params().clone());
    block.push_leaf(ledger_id);
    block.recorded_at_nanos = 1_001;
    let seal = SealChain::new(ledger_id).seal(block).entry;
    let place = judge::Place { log_index: Some(0), file: None, fields: vec!["rules_version"] };
    judge_table(&[Row {
        name: "a version of the rules that is not known".to_owned(),
        files: files_of_log(&[entry, seal], &honest.log_key),
        trust: Trust { ledger_id, ..honest.trust() },
        full: Expected::CouldNotCheck(place),
        hashes_only: Expected::Valid,
    }]);
}

#[test]
fn a_checkpoint_key_that_the_log_never_named_is_found() {
    let mut log = Forge::with_accounts();
    log.log_key = SigningKey::from_seed([9; 32]);
    judge_table(&[Row {
        name: "signed by a key that the auditor trusts and the log does not know".to_owned(),
        files: log.files(),
        trust: log.trust(),
        full: in_file("genesis", "log_key"),
        hashes_only: Expected::Valid,
    }]);
}

#[test]
fn a_history_under_another_name_is_found() {
    let log = Forge::with_accounts();
    let origin = "ledger.example/other";
    let leaves: Vec<_> = log.entries.iter().map(|entry| Entry::leaf_hash(entry)).collect();
    let (size, root) = (leaves.len() as u64, ledger_merkle::build::root(&leaves));
    let note = Checkpoint { origin: origin.to_owned(), size, root }.sign(&log.log_key).unwrap();
    let key = VerifierKey::new(origin, &log.log_key.public()).unwrap();
    judge_table(&[Row {
        name: "a checkpoint by the log's key, of another origin than the genesis".to_owned(),
        files: files_under(&log.entries, note),
        trust: Trust { key, ..log.trust() },
        full: in_file("genesis", "origin"),
        hashes_only: in_file("genesis", "origin"),
    }]);
}

/// What was done, how (it returns the log index that must be named), and the field that must be named.
type Deed = (&'static str, fn(&mut Forge) -> u64, &'static str);

const TABLE: &[Deed] = &[
    ("another refusal than that of the rules", refuse_otherwise, "outcome"),
    ("an event re-attributed: signed by another key than its signers", reattribute, "signature"),
    ("a signature stripped", strip, "signature"),
    ("a signature that does not hold", forge_signature, "signature"),
    ("a group longer than the ledger allows, never completed", begin_endless_group, "group_len"),
    ("a group in another order", reorder_group, "admission"),
    ("an expiry of another payment than the one due first", expire_out_of_order, "expiry"),
    ("an event logged twice", repeat_event, "admission"),
    ("an event of another ledger", other_ledger, "admission"),
    ("an event of a key that is not registered", stranger, "admission"),
    ("an event of a key that was revoked", revoked, "admission"),
    ("an event from long ago", stale, "admission"),
    ("rules that are not known, by a key that is not registered", rules_of_a_stranger, "admission"),
    ("rules that are not known, under the id of another event", rules_under_a_known_id, "admission"),
    ("rules that are not known, signed by nobody", rules_unsigned, "signature"),
    ("rules that are not known, in a group", rules_in_a_group, "admission"),
    ("rules that are not known, in a batch", rules_in_a_batch, "admission"),
    ("time that stands still", same_time, "recorded_at_nanos"),
    ("a balance changed without an entry", change_balance, "accounts_root"),
];

fn refuse_otherwise(log: &mut Forge) -> u64 {
    let event = log.transfer_event("cust:alice", "cust:bob", 2_000_000, Signers::Service);
    log_with(log, &event, Place { outcome: 901, ..ALONE }, &Effects::default())
}

fn reattribute(log: &mut Forge) -> u64 {
    let event = transfer(log);
    let signature = signed_by(&event, &log.operator);
    let effects = effects_of(log, &event);
    log_anyway(log, &event, Some(vec![signature]), &effects)
}

fn strip(log: &mut Forge) -> u64 {
    let key = SigningKey::from_seed([8; 32]);
    let body = KeyRegistered {
        key: key.public_bytes().to_vec(),
        party: "second".to_owned(),
        roles: 4,
        prefix: String::new(),
    };
    let mut event = log.unsigned(None, Body::KeyRegistered(body), Signers::Operator);
    event.signers.push(key.public_bytes().to_vec());
    event.signers.sort();
    let submitted = log.sign(&event, Signers::Operator);
    log_anyway(log, &submitted, None, &Effects::default())
}

fn forge_signature(log: &mut Forge) -> u64 {
    let event = transfer(log);
    let mut signatures = entry_signatures(&event);
    signatures[0].signature[7] ^= 1;
    let effects = effects_of(log, &event);
    log_anyway(log, &event, Some(signatures), &effects)
}

/// Limits of the forged ledgers: 100 members.
fn begin_endless_group(log: &mut Forge) -> u64 {
    let group = log.group([100, 200]);
    let effects = effects_of(log, &group[0]);
    let first = log_with(log, &group[0], Place { group_len: 101, ..ALONE }, &effects);
    let effects = effects_of(log, &group[1]);
    log_with(log, &group[1], Place { outcome: 0, group_len: 101, group_index: 1 }, &effects);
    first
}

fn reorder_group(log: &mut Forge) -> u64 {
    let mut group = log.group([100, 200]);
    group.reverse();
    let first = log.entries.len() as u64;
    log.log_unit(&unit_of(&group));
    first
}

fn expire_out_of_order(log: &mut Forge) -> u64 {
    log.authorize(100, 60);
    let later = log.authorize(100, 61);
    log.now_nanos += 100_000_000_000;
    let index = log.entries.len() as u64;
    log.expire(later.id);
    index
}

fn repeat_event(log: &mut Forge) -> u64 {
    let event = transfer(log);
    log.submit(vec![event.clone()]);
    let effects = effects_of(log, &event);
    log_anyway(log, &event, None, &effects)
}

fn other_ledger(log: &mut Forge) -> u64 {
    let body = transfer_body("cust:alice", "cust:bob", 100);
    let mut event = log.unsigned(None, body, Signers::Service);
    event.ledger_id = vec![6; 32];
    let submitted = log.sign(&event, Signers::Service);
    let effects = effects_of(log, &submitted);
    log_anyway(log, &submitted, None, &effects)
}

fn stranger(log: &mut Forge) -> u64 {
    log.service = SigningKey::from_seed([8; 32]);
    let event = transfer(log);
    log_anyway(log, &event, None, &Effects::default())
}

fn revoked(log: &mut Forge) -> u64 {
    let key = log.service.public_bytes().to_vec();
    let body = Body::KeyRevoked(KeyRevoked { key, reason: String::new() });
    let event = log.event(None, body, Signers::Operator);
    assert_eq!(log.submit(vec![event]), [0]);
    let event = transfer(log);
    log_anyway(log, &event, None, &Effects::default())
}

fn stale(log: &mut Forge) -> u64 {
    let body = transfer_body("cust:alice", "cust:bob", 100);
    let mut event = log.unsigned(None, body, Signers::Service);
    event.timestamp_nanos -= 2 * 86_400_000_000_000;
    let submitted = log.sign(&event, Signers::Service);
    let effects = effects_of(log, &submitted);
    log_anyway(log, &submitted, None, &effects)
}

fn later_rules() -> Body {
    Body::RulesChanged(RulesChanged { rules_version: 2 })
}

fn rules_of_a_stranger(log: &mut Forge) -> u64 {
    log.service = SigningKey::from_seed([8; 32]);
    let event = log.event(None, later_rules(), Signers::Service);
    log_anyway(log, &event, None, &Effects::default())
}

fn rules_under_a_known_id(log: &mut Forge) -> u64 {
    let known = transfer(log);
    assert_eq!(log.submit(vec![known.clone()]), [0]);
    let mut event = log.unsigned(None, later_rules(), Signers::Operator);
    event.event_id = Event::decode(&known.payload).unwrap().event_id;
    let event = log.sign(&event, Signers::Operator);
    log_anyway(log, &event, None, &Effects::default())
}

fn rules_unsigned(log: &mut Forge) -> u64 {
    let event = log.event(None, later_rules(), Signers::Operator);
    let mut signatures = entry_signatures(&event);
    signatures[0].signature[7] ^= 1;
    log_anyway(log, &event, Some(signatures), &Effects::default())
}

/// Admission names the first member: what is at fault is the group.
fn rules_in_a_group(log: &mut Forge) -> u64 {
    let bodies = [transfer_body("cust:alice", "cust:bob", 100), later_rules()];
    let group = log.group_of(bodies, Signers::Operator);
    let first = log.entries.len() as u64;
    for (group_index, member) in group.iter().enumerate() {
        log_with(log, member, Place { outcome: 0, group_len: 2, group_index }, &Effects::default());
    }
    first
}

fn rules_in_a_batch(log: &mut Forge) -> u64 {
    let bodies = [transfer_body("cust:alice", "cust:bob", 100), later_rules()];
    let signed = batch::sign_bodies(log, bodies);
    batch::log(log, &signed, &[0, 1], |place| place as u32) + 2
}

fn same_time(log: &mut Forge) -> u64 {
    let event = transfer(log);
    assert_eq!(log.submit(vec![event]), [0]);
    log.clock_stands = true;
    let event = transfer(log);
    let effects = effects_of(log, &event);
    log_anyway(log, &event, None, &effects)
}

/// The next seal commits to a balance that no entry explains.
fn change_balance(log: &mut Forge) -> u64 {
    let bob = log.state.account_index("cust:bob").unwrap().unwrap();
    let mut record = log.state.account(bob).unwrap();
    Arc::make_mut(&mut record).counters.posted_credits += 1;
    let effects = Effects { accounts: vec![(bob, record)], ..Effects::default() };
    let event = log.transfer_event("cust:alice", "shop:books", 5, Signers::Service);
    let mut honest = effects_of(log, &event);
    honest.accounts.extend(effects.accounts);
    log_anyway(log, &event, None, &honest);
    log.entries.len() as u64
}

pub fn transfer(log: &mut Forge) -> Submitted {
    log.transfer_event("cust:alice", "cust:bob", 100, Signers::Service)
}

fn signed_by(event: &Submitted, key: &SigningKey) -> EntrySignature {
    let message = dsse::message(&event.payload_type, &event.payload);
    EntrySignature { key: key.public_bytes(), signature: key.sign(&message) }
}

/// What the rules make of an event, admitted or not.
pub fn effects_of(log: &Forge, event: &Submitted) -> Effects {
    let at = At {
        t_nanos: log.next_nanos(),
        log_index: LogIndex(log.entries.len() as u64),
        recorded_at_nanos: log.next_nanos(),
    };
    execute(&log.state, unit_of(std::slice::from_ref(event)).members(), at).unwrap().remove(0).effects
}

pub fn log_anyway(
    log: &mut Forge,
    event: &Submitted,
    signatures: Option<Vec<EntrySignature>>,
    effects: &Effects,
) -> u64 {
    let index = log.entries.len() as u64;
    log.log_event(&SignedEvent::decode(event.clone()).unwrap(), signatures, ALONE, effects);
    index
}

pub fn log_with(log: &mut Forge, event: &Submitted, place: Place, effects: &Effects) -> u64 {
    let index = log.entries.len() as u64;
    log.log_event(&SignedEvent::decode(event.clone()).unwrap(), None, place, effects);
    index
}
