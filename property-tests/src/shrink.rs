//! Makes a failing stream smaller: parts are left out as long as it still fails.

use crate::pair::Pair;
use crate::stream::Command;

/// Runs a stream from a pair that is new.
///
/// # Errors
/// Position of the command and what differed.
pub fn run(start: impl Fn() -> Pair, commands: &[Command]) -> Result<Pair, (usize, String)> {
    let mut pair = start();
    for (position, command) in commands.iter().enumerate() {
        pair.take(command).map_err(|difference| (position, difference))?;
    }
    pair.full().map_err(|difference| (commands.len(), difference))?;
    Ok(pair)
}

/// The smallest failing part that halving and leaving out finds, and how it fails.
pub fn shrink(start: impl Fn() -> Pair, commands: &[Command]) -> (Vec<Command>, String) {
    let mut kept = commands.to_vec();
    let mut failure = match run(&start, &kept) {
        Ok(_) => return (kept, "no failure".to_owned()),
        Err((position, difference)) => {
            kept.truncate(position + 1);
            difference
        }
    };
    let mut chunk = kept.len().div_ceil(2);
    loop {
        let mut at = 0;
        while at < kept.len() {
            let mut tried = kept.clone();
            tried.drain(at..kept.len().min(at + chunk));
            match run(&start, &tried) {
                Ok(_) => at += chunk,
                Err((position, difference)) => {
                    tried.truncate(position + 1);
                    (kept, failure) = (tried, difference);
                }
            }
        }
        if chunk == 1 {
            return (kept, failure);
        }
        chunk = chunk.div_ceil(2);
    }
}
