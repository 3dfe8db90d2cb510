//! Mail to account owners: each announcement as one message, under the same id in every attempt.

pub mod letters;
pub mod notices;
pub mod relay;
#[cfg(test)]
mod tests;
pub mod texts;

use super::outbox::Channel;
use crate::{
    actions::{Rooms, outbox},
    crypto::links::{self, LinkKind},
    domain::{
        account::{Account, Email, Locale},
        delivery::{Attempt, Parcel, Target},
        refusal::Stop,
    },
    store::sent_codes::Note,
};
use jiff::Timestamp;
use letters::{Letter, Letters, Occasion};
use lettre::{
    Address, Message,
    message::{
        Mailbox, MultiPart,
        header::{HeaderName, HeaderValue},
    },
};
use relay::{Refused, Relay};
use std::time::{Duration, SystemTime};

/// An attempt ends before its lease does, which is 90 s.
const PATIENCE: Duration = Duration::from_secs(45);

/// The kind of mail that whoever gets it may end.
pub(crate) const REMINDER: &str = "two_factor.reminded";
/// The kind that tells a code.
pub(crate) const CODE: &str = "code";
/// The kind that is told at the address before and at the one now.
const EMAIL_CHANGED: &str = "email.changed";

/// The channel of mails.
pub struct Mail {
    letters: Letters,
    relay: Relay,
    from: Mailbox,
}

/// To whom, when, and under which id.
struct Envelope<'a> {
    to: Address,
    id: &'a str,
    at: Timestamp,
}

impl Channel for Mail {
    const AT_ONCE: usize = 4;

    async fn targets(&self, _: &Rooms) -> Result<Vec<Target>, Stop> {
        Ok(vec![Target::Mail])
    }

    async fn deliver(&self, rooms: &Rooms, parcel: &Parcel) -> Attempt {
        let attempt = async {
            match write(&self.letters, rooms, parcel).await {
                Ok(Some((letter, recipients))) => self.send(rooms, parcel, &letter, &recipients).await,
                Ok(None) => Attempt::Withdrawn("there is nobody to tell, or nothing to tell any more"),
                Err(error) => Attempt::Failed { status: None, error },
            }
        };
        tokio::time::timeout(PATIENCE, attempt).await.unwrap_or_else(|_| Attempt::Failed {
            status: None,
            error: format!("the mail server did not take it within {} s", PATIENCE.as_secs()),
        })
    }
}

impl Mail {
    /// Mail that `from` sends by the server at `url`, whose certificate comes from an authority in `ca`, if there is any.
    ///
    /// # Errors
    /// When one of them is wrong, by the name of its setting.
    pub fn by(url: &str, from: &str, ca: Option<&[u8]>, letters: Letters) -> Result<Self, String> {
        let from: Mailbox = from.parse().map_err(|error| format!("TWOFOLD_MAIL_FROM is no sender: {error}"))?;
        let relay = Relay::parse(url, ca, from.email.domain())?;
        Ok(Self { letters, relay, from })
    }

    /// Looks whether the server can be reached as its URL has it.
    ///
    /// # Errors
    /// At which step it cannot, and why.
    pub async fn greet(&self) -> Result<(), Refused> {
        self.relay.greet().await
    }

