//! The embeddable ledger: RocksDB store, single writer, sealer, recovery, queries, export.
#![forbid(unsafe_code)]
