//! The chart of accounts: names that both formats take, and from which the ledger's ids can be read back.

use ledger_core::number::AccountKind;

/// Where money of accounts that are not in the journal goes.
pub const OUTSIDE: &str = "Equity:Outside";
/// What accounts held before the period.
pub const OPENING: &str = "Equity:Opening";

/// The name of an account, such as `Liabilities:Customer:Cust:Alice` for `cust:alice`.
///
/// The parts of the id between `:` begin with a capital letter or a digit, as Beancount wants it. Ids have no capital
/// letters, so these serve as escapes: `U` for `_`, `XX` before a part that begins with neither letter nor digit. No two
/// ids have one name.
pub fn name(id: &str, kind: AccountKind) -> String {
    let class = match kind {
        AccountKind::Customer => "Liabilities:Customer",
        AccountKind::Merchant => "Liabilities:Merchant",
        AccountKind::Dispute => "Liabilities:Dispute",
        AccountKind::Clearing => "Assets:Clearing",
        AccountKind::Cash => "Assets:Cash",
        AccountKind::Fee => "Income:Fee",
        AccountKind::Fx => "Equity:Fx",
        AccountKind::External => "Equity:External",
    };
    let parts = id.split(':').map(part);
    std::iter::once(class.to_owned()).chain(parts).collect::<Vec<_>>().join(":")
}

fn part(text: &str) -> String {
    let escaped = text.replace('_', "U");
    match text.chars().next() {
        Some(first) if first.is_ascii_alphanumeric() => {
            let mut part = first.to_ascii_uppercase().to_string();
            part.extend(escaped.chars().skip(1));
            part
        }
        _ => format!("XX{escaped}"),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    #[test]
    fn names_are_what_beancount_takes_and_never_the_same() {
        let letters = ['a', 'x', 'u', '7', ':', '_', '-'];
        let mut names = BTreeMap::new();
        for first in ['a', 'x', 'u', '7'] {
            for count in 0..5u32 {
                for number in 0..letters.len().pow(count) {
                    let tail =
                        (0..count).map(|place| letters[number / letters.len().pow(place) % letters.len()]);
                    let id: String = std::iter::once(first).chain(tail).collect();
                    let name = name(&id, AccountKind::Customer);
                    for part in name.split(':') {
                        assert!(
                            part.starts_with(|c: char| c.is_ascii_uppercase() || c.is_ascii_digit()),
                            "{name}"
                        );
                        assert!(part.chars().all(|c| c.is_ascii_alphanumeric() || c == '-'), "{name}");
                    }
                    assert_eq!(names.insert(name.clone(), id.clone()), None, "{name} of {id} is taken");
                }
            }
        }
        assert_eq!(name("cust:alice", AccountKind::Customer), "Liabilities:Customer:Cust:Alice");
        assert_eq!(name("till_1::", AccountKind::Cash), "Assets:Cash:TillU1:XX:XX");
    }
}
