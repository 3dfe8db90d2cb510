//! Where the sandbox's mails go: to its own page, and nowhere else.

use crate::{
    actions::Rooms,
    crypto::links::{self, LinkKind},
    domain::{
        announcement::Announcement,
        delivery::{Attempt, Parcel, Target},
        event::EventKind,
        refusal::{Fault, Stop},
    },
    http::sandbox::{Sandbox, messages::What},
    worker::outbox::Channel,
};
use std::sync::Arc;

/// The channel that catches mails.
pub struct Postbox {
    /// Where they are shown.
    pub sandbox: Arc<Sandbox>,
}

impl Channel for Postbox {
    const AT_ONCE: usize = 16;

    async fn targets(&self, _: &Rooms) -> Result<Vec<Target>, Stop> {
        Ok(vec![Target::Mail])
    }

    async fn deliver(&self, rooms: &Rooms, parcel: &Parcel) -> Attempt {
        let announcement = &parcel.announcement;
        let Some(recipient) = &announcement.recipient else { return Attempt::Withdrawn("nobody to write to") };
        match self.letter(rooms, announcement) {
            Ok((kind, letter)) => {
                self.sandbox.messages.add(recipient.as_str().to_owned(), kind, self.sandbox.now(), letter);
                Attempt::Taken(None)
            }
            Err(fault) => Attempt::Failed { status: None, error: fault.to_string() },
        }
    }
}

impl Postbox {
    /// The kind, and the bare facts of it.
    fn letter(&self, rooms: &Rooms, announcement: &Announcement) -> Result<(String, What), Fault> {
        let kind = announcement.kind.name()?;
        let facts = serde_json::to_string_pretty(&announcement.facts).unwrap_or_default();
        let mut text = format!("{kind} at {}\n\n{facts}\n", announcement.at);
        if let Some(link) = self.undo_link(rooms, announcement) {
            text += &format!("\nIt wasn't you? {link}\n");
        }
        Ok((kind.clone(), What::Mail { subject: kind, text, html: None }))
    }

    /// The link that takes it back, where it can be.
    fn undo_link(&self, rooms: &Rooms, announcement: &Announcement) -> Option<String> {
        let can_be_undone = matches!(
            announcement.kind,
            EventKind::TwoFactorDisabled | EventKind::TwoFactorResetBySupport | EventKind::TwoFactorResetByOperator
        );
        let service = self.sandbox.service.get().filter(|_| can_be_undone)?;
        let token = links::token(&rooms.keys.ring(), LinkKind::Undo, announcement.account, announcement.at);
        Some(format!("http://{service}/undo#{}", token.expose()))
    }
}
