//! Telephone numbers that codes are sent to: those of mobile telephones, in the form of E.164.
//!
//! What a number is follows from the numbering plans of the countries, which the library has. A number that costs its
//! caller more, that belongs to no country, or that is not a mobile telephone's is refused: somebody is paid for what is
//! sent to it, and a code that anybody can fetch proves nothing (NIST SP 800-63B §5.1.3.1).

use super::refusal::{Refusal, Rule};
use phonenumber::{Mode, Type, metadata::DATABASE};
use std::fmt;

/// Characters of what a person types, separators among them.
const MAX_CHARS: usize = 32;
/// Digits after the country code that a budget of a range of numbers goes by: an area, or what a network hands out at
/// once.
const RANGE_DIGITS: usize = 3;

/// The number of a mobile telephone. Only [`PhoneNumber::as_str`] tells it.
#[derive(Clone, PartialEq, Eq)]
pub struct PhoneNumber {
    text: String,
    country_digits: usize,
}

impl PhoneNumber {
    /// Reads a number that begins with `+` and its country code; spaces, hyphens, dots and brackets are passed over.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when it is not the number of a mobile telephone.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        Self::read(text.trim()).ok_or_else(|| Rule::Phone.at(pointer))
    }

    fn read(text: &str) -> Option<Self> {
        let digits = text.strip_prefix('+').filter(|_| text.len() <= MAX_CHARS)?;
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit() || b" -.()".contains(&byte));
        let number = phonenumber::parse(None, text).ok().filter(|_| is_plain)?;
        let is_mobile = matches!(number.number_type(&DATABASE), Type::Mobile | Type::FixedLineOrMobile);
        // What belongs to no country is a satellite's, or an international service.
        let fits = number.is_valid() && number.country().id().is_some() && is_mobile;
        let code = number.country().code().to_string();
        fits.then(|| Self { text: number.format().mode(Mode::E164).to_string(), country_digits: code.len() })
    }

    /// The number, such as `+60123456789`.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The number as it is kept: its country code is told apart, so that nobody needs the plans of the day to read it.
    pub fn kept(&self) -> String {
        let (country, rest) = self.text.split_at(1 + self.country_digits);
        format!("{country}-{rest}")
    }

    /// The number that was kept so; a numbering plan that has changed since makes it no other.
    pub fn of_kept(text: &str) -> Option<Self> {
        let (country, rest) = text.strip_prefix('+')?.split_once('-')?;
        let is_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let fits = is_number(country) && is_number(rest);
        fits.then(|| Self { text: format!("+{country}{rest}"), country_digits: country.len() })
    }

    /// The number as whoever has it knows it again, and nobody else: `+60 •••• ••89`.
    pub fn masked(&self) -> String {
        let (country, rest) = self.text.split_at(1 + self.country_digits);
        let last = rest.get(rest.len().saturating_sub(2)..).unwrap_or_default();
        format!("{country} •••• ••{last}")
    }

    /// The range that it lies in, such as `+60123`: whoever earns by what is sent to numbers has many that begin alike.
    pub fn range(&self) -> &str {
        self.text.get(..1 + self.country_digits + RANGE_DIGITS).unwrap_or(&self.text)
    }
}

impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PhoneNumber({})", self.masked())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(text: &str) -> Option<PhoneNumber> {
        PhoneNumber::parse(text, "/phone").ok()
    }

    #[test]
    fn a_mobile_telephone_is_known_however_it_is_typed() {
        for (text, number, masked, range) in [
            ("+60123456789", "+60123456789", "+60 •••• ••89", "+60123"),
            (" +60 12-345 6789 ", "+60123456789", "+60 •••• ••89", "+60123"),
            ("+44 7400 123456", "+447400123456", "+44 •••• ••56", "+44740"),
            ("+1 (201) 555-0123", "+12015550123", "+1 •••• ••23", "+1201"),
            ("+86 131 2345 6789", "+8613123456789", "+86 •••• ••89", "+86131"),
            ("+65 8123 4567", "+6581234567", "+65 •••• ••67", "+65812"),
        ] {
            let read = read(text).unwrap_or_else(|| panic!("{text}"));
            assert_eq!((read.as_str(), read.masked().as_str(), read.range()), (number, masked, range));
            assert_eq!(format!("{read:?}"), format!("PhoneNumber({masked})"));
        }
    }

    #[test]
    fn what_is_no_mobile_telephone_is_refused() {
        for (text, why) in [
            ("", "nothing"),
            ("0123456789", "no country"),
            ("60123456789", "no plus"),
            ("+60", "no number"),
            ("+6012345678901234", "too long"),
            ("+60123456789 ext. 5", "an extension"),
            ("+60123456789;ext=5", "an extension, as RFC 3966 has it"),
            ("tel:+60123456789", "a URI"),
            ("+1 800 FLOWERS", "letters"),
            ("+４４７４００１２３４５６", "digits of another script"),
            ("+60323856789", "a line that does not move"),
            ("+449012345678", "dear"),
            ("+448001234567", "somebody else pays"),
            ("+445600123456", "voice over IP"),
            ("+8821234567", "a satellite's"),
            ("+999123456789", "nobody's"),
        ] {
            assert_eq!(read(text), None, "{text}: {why}");
        }
    }

    #[test]
    fn what_was_not_kept_so_is_not_read() {
        assert_eq!(read("+60123456789").unwrap().kept(), "+60-123456789");
        for text in ["", "+60123456789", "60-123456789", "+-123", "+60-", "+60-12 3", "+60-1-2"] {
            assert_eq!(PhoneNumber::of_kept(text), None, "{text}");
        }
    }

    proptest! {
        #[test]
        fn whatever_is_typed_is_read_or_refused_and_what_is_read_is_read_again(text in "\\+?[0-9 ().+-]{0,40}|.{0,40}") {
            if let Some(number) = read(&text) {
                let digits = number.as_str().strip_prefix('+').unwrap();
                prop_assert!((7..=15).contains(&digits.len()) && digits.bytes().all(|byte| byte.is_ascii_digit()));
                prop_assert_eq!(read(number.as_str()), Some(number.clone()));
                prop_assert_eq!(PhoneNumber::of_kept(&number.kept()), Some(number));
            }
        }

        #[test]
        fn a_mask_hides_all_but_two_digits(rest in 10_000_000_u32..100_000_000) {
            let text = format!("+6011{rest}");
            if let Some(number) = read(&text) {
                let shown: String = number.masked().chars().filter(char::is_ascii_digit).collect();
                prop_assert_eq!(shown.len(), 4);
            }
        }
    }
}
