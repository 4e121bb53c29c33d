//! Streams of commands, made from a seed and from the state that the commands before lead to, so that every corner of
//! the rules is reached: amounts at their limits, races with expiry, frozen and closed accounts, faults one and two at
//! a time.

mod apart;
mod batches;
mod control;
mod faults;
mod money;
mod payments;
mod scene;
mod setup;
mod units;

pub use apart::independent_payments;

use crate::coverage::Coverage;
use crate::dice::Dice;
use crate::model::SECOND;
use crate::pair::{CURRENCIES, Pair, START, caught};
use crate::stream::Command;

/// What a world is like; it differs from seed to seed.
#[derive(Clone, Debug)]
struct Mood {
    /// Its currencies.
    currencies: Vec<(&'static str, u8)>,
    /// Largest usual amount.
    amounts: u64,
    /// Once in so many events an account's status changes.
    statuses: u64,
    /// Once in so many of these it is closed.
    closings: u64,
    /// Once in so many events a field is wrong.
    faults: u64,
    /// Once in so many events the clock moves by a day or so.
    days: u64,
}

/// Makes the commands of one world.
struct Generator {
    dice: Dice,
    mood: Mood,
    clock: u64,
    next_id: u64,
    sent: Vec<Command>,
}

/// A stream on which core and model differ.
#[derive(Debug)]
pub struct Failure {
    /// Seed of the world.
    pub seed: u64,
    /// Operators that sign together.
    pub threshold: u32,
    /// The commands up to the one that fails.
    pub commands: Vec<Command>,
    /// What differs.
    pub difference: String,
}

/// Plays one world of so many commands and says what it reached.
///
/// # Errors
/// The stream on which core and model differ.
pub fn play(seed: u64, commands: usize) -> Result<Coverage, Box<Failure>> {
    let mut dice = Dice::new(seed);
    let threshold = if dice.once_in(3) { 2 } else { 1 };
    let mut generator = Generator::new(dice);
    let mut pair = Pair::new(threshold);
    match caught(|| generator.play(&mut pair, commands)) {
        Ok(()) => Ok(pair.coverage),
        Err(difference) => Err(Box::new(Failure { seed, threshold, commands: generator.sent, difference })),
    }
}

/// The commands of a world in which one operator signs alone.
///
/// # Panics
/// When core and model differ on them.
pub fn stream(seed: u64, commands: usize) -> Vec<Command> {
    let mut generator = Generator::new(Dice::new(seed));
    let played = caught(|| generator.play(&mut Pair::new(1), commands));
    played.unwrap_or_else(|difference| panic!("stream of seed {seed}: {difference}"));
    generator.sent
}

impl Generator {
    fn new(mut dice: Dice) -> Self {
        let mood = Mood {
            currencies: some_currencies(&mut dice),
            amounts: dice.pick(&[12, 400, 100_000, 100_000, 999_999_999_999_999_999]),
            statuses: dice.pick(&[10, 20, 40, 80]),
            closings: dice.pick(&[3, 6, 12, 1_000]),
            faults: dice.pick(&[4, 8, 16]),
            days: dice.pick(&[60, 300, 100_000]),
        };
        Self { dice, mood, clock: START + SECOND, next_id: 1, sent: Vec::new() }
    }

    fn play(&mut self, pair: &mut Pair, commands: usize) -> Result<(), String> {
        for command in self.setup(&pair.model) {
            self.sent.push(command.clone());
            pair.take(&command)?;
        }
        while self.sent.len() < commands {
            let command = self.command(&pair.model);
            self.sent.push(command.clone());
            pair.take(&command)?;
        }
        pair.full()
    }
}

fn some_currencies(dice: &mut Dice) -> Vec<(&'static str, u8)> {
    let mut left = CURRENCIES.to_vec();
    let mut some = Vec::new();
    for _ in 0..dice.between(2, 3) {
        let at = dice.below(left.len() as u64) as usize;
        some.push(left.swap_remove(at));
    }
    some
}
