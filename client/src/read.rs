//! Reads. They return the messages of the service: amounts in minor units, 128-bit numbers as decimal strings.

use ledger_core::ids::{BlockHeight, EventId, LogIndex, PaymentId};
use ledger_core::number::PaymentStatus;
use ledger_proto::v1;

use crate::connection::Client;
use crate::error::ClientError;
use crate::retry::call;

/// Names an entry of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum EntryRef {
    /// By its place.
    Index(LogIndex),
    /// By the event in it.
    Event(EventId),
}

/// Where a page of a list starts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// As an earlier page returned it; empty: from the start.
    pub cursor: Vec<u8>,
    /// Most elements; 0: as many as the server gives at most.
    pub limit: u32,
    /// Which end of the list comes first.
    pub direction: Direction,
}

/// Which end of a list comes first.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Direction {
    /// The oldest.
    #[default]
    Ascending,
    /// The newest.
    Descending,
}

impl Direction {
    fn descends(self) -> bool {
        self == Self::Descending
    }
}

/// Which payments a list has; the default has all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct PaymentFilter<'a> {
    /// Those that name this account as debtor, creditor or clearing account.
    pub account: Option<&'a str>,
    /// Those of this status now.
    pub status: Option<PaymentStatus>,
}

/// A moment of the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AsOf {
    /// After this entry.
    Entry(LogIndex),
    /// After the last entry of this block.
    Block(BlockHeight),
    /// After the last entry recorded at or before this time, unix nanoseconds.
    Time(u64),
}

impl From<AsOf> for v1::AsOf {
    fn from(as_of: AsOf) -> Self {
        let moment = match as_of {
            AsOf::Entry(index) => v1::as_of::Moment::LogIndex(index.0),
            AsOf::Block(height) => v1::as_of::Moment::BlockHeight(height.0),
            AsOf::Time(nanos) => v1::as_of::Moment::RecordedAtNanos(nanos),
        };
        Self { moment: Some(moment) }
    }
}

