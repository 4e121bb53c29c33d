//! Cross-crate properties, the naive model, and the rules of the workspace itself.
#![forbid(unsafe_code)]
