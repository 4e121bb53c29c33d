//! The gRPC server of the ledger.
fn main() {}
