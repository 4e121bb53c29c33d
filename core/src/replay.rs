//! The same rules over a whole log: what the verifier does with an export and a ledger with its tail at start.

mod finding;
mod read;

use ledger_crypto::Hash;

pub use finding::{Finding, Halt};
pub use read::ReadEntry;
use read::{Fault, Member, Read};

use crate::admit::{Admission, admit, rules_known};
use crate::apply::{At, Effects, ExecutedEntry, Subject, execute_at, expire, genesis_effects};
use crate::code::{Code, Refusal};
use crate::ids::{BlockHeight, LogIndex, PaymentId};
use crate::seal::{BlockInput, Seal, SealChain};
use crate::state::MemoryState;
use crate::unit::Unit;
use crate::view::{Constants, State, StateView};

/// A log replayed from its genesis on, an entry at a time. A unit is judged when its last entry is there; a fault of
/// one of its members is named at that member, a fault of the whole at its first entry.
pub struct Replay {
    ledger_id: Hash,
    size: u64,
    last_nanos: u64,
    /// Whether the last entry is a seal.
    sealed: bool,
    /// Members so far of a unit that is not complete.
    begun: Vec<Member>,
    books: Option<Books>,
}

/// What the genesis brings into being.
struct Books {
    state: MemoryState,
    chain: SealChain,
    block: BlockInput,
}

impl Replay {
    /// Starts the log of this ledger id: entry 0 comes first.
    pub fn new(ledger_id: Hash) -> Self {
        Self { ledger_id, size: 0, last_nanos: 0, sealed: false, begun: Vec::new(), books: None }
    }

    /// Takes the next entry. Order of its checks: decode, time, `group_len` and `group_index`, cut, due expiries; then
    /// `elsewhere`, which the caller found out about the same entry (its hash tile); then, when a unit is complete,
    /// signatures, admission, outcomes; for a seal, its fields in order. Nothing after the first finding is checked.
    ///
    /// # Errors
    /// [`Halt`]; the replay is then of no further use.
    pub fn push(&mut self, entry: ReadEntry, elsewhere: Option<Finding>) -> Result<(), Halt> {
        let ReadEntry { leaf_hash, content } = entry;
        let content = content.map_err(|fault| self.explain(fault))?;
        self.check_place(&content)?;
        if let Some(finding) = elsewhere {
            return Err(Halt::Wrong(Box::new(finding)));
        }
        self.last_nanos = content.recorded_at_nanos();
        self.sealed = matches!(content, Read::Seal { .. });
        match content {
            Read::Genesis { constants, .. } => self.begin(*constants, leaf_hash)?,
            Read::Event(member) => self.take_member(*member, leaf_hash)?,
            Read::Expiry { payment_id, recorded_at_nanos } => {
                self.expire(payment_id, recorded_at_nanos, leaf_hash)?;
            }
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
            Read::Event(member) => self.check_member(books, member),
            Read::Expiry { payment_id, recorded_at_nanos } => {
                self.check_between_units(kind)?;
                self.check_expiry(books, payment_id, *recorded_at_nanos)
            }
        }
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
        if let Some(first) = self.begun.first() {
            let expected = format!("member {} of {} of the group", self.begun.len(), first.group_len);
            return Err(self.wrong("kind", &expected, kind));
        }
        Ok(())
    }

    fn check_member(&self, books: &Books, member: &Member) -> Result<(), Halt> {
        let Some(first) = self.begun.first() else {
            if member.group_index != 0 {
                return Err(self.wrong("group_index", "0: a group begins", &member.group_index.to_string()));
            }
            return self.check_nothing_due(books, member.recorded_at_nanos);
        };
        if member.group_len != first.group_len {
            let (expected, found) = (first.group_len.to_string(), member.group_len.to_string());
            return Err(self.wrong("group_len", &expected, &found));
        }
        if usize::from(member.group_index) != self.begun.len() {
            let (expected, found) = (self.begun.len().to_string(), member.group_index.to_string());
            return Err(self.wrong("group_index", &expected, &found));
        }
        Ok(())
    }

    /// No hold is due at the time of a unit: its expiry would stand here.
    fn check_nothing_due(&self, books: &Books, t_nanos: u64) -> Result<(), Halt> {
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
        self.books = Some(Books { state, chain: SealChain::new(self.ledger_id), block });
        Ok(())
    }

    fn take_member(&mut self, member: Member, leaf_hash: Hash) -> Result<(), Halt> {
        let complete = usize::from(member.group_len) == self.begun.len() + 1;
        if let Some(books) = &mut self.books {
            books.block.push_leaf(leaf_hash);
        }
        self.begun.push(member);
        if complete { self.judge() } else { Ok(()) }
    }

    /// Judges the unit that the entry in hand completes.
    fn judge(&mut self) -> Result<(), Halt> {
        let mut members = std::mem::take(&mut self.begun);
        let (Some(mut books), Some(first)) = (self.books.take(), members.first()) else { return Ok(()) };
        let first_index = (self.size + 1).saturating_sub(members.len() as u64);
        let t_nanos = first.recorded_at_nanos;
        let unit = Unit {
            atomic: first.group_len > 1,
            members: members.iter_mut().filter_map(|member| member.event.take()).collect(),
        };
        let case = Case { first_index, height: books.chain.next_height };
        case.check_admission(&books, &unit, t_nanos)?;

        let places = (first_index..).zip(&members).map(|(log_index, member)| At {
            t_nanos,
            log_index: LogIndex(log_index),
            recorded_at_nanos: member.recorded_at_nanos,
        });
        let events = unit.members.iter().map(|member| member.signed().event());
        let placed: Vec<_> = events.zip(places).collect();
        let outcomes = execute_at(&books.state, &placed)?;
        for ((((event, at), verified), entry), decided) in
            placed.iter().zip(&unit.members).zip(&members).zip(&outcomes)
        {
            case.check_outcome(at.log_index.0, entry.outcome, decided.refusal.as_ref())?;
            books.absorb(&ExecutedEntry {
                log_index: at.log_index,
                recorded_at_nanos: at.recorded_at_nanos,
                outcome: entry.outcome,
                subject: Subject::Event { event, digest: *verified.signed().digest() },
                effects: &decided.effects,
            });
        }
        self.books = Some(books);
        Ok(())
    }

