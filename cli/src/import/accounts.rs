//! The accounts that a file needs, in the order of their first use.

use std::collections::HashMap;

use ledger_core::ids::AccountId;
use ledger_core::number::AccountKind;

/// What an account is opened with.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Opened {
    /// Its id.
    pub id: AccountId,
    /// Its kind.
    pub kind: AccountKind,
    /// Its limit, minor units.
    pub limit: u64,
}

/// Accounts by position and by id.
#[derive(Clone, Debug, Default)]
pub struct Accounts {
    all: Vec<Opened>,
    by_id: HashMap<AccountId, usize>,
    /// By position, how rows write the id: ids have no capitals, names in a file may.
    written: HashMap<usize, String>,
}

impl Accounts {
    /// Position of an account, which is added when it is new.
    ///
    /// # Errors
    /// What is there already under the same id, when it differs.
    pub fn add(&mut self, account: Opened) -> Result<usize, Opened> {
        let position = *self.by_id.entry(account.id).or_insert(self.all.len());
        match self.all.get(position) {
            None => self.all.push(account),
            Some(there) if *there == account => {}
            Some(other) => return Err(*other),
        }
        Ok(position)
    }

    /// Remembers how a row writes the id of the account at a position.
    ///
    /// # Errors
    /// How another row wrote it, when that differs: two accounts of the bank would become one.
    pub fn write(&mut self, position: usize, text: &str) -> Result<(), String> {
        match self.written.get(&position) {
            None => {
                self.written.insert(position, text.to_owned());
                Ok(())
            }
            Some(before) if before == text => Ok(()),
            Some(before) => Err(before.clone()),
        }
    }

    /// The account at a position that [`Self::add`] gave.
    pub fn at(&self, position: usize) -> &Opened {
        &self.all[position]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_has_one_position_and_one_kind() {
        let account = |id: &str, limit| {
            let id = AccountId::parse(id).unwrap();
            Opened { id, kind: AccountKind::Customer, limit }
        };
        let mut accounts = Accounts::default();
        assert_eq!(accounts.add(account("a", 0)), Ok(0));
        assert_eq!(accounts.add(account("b", 5)), Ok(1));
        assert_eq!(accounts.add(account("a", 0)), Ok(0));
        assert_eq!(accounts.add(account("b", 6)), Err(account("b", 5)));
        assert_eq!((accounts.all.len(), *accounts.at(1)), (2, account("b", 5)));
    }
}
