//! The server against real clients, with a real database each.

mod batches;
mod dry_run;
mod hostile;
mod keys;
mod lifecycle;
mod limits;
mod metrics;
mod payments;
mod private;
mod process;
mod queries;
mod raw;
mod reads;
mod storm;
mod submit;
mod support;
