//! Guards in their documented order. [`table`] has a row for every guard of every event, and tries every pair of them:
//! each is broken on a good event, by itself and together with each that comes after it. The other tests mend an event
//! guard by guard, and compare what each refusal tells and what the event does in the end.

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
mod table;
mod transfer;
mod unadmitted;
