//! TrialBalance and GetStatus: the ledger as a whole.

use ledger_core::ids::CurrencyCode;
use ledger_engine::{Health, View};
use ledger_proto::v1::{
    Currency, CurrencyTotals, GetStatusResponse, ServerLimits, TrialBalanceResponse, TrialBalanceRow,
};
use tonic::{Response, Status};

use crate::service::{Service, about, answer};

impl Service {
    pub(in crate::service) async fn balance(&self) -> Result<Response<TrialBalanceResponse>, Status> {
        let found = self.read(|view| {
            let rows = view.trial_balance().map_err(about("trial balance"))?;
            let rows = rows.iter().map(|row| TrialBalanceRow {
                currency: row.currency.to_string(),
                exponent: row.exponent.into(),
                kind: row.kind.number().into(),
                account_count: row.accounts,
                counters: Some(answer::counters(&row.counters)),
            });
            let totals = view.totals().0.iter().map(|(currency, counters)| CurrencyTotals {
                currency: currency.to_string(),
                exponent: exponent(view, *currency),
                counters: Some(answer::counters(counters)),
            });
            Ok(TrialBalanceResponse {
                rows: rows.collect(),
                totals: totals.collect(),
                read_at: view.next_index().0,
                as_of_log_index: None,
            })
        });
        found.await
    }

    pub(in crate::service) async fn status(&self) -> Result<Response<GetStatusResponse>, Status> {
        let standing = self.ledger.status();
        let (serving, not_serving_reason) = match &standing.health {
            Health::Serving => (true, String::new()),
            Health::NotServing(failure) | Health::Stopped(failure) => (false, failure.to_string()),
        };
        let limits = ServerLimits {
            request_events: self.settings.request_max_events,
            request_bytes: self.settings.request_max_bytes,
            stream_messages: self.settings.server_stream_messages,
            page: self.settings.page_max,
        };
        let found = self.read(move |view| {
            let constants = view.constants();
            let params = view.params();
            let currencies = constants
                .currencies
                .iter()
                .map(|(code, exponent)| Currency { code: code.to_string(), exponent: (*exponent).into() });
            Ok(GetStatusResponse {
                ledger_id: standing.ledger_id.to_vec(),
                origin: standing.origin,
                log_vkey: standing.verifier_key,
                next_log_index: standing.next_index.0,
                height: standing.height.map_or(0, |height| height.0),
                checkpoint_size: standing.checkpoint_size,
                unsealed_entries: standing.unsealed_entries,
                unflushed_bytes: standing.unflushed_bytes,
                queue_bytes: standing.queue_bytes,
                serving,
                not_serving_reason,
                server_version: env!("CARGO_PKG_VERSION").to_owned(),
                currencies: currencies.collect(),
                operator_threshold: constants.operator_threshold,
                group_members_limit: constants.limits.group_members,
                limits: Some(limits),
                closed_through: params.closed_through,
                rules_version: params.rules_version,
            })
        });
        found.await
    }
}

/// Decimals of a currency of the ledger.
fn exponent(view: &View, currency: CurrencyCode) -> u32 {
    let currencies = &view.constants().currencies;
    currencies.binary_search_by_key(&currency, |(code, _)| *code).map_or(0, |at| currencies[at].1.into())
}
