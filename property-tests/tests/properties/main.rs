//! The numbered properties of the rules that no other test of the workspace shows; README.md beside this crate says
//! where each of them is shown.

mod bench;
mod exchange;
mod faults;
mod order;
mod payments;
mod refusals;
mod status;
mod text;
