//! Opening, freezing and closing accounts.

use std::sync::Arc;

use super::booking::check_headroom;
use super::guard::{check_kind, find_account};
use super::{At, Effects, NotAdmitted, Stop};
use crate::code::{Code, Field, Refusal};
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

    let (index, before) = find_account(view, Field::Plain("account"), &body.account, Code::AccountNotFound)?;
    check_open(&before)?;
    if status == AccountStatus::Closed {
        may_close(&before)?;
    }

    let record = AccountRecord { status, ..AccountRecord::clone(&before) };
    Ok(Effects { accounts: vec![(index, Arc::new(record))], ..Effects::default() })
}

pub(super) fn change_limit(view: &impl StateView, body: &AccountLimitChanged) -> Result<Effects, Stop> {
    let (index, before) = find_account(view, Field::Plain("account"), &body.account, Code::AccountNotFound)?;
    check_kind(Field::Plain("account"), &before, AccountKind::takes_limit)?;
    check_open(&before)?;
    let record = AccountRecord { limit: body.limit, ..AccountRecord::clone(&before) };
    check_headroom(&before, &record)?;
    Ok(Effects { accounts: vec![(index, Arc::new(record))], ..Effects::default() })
}

/// ACCOUNT_CLOSED.
fn check_open(account: &AccountRecord) -> Result<(), Refusal> {
    if account.status == AccountStatus::Closed {
        return Err(Refusal::of(Code::AccountClosed, "account", account.id, account.status));
    }
    Ok(())
}

/// ACCOUNT_NOT_EMPTY, ACCOUNT_HAS_HOLDS.
fn may_close(account: &AccountRecord) -> Result<(), Refusal> {
    let Counters { posted_debits, posted_credits, pending_debits, pending_credits } = account.counters;
    if posted_debits != posted_credits {
        let limit = format!("posted {}, required 0", account.posted());
        return Err(Refusal::of(Code::AccountNotEmpty, "account", account.id, limit));
    }
    if pending_debits != 0 || pending_credits != 0 {
        let limit = format!("holds {}, required 0", pending_debits + pending_credits);
        return Err(Refusal::of(Code::AccountHasHolds, "account", account.id, limit));
    }
    Ok(())
}
