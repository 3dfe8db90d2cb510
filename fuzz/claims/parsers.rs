//! Claims about functions that read or write text by themselves. Each holds the function against a second
//! description of the same format, written here with other means.

use data_encoding::{BASE64URL_NOPAD, HEXUPPER};
use jiff::Timestamp;
use std::sync::LazyLock;
use totp_rs::{Builder, Secret, Totp};
use twofold::{
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        keyring::Keyring,
        opaque::{Opaque, OpaqueKind},
        random::Random,
        token::{Holder, Realm},
    },
    domain::{
        assurance::Assurance,
        recovery_code::RecoveryCode,
        totp::{Code, PERIOD, Step, TotpSecret},
        transfer::{self, Entry, Row, Source, rows},
    },
};
use uuid::Uuid;

const NOW_SECONDS: u64 = 2_000_000_010;
const SECRET: &[u8; 20] = b"12345678901234567890";
const WINDOW: u32 = 1;

fn now() -> Timestamp {
    Timestamp::from_second(i64::try_from(NOW_SECONDS).unwrap()).unwrap()
}

/// A recovery code is read exactly when 24 symbols of Crockford's alphabet are left of what was typed, and
/// what is shown of it is read back as the same code.
pub fn recovery_code(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let symbol = |c: char| match c.to_ascii_uppercase() {
        'I' | 'L' => '1',
        'O' => '0',
        upper => upper,
    };
    let symbols: String = text.chars().filter(|c| !matches!(c, '-' | ' ')).map(symbol).collect();
    let is_code =
        symbols.len() == 24 && symbols.chars().all(|c| c.is_ascii_digit() || c.is_ascii_uppercase() && c != 'U');
    let Ok(code) = RecoveryCode::parse(text, "/recovery_code") else {
        assert!(!is_code, "{text:?} is a recovery code");
        return;
    };
    assert!(is_code, "{text:?} is not a recovery code");
    let shown = code.reveal();
    assert_eq!(shown.replace('-', ""), symbols);
    assert_eq!(shown.split('-').map(str::len).collect::<Vec<_>>(), [6; 4]);
    assert_eq!(RecoveryCode::parse(&shown, "/recovery_code"), Ok(code));
}

/// A code is read exactly when six ASCII digits are left of what was typed, and it is right exactly when an
/// independent authenticator shows it within the window; a step that was used accepts it no more.
pub fn totp_code(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let digits = text.replace([' ', '-'], "");
    let is_code = digits.len() == 6 && digits.chars().all(|c| c.is_ascii_digit());
    let Ok(code) = Code::parse(text, "/code") else {
        assert!(!is_code, "{text:?} is a code");
        return;
    };
    assert!(is_code, "{text:?} is not a code");
    assert_eq!(Code::parse(&digits, "/code").as_ref(), Ok(&code));
    let secret = TotpSecret::from_bytes(*SECRET);
    let found = secret.matching_step(&code, now(), WINDOW, None);
    let current = NOW_SECONDS / u64::from(PERIOD);
    let shows = |step: &u64| authenticator().generate(step * u64::from(PERIOD)).to_string() == digits;
    let expected = (current - 1..=current + 1).find(shows);
    assert_eq!(found.map(|step| step.0), expected, "{digits}");
    if let Some(step) = found {
        assert!(secret.matching_step(&code, now(), WINDOW, Some(step)).is_none_or(|later| later > step));
        assert_eq!(secret.matching_step(&code, now(), WINDOW, Some(Step(current + 1))), None);
    }
}

fn authenticator() -> Totp {
    let secret = Secret::try_from_base32(TotpSecret::from_bytes(*SECRET).reveal()).unwrap();
    Builder::new().with_secret(secret).with_account_name("anybody").build().unwrap()
}

/// The key URI keeps any issuer and any account in their places: nothing of them is read as syntax, and
/// they come out as they went in, but for colons. The first byte, counted from `0`, is the length of the
/// issuer; the account is the rest.
pub fn otpauth(bytes: &[u8]) {
    let Some((length, names)) = bytes.split_first() else { return };
    let (issuer, account) = names.split_at(usize::from(length.wrapping_sub(b'0')).min(names.len()));
    let (issuer, account) = (String::from_utf8_lossy(issuer), String::from_utf8_lossy(account));
    let secret = TotpSecret::from_bytes(*SECRET);
    let uri = secret.otpauth_uri(&issuer, &account);
    let (issuer, account) = (issuer.replace(':', " "), account.replace(':', " "));

    let (label, query) = uri.strip_prefix("otpauth://totp/").unwrap().split_once('?').unwrap();
    let (prefix, name) = label.split_once(':').unwrap();
    let (shown_issuer, shown_account) = (decoded(prefix), decoded(name));
    assert_eq!((shown_issuer.as_str(), shown_account.as_str()), (issuer.as_str(), account.as_str()), "{uri}");
    let pairs: Vec<(&str, String)> = query.split('&').map(|pair| pair.split_once('=').unwrap()).map(read).collect();
    let expected = [
        ("secret", secret.reveal()),
        ("issuer", issuer.clone()),
        ("algorithm", "SHA1".into()),
        ("digits", "6".into()),
        ("period", "30".into()),
    ];
    assert_eq!(pairs, expected, "{uri}");

    match Totp::from_url(&uri) {
        Ok(read) => {
            assert_eq!((read.issuer(), read.account_name()), (Some(issuer.as_str()), account.as_str()), "{uri}");
            let step = Step::at(now());
            assert_eq!(read.generate(NOW_SECONDS).to_string(), secret.code(step));
        }
        Err(error) => assert!(issuer.is_empty() || account.is_empty(), "{uri}: {error}"),
    }
}

