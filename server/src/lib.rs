//! The gRPC server of the ledger.
#![forbid(unsafe_code)]
