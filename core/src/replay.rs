//! The same rules over a whole log: what the verifier does with an export and a ledger with its tail at start.

mod begun;
mod case;
mod finding;
mod read;

use ledger_crypto::Hash;

use begun::{Begun, Misplaced};
use case::Case;
pub use finding::{Finding, Halt};
pub use read::ReadEntry;
use read::{Fault, Header, Member, Read};

use crate::apply::{At, Effects, ExecutedEntry, Subject, execute_at, expire, genesis_effects};
use crate::ids::{BlockHeight, LogIndex, PaymentId};
use crate::invariants::Invariants;
use crate::seal::{BlockInput, Seal, SealChain};
use crate::state::MemoryState;
use crate::unit::{Unit, VerifiedEvent};
use crate::view::{Constants, State, StateView};

/// A log replayed from its genesis on, an entry at a time. A unit is judged when its last entry is there; a fault of
/// one of its members is named at that member, a fault of the whole at its first entry. Where the log goes wrong, or
/// ends, inside a unit, only the signatures of its entries so far are judged.
pub struct Replay {
    ledger_id: Hash,
    size: u64,
    last_nanos: u64,
    /// Whether the last entry is a seal.
    sealed: bool,
    /// Entries so far of a unit that is not complete.
    begun: Begun,
    books: Option<Books>,
}

/// What the genesis brings into being.
struct Books {
    state: MemoryState,
    chain: SealChain,
    block: BlockInput,
    invariants: Invariants,
}

/// Is shown an entry and the state before it.
pub type Watch<'a> = dyn FnMut(&MemoryState, &ExecutedEntry<'_>) + 'a;

impl Replay {
    /// Starts the log of this ledger id: entry 0 comes first.
    pub fn new(ledger_id: Hash) -> Self {
        Self { ledger_id, size: 0, last_nanos: 0, sealed: false, begun: Begun::default(), books: None }
    }

    /// Takes the next entry. Order of its checks: decode, time, `group_len` and `group_index`, cut, due expiries; then
    /// `elsewhere`, which the caller found out about the same entry (its hash tile); then, when a unit is complete,
    /// signatures, admission, outcomes; for a seal, its fields in order. Nothing after the first finding is checked.
    ///
    /// # Errors
    /// [`Halt`]; the replay is then of no further use.
    pub fn push(&mut self, entry: ReadEntry, elsewhere: Option<Finding>) -> Result<(), Halt> {
        self.push_watched(entry, elsewhere, &mut |_, _| {})
    }

    /// The same; `watch` is shown every entry but the genesis and seals, once it is judged, with the state before it.
    ///
    /// # Errors
    /// As [`Replay::push`].
    pub fn push_watched(
        &mut self,
        entry: ReadEntry,
        elsewhere: Option<Finding>,
        watch: &mut Watch<'_>,
    ) -> Result<(), Halt> {
        let ReadEntry { leaf_hash, content } = entry;
        let content = match self.check_next(content, elsewhere) {
            Ok(content) => content,
            Err(halt) => {
                self.check_begun()?;
                return Err(halt);
            }
        };
        self.last_nanos = content.recorded_at_nanos();
        self.sealed = matches!(content, Read::Seal { .. });
        match content {
            Read::Genesis { constants, .. } => self.begin(*constants, leaf_hash)?,
            Read::Event(member) => self.take_member(*member, leaf_hash, watch)?,
            Read::Expiry { payment_id, recorded_at_nanos } => {
                self.expire(payment_id, recorded_at_nanos, leaf_hash, watch)?;
            }
            Read::BatchHeader(header) => self.take_header(*header, leaf_hash),
            Read::BatchedEvent { member, .. } => self.take_member(*member, leaf_hash, watch)?,
            Read::Seal { seal, .. } => self.compare_seal(&seal)?,
        }
        self.size += 1;
        Ok(())
    }

    /// Entries taken so far.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Height of the last block, when its seal is the last entry.
    pub fn sealed(&self) -> Option<BlockHeight> {
        let books = self.books.as_ref().filter(|_| self.sealed)?;
        books.chain.next_height.0.checked_sub(1).map(BlockHeight)
    }

    /// State after the last judged entry; `None` before the genesis.
    pub fn state(&self) -> Option<&MemoryState> {
        self.books.as_ref().map(|books| &books.state)
    }

    /// What can be said after the last entry: signatures of a unit that is not complete, then the sums over every account
    /// and every payment after the last judged entry.
    ///
    /// # Errors
    /// [`Halt::Wrong`] with the first signature, or invariant, that does not hold.
    pub fn check_whole(&self) -> Result<(), Halt> {
        self.check_begun()?;
        let Some(books) = &self.books else { return Ok(()) };
        let at = LogIndex(self.size.saturating_sub(1));
        books.invariants.check_whole(&books.state, at).map_err(|broken| self.case().broken(broken))
    }

