//! Signed batches: what admission says about the whole, the header and each member; outcomes per member.

#[allow(dead_code, reason = "shared with other tests")]
mod world;

use ledger_core::admit::{Admission, admit, group_hash};
use ledger_core::batch::{BATCH_TYPE, Batch};
use ledger_core::code::Code::{self, *};
use ledger_core::event::{AccountOpened, AccountStatusChanged, Body, Event, KeyRevoked, PeriodClosed};
use ledger_core::number::*;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedBatch, VerifiedEvent};
use ledger_core::view::StateView;
use ledger_crypto::dsse;
use ledger_merkle::{build, leaf_hash};
use world::*;

/// A batch in the making: the header as it is right for the members, then spoilt, then signed by `by`.
#[derive(Clone)]
struct Draft {
    header: Batch,
    members: Vec<Event>,
    by: Vec<&'static str>,
}

fn member_of(event: &Event) -> Submitted {
    sign(event, &[])
}

impl Draft {
    fn of(world: &mut World, members: Vec<Event>, by: &[&'static str]) -> Self {
        let leaf = |event: &Event| leaf_hash(&dsse::message(&member_of(event).payload_type, &event.encode()));
        let leaves: Vec<_> = members.iter().map(leaf).collect();
        let header = Batch {
            ledger_id: world.state.constants().ledger_id.to_vec(),
            batch_id: world.new_id(),
            signers: sorted_keys(by),
            count: u32::try_from(members.len()).unwrap(),
            events_root: build::root(&leaves).to_vec(),
        };
        Self { header, members, by: by.to_vec() }
    }

    /// So many transfers to alice, signed by the first operator.
    fn transfers(world: &mut World, count: u64) -> Self {
        let event = |amount| world.event(transfer("world:usd", "cust:alice", "USD", amount), &["op1"]);
        let members = (1..=count).map(event).collect();
        Self::of(world, members, &["op1"])
    }

    fn spoilt(mut self, spoil: impl FnOnce(&mut Batch)) -> Self {
        spoil(&mut self.header);
        self
    }

    fn unit(&self) -> Unit {
        let payload = self.header.encode();
        let message = dsse::message(BATCH_TYPE, &payload);
        let signatures = self.by.iter().map(|name| (public(name), key(name).sign(&message).to_vec()));
        let header = Submitted {
            payload_type: BATCH_TYPE.to_owned(),
            signatures: signatures.collect(),
            payload,
            sidecar: None,
        };
        let verified =
            |event| VerifiedEvent::of_batch(SignedEvent::decode_batched(member_of(event)).unwrap());
        Unit::batch(
            VerifiedBatch::verify(header, |_| None).unwrap(),
            self.members.iter().map(verified).collect(),
        )
    }
}

/// Code and member of a rejection; `None`: the header, or the batch as a whole.
fn rejection(world: &World, unit: &Unit) -> (Code, Option<usize>) {
    match admit(&world.state, unit, world.now_nanos).unwrap() {
        Admission::Rejected { member, refusal } => (refusal.code, Some(member)),
        Admission::BatchRejected(refusal) => (refusal.code, None),
        other => panic!("{other:?}"),
    }
}

fn codes(answer: Answer) -> Vec<Option<Code>> {
    match answer {
        Answer::Recorded(outcomes) => {
            outcomes.into_iter().map(|outcome| outcome.refusal.map(|refusal| refusal.code)).collect()
        }
        other => panic!("{other:?}"),
    }
}

fn tied(mut members: Vec<Event>) -> Vec<Event> {
    let group = group_hash(members.iter().map(|event| event.event_id.as_slice()));
    members.iter_mut().for_each(|event| event.group = group.to_vec());
    members
}

#[test]
fn faults_of_the_header_and_of_the_whole() {
    let mut world = World::new();
    let good = Draft::transfers(&mut world, 3);
    assert_eq!(admit(&world.state, &good.unit(), world.now_nanos).unwrap(), Admission::Admitted);
    let with = |spoil: fn(&mut Batch)| good.clone().spoilt(spoil);
    let signed_by = |by: &[&'static str]| Draft { by: by.to_vec(), ..good.clone() };
    let of_key = |world: &mut World, name: &'static str| {
        let members = vec![world.event(transfer("world:usd", "cust:alice", "USD", 1), &[name])];
        Draft::of(world, members, &[name])
    };
    let future = (world.now_nanos / 1_000_000 + 300_001).to_be_bytes();
    let from_future = good.clone().spoilt(|batch| batch.batch_id[..6].copy_from_slice(&future[2..]));
    let rows: Vec<(&str, Draft, Code)> = vec![
        ("no members", Draft::of(&mut world, Vec::new(), &["op1"]), RequestEmpty),
        ("more than the genesis allows", Draft::transfers(&mut world, 11), RequestTooLarge),
        ("another count", with(|batch| batch.count += 1), BatchMismatch),
        ("another root", with(|batch| batch.events_root[5] ^= 1), BatchMismatch),
        ("a short root", with(|batch| batch.events_root.truncate(31)), BatchMismatch),
        ("another ledger", with(|batch| batch.ledger_id[0] ^= 1), LedgerIdMismatch),
        ("unsigned", signed_by(&[]), SignersMismatch),
        ("signed by another key", signed_by(&["op2"]), SignersMismatch),
        ("signed by more", signed_by(&["op1", "op2"]), SignersMismatch),
        ("an unknown key", of_key(&mut world, "stranger"), SignerKeyUnknown),
        ("a revoked key", of_key(&mut world, "gone"), SignerKeyRevoked),
        ("no batch id", with(|batch| batch.batch_id.clear()), EventIdNil),
        ("a batch id of zeros", with(|batch| batch.batch_id = vec![0; 16]), EventIdNil),
        ("a batch id of another version", with(|batch| batch.batch_id[6] = 0x40), EventIdNotV7),
        ("a short batch id", with(|batch| batch.batch_id.truncate(15)), EventIdNotV7),
        ("a batch id of a later time", from_future, EventIdFromFuture),
    ];
    for (what, draft, code) in &rows {
        assert_eq!(rejection(&world, &draft.unit()), (*code, None), "{what}");
    }
    let unit = good.unit();
    let mut submitted = unit.header().unwrap().submitted().clone();
    submitted.signatures[0].1[40] ^= 1;
    let forged = VerifiedBatch::verify(submitted, |_| None).unwrap();
    let forged = Unit::batch(forged, unit.members().to_vec());
    assert_eq!(rejection(&world, &forged), (SignatureInvalid, None), "a forged signature");
    println!("{} rows", rows.len() + 1);
}

#[test]
fn a_mismatch_of_signers_tells_both_lists() {
    let mut world = World::new();
    let mut members = Draft::transfers(&mut world, 2).members;
    members[1].signers = sorted_keys(&["op1", "op2"]);
    let draft = Draft::of(&mut world, members, &["op1"]);
    let Admission::Rejected { member: 1, refusal } =
        admit(&world.state, &draft.unit(), world.now_nanos).unwrap()
    else {
        panic!("admitted");
    };
    let listed = |keys: &[Vec<u8>]| keys.iter().map(hex::encode).collect::<Vec<_>>().join(", ");
    assert_eq!((refusal.code, refusal.detail.field.as_str()), (BatchMismatch, "signers"));
    assert_eq!(refusal.detail.value, listed(&sorted_keys(&["op1", "op2"])));
    assert_eq!(refusal.detail.limit, listed(&sorted_keys(&["op1"])));
}

#[test]
fn faults_of_a_member() {
    let mut world = World::new();
    let three = |world: &mut World, change: &dyn Fn(&mut World, &mut Vec<Event>)| {
        let mut members = Draft::transfers(world, 3).members;
        change(world, &mut members);
        Draft::of(world, members, &["op1"])
    };
    let body = |world: &mut World, body: Body| world.event(body, &["op1"]);
    type Change = Box<dyn Fn(&mut World, &mut Vec<Event>)>;
    let rows: Vec<(&str, Change, Code, usize)> = vec![
        ("an id twice", Box::new(|_, m| m[2].event_id = m[0].event_id.clone()), DuplicateEventId, 2),
        ("a group without the others", Box::new(|_, m| m[1].group = vec![1; 32]), GroupMismatch, 1),
        (
            "a group of other ids",
            Box::new(|_, m| m[1..].iter_mut().for_each(|event| event.group = vec![1; 32])),
            GroupMismatch,
            1,
        ),
        (
            "a control event in a group",
            Box::new(move |world, m| {
                m[1] = body(
                    world,
                    Body::AccountStatusChanged(AccountStatusChanged {
                        account: "cust:bob".to_owned(),
                        status: Some(AccountStatus::Open),
                        reason: "TEST".to_owned(),
                    }),
                );
                *m = [vec![m[0].clone()], tied(m[1..].to_vec())].concat();
            }),
            GroupMismatch,
            1,
        ),
        (
            "a longer group than the genesis allows",
            Box::new(|world, m| {
                let more = Draft::transfers(world, 5).members;
                *m = [m.clone(), tied(more)].concat();
            }),
            GroupMismatch,
            3,
        ),
        ("other signers", Box::new(|_, m| m[1].signers = sorted_keys(&["op2"])), BatchMismatch, 1),
        (
            "an event about keys",
            Box::new(move |world, m| {
                m[2] =
                    body(world, Body::KeyRevoked(KeyRevoked { key: public("shop"), reason: String::new() }));
            }),
            BatchMismatch,
            2,
        ),
        ("another ledger", Box::new(|_, m| m[1].ledger_id[0] ^= 1), LedgerIdMismatch, 1),
        ("an id of another version", Box::new(|_, m| m[1].event_id[6] = 0x40), EventIdNotV7, 1),
        ("too old", Box::new(|_, m| m[2].timestamp_nanos = 1), TimestampOutOfRange, 2),
        (
            "an amount of zero",
            Box::new(|world, m| m[1] = world.event(transfer("world:usd", "cust:alice", "USD", 0), &["op1"])),
            AmountZero,
            1,
        ),
    ];
    for (what, change, code, position) in &rows {
        let draft = three(&mut world, change.as_ref());
        assert_eq!(rejection(&world, &draft.unit()), (*code, Some(*position)), "{what}");
    }
    let members = vec![world.event(transfer("cust:alice", "cust:bob", "USD", 1), &["wallet"])];
    let of_wallet = Draft::of(&mut world, members, &["wallet"]);
    assert_eq!(
        rejection(&world, &of_wallet.unit()),
        (SignerRoleMissing, Some(0)),
        "the role is the member's"
    );
    println!("{} rows", rows.len() + 1);
}

#[test]
fn of_two_faults_the_lower_group_answers_and_the_header_before_its_members() {
    let mut world = World::new();
    let mut members = Draft::transfers(&mut world, 3).members;
    members[1].ledger_id[0] ^= 1;
    let late = Draft::of(&mut world, members.clone(), &["op1"]);
    assert_eq!(rejection(&world, &late.unit()), (LedgerIdMismatch, Some(1)));
    let unsigned = Draft { by: Vec::new(), ..late.clone() };
    assert_eq!(rejection(&world, &unsigned.unit()), (SignersMismatch, None), "the header first");
    let miscounted = unsigned.spoilt(|batch| batch.count = 9);
    assert_eq!(rejection(&world, &miscounted.unit()), (BatchMismatch, None), "205 before 307 and 401");
    members[2].group = vec![1; 32];
    let grouped = Draft::of(&mut world, members.clone(), &["op1"]).spoilt(|batch| batch.count = 9);
    assert_eq!(rejection(&world, &grouped.unit()), (GroupMismatch, Some(2)), "204 before 205");
    members[1].event_id = members[0].event_id.clone();
    let twice = Draft::of(&mut world, members, &["op1"]);
    assert_eq!(rejection(&world, &twice.unit()), (DuplicateEventId, Some(1)), "203 before 204");
}

#[test]
fn members_have_outcomes_of_their_own_and_groups_are_all_or_nothing() {
    let mut world = World::new();
    let spend =
        |world: &mut World, amount| world.event(transfer("cust:bob", "cust:alice", "USD", amount), &["op1"]);
    let fund =
        |world: &mut World, amount| world.event(transfer("world:usd", "cust:bob", "USD", amount), &["op1"]);
    // bob has a limit of 5.00 and nothing else.
    let members = [
        vec![spend(&mut world, 501)],
        tied(vec![fund(&mut world, 100), spend(&mut world, 601)]),
        vec![fund(&mut world, 100), spend(&mut world, 600)],
        tied(vec![fund(&mut world, 1), spend(&mut world, 1)]),
        vec![world.event(Body::PeriodClosed(PeriodClosed { through: 20_260_104 }), &["op1"])],
        vec![Event { effective_date: 20_260_104, ..fund(&mut world, 5) }],
    ]
    .concat();
    let draft = Draft::of(&mut world, members, &["op1"]);
    let index = world.next_index;
    let answer = world.submit_unit(&draft.unit());
    let expected = [
        Some(InsufficientFunds),
        Some(GroupMemberFailed),
        Some(InsufficientFunds),
        None,
        None,
        None,
        None,
        None,
        Some(ledger_core::code::Code::PeriodClosed),
    ];
    assert_eq!(codes(answer), expected);
    assert_eq!(world.next_index, index + 1 + 9, "a header and nine members");
    let counters = world.account("cust:bob").counters;
    assert_eq!((counters.posted_debits, counters.posted_credits), (601, 101));
}

#[test]
fn a_batch_that_was_seen_before() {
    let mut world = World::new();
    let draft = Draft::transfers(&mut world, 3);
    let index = world.next_index;
    codes(world.submit_unit(&draft.unit()));
    let known = |world: &World, unit: &Unit| match admit(&world.state, unit, world.now_nanos).unwrap() {
        Admission::Known(known) => known.iter().map(|event| event.log_index.0).collect::<Vec<_>>(),
        other => panic!("{other:?}"),
    };
    world.now_nanos += 3 * 86_400_000_000_000;
    assert_eq!(known(&world, &draft.unit()), [index + 1, index + 2, index + 3]);
    let unsigned = Draft { by: Vec::new(), ..draft.clone() };
    assert_eq!(known(&world, &unsigned.unit()).len(), 3, "signatures are not looked at");
    let part = Draft::of(&mut world, draft.members[1..].to_vec(), &["op1"]);
    assert_eq!(known(&world, &part.unit()), [index + 2, index + 3], "in another batch too");
    let event = draft.members[0].clone();
    assert!(matches!(world.submit(sign(&event, &["op1"])), Answer::Known), "and as an event of its own");

    let fresh = world.event(transfer("world:usd", "cust:alice", "USD", 7), &["op1"]);
    let old = Event { timestamp_nanos: world.now_nanos, ..draft.members[2].clone() };
    let mixed = Draft::of(&mut world, vec![fresh.clone(), old], &["op1"]);
    assert_eq!(rejection(&world, &mixed.unit()), (EventIdConflict, Some(1)));
    let same_id = draft.header.batch_id.clone();
    let again = Draft::of(&mut world, vec![fresh], &["op1"]).spoilt(|batch| batch.batch_id = same_id);
    assert_eq!(rejection(&world, &again.unit()), (EventIdConflict, None), "a batch id belongs to one batch");
}

#[test]
fn a_member_is_no_event_of_its_own() {
    let mut world = World::new();
    let draft = Draft::transfers(&mut world, 2);
    let unit = draft.unit();
    let (header, members) = (unit.header().unwrap(), unit.members());
    let alone = admit(&world.state, &Unit::single(members[0].clone()), world.now_nanos).unwrap();
    assert!(matches!(alone, Admission::Rejected { refusal, .. } if refusal.code == SignersMismatch));
    let signed =
        |event: &Event| VerifiedEvent::verify(SignedEvent::decode(sign(event, &["op1"])).unwrap(), |_| None);
    let unit = Unit::batch(header.clone(), vec![members[0].clone(), signed(&draft.members[1])]);
    assert_eq!(rejection(&world, &unit), (BatchMismatch, None), "nor an event of its own a member");
}

/// The genesis of this world: 10 members in a batch, 4 in a group.
#[test]
fn what_is_at_a_limit_is_admitted() {
    let mut world = World::new();
    let ten = Draft::transfers(&mut world, 10);
    assert_eq!(admit(&world.state, &ten.unit(), world.now_nanos).unwrap(), Admission::Admitted);
    let eleven = Draft::transfers(&mut world, 11);
    assert_eq!(rejection(&world, &eleven.unit()), (RequestTooLarge, None));
    for (count, code) in [(4, None), (5, Some((GroupMismatch, Some(1))))] {
        let mut members = vec![world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"])];
        let one = |_| world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
        members.extend(tied((0..count).map(one).collect()));
        let unit = Draft::of(&mut world, members, &["op1"]).unit();
        match code {
            None => assert_eq!(admit(&world.state, &unit, world.now_nanos).unwrap(), Admission::Admitted),
            Some(code) => assert_eq!(rejection(&world, &unit), code),
        }
    }
}

#[test]
fn members_see_accounts_and_references_of_the_members_before_them() {
    let mut world = World::new();
    let suspense = |account: &str| {
        let (account, currency) = (account.to_owned(), "USD".to_owned());
        Body::AccountOpened(AccountOpened { account, currency, kind: Some(AccountKind::Dispute), limit: 0 })
    };
    let mut referred = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
    referred.external_ref = "INVOICE".to_owned();
    let again = Event { event_id: world.new_id(), ..referred.clone() };
    let members = vec![
        world.event(suspense("x:one"), &["op1"]),
        world.event(suspense("x:two"), &["op1"]),
        referred,
        again,
    ];
    let unit = Draft::of(&mut world, members, &["op1"]).unit();
    let expected = [None, Some(AccountKindTaken), None, Some(DuplicateExternalRef)];
    assert_eq!(codes(world.submit_unit(&unit)), expected);
}
