//! What the sandbox has caught: mails that would have been sent, and webhooks that were called.

use jiff::Timestamp;
use serde::Serialize;
use serde_json::Value;
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

/// Messages that are kept; the oldest goes first.
const KEPT: usize = 500;

/// The messages, from the oldest to the newest.
#[derive(Default)]
pub struct Messages(Mutex<Kept>);

#[derive(Default)]
struct Kept {
    messages: VecDeque<Message>,
    /// The number of the last one; numbers are not used twice.
    last: u64,
}

/// A message that was caught.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Its number.
    n: u64,
    /// Whom it was for: an address, or the name of a hook.
    pub to: String,
    /// The kind of event that it is about, as far as it is known.
    pub kind: String,
    /// When it was caught, by the clock of the sandbox.
    pub at: Timestamp,
    /// The message itself.
    #[serde(flatten)]
    pub what: What,
}

/// What was caught.
#[derive(Clone, Debug, Serialize)]
#[serde(tag = "channel", rename_all = "snake_case")]
pub enum What {
    /// A mail to an account's owner.
    Mail {
        /// Its subject.
        subject: String,
        /// It, as plain text.
        text: String,
        /// It, as a page.
        html: String,
    },
    /// A call of a webhook.
    Webhook {
        /// The id that every attempt has.
        id: String,
        /// Whether it is signed with the secret that the sandbox tells: `right`, `wrong`, `missing`; `unchecked` at
        /// hooks with other secrets.
        signature: &'static str,
        /// Its body; a text where it is no JSON.
        body: Value,
    },
}

impl Messages {
    /// Keeps one more.
    pub fn add(&self, to: String, kind: String, at: Timestamp, what: What) {
        let mut kept = self.kept();
        kept.last += 1;
        let n = kept.last;
        kept.messages.push_back(Message { n, to, kind, at, what });
        if kept.messages.len() > KEPT {
            kept.messages.pop_front();
        }
    }

    /// Those for `to` and of `kind`, where these are given; the newest first.
    pub fn find(&self, to: Option<&str>, kind: Option<&str>) -> Vec<Message> {
        let is_meant =
            |message: &&Message| to.is_none_or(|to| message.to == to) && kind.is_none_or(|kind| message.kind == kind);
        self.kept().messages.iter().rev().filter(is_meant).cloned().collect()
    }

    /// The page of a mail.
    pub fn html(&self, n: u64) -> Option<String> {
        let kept = self.kept();
        let message = kept.messages.iter().find(|message| message.n == n)?;
        match &message.what {
            What::Mail { html, .. } => Some(html.clone()),
            What::Webhook { .. } => None,
        }
    }

    /// Drops all of them.
    pub fn clear(&self) {
        self.kept().messages.clear();
    }

    fn kept(&self) -> MutexGuard<'_, Kept> {
        // Nothing panics while it is held.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_come_first_and_the_oldest_are_dropped() {
        let messages = Messages::default();
        let mail = || What::Mail { subject: String::new(), text: String::new(), html: String::new() };
        for n in 0..KEPT + 2 {
            let to = if n % 2 == 0 { "alice" } else { "bob" };
            messages.add(to.to_owned(), format!("kind-{}", n % 4), Timestamp::UNIX_EPOCH, mail());
        }
        let numbers = |found: &[Message]| found.iter().map(|message| message.n).collect::<Vec<_>>();
        assert_eq!(numbers(&messages.find(None, None)), (3..=502).rev().collect::<Vec<_>>());
        assert_eq!(numbers(&messages.find(Some("bob"), Some("kind-3")))[..2], [500, 496]);
        assert!(messages.find(Some("alice"), Some("kind-1")).is_empty());
        messages.clear();
        messages.add("bob".to_owned(), String::new(), Timestamp::UNIX_EPOCH, mail());
        assert_eq!(numbers(&messages.find(None, None)), [503], "a number is not used twice");
    }
}
