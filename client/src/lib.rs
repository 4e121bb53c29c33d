//! Rust SDK of the ledger: sign, submit, wait, verify receipts.
#![forbid(unsafe_code)]
