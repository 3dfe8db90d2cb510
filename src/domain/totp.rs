//! Time-based one-time passwords: RFC 6238 over RFC 4226, with SHA-1, six digits and 30 s, which is what
//! every authenticator app reads whatever its URI says.

use super::{
    refusal::{Refusal, Rule},
    secret::Secret,
};
use data_encoding::BASE32_NOPAD;
use jiff::Timestamp;
use std::ops::RangeInclusive;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq, ConstantTimeLess};

/// Seconds a code stands for: RFC 6238 §4.1, the recommended time step.
pub const PERIOD: u32 = 30;
/// Digits of a code.
pub const DIGITS: u32 = 6;
/// 160 bits, the length of the HMAC: RFC 4226 §4 R6.
pub const SECRET_BYTES: usize = 20;
/// 128 bits, which a secret must have at the least: RFC 4226 §4 R6.
const FEWEST_BYTES: usize = 16;
/// What other makers' secrets have, in bytes: 80 bits were common once, and a key that is longer than a block of
/// SHA-1 is hashed down to one (RFC 2104 §2).
const FOREIGN_BYTES: RangeInclusive<usize> = 10..=64;
/// How far the clock of a phone may be off and still be named at confirm: an hour, in steps.
const SKEW_STEPS: u64 = 3600 / PERIOD as u64;

/// The key that an authenticator app and the service share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TotpSecret(Secret<Vec<u8>>);

/// A code as it was sent: six ASCII digits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Code(Secret<[u8; DIGITS as usize]>);

/// The number of periods since the Unix epoch: `T` of RFC 6238 §4.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Step(pub u64);

impl Step {
    /// The step that `at` lies in; moments before 1970 count as the first step.
    pub fn at(at: Timestamp) -> Self {
        Self(u64::try_from(at.as_second()).unwrap_or(0) / u64::from(PERIOD))
    }
}

impl Code {
    /// Reads what a person typed, without spaces and hyphens.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when that does not leave six ASCII digits.
    pub fn parse(text: &str, pointer: &'static str) -> Result<Self, Refusal> {
        let digits: Vec<u8> = text.bytes().filter(|byte| !matches!(byte, b' ' | b'-')).collect();
        match <[u8; DIGITS as usize]>::try_from(digits) {
            Ok(digits) if digits.iter().all(u8::is_ascii_digit) => Ok(Self(Secret::new(digits))),
            _ => Err(Rule::Code.at(pointer)),
        }
    }
}

impl TotpSecret {
    /// The secret that these bytes are, as we draw them.
    pub fn from_bytes(bytes: [u8; SECRET_BYTES]) -> Self {
        Self(Secret::new(bytes.to_vec()))
    }

    /// The secret that these bytes are, whoever drew them; `None` where they are fewer than 10 or more than 64.
    pub fn of_any_maker(bytes: Vec<u8>) -> Option<Self> {
        let secret = Secret::new(bytes);
        FOREIGN_BYTES.contains(&secret.expose().len()).then_some(Self(secret))
    }

    /// Whether it is shorter than a secret must be (RFC 4226 §4 R6).
    pub fn is_short(&self) -> bool {
        self.0.expose().len() < FEWEST_BYTES
    }

    /// The bytes, for sealing.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// In base 32 (RFC 4648 §6) without padding: for the one answer that shows it, and for an export that is to have
    /// secrets.
    pub fn reveal(&self) -> String {
        BASE32_NOPAD.encode(self.0.expose())
    }

    /// The code of one step.
    pub fn code(&self, step: Step) -> String {
        let seconds = step.0.saturating_mul(u64::from(PERIOD));
        totp_lite::totp_custom::<totp_lite::Sha1>(u64::from(PERIOD), DIGITS, self.0.expose(), seconds)
    }