/// All of them fail with [`ClientError::Status`]: NOT_FOUND and OUT_OF_RANGE for what is not there, UNAVAILABLE when
/// the server is away.
impl Client {
    /// Which ledger this is, how far it is, and the limits of the server.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn status(&self) -> Result<v1::GetStatusResponse, ClientError> {
        call!(self, get_status, "GetStatus", v1::GetStatusRequest {})
    }

    /// One entry of the log.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn event(&self, entry: EntryRef) -> Result<v1::LogEntry, ClientError> {
        let entry = match entry {
            EntryRef::Index(index) => v1::get_event_request::Entry::LogIndex(index.0),
            EntryRef::Event(id) => v1::get_event_request::Entry::EventId(id.0.to_vec()),
        };
        let request = v1::GetEventRequest { entry: Some(entry) };
        let response: v1::GetEventResponse = call!(self, get_event, "GetEvent", request)?;
        present("entry", response.entry)
    }

    /// One payment, as it is now.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn payment(&self, id: PaymentId) -> Result<v1::Payment, ClientError> {
        let request = v1::GetPaymentRequest { payment_id: id.0.to_vec(), as_of: None };
        let response: v1::GetPaymentResponse = call!(self, get_payment, "GetPayment", request)?;
        present("payment", response.payment)
    }

    /// One payment, as it was then. The server executes its entries again.
    ///
    /// # Errors
    /// [`ClientError::Status`]: NOT_FOUND when it was not yet initiated.
    pub async fn payment_as_of(&self, id: PaymentId, as_of: AsOf) -> Result<v1::Payment, ClientError> {
        let request = v1::GetPaymentRequest { payment_id: id.0.to_vec(), as_of: Some(as_of.into()) };
        let response: v1::GetPaymentResponse = call!(self, get_payment, "GetPayment", request)?;
        present("payment", response.payment)
    }

    /// Payments in the order of their initiation. A page may hold fewer than asked for, even none, and have a cursor.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn payments(
        &self,
        filter: PaymentFilter<'_>,
        page: Page,
    ) -> Result<v1::ListPaymentsResponse, ClientError> {
        let Page { cursor, limit, direction } = page;
        let request = v1::ListPaymentsRequest {
            account: filter.account.unwrap_or_default().to_owned(),
            status: filter.status.map_or(0, |status| status.number().into()),
            cursor,
            limit,
            descending: direction.descends(),
        };
        call!(self, list_payments, "ListPayments", request)
    }

    /// What a party has named by an external reference.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn reference(
        &self,
        party: &str,
        external_ref: &str,
    ) -> Result<v1::LookupReferenceResponse, ClientError> {
        let (party, external_ref) = (party.to_owned(), external_ref.to_owned());
        let request = v1::LookupReferenceRequest { party, external_ref };
        call!(self, lookup_reference, "LookupReference", request)
    }

    /// Executes the entries of a payment again, and compares with its record.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn rebuild_payment(&self, id: PaymentId) -> Result<v1::RebuildPaymentResponse, ClientError> {
        let request = v1::RebuildPaymentRequest { payment_id: id.0.to_vec() };
        call!(self, rebuild_payment, "RebuildPayment", request)
    }

    /// Adds up every statement line and every payment on the server.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn check_money_conservation(&self) -> Result<v1::CheckMoneyConservationResponse, ClientError> {
        let request = v1::CheckMoneyConservationRequest {};
        call!(self, check_money_conservation, "CheckMoneyConservation", request)
    }

    /// Accounts that should drain to zero and hold something.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn undrained(&self, page: Page) -> Result<v1::ListUndrainedResponse, ClientError> {
        let Page { cursor, limit, direction } = page;
        let descending = direction.descends();
        call!(self, list_undrained, "ListUndrained", v1::ListUndrainedRequest { cursor, limit, descending })
    }

    /// Entries of a payment, its expiry included, in log order.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn payment_events(
        &self,
        id: PaymentId,
        page: Page,
    ) -> Result<v1::ListPaymentEventsResponse, ClientError> {
        let Page { cursor, limit, direction } = page;
        let descending = direction.descends();
        let request = v1::ListPaymentEventsRequest { payment_id: id.0.to_vec(), cursor, limit, descending };
        call!(self, list_payment_events, "ListPaymentEvents", request)
    }

    /// One account, with its balance now and, when asked for, as of a moment.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn account(
        &self,
        account: &str,
        as_of: Option<AsOf>,
    ) -> Result<v1::GetAccountResponse, ClientError> {
        let as_of = as_of.map(v1::AsOf::from);
        let request = v1::GetAccountRequest { account: account.to_owned(), as_of };
        call!(self, get_account, "GetAccount", request)
    }

    /// Accounts in the order of their opening.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn accounts(&self, page: Page) -> Result<v1::ListAccountsResponse, ClientError> {
        let Page { cursor, limit, direction } = page;
        let descending = direction.descends();
        call!(self, list_accounts, "ListAccounts", v1::ListAccountsRequest { cursor, limit, descending })
    }

    /// Statement lines of an account, in log order.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn account_entries(
        &self,
        account: &str,
        page: Page,
    ) -> Result<v1::ListAccountEntriesResponse, ClientError> {
        let Page { cursor, limit, direction } = page;
        let descending = direction.descends();
        let request =
            v1::ListAccountEntriesRequest { account: account.to_owned(), cursor, limit, descending };
        call!(self, list_account_entries, "ListAccountEntries", request)
    }

    /// One block; `None`: the newest sealed one.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn block(&self, height: Option<BlockHeight>) -> Result<v1::Block, ClientError> {
        let block = match height {
            Some(height) => v1::get_block_request::Block::Height(height.0),
            None => v1::get_block_request::Block::Latest(v1::Latest {}),
        };
        let request = v1::GetBlockRequest { block: Some(block) };
        let response: v1::GetBlockResponse = call!(self, get_block, "GetBlock", request)?;
        present("block", response.block)
    }

    /// Blocks by ascending height, from a height on when the page has no cursor.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn blocks(&self, from: BlockHeight, page: Page) -> Result<v1::ListBlocksResponse, ClientError> {
        let Page { cursor, limit, direction } = page;
        let descending = direction.descends();
        let request = v1::ListBlocksRequest { from_height: from.0, cursor, limit, descending };
        call!(self, list_blocks, "ListBlocks", request)
    }

    /// Sums of all accounts per currency and kind, now or as of a moment; of one currency, or of all (`None`).
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn trial_balance(
        &self,
        as_of: Option<AsOf>,
        currency: Option<&str>,
    ) -> Result<v1::TrialBalanceResponse, ClientError> {
        let (as_of, currency) = (as_of.map(v1::AsOf::from), currency.unwrap_or_default().to_owned());
        call!(self, trial_balance, "TrialBalance", v1::TrialBalanceRequest { as_of, currency })
    }

    /// The newest signed checkpoint, unverified: [`crate::LogIdentity::open`] checks it.
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn checkpoint(&self) -> Result<String, ClientError> {
        let response: v1::GetCheckpointResponse =
            call!(self, get_checkpoint, "GetCheckpoint", v1::GetCheckpointRequest {})?;
        Ok(response.checkpoint)
    }

    /// Encoded entries from an index on, below the published checkpoint: at least one, at most `limit` (0: as many as
    /// the server gives).
    ///
    /// # Errors
    /// [`ClientError::Status`].
    pub async fn entries(&self, from: LogIndex, limit: u32) -> Result<Vec<Vec<u8>>, ClientError> {
        let request = v1::GetEntriesRequest { from: from.0, limit };
        let response: v1::GetEntriesResponse = call!(self, get_entries, "GetEntries", request)?;
        let returned = response.entries.len();
        if returned == 0 || (limit > 0 && returned > limit as usize) {
            let found = format!("{returned} entries where 1 to {limit} were asked for");
            return Err(ClientError::Malformed { field: "entries", found });
        }
        Ok(response.entries)
    }

    /// The first `width` hashes of a tile of the log tree.
    pub(crate) async fn tile(&self, level: u8, index: u64, width: u16) -> Result<Vec<u8>, ClientError> {
        let request = v1::GetTileRequest { level: u32::from(level), index, width: u32::from(width) };
        let response: v1::GetTileResponse = call!(self, get_tile, "GetTile", request)?;
        Ok(response.tile)
    }

    /// Waits on the server's side until a checkpoint covers an entry.
    pub(crate) async fn sealed_proof(
        &self,
        entry: EntryRef,
        timeout_millis: u32,
    ) -> Result<v1::AwaitSealedResponse, ClientError> {
        let entry = match entry {
            EntryRef::Index(index) => v1::await_sealed_request::Entry::LogIndex(index.0),
            EntryRef::Event(id) => v1::await_sealed_request::Entry::EventId(id.0.to_vec()),
        };
        let request = v1::AwaitSealedRequest { entry: Some(entry), timeout_millis };
        call!(self, await_sealed, "AwaitSealed", request)
    }
}

fn present<T>(field: &'static str, value: Option<T>) -> Result<T, ClientError> {
    value.ok_or_else(|| ClientError::Malformed { field, found: "absent".to_owned() })
}
