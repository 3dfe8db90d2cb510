//! Everything that the service logs, at the finest level, to be searched for secrets.

use log::{LevelFilter, Log, Metadata, Record, kv::VisitSource};
use std::{
    fmt::Write,
    sync::{Mutex, Once},
};

static LINES: Mutex<String> = Mutex::new(String::new());
static START: Once = Once::new();

struct Collector;

struct Pairs<'a>(&'a mut String);

impl VisitSource<'_> for Pairs<'_> {
    fn visit_pair(&mut self, key: log::kv::Key<'_>, value: log::kv::Value<'_>) -> Result<(), log::kv::Error> {
        let _ = write!(self.0, " {key}={value}");
        Ok(())
    }
}

impl Log for Collector {
    fn enabled(&self, _: &Metadata<'_>) -> bool {
        true
    }

    fn log(&self, record: &Record<'_>) {
        // What the test's own client logs is not the service's doing.
        if ["reqwest", "hyper"].iter().any(|client| record.target().starts_with(client)) {
            return;
        }
        let mut lines = LINES.lock().unwrap();
        let _ = write!(lines, "{} {} {}", record.level(), record.target(), record.args());
        let _ = record.key_values().visit(&mut Pairs(&mut lines));
        lines.push('\n');
    }

    fn flush(&self) {}
}

/// Starts collecting.
pub fn start() {
    START.call_once(|| {
        log::set_boxed_logger(Box::new(Collector)).unwrap();
        log::set_max_level(LevelFilter::Trace);
    });
}

/// Everything so far.
pub fn lines() -> String {
    since(0)
}

/// How much there is by now.
pub fn length() -> usize {
    LINES.lock().unwrap().len()
}

/// What was logged since there was so much.
pub fn since(length: usize) -> String {
    LINES.lock().unwrap()[length..].to_owned()
}
