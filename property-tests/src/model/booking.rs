//! Group 9: accounts take postings or not; statement lines.

use std::rc::Rc;

use ledger_core::code::Code;
use ledger_core::ids::{AccountIndex, EventId, LogIndex, PaymentId};
use ledger_core::line::Line;
use ledger_core::number::{AccountKind, AccountStatus, Side};

use super::Place;
use super::books::Books;
use super::guards::refuse_if;
use super::history::Entry;
use super::postings::Posting;
use super::records::counters;

/// A posting that an event tried, and whether the account's status let it.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Attempt {
    /// Kind of the account.
    pub kind: AccountKind,
    /// Its status.
    pub status: AccountStatus,
    /// Side of the posting.
    pub side: Side,
    /// Whether it was taken.
    pub taken: bool,
}

/// What is special about the postings of an event.
#[derive(Clone, Copy, Default)]
pub(super) struct Leave {
    /// Freezes do not stop them.
    pub ignores_freezes: bool,
    /// Headroom of this account is not checked.
    pub unchecked: Option<usize>,
}

/// Whose postings they are.
pub(super) struct Origin {
    pub event_id: EventId,
    pub payment_id: PaymentId,
}

/// Books all postings or says which guard refuses; lines and attempts go into the entry.
pub(super) fn book(
    books: &mut Books,
    postings: &[Posting],
    leave: Leave,
    origin: &Origin,
    place: Place,
    entry: &mut Entry,
) -> Result<(), Code> {
    for posting in postings {
        let account = &books.accounts[posting.account];
        let is_closed = account.status == AccountStatus::Closed;
        let is_frozen = account.is_frozen_for(posting.side) && !leave.ignores_freezes;
        let (kind, status, side) = (account.kind, account.status, posting.side);
        entry.attempts.push(Attempt { kind, status, side, taken: !is_closed && !is_frozen });
        refuse_if(is_closed, Code::AccountClosed)?;
        let code = if side == Side::Debit { Code::AccountDebitFrozen } else { Code::AccountCreditFrozen };
        refuse_if(is_frozen, code)?;
    }
    let before = books.accounts.clone();
    for posting in postings {
        let account = Rc::make_mut(&mut books.accounts[posting.account]);
        account.add(posting.layer, posting.side, posting.delta);
        account.line_count += 1;
        let line = Line {
            account: AccountIndex(posting.account as u64),
            number: account.line_count,
            log_index: LogIndex(place.index),
            recorded_at_nanos: place.recorded_at,
            posting: ledger_core::posting::Posting {
                account: AccountIndex(posting.account as u64),
                layer: posting.layer,
                side: posting.side,
                delta: posting.delta,
            },
            event_id: origin.event_id,
            payment_id: origin.payment_id,
            after: counters(account),
        };
        account.chain = line.chained(&account.chain);
        entry.lines.push(line);
        entry.accounts.insert(posting.account);
    }
    for posting in postings {
        if leave.unchecked == Some(posting.account) {
            continue;
        }
        let after = &books.accounts[posting.account];
        let (Some(left_before), Some(left_after)) = (before[posting.account].left(), after.left()) else {
            continue;
        };
        let code =
            if after.kind == AccountKind::Cash { Code::CreditsExceedDebits } else { Code::InsufficientFunds };
        refuse_if(left_after < left_before && left_after < 0, code)?;
    }
    Ok(())
}
