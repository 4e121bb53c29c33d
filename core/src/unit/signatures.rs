//! Signatures of an event or of a batch's header: one valid one for each key in `signers`, and no other.

use arrayvec::ArrayVec;
use ledger_crypto::{KeyBytes, PublicKey, dsse};

use super::{MAX_SIGNERS, Submitted};
use crate::code::{Code, Refusal};
use crate::entry::EntrySignature;

/// The signatures in the order of an entry, each valid. Codes 401, 402, 403.
pub(super) fn verify(
    submitted: &Submitted,
    signers: &[Vec<u8>],
    known: impl Fn(&KeyBytes) -> Option<PublicKey>,
) -> Result<Vec<EntrySignature>, Refusal> {
    let signatures = in_order_of_signers(submitted, signers)?;
    all_valid(submitted, &signatures, known)?;
    Ok(signatures)
}

/// One signature of 64 bytes for each key in `signers`, and no other. Codes 401, 402.
pub(super) fn in_order_of_signers(
    submitted: &Submitted,
    signers: &[Vec<u8>],
) -> Result<Vec<EntrySignature>, Refusal> {
    let signers = well_formed_signers(signers)?;
    let given = &submitted.signatures;
    if given.len() != signers.len() {
        let limit = format!("{} signatures, one for each signer", signers.len());
        return Err(Refusal::of(Code::SignersMismatch, "signatures", given.len(), limit));
    }
    let mut found = Vec::with_capacity(signers.len());
    for key in signers {
        let Some((_, signature)) = given.iter().find(|(by, _)| by.as_slice() == key) else {
            let missing = hex::encode(key);
            return Err(Refusal::of(
                Code::SignersMismatch,
                "signatures",
                missing,
                "a signature of each signer",
            ));
        };
        found.push((key, signature));
    }
    let fixed = |(key, signature): (KeyBytes, &Vec<u8>)| match <[u8; 64]>::try_from(signature.as_slice()) {
        Ok(signature) => Ok(EntrySignature { key, signature }),
        Err(_) => Err(Refusal::of(
            Code::SignatureMalformed,
            "signatures",
            format!("{} bytes", signature.len()),
            "64 bytes",
        )),
    };
    found.into_iter().map(fixed).collect()
}

/// 1 to 8 keys of 32 bytes, strictly ascending. Code 401.
fn well_formed_signers(signers: &[Vec<u8>]) -> Result<ArrayVec<KeyBytes, MAX_SIGNERS>, Refusal> {
    let count = signers.len();
    if count == 0 || count > MAX_SIGNERS {
        return Err(Refusal::of(Code::SignersMismatch, "signers", count, format!("1 to {MAX_SIGNERS}")));
    }
    let mut keys = ArrayVec::<KeyBytes, MAX_SIGNERS>::new();
    for signer in signers {
        let Ok(key) = KeyBytes::try_from(signer.as_slice()) else {
            return Err(Refusal::of(Code::SignersMismatch, "signers", hex::encode(signer), "32 bytes"));
        };
        if keys.last().is_some_and(|last| *last >= key) {
            return Err(Refusal::of(
                Code::SignersMismatch,
                "signers",
                hex::encode(key),
                "strictly ascending",
            ));
        }
        keys.push(key);
    }
    Ok(keys)
}

/// Every signature holds over the DSSE message. Code 403.
fn all_valid(
    submitted: &Submitted,
    signatures: &[EntrySignature],
    known: impl Fn(&KeyBytes) -> Option<PublicKey>,
) -> Result<(), Refusal> {
    let message = dsse::message(&submitted.payload_type, &submitted.payload);
    for EntrySignature { key, signature } in signatures {
        let public = known(key).or_else(|| PublicKey::from_bytes(key).ok());
        let holds = public.is_some_and(|public| public.verify(&message, signature).is_ok());
        if !holds {
            let limit = "a valid signature over the DSSE message by a canonical key";
            return Err(Refusal::of(Code::SignatureInvalid, "signatures", hex::encode(key), limit));
        }
    }
    Ok(())
}
