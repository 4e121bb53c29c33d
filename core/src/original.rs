//! What a later event may ask of one that it names: an erasure whether there was private data, a reversal what was
//! posted.

use std::convert::Infallible;

use crate::apply::posted;
use crate::event::{Body, Event};
use crate::ids::PaymentId;
use crate::number::Layer;
use crate::posting::Posting;
use crate::view::{StateView, ViewError};

/// An event in the log, as far as later events ask.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Original {
    /// 0 accepted, else the refusal code.
    pub outcome: u16,
    /// Its payment; nil for transfers and control events.
    pub payment_id: PaymentId,
    /// Name of its type.
    pub event_type: &'static str,
    /// Whether it committed to private data.
    pub has_commitment: bool,
    /// What it moved, when it was accepted and can be reversed.
    pub moved: Option<Moved>,
}

/// Money on the posted layer.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Moved {
    /// By which kind of event.
    pub movement: Movement,
    /// Its postings of the posted layer, in order.
    pub postings: Box<[Posting]>,
}

/// Which counters of a payment an event raised, by how many minor units.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Movement {
    /// Event 6.
    Captured(u64),
    /// Event 9.
    Settled(u64),
    /// Event 10.
    Refunded(u64),
    /// Event 14: no payment's.
    Transferred,
}

impl Original {
    /// Of an event that was just decided, with all that it posted.
    pub fn decided(event: &Event, outcome: u16, postings: &[Posting]) -> Self {
        let posted = postings.iter().filter(|posting| posting.layer == Layer::Posted).copied();
        let Ok(original) = Self::with(event, outcome, |_| Ok::<_, Infallible>(posted.collect()));
        original
    }

    /// Of an event from its entry, at any time after it: what it posted follows from the payment's fixed fields, the
    /// body and the accounts that it names.
    ///
    /// # Errors
    /// [`ViewError`] when state cannot be read or does not have what an accepted event needs.
    pub fn read(view: &impl StateView, event: &Event, outcome: u16) -> Result<Self, ViewError> {
        Self::with(event, outcome, |event| posted(view, event).map(Vec::into_boxed_slice))
    }

    fn with<E>(
        event: &Event,
        outcome: u16,
        postings: impl FnOnce(&Event) -> Result<Box<[Posting]>, E>,
    ) -> Result<Self, E> {
        let moved = match movement(&event.body) {
            Some(movement) if outcome == 0 => Some(Moved { movement, postings: postings(event)? }),
            _ => None,
        };
        Ok(Self {
            outcome,
            payment_id: event.payment_id.as_slice().try_into().map_or(PaymentId::NIL, PaymentId),
            event_type: event.body.name(),
            has_commitment: !event.metadata_commitment.is_empty(),
            moved,
        })
    }
}

/// The events that can be reversed.
fn movement(body: &Body) -> Option<Movement> {
    match body {
        Body::PaymentCaptured(body) => Some(Movement::Captured(body.amount)),
        Body::PaymentSettled(body) => Some(Movement::Settled(body.amount)),
        Body::PaymentRefunded(body) => Some(Movement::Refunded(body.amount)),
        Body::TransferPosted(_) => Some(Movement::Transferred),
        _ => None,
    }
}
