//! The commands, one module each.

pub mod account;
pub mod admin;
pub mod block;
pub mod books_hash;
pub mod check;
pub mod checkpoint;
pub mod demo;
pub mod event;
pub mod export;
pub mod find;
pub mod init;
pub mod key;
pub mod pay;
pub mod payment;
pub mod period;
pub mod receipt;
pub mod statement;
pub mod status;
pub mod transfer;
pub mod trial_balance;
