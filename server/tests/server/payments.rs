//! Payments listed by account and status, found by reference and rebuilt from their entries, each against what the test
//! itself did; over the unflushed tail, over the store, and after a restart.

use ledger_core::event::{Body, Event, KeyRegistered, PaymentAuthorized, PaymentCaptured, PaymentInitiated};
use ledger_core::number::{CaptureMode as Mode, Roles};
use ledger_crypto::SigningKey;
use ledger_proto::v1::*;
use tonic::Code;

use crate::support::{Books, Client, accepted, signed_by};

/// A key that may do everything with payments.
async fn gateway(books: &mut Books, client: &mut Client) -> SigningKey {
    let key = SigningKey::from_seed([3; 32]);
    let body = Body::KeyRegistered(KeyRegistered {
        key: key.public_bytes().to_vec(),
        party: "gateway".to_owned(),
        roles: u32::from(Roles::INITIATOR.0 | Roles::PROCESSOR.0),
        prefix: String::new(),
    });
    let id = books.event_id();
    accepted(client, vec![signed_by(&books.unsigned(id, body), &[&books.operator, &key])]).await;
    key
}

/// Initiates payment `number` from one account to another, and authorizes and captures every second and fourth.
async fn pay(
    books: &mut Books,
    client: &mut Client,
    key: &SigningKey,
    number: u8,
    between: (&str, &str),
) -> PaymentStatus {
    let amount = 10 + u64::from(number);
    let initiated = Body::PaymentInitiated(PaymentInitiated {
        amount,
        currency: "EUR".to_owned(),
        debtor: between.0.to_owned(),
        creditor: between.1.to_owned(),
        capture_mode: Some(Mode::Deferred),
        clearing_account: String::new(),
    });
    let mut steps = vec![initiated];
    if number.is_multiple_of(2) {
        steps.push(Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s: 3_600 }));
    }
    if number.is_multiple_of(4) {
        let capture = PaymentCaptured { amount, final_capture: true, ..PaymentCaptured::default() };
        steps.push(Body::PaymentCaptured(capture));
    }
    let mut previous = Vec::new();
    for body in steps {
        let id = books.event_id();
        let external_ref = if previous.is_empty() { format!("ORDER {number}") } else { String::new() };
        let event = Event {
            payment_id: vec![number; 16],
            previous_event_id: previous,
            external_ref,
            ..books.unsigned(id.clone(), body)
        };
        accepted(client, vec![signed_by(&event, &[key])]).await;
        previous = id;
    }
    match number % 4 {
        0 => PaymentStatus::Settled,
        2 => PaymentStatus::Authorized,
        _ => PaymentStatus::Initiated,
    }
}