    fn expire(&mut self, payment_id: PaymentId, at_nanos: u64, leaf_hash: Hash) -> Result<(), Halt> {
        let Some(books) = &mut self.books else { return Ok(()) };
        let log_index = LogIndex(self.size);
        let at = At { t_nanos: at_nanos, log_index, recorded_at_nanos: at_nanos };
        let effects = match books.state.payment_index(&payment_id)? {
            Some(payment) => expire(&books.state, payment, at)?,
            None => Effects::default(),
        };
        books.block.push_leaf(leaf_hash);
        books.absorb(&ExecutedEntry {
            log_index,
            recorded_at_nanos: at_nanos,
            outcome: 0,
            subject: Subject::Expiry { payment_id },
            effects: &effects,
        });
        Ok(())
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
            Some(((field, expected), (_, found))) => Err(case.wrong(self.size, field, &expected, &found)),
            None => Ok(()),
        }
    }

    fn explain(&self, fault: Fault) -> Halt {
        match fault {
            Fault::Wrong { field, expected, found } => self.wrong(field, &expected, &found),
            Fault::Unknown { field, expected, found } => {
                Halt::Unknown(Box::new(self.case().finding(self.size, field, &expected, &found)))
            }
        }
    }

    fn wrong(&self, field: &str, expected: &str, found: &str) -> Halt {
        self.case().wrong(self.size, field, expected, found)
    }

    fn case(&self) -> Case {
        let height = self.books.as_ref().map_or(BlockHeight(0), |books| books.chain.next_height);
        Case { first_index: self.size, height }
    }
}

impl Books {
    fn absorb(&mut self, executed: &ExecutedEntry<'_>) {
        self.state.absorb(executed);
        self.block.absorb(executed.effects);
    }
}

/// The unit or entry in question.
struct Case {
    first_index: u64,
    height: BlockHeight,
}

impl Case {
    /// Signatures, then admission. Of two members at fault the first is named.
    fn check_admission(&self, books: &Books, unit: &Unit, t_nanos: u64) -> Result<(), Halt> {
        let unsigned = unit.members.iter().position(|member| member.signatures().is_err());
        let unknown = unit.members.iter().position(|member| !rules_known(&member.signed().event().body));
        let signature_fault = |member: usize| {
            let refusal = unit.members.get(member).and_then(|member| member.signatures().err());
            let found = refusal.map_or(String::new(), ToString::to_string);
            self.wrong(
                self.index_of(member),
                "signature",
                "the valid signature of each signer, no other",
                &found,
            )
        };
        match (unsigned, unknown) {
            (Some(unsigned), Some(unknown)) if unsigned <= unknown => return Err(signature_fault(unsigned)),
            (_, Some(unknown)) => return Err(self.unknown(unit, unknown)),
            _ => {}
        }
        let (member, found) = match admit(&books.state, unit, t_nanos)? {
            Admission::Admitted => return unsigned.map_or(Ok(()), |member| Err(signature_fault(member))),
            Admission::Rejected { member, refusal } => (member, refusal.to_string()),
            Admission::Known(known) => {
                let first = known.first().map_or(0, |event| event.log_index.0);
                (0, format!("the event of entry {first} again"))
            }
        };
        match unsigned {
            Some(unsigned) if unsigned <= member => Err(signature_fault(unsigned)),
            _ => Err(self.wrong(self.index_of(member), "admission", "an event that may be admitted", &found)),
        }
    }

    fn check_outcome(&self, log_index: u64, found: u16, refusal: Option<&Refusal>) -> Result<(), Halt> {
        let expected = refusal.map_or(0, |refusal| refusal.code.number());
        if expected == found {
            return Ok(());
        }
        let expected = refusal.map_or("0 ACCEPTED".to_owned(), ToString::to_string);
        let found = match Code::from_number(found) {
            Some(code) => format!("{found} {code}"),
            None if found == 0 => "0 ACCEPTED".to_owned(),
            None => found.to_string(),
        };
        Err(self.wrong(log_index, "outcome", &expected, &found))
    }

    fn unknown(&self, unit: &Unit, member: usize) -> Halt {
        let name = unit.members.get(member).map_or("", |member| member.signed().event().body.name());
        let index = self.index_of(member);
        let mut finding = self.finding(index, "body", "an event whose rules are known here", name);
        finding.words = format!("entry {index}: rules of this event not known: {name}");
        Halt::Unknown(Box::new(finding))
    }

    fn index_of(&self, member: usize) -> u64 {
        self.first_index + member as u64
    }

    fn wrong(&self, log_index: u64, field: &str, expected: &str, found: &str) -> Halt {
        Halt::Wrong(Box::new(self.finding(log_index, field, expected, found)))
    }

    fn finding(&self, log_index: u64, field: &str, expected: &str, found: &str) -> Finding {
        let height = self.height;
        let words = format!("entry {log_index}, block {height}: {field}: expected {expected}, found {found}");
        Finding {
            log_index: Some(LogIndex(log_index)),
            height: Some(height),
            file: None,
            field: field.to_owned(),
            expected: expected.to_owned(),
            found: found.to_owned(),
            words,
        }
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