fn read<'a>((name, value): (&'a str, &str)) -> (&'a str, String) {
    (name, decoded(value))
}

/// Undoes percent-encoding (RFC 3986 §2.1); nothing but unreserved characters may stand unencoded.
fn decoded(text: &str) -> String {
    let (mut bytes, mut rest) = (Vec::new(), text.as_bytes());
    while let Some((first, after)) = rest.split_first() {
        if *first == b'%' {
            bytes.extend(HEXUPPER.decode(&after[..2]).unwrap());
            rest = &after[2..];
        } else {
            assert!(first.is_ascii_alphanumeric() || b"-._~".contains(first), "{text} holds {first:#x}");
            bytes.push(*first);
            rest = after;
        }
    }
    String::from_utf8(bytes).unwrap()
}

/// Accounts to import: whatever was read of an export is written as one line and read back as it was, each row is
/// named with a line that there is, and rows come in the order of their lines. The first byte is who wrote the
/// export: `d` Django, `k` Keycloak, anything else ourselves.
pub fn account_rows(bytes: &[u8]) {
    let Some((maker, export)) = bytes.split_first() else { return };
    let source = match maker {
        b'd' => Source::DjangoAllauth,
        b'k' => Source::Keycloak,
        _ => Source::Twofold,
    };
    let Ok(read) = transfer::read(source, export) else { return };
    let lines = export.split(|byte| *byte == b'\n').count() as u64;
    let mut last = 1;
    for Row { place, entry } in read {
        assert!((last..=lines).contains(&place.line), "{place} of {lines}, after {last}");
        last = place.line;
        let Ok(entry) = entry else { continue };
        let line = rows::line(&entry);
        assert!(!line.contains('\n'), "{line}");
        let again: Vec<_> = transfer::read(Source::Twofold, line.as_bytes()).unwrap().map(|row| row.entry).collect();
        assert_eq!(again, [Ok(Entry { lost_factor: None, ..entry })], "{line}");
    }
}

/// No text is accepted as an access token, a refresh token or a challenge but one that was issued, to the
/// letter. The bytes are an edit of an issued token; see [`edited`].
///
/// Access tokens are signed with EdDSA here: of an ECDSA signature every holder can make a second one.
pub fn token(bytes: &[u8]) {
    static KEYS: LazyLock<Keyring> =
        LazyLock::new(|| Keyring::new(&KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap()).unwrap());
    static ACCESS: LazyLock<String> = LazyLock::new(|| {
        let id = Uuid::from_u128(7);
        let holder = Holder { account: id.into(), session: id.into(), epoch: 3, assurance: Assurance::password(now()) };
        KEYS.signer.sign(&realm(), &holder, "", id, now()).unwrap()
    });
    static REFRESH: LazyLock<String> = LazyLock::new(|| opaque(OpaqueKind::Refresh));
    static CHALLENGE: LazyLock<String> = LazyLock::new(|| opaque(OpaqueKind::Challenge));
    fn opaque(kind: OpaqueKind) -> String {
        Opaque::draw(Random, kind, Uuid::from_u128(7)).unwrap().reveal(&KEYS).unwrap()
    }

    if let Some(text) = edited(&ACCESS, &KEYS.signer.keys[0].id, bytes) {
        assert_eq!(KEYS.signer.check(&realm(), &text, now()).is_ok(), text == *ACCESS, "{text}");
    }
    for (kind, issued) in [(OpaqueKind::Refresh, &*REFRESH), (OpaqueKind::Challenge, &*CHALLENGE)] {
        let Some(text) = edited(issued, "", bytes) else { continue };
        let read = Opaque::read(&KEYS, kind, &text);
        assert_eq!(read.is_some(), text == *issued, "{text}");
        if let Some(read) = read {
            assert_eq!(read.reveal(&KEYS).as_ref(), Ok(issued));
        }
    }
}

fn realm() -> Realm {
    Realm { issuer: "twofold".into(), audience: "account-security".into(), ttl: 600 }
}

/// `issued`, edited as the bytes say; `None` when that is no text. The first byte is what to do, two more
/// say where: `x` flips bits, `i` inserts, `d` deletes, `h` and `p` put another header or payload in
/// (`KID` in it is the id of the key), and everything else is a text of its own.
fn edited(issued: &str, kid: &str, bytes: &[u8]) -> Option<String> {
    let mut text = issued.as_bytes().to_vec();
    match bytes {
        [what @ (b'x' | b'i' | b'd'), hundreds, ones, rest @ ..] => {
            let place = |byte: &u8| usize::from(byte.wrapping_sub(b'0'));
            let at = (place(hundreds) * 100 + place(ones)) % text.len();
            match what {
                b'x' => text.iter_mut().skip(at).zip(rest).for_each(|(old, new)| *old ^= new),
                b'i' => text.splice(at..at, rest.iter().copied()).for_each(drop),
                _ => text.drain(at..(at + rest.len()).min(issued.len())).for_each(drop),
            }
        }
        [what @ (b'h' | b'p'), rest @ ..] => {
            let json = String::from_utf8_lossy(rest).replace("KID", kid);
            let mut parts: Vec<String> = issued.split('.').map(str::to_owned).collect();
            *parts.get_mut(usize::from(*what == b'p'))? = BASE64URL_NOPAD.encode(json.as_bytes());
            return Some(parts.join("."));
        }
        _ => text = bytes.to_vec(),
    }
    String::from_utf8(text).ok()
}
