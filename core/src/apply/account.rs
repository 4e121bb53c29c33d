//! Opening, freezing and closing accounts.

use std::sync::Arc;

use super::booking::check_headroom;
use super::{At, Effects, NotAdmitted, Stop};
use crate::code::{Code, Refusal};
use crate::event::{AccountLimitChanged, AccountOpened, AccountStatusChanged};
use crate::ids::{AccountId, AccountIndex, CurrencyCode};
use crate::line::first_chain;
use crate::number::{AccountKind, AccountStatus};
use crate::record::{AccountRecord, Counters};
use crate::view::StateView;

pub(super) fn open(view: &impl StateView, body: &AccountOpened, at: At) -> Result<Effects, Stop> {
    let id = AccountId::parse(&body.account).ok_or(NotAdmitted("account"))?;
    let currency = CurrencyCode::parse(&body.currency).ok_or(NotAdmitted("currency"))?;
    let exponent = view.constants().exponent(currency).ok_or(NotAdmitted("currency"))?;
    let kind = body.kind.ok_or(NotAdmitted("kind"))?;

    if let Some(index) = view.account_index(&body.account)? {
        let limit = format!("opened at log index {}", view.account(index)?.opened_index);
        return Err(Refusal::of(Code::AccountAlreadyExists, "account", id, limit).into());
    }
    if matches!(kind, AccountKind::Fx | AccountKind::Dispute)
        && let Some(index) = view.special_account(kind, currency)?
    {
        let limit = format!("one per currency, {}", view.account(index)?.id);
        return Err(Refusal::of(Code::AccountKindTaken, "kind", format!("{kind} {currency}"), limit).into());
    }

    let record = AccountRecord {
        status: AccountStatus::Open,
        kind,
        exponent,
        currency,
        id,
        limit: body.limit,
        counters: Counters::default(),
        opened_index: at.log_index,
        line_count: 0,
        statement_chain: first_chain(&id),
    };
    let index = AccountIndex(view.account_count());
    Ok(Effects { accounts: vec![(index, Arc::new(record))], ..Effects::default() })
}

pub(super) fn change_status(view: &impl StateView, body: &AccountStatusChanged) -> Result<Effects, Stop> {
    let status = body.status.ok_or(NotAdmitted("status"))?;

    let (index, before) = find(view, &body.account)?;
    check_open(&before)?;
    if status == AccountStatus::Closed {
        may_close(&before)?;
    }

    let record = AccountRecord { status, ..AccountRecord::clone(&before) };
    Ok(Effects { accounts: vec![(index, Arc::new(record))], ..Effects::default() })
}

pub(super) fn change_limit(view: &impl StateView, body: &AccountLimitChanged) -> Result<Effects, Stop> {
    let (index, before) = find(view, &body.account)?;
    if !before.kind.takes_limit() {
        let value = format!("{} of kind {}", before.id, before.kind);
        let limit = "CUSTOMER, MERCHANT, CASH";
        return Err(Refusal::of(Code::AccountKindNotAllowed, "account", value, limit).into());
    }
    check_open(&before)?;
    let record = AccountRecord { limit: body.limit, ..AccountRecord::clone(&before) };
    check_headroom(&before, &record)?;
    Ok(Effects { accounts: vec![(index, Arc::new(record))], ..Effects::default() })
}

/// ACCOUNT_NOT_FOUND.
fn find(view: &impl StateView, account: &str) -> Result<(AccountIndex, Arc<AccountRecord>), Stop> {
    match view.account_index(account)? {
        Some(index) => Ok((index, view.account(index)?)),
        None => Err(Refusal::of(Code::AccountNotFound, "account", account, "").into()),
    }
}

/// ACCOUNT_CLOSED.
fn check_open(account: &AccountRecord) -> Result<(), Refusal> {
    if account.status == AccountStatus::Closed {
        return Err(Refusal::of(Code::AccountClosed, "account", account.id, account.status));
    }
    Ok(())
}

fn may_close(account: &AccountRecord) -> Result<(), Refusal> {
    let Counters { posted_debits, posted_credits, pending_debits, pending_credits } = account.counters;
    if posted_debits != posted_credits {
        return Err(Refusal::of(Code::AccountNotEmpty, "account", account.posted(), 0));
    }
    if pending_debits != 0 || pending_credits != 0 {
        return Err(Refusal::of(Code::AccountHasHolds, "account", pending_debits + pending_credits, 0));
    }
    Ok(())
}
