//! Property 10: amounts as text, in every currency.

use ledger_core::money::{MAX_AMOUNT, currencies, format_amount, parse_amount};
use ledger_property_tests::dice::Dice;

#[test]
fn p10_every_amount_of_every_currency_round_trips_and_near_misses_are_refused() {
    let mut dice = Dice::new(10);
    let (mut round_trips, mut refused, mut of_exponent) = (0, 0, [0; 5]);
    for (code, exponent) in currencies() {
        of_exponent[usize::from(exponent)] += 1;
        let mut amounts = vec![0, 1, 9, 10, 99, 100, 101, 9_999, 10_000, MAX_AMOUNT - 1, MAX_AMOUNT];
        amounts.extend((0..200).map(|_| dice.any() >> dice.below(64)).filter(|amount| *amount <= MAX_AMOUNT));
        for amount in amounts {
            let text = format_amount(i128::from(amount), exponent);
            assert_eq!(text, by_hand(amount, exponent), "{code}");
            assert_eq!(parse_amount(&text, exponent), Ok(amount), "{code} {text}");
            round_trips += 1;
            for near in near_misses(&text, exponent) {
                assert!(parse_amount(&near, exponent).is_err(), "{code}: {near:?} is not {text}");
                refused += 1;
            }
        }
        let above = format_amount(i128::from(MAX_AMOUNT) + 1, exponent);
        assert!(parse_amount(&above, exponent).is_err(), "{code}: {above}");
    }
    // Of ISO 4217: with no, one, two, three, four decimals.
    assert_eq!(of_exponent, [17, 0, 144, 7, 2], "{round_trips} amounts, {refused} near misses");
}

/// Digits with a point before the last `exponent` of them.
fn by_hand(amount: u64, exponent: u8) -> String {
    let digits = format!("{amount:0>width$}", width = usize::from(exponent) + 1);
    match digits.split_at(digits.len() - usize::from(exponent)) {
        (whole, "") => whole.to_owned(),
        (whole, decimals) => format!("{whole}.{decimals}"),
    }
}

fn near_misses(text: &str, exponent: u8) -> Vec<String> {
    let mut near = vec![
        String::new(),
        format!(" {text}"),
        format!("{text} "),
        format!("+{text}"),
        format!("-{text}"),
        format!("{text}0{}", if exponent == 0 { ".0" } else { "" }),
        format!("{text}."),
        format!(".{text}"),
        format!("{text}e0"),
        format!("0x{text}"),
        format!("0{text}"),
        text.replacen('.', ",", 1) + if exponent == 0 { "," } else { "" },
        format!("{text}\u{0661}"),
    ];
    if exponent > 0 {
        near.push(text[..text.len() - 1].to_owned());
        near.push(text.replace('.', ""));
        near.push(text[text.find('.').unwrap()..].to_owned());
        near.push(text[..=text.find('.').unwrap()].to_owned());
    }
    if text.find('.').unwrap_or(text.len()) > 3 {
        near.push(format!("{}_{}", &text[..1], &text[1..]));
        near.push(format!("{},{}", &text[..1], &text[1..]));
        near.push(format!("{} {}", &text[..1], &text[1..]));
    }
    near
}
