//! Names of accounts and currencies: which texts are some, and how a text that is one becomes the type of the records.

use ledger_core::ids::{AccountId, CurrencyCode};

/// Codes of ISO 4217 without minor units.
const WITHOUT_EXPONENT: [&str; 13] =
    ["XAG", "XAU", "XBA", "XBB", "XBC", "XBD", "XDR", "XPD", "XPT", "XSU", "XTS", "XUA", "XXX"];

/// `[a-z0-9][a-z0-9:_-]{0,63}`.
pub(super) fn is_account_id(text: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_lowercase() || letter.is_ascii_digit();
    (1..=64).contains(&text.len())
        && text.starts_with(is_letter)
        && text.chars().all(|letter| is_letter(letter) || matches!(letter, ':' | '_' | '-'))
}

/// Whether no account can be in it.
pub(super) fn is_without_exponent(code: &str) -> bool {
    WITHOUT_EXPONENT.contains(&code)
}

/// The id of a text that is one.
pub(super) fn account_id(text: &str) -> AccountId {
    AccountId::parse(text).expect("an account id")
}

/// The currency of a code that is one.
pub(super) fn currency(code: &str) -> CurrencyCode {
    CurrencyCode::parse(code).expect("a code of three capital letters")
}
