//! The `ledger` program as a process, against a real `ledger-server` process.

mod cards;
mod demo;
mod exits;
mod files;
mod journal;
mod log;
mod money;
mod pipeline;
mod private;
mod queries;
mod rotation;
mod support;
