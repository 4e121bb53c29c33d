//! Private data beside events: committed to, kept, read, erased.

use ledger_core::event::Event;
use ledger_core::ids::{EventId, LogIndex};
use ledger_core::sidecar::{SALT_BYTES, Sidecar};
use ledger_core::unit::Submitted;
use ledger_proto::v1;
use ledger_proto::v1::get_metadata_response::Kept;

use crate::answer::EventAnswer;
use crate::connection::Client;
use crate::error::ClientError;
use crate::read::EntryRef;
use crate::retry::call;
use crate::submit::{answer, message};
use crate::uuid::IdError;

/// What a server has of the private data of an event.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Metadata {
    /// All of it. It was checked against the commitment that the event signs.
    Here(Vec<u8>),
    /// Nothing: the event commits to none, or came without it.
    Never,
    /// Nothing any more, by order of the event at this log index.
    Erased(LogIndex),
}

/// Metadata with a new salt of 32 random bytes.
///
/// # Errors
/// [`IdError::Randomness`] when the system gives no random bytes.
pub fn sidecar(metadata: Vec<u8>) -> Result<Sidecar, IdError> {
    let mut salt = vec![0; SALT_BYTES];
    getrandom::fill(&mut salt).map_err(IdError::Randomness)?;
    Ok(Sidecar { salt, metadata })
}

impl Client {
    /// The private data of an event, checked against the event's commitment. Refused with PERMISSION_DENIED unless the
    /// server is configured to give it out.
    ///
    /// # Errors
    /// [`ClientError::Status`]; [`ClientError::Malformed`] for data that the event does not commit to.
    pub async fn metadata(&self, id: EventId) -> Result<Metadata, ClientError> {
        let request = v1::GetMetadataRequest { event_id: id.0.to_vec() };
        let response: v1::GetMetadataResponse = call!(self, get_metadata, "GetMetadata", request)?;
        match response.kept {
            Some(Kept::Here(v1::Sidecar { salt, metadata })) => {
                let sidecar = Sidecar { salt, metadata };
                self.check_committed(id, &sidecar).await?;
                Ok(Metadata::Here(sidecar.metadata))
            }
            Some(Kept::Never(_)) => Ok(Metadata::Never),
            Some(Kept::ErasedBy(index)) => Ok(Metadata::Erased(LogIndex(index))),
            None => Err(ClientError::Malformed { field: "kept", found: "nothing".to_owned() }),
        }
    }

    /// Submits a `MetadataErased` event; returns its answer once the server holds the data in no file any more, or has
    /// turned the event away or refused it. Tried again with the same bytes while the server is away.
    ///
    /// # Errors
    /// [`ClientError`]; of cause `Unavailable`, the event may have been recorded all the same: call again.
    pub async fn erase_metadata(&self, event: &Submitted) -> Result<EventAnswer, ClientError> {
        let event = message(event.clone());
        let request = v1::EraseMetadataRequest { event: Some(event.clone()) };
        let response: v1::EraseMetadataResponse = call!(self, erase_metadata, "EraseMetadata", request)?;
        let answer = answer(response.result, &event)?;
        if answer.verdict().is_accepted() != response.erased {
            let found = "not what the result says".to_owned();
            return Err(ClientError::Malformed { field: "erased", found });
        }
        Ok(answer)
    }

    async fn check_committed(&self, id: EventId, sidecar: &Sidecar) -> Result<(), ClientError> {
        let entry = self.event(EntryRef::Event(id)).await?;
        let event = Event::decode_batched(&entry.payload).ok().filter(|event| event.event_id == id.0);
        match event {
            Some(event) if event.metadata_commitment == sidecar.commitment() => Ok(()),
            _ => Err(ClientError::Malformed {
                field: "metadata",
                found: "not what the event commits to".to_owned(),
            }),
        }
    }
}
