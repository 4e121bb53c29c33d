//! Bytes that a kind of call may have in work at a time. Who wants more waits, first come first served.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tonic::Status;

use crate::status;

/// Bytes are counted in units of this many, since a semaphore counts to 2^32 at a time.
const UNIT: usize = 1024;

/// What there is to share.
#[derive(Clone)]
pub struct Budget {
    units: u32,
    free: Arc<Semaphore>,
}

/// A part of a budget, given back when dropped.
pub struct Share {
    _units: OwnedSemaphorePermit,
}

impl Budget {
    /// A budget of so many bytes, at least one unit.
    pub fn new(bytes: u64) -> Self {
        let units = u32::try_from(bytes / UNIT as u64).unwrap_or(u32::MAX).max(1);
        Self { units, free: Arc::new(Semaphore::new(units as usize)) }
    }

    /// Waits for a share of so many bytes; one that is larger than the whole budget gets all of it.
    pub async fn take(&self, bytes: usize) -> Result<Share, Status> {
        let wanted = u32::try_from(bytes.div_ceil(UNIT)).unwrap_or(u32::MAX).min(self.units);
        let units = Arc::clone(&self.free).acquire_many_owned(wanted).await;
        units.map(|units| Share { _units: units }).map_err(|_| status::stopping())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn more_than_there_is_takes_all_and_gives_it_back() {
        let budget = Budget::new(10 * UNIT as u64);
        let all = budget.take(1_000 * UNIT).await.unwrap();
        assert_eq!(budget.free.available_permits(), 0);
        drop(all);
        let _small = budget.take(1).await.unwrap();
        assert_eq!(budget.free.available_permits(), 9);
    }
}