    /// Sends a mail that is about nothing. Returns what the server answered.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn test(&self, to: &Email, id: &str, now: Timestamp) -> Result<u16, String> {
        let letter =
            self.letters.write(&Occasion { times: 1, ..Occasion::sample("test", "system", now) }, Locale::En)?;
        match tokio::time::timeout(PATIENCE, self.hand_over(letter, to, id, now)).await {
            Ok(Ok(status)) => Ok(status),
            Ok(Err(refused)) => Err(refused.to_string()),
            Err(_) => Err(Refused::silent().to_string()),
        }
    }

    /// Sends a code. It goes by no outbox and waits for nothing: whoever asked looks at the mailbox now. Its id is the same
    /// in every attempt.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send_code(&self, note: &Note, to: &Email) -> Result<u16, Refused> {
        let failed = |error: String| Refused::Now { status: None, error };
        let (id, at) = (format!("{}.{}", note.method, note.created_at.as_millisecond()), note.created_at);
        let letter =
            self.letters.write(&Occasion::of_code(&note.code, note.minutes(), at), note.locale).map_err(failed)?;
        let to = address(to).ok_or(Refused::Recipient(553))?;
        let message = self.message(letter, &Envelope { to: to.clone(), id: &id, at }).map_err(failed)?;
        let sending = self.relay.send(&self.from.email, &to, &message);
        tokio::time::timeout(PATIENCE, sending).await.unwrap_or_else(|_| Err(Refused::silent()))
    }

    /// Hands it over for each recipient. Where one has it and another one not yet, both are sent it again.
    async fn send(&self, rooms: &Rooms, parcel: &Parcel, letter: &Letter, recipients: &[Email]) -> Attempt {
        let mut attempt = Attempt::Withdrawn("there is no such mailbox");
        let mut failed = None;
        let at = match rooms.clock.now() {
            Ok(at) => at,
            Err(fault) => return Attempt::Failed { status: None, error: fault.to_string() },
        };
        let id = parcel.announcement.id.to_string();
        for recipient in recipients {
            match self.hand_over(letter.clone(), recipient, &id, at).await {
                Ok(status) => attempt = Attempt::Taken(Some(status)),
                Err(Refused::Recipient(_)) => {}
                Err(Refused::Now { status, error }) => failed = Some(Attempt::Failed { status, error }),
            }
        }
        failed.unwrap_or(attempt)
    }

    async fn hand_over(&self, letter: Letter, to: &Email, id: &str, at: Timestamp) -> Result<u16, Refused> {
        // What no server would take (553, RFC 5321 §4.2.2) is not asked of ours.
        let to = address(to).ok_or(Refused::Recipient(553))?;
        let message = self.message(letter, &Envelope { to: to.clone(), id, at });
        let message = message.map_err(|error| Refused::Now { status: None, error })?;
        self.relay.send(&self.from.email, &to, &message).await
    }

    /// A message by RFC 5322. Its id is the announcement's, so that whoever gets it twice sees it once; nobody's
    /// absence answers it (RFC 3834).
    fn message(&self, letter: Letter, envelope: &Envelope<'_>) -> Result<Vec<u8>, String> {
        let raw = |name, value: String| HeaderValue::new(HeaderName::new_from_ascii_str(name), value);
        let mut message = Message::builder()
            .from(self.from.clone())
            .to(Mailbox::new(None, envelope.to.clone()))
            .subject(letter.subject)
            .date(SystemTime::from(envelope.at))
            .message_id(Some(format!("<{}@{}>", envelope.id, self.from.email.domain())))
            .raw_header(raw("Auto-Submitted", "auto-generated".to_owned()))
            .raw_header(raw("X-Auto-Response-Suppress", "All".to_owned()));
        if let Some(url) = letter.unsubscribe {
            message = message
                .raw_header(raw("List-Unsubscribe", format!("<{url}>")))
                .raw_header(raw("List-Unsubscribe-Post", "List-Unsubscribe=One-Click".to_owned()));
        }
        let message = message.multipart(MultiPart::alternative_plain_html(letter.text, letter.html));
        Ok(message.map_err(|error| format!("the mail cannot be made: {error}"))?.formatted())
    }
}

/// What a delivery says and to whom; none where there is nobody to be told, or it is true no more.
///
/// # Errors
/// What is wrong with a text or a layout, and that the database does not answer.
pub async fn write(letters: &Letters, rooms: &Rooms, parcel: &Parcel) -> Result<Option<(Letter, Vec<Email>)>, String> {
    let announcement = &parcel.announcement;
    let Some(recipient) = announcement.recipient.clone() else { return Ok(None) };
    let kind = announcement.kind.name().map_err(|fault| fault.to_string())?;
    let mut occasion = Occasion::of(announcement, &kind, parcel.times);
    let mut recipients = vec![recipient];
    let keys = rooms.keys.ring();
    let token = |kind, disabled_at| links::token(&keys, kind, announcement.account, disabled_at).expose().clone();
    if announcement.kind.can_be_undone() && rooms.policy.undo_for > 0 {
        occasion.undo = Some(token(LinkKind::Undo, announcement.at));
    }
    if [REMINDER, EMAIL_CHANGED].contains(&kind.as_str()) {
        let account = outbox::account(rooms, announcement.account).await;
        let account = account.map_err(|_| "the database does not answer".to_owned())?;
        match (kind.as_str(), account) {
            (REMINDER, Some(Account { enabled_at: None, disabled_at: Some(at), .. })) => {
                occasion.stop = Some(token(LinkKind::StopReminders, at));
            }
            (EMAIL_CHANGED, Some(account)) => recipients.push(account.email),
            _ => return Ok(None),
        }
    }
    Ok(Some((letters.write(&occasion, announcement.locale)?, recipients)))
}

fn address(email: &Email) -> Option<Address> {
    email.as_str().parse().ok()
}
