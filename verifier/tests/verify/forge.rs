//! Makes logs with real keys, through the same rules as a ledger but in memory, and exports them: honest ones, and what
//! a dishonest operator who holds the log key could make of them.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use ledger_core::admit::{Admission, admit};
use ledger_core::apply::{
    At, Effects, ExecutedEntry, Subject, execute, expire, genesis_effects, genesis_params,
};
use ledger_core::checkpoint::Checkpoint;
use ledger_core::entry::{Content, Entry, EntrySignature};
use ledger_core::event::*;
use ledger_core::export::files_of;
use ledger_core::genesis::{Currency, Genesis, Limits, Operator};
use ledger_core::ids::{EventId, LogIndex, PaymentId};
use ledger_core::number::{AccountKind, CaptureMode, Roles, Side};
use ledger_core::receipt::TlogProof;
use ledger_core::seal::{BlockInput, SealChain};
use ledger_core::state::MemoryState;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedEvent};
use ledger_core::view::{State, StateView};
use ledger_crypto::note::VerifierKey;
use ledger_crypto::{Hash, Hasher, SigningKey, domain, dsse};
use ledger_verify::Trust;

/// Origin of every forged log, and name of its key.
pub const ORIGIN: &str = "ledger.example/forged";
/// 2026-01-05T09:00:00Z.
const START_NANOS: u64 = 1_767_603_600_000_000_000;

/// A log in the making.
pub struct Forge {
    /// Signs checkpoints.
    pub log_key: SigningKey,
    /// The one operator.
    pub operator: SigningKey,
    /// A service that may do everything but operate.
    pub service: SigningKey,
    /// Time of the next entry, if the log is not past it.
    pub now_nanos: u64,
    /// The next entry gets the time of the last one.
    pub clock_stands: bool,
    /// State after the last entry.
    pub state: MemoryState,
    /// Encoded entries.
    pub entries: Vec<Vec<u8>>,
    ledger_id: Hash,
    last_nanos: u64,
    chain: SealChain,
    block: BlockInput,
    root: Hash,
    ids: u64,
}

/// A payment as its next event needs it.
#[derive(Clone, Copy)]
pub struct Payment {
    /// Its id.
    pub id: PaymentId,
    /// The last event of it.
    pub head: EventId,
}

/// The files of an export by path.
pub type Files = BTreeMap<String, Vec<u8>>;

impl Forge {
    /// A log with its genesis sealed.
    pub fn new() -> Self {
        let log_key = SigningKey::from_seed([1; 32]);
        let operator = SigningKey::from_seed([2; 32]);
        let genesis = Genesis {
            origin: ORIGIN.to_owned(),
            log_key: log_key.public_bytes().to_vec(),
            operators: vec![Operator { key: operator.public_bytes().to_vec(), party: "operator".to_owned() }],
            operator_threshold: 1,
            currencies: ["EUR", "USD"].map(|code| Currency { code: code.to_owned(), exponent: 2 }).to_vec(),
            rules_version: 1,
            limits: Some(Limits { group_members: 100, batch_members: 100 }),
            nonce: vec![7; 32],
            predecessor: Vec::new(),
        };
        let entry = genesis.to_entry(START_NANOS);
        let (constants, _) = Genesis::from_entry(&entry).unwrap();
        let ledger_id = Entry::leaf_hash(&entry);
        let mut block = BlockInput::new(Default::default(), genesis_params(&constants));
        block.absorb(&genesis_effects(&constants));
        let mut forge = Self {
            log_key,
            operator,
            service: SigningKey::from_seed([3; 32]),
            now_nanos: START_NANOS,
            clock_stands: false,
            state: MemoryState::new(constants),
            entries: Vec::new(),
            ledger_id,
            last_nanos: START_NANOS,
            chain: SealChain::new(ledger_id),
            block,
            root: ledger_id,
            ids: 0,
        };
        forge.append(entry);
        forge.seal();
        forge
    }

