//! Fields that are wrong, or at the edge of what is right.

use ledger_core::event::*;

use super::Generator;
use super::money::LARGEST;
use super::scene::Scene;
use crate::keyring;
use crate::model::{SECOND, utc_date};
use crate::stream::commitment;

const DAY: u64 = 86_400 * SECOND;

impl Generator {
    /// Fields that an event may carry.
    pub(super) fn optional_fields(&mut self, scene: &Scene<'_>, event: &mut Event) {
        if self.dice.once_in(10) {
            event.metadata_commitment = self.dice.pick(&[vec![9; 32], commitment(), commitment()]);
        }
        if event.body.number() <= 14 && self.dice.once_in(12) {
            let t = scene.t;
            event.effective_date = match self.dice.below(8) {
                0 => scene.books.closed_through,
                1 => scene.books.closed_through + 1,
                2 => utc_date(t - DAY.min(t)),
                3 => utc_date(t - (10 * DAY).min(t)),
                _ => utc_date(t),
            };
        }
    }

    /// One wrong field.
    pub(super) fn fault(&mut self, scene: &Scene<'_>, event: &mut Event) {
        if self.dice.once_in(3) { self.fault_of_header(scene, event) } else { self.fault_of_body(event) }
    }

    fn fault_of_header(&mut self, scene: &Scene<'_>, event: &mut Event) {
        let t = scene.t;
        match self.dice.below(17) {
            0 => event.ledger_id = self.dice.pick(&[Vec::new(), vec![1; 32], vec![2; 31]]),
            1 => event.event_id = self.dice.pick(&[Vec::new(), vec![0; 16]]),
            2 if event.event_id.len() == 16 => match self.dice.below(3) {
                0 => event.event_id[6] = 0x40,
                1 => event.event_id[8] &= 0x3F,
                _ => event.event_id.truncate(15),
            },
            3 => {
                // The last millisecond that is not of the future, and the next one.
                let millis = (t + 300 * SECOND) / 1_000_000 + self.dice.below(2);
                if event.event_id.len() == 16 {
                    event.event_id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
                }
            }
            4 => {
                event.payment_id = match self.dice.below(4) {
                    0 => Vec::new(),
                    1 => vec![0; 16],
                    2 => vec![3; 15],
                    _ => self.new_payment_id(),
                }
            }
            5 | 6 => {
                event.previous_event_id = match self.dice.below(5) {
                    0 => Vec::new(),
                    1 => vec![3; 15],
                    2 => vec![0; 16],
                    3 => self.new_id(t),
                    _ => self.older_head(scene, event),
                }
            }
            7 => {
                event.timestamp_nanos = self.dice.pick(&[
                    0,
                    t - DAY,
                    t - DAY - 1,
                    t + 300 * SECOND,
                    t + 300 * SECOND + 1,
                    t - 20 * DAY,
                ]);
            }
            8 => {
                event.effective_date =
                    self.dice.pick(&[utc_date(t + DAY), 20_260_230, 19_691_231, 20_260_101, 1, 99_999_999]);
            }
            9 => event.external_ref = self.dice.pick(&["x".repeat(36), "x".repeat(35), "REF 1".to_owned()]),
            10 => event.metadata_commitment = vec![1; 31],
            12 | 13 => {
                // For importers the window is open, and a missing time is a missing field.
                event.signers.push(keyring::key("importer"));
                event.signers.sort();
                event.signers.dedup();
                event.timestamp_nanos = self.dice.pick(&[0, 0, t - 20 * DAY]);
            }
            11 => event.group = vec![5; self.dice.pick(&[32, 31])],
            _ => self.fault_of_signers(event),
        }
    }

    fn fault_of_signers(&mut self, event: &mut Event) {
        match self.dice.below(9) {
            0 => event.signers.clear(),
            1 => event.signers.push(keyring::key("stranger")),
            2 => event.signers = keyring::NAMES[1..10].iter().map(|name| keyring::key(name)).collect(),
            3 => event.signers.reverse(),
            4 => event.signers.extend(event.signers.clone()),
            5 => event.signers = vec![vec![1; 31]],
            6 => event.signers = vec![keyring::key("gone")],
            7 => event.signers = vec![keyring::key("auditor")],
            _ => {
                event.signers.push(keyring::key("gone"));
                event.signers.sort();
            }
        }
    }

