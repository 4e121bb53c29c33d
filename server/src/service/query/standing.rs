//! TrialBalance, CheckMoneyConservation and GetStatus: the ledger as a whole.

use std::collections::BTreeMap;

use ledger_core::ids::{CurrencyCode, LogIndex};
use ledger_core::record::Counters;
use ledger_engine::{Health, ReadError, TrialRow, View};
use ledger_proto::v1::{
    CheckMoneyConservationResponse, Currency, CurrencyTotals, GetStatusResponse, ServerLimits,
    TrialBalanceRequest, TrialBalanceResponse,
};
use tonic::{Response, Status};

use crate::service::request::Moment;
use crate::service::{Service, about, answer, blocking};
use crate::status;

impl Service {
    pub(in crate::service) async fn balance(
        &self,
        request: TrialBalanceRequest,
    ) -> Result<Response<TrialBalanceResponse>, Status> {
        let as_of = Moment::of(request.as_of)?;
        let only = only_currency(&request.currency)?;
        let found = self.read(move |view| {
            let at = as_of.map(|moment| moment.resolve(view)).transpose()?;
            let rows = view.trial_balance(at).map_err(about("trial balance"))?;
            let rows: Vec<_> =
                rows.into_iter().filter(|row| only.is_none_or(|only| only == row.currency)).collect();
            let totals = sums(&rows);
            check_sums(view, at, &totals)?;
            let totals = totals.iter().map(|(currency, counters)| totals_of(view, *currency, counters));
            Ok(TrialBalanceResponse {
                rows: rows.iter().map(answer::trial_row).collect(),
                totals: totals.collect(),
                read_at: view.next_index().0,
                as_of_log_index: at.map(|at| at.0),
            })
        });
        found.await
    }

    /// One at a time: it reads everything.
    pub(in crate::service) async fn conservation(
        &self,
    ) -> Result<Response<CheckMoneyConservationResponse>, Status> {
        let ledger = self.ledger.clone();
        let checked = blocking(&self.checking, move || {
            let view = ledger.view();
            let checked = view.check_money_conservation().map_err(about("money conservation"))?;
            let totals = checked.totals.0.iter();
            Ok(CheckMoneyConservationResponse {
                totals: totals.map(|(code, counters)| totals_of(&view, *code, counters)).collect(),
                account_count: checked.account_count,
                payment_count: checked.payment_count,
                line_count: checked.line_count,
                violation: checked.violation.map(answer::violation),
                read_at: view.next_index().0,
            })
        });
        checked.await?.map(Response::new)
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

/// The rows of each currency added up.
fn sums(rows: &[TrialRow]) -> BTreeMap<CurrencyCode, Counters> {
    let mut totals = BTreeMap::<_, Counters>::new();
    for row in rows {
        *totals.entry(row.currency).or_default() += row.counters;
    }
    totals
}

/// The accounts add up to the totals that the ledger keeps, and, at any moment, debits equal credits on both layers.
fn check_sums(
    view: &View,
    at: Option<LogIndex>,
    totals: &BTreeMap<CurrencyCode, Counters>,
) -> Result<(), Status> {
    for (currency, sum) in totals {
        let balanced = sum.posted_debits == sum.posted_credits && sum.pending_debits == sum.pending_credits;
        let kept = at.is_some() || view.totals().0.get(currency) == Some(sum);
        if !(balanced && kept) {
            let error = ReadError::Disagrees(format!("the accounts in {currency} sum to {sum:?}"));
            return Err(status::read(&error, "trial balance"));
        }
    }
    Ok(())
}

fn only_currency(text: &str) -> Result<Option<CurrencyCode>, Status> {
    if text.is_empty() {
        return Ok(None);
    }
    let wrong = || {
        let start: String = text.chars().take(10).collect();
        status::malformed("currency", format!("{start:?}"), "three capitals, or nothing")
    };
    CurrencyCode::parse(text).map(Some).ok_or_else(wrong)
}

/// The sums of a currency.
pub(super) fn totals_of(view: &View, currency: CurrencyCode, counters: &Counters) -> CurrencyTotals {
    CurrencyTotals {
        currency: currency.to_string(),
        exponent: exponent(view, currency),
        counters: Some(answer::counters(counters)),
    }
}

/// Decimals of a currency of the ledger.
fn exponent(view: &View, currency: CurrencyCode) -> u32 {
    let currencies = &view.constants().currencies;
    currencies.binary_search_by_key(&currency, |(code, _)| *code).map_or(0, |at| currencies[at].1.into())
}
