//! GetStatement: the head, then the lines a page at a time, each page from a view of its own.

use std::sync::Arc;

use ledger_core::ids::AccountId;
use ledger_core::record::{AccountRecord, Counters};
use ledger_engine::{DatedLine, ReadError, Statement, StatementRange, View};
use ledger_proto::v1::get_statement_request::Range;
use ledger_proto::v1::{
    GetStatementRequest, GetStatementResponse, StatementHead, StatementLine, StatementLines,
    get_statement_response,
};
use tokio::sync::mpsc;
use tokio::time::error::Elapsed;
use tokio::time::timeout;
use tokio_stream::wrappers::ReceiverStream;
use tonic::{Request, Response, Status};

use super::accounts::{account_id, existing};
use crate::connection::Peer;
use crate::service::{Service, StatementParts, about, answer, blocking};
use crate::status;

/// Lines of a message: about 100 KiB.
const LINES: usize = 256;

/// A statement on its way out.
struct Telling {
    id: AccountId,
    record: Arc<AccountRecord>,
    statement: Statement,
    /// Lines told so far, and the counters after them.
    told: u64,
    running: Counters,
}

impl Service {
    pub(in crate::service) async fn statement(
        &self,
        request: Request<GetStatementRequest>,
    ) -> Result<Response<StatementParts>, Status> {
        let peer = request.extensions().get::<Peer>().cloned();
        let request = request.into_inner();
        let id = account_id(&request.account)?;
        let range = range(request.range)?;
        let begun = self.read(move |view| {
            let (index, record) = existing(view, &id)?;
            let statement = view.statement(index, range).map_err(about(statement_of(&id)))?;
            let running = statement.opening;
            Ok(Telling { id, record, statement, told: 0, running })
        });
        let telling = begun.await?.into_inner();
        // Two pages are read ahead of the client; a client that went away ends the reading.
        let (parts, told) = mpsc::channel(2);
        let service = self.clone();
        tokio::spawn(async move {
            if let (Err(_), Some(peer)) = (service.tell(telling, parts).await, peer) {
                tracing::warn!("a statement is not taken: its connection is closed");
                peer.give_up();
            }
        });
        Ok(Response::new(Box::pin(ReceiverStream::new(told))))
    }

    /// Tells part after part, as fast as the client takes them. A client that takes none for `server.stream_timeout`
    /// gets no more.
    async fn tell(
        &self,
        mut telling: Telling,
        parts: mpsc::Sender<Result<GetStatementResponse, Status>>,
    ) -> Result<(), Elapsed> {
        let longest_rest = self.settings.server_stream_timeout;
        let mut part = Ok(message(get_statement_response::Part::Head(telling.head())));
        loop {
            let ended = part.is_err();
            let sent = timeout(longest_rest, parts.send(part)).await?;
            if sent.is_err() || ended || telling.is_done() {
                return Ok(());
            }
            let ledger = self.ledger.clone();
            let read = blocking(&self.reading, move || {
                let lines = telling.next(&ledger.view());
                (telling, lines)
            });
            let lines;
            (telling, lines) = match read.await {
                Ok(read) => read,
                Err(status) => {
                    // The receiver may have gone already.
                    let _ = timeout(longest_rest, parts.send(Err(status))).await?;
                    return Ok(());
                }
            };
            part = lines.map(|lines| message(get_statement_response::Part::Lines(lines)));
        }
    }
}

impl Telling {
    fn head(&self) -> StatementHead {
        let kind = self.record.kind;
        StatementHead {
            account: self.id.to_string(),
            kind: kind.number().into(),
            currency: self.record.currency.to_string(),
            exponent: self.record.exponent.into(),
            opening: Some(answer::statement_balance(kind, &self.statement.opening)),
            closing: Some(answer::statement_balance(kind, &self.statement.closing)),
            line_count: self.statement.line_count(),
            read_at: self.statement.read_at.0,
        }
    }

    fn is_done(&self) -> bool {
        self.told == self.statement.line_count()
    }

    /// The next lines. The last ones lead to closing, or they are not told.
    fn next(&mut self, view: &View) -> Result<StatementLines, Status> {
        let what = statement_of(&self.id);
        let found = view.statement_lines(&self.statement, self.told, LINES).map_err(about(&what))?;
        let lines = found.iter().map(|dated| self.line(dated)).collect();
        self.told += found.len() as u64;
        if found.is_empty() || (self.is_done() && self.running != self.statement.closing) {
            let words = format!("{} lines lead to {:?}", self.told, self.running);
            return Err(status::read(&ReadError::Disagrees(words), &what));
        }
        Ok(StatementLines { lines })
    }

    fn line(&mut self, dated: &DatedLine) -> StatementLine {
        self.running.post(dated.line.posting);
        StatementLine {
            line: Some(answer::line(&dated.line)),
            effective_date: dated.effective_date,
            balance: Some(answer::statement_balance(self.record.kind, &self.running)),
        }
    }
}

fn statement_of(id: &AccountId) -> String {
    format!("statement of account {id}")
}

fn message(part: get_statement_response::Part) -> GetStatementResponse {
    GetStatementResponse { part: Some(part) }
}

fn range(range: Option<Range>) -> Result<StatementRange, Status> {
    match range {
        Some(Range::Recorded(range)) => {
            Ok(StatementRange::Recorded { from_nanos: range.from_nanos, to_nanos: range.to_nanos })
        }
        Some(Range::Effective(range)) => {
            Ok(StatementRange::Effective { from_date: range.from_date, to_date: range.to_date })
        }
        None => Err(status::malformed("range", "none", "recorded or effective")),
    }
}
