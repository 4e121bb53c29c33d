//! Balances, statements, lists and sums, each against what the test itself reckons from the events that it submitted;
//! over the unflushed tail, over the store, and after a restart.

use std::collections::BTreeMap;

use ledger_core::date::{midnight_nanos, utc_date};
use ledger_core::event::{AccountStatusChanged, Body, Event};
use ledger_core::number::{AccountKind, AccountStatus as Standing};
use ledger_proto::v1::get_statement_request::Range;
use ledger_proto::v1::get_statement_response::Part;
use ledger_proto::v1::*;
use tonic::Code;

use crate::support::{Books, Client, Running, accepted, transfer};

const DAY_NANOS: u64 = 86_400_000_000_000;

/// A posted change of an account, as the test reckons it.
#[derive(Clone, Copy, Debug)]
struct Moved {
    log_index: u64,
    recorded_at_nanos: u64,
    effective_date: u32,
    /// Credits less debits.
    delta: i128,
}

/// Transfers in and out of `alice`, some dated back, in blocks of a few entries; and what they come to.
async fn moved(books: &mut Books, client: &mut Client) -> Vec<Moved> {
    let opening = books.accounts(&["alice", "bob"]);
    accepted(client, opening).await;
    let today = utc_date(now());
    let dates: Vec<u32> = (0..4).map(|back| utc_date(now() - back * DAY_NANOS)).collect();
    let mut moved = Vec::new();
    for number in 1..=60u64 {
        let is_in = number % 3 != 0;
        let amount = 100 + number * 7;
        let body = if is_in { transfer("world", "alice", amount) } else { transfer("alice", "bob", amount) };
        // Every second one says its date; 0: the ledger's.
        let said = if number.is_multiple_of(2) { dates[(number / 2 % 4) as usize] } else { 0 };
        let id = books.event_id();
        let event = books.signed(&Event { effective_date: said, ..books.unsigned(id, body) });
        let entry = accepted(client, vec![event]).await.remove(0);
        moved.push(Moved {
            log_index: entry.log_index,
            recorded_at_nanos: entry.recorded_at_nanos,
            effective_date: if said == 0 { today } else { said },
            delta: if is_in { i128::from(amount) } else { -i128::from(amount) },
        });
    }
    moved
}

fn now() -> u64 {
    std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_nanos() as u64
}

fn sum(moved: impl Iterator<Item = Moved>) -> String {
    moved.map(|one| one.delta).sum::<i128>().to_string()
}

async fn posted(client: &mut Client, moment: as_of::Moment) -> (u64, String) {
    let as_of = Some(AsOf { moment: Some(moment) });
    let request = GetAccountRequest { account: "alice".to_owned(), as_of };
    let then = client.get_account(request).await.unwrap().into_inner().as_of.unwrap();
    (then.log_index, then.balance.unwrap().posted)
}

async fn statement(client: &mut Client, range: Range) -> (StatementHead, Vec<StatementLine>) {
    let request = GetStatementRequest { account: "alice".to_owned(), range: Some(range) };
    let mut parts = client.get_statement(request).await.unwrap().into_inner();
    let Some(Part::Head(head)) = parts.message().await.unwrap().unwrap().part else { panic!("no head") };
    let mut lines = Vec::new();
    while let Some(message) = parts.message().await.unwrap() {
        let Some(Part::Lines(more)) = message.part else { panic!("a second head") };
        lines.extend(more.lines);
    }
    assert_eq!(lines.len() as u64, head.line_count);
    (head, lines)
}

fn balance_of(balance: &Option<StatementBalance>) -> String {
    balance.as_ref().unwrap().posted.clone()
}

