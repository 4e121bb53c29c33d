//! Commands: units as bytes, each with the time at which it is offered. A stream of them needs nothing else, so parts
//! of it can be left out, and it can be kept as text.

use std::fmt::Write;

/// One step of a stream.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Command {
    /// What the clock says.
    pub clock: u64,
    /// What is offered.
    pub kind: Kind,
    /// The events; before those of a batch its header.
    pub members: Vec<Sent>,
}

/// What a command offers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Kind {
    /// One event.
    Single,
    /// An atomic group.
    Group,
    /// A signed batch.
    Batch,
    /// Nothing: what is due expires.
    Idle,
    /// Nothing: a seal takes an index.
    Seal,
}

/// An event as it was sent.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Sent {
    /// The payload.
    pub payload: Vec<u8>,
    /// What its signatures are like.
    pub signed: Signed,
    /// What private data comes beside it.
    pub private: Private,
}

impl Sent {
    /// An event with good signatures and nothing beside it.
    pub fn good(payload: Vec<u8>) -> Self {
        Self { payload, signed: Signed::Good, private: Private::None }
    }
}

/// What the signatures of an event are like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Signed {
    /// One of each signer, taken as valid without checking.
    Good,
    /// One of each signer, signed and checked.
    Checked,
    /// The last signer's is missing.
    Missing,
    /// Somebody else's is there as well.
    Foreign,
    /// The first signer's is there twice.
    Twice,
    /// The first one has 63 bytes.
    Short,
    /// Signed and checked, but a bit of the first one is wrong.
    Forged,
}

/// What private data comes beside an event.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Private {
    /// None.
    None,
    /// That of [`commitment`].
    Fits,
    /// The same with another salt.
    Differs,
    /// The same with a salt of 31 bytes.
    Unsalted,
    /// More than 8 KiB.
    TooLong,
}

/// What an event signs that [`Private::Fits`] comes beside.
pub fn commitment() -> Vec<u8> {
    let (salt, metadata) = private_data(Private::Fits).expect("some");
    ledger_crypto::sha256(&[b"ledger/v1/metadata", salt.as_slice(), &metadata].concat()).to_vec()
}

/// Salt and metadata.
pub fn private_data(private: Private) -> Option<(Vec<u8>, Vec<u8>)> {
    let metadata = b"private".to_vec();
    match private {
        Private::None => None,
        Private::Fits => Some((vec![9; 32], metadata)),
        Private::Differs => Some((vec![8; 32], metadata)),
        Private::Unsalted => Some((vec![9; 31], metadata)),
        Private::TooLong => Some((vec![9; 32], vec![0; 8 * 1024 + 1])),
    }
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Single, "single"),
    (Kind::Group, "group"),
    (Kind::Batch, "batch"),
    (Kind::Idle, "idle"),
    (Kind::Seal, "seal"),
];

const PRIVATE: [(Private, &str); 5] = [
    (Private::None, ""),
    (Private::Fits, "+fits"),
    (Private::Differs, "+differs"),
    (Private::Unsalted, "+unsalted"),
    (Private::TooLong, "+too-long"),
];

const SIGNED: [(Signed, &str); 7] = [
    (Signed::Good, "good"),
    (Signed::Checked, "checked"),
    (Signed::Missing, "missing"),
    (Signed::Foreign, "foreign"),
    (Signed::Twice, "twice"),
    (Signed::Short, "short"),
    (Signed::Forged, "forged"),
];

/// The text of a stream: `threshold N`, then a line per command: clock, kind, `signed:payload` of each event.
pub fn to_text(threshold: u32, commands: &[Command]) -> String {
    let mut text = format!("threshold {threshold}\n");
    for command in commands {
        let kind = KINDS.iter().find(|(kind, _)| *kind == command.kind).expect("in the table").1;
        write!(text, "{} {kind}", command.clock).expect("text");
        for sent in &command.members {
            let signed = SIGNED.iter().find(|(signed, _)| *signed == sent.signed).expect("in the table").1;
            let beside =
                PRIVATE.iter().find(|(private, _)| *private == sent.private).expect("in the table").1;
            write!(text, " {signed}{beside}:{}", hex::encode(&sent.payload)).expect("text");
        }
        text.push('\n');
    }
    text
}

/// A stream that is kept as text.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Stored {
    /// Operators that sign together.
    pub threshold: u32,
    /// The commands.
    pub commands: Vec<Command>,
    /// The answer that each must get, where the text says it: the text of [`crate::model::Answer`].
    pub answers: Vec<Option<String>>,
}

/// Reads what [`to_text`] wrote; lines that begin with `#` are remarks, and ` =ANSWER` may end that of a command.
///
/// # Errors
/// The line that is not of this form.
pub fn from_text(text: &str) -> Result<Stored, String> {
    let mut lines = text.lines().filter(|line| !line.starts_with('#'));
    let first = lines.next().unwrap_or_default();
    let threshold = first.strip_prefix("threshold ").and_then(|number| number.parse().ok());
    let threshold = threshold.ok_or_else(|| first.to_owned())?;
    let (mut commands, mut answers) = (Vec::new(), Vec::new());
    for line in lines {
        let (line, answer) =
            line.split_once(" =").map_or((line, None), |(line, answer)| (line, Some(answer)));
        commands.push(command(line).ok_or_else(|| line.to_owned())?);
        answers.push(answer.map(str::to_owned));
    }
    Ok(Stored { threshold, commands, answers })
}

fn command(line: &str) -> Option<Command> {
    let mut words = line.split(' ');
    let clock = words.next()?.parse().ok()?;
    let kind = words.next()?;
    let kind = KINDS.iter().find(|(_, name)| *name == kind)?.0;
    let sent = |word: &str| {
        let (words, payload) = word.split_once(':')?;
        let (signed, beside) = words.split_at(words.find('+').unwrap_or(words.len()));
        let signed = SIGNED.iter().find(|(_, name)| *name == signed)?.0;
        let private = PRIVATE.iter().find(|(_, name)| *name == beside)?.0;
        Some(Sent { payload: hex::decode(payload).ok()?, signed, private })
    };
    Some(Command { clock, kind, members: words.map(sent).collect::<Option<_>>()? })
}
