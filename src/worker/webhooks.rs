//! Sending announcements to webhooks, by Standard Webhooks. Who receives is no friend of ours: it may hang, drip, answer
//! without end, or stand where nobody ought to be sent to.

use super::outbox::{Channel, UNSENT};
use crate::{
    actions::{
        Rooms, egress,
        webhooks::{self, Posting},
    },
    domain::{
        announcement::Announcement,
        delivery::{Attempt, Parcel, Target},
        egress::Egress,
        refusal::{Fault, Stop},
    },
};
use jiff::Timestamp;
use reqwest::{
    Client, Response, StatusCode,
    dns::{Addrs, Name, Resolve, Resolving},
    header, redirect,
};
use serde::Serialize;
use std::{sync::Arc, time::Duration};

/// A whole attempt, from looking the name up to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(10);
/// What is read of an answer, and thrown away.
const ANSWER_MAX_BYTES: usize = 64 * 1024;
/// A receiver that asks to be left alone is, for so many seconds at most.
const POSTPONED_MAX: u32 = 3600;
/// Between two looks for what waits for a webhook that is told nothing any more.
const TIDY_EVERY: Duration = Duration::from_secs(10);
/// Between two batches, so that writers are not held up.
const PAUSE: Duration = Duration::from_millis(50);

/// The channel to webhooks.
pub struct Webhooks {
    client: Client,
    egress: Egress,
}

/// Looks names up for connections, each time that one is made: a name that is public today may be ours tomorrow.
struct Guard(Egress);

impl Resolve for Guard {
    fn resolve(&self, name: Name) -> Resolving {
        let egress = self.0;
        Box::pin(async move {
            let addresses = egress::addresses(egress, name.as_str()).await?;
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}

/// What a webhook is told: what happened to which account, and no more than a partner may ask for.
#[derive(Serialize)]
struct Message<'a> {
    r#type: String,
    timestamp: Timestamp,
    data: Data<'a>,
}

#[derive(Serialize)]
struct Data<'a> {
    account_id: &'a str,
    seq: i64,
    protected: bool,
    restricted_until: Option<Timestamp>,
}

impl Webhooks {
    /// A channel that connects to nothing but what is allowed.
    ///
    /// # Errors
    /// When the roots of TLS cannot be read.
    pub fn new(egress: Egress) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("twofold/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .no_proxy()
            .http1_only()
            .https_only(!egress.plain)
            .dns_resolver(Arc::new(Guard(egress)))
            .connect_timeout(TIMEOUT)
            .timeout(TIMEOUT)
            .pool_idle_timeout(Duration::from_secs(30))
            .build()?;
        Ok(Self { client, egress })
    }

    async fn attempt(&self, rooms: &Rooms, parcel: &Parcel) -> Result<Attempt, Stop> {
        let Target::Webhook(id) = parcel.target else { return Ok(Attempt::Withdrawn("not a webhook")) };
        let posting = match webhooks::posting(rooms, id, parcel).await? {
            Ok(posting) => posting,
            Err(why) => return Ok(Attempt::Withdrawn(why)),
        };
        if !posting.url.may_be_asked(self.egress) {
            return Ok(failed(None, "the address is not one that may be connected to"));
        }
        let body = message(&parcel.announcement)?;
        let answer = self.post(&posting, &parcel.announcement, rooms.clock.now()?, body).await;
        Ok(match answer {
            Ok(answer) if answer.status() == StatusCode::GONE => Attempt::Gone(posting.url),
            Ok(answer) => judged(answer).await,
            Err(error) => failed(None, &cause(&error)),
        })
    }

    async fn post(
        &self,
        posting: &Posting,
        announcement: &Announcement,
        now: Timestamp,
        body: String,
    ) -> reqwest::Result<Response> {
        let (id, seconds) = (announcement.id.to_string(), now.as_second());
        let signatures: Vec<String> = posting.secrets.iter().map(|secret| secret.sign(&id, seconds, &body)).collect();
        self.client
            .post(posting.url.as_str())
            .header(header::CONTENT_TYPE, "application/json")
            .header("webhook-id", id)
            .header("webhook-timestamp", seconds.to_string())
            .header("webhook-signature", signatures.join(" "))
            .body(body)
            .send()
            .await
    }
}

impl Channel for Webhooks {
    const AT_ONCE: usize = 8;

    async fn targets(&self, rooms: &Rooms) -> Result<Vec<Target>, Stop> {
        webhooks::targets(rooms).await
    }

    async fn deliver(&self, rooms: &Rooms, parcel: &Parcel) -> Attempt {
        self.attempt(rooms, parcel).await.unwrap_or_else(|stop| {
            log::error!("{stop:?}");
            UNSENT
        })
    }
}

/// Gives up for ever what waits for webhooks that are told nothing any more, a few deliveries at a time.
pub async fn tidy(rooms: Arc<Rooms>) {
    loop {
        let pause = match webhooks::tidy(&rooms).await {
            Ok(true) => PAUSE,
            Ok(false) => TIDY_EVERY,
            Err(stop) => {
                log::debug!("giving up deliveries: {stop:?}");
                TIDY_EVERY
            }
        };
        tokio::time::sleep(pause).await;
    }
}

fn message(announcement: &Announcement) -> Result<String, Fault> {
    let message = Message {
        r#type: announcement.kind.name()?,
        timestamp: announcement.at,
        data: Data {
            account_id: &announcement.account.to_string(),
            seq: announcement.seq,
            protected: announcement.facts.protected,
            restricted_until: announcement.facts.restricted_until,
        },
    };
    serde_json::to_string(&message).map_err(|error| Fault::Unreadable(error.to_string()))
}

/// What an answer means. What it says is read as far as that costs little, so that the connection may be used again.
async fn judged(mut answer: Response) -> Attempt {
    let status = answer.status();
    let after = retry_after(&answer);
    let mut bytes = 0;
    let is_whole = loop {
        match answer.chunk().await {
            Ok(Some(part)) => bytes += part.len(),
            Ok(None) => break true,
            Err(_) => break false,
        }
        if bytes > ANSWER_MAX_BYTES {
            break true;
        }
    };
    let code = status.as_u16();
    match status {
        _ if !is_whole => failed(Some(code), "the answer was not finished"),
        _ if status.is_success() => Attempt::Taken(Some(code)),
        StatusCode::TOO_MANY_REQUESTS | StatusCode::SERVICE_UNAVAILABLE if after.is_some() => {
            Attempt::Postponed { status: code, seconds: after.unwrap_or_default() }
        }
        _ if status.is_redirection() => failed(Some(code), "redirects are not followed"),
        _ => failed(Some(code), "the receiver did not take it"),
    }
}

/// Seconds that a receiver wants to be left alone (RFC 9110 §10.2.3), where it says so in seconds.
fn retry_after(answer: &Response) -> Option<u32> {
    let text = answer.headers().get(header::RETRY_AFTER)?.to_str().ok()?;
    Some(text.parse::<u32>().ok()?.min(POSTPONED_MAX))
}

fn failed(status: Option<u16>, error: &str) -> Attempt {
    Attempt::Failed { status, error: error.to_owned() }
}

/// What went wrong at the root, without the address, which the partner knows.
fn cause(error: &reqwest::Error) -> String {
    if error.is_timeout() {
        return format!("no answer within {} s", TIMEOUT.as_secs());
    }
    let mut root: &dyn std::error::Error = error;
    while let Some(source) = root.source() {
        root = source;
    }
    root.to_string()
}