    /// A log whose service key is registered, with accounts `world:usd`, `cust:alice`, `cust:bob`, `shop:books`, and
    /// 10,000.00 USD for each customer.
    pub fn with_accounts() -> Self {
        let mut forge = Self::new();
        let roles = Roles::INITIATOR.0 | Roles::PROCESSOR.0 | Roles::OWNER.0;
        let key = forge.service.public_bytes().to_vec();
        let body = KeyRegistered {
            key,
            party: "service".to_owned(),
            roles: u32::from(roles),
            prefix: String::new(),
        };
        let event = forge.event(None, Body::KeyRegistered(body), Signers::OperatorAndService);
        forge.submit(vec![event]);
        for (account, kind) in [
            ("world:usd", AccountKind::External),
            ("cust:alice", AccountKind::Customer),
            ("cust:bob", AccountKind::Customer),
            ("shop:books", AccountKind::Merchant),
        ] {
            forge.open(account, kind);
        }
        for customer in ["cust:alice", "cust:bob"] {
            let event = forge.transfer_event("world:usd", customer, 1_000_000, Signers::Operator);
            assert_eq!(forge.submit(vec![event]), [0]);
        }
        forge.seal();
        forge
    }

    /// Opens an account in USD.
    pub fn open(&mut self, account: &str, kind: AccountKind) {
        self.open_in("USD", account, kind);
    }

    /// Opens an account in a currency.
    pub fn open_in(&mut self, currency: &str, account: &str, kind: AccountKind) {
        let body = AccountOpened {
            account: account.to_owned(),
            currency: currency.to_owned(),
            kind: Some(kind),
            limit: 0,
        };
        let event = self.event(None, Body::AccountOpened(body), Signers::Operator);
        assert_eq!(self.submit(vec![event]), [0]);
    }

    /// Transfers `amount` and returns the outcome.
    pub fn transfer(&mut self, from: &str, to: &str, amount: u64) -> u16 {
        let event = self.transfer_event(from, to, amount, Signers::Service);
        self.submit(vec![event])[0]
    }

    /// Initiates and authorizes a payment of alice to the bookshop.
    pub fn authorize(&mut self, amount: u64, timeout_s: u32) -> Payment {
        self.authorize_to("shop:books", amount, timeout_s)
    }

    /// Initiates and authorizes a payment of alice to a merchant.
    pub fn authorize_to(&mut self, creditor: &str, amount: u64, timeout_s: u32) -> Payment {
        let mut payment = Payment { id: PaymentId(self.uuid()), head: EventId::NIL };
        for body in
            [initiation(creditor, amount), Body::PaymentAuthorized(PaymentAuthorized { amount, timeout_s })]
        {
            let event = self.event(Some(payment), body, Signers::Service);
            payment.head = id_of(&event);
            assert_eq!(self.submit(vec![event]), [0]);
        }
        payment
    }

    /// Captures part of a payment's hold.
    pub fn capture(&mut self, payment: &mut Payment, amount: u64, final_capture: bool) -> u16 {
        let body = PaymentCaptured { amount, final_capture, ..PaymentCaptured::default() };
        let event = self.event(Some(*payment), Body::PaymentCaptured(body), Signers::Service);
        payment.head = id_of(&event);
        self.submit(vec![event])[0]
    }

    /// A signed transfer of two legs.
    pub fn transfer_event(&mut self, from: &str, to: &str, amount: u64, signers: Signers) -> Submitted {
        self.event(None, transfer_body(from, to, amount), signers)
    }

    /// A signed event with a new id.
    pub fn event(&mut self, payment: Option<Payment>, body: Body, signers: Signers) -> Submitted {
        let event = self.unsigned(payment, body, signers);
        self.sign(&event, signers)
    }

    /// A change of the log key, signed by all who must.
    pub fn rotation(&mut self, next: &SigningKey) -> Submitted {
        let body = rotation_body(next);
        let keys = [&self.operator, &self.log_key, next].map(SigningKey::clone);
        self.event_by(body, &keys)
    }

    /// An event signed by any keys.
    pub fn event_by(&mut self, body: Body, keys: &[SigningKey]) -> Submitted {
        let mut event = self.unsigned(None, body, Signers::Operator);
        event.signers = sorted(keys);
        let payload = event.encode();
        let message = dsse::message(EVENT_TYPE, &payload);
        let signatures =
            keys.iter().map(|key| (key.public_bytes().to_vec(), key.sign(&message).to_vec())).collect();
        Submitted { payload_type: EVENT_TYPE.to_owned(), payload, signatures, sidecar: None }
    }

