//! Events of operators: accounts, keys, periods.

use ledger_core::event::*;
use ledger_core::number::*;

use super::Generator;
use super::money::LARGEST;
use super::scene::Scene;
use crate::keyring;
use crate::model::{Account, utc_date};

const DAY: u64 = 86_400_000_000_000;

impl Generator {
    /// An event that only operators sign, by number.
    pub(super) fn control(&mut self, scene: &Scene<'_>, number: u32) -> Event {
        let body = match number {
            15 => self.opened(scene),
            16 => self.status_changed(scene),
            17 => self.registered(scene),
            18 => self.revoked(scene),
            19 => {
                let days = self.dice.pick(&[0, 0, 1, 2, 3, 10]);
                let back = days * DAY;
                Body::PeriodClosed(PeriodClosed { through: utc_date(scene.t.saturating_sub(back)) })
            }
            20 => {
                let new_key = match self.dice.below(6) {
                    0 => self.dice.pick(&scene.books.keys).key.to_vec(),
                    1 => self.dice.pick(&scene.books.log_keys),
                    _ => keyring::spare(self.dice.below(keyring::SPARE as u64) as usize),
                };
                Body::LogKeyRotated(LogKeyRotated { new_key })
            }
            21 => Body::RulesChanged(RulesChanged { rules_version: self.dice.pick(&[0, 1, 2, 9]) }),
            22 => self.erased(scene),
            _ => {
                let account = self.account(scene, |account| {
                    matches!(account.kind, AccountKind::Customer | AccountKind::Merchant | AccountKind::Cash)
                });
                let known = scene.books.account(&account).map(|account| &scene.books.accounts[account]);
                // The limit at which nothing is left.
                let used = known
                    .and_then(|account| account.left().map(|left| i128::from(account.limit) - left))
                    .unwrap_or_default();
                let limit = if self.dice.once_in(2) { self.near(used) } else { self.amount() };
                Body::AccountLimitChanged(AccountLimitChanged { account, limit })
            }
        };
        self.event(scene, body)
    }

    fn opened(&mut self, scene: &Scene<'_>) -> Body {
        let currency = self.some_currency();
        let kind = self.dice.pick(AccountKind::ALL);
        let takes_limit = matches!(kind, AccountKind::Customer | AccountKind::Merchant | AccountKind::Cash);
        let limit = if takes_limit && self.dice.once_in(3) { self.amount() } else { 0 };
        let account = if self.dice.once_in(6) {
            self.account(scene, |_| true)
        } else {
            let prefix = self.dice.pick(&["cust:", "shop:", "north:", "new:"]);
            self.next_id += 1;
            format!("{prefix}{}", self.next_id)
        };
        Body::AccountOpened(AccountOpened { account, currency, kind: Some(kind), limit })
    }

    fn status_changed(&mut self, scene: &Scene<'_>) -> Body {
        let status = if self.dice.once_in(self.mood.closings) {
            AccountStatus::Closed
        } else {
            let open = AccountStatus::Open;
            self.dice.pick(&[
                open,
                open,
                open,
                AccountStatus::DebitFrozen,
                AccountStatus::CreditFrozen,
                AccountStatus::Frozen,
            ])
        };
        let is_empty = |account: &Account| account.posted_dr == account.posted_cr;
        let is_holding = |account: &Account| account.pending_dr + account.pending_cr > 0;
        let is_frozen = |account: &Account| account.status != AccountStatus::Open;
        let account = match status {
            AccountStatus::Closed => self.account(scene, is_empty),
            AccountStatus::Open => self.account(scene, is_frozen),
            _ if self.dice.once_in(3) => self.account(scene, is_holding),
            _ => self.account(scene, |_| true),
        };
        let reason = self.reason();
        Body::AccountStatusChanged(AccountStatusChanged { account, status: Some(status), reason })
    }

    fn registered(&mut self, scene: &Scene<'_>) -> Body {
        let key = match self.dice.below(10) {
            0 => self.dice.pick(&scene.books.keys).key.to_vec(),
            1 => self.dice.pick(&scene.books.log_keys),
            _ => keyring::spare(self.dice.below(keyring::SPARE as u64) as usize),
        };
        let roles = self.dice.pick(&[8, 8, 8, 1, 2, 4, 16, 32, 63, 7, 24]);
        let prefix = self.dice.pick(&["", "", "", "cust:", "shop:", "north:"]).to_owned();
        let party = self.dice.pick(&["bank", "shop", "a party of thirty-five characters..."[..35].trim()]);
        Body::KeyRegistered(KeyRegistered { key, party: party.to_owned(), roles, prefix })
    }

    fn revoked(&mut self, scene: &Scene<'_>) -> Body {
        let key = match self.dice.below(12) {
            0 => keyring::key("stranger"),
            1 => self.dice.pick(&scene.books.log_keys),
            2..=4 => self.dice.pick(&scene.books.keys).key.to_vec(),
            _ => {
                // Keys that the world can do without, but for operators down to the threshold.
                let spare: Vec<_> = scene
                    .books
                    .keys
                    .iter()
                    .filter(|key| key.revoked_index.is_none())
                    .filter(|key| key.is_full_operator() || !key.prefix.is_empty())
                    .collect();
                if spare.is_empty() { vec![1; 32] } else { self.dice.pick(&spare).key.to_vec() }
            }
        };
        let reason = if self.dice.once_in(2) { self.reason() } else { String::new() };
        Body::KeyRevoked(KeyRevoked { key, reason })
    }

    fn erased(&mut self, scene: &Scene<'_>) -> Body {
        let committed = |event: &&Event| !event.metadata_commitment.is_empty();
        let events = scene.model.history.iter().filter_map(|entry| entry.event());
        let mut targets: Vec<&Event> = events.clone().filter(committed).collect();
        if targets.is_empty() || self.dice.once_in(6) {
            targets = events.collect();
        }
        let event_id = match targets.as_slice() {
            [] => self.new_id(scene.t),
            _ if self.dice.once_in(10) => self.new_id(scene.t),
            targets => self.dice.pick(targets).event_id.clone(),
        };
        Body::MetadataErased(MetadataErased { event_id, reason: self.reason() })
    }

    /// A limit that is too large, sometimes.
    pub(super) fn too_large(&mut self) -> u64 {
        self.dice.pick(&[LARGEST + 1, u64::MAX, LARGEST + 2])
    }
}