    /// A head that the payment had before.
    fn older_head(&mut self, scene: &Scene<'_>, event: &Event) -> Vec<u8> {
        let heads = scene.model.history.iter().filter_map(|entry| entry.accepted_event());
        let heads: Vec<&Event> = heads.filter(|head| head.payment_id == event.payment_id).collect();
        if heads.is_empty() { vec![4; 16] } else { self.dice.pick(&heads).event_id.clone() }
    }

    fn fault_of_body(&mut self, event: &mut Event) {
        match &mut event.body {
            Body::PaymentInitiated(body) => match self.dice.below(9) {
                0 => body.currency = self.wrong_currency(),
                1 => body.debtor = self.wrong_account(),
                2 => body.creditor = self.wrong_account(),
                3 => body.clearing_account = self.wrong_account(),
                4 => body.capture_mode = None,
                5 => body.creditor.clone_from(&body.debtor),
                6 => body.creditor = "cust:missing".to_owned(),
                _ => body.amount = self.wrong_amount(),
            },
            Body::PaymentRejected(body) => body.reason = self.wrong_reason(),
            Body::PaymentAuthorized(body) => match self.dice.below(2) {
                0 => body.amount = self.wrong_amount(),
                _ => body.timeout_s = self.dice.pick(&[0, 31_536_000, 31_536_001]),
            },
            Body::AuthorizationIncreased(body) => body.amount = self.wrong_amount(),
            Body::AuthorizationReduced(body) => body.amount = self.wrong_amount(),
            Body::PaymentCaptured(body) => {
                self.fault_of_money(&mut body.amount, Some(&mut body.fees), &mut body.fx);
            }
            Body::PaymentVoided(body) => body.reason = self.wrong_reason(),
            Body::PaymentSettled(body) => match self.dice.below(4) {
                0 => body.settlement_ref = "s".repeat(36),
                _ => self.fault_of_money(&mut body.amount, None, &mut body.fx),
            },
            Body::PaymentRefunded(body) => match self.dice.below(5) {
                0 => body.cause = None,
                1 => body.reason = self.wrong_reason(),
                _ => self.fault_of_money(&mut body.amount, Some(&mut body.fees), &mut body.fx),
            },
            Body::ChargebackOpened(body) => match self.dice.below(3) {
                0 => body.reason = self.wrong_reason(),
                _ => self.fault_of_money(&mut body.amount, None, &mut body.fx),
            },
            Body::ChargebackResolved(body) => match self.dice.below(3) {
                0 => body.result = None,
                _ => self.fault_of_money(&mut body.amount, None, &mut body.fx),
            },
            Body::PaymentReversed(body) => match self.dice.below(2) {
                0 => body.target_event_id = self.dice.pick(&[Vec::new(), vec![1; 15], vec![0; 16]]),
                _ => body.reason = self.wrong_reason(),
            },
            Body::TransferPosted(body) => self.fault_of_transfer(body),
            other => self.fault_of_control(other),
        }
    }

    fn fault_of_money(&mut self, amount: &mut u64, fees: Option<&mut Vec<Fee>>, fx: &mut Option<Fx>) {
        match (self.dice.below(4), fees, fx) {
            (0, Some(fees), _) => {
                let currency = self.some_currency();
                let account = format!("fee:{}", currency.to_lowercase());
                let payer = Some(ledger_core::number::Payer::Creditor);
                let mut fee = Fee { payer, account, currency, amount: 1 };
                match self.dice.below(7) {
                    0 => fee.payer = None,
                    1 => fee.account = self.wrong_account(),
                    2 => fee.currency = self.wrong_currency(),
                    3 => fee.account = "fee:missing".to_owned(),
                    4 => fees.extend(vec![fee.clone(); 8]),
                    5 => fee = Fee::default(),
                    _ => fee.amount = self.dice.pick(&[0, LARGEST, LARGEST + 1]),
                }
                fees.push(fee);
            }
            (1 | 2, _, Some(fx)) => match self.dice.below(10) {
                0 | 9 => fx.counter_currency = self.wrong_currency(),
                1 => fx.counter_amount = self.wrong_amount(),
                2 => fx.rate_mantissa = self.dice.pick(&[0, 100_000_000_000, u64::MAX]),
                3 => fx.rate_scale = 11,
                4 => fx.rounding = None,
                5 => fx.quote_ref = "q".repeat(36),
                6 => *fx = Fx::default(),
                7 => fx.rate_scale = (fx.rate_scale + 1) % 11,
                _ => fx.rate_mantissa = fx.rate_mantissa % 99_999_999_999 + 1,
            },
            (1, _, fx @ None) => *fx = Some(Fx::default()),
            _ => *amount = self.wrong_amount(),
        }
    }

