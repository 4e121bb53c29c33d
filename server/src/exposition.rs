//! Text forms of the metrics: OpenMetrics for those who ask for it, else the older Prometheus text format.
//!
//! The two differ in the name of a counter: OpenMetrics describes `ledger_events` and samples `ledger_events_total`,
//! the older format describes what it samples.

/// Media type of [`prometheus_client::encoding::text`].
pub const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
/// Media type of [`classic`].
pub const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Rewrites OpenMetrics text into the older format: counters are described under their sampled name, units and the
/// end mark go.
pub fn classic(open_metrics: &str) -> String {
    let mut text = String::with_capacity(open_metrics.len() + 1024);
    let mut lines = open_metrics.lines().peekable();
    while let Some(line) = lines.next() {
        if line.starts_with("# UNIT ") || line == "# EOF" {
            continue;
        }
        let counter = |described: &str| {
            let name = described.split(' ').nth(2)?;
            let kind = described.strip_prefix("# TYPE ")?.split(' ').nth(1)?;
            (kind == "counter").then(|| name.to_owned())
        };
        let of_counter = match line {
            _ if line.starts_with("# HELP ") => lines.peek().and_then(|next| counter(next)),
            _ => counter(line),
        };
        match of_counter {
            Some(name) => text += &line.replacen(&name, &format!("{name}_total"), 1),
            None => text += line,
        }
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use prometheus_client::metrics::counter::Counter;
    use prometheus_client::metrics::gauge::Gauge;
    use prometheus_client::registry::{Registry, Unit};

    use super::*;

    #[test]
    fn counters_are_described_under_the_name_they_are_sampled_by() {
        let mut registry = Registry::with_prefix("ledger");
        let events = Counter::<u64>::default();
        events.inc();
        registry.register("events", "Events", events);
        registry.register_with_unit("storage_size", "Stored", Unit::Bytes, Gauge::<i64>::default());
        let mut text = String::new();
        prometheus_client::encoding::text::encode(&mut text, &registry).unwrap();
        assert_eq!(
            classic(&text),
            "# HELP ledger_events_total Events.\n# TYPE ledger_events_total counter\nledger_events_total 1\n\
             # HELP ledger_storage_size_bytes Stored.\n# TYPE ledger_storage_size_bytes gauge\n\
             ledger_storage_size_bytes 0\n"
        );
    }
}
