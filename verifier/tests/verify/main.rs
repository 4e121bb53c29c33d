//! The verifier over logs made for it: honest, damaged, dishonest, hostile, and of another implementation.

mod batch;
mod blocks;
mod command;
mod dishonest;
mod forge;
mod golden;
mod hostile;
mod judge;
mod logs;
mod long_entries;
mod operator;
mod rotation;
mod tampering;
