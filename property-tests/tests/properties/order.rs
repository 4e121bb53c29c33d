//! Properties 4 and 5: sending again changes nothing, and payments that share nothing may come in any order.

use std::collections::BTreeMap;

use ledger_core::ids::PaymentId;
use ledger_crypto::Hash;
use ledger_property_tests::dice::Dice;
use ledger_property_tests::generate::{independent_payments, stream};
use ledger_property_tests::model::Answer;
use ledger_property_tests::pair::Pair;
use ledger_property_tests::stream::{Command, Kind};

#[test]
fn p04_sending_any_part_again_any_number_of_times_ends_in_the_same_state() {
    let (mut resent, mut batches) = (0, 0);
    for seed in 400..404 {
        let mut dice = Dice::new(seed);
        let commands = spread(stream(seed, 600));
        let (mut once, mut again) = (Pair::new(1), Pair::new(1));
        let mut recorded: Vec<Command> = Vec::new();
        let mut recorded_batches: Vec<Command> = Vec::new();
        for command in &commands {
            let size = once.model.history.len();
            once.take(command).unwrap_or_else(|difference| panic!("seed {seed}: {difference}"));
            again.take(command).unwrap_or_else(|difference| panic!("seed {seed}: {difference}"));
            // What was turned away may be admitted at another time; what is in the log stays what it was.
            let is_recorded = once.model.history[size..].iter().any(|entry| entry.event().is_some());
            match command.kind {
                Kind::Batch if is_recorded => recorded_batches.push(command.clone()),
                Kind::Single | Kind::Group if is_recorded => recorded.push(command.clone()),
                _ => {}
            }
            while !recorded.is_empty() && dice.once_in(2) {
                let clock = command.clock;
                let is_batch = dice.once_in(4) && !recorded_batches.is_empty();
                let resend = dice.pick(if is_batch { &recorded_batches } else { &recorded });
                batches += usize::from(is_batch);
                again.take(&Command { clock, ..resend }).unwrap();
                let answer = again.answer.as_ref().expect("an offer");
                assert!(matches!(answer, Answer::Known(_)), "seed {seed}: {answer}");
                resent += 1;
            }
        }
        once.full().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        again.full().unwrap_or_else(|broken| panic!("seed {seed}: {broken}"));
        assert_eq!(again.model.books.hash(), once.model.books.hash(), "seed {seed}");
        assert_eq!(again.model.history.len(), once.model.history.len(), "seed {seed}");
    }
    println!("{resent} units sent again, {batches} of them batches");
    assert!(resent > 1_200 && batches > 200, "{resent}, {batches}");
}

#[test]
fn p05_payments_that_share_nothing_end_the_same_in_any_order() {
    let mut accepted = 0;
    for seed in 500..510 {
        let (setup, scripts) = independent_payments(seed, 8);
        let in_order = (0..).zip(&scripts).flat_map(|(of, script)| script.iter().map(move |step| (of, step)));
        let in_order = finals(&setup, in_order);
        accepted += in_order.payments.iter().map(|(_, _, events)| events).sum::<u32>();
        for shuffle in 0..5 {
            let mut dice = Dice::new(seed * 100 + shuffle);
            let mut rest: Vec<(usize, &[Command])> = (0..).zip(scripts.iter().map(Vec::as_slice)).collect();
            let mut mixed: Vec<(usize, &Command)> = Vec::new();
            while !rest.is_empty() {
                let from = dice.below(rest.len() as u64) as usize;
                let (of, steps) = rest[from];
                match steps.split_first() {
                    Some((first, after)) => {
                        mixed.push((of, first));
                        rest[from] = (of, after);
                    }
                    None => drop(rest.swap_remove(from)),
                }
            }
            assert_eq!(finals(&setup, mixed), in_order, "seed {seed}, shuffle {shuffle}");
        }
    }
    println!("{accepted} accepted events of 80 payments, 5 shuffles each");
    assert!(accepted > 300);
}

/// What is left when indices and times are put aside.
#[derive(PartialEq, Debug)]
struct Finals {
    books: Hash,
    payments: Vec<(PaymentId, ([i128; 7], u8), u32)>,
    /// Answers to the commands of each script, in its order.
    answers: BTreeMap<usize, Vec<String>>,
}

fn finals<'c>(setup: &[Command], commands: impl IntoIterator<Item = (usize, &'c Command)>) -> Finals {
    let mut pair = Pair::new(1);
    setup.iter().for_each(|command| pair.take(command).unwrap());
    let mut answers: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (of, command) in commands {
        pair.take(command).unwrap();
        answers.entry(of).or_default().push(pair.answer.as_ref().expect("an offer").to_string());
    }
    pair.full().unwrap();
    let books = &pair.model.books;
    let mut payments: Vec<_> = books
        .payments
        .iter()
        .map(|payment| (payment.id, (payment.counters(), payment.state().number()), payment.event_count))
        .collect();
    payments.sort();
    Finals { books: books.hash(), payments, answers }
}

/// Leaves room between the commands, so that nothing is due just because a unit in between took a nanosecond.
fn spread(mut commands: Vec<Command>) -> Vec<Command> {
    for (command, place) in commands.iter_mut().zip(0..) {
        command.clock += place * 1_000;
    }
    commands
}
