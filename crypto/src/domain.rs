//! Domain separation: what every hashed byte string begins with, so that a hash made for one
//! purpose can never be offered for another.

/// A leaf of a Merkle tree (RFC 6962, section 2.1).
pub const LEAF: &[u8] = &[0x00];
/// An inner node of a Merkle tree (RFC 6962, section 2.1).
pub const NODE: &[u8] = &[0x01];
/// A link of an account's statement chain.
pub const STATEMENT: &[u8] = &[0x03];
/// The commitment to private data that travels beside an event.
pub const METADATA: &[u8] = b"ledger/v1/metadata";
/// The totals per currency in a seal.
pub const TOTALS: &[u8] = b"ledger/v1/totals";
/// The parameters in a seal.
pub const PARAMS: &[u8] = b"ledger/v1/params";
/// The identity of an atomic group.
pub const GROUP: &[u8] = b"ledger/v1/group";
/// The digest of a whole set of books.
pub const BOOKS: &[u8] = b"ledger/v1/books";
/// What an imported row's ids are derived from.
pub const IMPORT: &[u8] = b"ledger/v1/import";

/// Every tag; none is a prefix of another.
pub const ALL: [&[u8]; 9] = [LEAF, NODE, STATEMENT, METADATA, TOTALS, PARAMS, GROUP, BOOKS, IMPORT];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_tag_is_a_prefix_of_another() {
        for (i, a) in ALL.iter().enumerate() {
            for (j, b) in ALL.iter().enumerate() {
                assert!(i == j || !b.starts_with(a), "{a:?} begins {b:?}");
            }
        }
    }
}
