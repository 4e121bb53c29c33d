//! New ids: UUID v7 (RFC 9562, section 5.7) from the wall clock and the operating system's random bytes.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use ledger_core::ids::{BatchId, EventId, PaymentId};

/// A new id could not be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IdError {
    /// The operating system gave no random bytes.
    #[error("no random bytes from the operating system: {0}")]
    Randomness(getrandom::Error),
    /// The clock stands before 1970 or after the year 10889.
    #[error("the system clock does not fit an id: it must stand after 1970 and below 2^48 milliseconds")]
    Clock,
}

/// A new event id, made of the time now and 74 random bits.
///
/// # Errors
/// [`IdError`].
pub fn new_event_id() -> Result<EventId, IdError> {
    Ok(EventId(new_v7()?))
}

/// A new payment id, of the same form.
///
/// # Errors
/// [`IdError`].
pub fn new_payment_id() -> Result<PaymentId, IdError> {
    Ok(PaymentId(new_v7()?))
}

/// A new id of a signed batch, of the same form.
///
/// # Errors
/// [`IdError`].
pub fn new_batch_id() -> Result<BatchId, IdError> {
    Ok(BatchId(new_v7()?))
}

/// Unix nanoseconds now, by the wall clock.
///
/// # Errors
/// [`IdError::Clock`] outside 1970 to 2554.
pub fn now_nanos() -> Result<u64, IdError> {
    u64::try_from(since_1970()?.as_nanos()).map_err(|_| IdError::Clock)
}

/// A UUID v7 of given parts: the low 48 bits of `unix_millis`, then the bits of `rest` that version and variant leave.
#[must_use]
pub fn v7(unix_millis: u64, rest: [u8; 10]) -> [u8; 16] {
    let mut id = [0; 16];
    id[..6].copy_from_slice(&unix_millis.to_be_bytes()[2..]);
    id[6..].copy_from_slice(&rest);
    id[6] = (id[6] & 0x0f) | 0x70;
    id[8] = (id[8] & 0x3f) | 0x80;
    id
}

fn new_v7() -> Result<[u8; 16], IdError> {
    let millis = u64::try_from(since_1970()?.as_millis()).map_err(|_| IdError::Clock)?;
    if millis >> 48 != 0 {
        return Err(IdError::Clock);
    }
    let mut random = [0; 10];
    getrandom::fill(&mut random).map_err(IdError::Randomness)?;
    Ok(v7(millis, random))
}

fn since_1970() -> Result<Duration, IdError> {
    SystemTime::now().duration_since(UNIX_EPOCH).map_err(|_| IdError::Clock)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn version_variant_and_time_stand_where_rfc_9562_puts_them() {
        // RFC 9562, appendix A.6: 2022-02-22T19:22:22Z, 0x017F22E279B0.
        let rest = [0x0c, 0xc3, 0x18, 0xc4, 0xdc, 0x0c, 0x0c, 0x07, 0x39, 0x8f];
        let id = EventId(v7(0x017F_22E2_79B0, rest));
        assert_eq!(id.to_string(), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
        let ones = EventId(v7(u64::MAX, [0xff; 10]));
        assert_eq!(ones.to_string(), "ffffffff-ffff-7fff-bfff-ffffffffffff");
    }

    #[test]
    fn new_ids_differ_and_carry_the_time() {
        let before = now_nanos().unwrap() / 1_000_000;
        let (first, second) = (new_event_id().unwrap(), new_event_id().unwrap());
        assert_ne!(first, second);
        let mut millis = [0; 8];
        millis[2..].copy_from_slice(&first.0[..6]);
        let millis = u64::from_be_bytes(millis);
        assert!(before <= millis && millis <= now_nanos().unwrap() / 1_000_000);
    }
}