    /// What is wrong with the next entry before those of its unit are judged.
    fn check_next(&self, content: Result<Read, Fault>, elsewhere: Option<Finding>) -> Result<Read, Halt> {
        let content = content.map_err(|fault| self.explain(fault))?;
        self.check_place(&content)?;
        match elsewhere {
            Some(finding) => Err(Halt::Wrong(Box::new(finding))),
            None => Ok(content),
        }
    }

    /// The entries so far of a unit that will not be complete.
    fn check_begun(&self) -> Result<(), Halt> {
        let Begun { header, members } = &self.begun;
        let entries = members.len() as u64 + u64::from(header.is_some());
        let case = Case { first_index: self.size.saturating_sub(entries), ..self.case() };
        let header = header.as_ref().map(|header| &header.batch);
        let events = members.iter().filter_map(|member| member.event.as_ref());
        case.first_unsigned(header, events).map_or(Ok(()), |fault| Err(case.unsigned(&fault)))
    }

    /// Whether an entry of this kind and time may stand here.
    fn check_place(&self, content: &Read) -> Result<(), Halt> {
        let kind = content.kind();
        let Some(books) = &self.books else {
            return if kind == "genesis" { Ok(()) } else { Err(self.wrong("kind", "genesis", kind)) };
        };
        self.check_time(content)?;
        match content {
            Read::Genesis { .. } => Err(self.wrong("kind", "an entry after the genesis", kind)),
            Read::Seal { .. } => self.check_cut(books),
            _ if self.size == 1 => Err(self.wrong("kind", "seal: the genesis is block 0, alone", kind)),
            Read::Event(member) => {
                self.begun.check_event(member).map_err(|misplaced| self.misplaced(misplaced))?;
                self.check_group_limit(books, member)?;
                self.check_first_of_unit(books, member.recorded_at_nanos)
            }
            Read::Expiry { payment_id, recorded_at_nanos } => {
                self.check_between_units(kind)?;
                self.check_expiry(books, payment_id, *recorded_at_nanos)
            }
            Read::BatchHeader(header) => {
                self.check_between_units(kind)?;
                self.check_first_of_unit(books, header.recorded_at_nanos)?;
                let (count, most) =
                    (header.batch.batch().count, books.state.constants().limits.batch_members);
                if !(1..=most).contains(&count) {
                    return Err(self.wrong("count", &format!("1 to {most}"), &count.to_string()));
                }
                Ok(())
            }
            Read::BatchedEvent { position, member } => {
                self.begun.check_batched(*position, member).map_err(|misplaced| self.misplaced(misplaced))
            }
        }
    }

    /// A group is kept whole until its last member, so its length is bounded before the second is taken.
    fn check_group_limit(&self, books: &Books, member: &Member) -> Result<(), Halt> {
        let (found, most) = (member.group_len, books.state.constants().limits.group_members);
        if u32::from(found) > most {
            return Err(self.wrong("group_len", &format!("at most {most}"), &found.to_string()));
        }
        Ok(())
    }

    fn check_time(&self, content: &Read) -> Result<(), Halt> {
        let (last, found) = (self.last_nanos, content.recorded_at_nanos());
        match content {
            Read::Seal { .. } if Some(found) != last.checked_add(1) => {
                Err(self.wrong("recorded_at_nanos", &format!("{last} + 1"), &found.to_string()))
            }
            _ if found <= last => {
                Err(self.wrong("recorded_at_nanos", &format!("more than {last}"), &found.to_string()))
            }
            _ => Ok(()),
        }
    }

    fn check_cut(&self, books: &Books) -> Result<(), Halt> {
        self.check_between_units("seal")?;
        let only_a_seal = books.chain.next_height.0 > 0 && books.block.leaf_hashes.is_empty();
        if only_a_seal {
            return Err(self.wrong("kind", "an entry that is not a seal after a seal", "seal"));
        }
        Ok(())
    }

    fn check_between_units(&self, kind: &str) -> Result<(), Halt> {
        match self.begun.expects() {
            Some(expected) => Err(self.wrong("kind", &expected, kind)),
            None => Ok(()),
        }
    }

