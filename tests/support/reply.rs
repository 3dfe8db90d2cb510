//! An answer, and what a test says about it.

use super::document;
use reqwest::Response;
use serde_json::Value;

/// Members that hold secrets.
const SECRET_MEMBERS: [&str; 7] =
    ["access_token", "refresh_token", "device_token", "challenge", "secret", "otpauth_uri", "recovery_codes"];

/// An answer of the service.
#[derive(Debug)]
pub struct Reply {
    pub status: u16,
    pub body: Value,
    headers: reqwest::header::HeaderMap,
    bytes: Vec<u8>,
}

impl Reply {
    /// Reads it to its end.
    pub async fn read(response: Response) -> Self {
        let (status, headers) = (response.status().as_u16(), response.headers().clone());
        let bytes = response.bytes().await.unwrap().to_vec();
        let body = serde_json::from_slice(&bytes).unwrap_or(Value::Null);
        Self { status, body, headers, bytes }
    }

    /// Holds it against the document, and against what holds for every answer.
    pub fn judge(&self, method: &str, path: &str) {
        document::judge(method, path, self.status, &self.headers, &self.bytes);
        assert!(self.status < 500 || self.status == 503, "{method} {path} answered {}", self.status);
        assert!(self.header("x-request-id").is_some());
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        let is_standards = path.starts_with("/oauth/") && self.header("content-type") == Some("application/json");
        if self.status >= 400 && is_standards {
            assert!(self.body["error"].is_string() && self.body["error_description"].is_string(), "{}", self.body);
        } else if self.status >= 400 {
            assert_eq!(self.header("content-type"), Some("application/problem+json"), "{method} {path}");
            assert_eq!(self.body["status"], self.status);
            assert_eq!(self.body["request_id"].as_str(), self.header("x-request-id"));
        }
        if !path.starts_with("/.well-known") && !path.starts_with("/openapi.json") {
            assert_eq!(self.header("cache-control"), Some("no-store"), "{method} {path}");
        }
        assert!(self.header("server").is_none());
    }

    /// Its content.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// A header's value.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).and_then(|value| value.to_str().ok())
    }

    /// It has this status.
    #[track_caller]
    pub fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.body);
        self
    }

    /// It is this problem.
    #[track_caller]
    pub fn refuses(self, code: &str) -> Self {
        assert_eq!(self.body["code"], code, "{} {}", self.status, self.body);
        self
    }

    /// A member's text.
    #[track_caller]
    pub fn text(&self, pointer: &str) -> String {
        let value = self.body.pointer(pointer).and_then(Value::as_str);
        value.unwrap_or_else(|| panic!("no {pointer} in {}", self.body)).to_owned()
    }

    /// A list's texts.
    #[track_caller]
    pub fn texts(&self, pointer: &str) -> Vec<String> {
        let values = self.body.pointer(pointer).and_then(Value::as_array);
        let values = values.unwrap_or_else(|| panic!("no {pointer} in {}", self.body));
        values.iter().map(|value| value.as_str().unwrap().to_owned()).collect()
    }

    /// A number of seconds to wait.
    #[track_caller]
    pub fn retry_after(&self) -> i64 {
        let seconds = self.header("retry-after").unwrap().parse().unwrap();
        assert_eq!(self.body["retry_after"], seconds);
        seconds
    }

    /// The secrets in it.
    pub fn secrets(&self) -> Vec<String> {
        let mut found = Vec::new();
        collect(&self.body, false, &mut found);
        found
    }
}

fn collect(value: &Value, is_secret: bool, found: &mut Vec<String>) {
    match value {
        Value::String(text) if is_secret => found.push(text.clone()),
        Value::Array(items) => items.iter().for_each(|item| collect(item, is_secret, found)),
        Value::Object(members) => {
            for (name, member) in members {
                collect(member, SECRET_MEMBERS.contains(&name.as_str()), found);
            }
        }
        _ => {}
    }
}
