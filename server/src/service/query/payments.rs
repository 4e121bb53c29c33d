//! GetPayment, RebuildPayment, ListPaymentEvents, ListPayments and LookupReference.

use ledger_core::ids::{AccountIndex, PaymentIndex};
use ledger_core::number::PaymentStatus;
use ledger_core::record::PaymentRecord;
use ledger_core::view::Referenced;
use ledger_engine::{PaymentFilter, View};
use ledger_proto::v1::{
    GetPaymentRequest, GetPaymentResponse, ListPaymentEventsRequest, ListPaymentEventsResponse,
    ListPaymentsRequest, ListPaymentsResponse, LookupReferenceRequest, LookupReferenceResponse, Payment,
    RebuildPaymentRequest, RebuildPaymentResponse, lookup_reference_response,
};
use tonic::{Response, Status};

use super::accounts::{account_id, existing};
use super::log_entry;
use crate::cursor::Cursor;
use crate::service::answer::{self, PaymentContext};
use crate::service::request::{Moment, payment_id};
use crate::service::{PAGE_BYTES, Service, about, direction};
use crate::status;

impl Service {
    pub(in crate::service) async fn payment(
        &self,
        request: GetPaymentRequest,
    ) -> Result<Response<GetPaymentResponse>, Status> {
        let id = payment_id(&request.payment_id)?;
        let as_of = Moment::of(request.as_of)?;
        let found = self.read(move |view| {
            let at = as_of.map(|moment| moment.resolve(view)).transpose()?;
            let what = match at {
                None => format!("payment {id}"),
                Some(at) => format!("payment {id} after entry {at}"),
            };
            let known = match at {
                None => view.payment(&id).map_err(about(&what))?,
                Some(at) => {
                    let rebuilt = view.rebuild_payment(&id, Some(at)).map_err(about(&what))?;
                    rebuilt.and_then(|rebuilt| Some((rebuilt.index, rebuilt.record?)))
                }
            };
            let (index, record) = known.ok_or_else(|| status::not_found(&what))?;
            Ok(GetPaymentResponse {
                payment: Some(told(view, index, &record)?),
                read_at: view.next_index().0,
                as_of_log_index: at.map(|at| at.0),
            })
        });
        found.await
    }

    pub(in crate::service) async fn rebuilt(
        &self,
        request: RebuildPaymentRequest,
    ) -> Result<Response<RebuildPaymentResponse>, Status> {
        let id = payment_id(&request.payment_id)?;
        let found = self.read(move |view| {
            let what = format!("payment {id}");
            let rebuilt = view.rebuild_payment(&id, None).map_err(about(&what))?;
            let rebuilt = rebuilt.ok_or_else(|| status::not_found(&what))?;
            let record = rebuilt.record.as_ref().map(|record| told(view, rebuilt.index, record));
            Ok(RebuildPaymentResponse {
                rebuilt: record.transpose()?,
                stored: Some(told(view, rebuilt.index, &rebuilt.stored)?),
                equal: rebuilt.is_equal(),
                entry_count: rebuilt.entry_count,
                read_at: view.next_index().0,
            })
        });
        found.await
    }

    pub(in crate::service) async fn payment_events(
        &self,
        request: ListPaymentEventsRequest,
    ) -> Result<Response<ListPaymentEventsResponse>, Status> {
        let id = payment_id(&request.payment_id)?;
        let cursor = Cursor::of("ListPaymentEvents", &id.0, direction(request.descending));
        let page = self.page(cursor, &request.cursor, request.limit)?;
        let found = self.read(move |view| {
            let what = format!("payment {id}");
            if view.payment(&id).map_err(about(&what))?.is_none() {
                return Err(status::not_found(&what));
            }
            let indices = view.payment_entries(&id, page.slice_and_next()).map_err(about(&what))?;
            let (mut entries, mut bytes) = (Vec::new(), 0);
            for index in indices.iter().take(page.limit) {
                let entry = log_entry(view, *index)?;
                bytes += entry.entry.len() + entry.payload.len();
                entries.push(entry);
                if bytes >= PAGE_BYTES {
                    break;
                }
            }
            let next_cursor = page.cursor.write(indices.get(entries.len()).map(|index| index.0));
            Ok(ListPaymentEventsResponse { entries, next_cursor, read_at: view.next_index().0 })
        });
        found.await
    }
}

impl Service {
    pub(in crate::service) async fn payments(
        &self,
        request: ListPaymentsRequest,
    ) -> Result<Response<ListPaymentsResponse>, Status> {
        let wanted_status = payment_status(request.status)?;
        let name = match request.account.as_str() {
            "" => None,
            account => Some(account_id(account)?),
        };
        let argument = [request.status.to_be_bytes().as_slice(), request.account.as_bytes()].concat();
        let cursor = Cursor::of("ListPayments", &argument, direction(request.descending));
        let page = self.page(cursor, &request.cursor, request.limit)?;
        let found = self.read(move |view| {
            let account = name.map(|name| existing(view, &name)).transpose()?.map(|(index, _)| index);
            let filter = PaymentFilter { account, status: wanted_status };
            let found = view.payments(filter, page.slice()).map_err(about("payments"))?;
            let payments = found.elements.iter().map(|(index, record)| told(view, *index, record));
            Ok(ListPaymentsResponse {
                payments: payments.collect::<Result<_, _>>()?,
                next_cursor: page.cursor.write(found.next),
                read_at: view.next_index().0,
            })
        });
        found.await
    }

    pub(in crate::service) async fn reference(
        &self,
        request: LookupReferenceRequest,
    ) -> Result<Response<LookupReferenceResponse>, Status> {
        let LookupReferenceRequest { party, external_ref } = request;
        for (field, text) in [("party", &party), ("external_ref", &external_ref)] {
            if text.is_empty() || text.len() > 35 {
                return Err(status::malformed(field, format!("{} bytes", text.len()), "1 to 35 bytes"));
            }
        }
        let found = self.read(move |view| {
            let what = format!("reference {external_ref:?} of {party:?}");
            let named = view.external_reference(&party, &external_ref).map_err(about(&what))?;
            let lost = || status::internal(&format!("{what} names something that is not there"));
            let found = match named.ok_or_else(|| status::not_found(&what))? {
                Referenced::Payment(id) => {
                    let (index, record) = view.payment(&id).map_err(about(&what))?.ok_or_else(lost)?;
                    lookup_reference_response::Found::Payment(told(view, index, &record)?)
                }
                Referenced::Transfer(id) => {
                    let known = view.event(&id).map_err(about(&what))?.ok_or_else(lost)?;
                    lookup_reference_response::Found::Transfer(log_entry(view, known.log_index)?)
                }
            };
            Ok(LookupReferenceResponse { found: Some(found), read_at: view.next_index().0 })
        });
        found.await
    }
}

/// A payment with the names of its accounts.
fn told(view: &View, index: PaymentIndex, record: &PaymentRecord) -> Result<Payment, Status> {
    Ok(answer::payment(index, record, context(view, record)?))
}

fn payment_status(number: i32) -> Result<Option<PaymentStatus>, Status> {
    if number == 0 {
        return Ok(None);
    }
    let known = u32::try_from(number).ok().and_then(PaymentStatus::from_number);
    known.map(Some).ok_or_else(|| status::malformed("status", number, "0 to 13"))
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
