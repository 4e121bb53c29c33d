//! Reads: events, payments, accounts, blocks, the log itself, and the proofs.

use ledger_core::event::{Body, KeyRegistered, PaymentAuthorized, PaymentCaptured, PaymentInitiated};
use ledger_core::number::Roles;
use ledger_core::receipt::Receipt;
use ledger_crypto::SigningKey;
use ledger_proto::v1::*;
use tonic::Code;

use crate::support::{Books, Client, ORIGIN, Running, accepted, signed_by};

#[tokio::test(flavor = "multi_thread")]
async fn an_account_is_told_now_and_as_of_any_entry() {
    let (mut books, mut running, opened) = with_accounts(&["alice", "bob"]).await;
    let mut moved = Vec::new();
    for amount in [500, 30, 7] {
        let event = books.transfer("world", "alice", amount);
        moved.push(accepted(&mut running.client, vec![event]).await.remove(0).log_index);
    }
    let at = |index| AsOf { moment: Some(as_of::Moment::LogIndex(index)) };
    let ask = |account: &str, as_of: Option<u64>| GetAccountRequest {
        account: account.to_owned(),
        as_of: as_of.map(at),
    };
    let now = running.client.get_account(ask("alice", None)).await.unwrap().into_inner();
    let account = now.account.unwrap();
    assert_eq!((account.kind(), account.status()), (AccountKind::Customer, AccountStatus::Open));
    assert_eq!((account.currency.as_str(), account.exponent, account.line_count), ("EUR", 2, 3));
    assert_eq!(account.opened_log_index, opened[1]);
    assert_eq!(balance(account.balance), ["537", "537", "537"]);
    assert!(now.as_of.is_none() && now.read_at > moved[2]);

    for (at, expected) in
        [(opened[0], "0"), (moved[0] - 1, "0"), (moved[0], "500"), (moved[1], "530"), (moved[2], "537")]
    {
        let then = running.client.get_account(ask("alice", Some(at))).await.unwrap().into_inner();
        assert_eq!(balance(then.as_of.unwrap().balance)[0], expected, "as of {at}");
    }
    let world = running.client.get_account(ask("world", None)).await.unwrap().into_inner().account.unwrap();
    assert_eq!(balance(world.balance)[0], "-537");

    let beyond = running.client.get_account(ask("alice", Some(u64::MAX))).await.unwrap_err();
    assert_eq!(beyond.code(), Code::OutOfRange);
    let unknown = running.client.get_account(ask("nobody", None)).await.unwrap_err();
    assert_eq!(unknown.code(), Code::NotFound);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_go_on_where_they_stopped() {
    let (mut books, mut running, _) = with_accounts(&["alice", "bob", "carol"]).await;
    let events = (1..=7).map(|amount| books.transfer("world", "alice", amount)).collect();
    let moved = accepted(&mut running.client, events).await;

    let (mut lines, mut cursor) = (Vec::new(), Vec::new());
    loop {
        let request =
            ListAccountEntriesRequest { account: "alice".to_owned(), cursor, limit: 3, descending: false };
        let page = running.client.list_account_entries(request).await.unwrap().into_inner();
        assert!(page.lines.len() <= 3);
        lines.extend(page.lines);
        cursor = page.next_cursor;
        if cursor.is_empty() {
            break;
        }
    }
    assert!(lines.iter().map(|line| line.number).eq(1..=7));
    assert!(lines.iter().map(|line| line.log_index).eq(moved.iter().map(|one| one.log_index)));
    assert!(lines.iter().all(|line| line.side() == Side::Credit && line.layer() == Layer::Posted));
    assert_eq!(lines[6].after.as_ref().unwrap().posted_credits, "28");
    assert!(lines.iter().all(|line| line.event_id.len() == 16 && line.payment_id.is_empty()));

    let first =
        running.client.list_accounts(ListAccountsRequest { limit: 3, ..Default::default() }).await.unwrap();
    let first = first.into_inner();
    let rest = ListAccountsRequest { cursor: first.next_cursor.clone(), limit: 3, descending: false };
    let rest = running.client.list_accounts(rest).await.unwrap().into_inner();
    let names = first.accounts.iter().chain(&rest.accounts).map(|account| account.account.as_str());
    assert!(names.eq(["world", "alice", "bob", "carol"]));
    assert!(rest.next_cursor.is_empty());

    let foreign = ListAccountEntriesRequest {
        account: "alice".to_owned(),
        cursor: first.next_cursor,
        ..Default::default()
    };
    let status = running.client.list_account_entries(foreign).await.unwrap_err();
    assert_eq!(status.code(), Code::InvalidArgument);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_payment_is_told_with_its_events() {
    let (mut books, mut running, _) = with_accounts(&["alice", "shop"]).await;
    let key = SigningKey::from_seed([3; 32]);
    let registered = Body::KeyRegistered(KeyRegistered {
        key: key.public_bytes().to_vec(),
        party: "gateway".to_owned(),
        roles: u32::from(Roles::INITIATOR.0 | Roles::PROCESSOR.0),
        prefix: String::new(),
    });
    let id = books.event_id();
    let registered = signed_by(&books.unsigned(id, registered), &[&books.operator, &key]);
    let funded = books.transfer("world", "alice", 1_000);
    accepted(&mut running.client, vec![registered, funded]).await;

    let payment_id = vec![9; 16];
    let steps = [
        Body::PaymentInitiated(PaymentInitiated {
            amount: 700,
            currency: "EUR".to_owned(),
            debtor: "alice".to_owned(),
            creditor: "shop".to_owned(),
            capture_mode: Some(ledger_core::number::CaptureMode::Deferred),
            clearing_account: String::new(),
        }),
        Body::PaymentAuthorized(PaymentAuthorized { amount: 700, timeout_s: 3_600 }),
        Body::PaymentCaptured(PaymentCaptured { amount: 400, ..PaymentCaptured::default() }),
    ];
    let (mut previous, mut indices) = (Vec::new(), Vec::new());
    for body in steps {
        let id = books.event_id();
        let mut event = books.unsigned(id.clone(), body);
        event.payment_id = payment_id.clone();
        event.previous_event_id = std::mem::replace(&mut previous, id);
        let signed = signed_by(&event, &[&key]);
        indices.push(accepted(&mut running.client, vec![signed]).await.remove(0).log_index);
    }
    let ask = GetPaymentRequest { payment_id: payment_id.clone(), as_of: None };
    let payment = running.client.get_payment(ask).await.unwrap().into_inner().payment.unwrap();
    assert_eq!(payment.status(), PaymentStatus::PartiallyCaptured);
    assert_eq!(payment.capture_mode(), CaptureMode::Deferred);
    assert_eq!((payment.debtor.as_str(), payment.creditor.as_str()), ("alice", "shop"));
    assert_eq!(
        (payment.authorized.as_str(), payment.captured.as_str(), payment.held.as_str()),
        ("700", "400", "300")
    );
    assert_eq!((payment.event_count, payment.last_log_index), (3, indices[2]));
    assert_eq!(payment.head_event_id, previous);

    let ask = ListPaymentEventsRequest { payment_id: payment_id.clone(), limit: 2, ..Default::default() };
    let first = running.client.list_payment_events(ask).await.unwrap().into_inner();
    let ask = ListPaymentEventsRequest { payment_id, cursor: first.next_cursor, limit: 2, descending: false };
    let second = running.client.list_payment_events(ask).await.unwrap().into_inner();
    assert!(second.next_cursor.is_empty());
    let told = first.entries.iter().chain(&second.entries).map(|entry| entry.log_index);
    assert!(told.eq(indices));
    assert!(
        first.entries.iter().all(|entry| entry.kind() == EntryKind::Event && entry.signatures.len() == 1)
    );

    let unknown = GetPaymentRequest { payment_id: vec![8; 16], as_of: None };
    assert_eq!(running.client.get_payment(unknown).await.unwrap_err().code(), Code::NotFound);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_receipt_proves_an_entry_to_who_knows_key_and_ledger_only() {
    let (books, mut running, opened) = with_accounts(&["alice"]).await;
    let entry = Some(await_sealed_request::Entry::LogIndex(opened[1]));
    let sealed = running.client.await_sealed(AwaitSealedRequest { entry, timeout_millis: 10_000 }).await;
    let sealed = sealed.unwrap().into_inner();
    assert_eq!(sealed.log_index, opened[1]);
    let text = String::from_utf8(sealed.tlog_proof).unwrap();
    let receipt = Receipt::parse(&text).unwrap();
    assert_eq!(receipt.checkpoint, sealed.checkpoint);
    let verified = receipt.verify(&books.vkey, &books.ledger_id).unwrap();
    assert_eq!((verified.index, verified.checkpoint.origin.as_str()), (opened[1], ORIGIN));

    let entry = Some(get_receipt_request::Entry::LogIndex(opened[1]));
    let again = running.client.get_receipt(GetReceiptRequest { entry }).await.unwrap().into_inner();
    Receipt::parse(&String::from_utf8(again.tlog_proof).unwrap())
        .unwrap()
        .verify(&books.vkey, &books.ledger_id)
        .unwrap();

    let entry = Some(get_receipt_request::Entry::LogIndex(u64::MAX));
    let beyond = running.client.get_receipt(GetReceiptRequest { entry }).await.unwrap_err();
    assert_eq!(beyond.code(), Code::OutOfRange);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_not_sealed_yet_is_said_so() {
    let mut books = Books::create();
    let mut running = books.serve_with(&[("block.max_age", "1h")]).await;
    let opening = books.accounts(&[]);
    let index = accepted(&mut running.client, opening).await[0].log_index;
    let entry = Some(get_receipt_request::Entry::LogIndex(index));
    let status = running.client.get_receipt(GetReceiptRequest { entry }).await.unwrap_err();
    assert_eq!(status.code(), Code::Unavailable, "{}", status.message());
    let entry = Some(await_sealed_request::Entry::LogIndex(index));
    let status =
        running.client.await_sealed(AwaitSealedRequest { entry, timeout_millis: 50 }).await.unwrap_err();
    assert_eq!(status.code(), Code::DeadlineExceeded, "{}", status.message());
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_can_be_mirrored_up_to_the_checkpoint() {
    let (_books, mut running, opened) = with_accounts(&["alice", "bob"]).await;
    let entry = Some(await_sealed_request::Entry::LogIndex(opened[2]));
    running.client.await_sealed(AwaitSealedRequest { entry, timeout_millis: 0 }).await.unwrap();
    let head = running.client.get_checkpoint(GetCheckpointRequest {}).await.unwrap().into_inner();
    assert!(head.checkpoint.starts_with(&format!("{ORIGIN}\n{}\n", head.size)));

    let mut entries = Vec::new();
    while (entries.len() as u64) < head.size {
        let request = GetEntriesRequest { from: entries.len() as u64, limit: 2 };
        let page = running.client.get_entries(request).await.unwrap().into_inner();
        assert!((1..=2).contains(&page.entries.len()));
        entries.extend(page.entries);
    }
    let width = head.size as u32;
    let tile = running.client.get_tile(GetTileRequest { level: 0, index: 0, width }).await.unwrap();
    let leaves: Vec<u8> = entries.iter().flat_map(|entry| ledger_merkle::leaf_hash(entry)).collect();
    assert_eq!(tile.into_inner().tile, leaves);

    for (code, request) in [
        (Code::InvalidArgument, GetTileRequest { level: 8, index: 0, width: 1 }),
        (Code::InvalidArgument, GetTileRequest { level: 0, index: 0, width: 257 }),
        (Code::InvalidArgument, GetTileRequest { level: 0, index: 0, width: 0 }),
        (Code::OutOfRange, GetTileRequest { level: 0, index: 0, width: 256 }),
        (Code::OutOfRange, GetTileRequest { level: 7, index: u64::MAX, width: 1 }),
    ] {
        assert_eq!(running.client.get_tile(request).await.unwrap_err().code(), code, "{request:?}");
    }
    let beyond = GetEntriesRequest { from: u64::MAX, limit: 1 };
    assert_eq!(running.client.get_entries(beyond).await.unwrap_err().code(), Code::OutOfRange);
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn blocks_chain_and_the_trial_balance_is_zero() {
    let (mut books, mut running, opened) = with_accounts(&["alice"]).await;
    let funded = books.transfer("world", "alice", 1_234);
    let last = accepted(&mut running.client, vec![funded]).await[0].log_index;
    let entry = Some(await_sealed_request::Entry::LogIndex(last));
    running.client.await_sealed(AwaitSealedRequest { entry, timeout_millis: 0 }).await.unwrap();

    let list = ListBlocksRequest::default();
    let blocks = running.client.list_blocks(list).await.unwrap().into_inner().blocks;
    assert!(blocks.len() >= 2 && blocks[0].height == 0);
    assert!(blocks.windows(2).all(|pair| pair[1].first_log_index == pair[0].seal_log_index));
    assert!(opened[0] > blocks[0].seal_log_index);
    let latest = Some(get_block_request::Block::Latest(Latest {}));
    let latest = running.client.get_block(GetBlockRequest { block: latest }).await.unwrap().into_inner();
    assert_eq!(latest.block.as_ref(), blocks.last());
    let beyond = Some(get_block_request::Block::Height(u64::MAX));
    let beyond = running.client.get_block(GetBlockRequest { block: beyond }).await.unwrap_err();
    assert_eq!(beyond.code(), Code::OutOfRange);

    let trial = running.client.trial_balance(TrialBalanceRequest::default()).await.unwrap().into_inner();
    let kinds: Vec<_> = trial.rows.iter().map(|row| (row.kind(), row.account_count)).collect();
    assert_eq!(kinds, [(AccountKind::Customer, 1), (AccountKind::External, 1)]);
    let totals = trial.totals[0].counters.as_ref().unwrap();
    assert_eq!((totals.posted_debits.as_str(), totals.posted_credits.as_str()), ("1234", "1234"));

    let status = running.client.get_status(GetStatusRequest {}).await.unwrap().into_inner();
    assert_eq!(status.ledger_id, books.ledger_id);
    assert_eq!((status.origin.as_str(), status.serving), (ORIGIN, true));
    assert_eq!(status.currencies, [Currency { code: "EUR".to_owned(), exponent: 2 }]);
    assert_eq!(status.limits.unwrap().request_events, 8_192);
    running.server.stop().await.unwrap();
}

/// A server over `world` and customers; log indices of their openings.
async fn with_accounts(customers: &[&str]) -> (Books, Running, Vec<u64>) {
    let mut books = Books::create();
    let mut running = books.serve().await;
    let opening = books.accounts(customers);
    let opened = opened(&mut running.client, opening).await;
    (books, running, opened)
}

async fn opened(client: &mut Client, events: Vec<SubmittedEvent>) -> Vec<u64> {
    accepted(client, events).await.into_iter().map(|one| one.log_index).collect()
}

fn balance(balance: Option<Balance>) -> [String; 3] {
    let Balance { posted, pending, available, .. } = balance.unwrap();
    [posted, pending, available]
}
