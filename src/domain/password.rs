//! The account password as it is sent to us.

use super::{
    refusal::{Refusal, Rule},
    secret::Secret,
};

/// bcrypt reads 72 bytes with its terminator; nothing longer is accepted, so nothing is ever truncated.
pub const MAX_BYTES: usize = 71;
/// NIST SP 800-63B asks for at least eight characters; we count bytes, which is never laxer in effect
/// for ASCII and says exactly what bcrypt sees.
pub const MIN_BYTES_NEW: usize = 8;

/// A password: UTF-8, compared byte for byte, without NUL, 1 to 71 bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Password(Secret<String>);

impl Password {
    /// A password that is offered as proof.
    ///
    /// # Errors
    /// `validation-failed` at `pointer` when it is empty, too long, or holds NUL: it cannot be right.
    pub fn offered(text: String, pointer: &'static str) -> Result<Self, Refusal> {
        Self::within(1, text).ok_or_else(|| Rule::Password.at(pointer))
    }

    /// A password that is to be set.
    ///
    /// # Errors
    /// As [`Password::offered`], and when it is shorter than eight bytes.
    pub fn chosen(text: String, pointer: &'static str) -> Result<Self, Refusal> {
        Self::within(MIN_BYTES_NEW, text).ok_or_else(|| Rule::NewPassword.at(pointer))
    }

    fn within(min: usize, text: String) -> Option<Self> {
        let secret = Secret::new(text);
        let length = secret.expose().len();
        let fits = (min..=MAX_BYTES).contains(&length) && !secret.expose().contains('\0');
        fits.then_some(Self(secret))
    }

    /// The bytes, for the hash function.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose().as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::Password;

    #[test]
    fn length_is_counted_in_bytes_and_never_cut() {
        assert!(Password::offered("x".repeat(71), "/p").is_ok());
        assert!(Password::offered("x".repeat(72), "/p").is_err());
        assert!(Password::offered("é".repeat(36), "/p").is_err());
        assert!(Password::chosen("1234567".into(), "/p").is_err());
        assert!(Password::offered("a\0b".into(), "/p").is_err());
        assert!(Password::offered(String::new(), "/p").is_err());
    }
}
