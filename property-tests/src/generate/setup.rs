//! How a world begins: keys, accounts, some money.

use ledger_core::event::*;
use ledger_core::number::*;

use super::Generator;
use super::payments::leg;
use super::scene::Scene;
use crate::keyring;
use crate::model::{Ledger, SECOND};
use crate::stream::{Command, Kind, Sent};

/// Name, roles, prefix.
const KEYS: [(&str, u32, &str); 13] = [
    ("wallet", 1, "cust:"),
    ("anyone", 1, ""),
    ("acquirer", 2, ""),
    ("regional", 2, "north:"),
    ("cashier", 6, "shop:m:usd"),
    ("shop", 4, "shop:"),
    ("owner", 4, ""),
    ("desk", 8, "cust:"),
    ("importer", 8 + 16, ""),
    ("all", 63, ""),
    ("gone", 8, ""),
    ("auditor", 32, ""),
    ("lane", 3, "cust:a"),
];

/// Name before the currency, kind, limit.
const ACCOUNTS: [(&str, AccountKind, u64); 14] = [
    ("world", AccountKind::External, 0),
    ("cust:a", AccountKind::Customer, 0),
    ("cust:b", AccountKind::Customer, 40),
    ("cust:c", AccountKind::Customer, 0),
    ("shop:m", AccountKind::Merchant, 0),
    ("shop:n", AccountKind::Merchant, 25),
    ("north:s", AccountKind::Merchant, 0),
    ("bank", AccountKind::Cash, 0),
    ("till", AccountKind::Cash, 60),
    ("rail", AccountKind::Clearing, 0),
    ("wire", AccountKind::Clearing, 0),
    ("fee", AccountKind::Fee, 0),
    ("fx", AccountKind::Fx, 0),
    ("dispute", AccountKind::Dispute, 0),
];

impl Generator {
    /// The first commands of a world. Some accounts are left out.
    pub(super) fn setup(&mut self, model: &Ledger) -> Vec<Command> {
        let mut bodies = Vec::new();
        for (name, roles, prefix) in KEYS {
            let (key, party, prefix) = (keyring::key(name), name.to_owned(), prefix.to_owned());
            bodies.push(Body::KeyRegistered(KeyRegistered { key, party, roles, prefix }));
        }
        bodies.push(Body::KeyRevoked(KeyRevoked { key: keyring::key("gone"), reason: String::new() }));
        for (code, _) in self.mood.currencies.clone() {
            for (name, kind, limit) in ACCOUNTS {
                if self.dice.once_in(25) && kind != AccountKind::External {
                    continue;
                }
                let account = format!("{name}:{}", code.to_lowercase());
                let currency = code.to_owned();
                bodies.push(Body::AccountOpened(AccountOpened {
                    account,
                    currency,
                    kind: Some(kind),
                    limit,
                }));
            }
        }
        for (code, _) in self.mood.currencies.clone() {
            let amount = self.mood.amounts.saturating_mul(8).min(super::money::LARGEST);
            let legs = vec![
                leg(&format!("world:{}", code.to_lowercase()), Side::Debit, code, amount),
                leg(&format!("cust:a:{}", code.to_lowercase()), Side::Credit, code, amount),
            ];
            let purpose = "OPENING".to_owned();
            bodies.push(Body::TransferPosted(TransferPosted {
                legs,
                purpose,
                related_payment_id: Vec::new(),
            }));
        }
        bodies.into_iter().map(|body| self.signed_by_operators(model, body)).collect()
    }

    fn signed_by_operators(&mut self, model: &Ledger, body: Body) -> Command {
        self.clock += SECOND;
        let scene = Scene { model, books: &model.books, t: self.clock };
        let mut signers = vec![keyring::key("op0"), keyring::key("op1")];
        if let Body::KeyRegistered(body) = &body {
            signers.push(body.key.clone());
        }
        signers.sort();
        let event = Event { signers, ..self.event(&scene, body) };
        let sent = Sent::good(event.encode());
        Command { clock: self.clock, kind: Kind::Single, members: vec![sent] }
    }
}
