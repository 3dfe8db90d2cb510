//! Recovery codes: look-up secrets (NIST SP 800-63B §3.1.2) of 120 bits, shown once.

use super::{
    refusal::{Refusal, Rule},
    secret::Secret,
};
use data_encoding::{Encoding, Specification};
use std::sync::LazyLock;

/// How many codes a set has.
pub const SET_SIZE: usize = 10;
/// 24 symbols of five bits.
pub const BYTES: usize = 15;
const GROUP: usize = 6;

/// Crockford's base 32: no I, L, O, U; what is easily misread is read as what was meant.
static CROCKFORD: LazyLock<Option<Encoding>> = LazyLock::new(|| {
    let mut spec = Specification::new();
    spec.symbols.push_str("0123456789ABCDEFGHJKMNPQRSTVWXYZ");
    spec.translate.from.push_str("abcdefghjkmnpqrstvwxyzILOilo");
    spec.translate.to.push_str("ABCDEFGHJKMNPQRSTVWXYZ110110");
    spec.ignore.push_str("- ");
    spec.encoding().ok()
});

/// One recovery code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecoveryCode(Secret<[u8; BYTES]>);

impl RecoveryCode {
    /// The code that these random bytes are.
    pub fn from_random(bytes: [u8; BYTES]) -> Self {
        Self(Secret::new(bytes))
    }

    /// Reads what a person typed: any case, with or without hyphens and spaces, `I L`→`1`, `O`→`0`.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when that does not leave 24 symbols.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        let decoded = CROCKFORD.as_ref().and_then(|crockford| crockford.decode(text.as_bytes()).ok());
        let bytes = decoded.and_then(|bytes| <[u8; BYTES]>::try_from(bytes).ok());
        bytes.map(Self::from_random).ok_or_else(|| Rule::RecoveryCode.at(pointer))
    }

    /// `XXXXXX-XXXXXX-XXXXXX-XXXXXX`, for the one answer that shows it.
    pub fn reveal(&self) -> String {
        let symbols = CROCKFORD.as_ref().map(|crockford| crockford.encode(self.0.expose())).unwrap_or_default();
        let groups: Vec<&str> = symbols.as_bytes().chunks(GROUP).filter_map(|g| std::str::from_utf8(g).ok()).collect();
        groups.join("-")
    }

    /// The bytes, for the keyed hash.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_shown_is_read_back_however_it_is_typed() {
        let code = RecoveryCode::from_random([0, 17, 34, 51, 68, 85, 102, 119, 136, 153, 170, 187, 204, 221, 238]);
        let shown = code.reveal();
        assert_eq!(shown.len(), 27);
        let typed =
            [shown.clone(), shown.to_lowercase(), shown.replace('-', ""), shown.replace('0', "o").replace('1', "L")];
        for text in typed {
            assert_eq!(RecoveryCode::parse(&text, "/recovery_code").as_ref(), Ok(&code), "{text}");
        }
    }

    #[test]
    fn other_lengths_and_letters_are_refused() {
        for text in ["", "000000", &"0".repeat(23), &"0".repeat(25), &"U".repeat(24), &"é".repeat(12)] {
            assert!(RecoveryCode::parse(text, "/recovery_code").is_err(), "{text}");
        }
    }
}
