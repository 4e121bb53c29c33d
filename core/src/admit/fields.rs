//! Group 6: every field of the header and of the body by itself. All faults are looked at, the lowest number answers.

mod body;
mod faults;

use crate::code::{Code, Field, Refusal};
use crate::date::{is_date, utc_date};
use crate::event::{Event, Family};
use crate::unit::VerifiedEvent;
use crate::view::Constants;
use faults::Faults;

/// 601 to 620. A verifier, which never has the private data, cannot meet 618 and 619.
pub(super) fn check(constants: &Constants, member: &VerifiedEvent, t_nanos: u64) -> Result<(), Refusal> {
    let mut faults = Faults::default();
    let event = member.signed().event();
    check_header(event, t_nanos, &mut faults);
    if let Err(refusal) = member.aside() {
        faults.take(refusal);
    }
    body::check(constants, &event.body, &mut faults);
    faults.lowest()
}

/// Which fields of the header an event carries.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Carries {
    Required,
    Optional,
    Not,
}

/// payment_id, previous_event_id, effective_date, external_ref.
fn carried(event: &Event) -> [Carries; 4] {
    use Carries::{Not, Optional, Required};
    match event.body.family() {
        Family::Initiation => [Required, Not, Optional, Optional],
        Family::Step => [Required, Required, Optional, Not],
        // With a payment's id it reverses an event of the payment, without one a transfer.
        Family::Reversal if event.payment_id.is_empty() => [Not, Not, Optional, Not],
        Family::Reversal => [Required, Required, Optional, Not],
        Family::Transfer => [Not, Not, Optional, Optional],
        Family::Control | Family::Registry => [Not, Not, Not, Not],
    }
}

fn check_header(event: &Event, t_nanos: u64, faults: &mut Faults) {
    let [payment_id, previous_event_id, effective_date, external_ref] = carried(event);
    if event.timestamp_nanos == 0 {
        faults.add(Code::FieldRequired, Field::Plain("timestamp_nanos"), 0, "");
    }
    let named = Field::Plain("payment_id");
    faults.carried(payment_id, named, event.payment_id.is_empty());
    faults.id16(named, &event.payment_id);
    if event.payment_id == [0; 16] {
        faults.add(Code::FieldInvalid, named, "zeros", "an id");
    }
    let named = Field::Plain("previous_event_id");
    faults.carried(previous_event_id, named, event.previous_event_id.is_empty());
    faults.id16(named, &event.previous_event_id);

    faults.carried(effective_date, Field::Plain("effective_date"), event.effective_date == 0);
    check_effective_date(event.effective_date, t_nanos, faults);

    let named = Field::Plain("external_ref");
    faults.carried(external_ref, named, event.external_ref.is_empty());
    faults.short_text(Code::ExternalRefInvalid, named, &event.external_ref);
    faults.bytes32(Field::Plain("metadata_commitment"), &event.metadata_commitment);
}

fn check_effective_date(date: u32, t_nanos: u64, faults: &mut Faults) {
    let today = utc_date(t_nanos);
    if date == 0 {
        return;
    }
    if !is_date(date) {
        faults.add(
            Code::EffectiveDateInvalid,
            Field::Plain("effective_date"),
            date,
            "yyyymmdd from 19700101 to 99991231",
        );
    } else if date > today {
        faults.add(Code::EffectiveDateInvalid, Field::Plain("effective_date"), date, today);
    }
}

impl Faults {
    fn carried(&mut self, carries: Carries, field: Field, absent: bool) {
        match (carries, absent) {
            (Carries::Required, true) => self.add(Code::FieldRequired, field, "", ""),
            (Carries::Not, false) => self.add(Code::FieldNotAllowed, field, "present", "absent"),
            (Carries::Optional, _) | (Carries::Required, false) | (Carries::Not, true) => {}
        }
    }
}
