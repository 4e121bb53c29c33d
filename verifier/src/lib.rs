//! The auditor's offline program.
#![forbid(unsafe_code)]
