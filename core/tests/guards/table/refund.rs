//! Event 10.

use ledger_core::code::Code::*;
use ledger_core::event::*;
use ledger_core::number::*;

use super::breaks::*;
use super::{Break, Guard, Table, event, without};
use crate::peel::*;
use crate::world::*;

fn refunded(world: &mut World, cause: RefundCause, fees: Vec<Fee>, fx: Option<Fx>) -> Draft {
    let reason = "TEST".to_owned();
    let body = PaymentRefunded { amount: 1_000, cause: Some(cause), reason, fees, fx };
    at_head(world, Body::PaymentRefunded(body))
}

fn above_settled() -> Guard {
    event("above settled", RefundExceedsRefundable, |_, draft| set_amount(draft, 10_001))
}

#[test]
fn refunded_across_currencies() {
    let mut guards = vec![no_payment(), denied(), fee_account()];
    guards.extend([without("fx:usd", AccountNotFound), without("fx:eur", AccountNotFound)]);
    guards.extend(fee_terms());
    guards.extend([fx_currency(), stale(), without("capture", TransitionNotAllowed), above_settled()]);
    guards.extend(fx_due());
    guards.push(period());
    guards.extend([closed!("fx:usd"), frozen!("fx:usd", Debit)]);
    guards.extend([closed!("bank:usd"), frozen!("bank:usd", Credit)]);
    guards.extend([closed!("shop:eur"), frozen!("shop:eur", Debit)]);
    guards.extend([closed!("fx:eur"), frozen!("fx:eur", Credit)]);
    guards.extend([closed!("fee:usd"), frozen!("fee:usd", Credit)]);
    guards.extend([closed!("fee:eur"), frozen!("fee:eur", Credit)]);
    guards.extend([without("room", CreditsExceedDebits), without("funds", InsufficientFunds)]);
    let mut apart = vec![
        ("fx:usd", vec!["fx:usd closed", "fx:usd frozen"], "it is not there"),
        ("fx:eur", vec!["fx:eur closed", "fx:eur frozen"], "it is not there"),
        ("fx currency", vec!["fx absent"], "what is absent has no currency"),
        ("fx absent", vec!["fx amount"], "what is absent has no amount"),
    ];
    apart.extend(one_status!("fx:usd", "bank:usd", "shop:eur", "fx:eur", "fee:usd", "fee:eur"));
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            pay(world, "bank:usd", "shop:eur", CaptureMode::Immediate, "");
            if !world.lacks("capture") {
                let fx = Some(fx("EUR", 10_000, 1, 0));
                let body = PaymentCaptured { amount: 10_000, final_capture: true, fees: Vec::new(), fx };
                attempt(world, Body::PaymentCaptured(body));
            }
            if world.lacks("room") {
                exhaust(world, "bank:usd");
            }
            if world.lacks("funds") {
                exhaust(world, "shop:eur");
            }
        },
        good: |world| {
            let (fees, fx) = (four_fees("fee:eur", "EUR"), fx("EUR", 1_000, 1, 0));
            refunded(world, RefundCause::Merchant, fees, Some(fx))
        },
        guards,
        apart,
    };
    table.check([29, 394, 12]);
}

/// A return is taken from a frozen creditor without money; closed accounts refuse, and the debtor pays its fee.
#[test]
fn returned() {
    let mut guards = vec![no_payment(), denied(), fee_account()];
    guards.extend(fee_terms());
    guards.extend([fx_currency(), stale(), without("capture", TransitionNotAllowed), above_settled()]);
    guards.extend([fx_at_home(), period(), closed!("shop:m1"), closed!("cust:alice"), closed!("fee:usd")]);
    guards.push(event("debtor's fee", InsufficientFunds, |_, draft| fees_of(draft)[0].amount = 10_002));
    let table = Table {
        prepare: |world| {
            world.close_period(CLOSED_DAY);
            pay(world, "cust:alice", "shop:m1", CaptureMode::Immediate, "");
            if !world.lacks("capture") {
                attempt(world, capture(10_000, true));
            }
            for account in ["cust:alice", "shop:m1"] {
                exhaust(world, account);
                world.change_status(account, AccountStatus::Frozen);
            }
        },
        good: |world| refunded(world, RefundCause::Return, four_fees("fee:usd", "USD"), None),
        guards,
        apart: vec![],
    };
    table.check([16, 120, 0]);
}
