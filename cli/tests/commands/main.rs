//! The `ledger` program as a process, against a real `ledger-server` process.

mod demo;
mod exits;
mod files;
mod journal;
mod log;
mod money;
mod pipeline;
mod queries;
mod support;
