//! The service messages of ledger.v1 and their generated code.
#![forbid(unsafe_code)]
