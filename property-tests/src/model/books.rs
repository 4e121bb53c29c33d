//! Everything that events change.

use std::collections::BTreeSet;
use std::rc::Rc;

use ledger_core::genesis::Genesis;
use ledger_core::ids::{AccountId, CurrencyCode, EventId};
use ledger_core::number::{AccountKind, Roles};

use super::account::Account;
use super::payment::Payment;

/// Everything that events change. An event that fails half-way is undone by dropping a copy of this: that is why
/// what is large in it is shared between copies.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Books {
    /// In the order of opening.
    pub accounts: Vec<Rc<Account>>,
    /// In the order of initiation.
    pub payments: Vec<Rc<Payment>>,
    /// In the order of registration.
    pub keys: Vec<Key>,
    /// Every log key there ever was; the last one signs.
    pub log_keys: Rc<Vec<Vec<u8>>>,
    /// Party and external reference of accepted payments and transfers.
    pub references: Rc<BTreeSet<(String, String)>>,
    /// Events that were reversed.
    pub reversed: Rc<BTreeSet<EventId>>,
    /// Last closed period, `yyyymmdd`; 0 none.
    pub closed_through: u32,
}

/// A registered key.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Key {
    /// Its 32 bytes.
    pub key: [u8; 32],
    /// Whose it is.
    pub party: Rc<str>,
    /// What it may sign.
    pub roles: Roles,
    /// The accounts that it covers.
    pub prefix: Rc<str>,
    /// Where it was registered.
    pub registered_index: u64,
    /// Where it was revoked.
    pub revoked_index: Option<u64>,
}

impl Key {
    /// Whether the prefix is empty, equals the account, or ends in `:` and begins it.
    pub fn covers(&self, account: &str) -> bool {
        self.prefix.is_empty()
            || &*self.prefix == account
            || self.prefix.ends_with(':') && account.starts_with(&*self.prefix)
    }

    /// Whether it has one of the roles.
    pub fn may(&self, roles: &[Roles]) -> bool {
        roles.iter().any(|role| self.roles.0 & role.0 != 0)
    }

    /// Whether it counts among the operators that sign together.
    pub fn is_full_operator(&self) -> bool {
        self.may(&[Roles::OPERATOR]) && self.prefix.is_empty()
    }
}

impl Books {
    pub(super) fn of_genesis(genesis: &Genesis) -> Self {
        let mut keys = Vec::new();
        for operator in &genesis.operators {
            keys.push(Key {
                key: operator.key.as_slice().try_into().expect("a checked genesis"),
                party: operator.party.as_str().into(),
                roles: Roles::OPERATOR,
                prefix: "".into(),
                registered_index: 0,
                revoked_index: None,
            });
        }
        Self {
            accounts: Vec::new(),
            payments: Vec::new(),
            keys,
            log_keys: Rc::new(vec![genesis.log_key.clone()]),
            references: Rc::default(),
            reversed: Rc::default(),
            closed_through: 0,
        }
    }

    /// Position of an account.
    pub fn account(&self, id: &str) -> Option<usize> {
        self.accounts.iter().position(|account| account.id.as_str() == id)
    }

    /// The one account of this kind and currency, closed or not.
    pub fn the_one(&self, kind: AccountKind, currency: CurrencyCode) -> Option<usize> {
        self.accounts.iter().position(|account| account.kind == kind && account.currency == currency)
    }

    /// Position of a payment.
    pub fn payment(&self, id: &[u8]) -> Option<usize> {
        self.payments.iter().position(|payment| payment.id.0 == id)
    }

    /// A key ever registered.
    pub fn key(&self, key: &[u8]) -> Option<&Key> {
        self.keys.iter().find(|known| known.key == key)
    }

    /// Id of an account.
    pub fn id_of(&self, account: usize) -> AccountId {
        self.accounts[account].id
    }

    /// The payment with the least (expires_at, position) whose hold runs out at or before t.
    pub fn next_due(&self, t: u64) -> Option<usize> {
        let mut least: Option<usize> = None;
        for (position, payment) in self.payments.iter().enumerate() {
            let is_due = payment.held() > 0 && payment.expires_at <= t;
            if is_due && least.is_none_or(|least| payment.expires_at < self.payments[least].expires_at) {
                least = Some(position);
            }
        }
        least
    }
}
