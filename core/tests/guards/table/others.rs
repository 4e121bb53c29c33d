//! Events 1, 14 to 20, 22 and 23.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use super::breaks::*;
use super::{Break, Guard, Table, event, without, world};
use crate::peel::*;
use crate::world::*;

fn taken_reference() -> Guard {
    event("reference", DuplicateExternalRef, |_, draft| draft.event.external_ref = "TAKEN".to_owned())
}

#[test]
fn initiated() {
    let unknown = "an account that is not there has neither kind nor currency";
    let guards = vec![
        event("payment", PaymentAlreadyExists, |_, draft| draft.event.payment_id = PAYMENT.to_vec()),
        taken_reference(),
        event("no debtor", DebtorAccountNotFound, |_, draft| {
            body!(draft, PaymentInitiated).debtor = "cust:none".to_owned();
        }),
        event("no creditor", CreditorAccountNotFound, |_, draft| {
            body!(draft, PaymentInitiated).creditor = "shop:none".to_owned();
        }),
        event("no rail", AccountNotFound, |_, draft| {
            body!(draft, PaymentInitiated).clearing_account = "rail:none".to_owned();
        }),
        event("debtor's kind", AccountKindNotAllowed, |_, draft| {
            body!(draft, PaymentInitiated).debtor = "fx:usd".to_owned();
        }),
        event("creditor's kind", AccountKindNotAllowed, |_, draft| {
            body!(draft, PaymentInitiated).creditor = "fee:eur".to_owned();
        }),
        event("rail's kind", AccountKindNotAllowed, |_, draft| {
            body!(draft, PaymentInitiated).clearing_account = "cust:bob".to_owned();
        }),
        event("debtor's currency", AccountCurrencyMismatch, |_, draft| {
            let debtor = &mut body!(draft, PaymentInitiated).debtor;
            *debtor = if *debtor == "fx:usd" { "fx:eur" } else { "cust:euro" }.to_owned();
        }),
        event("rail's currency", AccountCurrencyMismatch, |_, draft| {
            let rail = &mut body!(draft, PaymentInitiated).clearing_account;
            *rail = if *rail == "cust:bob" { "shop:jpy" } else { "rail:eur" }.to_owned();
        }),
        period(),
    ];
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            let mut event = world.event(initiation("cust:alice", "shop:m1", ""), &["anyone"]);
            (event.payment_id, event.external_ref) = (PAYMENT.to_vec(), "TAKEN".to_owned());
            world.accept_event(&event, &["anyone"]);
        },
        good: |world| {
            let mut event = world.event(initiation("cust:alice", "shop:m1", "rail:usd"), &["anyone"]);
            event.payment_id = vec![2; 16];
            draft(event, &["anyone"])
        },
        guards,
        apart: vec![
            ("no debtor", vec!["debtor's kind", "debtor's currency"], unknown),
            ("no creditor", vec!["creditor's kind"], unknown),
            ("no rail", vec!["rail's kind", "rail's currency"], unknown),
        ],
    };
    table.check([11, 50, 5]);
}

