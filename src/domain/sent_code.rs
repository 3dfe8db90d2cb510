//! Codes that we send, by mail or SMS: random secrets of eight digits that live ten minutes at most, as those of NIST
//! SP 800-63B §5.1.3.2.

use super::{
    refusal::{Refusal, Rule},
    secret::Secret,
};

/// Digits of a code: 26 bits, where 20 are asked for.
pub const DIGITS: usize = 8;
/// The longest that a code may be good for, in seconds.
pub const LONGEST_LIFE: u32 = 600;
/// How many codes there are.
const CODES: u32 = 100_000_000;
/// From this number on, some codes would be met once more often than others.
const FAIR: u32 = u32::MAX - u32::MAX % CODES;

/// A code as it is sent, and as it is sent back: eight ASCII digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SentCode(Secret<[u8; DIGITS]>);

impl SentCode {
    /// Draws a code, each as likely as any other, from bytes that `random` gives: those few that would favour some codes
    /// are passed over.
    ///
    /// # Errors
    /// Those of `random`.
    pub fn draw<E>(mut random: impl FnMut() -> Result<[u8; 4], E>) -> Result<Self, E> {
        loop {
            let number = u32::from_le_bytes(random()?);
            if number < FAIR {
                return Ok(Self::of(number % CODES));
            }
        }
    }

    /// Reads what a person typed, without spaces and hyphens.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when that does not leave eight ASCII digits.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')).collect();
        match <[u8; DIGITS]>::try_from(digits) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(Secret::new(digits))),
            _ => Err(Rule::SentCode.at(pointer)),
        }
    }

    /// The code that these bytes are, as they were sealed; `None` where they are no code.
    pub fn of_bytes(bytes: &[u8]) -> Option<Self> {
        let digits = <[u8; DIGITS]>::try_from(bytes).ok()?;
        digits.iter().all(u8::is_ascii_digit).then(|| Self(Secret::new(digits)))
    }

    /// The digits, for sealing and for the keyed hash.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// The digits as text: for the one mail or SMS that tells them.
    pub fn reveal(&self) -> String {
        self.0.expose().iter().copied().map(char::from).collect()
    }

    fn of(mut number: u32) -> Self {
        let mut digits = [b'0'; DIGITS];
        for digit in digits.iter_mut().rev() {
            *digit += u8::try_from(number % 10).unwrap_or_default();
            number /= 10;
        }
        Self(Secret::new(digits))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::convert::Infallible;

    fn drawn(numbers: &[u32]) -> String {
        let mut numbers = numbers.iter();
        let code = SentCode::draw(|| Ok::<_, Infallible>(numbers.next().unwrap().to_le_bytes())).unwrap();
        assert_eq!(numbers.next(), None, "no more is drawn than is needed");
        code.reveal()
    }

    #[test]
    fn every_code_is_drawn_from_equally_many_numbers() {
        assert_eq!(FAIR % CODES, 0);
        assert_eq!(drawn(&[0]), "00000000");
        assert_eq!(drawn(&[99_999_999]), "99999999");
        assert_eq!(drawn(&[CODES + 7]), "00000007");
        assert_eq!(drawn(&[FAIR - 1]), "99999999");
        assert_eq!(drawn(&[FAIR, u32::MAX, 42]), "00000042", "the rest of a division favours small codes");
    }

    #[test]
    fn a_source_that_fails_gives_no_code() {
        assert_eq!(SentCode::draw(|| Err("no randomness")), Err("no randomness"));
    }

    #[test]
    fn other_lengths_and_signs_are_refused() {
        for text in ["", "1234567", "123456789", "1234567a", "１２３４５６７８", "+2345678", "12345678\n"] {
            assert!(SentCode::parse(text, "/code").is_err(), "{text}");
            assert!(SentCode::of_bytes(text.as_bytes()).is_none(), "{text}");
        }
        assert!(SentCode::of_bytes(b"1234 5678").is_none(), "nobody types what was sealed");
    }

    proptest! {
        #[test]
        fn what_is_drawn_is_read_back_however_it_is_typed(number in 0..FAIR) {
            let code = SentCode::draw(|| Ok::<_, Infallible>(number.to_le_bytes())).unwrap();
            let shown = code.reveal();
            prop_assert_eq!(shown.parse::<u32>().unwrap(), number % CODES);
            let (first, last) = shown.split_at(4);
            for text in [shown.clone(), format!(" {first} {last} "), format!("{first}-{last}")] {
                prop_assert_eq!(SentCode::parse(&text, "/code"), Ok(code.clone()));
            }
            prop_assert_eq!(SentCode::of_bytes(code.bytes()), Some(code.clone()));
            let debugged = format!("{code:?}");
            prop_assert!(!debugged.contains(&shown), "{}", debugged);
        }
    }
}
