//! Properties 4 and 5: sending again changes nothing, and payments that share nothing may come in any order.

use ledger_core::ids::PaymentId;
use ledger_property_tests::dice::Dice;
use ledger_property_tests::generate::{independent_payments, stream};
use ledger_property_tests::pair::Pair;
use ledger_property_tests::stream::{Command, Kind};

#[test]
fn p04_sending_any_part_again_any_number_of_times_ends_in_the_same_state() {
    for seed in 400..404 {
        let mut dice = Dice::new(seed);
        let commands = spread(stream(seed, 600));
        let (mut once, mut again) = (Pair::new(1), Pair::new(1));
        let mut recorded: Vec<Command> = Vec::new();
        let mut resent = 0;
        for command in &commands {
            let size = once.model.history.len();
            once.take(command).unwrap();
            again.take(command).unwrap();
            // What was turned away may be admitted at another time; what is in the log stays what it was.
            let is_recorded = once.model.history[size..].iter().any(|entry| entry.event().is_some());
            if is_recorded && matches!(command.kind, Kind::Single | Kind::Group) {
                recorded.push(command.clone());
            }
            while !recorded.is_empty() && dice.once_in(2) {
                let clock = command.clock;
                again.take(&Command { clock, ..dice.pick(&recorded) }).unwrap();
                resent += 1;
            }
        }
        assert!(resent > 300);
        assert_eq!(again.model.books.hash(), once.model.books.hash(), "seed {seed}");
        assert_eq!(again.model.history.len(), once.model.history.len(), "seed {seed}");
    }
}

#[test]
fn p05_payments_that_share_nothing_end_the_same_in_any_order() {
    let mut accepted = 0;
    for seed in 500..510 {
        let (setup, scripts) = independent_payments(seed, 8);
        let in_order = finals(&setup, scripts.iter().flatten());
        accepted += in_order.iter().map(|(_, _, events)| events).sum::<u32>();
        for shuffle in 0..5 {
            let mut dice = Dice::new(seed * 100 + shuffle);
            let mut rest: Vec<&[Command]> = scripts.iter().map(Vec::as_slice).collect();
            let mut mixed: Vec<&Command> = Vec::new();
            while !rest.is_empty() {
                let from = dice.below(rest.len() as u64) as usize;
                match rest[from].split_first() {
                    Some((first, after)) => {
                        mixed.push(first);
                        rest[from] = after;
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

type Final = (PaymentId, ([i128; 7], u8), u32);

/// What is left of each payment when indices and times are put aside.
fn finals<'c>(setup: &'c [Command], commands: impl IntoIterator<Item = &'c Command>) -> Vec<Final> {
    let mut pair = Pair::new(1);
    for command in setup.iter().chain(commands) {
        pair.take(command).unwrap();
    }
    pair.full().unwrap();
    let mut finals: Vec<Final> = pair
        .model
        .books
        .payments
        .iter()
        .map(|payment| (payment.id, (payment.counters(), payment.state().number()), payment.event_count))
        .collect();
    finals.sort();
    finals
}

/// Leaves room between the commands, so that nothing is due just because a unit in between took a nanosecond.
fn spread(mut commands: Vec<Command>) -> Vec<Command> {
    for (command, place) in commands.iter_mut().zip(0..) {
        command.clock += place * 1_000;
    }
    commands
}
