//! Twilio's `Messages.json`, version 2010-04-01, which other gateways take too.

use super::{Credentials, Form, Refused, Sms, form};
use reqwest::{Client, RequestBuilder, StatusCode, Url};
use serde::Deserialize;

/// What the SID of a messaging service begins with, instead of a number or a name.
const SERVICE: &str = "MG";
const SID_CHARS: usize = 34;
/// Codes of errors that are about the number: no number, none of a mobile telephone, none that is reached, one whose
/// owner wants nothing, and a country that the account may not send to.
const ABOUT_THE_NUMBER: [u32; 6] = [21_211, 21_408, 21_610, 21_612, 21_614, 21_635];

/// An account at Twilio, or at whoever speaks like it.
pub struct Twilio {
    url: Url,
    credentials: Credentials,
    from: String,
}

/// What an error says of itself. Its words name the telephone.
#[derive(Deserialize)]
struct Problem {
    code: Option<u32>,
}

impl Twilio {
    /// The account that `credentials` names, at `base`.
    ///
    /// # Errors
    /// When nothing can be asked of that address.
    pub fn new(base: &Url, credentials: Credentials, from: String) -> Result<Self, String> {
        let mut url = base.clone();
        url.path_segments_mut().map_err(|()| "TWOFOLD_SMS_URL has no path".to_owned())?.pop_if_empty().extend([
            "2010-04-01",
            "Accounts",
            &credentials.user,
            "Messages.json",
        ]);
        Ok(Self { url, credentials, from })
    }
}

impl Form for Twilio {
    fn request(&self, client: &Client, sms: &Sms<'_>) -> RequestBuilder {
        let is_service = self.from.starts_with(SERVICE) && self.from.len() == SID_CHARS;
        let sender = if is_service { "MessagingServiceSid" } else { "From" };
        let life = sms.life.max(1).to_string();
        let members =
            [("To", sms.to.as_str()), (sender, &self.from), ("Body", &sms.text.text), ("ValidityPeriod", &life)];
        let request = client.post(self.url.clone());
        form(request.basic_auth(&self.credentials.user, Some(self.credentials.password.expose())), &members)
    }

    fn judge(&self, status: StatusCode, body: &[u8]) -> Result<(), Refused> {
        if status.is_success() {
            return Ok(());
        }
        let code = serde_json::from_slice::<Problem>(body).ok().and_then(|problem| problem.code);
        let why = match code {
            Some(code) => format!("the gateway answered {} (error {code})", status.as_u16()),
            None => format!("the gateway answered {}", status.as_u16()),
        };
        match code {
            Some(code) if ABOUT_THE_NUMBER.contains(&code) => Err(Refused::ForGood(why)),
            _ => Err(Refused::Now(why)),
        }
    }
}
