//! `ledger event`: read events, and make those that several keys sign.

use std::fs;
use std::path::{Path, PathBuf};

use ledger_client::messages::{EntryKind, LogEntry};
use ledger_client::{EntryRef, Metadata, add_signatures, write_durably};
use ledger_core::event::Event;
use ledger_core::ids::{CurrencyCode, EventId, LogIndex, PaymentId};
use ledger_core::unit::Submitted;
use ledger_crypto::SigningKey;
use ledger_crypto::dsse::{self, Envelope};

use crate::context::{Context, Keys, Mode, Private};
use crate::draft::{DraftArgs, event_id, public_key};
use crate::exit::{CliError, Exit};
use crate::private;
use crate::render::{self, Facts};
use crate::submit::{Atomicity, envelope, submit_signed};
use crate::text;

/// Commands about events.
#[derive(Clone, Debug, clap::Subcommand)]
pub enum Args {
    /// One event as it stands in the log
    Show(Show),
    /// The private data of an event, checked against what the event signs
    Metadata {
        /// The event
        #[arg(value_parser = event_id)]
        event_id: EventId,
        /// Write the data here; not given, to standard output
        #[arg(long, value_name = "FILE")]
        out: Option<PathBuf>,
    },
    /// Write an event that its signers sign later, as a DSSE envelope
    Create(Box<Create>),
    /// Add signatures to an envelope
    Sign {
        /// The envelope; it is replaced
        file: PathBuf,
        #[command(flatten)]
        keys: Keys,
    },
    /// Submit signed envelopes
    Submit {
        /// The envelopes
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// As one group: all are accepted, or none
        #[arg(long)]
        atomic: bool,
        /// Ask what would be answered now; nothing is recorded
        #[arg(long)]
        dry_run: bool,
    },
}

/// Which event, and what to write of it.
#[derive(Clone, Debug, clap::Args)]
pub struct Show {
    /// The event
    #[arg(value_parser = event_id, required_unless_present = "log_index", conflicts_with = "log_index")]
    pub event_id: Option<EventId>,
    /// The entry at this place of the log
    #[arg(long, value_name = "LOG_INDEX")]
    pub log_index: Option<u64>,
    /// Write its DSSE envelope here
    #[arg(long, value_name = "FILE")]
    pub dsse: Option<PathBuf>,
    /// Write the bytes that are signed here
    #[arg(long, value_name = "FILE")]
    pub message: Option<PathBuf>,
    /// Write its first signature here, 64 bytes
    #[arg(long, value_name = "FILE")]
    pub signature: Option<PathBuf>,
}

/// An event to be signed.
#[derive(Clone, Debug, clap::Args)]
pub struct Create {
    /// The envelope to write
    #[arg(long, value_name = "FILE")]
    pub out: PathBuf,
    /// Key that will sign, NAME.pub, NAME.key or 64 hexadecimal digits; once per signer
    #[arg(long = "signer", value_name = "KEY", required = true)]
    pub signers: Vec<String>,
    #[command(flatten)]
    private: Private,
    #[command(subcommand)]
    draft: DraftArgs,
}

/// Runs one of them.
pub async fn run(args: &Args, context: &Context) -> Result<Exit, CliError> {
    match args {
        Args::Show(args) => show(args, context).await,
        Args::Metadata { event_id, out } => metadata(*event_id, out.as_deref(), context).await,
        Args::Create(args) => create(args, context).await,
        Args::Sign { file, keys } => sign(file, &keys.load()?, context),
        Args::Submit { files, atomic, dry_run } => {
            let events = files
                .iter()
                .map(|file| Ok(Submitted { sidecar: private::read_beside(file)?, ..submitted(read(file)?) }));
            let events = events.collect::<Result<Vec<_>, CliError>>()?;
            let atomicity = if *atomic { Atomicity::Group } else { Atomicity::Single };
            submit_signed(context, &events, atomicity, Mode::of(*dry_run)).await
        }
    }
}

async fn show(args: &Show, context: &Context) -> Result<Exit, CliError> {
    let client = context.client()?;
    let entry = match (args.event_id, args.log_index) {
        (Some(id), _) => EntryRef::Event(id),
        (None, index) => EntryRef::Index(LogIndex(index.unwrap_or_default())),
    };
    let entry = client.event(entry).await?;
    let mut facts: Facts = vec![
        ("log index", entry.log_index.to_string()),
        ("kind", kind_name(entry.kind())),
        ("recorded at", text::time(entry.recorded_at_nanos)),
        ("outcome", entry.outcome_name.clone()),
    ];
    if !entry.payment_id.is_empty() {
        facts.push(("payment id", text::uuid(&entry.payment_id)));
    }
    if let Some(batch) = &entry.batch {
        facts.push(("batch header", batch.header_log_index.to_string()));
        facts.push(("batch position", batch.position.to_string()));
    }
    if let (EntryKind::Event | EntryKind::BatchedEvent, Ok(event)) =
        (entry.kind(), Event::decode_batched(&entry.payload))
    {
        let currency = currency_of(&client, &event).await;
        facts.extend(render::event_facts(&event, currency)?);
    }
    write_parts(args, &entry)?;
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}

/// The currency of the event's payment, which most events of a payment do not repeat. Not known, the amounts are shown
/// in minor units.
async fn currency_of(client: &ledger_client::Client, event: &Event) -> Option<CurrencyCode> {
    let id = PaymentId(event.payment_id.as_slice().try_into().ok()?);
    let payment = client.payment(id).await.ok()?;
    CurrencyCode::parse(&payment.currency)
}

