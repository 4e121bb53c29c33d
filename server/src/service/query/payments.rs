//! GetPayment and ListPaymentEvents.

use ledger_core::ids::{AccountIndex, LogIndex};
use ledger_core::record::PaymentRecord;
use ledger_engine::View;
use ledger_proto::v1::{
    GetPaymentRequest, GetPaymentResponse, ListPaymentEventsRequest, ListPaymentEventsResponse,
};
use tonic::{Response, Status};

use super::log_entry;
use crate::cursor::Cursor;
use crate::service::answer::{self, PaymentContext};
use crate::service::request::payment_id;
use crate::service::{PAGE_BYTES, Service, about};
use crate::status;

impl Service {
    pub(in crate::service) async fn payment(
        &self,
        request: GetPaymentRequest,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        let id = payment_id(&request.payment_id)?;
        let found = self.read(move |view| {
            let what = format!("payment {id}");
            let known = view.payment(&id).map_err(about(&what))?;
            let (index, record) = known.ok_or_else(|| status::not_found(&what))?;
            let payment = answer::payment(index, &record, context(view, &record)?);
            Ok(GetPaymentResponse {
                payment: Some(payment),
                read_at: view.next_index().0,
                as_of_log_index: None,
            })
        });
        found.await
    }

    pub(in crate::service) async fn payment_events(
        &self,
        request: ListPaymentEventsRequest,
    ) -> Result<Response<ListPaymentEventsResponse>, Status> {
        let id = payment_id(&request.payment_id)?;
        let cursor = Cursor::of("ListPaymentEvents", &id.0);
        let after = cursor.read(&request.cursor)?.map(LogIndex);
        let most = self.page(request.limit)?;
        let found = self.read(move |view| {
            let what = format!("payment {id}");
            if view.payment(&id).map_err(about(&what))?.is_none() {
                return Err(status::not_found(&what));
            }
            let indices = view.payment_entries(&id, after, most + 1).map_err(about(&what))?;
            let (mut entries, mut bytes) = (Vec::new(), 0);
            for index in indices.iter().take(most) {
                let entry = log_entry(view, *index)?;
                bytes += entry.entry.len() + entry.payload.len();
                entries.push(entry);
                if bytes >= PAGE_BYTES {
                    break;
                }
            }
            let more = entries.len() < indices.len();
            let last = entries.last().map(|entry| entry.log_index).filter(|_| more);
            let next_cursor = cursor.write(last);
            Ok(ListPaymentEventsResponse { entries, next_cursor, read_at: view.next_index().0 })
        });
        found.await
    }
}

fn context(view: &View, record: &PaymentRecord) -> Result<PaymentContext, Status> {
    let account = |index: AccountIndex| {
        let found = view.account_by_index(index).map_err(about("account of a payment"))?;
        found.ok_or_else(|| status::internal("an account of a payment does not exist"))
    };
    let debtor = account(record.debtor)?;
    let clearing = record.clearing.map(account).transpose()?;
    Ok(PaymentContext {
        debtor: debtor.id.to_string(),
        creditor: account(record.creditor)?.id.to_string(),
        clearing_account: clearing.map(|found| found.id.to_string()).unwrap_or_default(),
        exponent: debtor.exponent,
    })
}
