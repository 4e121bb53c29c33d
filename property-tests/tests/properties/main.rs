//! The numbered properties of the rules that no other test of the workspace shows; README.md beside this crate says
//! where each of them is shown.

mod bench;
mod cap;
mod exchange;
mod faults;
mod largest;
mod order;
mod payments;
mod refusals;
mod replay;
mod status;
mod text;
