//! The bytes of the golden files, which a second implementation made from the published formats: every payload, entry,
//! record, statement chain, seal, checkpoint, tile, proof and receipt is reproduced bit for bit. Each test prints how
//! many it compared, and fails when a file holds something that it does not know.

mod compare;
mod events;
mod logs;
mod proofs;
mod receipts;
mod signed_proto;
mod vectors;