    fn fault_of_transfer(&mut self, body: &mut TransferPosted) {
        let at = self.dice.below(body.legs.len().max(1) as u64) as usize;
        match self.dice.below(11) {
            0 => body.purpose = self.wrong_reason(),
            1 => body.related_payment_id = self.dice.pick(&[vec![1; 15], vec![0; 16], vec![8; 16]]),
            2 => body.legs.clear(),
            3 => body.legs.truncate(1),
            4 => {
                let times = self.dice.between(31, 33);
                let pair: Vec<Leg> = body.legs.iter().take(2).cloned().collect();
                body.legs = (0..times).flat_map(|_| pair.clone()).collect();
            }
            5 => {
                let amount = self.dice.pick(&[LARGEST, LARGEST / 2 + 1]);
                body.legs.iter_mut().for_each(|leg| leg.amount = amount);
                body.legs.extend(body.legs.clone());
            }
            choice => {
                let Some(leg) = body.legs.get_mut(at) else { return };
                match choice {
                    6 => leg.account = self.wrong_account(),
                    7 => leg.side = self.dice.pick(&[None, leg.side.map(|side| side.opposite())]),
                    8 => leg.currency = self.wrong_currency(),
                    9 => leg.amount = self.wrong_amount(),
                    _ => *leg = Leg::default(),
                }
            }
        }
    }

    fn fault_of_control(&mut self, body: &mut Body) {
        match body {
            Body::AccountOpened(body) => match self.dice.below(5) {
                0 => body.account = self.wrong_account(),
                1 => body.currency = self.wrong_currency(),
                2 => body.kind = None,
                3 => body.limit = self.dice.pick(&[1, LARGEST]),
                _ => body.limit = self.too_large(),
            },
            Body::AccountStatusChanged(body) => match self.dice.below(3) {
                0 => body.account = self.wrong_account(),
                1 => body.status = None,
                _ => body.reason = self.wrong_reason(),
            },
            Body::AccountLimitChanged(body) => match self.dice.below(2) {
                0 => body.account = self.wrong_account(),
                _ => body.limit = self.too_large(),
            },
            Body::KeyRegistered(body) => match self.dice.below(5) {
                0 => body.key = self.dice.pick(&[Vec::new(), vec![1; 31], vec![1; 32]]),
                1 => body.party = self.dice.pick(&[String::new(), "p".repeat(36)]),
                2 => body.roles = self.dice.pick(&[0, 64, 65, 1 << 20]),
                3 => body.prefix = self.dice.pick(&["Cust:", ":", "a b", "cust:a"]).to_owned(),
                _ => body.prefix = "p".repeat(65),
            },
            Body::KeyRevoked(body) => match self.dice.below(2) {
                0 => body.key = self.dice.pick(&[Vec::new(), vec![1; 31], vec![1; 33]]),
                _ => body.reason = "r".repeat(36),
            },
            Body::PeriodClosed(body) => {
                body.through = self.dice.pick(&[0, 20_260_230, 19_691_231, 19_700_101, 99_991_231]);
            }
            Body::LogKeyRotated(body) => {
                body.new_key = self.dice.pick(&[Vec::new(), vec![1; 31], keyring::key("stranger")]);
            }
            Body::RulesChanged(body) => body.rules_version = 0,
            Body::MetadataErased(body) => match self.dice.below(2) {
                0 => body.event_id = self.dice.pick(&[Vec::new(), vec![1; 15], vec![0; 16]]),
                _ => body.reason = self.wrong_reason(),
            },
            _ => {}
        }
    }

    fn wrong_amount(&mut self) -> u64 {
        self.dice.pick(&[0, 0, LARGEST + 1, LARGEST, u64::MAX])
    }

    fn wrong_reason(&mut self) -> String {
        self.dice.pick(&[String::new(), "r".repeat(36), "r".repeat(35)])
    }

    fn wrong_account(&mut self) -> String {
        let too_long = "a".repeat(65);
        self.dice.pick(&["", "Cust:a", ":a", "a b", too_long.as_str(), "cust:missing"]).to_owned()
    }

    fn wrong_currency(&mut self) -> String {
        self.dice.pick(&["", "CHF", "XAU", "XAU", "usd", "US", "AAA", "USD"]).to_owned()
    }
}
