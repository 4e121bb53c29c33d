//! Events 15 to 18 and 23.

use ledger_core::code::Code::{self, *};
use ledger_core::event::*;
use ledger_core::number::*;

use crate::peel::*;
use crate::world::*;

#[test]
fn accounts_and_keys() {
    let mut world = World::new();
    let open = |account: &str, kind| {
        let (account, currency) = (account.to_owned(), "USD".to_owned());
        Body::AccountOpened(AccountOpened { account, currency, kind: Some(kind), limit: 0 })
    };
    let status = |account: &str, status| {
        let (account, reason) = (account.to_owned(), "TEST".to_owned());
        Body::AccountStatusChanged(AccountStatusChanged { account, status: Some(status), reason })
    };
    let register = |name: &str| {
        let (key, party) = (public(name), name.to_owned());
        Body::KeyRegistered(KeyRegistered { key, party, roles: 1, prefix: String::new() })
    };
    let revoke = |name: &str| Body::KeyRevoked(KeyRevoked { key: public(name), reason: String::new() });
    world.initiate(PAYMENT, "cust:bob", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(500, 60));
    use AccountStatus::{Closed, Frozen, Open};
    let rows: Vec<(Body, &[&str], Option<Code>)> = vec![
        (open("cust:alice", AccountKind::Fx), &["op1"], Some(AccountAlreadyExists)),
        (open("fx:more", AccountKind::Fx), &["op1"], Some(AccountKindTaken)),
        (open("x:usd", AccountKind::Dispute), &["op1"], None),
        (open("x:more", AccountKind::Dispute), &["op1"], Some(AccountKindTaken)),
        (status("cust:none", Open), &["op1"], Some(AccountNotFound)),
        (status("cust:alice", Closed), &["op1"], Some(AccountNotEmpty)),
        (status("cust:bob", Closed), &["op1"], Some(AccountHasHolds)),
        (status("shop:m1", Closed), &["op1"], Some(AccountHasHolds)),
        (status("fee:usd", Frozen), &["op1"], None),
        (status("fee:usd", Frozen), &["op1"], None),
        (status("fee:usd", Closed), &["op1"], None),
        (status("fee:usd", Closed), &["op1"], Some(AccountClosed)),
        (status("x:usd", Closed), &["op1"], None),
        (open("x:more", AccountKind::Dispute), &["op1"], Some(AccountKindTaken)),
        (register("wallet"), &["op1", "wallet"], Some(KeyAlreadyRegistered)),
        (register("gone"), &["op1", "gone"], Some(KeyAlreadyRegistered)),
        (register("log"), &["op1", "log"], Some(KeyAlreadyRegistered)),
        (register("fresh"), &["op1"], Some(SignersMismatch)),
        (register("fresh"), &["desk", "fresh"], Some(SignerRoleMissing)),
        (register("fresh"), &["op1", "fresh"], None),
        (revoke("nobody"), &["op1"], Some(KeyNotFound)),
        (revoke("gone"), &["op1"], Some(KeyAlreadyRevoked)),
        (revoke("desk"), &["op1"], None),
        (revoke("importer"), &["op1"], None),
        (revoke("op2"), &["op1"], None),
        (revoke("op1"), &["op1"], Some(OperatorsTooFew)),
        (revoke("op1"), &["op2"], Some(SignerKeyRevoked)),
    ];
    for (position, (body, by, code)) in rows.into_iter().enumerate() {
        let event = world.event(body, by);
        let before = world.records();
        assert_eq!(world.submit(sign(&event, by)).code(), code, "row {position}: {:?}", event.body);
        assert_eq!(world.records() == before, code.is_some() || position == 9, "row {position}");
    }
}

#[test]
fn limits() {
    let mut world = World::new();
    world.initiate(PAYMENT, "cust:bob", "shop:m1", CaptureMode::Deferred, "");
    world.advance(PAYMENT, authorize(300, 60));
    world.accept(transfer("bank:usd", "cust:alice", "USD", 1_000), &["op1"]);
    world.accept(transfer("world:usd", "bank:usd", "USD", 1_080), &["op1"]);
    world.open("cust:closed", "USD", AccountKind::Customer);
    world.change_status("cust:closed", AccountStatus::Closed);
    let rows = [
        ("cust:none", 1, Some(AccountNotFound), "*"),
        ("fee:usd", 0, Some(AccountKindNotAllowed), "CUSTOMER, MERCHANT, CASH"),
        ("cust:closed", 1, Some(AccountClosed), "CLOSED"),
        ("cust:bob", 299, Some(InsufficientFunds), "available 200, required 201"),
        ("cust:bob", 300, None, ""),
        ("cust:bob", 301, None, ""),
        ("shop:m1", 5, None, ""),
        ("bank:usd", 79, Some(CreditsExceedDebits), "available 20, required 21"),
        ("bank:usd", 80, None, ""),
    ];
    for (account, limit, code, told) in rows {
        let body = AccountLimitChanged { account: account.to_owned(), limit };
        let event = world.event(Body::AccountLimitChanged(body), &["op1"]);
        let refusal = world.submit(sign(&event, &["op1"])).refusal();
        assert_eq!(refusal.as_ref().map(|refusal| refusal.code), code, "{account} {limit}");
        match refusal {
            Some(refusal) => tells(&refusal, "account", told),
            None => assert_eq!(world.account(account).limit, limit),
        }
    }
    // Frozen is not closed; what raises headroom is taken even below zero.
    world.accept(transfer("world:usd", "shop:m1", "USD", 100), &["op1"]);
    world.change_status("shop:m1", AccountStatus::Frozen);
    let body = AccountLimitChanged { account: "shop:m1".to_owned(), limit: 0 };
    world.accept(Body::AccountLimitChanged(body), &["op1"]);
    let event = world.event(
        Body::AccountLimitChanged(AccountLimitChanged { account: "shop:m1".to_owned(), limit: 1 }),
        &["desk"],
    );
    assert_eq!(code_of(&mut world, &event, &["desk"]), Some(SignerNotAccountOwner));
}

#[test]
fn what_stands_in_the_way_of_closing_is_told() {
    let mut world = World::new();
    world.open("cust:both", "USD", AccountKind::Customer);
    let body = AccountLimitChanged { account: "cust:both".to_owned(), limit: 30 };
    world.accept(Body::AccountLimitChanged(body), &["op1"]);
    world.initiate([1; 16], "cust:both", "shop:m1", CaptureMode::Deferred, "");
    world.advance([1; 16], authorize(30, 60));
    world.initiate([2; 16], "cust:alice", "cust:both", CaptureMode::Deferred, "");
    world.advance([2; 16], authorize(7, 60));
    world.accept(transfer("world:usd", "cust:both", "USD", 5), &["op1"]);
    let told = |code, limit: &str| Some((code, "cust:both".to_owned(), limit.to_owned()));
    let close = |world: &mut World| {
        let body = AccountStatusChanged {
            account: "cust:both".to_owned(),
            status: Some(AccountStatus::Closed),
            reason: "TEST".to_owned(),
        };
        let event = world.event(Body::AccountStatusChanged(body), &["op1"]);
        let refusal = world.submit(sign(&event, &["op1"])).refusal();
        refusal.map(|refusal| (refusal.code, refusal.detail.value, refusal.detail.limit))
    };
    assert_eq!(close(&mut world), told(AccountNotEmpty, "posted 5, required 0"));
    world.accept(transfer("cust:both", "world:usd", "USD", 5), &["op1"]);
    assert_eq!(close(&mut world), told(AccountHasHolds, "holds 37, required 0"));
}
