//! Signed batches.

use ledger_core::batch::Batch;
use ledger_core::event::{EVENT_TYPE, Event};
use ledger_crypto::{dsse, sha256};

use super::Generator;
use super::scene::Scene;
use crate::keyring;
use crate::model::{Ledger, SECOND};
use crate::pair::BATCH_MEMBERS;
use crate::stream::{Command, Kind, Sent};

impl Generator {
    /// A batch of a few events that one key signs.
    pub(super) fn batch(&mut self, model: &Ledger) -> Command {
        self.wait();
        let t = self.time(model);
        let signer = self.dice.pick(&["all", "all", "all", "all", "importer", "acquirer", "owner", "op0"]);
        let mut signers = vec![keyring::key(signer)];
        if self.dice.once_in(10) {
            signers.push(keyring::key(self.dice.pick(&["wallet", "wallet", "stranger"])));
            signers.sort();
        }
        let mut events = self.batched(model, t, &signers);
        if self.dice.once_in(25) {
            let first = events[0].clone();
            events.push(first);
        }
        if self.dice.once_in(12) {
            let one = self.dice.below(events.len() as u64) as usize;
            let scene = Scene { model, books: &model.books, t };
            self.fault(&scene, &mut events[one]);
        }
        let leaf = |event: &Event| ledger_merkle::leaf_hash(&dsse::message(EVENT_TYPE, &event.encode()));
        let leaves: Vec<_> = events.iter().map(leaf).collect();
        let mut header = Batch {
            ledger_id: model.fixed.ledger_id.to_vec(),
            batch_id: self.new_id(t),
            signers,
            count: u32::try_from(events.len()).expect("a few"),
            events_root: ledger_merkle::build::root(&leaves).to_vec(),
        };
        if self.dice.once_in(4) {
            self.fault_of_batch(model, t, &mut header);
        }
        let signed = self.signed();
        let mut members = vec![Sent { signed, ..Sent::good(header.encode()) }];
        members.extend(events.iter().map(|event| self.sent(event)));
        match self.dice.below(60) {
            0 => members.truncate(1),
            1 => drop(members.pop()),
            2 => members[1..].reverse(),
            _ => {}
        }
        Command { clock: self.clock, kind: Kind::Batch, members }
    }

    fn batched(&mut self, model: &Ledger, t: u64, signers: &[Vec<u8>]) -> Vec<Event> {
        let mut books = model.books.clone();
        let count = match self.dice.below(25) {
            0 => BATCH_MEMBERS as u64 + 1,
            _ => self.dice.between(1, 5),
        };
        let mut events: Vec<Event> = Vec::new();
        for _ in 0..count {
            let scene = Scene { model, books: &books, t };
            let mut event = self.some_event(&scene);
            if matches!(event.body.number(), 17 | 18 | 20 | 21) && !self.dice.once_in(4) {
                event = self.transfer(&scene);
            }
            event.signers = signers.to_vec();
            self.optional_fields(&scene, &mut event);
            let mut after = books.clone();
            if model.would_accept(&mut after, &event, t) {
                books = after;
            }
            events.push(event);
        }
        if events.len() > 1 && self.dice.once_in(3) {
            let first = self.dice.below(events.len() as u64 - 1) as usize;
            let length = self.dice.between(2, (events.len() - first) as u64) as usize;
            let mut hashed = b"ledger/v1/group".to_vec();
            for event in &events[first..first + length] {
                hashed.extend_from_slice(&event.event_id);
            }
            let group = sha256(&hashed).to_vec();
            for event in &mut events[first..first + length] {
                event.group.clone_from(&group);
            }
            if self.dice.once_in(12) {
                events[first].group.clear();
            }
        }
        events
    }

    fn fault_of_batch(&mut self, model: &Ledger, t: u64, header: &mut Batch) {
        match self.dice.below(12) {
            0 => header.ledger_id = vec![1; 32],
            1 => header.batch_id = self.dice.pick(&[Vec::new(), vec![0; 16], vec![7; 16], vec![7; 15]]),
            2 => {
                let millis = (t + 300 * SECOND) / 1_000_000 + self.dice.below(2);
                header.batch_id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
            }
            3 | 4 => {
                let used: Vec<&Vec<u8>> = model.batches.iter().collect();
                if !used.is_empty() {
                    header.batch_id = self.dice.pick(&used).clone();
                }
            }
            5 => header.count += 1,
            6 => header.events_root = vec![4; 32],
            7 => header.signers = vec![keyring::key("acquirer")],
            8 => header.signers.push(keyring::key("stranger")),
            9 => header.signers.reverse(),
            10 => header.signers = vec![keyring::key("gone")],
            _ => header.signers.clear(),
        }
    }
}
