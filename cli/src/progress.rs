//! Progress of long work, drawn on standard error when that is a terminal.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar over a number of things, such as `entries`.
pub fn bar(things: &'static str) -> ProgressBar {
    let template =
        format!("{{msg}} {{bar:40}} {{human_pos}}/{{human_len}} {things}, {{per_sec}}, {{eta}} left");
    let style = ProgressStyle::with_template(&template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(0).with_style(style)
}