#[test]
fn transferred() {
    let mut guards = vec![
        event("related payment", PaymentNotFound, |_, draft| {
            body!(draft, TransferPosted).related_payment_id = vec![9; 16];
        }),
        taken_reference(),
        event("account", AccountNotFound, |_, draft| {
            body!(draft, TransferPosted).legs[2].account = "world:none".to_owned();
        }),
        event("currency", AccountCurrencyMismatch, |_, draft| {
            body!(draft, TransferPosted).legs[3].account = "rail:eur".to_owned();
        }),
        period(),
    ];
    guards.extend([closed!("cust:bob"), frozen!("cust:bob", Debit)]);
    guards.extend([closed!("bank:usd"), frozen!("bank:usd", Credit)]);
    guards.extend([without("funds", InsufficientFunds), without("room", CreditsExceedDebits)]);
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            let mut event = world.event(transfer("world:usd", "cust:alice", "USD", 1), &["op1"]);
            event.external_ref = "TAKEN".to_owned();
            world.accept_event(&event, &["op1"]);
            if world.lacks("funds") {
                exhaust(world, "cust:bob");
            }
            if world.lacks("room") {
                exhaust(world, "bank:usd");
            }
        },
        good: |world| {
            let legs = vec![
                leg("cust:bob", Side::Debit, "USD", 100),
                leg("bank:usd", Side::Credit, "USD", 100),
                leg("world:usd", Side::Debit, "USD", 7),
                leg("rail:usd", Side::Credit, "USD", 7),
            ];
            let purpose = "TEST".to_owned();
            let body = TransferPosted { legs, purpose, related_payment_id: Vec::new() };
            by_operator(world, Body::TransferPosted(body))
        },
        guards,
        apart: one_status!("cust:bob", "bank:usd").to_vec(),
    };
    table.check([11, 53, 2]);
}

fn by_operator(world: &mut World, body: Body) -> Draft {
    draft(world.event(body, &["op1"]), &["op1"])
}

#[test]
fn opened() {
    let table = Table {
        prepare: |_| {},
        good: |world| {
            let (account, currency) = ("x:usd".to_owned(), "USD".to_owned());
            let kind = Some(AccountKind::Dispute);
            by_operator(world, Body::AccountOpened(AccountOpened { account, currency, kind, limit: 0 }))
        },
        guards: vec![
            event("id", AccountAlreadyExists, |_, draft| {
                body!(draft, AccountOpened).account = "cust:alice".to_owned();
            }),
            world("kind", AccountKindTaken, |world| world.open("x:more", "USD", AccountKind::Dispute)),
        ],
        apart: vec![],
    };
    table.check([2, 1, 0]);
}

#[test]
fn closed() {
    let empty = "a closed account is empty, and stays so";
    let table = Table {
        prepare: |_| {},
        good: |world| {
            let (account, reason) = ("cust:bob".to_owned(), "TEST".to_owned());
            let status = Some(AccountStatus::Closed);
            by_operator(world, Body::AccountStatusChanged(AccountStatusChanged { account, status, reason }))
        },
        guards: vec![
            event("account", AccountNotFound, |_, draft| {
                body!(draft, AccountStatusChanged).account = "cust:none".to_owned();
            }),
            closed!("cust:bob"),
            world("posted", AccountNotEmpty, |world| {
                attempt_as_operator(world, transfer("world:usd", "cust:bob", "USD", 1));
            }),
            world("held", AccountHasHolds, |world| {
                pay(world, "cust:bob", "shop:m1", CaptureMode::Deferred, "");
                attempt(world, authorize(1, 60));
            }),
        ],
        apart: vec![("cust:bob closed", vec!["posted", "held"], empty)],
    };
    table.check([4, 4, 2]);
}