async fn payments(client: &mut Client, request: ListPaymentsRequest) -> Vec<(u8, PaymentStatus)> {
    let (mut found, mut request) = (Vec::new(), request);
    loop {
        let page = client.list_payments(request.clone()).await.unwrap().into_inner();
        assert!(request.limit == 0 || page.payments.len() <= request.limit as usize);
        assert!(page.read_at > 0);
        found.extend(page.payments.iter().map(|payment| (payment.payment_id[0], payment.status())));
        if page.next_cursor.is_empty() {
            return found;
        }
        request.cursor = page.next_cursor;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn payments_are_listed_by_account_and_status_and_found_by_reference() {
    let mut books = Books::create();
    let keys = [("block.max_entries", "5"), ("flush.max_entries", "15")];
    let mut running = books.serve_with(&keys).await;
    let opening = books.accounts(&["alice", "bob", "shop"]);
    accepted(&mut running.client, opening).await;
    let key = gateway(&mut books, &mut running.client).await;
    let funding = vec![books.transfer("world", "alice", 100_000), books.transfer("world", "bob", 100_000)];
    accepted(&mut running.client, funding).await;
    let mut made = Vec::new();
    for number in 1..=24u8 {
        let between = [("alice", "shop"), ("bob", "shop"), ("alice", "bob")][usize::from(number % 3)];
        let status = pay(&mut books, &mut running.client, &key, number, between).await;
        made.push((number, status, between));
    }
    for pass in ["while it runs", "after a restart"] {
        let client = &mut running.client;
        for account in ["", "alice", "bob", "shop", "world"] {
            for status in [
                PaymentStatus::Unspecified,
                PaymentStatus::Initiated,
                PaymentStatus::Authorized,
                PaymentStatus::Settled,
                PaymentStatus::Voided,
            ] {
                for (limit, descending) in [(0, false), (4, false), (3, true)] {
                    let mut expected: Vec<_> = made
                        .iter()
                        .filter(|(_, found, (from, to))| {
                            (account.is_empty() || account == *from || account == *to)
                                && (status == PaymentStatus::Unspecified || status == *found)
                        })
                        .map(|(number, found, _)| (*number, *found))
                        .collect();
                    if descending {
                        expected.reverse();
                    }
                    let request = ListPaymentsRequest {
                        account: account.to_owned(),
                        status: status.into(),
                        limit,
                        descending,
                        cursor: Vec::new(),
                    };
                    assert_eq!(payments(client, request).await, expected, "{pass}: {account} {status:?}");
                }
            }
        }
        for (number, status, _) in &made {
            let request = LookupReferenceRequest {
                party: "gateway".to_owned(),
                external_ref: format!("ORDER {number}"),
            };
            let found = client.lookup_reference(request).await.unwrap().into_inner().found;
            let Some(lookup_reference_response::Found::Payment(payment)) = found else { panic!("{found:?}") };
            assert_eq!((payment.payment_id[0], payment.status()), (*number, *status));
        }
        if pass == "while it runs" {
            running.server.stop().await.unwrap();
            running = books.serve_with(&keys).await;
        }
    }
    check_hostile(&mut running.client).await;
    check_rebuilt(&mut running.client, &made.iter().map(|(number, ..)| *number).collect::<Vec<_>>()).await;
    running.server.stop().await.unwrap();
}

/// Cursors of another list, invented ones, and filters that are none.
async fn check_hostile(client: &mut Client) {
    let of_alice = ListPaymentsRequest { account: "alice".to_owned(), limit: 1, ..Default::default() };
    let cursor = client.list_payments(of_alice.clone()).await.unwrap().into_inner().next_cursor;
    let wrong = [
        ListPaymentsRequest { account: "bob".to_owned(), cursor: cursor.clone(), ..Default::default() },
        ListPaymentsRequest { cursor: cursor.clone(), descending: true, ..of_alice.clone() },
        ListPaymentsRequest { cursor: cursor.clone(), status: 3, ..of_alice.clone() },
        ListPaymentsRequest { cursor: vec![0; 16], ..of_alice.clone() },
        ListPaymentsRequest { cursor: vec![7; 10_000], ..of_alice.clone() },
        ListPaymentsRequest { status: 14, ..Default::default() },
        ListPaymentsRequest { status: -1, ..Default::default() },
        ListPaymentsRequest { account: "NO ACCOUNT".to_owned(), ..Default::default() },
        ListPaymentsRequest { limit: u32::MAX, ..Default::default() },
    ];
    for request in wrong {
        let status = client.list_payments(request.clone()).await.unwrap_err();
        assert_eq!(status.code(), Code::InvalidArgument, "{request:?}");
    }
    // The right scope with a position beyond everything: an empty page, not a fault.
    let mut beyond = cursor;
    beyond[8..].copy_from_slice(&u64::MAX.to_be_bytes());
    let page =
        client.list_payments(ListPaymentsRequest { cursor: beyond, ..of_alice }).await.unwrap().into_inner();
    assert!(page.payments.is_empty() && page.next_cursor.is_empty());
    let unknown = ListPaymentsRequest { account: "nobody".to_owned(), ..Default::default() };
    assert_eq!(client.list_payments(unknown).await.unwrap_err().code(), Code::NotFound);
    for (party, reference, code) in [
        ("gateway", "ORDER 99", Code::NotFound),
        ("nobody", "ORDER 1", Code::NotFound),
        ("", "ORDER 1", Code::InvalidArgument),
        ("gateway", "", Code::InvalidArgument),
        ("gateway", "0123456789012345678901234567890123456789", Code::InvalidArgument),
    ] {
        let request = LookupReferenceRequest { party: party.to_owned(), external_ref: reference.to_owned() };
        assert_eq!(client.lookup_reference(request).await.unwrap_err().code(), code, "{party} {reference}");
    }
}

/// Every payment comes out of its entries as it is stored, and after each entry as it was then.
async fn check_rebuilt(client: &mut Client, payments: &[u8]) {
    for number in payments {
        let payment_id = vec![*number; 16];
        let request = RebuildPaymentRequest { payment_id: payment_id.clone() };
        let rebuilt = client.rebuild_payment(request).await.unwrap().into_inner();
        assert!(rebuilt.equal, "{rebuilt:?}");
        assert_eq!(rebuilt.rebuilt, rebuilt.stored);
        assert_eq!(rebuilt.entry_count, u64::from(rebuilt.stored.unwrap().event_count));

        let list = ListPaymentEventsRequest { payment_id: payment_id.clone(), ..Default::default() };
        let entries = client.list_payment_events(list).await.unwrap().into_inner().entries;
        let mut statuses = Vec::new();
        for entry in &entries {
            let as_of = Some(AsOf { moment: Some(as_of::Moment::LogIndex(entry.log_index)) });
            let request = GetPaymentRequest { payment_id: payment_id.clone(), as_of };
            let then = client.get_payment(request).await.unwrap().into_inner();
            assert_eq!(then.as_of_log_index, Some(entry.log_index));
            statuses.push(then.payment.unwrap().status());
        }
        let all = [PaymentStatus::Initiated, PaymentStatus::Authorized, PaymentStatus::Settled];
        assert_eq!(statuses, all[..statuses.len()]);
        let before = Some(AsOf { moment: Some(as_of::Moment::LogIndex(entries[0].log_index - 1)) });
        let request = GetPaymentRequest { payment_id, as_of: before };
        assert_eq!(client.get_payment(request).await.unwrap_err().code(), Code::NotFound);
    }
}
