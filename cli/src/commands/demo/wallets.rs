//! The demonstration's accounts, keys and events: wallets in three currencies, each covered by one service's key.

use std::num::NonZeroUsize;

use ledger_client::EventBuilder;
use ledger_core::event::{AccountOpened, Body, KeyRegistered, Leg, TransferPosted};
use ledger_core::number::{AccountKind, Roles, Side};
use ledger_core::unit::Submitted;
use ledger_crypto::{Hash, SigningKey};

use crate::exit::CliError;
use crate::progress;

const CURRENCIES: [&str; 3] = ["EUR", "JPY", "USD"];
/// Services, each with a key of its own that covers the accounts of its prefix.
const SERVICES: usize = 8;
/// Opening balance of a wallet, minor units.
const OPENING: u64 = 1_000_000_000;
/// Most legs of a transfer but one, which pays for all.
const CREDITS_PER_FUNDING: usize = 63;

/// All accounts and who owns them.
pub struct Wallets {
    ledger_id: Hash,
    services: Vec<SigningKey>,
    wallets: Vec<Wallet>,
}

struct Wallet {
    account: String,
    currency: &'static str,
    service: usize,
}

impl Wallets {
    /// New keys, and `count` wallets spread over services and currencies.
    pub fn new(ledger_id: Hash, count: u64) -> Result<Self, CliError> {
        let services = (0..SERVICES).map(|_| SigningKey::generate()).collect::<Result<_, _>>()?;
        let wallet = |number: usize| {
            let service = number % SERVICES;
            let currency = CURRENCIES[number / SERVICES % CURRENCIES.len()];
            Wallet { account: format!("service{service}:wallet-{number:06}"), currency, service }
        };
        let count = usize::try_from(count).unwrap_or(usize::MAX);
        Ok(Self { ledger_id, services, wallets: (0..count).map(wallet).collect() })
    }

    /// The services' keys, each signed by the operator and by itself.
    pub fn registrations(&self, operator: &SigningKey) -> Result<Vec<Submitted>, CliError> {
        let register = |(number, key): (usize, &SigningKey)| {
            let body = Body::KeyRegistered(KeyRegistered {
                key: key.public_bytes().to_vec(),
                party: format!("service {number}"),
                roles: u32::from(Roles::OWNER.0),
                prefix: format!("service{number}:"),
            });
            Ok(EventBuilder::new(&self.ledger_id, body)?.sign(&[operator, key]))
        };
        self.services.iter().enumerate().map(register).collect()
    }

    /// All wallets, and an account for the outside world in each currency.
    pub fn openings(&self, operator: &SigningKey) -> Result<Vec<Submitted>, CliError> {
        let open = |account: String, currency: &str, kind| {
            let currency = currency.to_owned();
            let body = Body::AccountOpened(AccountOpened { account, currency, kind: Some(kind), limit: 0 });
            Ok(EventBuilder::new(&self.ledger_id, body)?.sign(&[operator]))
        };
        let outside = CURRENCIES.iter().map(|code| open(outside(code), code, AccountKind::External));
        let wallets = self.wallets.iter();
        let wallets = wallets.map(|w| open(w.account.clone(), w.currency, AccountKind::Customer));
        outside.chain(wallets).collect()
    }

    /// Opening balances, from outside.
    pub fn funding(&self, operator: &SigningKey) -> Result<Vec<Submitted>, CliError> {
        let mut events = Vec::new();
        for currency in CURRENCIES {
            let wallets: Vec<&Wallet> = self.wallets.iter().filter(|w| w.currency == currency).collect();
            for chunk in wallets.chunks(CREDITS_PER_FUNDING) {
                let total = OPENING * chunk.len() as u64;
                let mut legs = vec![leg(&outside(currency), Side::Debit, currency, total)];
                legs.extend(chunk.iter().map(|w| leg(&w.account, Side::Credit, currency, OPENING)));
                events.push(self.transfer(legs, "OPENING", &[operator])?);
            }
        }
        Ok(events)
    }

