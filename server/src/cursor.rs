//! Cursors of lists: opaque to clients, good for the method and the arguments that they were returned for.
//!
//! ```text
//! scope 8 bytes (start of SHA-256 over method, direction and argument) ‖ position 8 bytes big-endian
//! ```

use ledger_crypto::Hasher;
use ledger_engine::Direction;
use tonic::Status;

use crate::status;

/// Where a list goes on.
pub struct Cursor {
    scope: [u8; 8],
    direction: Direction,
}

impl Cursor {
    /// Cursors of a method over one thing, in one direction; `argument` is empty for lists of everything.
    pub fn of(method: &'static str, argument: &[u8], direction: Direction) -> Self {
        let mut hasher = Hasher::new();
        hasher.update(method.as_bytes());
        hasher.update(&[0, u8::from(direction == Direction::Descending)]);
        hasher.update(argument);
        let mut scope = [0; 8];
        scope.copy_from_slice(&hasher.finish()[..8]);
        Self { scope, direction }
    }

    /// Which way the list goes.
    pub fn direction(&self) -> Direction {
        self.direction
    }

    /// The position in a cursor from a client; `None` when it is empty, the start. Errors: INVALID_ARGUMENT.
    pub fn read(&self, cursor: &[u8]) -> Result<Option<u64>, Status> {
        if cursor.is_empty() {
            return Ok(None);
        }
        let position = cursor.strip_prefix(&self.scope).and_then(|rest| rest.try_into().ok());
        position.map(u64::from_be_bytes).map(Some).ok_or_else(|| {
            status::malformed("cursor", hex::encode(&cursor[..cursor.len().min(16)]), "one of this list")
        })
    }

    /// The cursor that goes on at `position`; empty when nothing follows.
    pub fn write(&self, position: Option<u64>) -> Vec<u8> {
        let Some(position) = position else { return Vec::new() };
        [self.scope, position.to_be_bytes()].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_is_good_for_its_own_list_only() {
        let list = Cursor::of("ListAccountEntries", b"alice", Direction::Ascending);
        let other = Cursor::of("ListAccountEntries", b"bob", Direction::Ascending);
        let back = Cursor::of("ListAccountEntries", b"alice", Direction::Descending);
        let written = list.write(Some(7));
        assert_eq!(list.read(&written).unwrap(), Some(7));
        assert_eq!(list.read(&[]).unwrap(), None);
        assert!(list.write(None).is_empty());
        for bad in
            [&other.write(Some(7))[..], &back.write(Some(7)), &written[..15], b"x", &[0; 16], &[0; 1000]]
        {
            assert_eq!(list.read(bad).unwrap_err().code(), tonic::Code::InvalidArgument);
        }
    }
}
