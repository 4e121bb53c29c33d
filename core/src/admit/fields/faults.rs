//! The faults found in one event, of which the lowest number answers, and checks of a single field.

use crate::code::{Code, Field, Refusal};
use crate::ids::{AccountId, CurrencyCode};
use crate::money::{IsoCurrency, MAX_AMOUNT, iso_currency};
use crate::view::Constants;

/// Most characters of a reason, purpose, reference or party.
const MAX_TEXT: usize = 35;

/// The lowest fault so far; of several with one number the first.
#[derive(Default)]
pub(super) struct Faults(Option<Refusal>);

impl Faults {
    pub(super) fn lowest(self) -> Result<(), Refusal> {
        self.0.map_or(Ok(()), Err)
    }

    pub(super) fn add(&mut self, code: Code, field: Field, value: impl ToString, limit: impl ToString) {
        self.keep(code, || Refusal::of(code, field, value, limit));
    }

    /// A fault that was found before.
    pub(super) fn take(&mut self, refusal: &Refusal) {
        self.keep(refusal.code, || refusal.clone());
    }

    fn keep(&mut self, code: Code, refusal: impl FnOnce() -> Refusal) {
        if self.0.as_ref().is_none_or(|lowest| code < lowest.code) {
            self.0 = Some(refusal());
        }
    }

    /// FIELD_REQUIRED for what is absent.
    pub(super) fn given<T>(&mut self, field: Field, value: Option<T>) {
        if value.is_none() {
            self.add(Code::FieldRequired, field, "", "");
        }
    }

    /// FIELD_INVALID for an id of another length than 16, when there is one.
    pub(super) fn id16(&mut self, field: Field, bytes: &[u8]) {
        self.length(field, bytes, 16);
    }

    /// FIELD_INVALID for a key or hash of another length than 32, when there is one.
    pub(super) fn bytes32(&mut self, field: Field, bytes: &[u8]) {
        self.length(field, bytes, 32);
    }

    pub(super) fn required_bytes(&mut self, field: Field, bytes: &[u8]) {
        if bytes.is_empty() {
            self.add(Code::FieldRequired, field, "", "");
        }
    }

    /// FIELD_REQUIRED, and `code` above 35 characters.
    pub(super) fn required_text(&mut self, code: Code, field: Field, text: &str) {
        self.required_bytes(field, text.as_bytes());
        self.short_text(code, field, text);
    }

    /// `code` above 35 characters; that they are printable ASCII the decoder has seen to.
    pub(super) fn short_text(&mut self, code: Code, field: Field, text: &str) {
        if text.len() > MAX_TEXT {
            let limit = format!("{MAX_TEXT} characters");
            self.add(code, field, format!("{} characters", text.len()), limit);
        }
    }

    /// FIELD_REQUIRED, ACCOUNT_ID_INVALID.
    pub(super) fn account(&mut self, field: Field, account: &str) {
        self.required_bytes(field, account.as_bytes());
        self.optional_account(field, account);
    }

    /// ACCOUNT_ID_INVALID.
    pub(super) fn optional_account(&mut self, field: Field, account: &str) {
        if !account.is_empty() && AccountId::parse(account).is_none() {
            self.add(Code::AccountIdInvalid, field, account, "[a-z0-9][a-z0-9:_-]{0,63}");
        }
    }

    /// FIELD_REQUIRED, CURRENCY_UNKNOWN, CURRENCY_NOT_SUPPORTED.
    pub(super) fn currency(&mut self, constants: &Constants, field: Field, text: &str) {
        if text.is_empty() {
            return self.add(Code::FieldRequired, field, "", "");
        }
        let code = CurrencyCode::parse(text);
        if code.is_some_and(|code| constants.exponent(code).is_some()) {
            return;
        }
        match code.and_then(iso_currency) {
            Some(IsoCurrency::NoExponent) => {
                self.add(Code::CurrencyNotSupported, field, text, "a currency with minor units");
            }
            Some(IsoCurrency::Decimals(_)) | None => {
                self.add(Code::CurrencyUnknown, field, text, "a currency of the genesis");
            }
        }
    }

    /// AMOUNT_ZERO, AMOUNT_TOO_LARGE.
    pub(super) fn amount(&mut self, field: Field, amount: u64) {
        if amount == 0 {
            self.add(Code::AmountZero, field, 0, 1);
        }
        self.within_amount(field, u128::from(amount));
    }

    /// AMOUNT_TOO_LARGE for an amount, a limit or a sum.
    pub(super) fn within_amount(&mut self, field: Field, amount: u128) {
        if amount > u128::from(MAX_AMOUNT) {
            self.add(Code::AmountTooLarge, field, amount, MAX_AMOUNT);
        }
    }

    fn length(&mut self, field: Field, bytes: &[u8], wanted: usize) {
        if !bytes.is_empty() && bytes.len() != wanted {
            self.add(Code::FieldInvalid, field, format!("{} bytes", bytes.len()), format!("{wanted} bytes"));
        }
    }
}
