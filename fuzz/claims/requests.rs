//! Claims about whole requests: the bytes are a body or a header of a request to the running service.

use super::service::{self, Answer, ORIGIN, Owner, PASSWORD, Service, VISITOR};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fmt,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};
use twofold::domain::idempotency::IdempotencyKey;

const STATUS: &str = "/account/security/2fa";
const END_OTHERS: &str = "/account/security/sessions/end-others";
const JSON: (&str, &[u8]) = ("Content-Type", b"application/json");

/// The operations that read a body, with the members that it may have, by the letter that a corpus file
/// begins with: `a` for the first one. `{id}` is the authenticator app that the caller has.
const OPERATIONS: [(&str, &str, &[&str]); 14] = [
    ("POST", "/account/security/2fa/totp", &["password", "label", "replaces", "code", "recovery_code"]),
    ("POST", "/account/security/2fa/totp/{id}/confirm", &["code"]),
    ("DELETE", "/account/security/2fa/totp/{id}", &[]),
    ("PATCH", "/account/security/2fa/methods/{id}", &["label"]),
    ("POST", "/account/security/2fa/methods/{id}/remove", &["password", "code", "recovery_code"]),
    ("POST", "/account/security/2fa/disable", &["password", "code", "recovery_code", "reason"]),
    ("POST", "/account/security/2fa/verify", &["code", "recovery_code"]),
    ("POST", "/account/security/2fa/recovery-codes", &["password", "code", "recovery_code"]),
    ("POST", "/account/security/sessions/end-others", &[]),
    ("POST", "/account/password", &["current_password", "new_password", "code", "recovery_code"]),
    ("POST", "/auth/login", &["email", "password"]),
    ("POST", "/auth/login/second-factor", &["challenge", "code", "recovery_code"]),
    ("POST", "/auth/token/refresh", &["refresh_token"]),
    ("POST", "/auth/logout", &[]),
];

/// Headers that an answer may have. One that is not here came from the request.
const KNOWN: [&str; 23] = [
    "access-control-allow-origin",
    "access-control-expose-headers",
    "allow",
    "cache-control",
    "connection",
    "content-language",
    "content-length",
    "content-security-policy",
    "content-type",
    "cross-origin-resource-policy",
    "date",
    "etag",
    "idempotent-replayed",
    "keep-alive",
    "location",
    "ratelimit",
    "ratelimit-policy",
    "referrer-policy",
    "retry-after",
    "vary",
    "www-authenticate",
    "x-content-type-options",
    "x-request-id",
];

impl Answer {
    /// What holds for every answer.
    fn judge(&self) {
        assert!(self.status < 500 || self.status == 503, "the answer is {}", self.status);
        for (name, value) in &self.headers {
            assert!(KNOWN.contains(&name.as_str()), "the answer has {name}: {value}");
        }
        let id = self.header("x-request-id").unwrap();
        assert!(is_request_id(id), "{id:?}");
        assert_eq!(self.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(self.header("cache-control"), Some("no-store"));
        if self.status == 204 {
            assert!(self.body.is_empty() && self.header("content-type").is_none());
            return;
        }
        let body = self.json();
        assert!(body.is_object());
        if self.status < 400 {
            assert_eq!(self.header("content-type"), Some("application/json"));
            return;
        }
        assert_eq!(self.header("content-type"), Some("application/problem+json"));
        assert_eq!(body["status"], self.status);
        assert_eq!(body["request_id"], id);
        assert!(["en", "ms", "zh-Hans"].contains(&self.header("content-language").unwrap()));
    }

    fn is_success(&self) -> bool {
        (200..300).contains(&self.status)
    }
}

fn is_request_id(text: &str) -> bool {
    (1..=64).contains(&text.len()) && text.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c))
}

/// A body that is not one JSON object of known members, each once, is refused as malformed and does
/// nothing, and no body whatsoever brings the service out of its words.
pub fn body(bytes: &[u8]) {
    let Some((first, body)) = bytes.split_first() else { return };
    let (method, path, members) = OPERATIONS[usize::from(first.wrapping_sub(b'a')) % OPERATIONS.len()];
    service::with(|service| {
        let Owner { bearer, method: id } = service.owner();
        let headers = [("Authorization", bearer.as_bytes()), JSON];
        let answer = service.send(method, &path.replace("{id}", &id), &headers, body);
        answer.judge();
        let read = serde_json::from_slice::<Distinct>(body);
        let is_known = read.is_ok_and(|Distinct(names)| names.iter().all(|name| members.contains(&name.as_str())));
        let is_nothing = body.is_empty() && members.is_empty();
        if !is_known && !is_nothing {
            assert_eq!((answer.status, answer.code().as_str()), (400, "malformed-request"), "{method} {path}");
        }
        assert!(answer.status != 401 || answer.code() != "invalid-token" || path.starts_with("/auth/"));
        if answer.is_success() {
            service.forget_owner();
        }
    });
}

/// The members of a JSON object that has each of them once, whatever they are.
struct Distinct(BTreeSet<String>);