    /// Two transfers that name each other in one group.
    pub fn group(&mut self, amounts: [u64; 2]) -> Vec<Submitted> {
        let bodies = amounts.map(|amount| transfer_body("cust:alice", "cust:bob", amount));
        self.group_of(bodies, Signers::Service)
    }

    /// Events that name each other in one group.
    pub fn group_of(&mut self, bodies: [Body; 2], signers: Signers) -> Vec<Submitted> {
        let mut events = bodies.map(|body| self.unsigned(None, body, signers));
        let mut hasher = Hasher::tagged(domain::GROUP);
        for event in &events {
            hasher.update(&event.event_id);
        }
        let group = hasher.finish().to_vec();
        events.iter_mut().for_each(|event| event.group.clone_from(&group));
        events.iter().map(|event| self.sign(event, signers)).collect()
    }

    /// An event before it is signed.
    pub fn unsigned(&mut self, payment: Option<Payment>, body: Body, signers: Signers) -> Event {
        let mut keys: Vec<Vec<u8>> =
            self.keys(signers).iter().map(|key| key.public_bytes().to_vec()).collect();
        keys.sort();
        let head = payment.map(|payment| payment.head).filter(|head| !head.is_nil());
        Event {
            ledger_id: self.ledger_id.to_vec(),
            event_id: self.uuid().to_vec(),
            payment_id: payment.map(|payment| payment.id.0.to_vec()).unwrap_or_default(),
            previous_event_id: head.map(|head| head.0.to_vec()).unwrap_or_default(),
            signers: keys,
            timestamp_nanos: self.now_nanos,
            body,
            ..Event::default()
        }
    }

    /// Signs an event as it stands.
    pub fn sign(&self, event: &Event, signers: Signers) -> Submitted {
        let payload = event.encode();
        let message = dsse::message(EVENT_TYPE, &payload);
        let keys = self.keys(signers);
        let signatures =
            keys.iter().map(|key| (key.public_bytes().to_vec(), key.sign(&message).to_vec())).collect();
        Submitted { payload_type: EVENT_TYPE.to_owned(), payload, signatures, sidecar: None }
    }

    /// What an honest ledger does with a unit: due expiries, admission, the rules, entries. Returns the outcomes.
    pub fn submit(&mut self, members: Vec<Submitted>) -> Vec<u16> {
        while let Some((_, payment)) = self.state.next_due(self.next_nanos()).unwrap() {
            let id = self.state.payment(payment).unwrap().id;
            self.expire(id);
        }
        let unit = unit_of(&members);
        let admission = admit(&self.state, &unit, self.next_nanos()).unwrap();
        assert_eq!(admission, Admission::Admitted);
        self.log_unit(&unit)
    }

    /// Logs a unit without asking for expiries or admission: what the rules make of it, whatever should stand before.
    pub fn log_unit(&mut self, unit: &Unit) -> Vec<u16> {
        let at = At {
            t_nanos: self.next_nanos(),
            log_index: LogIndex(self.entries.len() as u64),
            recorded_at_nanos: self.next_nanos(),
        };
        let outcomes = execute(&self.state, unit.members(), at).unwrap();
        for (position, (member, decided)) in unit.members().iter().zip(&outcomes).enumerate() {
            let place =
                Place { outcome: decided.number(), group_len: unit.members().len(), group_index: position };
            self.log_event(member.signed(), None, place, &decided.effects);
        }
        outcomes.iter().map(|decided| decided.number()).collect()
    }

    /// Logs one event with an outcome and effects of the forger's choice. `signatures` replace those submitted.
    pub fn log_event(
        &mut self,
        signed: &SignedEvent,
        signatures: Option<Vec<EntrySignature>>,
        place: Place,
        effects: &Effects,
    ) {
        let recorded_at_nanos = self.next_nanos();
        let submitted = signed.submitted();
        let entry = Entry {
            recorded_at_nanos,
            outcome: place.outcome,
            group_len: place.group_len.try_into().unwrap(),
            group_index: place.group_index.try_into().unwrap(),
            content: Content::Event {
                signatures: signatures.unwrap_or_else(|| entry_signatures(submitted)),
                payload_type: submitted.payload_type.clone(),
                payload: submitted.payload.clone(),
            },
        };
        let subject = Subject::Event { event: signed.event(), digest: *signed.digest() };
        self.absorb(recorded_at_nanos, place.outcome, subject, effects);
        self.append(entry.encode());
    }

