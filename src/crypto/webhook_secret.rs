//! The secret of a webhook, and what it signs: Standard Webhooks, "Signature scheme".

use super::random::Random;
use crate::domain::{refusal::Fault, secret::Secret};
use aws_lc_rs::hmac;
use data_encoding::BASE64;

const PREFIX: &str = "whsec_";
const BYTES: usize = 32;

/// The key that both ends have.
#[derive(Clone, Debug)]
pub struct WebhookSecret(Secret<Vec<u8>>);

impl WebhookSecret {
    /// Draws a new one of 256 bits.
    ///
    /// # Errors
    /// `unavailable` when the random source fails.
    pub fn draw(random: Random) -> Result<Self, Fault> {
        Ok(Self(Secret::new(random.bytes::<BYTES>()?.to_vec())))
    }

    /// One that was opened.
    pub fn opened(bytes: Secret<Vec<u8>>) -> Self {
        Self(bytes)
    }

    /// Its bytes, to be sealed.
    pub fn bytes(&self) -> &[u8] {
        self.0.expose()
    }

    /// The text, for the one answer that shows it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", BASE64.encode(self.0.expose()))
    }

    /// The signature of a message: of its id, the seconds of this attempt, and the body as it is sent.
    pub fn sign(&self, id: &str, seconds: i64, body: &str) -> String {
        let key = hmac::Key::new(hmac::HMAC_SHA256, self.0.expose());
        let tag = hmac::sign(&key, format!("{id}.{seconds}.{body}").as_bytes());
        format!("v1,{}", BASE64.encode(tag.as_ref()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_signs_as_the_standard_does() {
        // The example of the specification.
        let key = BASE64.decode(b"MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw").unwrap();
        let secret = WebhookSecret::opened(Secret::new(key));
        let signature = secret.sign("msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, "{\"test\": 2432232314}");
        assert_eq!(signature, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn it_is_long_and_shown_once() {
        let secret = WebhookSecret::draw(Random).unwrap();
        let text = secret.reveal();
        assert_eq!(BASE64.decode(text.strip_prefix(PREFIX).unwrap().as_bytes()).unwrap().len(), BYTES);
        assert!(!format!("{secret:?}").contains(&text[PREFIX.len()..]));
        assert_ne!(WebhookSecret::draw(Random).unwrap().reveal(), text);
    }
}
