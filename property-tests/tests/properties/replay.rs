//! Properties 3 and 17: the log that a stream leaves replays to the same seals and the same books, and not when a fact
//! in it is another one.

use ledger_core::entry::{Content, Entry};
use ledger_core::ids::LogIndex;
use ledger_core::replay::{Halt, ReadEntry, Replay};
use ledger_core::view::{State, StateView};
use ledger_property_tests::generate::stream;
use ledger_property_tests::log::Log;
use ledger_property_tests::model::What;
use ledger_property_tests::pair::{Pair, genesis};
use ledger_property_tests::stream::{Command, Kind};

/// A stream, and the log that it leaves, sealed at its end.
fn played(seed: u64, commands: usize) -> (Pair, Log) {
    let mut pair = Pair::new(1);
    let mut log = Log::new(&genesis(1), &pair.model);
    let end = Command { clock: 0, kind: Kind::Seal, members: Vec::new() };
    for command in stream(seed, commands).into_iter().chain([end]) {
        // A block has an entry.
        let is_empty = matches!(pair.model.history.last().map(|entry| &entry.what), Some(What::Seal));
        if command.kind != Kind::Seal || !is_empty {
            pair.take(&command).unwrap_or_else(|difference| panic!("seed {seed}: {difference}"));
            log.take(&pair.model);
        }
    }
    (pair, log)
}

fn read(entries: &[Vec<u8>]) -> Vec<ReadEntry> {
    entries.iter().map(|entry| ReadEntry::read(entry, |_| None)).collect()
}

fn replay(pair: &Pair, entries: &[ReadEntry]) -> Result<Replay, Halt> {
    let mut replay = Replay::new(pair.model.fixed.ledger_id);
    entries.iter().try_for_each(|entry| replay.push(entry.clone(), None))?;
    Ok(replay)
}

#[test]
fn p03_the_log_of_a_stream_replays_to_the_same_seals_and_books() {
    let (mut size, mut seals, mut batches) = (0, 0, 0);
    for seed in 300..312 {
        let (pair, log) = played(seed, 700);
        let replayed =
            replay(&pair, &read(&log.entries)).unwrap_or_else(|halt| panic!("seed {seed}: {halt}"));
        replayed.check_whole().unwrap();
        assert_eq!(replayed.size(), log.entries.len() as u64, "seed {seed}");
        assert!(replayed.sealed().is_some(), "seed {seed}");
        let (state, live) = (replayed.state().unwrap(), &pair.state);
        assert_eq!(state.accounts(), live.accounts(), "seed {seed}");
        assert_eq!(state.payments(), live.payments(), "seed {seed}");
        assert_eq!(state.keys(), live.keys(), "seed {seed}");
        assert_eq!((state.totals(), state.params()), (live.totals(), live.params()), "seed {seed}");
        let count = |of: fn(&What) -> bool| pair.model.history.iter().filter(|entry| of(&entry.what)).count();
        size += log.entries.len();
        seals += count(|what| matches!(what, What::Seal));
        batches += count(|what| matches!(what, What::BatchHeader));
    }
    println!("{size} entries, {seals} seals, {batches} batches");
    assert!(size > 3_000 && seals > 20 && batches > 40, "{size} entries, {seals} seals, {batches} batches");
}

#[test]
fn p17_a_log_with_another_outcome_or_without_an_expiry_does_not_replay() {
    let (pair, log) = played(307, 700);
    let reads = read(&log.entries);
    let (mut outcomes, mut expiries) = (0, 0);
    for position in 100..log.entries.len() {
        let mut entry = Entry::decode(&log.entries[position]).unwrap();
        let mut changed = reads[..position].to_vec();
        let field = match entry.content {
            Content::Event { .. } | Content::BatchedEvent { .. } if position % 7 == 0 => {
                entry.outcome = if entry.outcome == 0 { 801 } else { 0 };
                changed.extend(read(&[entry.encode()]));
                changed.extend_from_slice(&reads[position + 1..]);
                outcomes += 1;
                "outcome"
            }
            Content::Expiry { .. } if !matches!(pair.model.history[position + 1].what, What::Seal) => {
                changed.extend_from_slice(&reads[position + 1..]);
                expiries += 1;
                "expiry"
            }
            _ => continue,
        };
        match replay(&pair, &changed) {
            Err(Halt::Wrong(finding)) => {
                let found = (finding.log_index, finding.field.as_str());
                assert_eq!(found, (Some(LogIndex(position as u64)), field), "{finding:?}");
            }
            other => panic!("entry {position}: {:?}", other.err()),
        }
    }
    assert!(outcomes > 50 && expiries > 0, "{outcomes} outcomes, {expiries} expiries");
}
