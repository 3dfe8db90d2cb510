//! What a command tells while it works: sentences for people as they come, or one JSON object at the end.

use crate::{cli::out, crypto::rotation::Ring};
use serde_json::{Value, json};
use std::fmt::Display;

/// The steps of a command.
pub struct Told {
    as_json: bool,
    steps: Vec<Value>,
}

impl Told {
    /// Begins to tell.
    pub fn new(as_json: bool) -> Self {
        Self { as_json, steps: Vec::new() }
    }

    /// Tells a step of a ring; `step` is its name for programs.
    pub fn step(&mut self, ring: Ring, step: &str, sentence: impl Display) {
        if !self.as_json {
            out::done(format_args!("{ring}: {sentence}"));
        }
        self.steps.push(json!({ "ring": ring.to_string(), "step": step, "text": sentence.to_string() }));
    }

    /// Tells how far a step has come, to whoever watches.
    pub fn progress(&self, sentence: impl Display) {
        eprintln!("{sentence}");
    }

    /// Tells what to do next; nothing when all is done.
    pub fn end(self, next: Option<String>) {
        if self.as_json {
            out::done(json!({ "steps": self.steps, "is_done": next.is_none(), "next": next }));
        } else {
            out::done(next.map_or_else(|| "done".to_owned(), |next| format!("next: {next}")));
        }
    }
}
