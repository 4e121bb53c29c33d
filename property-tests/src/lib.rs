//! Cross-crate properties, the naive model, and the rules of the workspace itself.
//!
//! [`model`] answers what the rules answer, written from the published rules with maps and loops, slow and obvious.
#![forbid(unsafe_code)]

pub mod model;
