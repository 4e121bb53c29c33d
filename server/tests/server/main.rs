//! The server against real clients, with a real database each.

mod batches;
mod hostile;
mod keys;
mod lifecycle;
mod limits;
mod metrics;
mod private;
mod process;
mod queries;
mod raw;
mod reads;
mod storm;
mod submit;
mod support;