impl<'de> Deserialize<'de> for Distinct {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Members;
        impl<'de> Visitor<'de> for Members {
            type Value = Distinct;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }
            fn visit_map<M: MapAccess<'de>>(self, mut members: M) -> Result<Distinct, M::Error> {
                let mut names = BTreeSet::new();
                while let Some((name, _)) = members.next_entry::<String, Value>()? {
                    if !names.insert(name) {
                        return Err(serde::de::Error::custom("twice"));
                    }
                }
                Ok(Distinct(names))
            }
        }
        deserializer.deserialize_map(Members)
    }
}

/// Fields that a head may have without being refused as a whole (RFC 6585 §5); the server under us takes 96.
const SURELY_READ: usize = 90;

/// A header of one or more lines, separated by LF in the corpus. What cannot stand in a header at all
/// (RFC 9110 §5.5) is refused before it reaches the service, with nothing said.
fn send_lines(
    service: &mut Service,
    request: (&str, &str, &[u8]),
    own: &[(&str, &[u8])],
    name: &str,
    value: &[u8],
) -> Option<Answer> {
    let (method, path, body) = request;
    let mut headers = own.to_vec();
    headers.extend(value.split(|byte| *byte == b'\n').map(|line| (name, line)));
    let answer = service.send(method, path, &headers, body);
    let is_legal = value.iter().all(|byte| (*byte >= b' ' && *byte != 0x7f) || b"\t\n".contains(byte));
    let is_refused_unread = answer.status == 431 && headers.len() > SURELY_READ;
    if !is_legal || is_refused_unread {
        assert!([400, 431].contains(&answer.status) && answer.body.is_empty(), "{}", answer.status);
        return None;
    }
    answer.judge();
    Some(answer)
}

/// What is left of a header's line once it is read.
fn trimmed(line: &[u8]) -> &[u8] {
    let is_space = |byte: &u8| matches!(byte, b' ' | b'\t');
    let from = line.iter().position(|byte| !is_space(byte)).unwrap_or(line.len());
    let to = line.iter().rposition(|byte| !is_space(byte)).map_or(from, |last| last + 1);
    &line[from..to]
}

/// A key is 1 to 64 printable ASCII characters; a request under any other is malformed, and the second
/// request under one key gets the answer of the first.
pub fn idempotency_key(bytes: &[u8]) {
    let is_key = |line: &[u8]| (1..=64).contains(&line.len()) && line.iter().all(|byte| (b' '..=b'~').contains(byte));
    if let Ok(text) = std::str::from_utf8(bytes) {
        let key = IdempotencyKey::parse(text);
        assert_eq!(key.as_ref().map(IdempotencyKey::as_str), is_key(bytes).then_some(text));
    }
    if bytes.contains(&b'\n') {
        return;
    }
    service::with(|service| {
        let bearer = service.owner().bearer;
        let own = [("Authorization", bearer.as_bytes())];
        let mut send = || send_lines(service, ("POST", END_OTHERS, b""), &own, "Idempotency-Key", bytes);
        let (Some(first), Some(second)) = (send(), send()) else { return };
        if !is_key(trimmed(bytes)) {
            assert_eq!((first.status, first.code().as_str()), (400, "malformed-request"));
            return;
        }
        assert_eq!((first.status, second.status), (200, 200));
        assert_eq!(second.header("idempotent-replayed"), Some("true"));
        assert_eq!(first.json(), second.json());
    });
}

/// Problems are worded in a language that we speak, and in another one than English only for those who
/// name it.
pub fn accept_language(bytes: &[u8]) {
    let named = String::from_utf8_lossy(bytes).to_ascii_lowercase();
    service::with(|service| {
        let bearer = service.owner().bearer;
        let own = [("Authorization", bearer.as_bytes()), JSON];
        for request in [("GET", "/nowhere", &b""[..]), ("POST", "/account/security/2fa/disable", b"{")] {
            let Some(answer) = send_lines(service, request, &own, "Accept-Language", bytes) else { return };
            assert_eq!(answer.status, if request.0 == "GET" { 404 } else { 400 });
            let is_asked_for = match answer.header("content-language").unwrap() {
                "en" => true,
                "ms" => named.contains("ms"),
                _ => named.contains("zh"),
            };
            assert!(is_asked_for, "{named:?}");
        }
    });
}