    /// The step that `code` is right for, within `window` steps of `now` and later than `last`.
    ///
    /// Every candidate is computed and compared in constant time, and the earliest match wins, so that
    /// neither the match nor its place shows in the time taken. RFC 6238 §5.2: a step is accepted once.
    pub fn matching_step(&self, code: &Code, now: Timestamp, window: u32, last: Option<Step>) -> Option<Step> {
        let current = Step::at(now).0;
        let first = current.saturating_sub(u64::from(window));
        let bar = last.map_or(0, |step| step.0.saturating_add(1));
        let mut found = 0_u64;
        let mut is_found = Choice::from(0);
        for step in first..=current.saturating_add(u64::from(window)) {
            let hit = self.is_right(code, Step(step)) & !step.ct_lt(&bar) & !is_found;
            found.conditional_assign(&step, hit);
            is_found |= hit;
        }
        bool::from(is_found).then_some(Step(found))
    }

    /// How many seconds the clock that made `code` is ahead of `now`, when it is within an hour.
    pub fn skew(&self, code: &Code, now: Timestamp) -> Option<i64> {
        let current = Step::at(now).0;
        (1..=SKEW_STEPS).find_map(|distance| {
            let seconds = i64::try_from(distance).ok()? * i64::from(PERIOD);
            let behind = current.checked_sub(distance).is_some_and(|step| self.is_right(code, Step(step)).into());
            let ahead: bool = self.is_right(code, Step(current.saturating_add(distance))).into();
            behind.then_some(-seconds).or(ahead.then_some(seconds))
        })
    }

    /// The key URI that authenticator apps scan: `otpauth://totp/Issuer:account?…`, issuer both as
    /// prefix and parameter, everything outside RFC 3986 §2.3 percent-encoded (a `+` is not a space here).
    pub fn otpauth_uri(&self, issuer: &str, account: &str) -> String {
        // A colon separates issuer and account in the label, so neither may bring its own.
        let issuer = percent_encode(&issuer.replace(':', " "));
        let account = percent_encode(&account.replace(':', " "));
        let secret = self.reveal();
        format!(
            "otpauth://totp/{issuer}:{account}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
        )
    }

    fn is_right(&self, code: &Code, step: Step) -> Choice {
        self.code(step).as_bytes().ct_eq(code.0.expose())
    }
}

