//! Log lines: through env_logger, as JSON objects or for people, to standard error. One event is one
//! line, whatever its values hold.

use super::sink::Sink;
use crate::config::LogFormat;
use env_logger::Target;
use log::kv::{Error, Key, Value, VisitSource};
use serde_json::{Map, Value as Json};
use std::io::Write;

struct Members(Map<String, Json>);

impl VisitSource<'_> for Members {
    fn visit_pair(&mut self, key: Key<'_>, value: Value<'_>) -> Result<(), Error> {
        let json = value.to_u64().map(Json::from).unwrap_or_else(|| Json::from(value.to_string()));
        self.0.insert(key.as_str().to_owned(), json);
        Ok(())
    }
}

/// Starts logging; a second start changes nothing.
pub fn start(filter: &str, format: LogFormat) {
    let mut builder = env_logger::Builder::new();
    builder.parse_filters(filter);
    // Where there is no thread to be had, lines are written by whoever logs.
    if let Ok(sink) = Sink::start() {
        builder.target(Target::Pipe(Box::new(sink)));
    }
    builder.format(move |line, record| {
        let mut members = Members(Map::new());
        // A value that cannot be shown is left out; the rest of the line still counts.
        let _ = record.key_values().visit(&mut members);
        let (at, level) = (line.timestamp_millis().to_string(), record.level().to_string());
        let message = record.args().to_string();
        match format {
            LogFormat::Json => {
                for (name, value) in
                    [("ts", at), ("level", level), ("target", record.target().to_owned()), ("message", message)]
                {
                    members.0.insert(name.to_owned(), Json::from(value));
                }
                writeln!(line, "{}", Json::Object(members.0))
            }
            LogFormat::Text => {
                // Debug escapes control characters, so a value cannot begin a line of its own.
                let pairs: Vec<String> = members.0.iter().map(|(name, value)| format!("{name}={value}")).collect();
                writeln!(line, "{at} {level:5} {} {}", message.escape_debug(), pairs.join(" "))
            }
        }
    });
    let _ = builder.try_init();
}