/// No header brings the service out of its words or shows up in an answer, and those that steer it steer
/// only as they may. The first byte chooses the header, `a` for the first one.
pub fn headers(bytes: &[u8]) {
    type Claim = fn(&mut Service, &[u8]);
    const NAMES: [(&str, Claim); 10] = [
        ("X-Forwarded-For", forwarded_for),
        ("X-Request-Id", request_id),
        ("If-Match", if_match),
        ("Authorization", authorization),
        ("Origin", origin),
        ("Idempotency-Key", nothing_else),
        ("Accept-Language", nothing_else),
        ("Accept", nothing_else),
        ("Content-Type", nothing_else),
        ("User-Agent", nothing_else),
    ];
    let Some((first, value)) = bytes.split_first() else { return };
    let (name, claim) = NAMES[usize::from(first.wrapping_sub(b'a')) % NAMES.len()];
    service::with(|service| {
        let bearer = service.owner().bearer;
        let mut own = vec![("Authorization", bearer.as_bytes()), JSON];
        own.retain(|(own, _)| *own != name);
        for request in [("GET", STATUS, &b""[..]), ("POST", "/account/security/2fa/verify", br#"{"code":"000000"}"#)] {
            if send_lines(service, request, &own, name, value).is_none() {
                return;
            }
        }
        claim(service, value);
    });
}

fn nothing_else(_: &mut Service, _: &[u8]) {}

/// Where a sign-in came from is an address of ours or one that the header names, and every address that it
/// names after that is a proxy of ours.
fn forwarded_for(service: &mut Service, value: &[u8]) {
    let login = json!({"email": VISITOR, "password": PASSWORD}).to_string();
    let request = ("POST", "/auth/login", login.as_bytes());
    let Some(answer) = send_lines(service, request, &[JSON], "X-Forwarded-For", value) else { return };
    let bearer = format!("Bearer {}", answer.json()["tokens"]["access_token"].as_str().unwrap());
    let own = [("Authorization", bearer.as_bytes())];
    let events = service.send("GET", "/account/security/events?limit=1", &own, b"").json();
    let recorded: IpAddr = events["events"][0]["ip"].as_str().unwrap().parse().unwrap();

    let text = String::from_utf8_lossy(value).into_owned();
    let hops: Vec<Option<IpAddr>> = text.split([',', '\n']).map(|hop| hop_address(hop.trim())).collect();
    let is_proxy = |hop: &IpAddr| matches!(hop.to_canonical(), IpAddr::V4(v4) if v4.is_loopback());
    let believed = hops.iter().rev().map_while(|hop| *hop).map(|hop| hop.to_canonical()).scan(true, |goes_on, hop| {
        goes_on.then(|| *goes_on = is_proxy(&hop))?;
        Some(hop)
    });
    assert_eq!(recorded, believed.last().unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST)), "{text:?}");
}

/// Proxies write an address alone, in brackets, or with a port.
fn hop_address(hop: &str) -> Option<IpAddr> {
    let in_brackets = hop.strip_prefix('[').and_then(|hop| hop.strip_suffix(']'));
    let with_port = || hop.parse::<SocketAddr>().ok().map(|address| address.ip());
    hop.parse().ok().or_else(|| in_brackets?.parse().ok()).or_else(with_port)
}

/// The answer has the id that was asked for, or one of ours.
fn request_id(service: &mut Service, value: &[u8]) {
    let Some(answer) = send_lines(service, ("GET", "/nowhere", b""), &[], "X-Request-Id", value) else { return };
    let id = answer.header("x-request-id").unwrap();
    let line = value.split(|byte| *byte == b'\n').next().map(trimmed).unwrap_or_default();
    match std::str::from_utf8(line).ok().filter(|line| is_request_id(line)) {
        Some(asked) => assert_eq!(id, asked),
        None => assert!(id.len() == 32 && id.chars().all(|c| c.is_ascii_hexdigit()), "{id:?}"),
    }
}

/// A change happens only for those who name the version that there is, or any. In the bytes that version is
/// written `NOW`.
fn if_match(service: &mut Service, value: &[u8]) {
    let Owner { bearer, method } = service.owner();
    let own = [("Authorization", bearer.as_bytes()), JSON];
    let version = service.send("GET", STATUS, &own, b"").header("etag").unwrap().to_owned();
    let value = match String::from_utf8(value.to_vec()) {
        Ok(text) => text.replace("NOW", version.trim_matches('"')).into_bytes(),
        Err(error) => error.into_bytes(),
    };
    let path = format!("/account/security/2fa/methods/{method}");
    let request = ("PATCH", path.as_str(), &br#"{"label":"phone"}"#[..]);
    let Some(answer) = send_lines(service, request, &own, "If-Match", &value) else { return };
    let text = String::from_utf8_lossy(&value).into_owned();
    let names = |wanted: &str| text.split([',', '\n']).any(|tag| tag.trim() == wanted);
    match answer.status {
        200 => assert!(names("*") || names(&version), "{text:?} is not {version}"),
        412 => assert!(!names("*") && !names(&version), "{text:?} is {version}"),
        status => assert_eq!(status, 400, "{text:?}"),
    }
}

/// Nobody is let in by anything but a token.
fn authorization(service: &mut Service, value: &[u8]) {
    let Some(answer) = send_lines(service, ("GET", STATUS, b""), &[], "Authorization", value) else { return };
    assert_eq!((answer.status, answer.code().as_str()), (401, "invalid-token"));
}

/// No page of another origin may read an answer.
fn origin(service: &mut Service, value: &[u8]) {
    let bearer = service.owner().bearer;
    let own = [("Authorization", bearer.as_bytes())];
    let Some(answer) = send_lines(service, ("GET", STATUS, b""), &own, "Origin", value) else { return };
    if let Some(allowed) = answer.header("access-control-allow-origin") {
        assert_eq!(allowed, ORIGIN);
        let line = value.split(|byte| *byte == b'\n').next().map(trimmed).unwrap_or_default();
        assert_eq!(line, ORIGIN.as_bytes());
    }
}
