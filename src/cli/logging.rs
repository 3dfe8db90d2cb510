//! Log lines: through env_logger, as JSON objects or for people, to standard error. One event is one
//! line, whatever its values hold.

use super::sink::Sink;
use crate::config::LogFormat;
use env_logger::{Target, fmt::Formatter};
use log::{
    Record,
    kv::{Error, Key, Value, VisitSource},
};
use serde::Serializer as _;
use std::{
    fmt::Display,
    io::{self, Write},
};

/// Starts logging; a second start changes nothing.
pub fn start(filter: &str, format: LogFormat) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter);
    // Where there is no thread to be had, lines are written by whoever logs.
    if let Ok(sink) = Sink::start() {
        builder.target(Target::Pipe(Box::new(sink)));
    }
    match format {
        LogFormat::Json => builder.format(as_json),
        LogFormat::Text => builder.format(as_text),
    };
    let _ = builder.try_init();
}

/// One object, written as it goes: every request has a line.
fn as_json(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    let at = line.timestamp_millis();
    line.write_all(b"{\"ts\":")?;
    json_text(line, at)?;
    for (name, value) in [("level", record.level().as_str()), ("target", record.target())] {
        write!(line, ",\"{name}\":")?;
        json_text(line, value)?;
    }
    line.write_all(b",\"message\":")?;
    json_text(line, record.args())?;
    // A value that cannot be shown is left out; the rest of the line still counts.
    let _ = record.key_values().visit(&mut JsonMembers(line));
    line.write_all(b"}\n")
}

fn as_text(line: &mut Formatter, record: &Record<'_>) -> io::Result<()> {
    // Debug escapes control characters, so no value begins a line of its own.
    let (at, message) = (line.timestamp_millis(), record.args().to_string());
    write!(line, "{at} {:5} {}", record.level(), message.escape_debug())?;
    let _ = record.key_values().visit(&mut TextPairs(line));
    line.write_all(b"\n")
}

fn json_text(line: &mut Formatter, value: impl Display) -> io::Result<()> {
    Ok(serde_json::Serializer::new(line).collect_str(&value)?)
}

/// A text that is empty stands for one that there is not.
fn says_nothing(value: &Value<'_>) -> bool {
    value.to_borrowed_str().is_some_and(str::is_empty)
}

struct JsonMembers<'a>(&'a mut Formatter);

impl VisitSource<'_> for JsonMembers<'_> {
    fn visit_pair(&mut self, key: Key<'_>, value: Value<'_>) -> Result<(), Error> {
        if says_nothing(&value) {
            return Ok(());
        }
        self.0.write_all(b",")?;
        json_text(self.0, key)?;
        self.0.write_all(b":")?;
        match value.to_u64() {
            Some(number) => write!(self.0, "{number}")?,
            None => json_text(self.0, value)?,
        }
        Ok(())
    }
}

struct TextPairs<'a>(&'a mut Formatter);

impl VisitSource<'_> for TextPairs<'_> {
    fn visit_pair(&mut self, key: Key<'_>, value: Value<'_>) -> Result<(), Error> {
        if says_nothing(&value) {
            return Ok(());
        }
        let text = value.to_string();
        Ok(write!(self.0, " {key}={}", text.escape_debug())?)
    }
}
