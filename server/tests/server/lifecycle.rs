//! The program itself: configuration, start, health, reflection, and stops that lose nothing.

use std::process::Command;

use ledger_proto::v1::{
    AwaitSealedRequest, GetEventRequest, SubmitStreamRequest, SubmittedEvent, await_sealed_request,
    get_event_request,
};
use tokio_stream::StreamExt;
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;
use tonic_health::pb::health_check_response::ServingStatus;
use tonic_health::pb::health_client::HealthClient;
use tonic_reflection::pb::v1::server_reflection_client::ServerReflectionClient;
use tonic_reflection::pb::v1::server_reflection_request::MessageRequest;
use tonic_reflection::pb::v1::server_reflection_response::MessageResponse;
use tonic_reflection::pb::v1::{ServerReflectionRequest, ServiceResponse};

use crate::process::{Process, program};
use crate::support::{Books, Client, accepted, channel, connect, is_accepted};

#[test]
fn configuration_faults_end_the_program_and_name_the_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, "block.max_entrys = 5\n").unwrap();
    let config = file.to_str().unwrap();
    let rows: [(&[&str], &str); 7] = [
        (&["--config", config], "block.max_entrys: no such configuration key"),
        (&["--set", "queue.max=5"], "queue.max: no such configuration key"),
        (&["--set", "page.max=many"], "page.max: found \"many\", expected a whole number"),
        (&["--dir", "d", "--listen", "0.0.0.0:7400"], "listen: 0.0.0.0:7400 is not a loopback address"),
        (
            &["--dir", "d", "--metrics-listen", "[::]:7401"],
            "metrics_listen: [::]:7401 is not a loopback address",
        ),
        (&["--config", "no such file"], "no such file: "),
        (&[], "dir: not set"),
    ];
    for (arguments, expected) in rows {
        refused(program().args(arguments), expected);
    }
    refused(program().env("LEDGER_FLUSH_MAX", "5"), "LEDGER_FLUSH_MAX: no such configuration key");
}

fn refused(program: &mut Command, expected: &str) {
    let output = program.output().unwrap();
    let told = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(told.contains(expected), "expected {expected:?} in {told:?}");
}

#[test]
fn the_printed_configuration_is_one() {
    let printed = program()
        .args(["--dir", "somewhere", "--print-config"])
        .env("LEDGER_BLOCK_MAX_ENTRIES", "12")
        .output()
        .unwrap();
    assert!(printed.status.success());
    let text = String::from_utf8(printed.stdout).unwrap();
    assert!(text.contains("\nblock.max_entries = 12\n"), "{text}");
    let mut settings = ledger_server::settings::Settings::default();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("server.toml");
    std::fs::write(&file, text).unwrap();
    settings.read_file(&file).unwrap();
    assert_eq!((settings.block_max_entries, settings.dir.to_str()), (12, Some("somewhere")));
}

#[test]
fn a_folder_that_holds_no_ledger_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let output =
        program().arg("--dir").arg(folder.path()).args(["--listen", "127.0.0.1:0"]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(std::fs::read_dir(folder.path()).unwrap().next().is_none(), "nothing was created");
}

#[tokio::test(flavor = "multi_thread")]
async fn health_and_reflection_answer() {
    let books = Books::create();
    let process = Process::start(&books);
    let channel = channel(&process.grpc).await;
    let mut health = HealthClient::new(channel.clone());
    for service in ["", "ledger.v1.LedgerService"] {
        let request = HealthCheckRequest { service: service.to_owned() };
        let answer = health.check(request).await.unwrap().into_inner();
        assert_eq!(answer.status(), ServingStatus::Serving);
    }
    let mut watched = health.watch(HealthCheckRequest { service: String::new() }).await.unwrap().into_inner();
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::Serving);

    let request = ServerReflectionRequest {
        host: String::new(),
        message_request: Some(MessageRequest::ListServices(String::new())),
    };
    let mut reflection = ServerReflectionClient::new(channel);
    let answers = reflection.server_reflection_info(tokio_stream::once(request)).await.unwrap();
    let answer = answers.into_inner().message().await.unwrap().unwrap().message_response.unwrap();
    let MessageResponse::ListServicesResponse(listed) = answer else { panic!("{answer:?}") };
    let expected = ServiceResponse { name: "ledger.v1.LedgerService".to_owned() };
    assert!(listed.service.contains(&expected), "{listed:?}");

    process.signal("-INT");
    assert_eq!(watched.message().await.unwrap().unwrap().status(), ServingStatus::NotServing);
    assert!(process.ended().success());
}

