//! Rules and bytes of the ledger: no I/O, no clock, no async, no randomness.
#![forbid(unsafe_code)]
