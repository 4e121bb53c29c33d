//! What a key may sign.

use crate::number::{KeyStatus, Roles};
use crate::record::KeyRecord;

impl KeyRecord {
    /// Whether the prefix covers an account: all (empty), this very one, or those that begin with a prefix ending in
    /// `:`.
    pub fn covers(&self, account: &str) -> bool {
        let prefix = self.prefix.as_ref();
        prefix.is_empty() || prefix == account || (prefix.ends_with(':') && account.starts_with(prefix))
    }

    /// Whether the key counts among the operators that sign together: active, role operator, empty prefix.
    pub fn is_full_operator(&self) -> bool {
        self.status == KeyStatus::Active && self.roles.contains(Roles::OPERATOR) && self.prefix.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::ids::LogIndex;

    fn key(roles: Roles, prefix: &str) -> KeyRecord {
        KeyRecord {
            status: KeyStatus::Active,
            roles,
            key: [7; 32],
            registered_index: LogIndex(2),
            revoked_index: None,
            party: Arc::from("party"),
            prefix: Arc::from(prefix),
        }
    }

    #[test]
    fn coverage() {
        let rows = [
            ("", "cust:alice", true),
            ("cust:alice", "cust:alice", true),
            ("cust:alice", "cust:alice2", false),
            ("cust:", "cust:alice", true),
            ("cust:", "cust:", true),
            ("cust:", "custard", false),
            ("cust", "cust:alice", false),
            ("shop:", "cust:alice", false),
        ];
        for (prefix, account, covered) in rows {
            assert_eq!(key(Roles::OWNER, prefix).covers(account), covered, "{prefix:?} {account}");
        }
    }

    #[test]
    fn full_operators() {
        assert!(key(Roles::OPERATOR, "").is_full_operator());
        assert!(key(Roles(31), "").is_full_operator());
        assert!(!key(Roles::OPERATOR, "cust:").is_full_operator());
        assert!(!key(Roles::OWNER, "").is_full_operator());
        let revoked = KeyRecord { status: KeyStatus::Revoked, ..key(Roles::OPERATOR, "") };
        assert!(!revoked.is_full_operator());
    }
}