#[tokio::test(flavor = "multi_thread")]
async fn a_ledger_that_gives_up_ends_the_program() {
    let mut books = Books::create();
    let process = Process::start(&books);
    let mut client = connect(&process.grpc).await;
    std::fs::remove_file(books.dir().join("head")).unwrap();
    let opening = books.accounts(&[]);
    let index = accepted(&mut client, opening).await[0].log_index;
    let entry = Some(await_sealed_request::Entry::LogIndex(index));
    let status = client.await_sealed(AwaitSealedRequest { entry, timeout_millis: 0 }).await.unwrap_err();
    assert_ne!(status.code(), Code::DeadlineExceeded, "{}", status.message());
    assert_eq!(process.ended().code(), Some(4));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_graceful_stop_in_the_middle_of_a_stream_loses_nothing() {
    let mut books = Books::create();
    let process = Process::start(&books);
    let (events, answered, ending) = stream_until(&mut books, &process, "-TERM").await;
    assert_eq!(ending, Some(Code::Unavailable));
    assert!(process.ended().success());
    assert!(answered.len() >= 500 && answered.len() < events.len());
    found_again(&books, &events, &answered).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_kill_in_the_middle_of_a_stream_loses_nothing_that_was_acknowledged() {
    let mut books = Books::create();
    let process = Process::start(&books);
    let (events, answered, _) = stream_until(&mut books, &process, "-KILL").await;
    assert!(!process.ended().success());
    assert!(answered.len() >= 500);
    found_again(&books, &events, &answered).await;
}

/// Streams transfers, sends `signal` after 500 answers; the events, the log indices answered, the status at the end.
async fn stream_until(
    books: &mut Books,
    process: &Process,
    signal: &str,
) -> (Vec<SubmittedEvent>, Vec<u64>, Option<Code>) {
    let mut client = connect(&process.grpc).await;
    let opening = books.accounts(&["alice"]);
    accepted(&mut client, opening).await;
    let events: Vec<_> = (0..20_000).map(|_| books.transfer("world", "alice", 1)).collect();
    let chunks: Vec<Vec<SubmittedEvent>> = events.chunks(50).map(<[_]>::to_vec).collect();
    let messages = chunks.into_iter().zip(1..).map(|(events, number)| SubmitStreamRequest { number, events });
    let mut answers =
        client.submit_stream(tokio_stream::iter(messages.collect::<Vec<_>>())).await.unwrap().into_inner();
    let (mut answered, mut ending, mut sent) = (Vec::new(), None, false);
    while let Some(answer) = answers.next().await {
        match answer {
            Ok(answer) => answered.extend(answer.results.into_iter().map(|one| is_accepted(one).log_index)),
            Err(status) => ending = Some(status.code()),
        }
        if answered.len() >= 500 && !sent {
            process.signal(signal);
            sent = true;
        }
    }
    (events, answered, ending)
}

/// After a restart every answered event stands at its log index.
async fn found_again(books: &Books, events: &[SubmittedEvent], answered: &[u64]) {
    let process = Process::start(books);
    let mut client: Client = connect(&process.grpc).await;
    for (event, index) in events.iter().zip(answered) {
        let entry = Some(get_event_request::Entry::LogIndex(*index));
        let found = client.get_event(GetEventRequest { entry }).await.unwrap().into_inner().entry.unwrap();
        assert_eq!(found.payload, event.payload);
    }
    process.signal("-TERM");
    assert!(process.ended().success());
}
