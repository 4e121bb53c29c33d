//! Time: read in one place, and refused when it jumps. Rules: a forward jump would expire every hold, for good.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crate::answer::Failure;

/// How far the wall clock may run ahead of the monotonic clock, or lie behind the last entry, in nanoseconds.
pub(crate) const TOLERANCE_NANOS: u64 = 1_000_000_000;

/// One reading of both clocks.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Reading {
    /// Wall clock, unix nanoseconds.
    pub wall_nanos: u64,
    /// Monotonic clock that goes on while the machine sleeps, nanoseconds from anywhere.
    pub boot_nanos: u64,
}

/// Source of time.
pub trait Clock: Send + Sync + std::fmt::Debug {
    /// Reads both clocks.
    fn read(&self) -> Reading;
}

/// The machine's clocks.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    fn read(&self) -> Reading {
        let wall = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
        let boot = rustix::time::clock_gettime(rustix::time::ClockId::Boottime);
        let boot = Duration::try_from(boot).unwrap_or(Duration::ZERO);
        Reading { wall_nanos: nanos(wall), boot_nanos: nanos(boot) }
    }
}

/// A clock that stands still until it is moved: for tests and simulations.
#[derive(Debug)]
pub struct ManualClock {
    wall_nanos: AtomicU64,
    boot_nanos: AtomicU64,
}

impl ManualClock {
    /// Both clocks at `nanos`.
    pub fn at(nanos: u64) -> Self {
        Self { wall_nanos: AtomicU64::new(nanos), boot_nanos: AtomicU64::new(nanos) }
    }

    /// Time passes: both clocks move.
    pub fn advance(&self, by: Duration) {
        self.boot_nanos.fetch_add(nanos(by), Ordering::SeqCst);
        self.wall_nanos.fetch_add(nanos(by), Ordering::SeqCst);
    }

    /// Somebody sets the wall clock; no time passes.
    pub fn set_wall(&self, nanos: u64) {
        self.wall_nanos.store(nanos, Ordering::SeqCst);
    }
}

impl Clock for ManualClock {
    fn read(&self) -> Reading {
        Reading {
            wall_nanos: self.wall_nanos.load(Ordering::SeqCst),
            boot_nanos: self.boot_nanos.load(Ordering::SeqCst),
        }
    }
}

/// Turns readings into times that may be recorded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClockGuard {
    trusted: Reading,
}

impl ClockGuard {
    pub(crate) fn new(first: Reading) -> Self {
        Self { trusted: first }
    }

    /// The wall clock's time, if it may be recorded after an entry of `last_nanos`. A refused reading is discarded:
    /// the next one is compared with the last good one.
    pub(crate) fn accept(&mut self, now: Reading, last_nanos: u64) -> Result<u64, Failure> {
        let passed = now.boot_nanos.saturating_sub(self.trusted.boot_nanos);
        let predicted = self.trusted.wall_nanos.saturating_add(passed);
        if now.wall_nanos > predicted.saturating_add(TOLERANCE_NANOS) {
            return Err(Failure::ClockJumped);
        }
        if now.wall_nanos.saturating_add(TOLERANCE_NANOS) < last_nanos {
            return Err(Failure::ClockRegressed);
        }
        self.trusted = now;
        Ok(now.wall_nanos)
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: u64 = 1_000_000_000;

    fn reading(wall: u64, boot: u64) -> Reading {
        Reading { wall_nanos: wall, boot_nanos: boot }
    }

    #[test]
    fn a_forward_jump_is_discarded_until_the_clock_is_back() {
        let mut guard = ClockGuard::new(reading(100 * SECOND, 10 * SECOND));
        assert_eq!(guard.accept(reading(101 * SECOND, 11 * SECOND), 0), Ok(101 * SECOND));
        assert_eq!(guard.accept(reading(200 * SECOND, 12 * SECOND), 0), Err(Failure::ClockJumped));
        assert_eq!(guard.accept(reading(201 * SECOND, 13 * SECOND), 0), Err(Failure::ClockJumped));
        assert_eq!(guard.accept(reading(104 * SECOND, 14 * SECOND), 0), Ok(104 * SECOND));
    }

    #[test]
    fn one_second_ahead_is_tolerated_and_one_nanosecond_more_is_not() {
        let guard = ClockGuard::new(reading(100 * SECOND, 0));
        assert!(guard.clone().accept(reading(101 * SECOND, 0), 0).is_ok());
        assert_eq!(guard.clone().accept(reading(101 * SECOND + 1, 0), 0), Err(Failure::ClockJumped));
    }

    #[test]
    fn a_clock_behind_the_last_entry_is_refused_beyond_one_second() {
        let guard = ClockGuard::new(reading(100 * SECOND, 0));
        assert!(guard.clone().accept(reading(99 * SECOND, 0), 100 * SECOND).is_ok());
        let behind = guard.clone().accept(reading(99 * SECOND - 1, 0), 100 * SECOND);
        assert_eq!(behind, Err(Failure::ClockRegressed));
    }
}
