//! GetAccount, ListAccounts and ListAccountEntries.

use std::sync::Arc;

use ledger_core::ids::{AccountId, AccountIndex};
use ledger_core::record::AccountRecord;
use ledger_engine::View;
use ledger_proto::v1::{
    AccountAsOf, GetAccountRequest, GetAccountResponse, ListAccountEntriesRequest,
    ListAccountEntriesResponse, ListAccountsRequest, ListAccountsResponse,
};
use tonic::{Response, Status};

use crate::cursor::Cursor;
use crate::service::request::Moment;
use crate::service::{Service, about, answer};
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
                let counters = view.account_counters_at(index, at).map_err(about(&what))?;
                let balance = answer::balance(&AccountRecord { counters, ..(*record).clone() });
                Ok::<_, Status>(AccountAsOf {
                    log_index: at.0,
                    balance: Some(balance),
                    ..AccountAsOf::default()
                })
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
        let cursor = Cursor::of("ListAccounts", &[]);
        let from = AccountIndex(cursor.read(&request.cursor)?.unwrap_or(0));
        let most = self.page(request.limit)?;
        let found = self.read(move |view| {
            let mut page = view.accounts(from, most + 1).map_err(about("accounts"))?;
            let next = page.get(most).map(|(index, _)| index.0);
            page.truncate(most);
            let accounts = page.iter().map(|(index, record)| answer::account(*index, record)).collect();
            Ok(ListAccountsResponse {
                accounts,
                next_cursor: cursor.write(next),
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
        let cursor = Cursor::of("ListAccountEntries", id.as_str().as_bytes());
        let after = cursor.read(&request.cursor)?.unwrap_or(0);
        let most = self.page(request.limit)?;
        let found = self.read(move |view| {
            let (index, _) = existing(view, &id)?;
            let mut page = view
                .account_lines(index, after, most + 1)
                .map_err(about(format_args!("lines of account {id}")))?;
            let more = page.len() > most;
            page.truncate(most);
            let last = page.last().map(|line| line.number).filter(|_| more);
            Ok(ListAccountEntriesResponse {
                lines: page.iter().map(answer::line).collect(),
                next_cursor: cursor.write(last),
                read_at: view.next_index().0,
            })
        });
        found.await
    }
}

fn account_id(text: &str) -> Result<AccountId, Status> {
    AccountId::parse(text).ok_or_else(|| {
        let start: String = text.chars().take(80).collect();
        status::malformed("account", format!("{start:?}"), "1 to 64 of a-z, 0-9, ':', '_', '-'")
    })
}

fn existing(view: &View, id: &AccountId) -> Result<(AccountIndex, Arc<AccountRecord>), Status> {
    let what = format!("account {id}");
    view.account(id.as_str()).map_err(about(&what))?.ok_or_else(|| status::not_found(&what))
}