fn write_parts(args: &Show, entry: &LogEntry) -> Result<(), CliError> {
    let write = |path: &Option<PathBuf>, bytes: &[u8]| match path {
        Some(path) => write_durably(path, bytes).map_err(CliError::io(path)),
        None => Ok(()),
    };
    if args.dsse.is_none() && args.message.is_none() && args.signature.is_none() {
        return Ok(());
    }
    let envelope = envelope_of(entry)?;
    let first = envelope.signatures.first().map_or(&[][..], |(_, signature)| signature);
    write(&args.dsse, envelope.to_json().as_bytes())?;
    write(&args.message, &dsse::message(&envelope.payload_type, &envelope.payload))?;
    write(&args.signature, first)
}

fn envelope_of(entry: &LogEntry) -> Result<Envelope, CliError> {
    let signature = |s: &ledger_client::messages::Signature| {
        Some((s.key.as_slice().try_into().ok()?, s.signature.as_slice().try_into().ok()?))
    };
    let signatures: Option<Vec<_>> = entry.signatures.iter().map(signature).collect();
    match signatures {
        Some(signatures) if !signatures.is_empty() => Ok(Envelope {
            payload_type: entry.payload_type.clone(),
            payload: entry.payload.clone(),
            signatures,
        }),
        _ => Err(CliError::argument("entry", entry.log_index, "an entry with signatures of its own")),
    }
}

async fn metadata(id: EventId, out: Option<&Path>, context: &Context) -> Result<Exit, CliError> {
    let mut facts: Facts = vec![("event id", id.to_string())];
    let data = match context.client()?.metadata(id).await? {
        Metadata::Here(data) => data,
        Metadata::Never => {
            facts.push(("metadata", "not kept here".to_owned()));
            context.out.print(render::facts_table(&facts), &render::object(&facts));
            return Ok(Exit::Refused);
        }
        Metadata::Erased(by) => {
            facts.push(("metadata", "erased".to_owned()));
            facts.push(("erased by log index", by.to_string()));
            context.out.print(render::facts_table(&facts), &render::object(&facts));
            return Ok(Exit::Refused);
        }
    };
    let bytes = data.len();
    facts.push(("bytes", bytes.to_string()));
    match out {
        Some(path) => {
            private::write(path, &data)?;
            facts.push(("file", path.display().to_string()));
        }
        None => match String::from_utf8(data) {
            Ok(text) => facts.push(("metadata", text)),
            Err(bytes) => facts.push(("metadata in hexadecimal", hex::encode(bytes.as_bytes()))),
        },
    }
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}

async fn create(args: &Create, context: &Context) -> Result<Exit, CliError> {
    let signers = args.signers.iter().map(|signer| public_key("--signer", signer));
    let signers = signers.collect::<Result<Vec<_>, CliError>>()?;
    let draft = args.draft.draft(context).await?;
    let payment = draft.payment;
    let mut event = draft.build(&context.ledger_id()?)?;
    if let Some(sidecar) = args.private.load()? {
        event = event.private(sidecar);
    }
    let id = event.event_id();
    let unsigned = event.unsigned(signers);
    let beside = private::path_beside(&args.out);
    for path in [&args.out, &beside] {
        if path.exists() {
            let source = std::io::Error::from(std::io::ErrorKind::AlreadyExists);
            return Err(CliError::Io { path: path.clone(), source });
        }
    }
    private::write_beside(&args.out, unsigned.sidecar.as_ref())?;
    write(&args.out, &envelope(&unsigned))?;
    let mut facts: Facts = vec![("event id", id.to_string()), ("file", args.out.display().to_string())];
    facts.extend(payment.map(|id| ("payment id", id.to_string())));
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}

fn sign(file: &Path, keys: &[SigningKey], context: &Context) -> Result<Exit, CliError> {
    let mut event = submitted(read(file)?);
    let decoded =
        Event::decode(&event.payload).map_err(|source| CliError::Event { path: file.to_owned(), source })?;
    for key in keys {
        if !decoded.signers.iter().any(|signer| *signer == key.public_bytes()) {
            let named: Vec<String> = decoded.signers.iter().map(hex::encode).collect();
            return Err(CliError::argument(
                "--key",
                key.public(),
                format!("one of the event's signers: {}", named.join(", ")),
            ));
        }
    }
    add_signatures(&mut event, &keys.iter().collect::<Vec<_>>());
    write(file, &envelope(&event))?;
    let missing = decoded.signers.len() - event.signatures.len().min(decoded.signers.len());
    let facts: Facts = vec![
        ("event id", text::uuid(&decoded.event_id)),
        ("signatures", event.signatures.len().to_string()),
        ("missing", missing.to_string()),
    ];
    context.out.print(render::facts_table(&facts), &render::object(&facts));
    Ok(Exit::Ok)
}

fn read(file: &Path) -> Result<Envelope, CliError> {
    let text = fs::read_to_string(file).map_err(CliError::io(file))?;
    Envelope::from_json(&text).map_err(|source| CliError::Envelope { path: file.to_owned(), source })
}

fn write(file: &Path, envelope: &Envelope) -> Result<(), CliError> {
    write_durably(file, envelope.to_json().as_bytes()).map_err(CliError::io(file))
}

fn submitted(envelope: Envelope) -> Submitted {
    let signatures = envelope.signatures.into_iter();
    Submitted {
        payload_type: envelope.payload_type,
        payload: envelope.payload,
        signatures: signatures.map(|(key, signature)| (key.to_vec(), signature.to_vec())).collect(),
        sidecar: None,
    }
}

fn kind_name(kind: EntryKind) -> String {
    kind.as_str_name().trim_start_matches("ENTRY_KIND_").to_owned()
}
