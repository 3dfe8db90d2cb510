//! Our own shape of a row: CSV with a header (RFC 4180), and JSON lines, an object a line.

use super::{Bad, Entry, Lines, Place, Row, Rows, email, filled, password_hash, subject, totp_secret};
use crate::domain::{account::Locale, secret::Secret};
use csv::{ByteRecord, ReaderBuilder};
use serde::{Deserialize, Serialize};
use serde_json::error::Category;

/// What a row may have beside `email`, for messages.
pub(super) const OTHER_MEMBERS: &str =
    "`password_hash`, `locale`, `subject`, `totp_secret`, `suspended` and `required`";
const MEMBERS: [&str; 7] = ["email", "password_hash", "locale", "subject", "totp_secret", "suspended", "required"];

/// A row as it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    email: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    password_hash: Option<String>,
    #[serde(default)]
    locale: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    subject: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    totp_secret: Option<String>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    suspended: bool,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    required: bool,
}

/// Reads rows: JSON lines where the first character is a brace, or else CSV.
///
/// # Errors
/// When the header of a CSV file is none.
pub fn read(bytes: &[u8]) -> Result<Rows<'_>, Bad> {
    match bytes.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'{') => Ok(Box::new(json_lines(bytes))),
        _ => csv(bytes),
    }
}

/// An entry as one JSON line; the reverse of [`read`].
pub fn line(entry: &Entry) -> String {
    let line = Line {
        email: entry.email.as_str().to_owned(),
        password_hash: entry.password_hash.as_ref().map(|hash| hash.expose().clone()),
        locale: Some(entry.locale.tag().to_owned()),
        subject: entry.subject.as_ref().map(|subject| subject.as_str().to_owned()),
        totp_secret: entry.totp_secret.as_ref().map(|secret| secret.reveal()),
        suspended: entry.is_suspended,
        required: entry.is_required,
    };
    serde_json::json!(line).to_string()
}

fn json_lines(bytes: &[u8]) -> impl Iterator<Item = Row> + '_ {
    let numbered = (1..).zip(bytes.split(|byte| *byte == b'\n'));
    let filled = numbered.filter(|(_, line)| !line.iter().all(u8::is_ascii_whitespace));
    filled.map(|(line, text)| {
        let read = std::str::from_utf8(text).map_err(|_| Bad::Text).and_then(|text| {
            serde_json::from_str::<Line>(text).map_err(|error| match error.classify() {
                Category::Data => Bad::Members,
                _ => Bad::Json,
            })
        });
        Row { place: Place { line, nth: None }, entry: read.and_then(entry) }
    })
}

fn csv(bytes: &[u8]) -> Result<Rows<'_>, Bad> {
    let mut reader = ReaderBuilder::new().flexible(true).from_reader(bytes);
    let header = reader.headers().map_err(|_| Bad::Header)?.clone();
    let columns: Option<Vec<usize>> =
        header.iter().map(|name| MEMBERS.iter().position(|member| *member == name.trim())).collect();
    let columns = columns.ok_or(Bad::Header)?;
    let is_repeated = (1..columns.len()).any(|n| columns[..n].contains(&columns[n]));
    if is_repeated || !columns.contains(&0) {
        return Err(Bad::Header);
    }
    let mut lines = Lines::new();
    Ok(Box::new(reader.into_byte_records().map(move |record| {
        // Bytes in memory are always there to be read, and any number of fields is a record.
        let Ok(record) = record else { return Row { place: Place { line: 1, nth: None }, entry: Err(Bad::Text) } };
        // The parser leaves what follows a line's end, and empty lines, to the next record.
        let from = record.position().and_then(|position| usize::try_from(position.byte()).ok()).unwrap_or(0);
        let ends = bytes.iter().skip(from).take_while(|byte| matches!(byte, b'\r' | b'\n')).count();
        let line = lines.at(bytes, from + ends);
        Row { place: Place { line, nth: None }, entry: fields(&columns, &record).and_then(entry) }
    })))
}

