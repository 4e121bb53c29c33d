//! The service messages of `ledger.v1` and their generated code. The contract is `proto/ledger/v1/ledger.proto`;
//! signed payloads pass through it as bytes.
#![forbid(unsafe_code)]

pub mod codec;

/// Messages, client and server of package `ledger.v1`.
pub mod v1 {
    #![allow(missing_docs, clippy::all, reason = "generated from the contract")]
    tonic::include_proto!("ledger.v1");
}

/// The compiled contract with its comments, an encoded `google.protobuf.FileDescriptorSet`, for server reflection.
pub const FILE_DESCRIPTOR_SET: &[u8] = tonic::include_file_descriptor_set!("ledger_descriptor");
