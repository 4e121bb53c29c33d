//! The codec of the service: prost's, after a look at what a submission would take in memory. An event without fields is
//! two bytes on the wire and a hundred decoded, a signature the same: a message within the limit of bytes could become
//! gigabytes before anybody counts its events.

use std::marker::PhantomData;

use prost::encoding::{WireType, decode_key, decode_varint, skip_field};
use prost::{DecodeError, Message, Name};
use tonic::Status;
use tonic::codec::{BufferSettings, Codec, DecodeBuf, Decoder};
use tonic_prost::ProstEncoder;

/// Most events of one message: the members that a batch may have, and its header.
pub const MAX_EVENTS: usize = 65_536;
/// Most fields of all its events together: type, payload, private data and eight signatures of each, and some.
pub const MAX_FIELDS: usize = 1_000_000;

/// Messages whose elements are events.
const SUBMISSIONS: [&str; 5] =
    ["SubmitRequest", "SubmitAtomicRequest", "SubmitBatchRequest", "SubmitStreamRequest", "DryRunRequest"];

/// Encodes `T`, decodes `U` within the bounds.
#[derive(Clone, Debug)]
pub struct BoundedCodec<T, U>(PhantomData<(T, U)>);

impl<T, U> Default for BoundedCodec<T, U> {
    fn default() -> Self {
        Self(PhantomData)
    }
}

impl<T, U> Codec for BoundedCodec<T, U>
where
    T: Message + Send + 'static,
    U: Message + Name + Default + Send + 'static,
{
    type Encode = T;
    type Decode = U;
    type Encoder = ProstEncoder<T>;
    type Decoder = BoundedDecoder<U>;

    fn encoder(&mut self) -> Self::Encoder {
        ProstEncoder::new(BufferSettings::default())
    }

    fn decoder(&mut self) -> Self::Decoder {
        BoundedDecoder(PhantomData)
    }
}

/// Decodes a message within the bounds.
#[derive(Clone, Debug)]
pub struct BoundedDecoder<U>(PhantomData<U>);

impl<U: Message + Name + Default> Decoder for BoundedDecoder<U> {
    type Item = U;
    type Error = Status;

    fn decode(&mut self, buf: &mut DecodeBuf<'_>) -> Result<Option<U>, Status> {
        use prost::bytes::Buf;
        if SUBMISSIONS.contains(&U::NAME) {
            check(buf.chunk())?;
        }
        U::decode(buf).map(Some).map_err(|error| Status::internal(error.to_string()))
    }
}

/// A message of events within the bounds. One that cannot be read is left to the decoder.
fn check(message: &[u8]) -> Result<(), Status> {
    let (mut events, mut fields) = (0, 0);
    // What was counted up to a fault is what the decoder would have built.
    let _ = fields_with_length(message, |event| {
        events += 1;
        let _ = fields_with_length(event, |_| fields += 1);
    });
    if events > MAX_EVENTS {
        return Err(malformed("events", events, MAX_EVENTS));
    }
    if fields > MAX_FIELDS {
        return Err(malformed("fields of the events", fields, MAX_FIELDS));
    }
    Ok(())
}

fn malformed(field: &str, found: usize, most: usize) -> Status {
    Status::invalid_argument(format!("{field}: found {found}, expected at most {most}"))
}

/// Shows every field that has a length.
fn fields_with_length<'m>(mut message: &'m [u8], mut show: impl FnMut(&'m [u8])) -> Result<(), DecodeError> {
    while !message.is_empty() {
        let (number, wire_type) = decode_key(&mut message)?;
        if wire_type != WireType::LengthDelimited {
            skip_field(wire_type, number, &mut message, prost::encoding::DecodeContext::default())?;
            continue;
        }
        let length = usize::try_from(decode_varint(&mut message)?).unwrap_or(usize::MAX);
        let Some((field, rest)) = message.split_at_checked(length) else { return Ok(()) };
        show(field);
        message = rest;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::v1::{Signature, SubmitRequest, SubmittedEvent};

    fn refused(message: &[u8]) -> Option<String> {
        check(message).err().map(|status| status.message().to_owned())
    }

    #[test]
    fn a_message_has_at_most_so_many_events() {
        let message =
            |count| SubmitRequest { events: vec![SubmittedEvent::default(); count] }.encode_to_vec();
        assert_eq!(refused(&message(MAX_EVENTS)), None);
        let words = "events: found 65537, expected at most 65536";
        assert_eq!(refused(&message(MAX_EVENTS + 1)).as_deref(), Some(words));
        assert_eq!(refused(&[]), None);
    }

    #[test]
    fn all_events_together_have_at_most_so_many_fields() {
        let event =
            |count| SubmittedEvent { signatures: vec![Signature::default(); count], ..Default::default() };
        let message = |count| SubmitRequest { events: vec![event(7), event(count)] }.encode_to_vec();
        assert_eq!(refused(&message(MAX_FIELDS - 7)), None);
        let words = "fields of the events: found 1000001, expected at most 1000000";
        assert_eq!(refused(&message(MAX_FIELDS - 6)).as_deref(), Some(words));
    }

    #[test]
    fn what_cannot_be_read_is_left_to_the_decoder() {
        for garbage in
            [&b"\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff"[..], b"\x0a\xff\xff\xff\xff\x0f", b"\x0b"]
        {
            assert_eq!(refused(garbage), None, "{garbage:?}");
        }
    }
}
