//! Units and their times: single events, groups, what is sent again, races with expiry.

use ledger_core::event::{Body, Event, PaymentReversed};
use ledger_core::number::CaptureMode;
use ledger_crypto::sha256;

use super::Generator;
use super::scene::Scene;
use crate::model::{Ledger, SECOND};
use crate::pair::GROUP_MEMBERS;
use crate::stream::{Command, Kind, Private, Sent, Signed, commitment};

const DAY: u64 = 86_400 * SECOND;

/// How often each event is tried, by number.
const WEIGHTS: [u64; 24] =
    [0, 70, 8, 60, 25, 25, 70, 20, 0, 40, 40, 26, 26, 30, 50, 14, 0, 12, 7, 9, 12, 2, 9, 12];

impl Generator {
    /// The next command.
    pub(super) fn command(&mut self, model: &Ledger) -> Command {
        match self.dice.below(200) {
            0 => return Command { clock: self.clock, kind: Kind::Seal, members: Vec::new() },
            1 => {
                self.wait();
                return Command { clock: self.clock, kind: Kind::Idle, members: Vec::new() };
            }
            2..=7 => {
                if let Some(again) = self.again(model) {
                    return again;
                }
            }
            8..=17 => {
                if let Some(race) = self.race(model) {
                    return race;
                }
            }
            18..=37 => return self.group(model),
            38..=45 => return self.batch(model),
            _ => {}
        }
        self.wait();
        let t = self.time(model);
        let scene = Scene { model, books: &model.books, t };
        let event = self.some_event(&scene);
        self.single(&scene, event)
    }

    pub(super) fn wait(&mut self) {
        self.clock += match self.dice.below(10) {
            _ if self.dice.once_in(self.mood.days) => self.dice.between(DAY / 2, DAY),
            0..=4 => self.dice.below(SECOND / 2),
            5..=7 => self.dice.below(3 * SECOND),
            8 => self.dice.below(60 * SECOND),
            _ => 0,
        };
    }

    /// The time at which a unit would stand when nothing is due.
    pub(super) fn time(&self, model: &Ledger) -> u64 {
        self.clock.max(model.last_time() + 1)
    }

    /// Any event, signed by nobody.
    pub(super) fn some_event(&mut self, scene: &Scene<'_>) -> Event {
        if self.dice.once_in(self.mood.statuses) {
            return self.control(scene, 16);
        }
        match self.dice.weighed(&WEIGHTS) as u32 {
            1 => self.initiated(scene, None),
            number @ 2..=12 => self.advanced(scene, number),
            13 => self.reversed(scene),
            14 => self.transfer(scene),
            number => self.control(scene, number),
        }
    }

    /// A single event with its signers, its faults and its signatures.
    fn single(&mut self, scene: &Scene<'_>, mut event: Event) -> Command {
        self.finish(scene, &mut event);
        let sent = self.sent(&event);
        Command { clock: self.clock, kind: Kind::Single, members: vec![sent] }
    }

    fn finish(&mut self, scene: &Scene<'_>, event: &mut Event) {
        self.sign(scene, event);
        self.optional_fields(scene, event);
        if self.dice.once_in(self.mood.faults) {
            self.fault(scene, event);
            if self.dice.once_in(4) {
                self.fault(scene, event);
            }
        }
    }

    /// An event on its way, with signatures, seldom wrong ones, and sometimes with private data.
    pub(super) fn sent(&mut self, event: &Event) -> Sent {
        let private = match self.dice.below(400) {
            0 => Private::Differs,
            1 => Private::Unsalted,
            2 => Private::TooLong,
            3 => Private::Fits,
            4..=99 if event.metadata_commitment == commitment() => Private::Fits,
            _ => Private::None,
        };
        Sent { payload: event.encode(), signed: self.signed(), private }
    }

    pub(super) fn signed(&mut self) -> Signed {
        match self.dice.below(600) {
            0 => Signed::Missing,
            1 => Signed::Foreign,
            2 => Signed::Twice,
            3 => Signed::Short,
            4 | 5 => Signed::Forged,
            6..=8 => Signed::Checked,
            _ => Signed::Good,
        }
    }

    /// Something that was sent before, with the same bytes, with others, or in another unit.
    fn again(&mut self, model: &Ledger) -> Option<Command> {
        let from = self.sent.len().saturating_sub(300);
        let mut again = self.dice.pick(&self.sent[from..]);
        again.clock = self.clock;
        if again.members.is_empty() {
            return None;
        }
        for member in &mut again.members {
            // The signatures of what is known are not looked at.
            member.signed = self.dice.pick(&[Signed::Good, Signed::Missing, Signed::Short, Signed::Foreign]);
        }
        if self.dice.once_in(3) {
            let at = self.dice.below(again.members.len() as u64) as usize;
            let mut event = Event::decode(&again.members[at].payload).ok()?;
            event.timestamp_nanos = self.time(model);
            again.members[at] = self.sent(&event);
        } else if again.kind != Kind::Batch && self.dice.once_in(6) {
            again.kind = if again.kind == Kind::Group { Kind::Single } else { Kind::Group };
            again.members.truncate(if again.kind == Kind::Single { 1 } else { 5 });
        }
        Some(again)
    }

