//! Cross-crate properties, the naive model, and the rules of the workspace itself.
//!
//! [`model`] answers what the rules answer, written from the published rules with maps and loops, slow and obvious.
//! [`generate`] makes streams of commands that reach every corner, [`pair`] gives them to the core and to the model
//! and compares, [`shrink`] leaves out of a stream what a difference does not need.
#![forbid(unsafe_code)]

pub mod coverage;
pub mod dice;
pub mod generate;
pub mod keyring;
pub mod log;
pub mod model;
pub mod offered;
pub mod pair;
pub mod shrink;
pub mod stream;