fn percent_encode(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const LAST_SECOND: i64 = 253_402_207_200;
    const RFC_SECRET: &[u8; SECRET_BYTES] = b"12345678901234567890";

    fn secret() -> TotpSecret {
        TotpSecret::from_bytes(*RFC_SECRET)
    }

    #[test]
    fn rfc_4226_appendix_d_vectors_hold() {
        let expected =
            ["755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583", "399871", "520489"];
        for (counter, code) in (0..).zip(expected) {
            assert_eq!(secret().code(Step(counter)), code);
        }
    }

    #[test]
    fn rfc_6238_appendix_b_vectors_hold_for_sha_1() {
        let vectors = [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000_i64, "65353130"),
        ];
        for (seconds, eight_digits) in vectors {
            let at = Timestamp::from_second(seconds).unwrap();
            assert_eq!(secret().code(Step::at(at)), eight_digits[2..], "at {seconds}");
        }
    }

    #[test]
    fn secrets_of_other_makers_have_10_to_64_bytes() {
        let of = |length: usize| TotpSecret::of_any_maker(vec![7; length]);
        for (length, is_short) in [(10, true), (15, true), (16, false), (20, false), (32, false), (64, false)] {
            let secret = of(length).unwrap();
            assert_eq!(secret.is_short(), is_short, "{length} bytes");
            assert_eq!(secret.bytes().len(), length);
        }
        assert_eq!((of(9), of(65)), (None, None));
    }

    #[test]
    fn typed_forms_are_read_as_one_code_and_others_refused() {
        for text in ["123456", " 123 456", "123-456"] {
            assert_eq!(Code::parse(text, "/code"), Code::parse("123456", "/code"));
        }
        for text in ["", "12345", "1234567", "123456\n", "１２３４５６", "-23456", "1e5", "١٢٣٤٥٦"] {
            assert!(Code::parse(text, "/code").is_err(), "{text}");
        }
    }

    #[test]
    fn the_key_uri_keeps_hostile_names_in_their_place() {
        let uri = secret().otpauth_uri("A:B&C / 50%", "a b+c@example.test\r\n");
        assert!(uri.starts_with("otpauth://totp/A%20B%26C%20%2F%2050%25:a%20b%2Bc%40example.test%0D%0A?secret="));
        assert!(uri.contains("&issuer=A%20B%26C%20%2F%2050%25&"));
    }

    #[test]
    fn a_code_that_is_right_for_two_steps_uses_up_the_earlier_one_first() {
        let (first, now) = (Step(62_075_368), Timestamp::from_second(62_075_368 * 30).unwrap());
        let code = Code::parse("235522", "/code").unwrap();
        assert_eq!(secret().matching_step(&code, now, 1, None), Some(first));
        assert_eq!(secret().matching_step(&code, now, 1, Some(first)), Some(Step(first.0 + 1)));
        assert_eq!(secret().matching_step(&code, now, 1, Some(Step(first.0 + 1))), None);
    }

    /// An independent implementation of RFC 6238.
    fn authenticator(secret: &TotpSecret) -> totp_rs::Totp {
        let secret = totp_rs::Secret::try_from_base32(secret.reveal()).unwrap();
        totp_rs::Builder::new().with_secret(secret).with_account_name("anybody").build().unwrap()
    }

    /// From the first second of 1970 to the last that there is.
    fn any_seconds() -> impl Strategy<Value = i64> {
        prop_oneof![0_i64..600, 1_700_000_000_i64..4_000_000_000, LAST_SECOND - 600..LAST_SECOND]
    }

    proptest! {
        #[test]
        fn a_code_is_accepted_for_the_first_unused_step_of_its_window_that_shows_it_and_no_other(
            bytes in any::<[u8; SECRET_BYTES]>(), seconds in any_seconds(), window in 0_u32..=10,
            offset in -14_i64..=14, last in prop::option::of(-14_i64..=14),
        ) {
            let (secret, now) = (TotpSecret::from_bytes(bytes), Timestamp::from_second(seconds).unwrap());
            let current = u64::try_from(seconds).unwrap() / 30;
            let near = |offset: i64| current.saturating_add_signed(offset);
            let other = authenticator(&secret);
            let shown = other.generate(near(offset) * 30).to_string();
            prop_assert_eq!(&secret.code(Step(near(offset))), &shown);
            let last = last.map(near);
            // Six digits may be right for several steps; the first of them is the one that is used up.
            let is_right = |step: &u64| last.is_none_or(|last| *step > last) && other.generate(step * 30).to_string() == shown;
            let window = i64::from(window);
            let expected = (near(-window)..=near(window)).find(is_right).map(Step);
            let code = Code::parse(&shown, "/code").unwrap();
            prop_assert_eq!(secret.matching_step(&code, now, u32::try_from(window).unwrap(), last.map(Step)), expected);
        }

        #[test]
        fn no_step_is_accepted_twice_whatever_is_sent_and_whichever_way_the_clock_goes(
            bytes in any::<[u8; SECRET_BYTES]>(), begin in any_seconds(), window in 0_u32..=10,
            tries in prop::collection::vec((-90_i64..=90, -3_i64..=3), 1..60),
        ) {
            let secret = TotpSecret::from_bytes(bytes);
            let (mut seconds, mut last) = (begin, None);
            for (passed, offset) in tries {
                seconds = (seconds + passed).clamp(0, LAST_SECOND);
                let now = Timestamp::from_second(seconds).unwrap();
                let code = secret.code(Step(Step::at(now).0.saturating_add_signed(offset)));
                let found = secret.matching_step(&Code::parse(&code, "/code").unwrap(), now, window, last);
                prop_assert!(found.is_none() || found > last, "{:?} after {:?}", found, last);
                last = found.or(last);
            }
        }
    }
}