    /// Logs the expiry of a payment with a hold, due or not.
    pub fn expire(&mut self, payment_id: PaymentId) {
        let recorded_at_nanos = self.next_nanos();
        let at = At {
            t_nanos: recorded_at_nanos,
            log_index: LogIndex(self.entries.len() as u64),
            recorded_at_nanos,
        };
        let payment = self.state.payment_index(&payment_id).unwrap().unwrap();
        let effects = expire(&self.state, payment, at).unwrap();
        self.absorb(recorded_at_nanos, 0, Subject::Expiry { payment_id }, &effects);
        let content = Content::Expiry { payment_id };
        let entry = Entry { recorded_at_nanos, outcome: 0, group_len: 1, group_index: 0, content };
        self.append(entry.encode());
    }

    /// Seals what stands behind the last seal.
    pub fn seal(&mut self) {
        self.seal_with(|_| ());
    }

    /// Seals what stands behind the last seal, after something was done to what the seal is made of.
    pub fn seal_with(&mut self, tamper: impl FnOnce(&mut BlockInput)) {
        let next = BlockInput::new(self.state.totals().clone(), self.state.params().clone());
        let mut block = std::mem::replace(&mut self.block, next);
        block.recorded_at_nanos = self.last_nanos + 1;
        tamper(&mut block);
        let sealed = self.chain.seal(block);
        self.last_nanos += 1;
        self.root = sealed.checkpoint_root;
        self.entries.push(sealed.entry);
    }

    /// The files of the export at the last seal.
    pub fn files(&self) -> Files {
        files_of_log(&self.entries, &self.log_key)
    }

    /// What an auditor of this log brings along.
    pub fn trust(&self) -> Trust {
        let key = VerifierKey::new(ORIGIN, &self.log_key.public()).unwrap();
        Trust { key, ledger_id: self.ledger_id }
    }

    /// Time of the next entry.
    pub fn next_nanos(&self) -> u64 {
        if self.clock_stands { self.last_nanos } else { self.now_nanos.max(self.last_nanos + 1) }
    }

    /// A new UUID v7.
    pub fn uuid(&mut self) -> [u8; 16] {
        self.ids += 1;
        let millis = self.next_nanos() / 1_000_000;
        let mut id = [0; 16];
        id[..6].copy_from_slice(&millis.to_be_bytes()[2..]);
        id[6] = 0x70;
        id[8..].copy_from_slice(&self.ids.to_be_bytes());
        id[8] = 0x80;
        id
    }

    /// Takes over what an entry at the end of the log does.
    pub fn absorb(&mut self, recorded_at_nanos: u64, outcome: u16, subject: Subject<'_>, effects: &Effects) {
        let log_index = LogIndex(self.entries.len() as u64);
        let t_nanos = recorded_at_nanos;
        self.state.absorb(&ExecutedEntry {
            log_index,
            recorded_at_nanos,
            t_nanos,
            outcome,
            subject,
            effects,
        });
        self.block.absorb(effects);
        self.last_nanos = recorded_at_nanos;
    }

    /// Adds the bytes of an entry to the block.
    pub fn append(&mut self, entry: Vec<u8>) {
        self.block.push_leaf(Entry::leaf_hash(&entry));
        self.entries.push(entry);
    }

    fn keys(&self, signers: Signers) -> Vec<&SigningKey> {
        match signers {
            Signers::Operator => vec![&self.operator],
            Signers::Service => vec![&self.service],
            Signers::OperatorAndService => vec![&self.operator, &self.service],
        }
    }
}

/// Who signs.
#[derive(Clone, Copy)]
pub enum Signers {
    Operator,
    Service,
    OperatorAndService,
}

/// What the ledger writes beside an event.
#[derive(Clone, Copy)]
pub struct Place {
    pub outcome: u16,
    pub group_len: usize,
    pub group_index: usize,
}

/// An accepted event that is a unit of its own.
pub const ALONE: Place = Place { outcome: 0, group_len: 1, group_index: 0 };

