//! The same statements: what an action really says to the database, seen by diesel's instrumentation and
//! made into something that can be said for anybody. Nothing is written down by hand, so that the limits
//! follow when the statements change.

use super::{Outcome, seed};
use diesel::connection::{Instrumentation, InstrumentationEvent, set_default_instrumentation};
use serde::{Deserialize, Serialize};
use std::sync::{Mutex, PoisonError};

/// What was said since the recorder was switched on.
static HEARD: Mutex<Option<Vec<String>>> = Mutex::new(None);

/// One statement, with its values.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Statement {
    /// The SQL between the placeholders.
    pub sql: Vec<String>,
    /// The values.
    pub binds: Vec<Bind>,
}

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Bind {
    /// NULL.
    Null,
    /// A number, the same for everybody: persons are alike.
    Number(i64),
    /// Bytes, the same for everybody.
    Bytes(Vec<u8>),
    /// Text, in which ids differ.
    Text(Vec<Piece>),
}

/// A piece of a text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum Piece {
    /// The same for everybody.
    Same(String),
    /// The person's number.
    Number,
    /// An id that is drawn anew: the prefix of its kind goes before the person's number.
    Fresh(u8),
}

/// Lets every connection that is opened from now on be heard.
pub fn install() -> Outcome<()> {
    fn recorder() -> Option<Box<dyn Instrumentation>> {
        Some(Box::new(|event: InstrumentationEvent<'_>| {
            if let InstrumentationEvent::StartQuery { query, .. } = event
                && let Some(heard) = HEARD.lock().unwrap_or_else(PoisonError::into_inner).as_mut()
            {
                heard.push(query.to_string());
            }
        }))
    }
    Ok(set_default_instrumentation(recorder)?)
}

/// Lets connections that are opened from now on be fast again.
pub fn remove() -> Outcome<()> {
    Ok(set_default_instrumentation(|| None)?)
}

/// What `act` says, as said for the person with this number.
pub fn heard(number: u64, act: impl FnOnce() -> Outcome<()>) -> Outcome<Vec<Statement>> {
    let set = |to| std::mem::replace(&mut *HEARD.lock().unwrap_or_else(PoisonError::into_inner), to);
    set(Some(Vec::new()));
    act()?;
    let texts = set(None).unwrap_or_default();
    let number = seed::hex(number);
    let mut fresh = Vec::new();
    texts.iter().filter(|text| !is_frame(text)).map(|text| Statement::read(text, &number, &mut fresh)).collect()
}

/// The frame of a transaction is the engine's, and the limit brings its own.
fn is_frame(text: &str) -> bool {
    ["BEGIN", "COMMIT", "SAVEPOINT", "RELEASE", "ROLLBACK", "SET "].iter().any(|word| text.starts_with(word))
}

impl Statement {
    fn read(text: &str, number: &str, fresh: &mut Vec<String>) -> Outcome<Self> {
        let (sql, values) = text.rsplit_once(" -- binds: ").unwrap_or((text, "[]"));
        let values = Values(values).list().ok_or_else(|| format!("cannot read the values of: {text}"))?;
        let binds = values.into_iter().map(|value| value.generalised(number, fresh)).collect::<Vec<_>>();
        let sql = pieces(sql);
        if sql.len() != binds.len() + 1 {
            return Err(format!("{} placeholders and {} values: {text}", sql.len() - 1, binds.len()).into());
        }
        Ok(Self { sql, binds })
    }
}

/// Splits SQL at its placeholders, `?` or `$1`; those of diesel come in order.
fn pieces(sql: &str) -> Vec<String> {
    let (mut pieces, mut piece, mut is_quoted) = (Vec::new(), String::new(), false);
    let mut chars = sql.chars().peekable();
    while let Some(c) = chars.next() {
        is_quoted ^= c == '\'';
        let is_numbered = c == '$' && chars.peek().is_some_and(char::is_ascii_digit);
        if is_quoted || !(c == '?' || is_numbered) {
            piece.push(c);
            continue;
        }
        while is_numbered && chars.next_if(char::is_ascii_digit).is_some() {}
        pieces.push(std::mem::take(&mut piece));
    }
    pieces.push(piece);
    pieces
}

enum Value {
    Null,
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl Value {
    fn generalised(self, number: &str, fresh: &mut Vec<String>) -> Bind {
        match self {
            Self::Null => Bind::Null,
            Self::Number(value) => Bind::Number(value),
            Self::Bytes(bytes) => Bind::Bytes(bytes),
            Self::Text(text) => Bind::Text(generalised(&text, number, fresh)),
        }
    }
}

/// Finds the person's number and ids in a text. An id that does not hold the number was drawn just now.
fn generalised(text: &str, number: &str, fresh: &mut Vec<String>) -> Vec<Piece> {
    const ID: usize = 36;
    let (mut pieces, mut rest, mut same) = (Vec::new(), text, String::new());
    while let Some(c) = rest.chars().next() {
        let found = match rest.get(..ID) {
            Some(id) if uuid::Uuid::try_parse(id).is_ok() && !id.ends_with(number) => {
                let known = fresh.iter().position(|other| other == id).unwrap_or_else(|| {
                    fresh.push(id.to_owned());
                    fresh.len() - 1
                });
                Some((ID, Piece::Fresh(0xa0 + known as u8)))
            }
            _ => rest.starts_with(number).then_some((number.len(), Piece::Number)),
        };
        let length = found.as_ref().map_or(c.len_utf8(), |(length, _)| *length);
        match found {
            Some((_, piece)) => pieces.extend([Piece::Same(std::mem::take(&mut same)), piece]),
            None => same.push(c),
        }
        rest = &rest[length..];
    }
    pieces.push(Piece::Same(same));
    pieces.retain(|piece| *piece != Piece::Same(String::new()));
    pieces
}

/// Reads values as Rust prints them for debugging.
struct Values<'a>(&'a str);

impl Values<'_> {
    fn list(&mut self) -> Option<Vec<Value>> {
        let mut values = Vec::new();
        self.skip("[")?;
        while self.skip("]").is_none() {
            values.push(self.value()?);
            let _ = self.skip(", ");
        }
        Some(values)
    }

    fn value(&mut self) -> Option<Value> {
        if self.skip("None").is_some() {
            return Some(Value::Null);
        }
        if self.skip("Some(").is_some() {
            let value = self.value()?;
            return self.skip(")").map(|()| value);
        }
        if self.skip("\"").is_some() {
            return self.text().map(Value::Text);
        }
        if self.0.starts_with('[') {
            let byte = |value| if let Value::Number(byte) = value { u8::try_from(byte).ok() } else { None };
            return self.list()?.into_iter().map(byte).collect::<Option<_>>().map(Value::Bytes);
        }
        let end = self.0.find(|c: char| !c.is_ascii_digit() && c != '-')?;
        let (digits, rest) = self.0.split_at(end);
        self.0 = rest;
        digits.parse().ok().map(Value::Number)
    }

    fn text(&mut self) -> Option<String> {
        let mut text = String::new();
        let mut chars = self.0.chars();
        loop {
            match chars.next()? {
                '"' => break,
                '\\' => text.push(match chars.next()? {
                    'n' => '\n',
                    other @ ('"' | '\\' | '\'') => other,
                    _ => return None,
                }),
                c => text.push(c),
            }
        }
        self.0 = chars.as_str();
        Some(text)
    }

    fn skip(&mut self, prefix: &str) -> Option<()> {
        self.0 = self.0.strip_prefix(prefix)?;
        Some(())
    }
}