#[test]
fn keys_and_days() {
    let registered = Table {
        prepare: |_| {},
        good: |world| {
            let (key, party) = (public("fresh"), "fresh".to_owned());
            let body = Body::KeyRegistered(KeyRegistered { key, party, roles: 1, prefix: String::new() });
            draft(world.event(body, &["op1", "fresh"]), &["op1", "fresh"])
        },
        guards: vec![event("known", KeyAlreadyRegistered, |_, draft| {
            body!(draft, KeyRegistered).key = public("gone");
            resign(draft, &["op1", "gone"]);
        })],
        apart: vec![],
    };
    registered.check([1, 0, 0]);
    let rotated = Table {
        prepare: |_| {},
        good: |world| {
            let body = Body::LogKeyRotated(LogKeyRotated { new_key: public("log2") });
            draft(world.event(body, &["op1", "log", "log2"]), &["op1", "log", "log2"])
        },
        guards: vec![event("known", KeyAlreadyRegistered, |_, draft| {
            body!(draft, LogKeyRotated).new_key = public("gone");
            resign(draft, &["op1", "log", "gone"]);
        })],
        apart: vec![],
    };
    rotated.check([1, 0, 0]);
    let period = Table {
        prepare: |_| {},
        good: |world| {
            by_operator(world, Body::PeriodClosed(ledger_core::event::PeriodClosed { through: CLOSED_DAY }))
        },
        guards: vec![event("today", PeriodNotOver, |_, draft| body!(draft, PeriodClosed).through += 1)],
        apart: vec![],
    };
    period.check([1, 0, 0]);
    let erased = Table {
        prepare: |world| {
            let mut event = world.event(transfer("world:usd", "cust:bob", "USD", 1), &["op1"]);
            event.metadata_commitment = vec![5; 32];
            world.accept_event(&event, &["op1"]);
        },
        good: |world| {
            let (event_id, reason) = (world.event_at(world.next_index - 1), "TEST".to_owned());
            by_operator(world, Body::MetadataErased(MetadataErased { event_id, reason }))
        },
        guards: vec![event("target", TargetEventNotFound, |_, draft| {
            body!(draft, MetadataErased).event_id = vec![9; 16];
        })],
        apart: vec![],
    };
    erased.check([1, 0, 0]);
}

#[test]
fn revoked() {
    let table = Table {
        prepare: |_| {},
        good: |world| {
            let body = KeyRevoked { key: public("op1"), reason: String::new() };
            by_operator(world, Body::KeyRevoked(body))
        },
        guards: vec![
            event("unknown", KeyNotFound, |_, draft| body!(draft, KeyRevoked).key = public("nobody")),
            event("again", KeyAlreadyRevoked, |_, draft| body!(draft, KeyRevoked).key = public("gone")),
            world("last operator", OperatorsTooFew, |world| {
                for name in ["op2", "importer"] {
                    let body = KeyRevoked { key: public(name), reason: String::new() };
                    attempt_as_operator(world, Body::KeyRevoked(body));
                }
            }),
        ],
        apart: vec![("unknown", vec!["again"], "what was never registered was not revoked")],
    };
    table.check([3, 2, 1]);
}

fn limited(world: &mut World, account: &str, limit: u64) -> Draft {
    let body = AccountLimitChanged { account: account.to_owned(), limit };
    by_operator(world, Body::AccountLimitChanged(body))
}

/// A closed account without a limit of its own, and one that has one; then what the limit is used for.
fn limit_guards() -> [Guard; 3] {
    [
        event("account", AccountNotFound, |_, draft| {
            body!(draft, AccountLimitChanged).account = "cust:none".to_owned();
        }),
        event("kind", AccountKindNotAllowed, |_, draft| {
            body!(draft, AccountLimitChanged).account = "fee:usd".to_owned();
        }),
        world("closed", AccountClosed, |world| {
            for account in ["fee:usd", "cust:bob", "bank:usd"] {
                close(world, account);
            }
        }),
    ]
}

#[test]
fn limit_changed() {
    let empty = "a closed account makes no use of its limit";
    let apart = || {
        vec![
            ("account", vec!["kind"], "an account that is not there has no kind"),
            ("closed", vec!["limit in use"], empty),
        ]
    };
    let mut guards: Vec<_> = limit_guards().into();
    guards.push(world("limit in use", InsufficientFunds, |world| {
        attempt_as_operator(world, transfer("cust:bob", "world:usd", "USD", 300));
    }));
    let good = |world: &mut World| limited(world, "cust:bob", 299);
    Table { prepare: |_| {}, good, guards, apart: apart() }.check([4, 4, 2]);

    let mut guards: Vec<_> = limit_guards().into();
    guards.push(world("limit in use", CreditsExceedDebits, |world| {
        attempt_as_operator(world, transfer("world:usd", "bank:usd", "USD", 80));
    }));
    let good = |world: &mut World| limited(world, "bank:usd", 79);
    Table { prepare: |_| {}, good, guards, apart: apart() }.check([4, 4, 2]);
}
