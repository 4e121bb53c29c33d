//! Guards in their documented order, with what each refusal tells. A table begins with an event that breaks every guard;
//! each row expects a code and then mends what it was about, so every pair of adjacent guards is compared.

#[macro_use]
mod peel;
#[allow(dead_code, reason = "shared with other tests")]
#[path = "../world/mod.rs"]
mod world;

mod accounts;
mod admission;
mod capture;
mod chargeback;
mod control;
mod groups;
mod hold;
mod initiate;
mod limits;
mod refund;
mod reverse;
mod settle;
mod transfer;