    /// No hold is due at the time of a unit: its expiry would stand here.
    fn check_first_of_unit(&self, books: &Books, t_nanos: u64) -> Result<(), Halt> {
        if self.begun.expects().is_some() {
            return Ok(());
        }
        let Some((due_nanos, payment)) = books.state.next_due(t_nanos)? else { return Ok(()) };
        let id = books.state.payment(payment)?.id;
        let expected = format!("expiry of payment {id}, due at {due_nanos}");
        Err(self.wrong("expiry", &expected, &format!("an event at {t_nanos}")))
    }

    /// An expiry is of the payment that is due first, and due.
    fn check_expiry(&self, books: &Books, payment_id: &PaymentId, at_nanos: u64) -> Result<(), Halt> {
        let expected = match books.state.next_due(at_nanos)? {
            Some((_, payment)) => format!("expiry of payment {}", books.state.payment(payment)?.id),
            None => format!("no expiry: nothing is due at {at_nanos}"),
        };
        let found = format!("expiry of payment {payment_id}");
        if expected != found {
            return Err(self.wrong("expiry", &expected, &found));
        }
        Ok(())
    }

    fn begin(&mut self, constants: Constants, leaf_hash: Hash) -> Result<(), Halt> {
        if leaf_hash != self.ledger_id {
            let (expected, found) = (hex::encode(self.ledger_id), hex::encode(leaf_hash));
            return Err(self.wrong("ledger_id", &expected, &found));
        }
        let effects = genesis_effects(&constants);
        let state = MemoryState::new(constants);
        let mut block = BlockInput::new(state.totals().clone(), state.params().clone());
        block.absorb(&effects);
        block.push_leaf(leaf_hash);
        self.books = Some(Books {
            state,
            chain: SealChain::new(self.ledger_id),
            block,
            invariants: Invariants::default(),
        });
        Ok(())
    }

    fn take_header(&mut self, header: Header, leaf_hash: Hash) {
        if let Some(books) = &mut self.books {
            books.block.push_leaf(leaf_hash);
        }
        self.begun = Begun { header: Some(header), members: Vec::new() };
    }

    fn take_member(&mut self, member: Member, leaf_hash: Hash, watch: &mut Watch<'_>) -> Result<(), Halt> {
        if let Some(books) = &mut self.books {
            books.block.push_leaf(leaf_hash);
        }
        self.begun.members.push(member);
        if self.begun.expects().is_none() { self.judge(watch) } else { Ok(()) }
    }

    /// Judges the unit that the entry in hand completes.
    fn judge(&mut self, watch: &mut Watch<'_>) -> Result<(), Halt> {
        let Begun { header, mut members } = std::mem::take(&mut self.begun);
        let Some(mut books) = self.books.take() else { return Ok(()) };
        let entries = members.len() as u64 + u64::from(header.is_some());
        let first_index = (self.size + 1).saturating_sub(entries);
        let case = Case { first_index, height: books.chain.next_height };
        let first_nanos = members.first().map_or(0, |member| member.recorded_at_nanos);
        let t_nanos = header.as_ref().map_or(first_nanos, |header| header.recorded_at_nanos);
        let events = members.iter_mut().filter_map(|member| member.event.take()).collect();
        let unit = match header {
            Some(header) => Unit::batch(header.batch, events),
            None => Unit::logged(events),
        };
        case.check_admission(&books.state, &unit, t_nanos)?;
        if let Some(batch_id) = unit.header().and_then(|header| header.batch_id()) {
            let executed = ExecutedEntry {
                log_index: LogIndex(first_index),
                recorded_at_nanos: t_nanos,
                t_nanos,
                outcome: 0,
                subject: Subject::Batch { batch_id },
                effects: &Effects::default(),
            };
            books.take(&case, &executed, watch)?;
        }
        let mut entries = (case.index_of(&unit, 0)..).map(LogIndex).zip(&members);
        for run in unit.runs() {
            let entries: Vec<_> = entries.by_ref().take(run.len()).collect();
            books.execute(&case, t_nanos, run, &entries, watch)?;
        }
        self.books = Some(books);
        Ok(())
    }

    fn expire(
        &mut self,
        payment_id: PaymentId,
        at_nanos: u64,
        leaf_hash: Hash,
        watch: &mut Watch<'_>,
    ) -> Result<(), Halt> {
        let Some(books) = &mut self.books else { return Ok(()) };
        let log_index = LogIndex(self.size);
        let at = At { t_nanos: at_nanos, log_index, recorded_at_nanos: at_nanos };
        let effects = match books.state.payment_index(&payment_id)? {
            Some(payment) => expire(&books.state, payment, at)?,
            None => Effects::default(),
        };
        books.block.push_leaf(leaf_hash);
        let executed = ExecutedEntry {
            log_index,
            recorded_at_nanos: at_nanos,
            t_nanos: at_nanos,
            outcome: 0,
            subject: Subject::Expiry { payment_id },
            effects: &effects,
        };
        let case = Case { first_index: self.size, height: books.chain.next_height };
        books.take(&case, &executed, watch)
    }

