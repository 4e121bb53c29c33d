//! What the server says after each step, beside what the example says.

use ledger_client::messages::{Account, Payment};
use ledger_client::{Client, EventAnswer};
use ledger_core::ids::PaymentId;
use ledger_core::number::PaymentStatus;
use serde_json::{Value, json};

use super::example::{Exchange, Step, account};
use super::failed;
use crate::exit::CliError;
use crate::render::{self, Facts};
use crate::text;

/// Names of the counters, in their order.
const COUNTERS: [&str; 7] = ["auth", "capt", "rel", "sett", "refd", "disp", "lost"];
const COLUMNS: [&str; 8] = [
    "step",
    "answer",
    "customer posted / held / available",
    "merchant posted (held for it)",
    "fees",
    "dispute",
    "counters",
    "status",
];

/// One step as it was seen.
pub struct Seen {
    row: Facts,
    /// What is not as in the example.
    differences: Vec<String>,
}

/// The whole example as it was seen.
pub struct Report {
    pub steps: Vec<Seen>,
    pub exchange: Seen,
    /// The command that checked the receipt of the refused refund.
    pub command: String,
}

impl Seen {
    /// Reads accounts and payment, and compares every number.
    pub async fn of_step(
        client: &Client,
        payment: PaymentId,
        step: &Step,
        answer: &EventAnswer,
    ) -> Result<Self, CliError> {
        let mut seen = Self { row: vec![("step", step.name.to_owned())], differences: Vec::new() };
        let limit = answer.recorded().map(|recorded| recorded.detail.limit.clone()).unwrap_or_default();
        let found = (answer.verdict().to_string(), limit);
        seen.compare("answer", &found.0, step.answer.0);
        seen.compare("limit of the answer", &found.1, step.answer.1);
        seen.row.push(("answer", found.0));

        let customer = Balance::of(&read(client, account::CUSTOMER).await?)?;
        let merchant = Balance::of(&read(client, account::MERCHANT).await?)?;
        let fee = Balance::of(&read(client, account::FEES).await?)?.posted;
        let dispute = Balance::of(&read(client, account::DISPUTES).await?)?.posted;
        let of_customer = [customer.posted, customer.pending_debits, customer.available];
        let of_merchant = [merchant.posted, merchant.pending_credits];
        seen.compare("customer", &of_customer, &step.customer);
        seen.compare("merchant", &of_merchant, &step.merchant);
        seen.compare("fees", &fee, &step.fee);
        seen.compare("dispute", &dispute, &step.dispute);
        let held = if of_merchant[1] == 0 { String::new() } else { format!(" ({})", usd(of_merchant[1])) };
        seen.row.push((COLUMNS[2], of_customer.map(usd).join(" / ")));
        seen.row.push((COLUMNS[3], format!("{}{held}", usd(of_merchant[0]))));
        seen.row.push(("fees", usd(fee)));
        seen.row.push(("dispute", usd(dispute)));

        let payment = client.payment(payment).await?;
        let counters = counters(&payment)?;
        let status = render::name(payment.status, PaymentStatus::from_number, PaymentStatus::name);
        seen.compare("counters", &counters, &step.counters);
        seen.compare("status", &status, step.status);
        let named = COUNTERS.iter().zip(counters).filter(|(_, amount)| *amount != 0);
        let named: Vec<String> = named.map(|(name, amount)| format!("{name} {}", usd(amount))).collect();
        seen.row.push(("counters", named.join(", ")));
        seen.row.push(("status", status));
        Ok(seen)
    }

    /// Reads the accounts of the exchange, and compares them.
    pub async fn of_exchange(
        client: &Client,
        exchange: &Exchange,
        answer: &EventAnswer,
    ) -> Result<Self, CliError> {
        let mut seen = Self { row: vec![("exchange", exchange.name.to_owned())], differences: Vec::new() };
        let answer = answer.verdict().to_string();
        seen.compare("answer", &answer, "ACCEPTED");
        seen.row.push(("answer", answer));
        for (name, expected) in exchange.posted {
            let account = read(client, name).await?;
            let posted = Balance::of(&account)?.posted;
            seen.compare(name, &posted, &expected);
            seen.row.push((name, text::amount(posted, account.exponent, &account.currency)));
        }
        Ok(seen)
    }

    fn compare<T, E>(&mut self, what: &str, found: &T, expected: &E)
    where
        T: PartialEq<E> + std::fmt::Debug + ?Sized,
        E: std::fmt::Debug + ?Sized,
    {
        if found != expected {
            self.differences.push(format!("{what} {found:?}, expected {expected:?}"));
        }
    }
}

impl Report {
    /// For people: the table of the example, the exchange, and how to check the refusal.
    pub fn table(&self) -> String {
        let rows: Vec<Facts> = self.steps.iter().map(|seen| seen.row.clone()).collect();
        let right = ["fees", "dispute"];
        let steps = render::list_table(&rows, &COLUMNS, &right);
        let exchange = render::facts_table(&self.exchange.row);
        format!(
            "{steps}\n{exchange}\nThe refused refund is in the log, and this proves it without the server (exit code 0):\n{}",
            self.command
        )
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let steps: Vec<Value> = self.steps.iter().map(|seen| render::object(&seen.row)).collect();
        json!({
            "steps": steps,
            "exchange": render::object(&self.exchange.row),
            "receipt_command": self.command,
            "differences": self.differences(),
        })
    }

    /// The first number that is not the example's.
    pub fn first_difference(&self) -> Option<String> {
        self.differences().into_iter().next()
    }

    fn differences(&self) -> Vec<String> {
        let all = self.steps.iter().chain([&self.exchange]);
        let of = |seen: &Seen| {
            let name = seen.row.first().map(|(_, name)| name.clone()).unwrap_or_default();
            seen.differences.iter().map(move |words| format!("{name}: {words}")).collect::<Vec<_>>()
        };
        all.flat_map(of).collect()
    }
}

/// What an account shows, in minor units.
struct Balance {
    posted: i128,
    available: i128,
    pending_debits: i128,
    pending_credits: i128,
}

impl Balance {
    fn of(account: &Account) -> Result<Self, CliError> {
        let balance = account.balance.clone().unwrap_or_default();
        let counters = balance.counters.unwrap_or_default();
        Ok(Self {
            posted: number(&balance.posted)?,
            available: number(&balance.available)?,
            pending_debits: number(&counters.pending_debits)?,
            pending_credits: number(&counters.pending_credits)?,
        })
    }
}

async fn read(client: &Client, name: &str) -> Result<Account, CliError> {
    let found = client.account(name, None).await?.account;
    found.ok_or_else(|| failed(&format!("the server shows nothing of the account {name}")))
}

fn counters(payment: &Payment) -> Result<[i128; 7], CliError> {
    let Payment { authorized, captured, released, settled, refunded, disputed, lost, .. } = payment;
    let mut numbers = [0; 7];
    let texts = [authorized, captured, released, settled, refunded, disputed, lost];
    for (place, text) in numbers.iter_mut().zip(texts) {
        *place = number(text)?;
    }
    Ok(numbers)
}

fn number(text: &str) -> Result<i128, CliError> {
    text.parse().map_err(|_| failed(&format!("the server says {text:?} where a number belongs")))
}

/// Cents as dollars, without the currency: the table is all in one.
fn usd(minor: i128) -> String {
    text::amount(minor, 2, "USD").trim_end_matches(" USD").to_owned()
}