    /// An event of a payment a nanosecond before, at, or after the end of its hold.
    fn race(&mut self, model: &Ledger) -> Option<Command> {
        let ends = model.books.payments.iter().filter(|payment| payment.held() > 0);
        let soon = self.clock + 100 * SECOND;
        let ending: Vec<_> = ends.filter(|payment| payment.expires_at < soon).collect();
        if ending.is_empty() {
            return None;
        }
        let payment = self.dice.pick(&ending).clone();
        let end = payment.expires_at - 1 + self.dice.below(3);
        self.clock = self.clock.max(end);
        let t = self.time(model);
        let scene = Scene { model, books: &model.books, t };
        let number = self.dice.pick(&[4, 5, 6, 6, 7, 7, 2, 3]);
        let event = self.advance(&scene, &payment, number);
        Some(self.single(&scene, event))
    }

    /// An atomic group.
    fn group(&mut self, model: &Ledger) -> Command {
        self.wait();
        let t = self.time(model);
        let mut books = model.books.clone();
        let mut events = Vec::new();
        let kind = self.dice.below(6);
        let count = match self.dice.below(30) {
            0 => u64::from(GROUP_MEMBERS) + 1,
            1 => u64::from(GROUP_MEMBERS),
            2 => 1,
            _ => self.dice.between(2, 3),
        };
        for position in 0..count {
            let scene = Scene { model, books: &books, t };
            let mut event = self.member(&scene, kind, position, &events);
            self.finish_member(&scene, &mut event, count);
            let mut after = books.clone();
            if model.would_accept(&mut after, &event, t) {
                books = after;
            }
            events.push(event);
        }
        if self.dice.once_in(25) {
            let first = events[0].clone();
            events.push(first);
        }
        let mut members: Vec<Sent> = Vec::new();
        let mut hashed = b"ledger/v1/group".to_vec();
        for event in &events {
            hashed.extend_from_slice(&event.event_id);
        }
        for event in &mut events {
            event.group = sha256(&hashed).to_vec();
            members.push(self.sent(event));
        }
        match self.dice.below(60) {
            0 => members.truncate(1),
            1 => members.reverse(),
            2 => members.clear(),
            3 => {
                let mut last = events.pop().expect("a member");
                last.group.clear();
                *members.last_mut().expect("a member") = Sent::good(last.encode());
            }
            _ => {}
        }
        Command { clock: self.clock, kind: Kind::Group, members }
    }

    fn finish_member(&mut self, scene: &Scene<'_>, event: &mut Event, count: u64) {
        self.sign(scene, event);
        self.optional_fields(scene, event);
        if self.dice.once_in(self.mood.faults * 2 * count) {
            self.fault(scene, event);
        }
    }

    /// The next member of a group of a kind.
    fn member(&mut self, scene: &Scene<'_>, kind: u64, position: u64, before: &[Event]) -> Event {
        let last = before.last().and_then(|event| scene.books.payment(&event.payment_id));
        let last = last.map(|payment| scene.books.payments[payment].clone());
        match (kind, position, last) {
            // A force post.
            (0, 0, _) => self.initiated(scene, Some(CaptureMode::Immediate)),
            (0, 1, Some(payment)) => self.advance(scene, &payment, 6),
            // Increase and capture, settle and refund, and so on.
            (1 | 2, 0, _) => {
                let number = self.dice.pick(&[3, 4, 9, 6, 11, 12]);
                self.advanced(scene, number)
            }
            (0..=2, _, Some(payment)) => {
                let number = self.dice.pick(&[3, 4, 5, 6, 6, 7, 9, 10, 10, 11, 12]);
                self.advance(scene, &payment, number)
            }
            // A transfer and its reversal.
            (3, 0, _) => self.transfer(scene),
            (3, 1, _) => {
                let target_event_id = before[0].event_id.clone();
                let body = PaymentReversed { target_event_id, reason: self.reason() };
                self.event(scene, Body::PaymentReversed(body))
            }
            _ if self.dice.once_in(15) => {
                let number = self.dice.between(15, 23) as u32;
                self.control(scene, number)
            }
            _ => {
                let number = self.dice.weighed(&WEIGHTS[..15]) as u32;
                match number {
                    1 => self.initiated(scene, None),
                    13 => self.reversed(scene),
                    14 => self.transfer(scene),
                    number => self.advanced(scene, number),
                }
            }
        }
    }
}
