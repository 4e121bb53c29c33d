//! Operator and client command line of the ledger.
fn main() {}
