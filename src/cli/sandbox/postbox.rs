//! Where the sandbox's mails go: to its own page, and nowhere else.

use crate::{
    actions::Rooms,
    domain::{
        delivery::{Attempt, Parcel, Target},
        refusal::Stop,
    },
    http::sandbox::{Sandbox, messages::What},
    worker::{
        mail::{self, letters::Letters},
        outbox::Channel,
    },
};
use std::sync::Arc;

/// The channel that catches mails.
pub struct Postbox {
    /// Where they are shown.
    pub sandbox: Arc<Sandbox>,
    /// What writes them.
    pub letters: Letters,
}

impl Channel for Postbox {
    const AT_ONCE: usize = 16;

    async fn targets(&self, _: &Rooms) -> Result<Vec<Target>, Stop> {
        Ok(vec![Target::Mail])
    }

    async fn deliver(&self, rooms: &Rooms, parcel: &Parcel) -> Attempt {
        let kind = parcel.announcement.kind.name().unwrap_or_default();
        let (letter, recipients) = match mail::write(&self.letters, rooms, parcel).await {
            Ok(Some(written)) => written,
            Ok(None) => return Attempt::Withdrawn("there is nobody to tell, or nothing to tell any more"),
            Err(error) => return Attempt::Failed { status: None, error },
        };
        for recipient in recipients {
            let (subject, text, html) = (letter.subject.clone(), letter.text.clone(), letter.html.clone());
            let what = What::Mail { subject, text, html };
            self.sandbox.messages.add(recipient.as_str().to_owned(), kind.clone(), self.sandbox.now(), what);
        }
        Attempt::Taken(None)
    }
}
