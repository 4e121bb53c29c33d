//! When to try again, and for how long.

use std::time::{Duration, Instant};

use crate::error::{is_transient, retry_delay};

/// Awaits an attempt, a new one while the server is away: the answer, or the [`crate::ClientError`] of the call `$name`.
macro_rules! retried {
    ($client:expr, $name:literal, $attempt:expr) => {{
        let mut attempts = $client.retry().begin();
        loop {
            match $attempt.await {
                Ok(answer) => break Ok(answer),
                Err(status) => attempts.wait(status).await.map_err(ClientError::status($name))?,
            }
        }
    }};
}

/// Calls a method of the service in this way, each time with the same request; the message that it answers.
macro_rules! call {
    ($client:expr, $method:ident, $name:literal, $request:expr) => {{
        let request = &$request;
        $crate::retry::retried!($client, $name, $client.service().$method(request.clone()))
            .map(tonic::Response::into_inner)
    }};
}

pub(crate) use {call, retried};

/// How long a client goes on trying while a server is away or overloaded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RetryPolicy {
    /// From the first failure on; zero: never try again.
    pub give_up_after: Duration,
    /// Wait before the second attempt; doubled each time.
    pub first_delay: Duration,
    /// Longest wait, unless the server asks for more.
    pub longest_delay: Duration,
}

impl Default for RetryPolicy {
    /// 30 s in all, waiting 50 ms, 100 ms, … 2 s.
    fn default() -> Self {
        Self {
            give_up_after: Duration::from_secs(30),
            first_delay: Duration::from_millis(50),
            longest_delay: Duration::from_secs(2),
        }
    }
}

impl RetryPolicy {
    /// One attempt only.
    #[must_use]
    pub fn never() -> Self {
        Self { give_up_after: Duration::ZERO, ..Self::default() }
    }

    pub(crate) fn begin(self) -> Attempts {
        Attempts { policy: self, failing_since: None, next_delay: self.first_delay }
    }
}

/// The attempts at one call.
pub(crate) struct Attempts {
    policy: RetryPolicy,
    failing_since: Option<Instant>,
    next_delay: Duration,
}

impl Attempts {
    /// Waits before the next attempt; gives the failure back when there shall be none.
    pub(crate) async fn wait(&mut self, status: tonic::Status) -> Result<(), tonic::Status> {
        let Some(delay) = self.delay_after(&status, Instant::now()) else { return Err(status) };
        tokio::time::sleep(delay).await;
        Ok(())
    }

    /// Progress was made: the next failure is the first of its kind.
    pub(crate) fn reset(&mut self) {
        *self = self.policy.begin();
    }

    fn delay_after(&mut self, status: &tonic::Status, now: Instant) -> Option<Duration> {
        if !is_transient(status) {
            return None;
        }
        let since = *self.failing_since.get_or_insert(now);
        let delay = retry_delay(status).map_or(self.next_delay, |asked| asked.max(self.next_delay));
        if now.duration_since(since) + delay > self.policy.give_up_after {
            return None;
        }
        self.next_delay = (self.next_delay * 2).min(self.policy.longest_delay);
        Some(delay)
    }
}

#[cfg(test)]
mod tests {
    use tonic::{Code, Status};
    use tonic_types::{ErrorDetails, StatusExt};

    use super::*;

    fn overloaded(delay: Duration) -> Status {
        let details = ErrorDetails::with_retry_info(Some(delay));
        Status::with_error_details(Code::ResourceExhausted, "queue full", details)
    }

    #[test]
    fn waits_double_up_to_the_longest_and_end() {
        let start = Instant::now();
        let mut attempts = RetryPolicy::default().begin();
        let mut now = start;
        let mut waits = Vec::new();
        while let Some(delay) = attempts.delay_after(&Status::unavailable("away"), now) {
            waits.push(delay.as_millis());
            now += delay;
        }
        assert_eq!(waits[..7], [50, 100, 200, 400, 800, 1600, 2000]);
        assert!(now - start <= Duration::from_secs(30));
        assert!(now - start > Duration::from_secs(27));
    }

    #[test]
    fn the_delay_that_the_server_asks_for_is_kept() {
        let mut attempts = RetryPolicy::default().begin();
        let asked = Duration::from_millis(700);
        assert_eq!(attempts.delay_after(&overloaded(asked), Instant::now()), Some(asked));
    }

    #[test]
    fn what_stays_wrong_is_not_tried_again() {
        let statuses = [
            Status::invalid_argument("events"),
            Status::resource_exhausted("message too large"),
            Status::not_found("account"),
            Status::data_loss("entry 7"),
        ];
        for status in statuses {
            assert_eq!(RetryPolicy::default().begin().delay_after(&status, Instant::now()), None);
        }
        assert_eq!(RetryPolicy::never().begin().delay_after(&Status::unavailable(""), Instant::now()), None);
    }
}
