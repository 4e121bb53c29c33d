//! The auditor's offline program.
fn main() {}
