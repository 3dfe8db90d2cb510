//! `Idempotency-Key`: a request that is sent twice takes effect once
//! (draft-ietf-httpapi-idempotency-key-header).

use serde_json::Value;

/// Seconds that a running request holds its key; a crash frees it after that.
pub const LEASE: i64 = 60;
/// Seconds that an answer is kept.
pub const RETENTION: i64 = 24 * 3600;
const MAX_CHARS: usize = 64;

/// Members that never enter a fingerprint, so that a stored fingerprint tests no guess.
const CREDENTIALS: [&str; 6] = ["password", "current_password", "new_password", "code", "recovery_code", "credential"];

/// A client's key: 1 to 64 printable ASCII characters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdempotencyKey(String);

impl IdempotencyKey {
    /// Reads the header's value; `None` when it is not such a key.
    pub fn parse(text: &str) -> Option<Self> {
        let is_key = (1..=MAX_CHARS).contains(&text.len()) && text.bytes().all(|b| (0x20..0x7f).contains(&b));
        is_key.then(|| Self(text.to_owned()))
    }

    /// The characters.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A request's claim on its key: keyed hashes only, so that the row tells nothing about the request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claim {
    /// Of method, path and key.
    pub key: Vec<u8>,
    /// Of the body without its credential members.
    pub fingerprint: Vec<u8>,
}

/// The part of a body that tells one request from another: everything but credentials, members in
/// alphabetical order.
pub fn fingerprint_text(body: &Value) -> String {
    match body {
        Value::Object(members) => {
            let kept = members.iter().filter(|(name, _)| !CREDENTIALS.contains(&name.as_str()));
            Value::Object(kept.map(|(name, value)| (name.clone(), value.clone())).collect()).to_string()
        }
        // No request of ours has such a body, and what is in it may be anything.
        _ => String::new(),
    }
}

/// What is remembered of a request under its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Memory {
    /// Nothing: go ahead.
    Fresh,
    /// It still runs, here or elsewhere.
    Running,
    /// It succeeded; the outcome as it may be shown again, or `None` when it may not.
    Done(Option<Value>),
    /// The key was used for another request.
    Reused,
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_fingerprint_holds_no_credential_and_no_order() {
        let one = fingerprint_text(&json!({"reason": "other", "password": "a", "code": "123456"}));
        let two = fingerprint_text(&json!({"code": "654321", "password": "b", "reason": "other"}));
        assert_eq!(one, two);
        assert_eq!(one, r#"{"reason":"other"}"#);
    }

    #[test]
    fn keys_are_short_and_printable() {
        assert!(IdempotencyKey::parse("a b-1").is_some());
        for text in ["", "a\n", "é", &"x".repeat(65)] {
            assert!(IdempotencyKey::parse(text).is_none(), "{text}");
        }
    }
}
