//! The core and the naive model on random streams of commands: no answer and no record differs, every cell is reached.
//!
//! `LEDGER_PROPERTY_COMMANDS` and `LEDGER_PROPERTY_SEED` set length and first seed. Every world has its own seed.

mod broken;
mod table;

use std::io::Write;
use std::path::Path;
use std::time::Instant;

use ledger_property_tests::coverage::Coverage;
use ledger_property_tests::generate::{Failure, play};
use ledger_property_tests::pair::Pair;
use ledger_property_tests::shrink::{run, shrink};
use ledger_property_tests::stream::{Stored, from_text, to_text};
use rayon::prelude::*;

/// Commands of a run, when nobody says otherwise: enough to reach every cell many times.
const COMMANDS: u64 = 400_000;

/// Commands of a world.
const WORLD: usize = 2_000;

#[test]
fn core_and_model_agree_and_every_cell_is_reached() {
    let commands = from_environment("LEDGER_PROPERTY_COMMANDS", COMMANDS);
    let seed = from_environment("LEDGER_PROPERTY_SEED", 1);
    let worlds = commands.div_ceil(WORLD as u64);
    say(&format!("{worlds} worlds of {WORLD} commands from seed {seed}"));
    let started = Instant::now();
    let reached = (0..worlds).into_par_iter().map(|world| play(seed + world, WORLD)).try_reduce(
        Coverage::default,
        |mut one, other| {
            one.merge(other);
            Ok(one)
        },
    );
    let reached = reached.unwrap_or_else(|failure| report(*failure));
    let seconds = started.elapsed().as_secs_f64();
    let table = table::compare(&reached);
    say(&table.text);
    say(&format!("seed {seed}: {} units in {seconds:.1} s, no difference", reached.commands));
    assert_eq!(table.forbidden, Vec::<String>::new(), "impossible, but reached, seed {seed}");
    // The usual run reaches every cell, and so does any run that is long enough.
    if commands >= 5 * COMMANDS || (commands, seed) == (COMMANDS, 1) {
        assert_eq!(table.missing, Vec::<String>::new(), "possible, but not reached, seed {seed}");
    }
}

#[test]
fn every_stream_that_once_failed_passes_with_the_answers_that_are_right() {
    let mut files = 0;
    for file in std::fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("regressions")).unwrap() {
        let path = file.unwrap().path();
        let Stored { threshold, commands, answers } =
            from_text(&std::fs::read_to_string(&path).unwrap()).unwrap();
        let mut pair = Pair::new(threshold);
        for (position, (command, answer)) in commands.iter().zip(answers).enumerate() {
            let place = format!("{}, command {position}", path.display());
            pair.take(command).unwrap_or_else(|difference| panic!("{place}: {difference}"));
            let answer =
                answer.unwrap_or_else(|| panic!("{place}: write ` =` and the right answer behind it"));
            let given = pair.answer.as_ref().map(ToString::to_string).unwrap_or_default();
            assert_eq!(given, answer, "{place}");
        }
        pair.full().unwrap_or_else(|difference| panic!("{}: {difference}", path.display()));
        files += 1;
    }
    assert!(files >= 2, "{files} streams are kept");
}

#[test]
fn a_rule_that_differs_is_found_and_shrunk_to_what_shows_it() {
    type Change = fn(&mut Pair);
    let changes: [(&str, Change); 4] = [
        ("group members", |pair| pair.model.fixed.group_members = 2),
        ("operator threshold", |pair| pair.model.fixed.operator_threshold += 1),
        ("exponent of the dollar", |pair| {
            pair.model.fixed.exponents.values_mut().for_each(|exponent| *exponent = (*exponent + 1) % 5);
        }),
        ("a model that panics", |pair| pair.model.fixed.exponents.clear()),
    ];
    for (name, change) in changes {
        let start = || {
            let mut pair = Pair::new(1);
            change(&mut pair);
            pair
        };
        let stream = ledger_property_tests::generate::stream(7, 1_500);
        let (kept, difference) = shrink(start, &stream);
        println!("{name}: {} commands of {}: {difference}", kept.len(), stream.len());
        assert!(run(start, &kept).is_err(), "{name}");
        assert!(kept.len() <= 3, "{name}: {} commands", kept.len());
        let stored = from_text(&to_text(1, &kept)).unwrap();
        assert_eq!((stored.threshold, stored.commands), (1, kept), "{name}: the text is the stream");
    }
}

#[test]
fn a_panic_is_a_difference_with_its_words() {
    let mut pair = Pair::new(1);
    pair.model.history.clear();
    let stream = ledger_property_tests::generate::stream(7, 50);
    let difference = pair.take(&stream[0]).unwrap_err();
    assert!(difference.starts_with("panic: ") && difference.contains("the genesis"), "{difference}");
}

/// Shrinks, prints, keeps the stream as a file, and panics.
fn report(failure: Failure) -> Coverage {
    let Failure { seed, threshold, commands, difference } = failure;
    say(&format!("seed {seed}, {} commands: {difference}", commands.len()));
    let (kept, shown) = shrink(|| Pair::new(threshold), &commands);
    let text = to_text(threshold, &kept);
    let path = std::env::temp_dir().join(format!("ledger-difference-{seed}.txt"));
    std::fs::write(&path, format!("# {}\n{text}", difference.replace('\n', "\n# "))).unwrap();
    let (count, path) = (kept.len(), path.display());
    panic!("seed {seed}: {difference}\n{count} commands are enough ({path}): {shown}\n{text}");
}

/// Prints; a passing test's `println!` would be kept back.
fn say(text: &str) {
    std::io::stdout().write_all(format!("{text}\n").as_bytes()).unwrap();
}

fn from_environment(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.replace('_', "").parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")),
        Err(_) => otherwise,
    }
}