fn fields(columns: &[usize], record: &ByteRecord) -> Result<Line, Bad> {
    if record.len() != columns.len() {
        return Err(Bad::Fields { has: record.len(), wants: columns.len() });
    }
    let mut values: [Option<String>; MEMBERS.len()] = Default::default();
    for (column, field) in columns.iter().zip(record) {
        values[*column] = Some(std::str::from_utf8(field).map_err(|_| Bad::Text)?.to_owned());
    }
    let [email, password_hash, locale, subject, totp_secret, suspended, required] = values;
    let email = email.unwrap_or_default();
    let (suspended, required) = (yes_or_no("suspended", suspended)?, yes_or_no("required", required)?);
    Ok(Line { email, password_hash, locale, subject, totp_secret, suspended, required })
}

fn yes_or_no(member: &'static str, field: Option<String>) -> Result<bool, Bad> {
    match field.as_deref().map(str::trim) {
        None | Some("" | "false") => Ok(false),
        Some("true") => Ok(true),
        Some(_) => Err(Bad::YesOrNo(member)),
    }
}

fn entry(line: Line) -> Result<Entry, Bad> {
    let text = |member: &Option<String>| member.as_deref().unwrap_or_default().to_owned();
    let secret = Secret::new(text(&line.totp_secret));
    Ok(Entry {
        email: email(&line.email)?,
        password_hash: password_hash(&text(&line.password_hash)),
        locale: filled(&text(&line.locale)).map_or(Ok(Locale::default()), str::parse).map_err(|_| Bad::Locale)?,
        subject: subject(&text(&line.subject))?,
        totp_secret: filled(secret.expose()).map(totp_secret).transpose()?,
        is_suspended: line.suspended,
        is_required: line.required,
        lost_factor: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::transfer::{Source, read};

    fn all(text: &str) -> Vec<(u64, Result<Entry, Bad>)> {
        read(Source::Twofold, text.as_bytes()).unwrap().map(|row| (row.place.line, row.entry)).collect()
    }

    #[test]
    fn columns_may_stand_in_any_order_and_empty_fields_are_not_there() {
        let rows =
            all("\u{feff}totp_secret,email,locale\r\n\"gezd gnbv gy3t qojq ====\",Alice@Example.TEST,ms\r\n,b@x,\n");
        let alice = rows[0].1.as_ref().unwrap();
        assert_eq!((rows[0].0, alice.email.as_str(), alice.locale), (2, "alice@example.test", Locale::Ms));
        assert_eq!(alice.totp_secret.as_ref().unwrap().bytes(), b"1234567890");
        let bob = rows[1].1.as_ref().unwrap();
        assert_eq!((rows[1].0, &bob.totp_secret, bob.locale), (3, &None, Locale::En));
    }

    #[test]
    fn a_bad_row_is_named_with_its_line_and_does_not_hide_the_next() {
        let rows = all("email,suspended\nnobody,\na@x,maybe\nb@x\nc@x,true\n");
        let found: Vec<_> = rows.iter().map(|(line, row)| (*line, row.as_ref().err().cloned())).collect();
        let expected = [
            (2, Some(Bad::Email)),
            (3, Some(Bad::YesOrNo("suspended"))),
            (4, Some(Bad::Fields { has: 1, wants: 2 })),
            (5, None),
        ];
        assert_eq!(found, expected);
        let lines: Vec<u64> = all("email\r\n\r\n\r\na@x\r\nb@x\n\nc@x").iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [4, 5, 7], "empty lines are lines");
        let rows = all("{\"email\":\"a@x\"}\n\n{\"email\":1}\n{\"email\":\"b@x\",\"extra\":1}\n{\n");
        let found: Vec<_> = rows.iter().map(|(line, row)| (*line, row.as_ref().err().cloned())).collect();
        assert_eq!(found, [(1, None), (3, Some(Bad::Members)), (4, Some(Bad::Members)), (5, Some(Bad::Json))]);
    }

    #[test]
    fn a_header_that_is_not_ours_is_refused() {
        for header in ["", "name\na", "email,email\na@x,b@x", "password_hash\nx", "email,role\na@x,admin"] {
            assert_eq!(read(Source::Twofold, header.as_bytes()).err(), Some(Bad::Header), "{header:?}");
        }
    }
}
