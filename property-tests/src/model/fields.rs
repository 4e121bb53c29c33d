//! Group 6: which fields an event carries, and what may stand in them.

use ledger_core::code::Code;
use ledger_core::event::{Body, Event};

use super::names::{is_account_id, is_without_exponent};
use super::{Fixed, body, calendar};

/// Largest amount: 18 digits.
pub(super) const LARGEST: u64 = 999_999_999_999_999_999;

/// Every code of group 6 that applies.
pub(super) fn faults(fixed: &Fixed, event: &Event, t: u64, faults: &mut Vec<Code>) {
    header(event, t, faults);
    let mut fields = Fields { fixed, faults };
    body::faults(&event.body, &mut fields);
}

/// How a field of the header stands in the table.
#[derive(PartialEq, Eq)]
enum Needs {
    Required,
    Absent,
    Optional,
}

fn header(event: &Event, t: u64, faults: &mut Vec<Code>) {
    use Needs::{Absent, Optional, Required};
    let (payment_id, previous, effective_date, external_ref) = match event.body.number() {
        1 => (Required, Absent, Optional, Optional),
        2..=12 => (Required, Required, Optional, Absent),
        13 if event.payment_id.is_empty() => (Absent, Absent, Optional, Absent),
        13 => (Required, Required, Optional, Absent),
        14 => (Absent, Absent, Optional, Optional),
        _ => (Absent, Absent, Absent, Absent),
    };
    if event.timestamp_nanos == 0 {
        faults.push(Code::FieldRequired);
    }
    for (needs, is_given) in [
        (payment_id, !event.payment_id.is_empty()),
        (previous, !event.previous_event_id.is_empty()),
        (effective_date, event.effective_date != 0),
        (external_ref, !event.external_ref.is_empty()),
    ] {
        match (needs, is_given) {
            (Required, false) => faults.push(Code::FieldRequired),
            (Absent, true) => faults.push(Code::FieldNotAllowed),
            _ => {}
        }
    }
    for (bytes, length) in
        [(&event.payment_id, 16), (&event.previous_event_id, 16), (&event.metadata_commitment, 32)]
    {
        if !bytes.is_empty() && bytes.len() != length {
            faults.push(Code::FieldInvalid);
        }
    }
    if event.payment_id == [0; 16] {
        faults.push(Code::FieldInvalid);
    }
    if event.external_ref.len() > 35 {
        faults.push(Code::ExternalRefInvalid);
    }
    let date = event.effective_date;
    if date != 0 && (!calendar::is_date(date) || date > calendar::utc_date(t)) {
        faults.push(Code::EffectiveDateInvalid);
    }
}

/// Collects the faults of a body's fields.
pub(super) struct Fields<'a> {
    fixed: &'a Fixed,
    faults: &'a mut Vec<Code>,
}

impl Fields<'_> {
    pub(super) fn fault(&mut self, code: Code) {
        self.faults.push(code);
    }

    pub(super) fn fault_if(&mut self, applies: bool, code: Code) {
        if applies {
            self.fault(code);
        }
    }

    pub(super) fn required(&mut self, is_given: bool) {
        self.fault_if(!is_given, Code::FieldRequired);
    }

    pub(super) fn amount(&mut self, amount: u64) {
        self.fault_if(amount == 0, Code::AmountZero);
        self.fault_if(amount > LARGEST, Code::AmountTooLarge);
    }

    pub(super) fn account(&mut self, id: &str) {
        self.required(!id.is_empty());
        self.optional_account(id);
    }

    pub(super) fn optional_account(&mut self, id: &str) {
        self.fault_if(!id.is_empty() && !is_account_id(id), Code::AccountIdInvalid);
    }

    pub(super) fn currency(&mut self, code: &str) {
        self.required(!code.is_empty());
        if is_without_exponent(code) {
            return self.fault(Code::CurrencyNotSupported);
        }
        let is_known = self.fixed.exponents.keys().any(|known| known.as_str() == code);
        self.fault_if(!is_known, Code::CurrencyUnknown);
    }

    pub(super) fn reason(&mut self, reason: &str) {
        self.required(!reason.is_empty());
        self.optional_reason(reason);
    }

    pub(super) fn optional_reason(&mut self, reason: &str) {
        self.fault_if(reason.len() > 35, Code::ReasonInvalid);
    }

    /// References that have no code of their own.
    pub(super) fn optional_field_text(&mut self, reference: &str) {
        self.fault_if(reference.len() > 35, Code::FieldInvalid);
    }

    pub(super) fn bytes(&mut self, bytes: &[u8], length: usize) {
        self.required(!bytes.is_empty());
        self.optional_bytes(bytes, length);
    }

    pub(super) fn optional_bytes(&mut self, bytes: &[u8], length: usize) {
        self.fault_if(!bytes.is_empty() && bytes.len() != length, Code::FieldInvalid);
    }
}

/// Whether an event is of a payment by its type.
pub(super) fn is_of_payment(body: &Body) -> bool {
    matches!(body.number(), 2..=7 | 9..=12)
}