    /// `count` transfers between wallets of a currency, each signed by the payer's service, on all cores.
    pub fn transfers(&self, count: u64) -> Result<Vec<Submitted>, CliError> {
        let bar = progress::bar("events").with_message("sign");
        bar.set_length(count);
        let threads = std::thread::available_parallelism().map_or(1, NonZeroUsize::get) as u64;
        let share = count.div_ceil(threads);
        let parts = std::thread::scope(|scope| {
            let part = |thread: u64| {
                let numbers = (thread * share).min(count)..((thread + 1) * share).min(count);
                let bar = &bar;
                scope.spawn(move || {
                    let sign = |number| {
                        bar.inc(1);
                        self.numbered(number)
                    };
                    numbers.map(sign).collect::<Result<Vec<_>, CliError>>()
                })
            };
            let running: Vec<_> = (0..threads).map(part).collect();
            running.into_iter().map(|thread| thread.join()).collect::<Vec<_>>()
        });
        bar.finish_and_clear();
        let mut events = Vec::new();
        for part in parts {
            match part {
                Ok(signed) => events.extend(signed?),
                Err(panic) => std::panic::resume_unwind(panic),
            }
        }
        Ok(events)
    }

    /// Events that the ledger must not accept: what is wrong, the answer, the event.
    pub fn bad_events(&self) -> Result<Vec<(&'static str, &'static str, Submitted)>, CliError> {
        let (from, to) = self.pair(0, 1);
        let pay = |amount| {
            vec![
                leg(&from.account, Side::Debit, from.currency, amount),
                leg(&to.account, Side::Credit, from.currency, amount),
            ]
        };
        let owner = &self.services[from.service];
        let other = &self.services[(from.service + 1) % SERVICES];
        let stranger = SigningKey::generate()?;
        let too_much = self.transfer(pay(OPENING * 1_000_000), "TOO MUCH", &[owner])?;
        let wrong_key = self.transfer(pay(1), "NOT MINE", &[other])?;
        let unknown_key = self.transfer(pay(1), "NOBODY", &[&stranger])?;
        let mut forged = self.transfer(pay(1), "FORGED", &[owner])?;
        for (_, signature) in &mut forged.signatures {
            signature.fill(0);
        }
        Ok(vec![
            ("more money than there is", "INSUFFICIENT_FUNDS", too_much),
            ("the key of another service", "SIGNER_NOT_ACCOUNT_OWNER", wrong_key),
            ("a key that nobody registered", "SIGNER_KEY_UNKNOWN", unknown_key),
            ("a signature of zeros", "SIGNATURE_INVALID", forged),
        ])
    }

    /// The transfer of a number: payer, payee and amount follow from it.
    fn numbered(&self, number: u64) -> Result<Submitted, CliError> {
        let mixed = mix(number);
        let (from, to) = self.pair(mixed as usize, (mixed >> 32) as usize);
        let amount = 1 + mixed % 10_000;
        let legs = vec![
            leg(&from.account, Side::Debit, from.currency, amount),
            leg(&to.account, Side::Credit, from.currency, amount),
        ];
        self.transfer(legs, "DEMO", &[&self.services[from.service]])
    }

    /// Two different wallets of one currency.
    fn pair(&self, one: usize, two: usize) -> (&Wallet, &Wallet) {
        let from = &self.wallets[one % self.wallets.len()];
        let start = two % self.wallets.len();
        let (before, after) = self.wallets.split_at(start);
        let mut others = after.iter().chain(before);
        let to = others.find(|w| w.currency == from.currency && w.account != from.account);
        (from, to.unwrap_or(from))
    }

    fn transfer(&self, legs: Vec<Leg>, purpose: &str, keys: &[&SigningKey]) -> Result<Submitted, CliError> {
        let body = Body::TransferPosted(TransferPosted {
            legs,
            purpose: purpose.to_owned(),
            related_payment_id: Vec::new(),
        });
        Ok(EventBuilder::new(&self.ledger_id, body)?.sign(keys))
    }
}

fn outside(currency: &str) -> String {
    format!("outside:{}", currency.to_ascii_lowercase())
}

fn leg(account: &str, side: Side, currency: &str, amount: u64) -> Leg {
    Leg { account: account.to_owned(), side: Some(side), currency: currency.to_owned(), amount }
}

/// SplitMix64: well-spread numbers from consecutive ones.
fn mix(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
