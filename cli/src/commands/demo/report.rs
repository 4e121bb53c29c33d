//! The table at the end of the demonstration.

use std::time::Duration;

use comfy_table::Table;
use ledger_client::messages::TrialBalanceResponse;
use serde_json::{Value, json};

use super::load::Answered;
use super::metrics::Usage;
use crate::render::{self, Facts};
use crate::text;

/// Everything that was seen.
pub struct Report {
    pub events: u64,
    pub accounts: u64,
    pub elapsed: Duration,
    pub answered: Answered,
    pub rejections: Rejections,
    /// Events found by id after the kill; `None` when that was not looked at.
    pub found: Option<u64>,
    /// What the server used while the events were submitted.
    pub usage: Usage,
    pub trial_balance: TrialBalanceResponse,
    pub blocks: u64,
    pub entries: u64,
    /// The verifier on the export.
    pub verdict: Value,
    /// The verifier on the changed export.
    pub finding: Value,
}

/// Events that were refused on purpose: what was wrong, and the answer.
#[derive(Debug, Default)]
pub struct Rejections(Vec<(&'static str, String)>);

impl Rejections {
    /// One more.
    pub fn push(&mut self, what: &'static str, answer: String) {
        self.0.push((what, answer));
    }
}

impl Report {
    /// For people.
    pub fn table(&self) -> Table {
        render::facts_table(&self.facts())
    }

    /// For programs.
    pub fn json(&self) -> Value {
        let refused =
            self.rejections.0.iter().map(|(what, answer)| json!({ "event": what, "answer": answer }));
        let totals = self.trial_balance.totals.iter().map(|total| {
            let counters = total.counters.clone().unwrap_or_default();
            render::object(&render::sums(&total.currency, total.exponent, "all", &counters))
        });
        json!({
            "submitted": (self.events + self.rejections.0.len() as u64).to_string(),
            "accepted": self.answered.accepted.to_string(),
            "refused": refused.collect::<Vec<_>>(),
            "accounts": self.accounts.to_string(),
            "seconds": format!("{:.3}", self.elapsed.as_secs_f64()),
            "events_per_second": format!("{:.0}", self.rate()),
            "found_after_kill": self.found.map(|found| found.to_string()),
            "syncs_per_group": self.syncs_per_group(),
            "server_micros_per_event": format!("{:.1}", self.micros(self.usage.cpu_seconds)),
            "client_micros_per_event": format!("{:.1}", self.micros(self.usage.client_seconds)),
            "signature_share": self.signature_share(),
            "blocks": self.blocks.to_string(),
            "entries": self.entries.to_string(),
            "trial_balance": totals.collect::<Vec<_>>(),
            "verdict": self.verdict,
            "tampered": self.finding,
        })
    }

    fn facts(&self) -> Facts {
        let refused = self.rejections.0.iter();
        let refused: Vec<String> = refused.map(|(what, answer)| format!("{what}: {answer}")).collect();
        let mut facts: Facts = vec![
            ("events submitted", (self.events + self.rejections.0.len() as u64).to_string()),
            ("accepted", format!("{} transfers over {} accounts", self.answered.accepted, self.accounts)),
            ("refused, on purpose", refused.join("\n")),
            ("events per second", format!("{:.0} ({:.2} s)", self.rate(), self.elapsed.as_secs_f64())),
            ("commit groups", format!("{:.0}, {} syncs each", self.usage.groups, self.syncs_per_group())),
            ("processor time", self.processor()),
            ("blocks", format!("{} over {} entries", self.blocks, self.entries)),
        ];
        if let Some(found) = self.found {
            facts.push(("after kill and restart", format!("{found} of {} events found by id", self.events)));
        }
        for total in &self.trial_balance.totals {
            let counters = total.counters.clone().unwrap_or_default();
            let amount = |minor: &str| text::decimal_amount(minor, total.exponent, &total.currency);
            let difference =
                match (counters.posted_debits.parse::<i128>(), counters.posted_credits.parse::<i128>()) {
                    (Ok(debits), Ok(credits)) => {
                        text::amount(debits - credits, total.exponent, &total.currency)
                    }
                    _ => "?".to_owned(),
                };
            let (debits, credits) = (amount(&counters.posted_debits), amount(&counters.posted_credits));
            facts.push(("trial balance", format!("debits {debits}, credits {credits}, sum {difference}")));
        }
        facts.push(("ledger-verify", words(&self.verdict)));
        facts.push(("with one byte changed", words(&self.finding)));
        facts
    }

    fn rate(&self) -> f64 {
        self.events as f64 / self.elapsed.as_secs_f64()
    }

    fn syncs_per_group(&self) -> String {
        format!("{:.2}", self.usage.syncs / self.usage.groups)
    }

    /// Processor time for one event.
    fn micros(&self, seconds: f64) -> f64 {
        1e6 * seconds / self.events as f64
    }

    /// The workers' part of the server's processor time.
    fn signature_share(&self) -> String {
        format!("{:.0} %", 100.0 * self.usage.worker_seconds / self.usage.cpu_seconds)
    }

    fn processor(&self) -> String {
        let server = self.micros(self.usage.cpu_seconds);
        let (client, share) = (self.micros(self.usage.client_seconds), self.signature_share());
        format!(
            "server {server:.1} µs an event, {share} of it signature checks and decoding; client {client:.1} µs"
        )
    }
}

/// The verifier's verdict, and its finding when it has one, a line per part.
fn words(report: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let finding = &report["finding"];
    if finding.is_null() {
        return format!("{}, {} entries", text(&report["verdict"]), text(&report["size"]));
    }
    let mut words = text(&report["verdict"]);
    for (part, name) in [
        ("entry", "log_index"),
        ("file", "file"),
        ("field", "field"),
        ("expected", "expected"),
        ("found", "found"),
    ] {
        if !finding[name].is_null() {
            words += &format!("\n{part} {}", text(&finding[name]));
        }
    }
    words
}
