//! A command as units for either side: decoded, with signatures as they are handed in.

use ledger_core::batch::BATCH_TYPE;
use ledger_core::code::Code;
use ledger_core::event::EVENT_TYPE;
use ledger_core::sidecar::Sidecar;
use ledger_core::unit::{SignedEvent, Submitted, Unit, VerifiedBatch, VerifiedEvent};
use ledger_crypto::dsse;

use crate::keyring;
use crate::model::{Form, Header, Member, Offer, Signature, Way};
use crate::stream::{Command, Kind, Private, Sent, Signed, private_data};

/// A unit for either side, or the code of what cannot be decoded.
pub fn both(command: &Command) -> Result<(Offer, Unit), Code> {
    let mut sent = command.members.as_slice();
    let mut headers = None;
    if command.kind == Kind::Batch
        && let Some((first, rest)) = sent.split_first()
    {
        headers = Some(header(first)?);
        sent = rest;
    }
    let decode = if headers.is_some() { batched } else { member };
    let members = sent.iter().map(decode).collect::<Result<Vec<_>, Code>>()?;
    let (own, members): (Vec<Member>, Vec<VerifiedEvent>) = members.into_iter().unzip();
    Ok(match headers {
        Some((header, verified)) => {
            (Offer { way: Way::Batch(header), members: own }, Unit::batch(verified, members))
        }
        None if command.kind == Kind::Single => {
            let single = members.into_iter().next().expect("one event");
            (Offer { way: Way::Single, members: own }, Unit::single(single))
        }
        None => (Offer { way: Way::Group, members: own }, Unit::group(members)),
    })
}

fn header(sent: &Sent) -> Result<(Header, VerifiedBatch), Code> {
    let mut submitted = submitted(sent, BATCH_TYPE);
    let decoded = VerifiedBatch::trust(submitted.clone()).map_err(|refusal| refusal.code)?;
    let batch = decoded.batch().clone();
    let (given, signatures, is_checked) = signatures(sent, BATCH_TYPE, &batch.signers);
    submitted.signatures = given;
    let verified =
        if is_checked { VerifiedBatch::verify(submitted, |_| None) } else { VerifiedBatch::trust(submitted) };
    Ok((Header { batch, signatures }, verified.expect("decoded before")))
}

fn batched(sent: &Sent) -> Result<(Member, VerifiedEvent), Code> {
    let signed = SignedEvent::decode_batched(submitted(sent, EVENT_TYPE));
    let signed = signed.map_err(|refusal| refusal.code)?;
    let (event, private) = (signed.event().clone(), private_data(sent.private));
    let own = Member { event, payload: sent.payload.clone(), signatures: Vec::new(), private };
    Ok((own, VerifiedEvent::of_batch(signed)))
}

fn member(sent: &Sent) -> Result<(Member, VerifiedEvent), Code> {
    let mut submitted = submitted(sent, EVENT_TYPE);
    let signed = SignedEvent::decode(submitted.clone()).map_err(|refusal| refusal.code)?;
    let event = signed.event().clone();
    let (given, signatures, is_checked) = signatures(sent, EVENT_TYPE, &event.signers);
    submitted.signatures = given;
    let signed = SignedEvent::decode(submitted).expect("decoded before");
    let verified =
        if is_checked { VerifiedEvent::verify(signed, |_| None) } else { VerifiedEvent::trust(signed) };
    // Private data is looked at where signatures are.
    let private = private_data(sent.private).filter(|_| is_checked);
    Ok((Member { event, payload: sent.payload.clone(), signatures, private }, verified))
}

fn submitted(sent: &Sent, payload_type: &str) -> Submitted {
    let sidecar = private_data(sent.private).map(|(salt, metadata)| Sidecar { salt, metadata });
    let (payload_type, payload) = (payload_type.to_owned(), sent.payload.clone());
    Submitted { payload_type, payload, signatures: Vec::new(), sidecar }
}

type Signatures = (Vec<(Vec<u8>, Vec<u8>)>, Vec<Signature>, bool);

/// The signatures as they are handed in, what is known of them, and whether the core shall check them.
fn signatures(sent: &Sent, payload_type: &str, signers: &[Vec<u8>]) -> Signatures {
    let asks = matches!(sent.signed, Signed::Checked | Signed::Forged) || sent.private != Private::None;
    let is_checked = asks && signers.iter().all(|key| keyring::secret(key).is_some());
    let message = if is_checked { dsse::message(payload_type, &sent.payload) } else { Vec::new() };
    let mut given: Vec<(Vec<u8>, Vec<u8>)> = Vec::new();
    for key in signers {
        let secret = keyring::secret(key).filter(|_| is_checked);
        let signature = secret.map_or(vec![0; 64], |secret| secret.sign(&message).to_vec());
        given.push((key.clone(), signature));
    }
    let mut forms = vec![Form::Valid; given.len()];
    match sent.signed {
        Signed::Good | Signed::Checked => {}
        Signed::Missing => {
            given.pop();
            forms.pop();
        }
        Signed::Foreign => {
            given.push((keyring::key("stranger"), vec![0; 64]));
            forms.push(Form::Valid);
        }
        Signed::Twice => {
            if let Some(first) = given.first().cloned() {
                given.push(first);
                forms.push(Form::Valid);
            }
        }
        Signed::Short => {
            if let Some((_, signature)) = given.first_mut() {
                signature.pop();
                forms[0] = Form::Malformed;
            }
        }
        Signed::Forged if is_checked => {
            if let Some((_, signature)) = given.first_mut() {
                signature[7] ^= 1;
                forms[0] = Form::Invalid;
            }
        }
        Signed::Forged => {}
    }
    // The order in which signatures are handed in means nothing.
    given.reverse();
    forms.reverse();
    let forms =
        given.iter().zip(forms).map(|((key, _), form)| Signature { key: key.clone(), form }).collect();
    (given, forms, is_checked)
}