/// A transfer of two legs.
pub fn transfer_body(from: &str, to: &str, amount: u64) -> Body {
    let leg = |account: &str, side| Leg {
        account: account.to_owned(),
        side: Some(side),
        currency: "USD".to_owned(),
        amount,
    };
    let legs = vec![leg(from, Side::Debit), leg(to, Side::Credit)];
    Body::TransferPosted(TransferPosted { legs, purpose: "TEST".to_owned(), related_payment_id: Vec::new() })
}

/// A change of the log key.
pub fn rotation_body(next: &SigningKey) -> Body {
    Body::LogKeyRotated(LogKeyRotated { new_key: next.public_bytes().to_vec() })
}

/// Public keys in the order of `signers`.
pub fn sorted(keys: &[SigningKey]) -> Vec<Vec<u8>> {
    let mut keys: Vec<_> = keys.iter().map(|key| key.public_bytes().to_vec()).collect();
    keys.sort();
    keys
}

/// A payment from alice to a merchant, announced.
fn initiation(creditor: &str, amount: u64) -> Body {
    Body::PaymentInitiated(PaymentInitiated {
        amount,
        currency: "USD".to_owned(),
        debtor: "cust:alice".to_owned(),
        creditor: creditor.to_owned(),
        capture_mode: Some(CaptureMode::Deferred),
        clearing_account: String::new(),
    })
}

/// Decoded and verified, as a unit: an atomic group when there are several.
pub fn unit_of(members: &[Submitted]) -> Unit {
    let verify =
        |member: &Submitted| VerifiedEvent::verify(SignedEvent::decode(member.clone()).unwrap(), |_| None);
    let members: Vec<_> = members.iter().map(verify).collect();
    Unit::logged(members)
}

/// Signatures in the order of an entry.
pub fn entry_signatures(submitted: &Submitted) -> Vec<EntrySignature> {
    let mut lines: Vec<_> = submitted
        .signatures
        .iter()
        .map(|(key, signature)| EntrySignature {
            key: key.as_slice().try_into().unwrap(),
            signature: signature.as_slice().try_into().unwrap(),
        })
        .collect();
    lines.sort_by_key(|line| line.key);
    lines
}

/// The export of entries, the last of which is a seal, under a checkpoint of `key`.
pub fn files_of_log(entries: &[Vec<u8>], key: &SigningKey) -> Files {
    files_under(entries, note_of(entries, std::slice::from_ref(key)))
}

/// The checkpoint over entries, with a line of each key.
pub fn note_of(entries: &[Vec<u8>], keys: &[SigningKey]) -> String {
    let root = ledger_merkle::build::root(&leaves_of(entries));
    let checkpoint = Checkpoint { origin: ORIGIN.to_owned(), size: entries.len() as u64, root };
    checkpoint.sign_by(keys).unwrap()
}

/// The receipt of an entry, as text, under a checkpoint over all of them.
pub fn receipt_of(entries: &[Vec<u8>], index: usize, checkpoint: &str) -> String {
    proof_of(entries, index, entries[index].clone(), checkpoint)
}

/// The proof of an entry that carries `extra`.
pub fn proof_of(entries: &[Vec<u8>], index: usize, extra: Vec<u8>, checkpoint: &str) -> String {
    let path = ledger_merkle::build::inclusion_path(&leaves_of(entries), index).unwrap();
    TlogProof { extra, index: index as u64, path, checkpoint: checkpoint.to_owned() }.to_text()
}

fn leaves_of(entries: &[Vec<u8>]) -> Vec<Hash> {
    entries.iter().map(|entry| Entry::leaf_hash(entry)).collect()
}

/// The export of entries under a given checkpoint note.
pub fn files_under(entries: &[Vec<u8>], checkpoint: String) -> Files {
    let size = entries.len() as u64;
    let entries = entries.iter().cloned().map(Ok::<_, std::convert::Infallible>);
    files_of(entries, size, checkpoint).map(Result::unwrap).collect()
}

/// Writes an export.
pub fn write(files: &Files, dir: &Path) {
    for (path, bytes) in files {
        let path = dir.join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, bytes).unwrap();
    }
}

fn id_of(submitted: &Submitted) -> EventId {
    EventId(Event::decode(&submitted.payload).unwrap().event_id.try_into().unwrap())
}