#[tokio::test(flavor = "multi_thread")]
async fn balances_as_of_an_entry_a_time_and_a_block_agree() {
    let mut books = Books::create();
    let keys = [("block.max_entries", "7"), ("flush.max_entries", "20")];
    let mut running = books.serve_with(&keys).await;
    let moved = moved(&mut books, &mut running.client).await;
    for pass in ["while it runs", "after a restart"] {
        for (number, last) in moved.iter().enumerate() {
            let expected = sum(moved[..=number].iter().copied());
            let by_index = posted(&mut running.client, as_of::Moment::LogIndex(last.log_index)).await;
            assert_eq!(by_index, (last.log_index, expected.clone()), "{pass}");
            let at = as_of::Moment::RecordedAtNanos(last.recorded_at_nanos);
            assert_eq!(posted(&mut running.client, at).await, (last.log_index, expected), "{pass}");
            let before = as_of::Moment::RecordedAtNanos(last.recorded_at_nanos - 1);
            let (index, found) = posted(&mut running.client, before).await;
            assert_eq!(found, sum(moved[..number].iter().copied()));
            assert!(index < last.log_index);
        }
        let blocks =
            running.client.list_blocks(ListBlocksRequest::default()).await.unwrap().into_inner().blocks;
        assert!(blocks.len() > 8);
        for block in &blocks {
            let (index, found) = posted(&mut running.client, as_of::Moment::BlockHeight(block.height)).await;
            assert_eq!(index, block.seal_log_index);
            let until = moved.iter().filter(|one| one.log_index < block.seal_log_index).copied();
            assert_eq!(found, sum(until), "{pass}, block {}", block.height);
        }
        for (moment, code) in [
            (as_of::Moment::LogIndex(u64::MAX), Code::OutOfRange),
            (as_of::Moment::BlockHeight(u64::MAX), Code::OutOfRange),
            (as_of::Moment::RecordedAtNanos(1), Code::InvalidArgument),
        ] {
            let as_of = Some(AsOf { moment: Some(moment) });
            let request = GetAccountRequest { account: "alice".to_owned(), as_of };
            assert_eq!(running.client.get_account(request).await.unwrap_err().code(), code, "{moment:?}");
        }
        if pass == "while it runs" {
            running.server.stop().await.unwrap();
            running = books.serve_with(&keys).await;
        }
    }
    running.server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn the_closing_of_a_statement_is_the_opening_of_the_next() {
    let mut books = Books::create();
    let mut running = books.serve_with(&[("flush.max_entries", "20")]).await;
    let moved = moved(&mut books, &mut running.client).await;
    let client = &mut running.client;

    // By recorded time, cut at every fifth entry and at both ends of time.
    let mut cuts = vec![0];
    cuts.extend(moved.iter().step_by(5).map(|one| one.recorded_at_nanos));
    cuts.push(u64::MAX);
    let mut last_closing = None;
    for pair in cuts.windows(2) {
        let range = Range::Recorded(RecordedRange { from_nanos: pair[0], to_nanos: pair[1] });
        let (head, lines) = statement(client, range).await;
        let inside =
            || moved.iter().filter(|one| (pair[0]..pair[1]).contains(&one.recorded_at_nanos)).copied();
        let earlier = moved.iter().filter(|one| one.recorded_at_nanos < pair[0]).copied();
        assert_eq!(balance_of(&head.opening), sum(earlier));
        let closing = sum(moved.iter().filter(|one| one.recorded_at_nanos < pair[1]).copied());
        assert_eq!(balance_of(&head.closing), closing);
        assert!(
            lines
                .iter()
                .map(|line| line.line.as_ref().unwrap().log_index)
                .eq(inside().map(|one| one.log_index))
        );
        check_running(&head, &lines);
        assert!(last_closing.is_none_or(|last| last == head.opening), "{pair:?}");
        last_closing = Some(head.closing);
    }

    // By effective date: one date after the other, then all.
    let dates: Vec<u32> = (0..5).rev().map(|back| utc_date(now() - back * DAY_NANOS)).collect();
    let mut last_closing: Option<Option<StatementBalance>> = None;
    for date in &dates {
        let range = Range::Effective(EffectiveRange { from_date: *date, to_date: *date });
        let (head, lines) = statement(client, range).await;
        assert_eq!(
            balance_of(&head.opening),
            sum(moved.iter().filter(|one| one.effective_date < *date).copied())
        );
        let of_date: Vec<u64> =
            moved.iter().filter(|one| one.effective_date == *date).map(|one| one.log_index).collect();
        assert!(lines.iter().map(|line| line.line.as_ref().unwrap().log_index).eq(of_date));
        check_running(&head, &lines);
        assert!(last_closing.is_none_or(|last| last == head.opening), "{date}");
        last_closing = Some(head.closing);
    }
    let range = Range::Effective(EffectiveRange { from_date: 19_700_101, to_date: *dates.last().unwrap() });
    let (head, lines) = statement(client, range).await;
    assert_eq!(
        (balance_of(&head.opening), balance_of(&head.closing)),
        ("0".to_owned(), sum(moved.iter().copied()))
    );
    let order: Vec<_> =
        lines.iter().map(|line| (line.effective_date, line.line.as_ref().unwrap().number)).collect();
    assert!(order.is_sorted() && order.len() == moved.len());

    let wrong = [
        None,
        Some(Range::Recorded(RecordedRange { from_nanos: 2, to_nanos: 1 })),
        Some(Range::Effective(EffectiveRange { from_date: 20_260_102, to_date: 20_260_101 })),
        Some(Range::Effective(EffectiveRange { from_date: 20_260_230, to_date: 20_260_301 })),
        Some(Range::Effective(EffectiveRange { from_date: 0, to_date: u32::MAX })),
    ];
    for range in wrong {
        let request = GetStatementRequest { account: "alice".to_owned(), range };
        assert_eq!(
            client.get_statement(request).await.unwrap_err().code(),
            Code::InvalidArgument,
            "{range:?}"
        );
    }
    let request = GetStatementRequest {
        account: "nobody".to_owned(),
        range: Some(Range::Recorded(RecordedRange { from_nanos: 0, to_nanos: u64::MAX })),
    };
    assert_eq!(client.get_statement(request).await.unwrap_err().code(), Code::NotFound);
    running.server.stop().await.unwrap();
}

/// The balance of each line follows from the one before it, and the last is the closing.
fn check_running(head: &StatementHead, lines: &[StatementLine]) {
    let number = |text: &str| text.parse::<i128>().unwrap();
    let mut running = number(&balance_of(&head.opening));
    for line in lines {
        let posting = line.line.as_ref().unwrap();
        running +=
            if posting.side() == Side::Credit { number(&posting.delta) } else { -number(&posting.delta) };
        assert_eq!(number(&balance_of(&line.balance)), running);
    }
    assert_eq!(number(&balance_of(&head.closing)), running);
}

#[tokio::test(flavor = "multi_thread")]
async fn sums_hold_at_every_entry_and_what_should_drain_is_told() {
    let mut books = Books::create();
    let Running { server, mut client } = books.serve_with(&[("flush.max_entries", "6")]).await;
    let mut events = books.accounts(&["alice"]);
    events.push(books.account("rail", AccountKind::Clearing));
    accepted(&mut client, events).await;
    let mut sums = BTreeMap::<u64, [i128; 3]>::new();
    let mut now = [0i128; 3];
    let names = ["world", "alice", "rail"];
    for (from, to, amount) in [(0, 1, 500), (1, 2, 120), (2, 0, 120), (1, 2, 80), (0, 1, 3), (1, 2, 20)] {
        let event = books.transfer(names[from], names[to], amount);
        let entry = accepted(&mut client, vec![event]).await.remove(0);
        now[from] -= i128::from(amount);
        now[to] += i128::from(amount);
        sums.insert(entry.log_index, now);
    }
    for (log_index, expected) in &sums {
        let as_of = Some(AsOf { moment: Some(as_of::Moment::LogIndex(*log_index)) });
        let request = TrialBalanceRequest { as_of, currency: "EUR".to_owned() };
        let trial = client.trial_balance(request).await.unwrap().into_inner();
        assert_eq!(trial.as_of_log_index, Some(*log_index));
        let of_kind = |kind: ledger_proto::v1::AccountKind| {
            let row = trial.rows.iter().find(|row| row.kind() == kind).unwrap();
            let counters = row.counters.as_ref().unwrap();
            let number = |text: &str| text.parse::<i128>().unwrap();
            number(&counters.posted_credits) - number(&counters.posted_debits)
        };
        use ledger_proto::v1::AccountKind as Kind;
        assert_eq!([of_kind(Kind::External), of_kind(Kind::Customer), of_kind(Kind::Clearing)], *expected);
    }
    let none = TrialBalanceRequest { currency: "JPY".to_owned(), ..Default::default() };
    assert!(client.trial_balance(none).await.unwrap().into_inner().rows.is_empty());
    let wrong = TrialBalanceRequest { currency: "eur".to_owned(), ..Default::default() };
    assert_eq!(client.trial_balance(wrong).await.unwrap_err().code(), Code::InvalidArgument);

    let undrained =
        client.list_undrained(ListUndrainedRequest::default()).await.unwrap().into_inner().accounts;
    assert_eq!(undrained.len(), 1);
    let account = undrained[0].account.as_ref().unwrap();
    assert_eq!(
        (account.account.as_str(), account.balance.as_ref().unwrap().posted.as_str()),
        ("rail", "100")
    );
    // It was empty after the third transfer; the fourth put 80 in.
    let fourth = *sums.keys().nth(3).unwrap();
    let request = GetEventRequest { entry: Some(get_event_request::Entry::LogIndex(fourth)) };
    let entry = client.get_event(request).await.unwrap().into_inner().entry.unwrap();
    assert_eq!(undrained[0].since_nanos, entry.recorded_at_nanos);
    let drained = books.transfer("rail", "alice", 100);
    accepted(&mut client, vec![drained]).await;
    let undrained = client.list_undrained(ListUndrainedRequest::default()).await.unwrap().into_inner();
    assert!(undrained.accounts.is_empty() && undrained.next_cursor.is_empty());

    let checked =
        client.check_money_conservation(CheckMoneyConservationRequest {}).await.unwrap().into_inner();
    assert_eq!(checked.violation, None);
    assert_eq!((checked.account_count, checked.payment_count, checked.line_count), (3, 0, 14));
    let total = checked.totals[0].counters.clone().unwrap();
    assert_eq!((total.posted_debits.as_str(), total.posted_credits.as_str()), ("943", "943"));

    // Status and limit are told as they were.
    let frozen = Body::AccountStatusChanged(AccountStatusChanged {
        account: "alice".to_owned(),
        status: Some(Standing::Frozen),
        reason: "COURT".to_owned(),
    });
    let frozen = books.event(frozen);
    let frozen = accepted(&mut client, vec![frozen]).await.remove(0).log_index;
    for (at, status) in
        [(0, AccountStatus::Unspecified), (frozen - 1, AccountStatus::Open), (frozen, AccountStatus::Frozen)]
    {
        let as_of = Some(AsOf { moment: Some(as_of::Moment::LogIndex(at)) });
        let request = GetAccountRequest { account: "alice".to_owned(), as_of };
        let then = client.get_account(request).await.unwrap().into_inner().as_of.unwrap();
        assert_eq!(then.status(), status, "as of {at}");
    }
    server.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn every_list_goes_both_ways() {
    let mut books = Books::create();
    let Running { server, mut client } =
        books.serve_with(&[("block.max_entries", "6"), ("flush.max_entries", "10")]).await;
    let moved = moved(&mut books, &mut client).await;
    assert!(midnight_nanos(moved[0].effective_date).is_some());
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for (descending, found) in [(false, &mut up), (true, &mut down)] {
        let mut request =
            ListAccountEntriesRequest { account: "alice".to_owned(), limit: 7, descending, cursor: vec![] };
        loop {
            let page = client.list_account_entries(request.clone()).await.unwrap().into_inner();
            found.extend(page.lines.iter().map(|line| line.number));
            request.cursor = page.next_cursor;
            if request.cursor.is_empty() {
                break;
            }
        }
    }
    down.reverse();
    assert_eq!((up.len(), &up), (60, &down));
    let (mut up, mut down) = (Vec::new(), Vec::new());
    for (descending, found) in [(false, &mut up), (true, &mut down)] {
        let mut request = ListAccountsRequest { limit: 2, descending, cursor: vec![] };
        loop {
            let page = client.list_accounts(request.clone()).await.unwrap().into_inner();
            found.extend(page.accounts.into_iter().map(|account| account.account));
            request.cursor = page.next_cursor;
            if request.cursor.is_empty() {
                break;
            }
        }
    }
    down.reverse();
    assert_eq!((up, down.len()), (down.clone(), 3));
    let newest = ListBlocksRequest { limit: 3, descending: true, ..Default::default() };
    let blocks = client.list_blocks(newest).await.unwrap().into_inner();
    let heights: Vec<u64> = blocks.blocks.iter().map(|block| block.height).collect();
    assert!(heights.windows(2).all(|pair| pair[0] == pair[1] + 1) && heights.len() == 3);
    let rest = ListBlocksRequest { descending: true, cursor: blocks.next_cursor, ..Default::default() };
    let rest = client.list_blocks(rest).await.unwrap().into_inner().blocks;
    assert_eq!(rest[0].height + 1, heights[2]);
    assert_eq!(rest.last().unwrap().height, 0);
    server.stop().await.unwrap();
}
