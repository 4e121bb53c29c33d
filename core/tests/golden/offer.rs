//! Units that leave no trace: turned away, or known already.

use ledger_core::admit::{Admission, admit};
use ledger_core::event::EVENT_TYPE;
use ledger_core::unit::Submitted;
use ledger_core::view::StateView;

use super::compare::says;
use super::writer::{Writer, unit_of, unsigned};
use super::{Json, bytes, list, number, text};

/// A unit that admission turns away: code, member and detail.
pub fn turned_away(writer: &Writer, offer: &Json) {
    let why = text(offer, "why");
    let t_nanos = u64::try_from(number(offer, "t_nanos")).unwrap();
    assert_eq!(writer.state.next_due(t_nanos).unwrap(), None, "{why}: what is due was expired before");
    let (member, refusal) = match unit_of(list(offer, "members").iter().map(submitted).collect()) {
        Err(undecodable) => undecodable,
        Ok(unit) => match admit(&writer.state, &unit, t_nanos).unwrap() {
            Admission::Rejected { member, refusal } => (member, refusal),
            Admission::BatchRejected(refusal) => (0, refusal),
            other => panic!("{why}: {other:?}"),
        },
    };
    assert_eq!(i128::from(refusal.code.number()), number(offer, "number"), "{why}: {refusal}");
    assert_eq!(refusal.code.name(), text(offer, "refusal"), "{why}");
    assert_eq!(Some(member as u64), offer["member"].as_u64().or(Some(0)), "{why}");
    assert!(refusal.code.number() < 700, "{why}");
    // What a decoder says about malformed bytes is its own.
    if refusal.code.group() != 3 {
        assert!(says(&refusal, text(offer, "detail")), "{why}: {refusal}, not {}", offer["detail"]);
    }
}

/// A unit whose members are all known: the original answers, signatures not looked at.
pub fn sent_again(writer: &Writer, offer: &Json) {
    let why = text(offer, "why");
    let clock_nanos = u64::try_from(number(offer, "clock_nanos")).unwrap();
    let payloads =
        list(offer, "payloads").iter().map(|payload| hex::decode(payload.as_str().unwrap()).unwrap());
    let unit = unit_of(payloads.map(unsigned).collect()).unwrap();
    let Admission::Known(originals) = admit(&writer.state, &unit, clock_nanos).unwrap() else {
        panic!("{why}: known");
    };
    assert_eq!(originals.len(), list(offer, "answers").len(), "{why}");
    for (original, answer) in originals.iter().zip(list(offer, "answers")) {
        assert_eq!(i128::from(original.log_index.0), number(answer, "index"), "{why}");
        assert_eq!(i128::from(original.outcome), number(answer, "outcome"), "{why}");
    }
}

fn submitted(member: &Json) -> Submitted {
    let signatures =
        list(member, "signatures").iter().map(|s| (bytes(s, "key"), bytes(s, "signature"))).collect();
    Submitted {
        payload_type: EVENT_TYPE.to_owned(),
        payload: bytes(member, "payload"),
        signatures,
        sidecar: None,
    }
}
