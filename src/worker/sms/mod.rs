//! SMS to account owners, through a gateway of the operator's choice.
//!
//! A gateway that does not answer may have taken the SMS all the same; who asks again pays twice. What it answers may
//! name a telephone, so of that only codes are kept.

mod kannel;
#[cfg(test)]
mod tests;
pub mod text;
mod twilio;

pub use kannel::Kannel;
pub use twilio::Twilio;

use crate::domain::{account::Locale, phone::PhoneNumber, secret::Secret, sent_code::SentCode};
use reqwest::{Client, RequestBuilder, Response, StatusCode, header, redirect};
use std::{fmt, time::Duration};
use text::{Text, Words};

/// A whole attempt, from looking the name up to the end of the answer.
const TIMEOUT: Duration = Duration::from_secs(15);
/// What is read of an answer.
const ANSWER_MAX_BYTES: usize = 16 * 1024;
/// Seconds that a test may be under way.
const TEST_LIFE: u32 = 600;

/// A form in which gateways take SMS.
pub trait Form {
    /// The request that hands one over.
    fn request(&self, client: &Client, sms: &Sms<'_>) -> RequestBuilder;

    /// What an answer means.
    ///
    /// # Errors
    /// Why it was not taken.
    fn judge(&self, status: StatusCode, body: &[u8]) -> Result<(), Refused>;
}

/// An SMS on its way.
pub struct Sms<'a> {
    /// To whom.
    pub to: &'a PhoneNumber,
    /// What it says.
    pub text: &'a Text,
    /// Seconds after which nobody needs it any more.
    pub life: u32,
}

/// Who we are at a gateway.
pub struct Credentials {
    /// Our name there.
    pub user: String,
    /// Our password there.
    pub password: Secret<String>,
}

/// Why an SMS was not taken. Neither the telephone nor the text is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It will not be taken another time: the gateway has judged this number or this text.
    ForGood(String),
    /// It was not taken, and may be another time.
    Now(String),
    /// Nobody knows whether it was taken.
    Perhaps(String),
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::ForGood(why) | Self::Now(why) | Self::Perhaps(why)) = self;
        f.write_str(why)
    }
}

/// The gateway, and the words for it.
pub struct SmsSender {
    client: Client,
    form: Box<dyn Form>,
    words: Words,
}

impl SmsSender {
    /// One that hands SMS over in this form.
    ///
    /// # Errors
    /// When the roots of TLS cannot be read.
    pub fn new(form: Box<dyn Form>, words: Words) -> Result<Self, reqwest::Error> {
        let client = Client::builder()
            .user_agent(concat!("twofold/", env!("CARGO_PKG_VERSION")))
            .redirect(redirect::Policy::none())
            .referer(false)
            .connect_timeout(TIMEOUT)
            .timeout(TIMEOUT)
            .build()?;
        Ok(Self { client, form, words })
    }

    /// Sends a code, which is good for `life` seconds more and says for how many minutes it is good.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn send(
        &self,
        (code, minutes): (&SentCode, u32),
        to: &PhoneNumber,
        locale: Locale,
        life: u32,
    ) -> Result<(), Refused> {
        let text = self.words.code(code, minutes, locale).map_err(Refused::ForGood)?;
        self.hand_over(&Sms { to, text: &text, life }).await
    }

    /// Sends an SMS that is about nothing.
    ///
    /// # Errors
    /// Why it was not taken.
    pub async fn test(&self, to: &PhoneNumber) -> Result<(), Refused> {
        let text = self.words.test(Locale::En).map_err(Refused::ForGood)?;
        self.hand_over(&Sms { to, text: &text, life: TEST_LIFE }).await
    }

    async fn hand_over(&self, sms: &Sms<'_>) -> Result<(), Refused> {
        let answer = self.form.request(&self.client, sms).send().await.map_err(|error| unanswered(&error))?;
        let status = answer.status();
        let body = body(answer).await;
        match status {
            _ if status.is_redirection() => {
                Err(Refused::Now("the gateway sends us elsewhere, and we do not follow".to_owned()))
            }
            _ => self.form.judge(status, &body),
        }
    }
}

/// A request with these members in its body, as the URL standard writes forms.
fn form(request: RequestBuilder, members: &[(&str, &str)]) -> RequestBuilder {
    let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(members).finish();
    request.header(header::CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
}

/// What a gateway says, as far as that costs little; whoever stops half-way has said nothing.
async fn body(mut answer: Response) -> Vec<u8> {
    let mut body = Vec::new();
    while let Ok(Some(part)) = answer.chunk().await {
        body.extend_from_slice(&part);
        if body.len() > ANSWER_MAX_BYTES {
            break;
        }
    }
    body
}

/// What it means that there was no answer. An address is told in full by the library, so it is left out.
fn unanswered(error: &reqwest::Error) -> Refused {
    match error {
        _ if error.is_connect() => Refused::Now("the gateway cannot be reached".to_owned()),
        _ if error.is_timeout() => Refused::Perhaps(format!("no answer within {} s", TIMEOUT.as_secs())),
        _ if error.is_builder() => Refused::ForGood("the request cannot be made".to_owned()),
        _ => Refused::Perhaps("the gateway broke off".to_owned()),
    }
}
