//! GetAccount, ListAccounts, ListAccountEntries and ListUndrained.

use std::sync::Arc;

use ledger_core::ids::{AccountId, AccountIndex};
use ledger_core::record::AccountRecord;
use ledger_engine::View;
use ledger_proto::v1::{
    GetAccountRequest, GetAccountResponse, ListAccountEntriesRequest, ListAccountEntriesResponse,
    ListAccountsRequest, ListAccountsResponse, ListUndrainedRequest, ListUndrainedResponse, UndrainedAccount,
};
use tonic::{Response, Status};

use crate::cursor::Cursor;
use crate::service::request::Moment;
use crate::service::{Service, about, answer, direction};
use crate::status;

impl Service {
    pub(in crate::service) async fn account(
        &self,
        request: GetAccountRequest,
    ) -> Result<Response<GetAccountResponse>, Status> {
        let id = account_id(&request.account)?;
        let as_of = Moment::of(request.as_of)?;
        let found = self.read(move |view| {
            let (index, record) = existing(view, &id)?;
            let then = |moment: Moment| {
                let at = moment.resolve(view)?;
                let what = format!("account {id} as of {moment}");
                let then = view.account_then(index, at).map_err(about(&what))?;
                Ok::<_, Status>(answer::account_then(at, then))
            };
            let as_of = as_of.map(then).transpose()?;
            let account = Some(answer::account(index, &record));
            Ok(GetAccountResponse { account, as_of, read_at: view.next_index().0 })
        });
        found.await
    }

    pub(in crate::service) async fn accounts(
        &self,
        request: ListAccountsRequest,
    ) -> Result<Response<ListAccountsResponse>, Status> {
        let cursor = Cursor::of("ListAccounts", &[], direction(request.descending));
        let page = self.page(cursor, &request.cursor, request.limit)?;
        let found = self.read(move |view| {
            let found = view.accounts(page.slice_and_next()).map_err(about("accounts"))?;
            let next = found.get(page.limit).map(|(index, _)| index.0);
            let accounts = found.iter().take(page.limit);
            Ok(ListAccountsResponse {
                accounts: accounts.map(|(index, record)| answer::account(*index, record)).collect(),
                next_cursor: page.cursor.write(next),
                read_at: view.next_index().0,
            })
        });
        found.await
    }

    pub(in crate::service) async fn account_lines(
        &self,
        request: ListAccountEntriesRequest,
    ) -> Result<Response<ListAccountEntriesResponse>, Status> {
        let id = account_id(&request.account)?;
        let cursor = Cursor::of("ListAccountEntries", id.as_str().as_bytes(), direction(request.descending));
        let page = self.page(cursor, &request.cursor, request.limit)?;
        let found = self.read(move |view| {
            let (index, _) = existing(view, &id)?;
            let found = view
                .account_lines(index, page.slice_and_next())
                .map_err(about(format_args!("lines of account {id}")))?;
            let next = found.get(page.limit).map(|line| line.number);
            Ok(ListAccountEntriesResponse {
                lines: found.iter().take(page.limit).map(answer::line).collect(),
                next_cursor: page.cursor.write(next),
                read_at: view.next_index().0,
            })
        });
        found.await
    }

    pub(in crate::service) async fn undrained(
        &self,
        request: ListUndrainedRequest,
    ) -> Result<Response<ListUndrainedResponse>, Status> {
        let cursor = Cursor::of("ListUndrained", &[], direction(request.descending));
        let page = self.page(cursor, &request.cursor, request.limit)?;
        let found = self.read(move |view| {
            let found = view.undrained(page.slice()).map_err(about("accounts that should drain"))?;
            let accounts = found.elements.iter().map(|one| UndrainedAccount {
                account: Some(answer::account(one.index, &one.record)),
                since_nanos: one.since_nanos.unwrap_or(0),
            });
            Ok(ListUndrainedResponse {
                accounts: accounts.collect(),
                next_cursor: page.cursor.write(found.next),
                read_at: view.next_index().0,
            })
        });
        found.await
    }
}

pub(super) fn account_id(text: &str) -> Result<AccountId, Status> {
    AccountId::parse(text).ok_or_else(|| {
        let start: String = text.chars().take(80).collect();
        status::malformed("account", format!("{start:?}"), "1 to 64 of a-z, 0-9, ':', '_', '-'")
    })
}

pub(super) fn existing(view: &View, id: &AccountId) -> Result<(AccountIndex, Arc<AccountRecord>), Status> {
    let what = format!("account {id}");
    view.account(id.as_str()).map_err(about(&what))?.ok_or_else(|| status::not_found(&what))
}
