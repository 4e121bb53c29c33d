//! State in memory: what the verifier holds while it replays a log, and the model for stores.

use crate::entry::Entry;
use crate::view::Constants;

/// Everything in maps. Memory grows with accounts, payments and events.
#[derive(Clone, Debug)]
pub struct MemoryState {
    constants: Constants,
}