    /// Seals the block and compares every field with the seal in the log.
    fn compare_seal(&mut self, found: &Seal) -> Result<(), Halt> {
        let Some(books) = &mut self.books else { return Ok(()) };
        let height = books.chain.next_height;
        let next = BlockInput::new(books.state.totals().clone(), books.state.params().clone());
        let mut block = std::mem::replace(&mut books.block, next);
        block.recorded_at_nanos = self.last_nanos;
        let expected = books.chain.seal(block).seal;
        let case = Case { first_index: self.size, height };
        match seal_fields(&expected).into_iter().zip(seal_fields(found)).find(|(a, b)| a != b) {
            Some(((field, expected), (_, found))) => {
                Err(case.wrong(LogIndex(self.size), field, &expected, &found))
            }
            None => Ok(()),
        }
    }

    fn explain(&self, fault: Fault) -> Halt {
        match fault {
            Fault::Wrong { field, expected, found } => self.wrong(field, &expected, &found),
            Fault::Unknown { field, expected, found } => {
                Halt::Unknown(Box::new(self.case().finding(LogIndex(self.size), field, &expected, &found)))
            }
        }
    }

    fn wrong(&self, field: &str, expected: &str, found: &str) -> Halt {
        self.case().wrong(LogIndex(self.size), field, expected, found)
    }

    fn misplaced(&self, misplaced: Misplaced) -> Halt {
        self.wrong(misplaced.field, &misplaced.expected, &misplaced.found)
    }

    fn case(&self) -> Case {
        let height = self.books.as_ref().map_or(BlockHeight(0), |books| books.chain.next_height);
        Case { first_index: self.size, height }
    }
}

impl Books {
    /// Executes a run of a unit and compares what the log says of each member.
    fn execute(
        &mut self,
        case: &Case,
        t_nanos: u64,
        run: &[VerifiedEvent],
        entries: &[(LogIndex, &Member)],
        watch: &mut Watch<'_>,
    ) -> Result<(), Halt> {
        let places = entries.iter().map(|(log_index, member)| At {
            t_nanos,
            log_index: *log_index,
            recorded_at_nanos: member.recorded_at_nanos,
        });
        let placed: Vec<_> = run.iter().map(|event| event.signed().event()).zip(places).collect();
        let outcomes = execute_at(&self.state, &placed)?;
        for (((event, at), verified), ((_, entry), decided)) in
            placed.iter().zip(run).zip(entries.iter().zip(&outcomes))
        {
            case.check_group_len(at.log_index, entry.group_len, run.len())?;
            case.check_outcome(at.log_index, entry.outcome, decided.refusal.as_ref())?;
            let executed = ExecutedEntry {
                log_index: at.log_index,
                recorded_at_nanos: at.recorded_at_nanos,
                t_nanos,
                outcome: entry.outcome,
                subject: Subject::Event { event, digest: *verified.signed().digest() },
                effects: &decided.effects,
            };
            self.take(case, &executed, watch)?;
        }
        Ok(())
    }

    /// Takes over what an entry did, once no invariant speaks against it.
    fn take(&mut self, case: &Case, executed: &ExecutedEntry<'_>, watch: &mut Watch<'_>) -> Result<(), Halt> {
        self.invariants.check_entry(&self.state, executed).map_err(|broken| case.broken(broken))?;
        watch(&self.state, executed);
        self.state.absorb(executed);
        self.block.absorb(executed.effects);
        Ok(())
    }
}

/// The fields of a seal by name, in the order of its bytes.
fn seal_fields(seal: &Seal) -> [(&'static str, String); 14] {
    let hash = |hash: &Hash| hex::encode(hash);
    [
        ("height", seal.height.to_string()),
        ("first_index", seal.first_index.to_string()),
        ("entry_count", seal.entry_count.to_string()),
        ("previous_seal", hash(&seal.previous_seal)),
        ("block_root", hash(&seal.block_root)),
        ("log_root", hash(&seal.log_root)),
        ("account_count", seal.account_count.to_string()),
        ("accounts_root", hash(&seal.accounts_root)),
        ("payment_count", seal.payment_count.to_string()),
        ("payments_root", hash(&seal.payments_root)),
        ("key_count", seal.key_count.to_string()),
        ("keys_root", hash(&seal.keys_root)),
        ("totals_hash", hash(&seal.totals_hash)),
        ("params_hash", hash(&seal.params_hash)),
    ]
}
