//! Kannel's `sendsms` (Kannel 1.4 User's Guide, ch. 6), as it takes a `POST`: what describes the SMS in headers, and the
//! text as the body, so that no password and no code stand in a log of addresses.

use super::{Credentials, Form, Refused, Sms};
use reqwest::{Client, RequestBuilder, StatusCode, Url, header};

/// The alphabets of GSM and of UCS-2, in Kannel's numbers.
const CODING_GSM: &str = "0";
const CODING_UCS2: &str = "2";

/// A Kannel.
pub struct Kannel {
    /// Where its `sendsms` is.
    pub url: Url,
    /// Who we are there.
    pub credentials: Credentials,
    /// The sender.
    pub from: String,
}

impl Form for Kannel {
    fn request(&self, client: &Client, sms: &Sms<'_>) -> RequestBuilder {
        let coding = if sms.text.is_ucs2 { CODING_UCS2 } else { CODING_GSM };
        client
            .post(self.url.clone())
            .header("X-Kannel-Username", self.credentials.user.as_bytes())
            .header("X-Kannel-Password", self.credentials.password.expose().as_bytes())
            .header("X-Kannel-From", self.from.as_bytes())
            .header("X-Kannel-To", sms.to.as_str())
            .header("X-Kannel-Coding", coding)
            // In minutes; Kannel knows no shorter time.
            .header("X-Kannel-Validity", sms.life.div_ceil(60))
            .header(header::CONTENT_TYPE, "text/plain; charset=UTF-8")
            .body(sms.text.text.to_string())
    }

    /// `0: Accepted for delivery` or `3: Queued for later delivery`; what is refused has no number before it.
    fn judge(&self, status: StatusCode, body: &[u8]) -> Result<(), Refused> {
        let number = body.split(|byte| !byte.is_ascii_digit()).next().unwrap_or_default();
        let is_taken = status.is_success() && matches!(number, b"0" | b"3") && body.get(1) == Some(&b':');
        let why = format!("the gateway answered {}", status.as_u16());
        match status {
            _ if is_taken => Ok(()),
            StatusCode::BAD_REQUEST => Err(Refused::ForGood(why)),
            // Old ones say everything with 200 or 202.
            _ if status.is_success() => Err(Refused::Now(format!("{why}, and not that it has taken it"))),
            _ => Err(Refused::Now(why)),
        }
    }
}
