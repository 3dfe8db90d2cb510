//! The server that takes our mail: how it is reached, and what it answers (RFC 5321).
//!
//! A connection is only ever in the clear to this machine, and where that was asked for. Whoever demands TLS gets it or
//! nothing: no sender, no recipient and no password is told before it stands.

use lettre::{
    Address,
    transport::smtp::{
        Error,
        authentication::{Credentials, DEFAULT_MECHANISMS},
        client::{AsyncSmtpConnection, Certificate, CertificateStore, TlsParameters},
        commands::{Data, Mail, Rcpt},
        extension::ClientId,
    },
};
use percent_encoding::percent_decode_str;
use reqwest::Url;
use std::{cell::RefCell, fmt, net::IpAddr, time::Duration};

const SUBMISSION: u16 = 587;
const SUBMISSIONS: u16 = 465;
const TO_CONNECT: Duration = Duration::from_secs(10);

/// A server, and connections to it that wait for the next mail.
pub struct Relay {
    host: String,
    port: u16,
    line: Line,
    credentials: Option<Credentials>,
    hello: ClientId,
    idle: RefCell<Vec<AsyncSmtpConnection>>,
}

/// How a connection is protected.
enum Line {
    /// From its first byte (RFC 8314).
    Tls(TlsParameters),
    /// By STARTTLS, which the server must offer (RFC 3207).
    StartTls(TlsParameters),
    /// Not at all; it does not leave this machine.
    Clear,
}

/// Why a mail was not taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refused {
    /// There is no such mailbox, for good.
    Recipient(u16),
    /// It may be taken another time.
    Now {
        /// What the server answered, if it did.
        status: Option<u16>,
        /// At which step, and what; no address, and nothing that proves who we are.
        error: String,
    },
}

impl Refused {
    /// Nothing was answered in time.
    pub fn silent() -> Self {
        Self::Now { status: None, error: "it does not answer".to_owned() }
    }
}

impl fmt::Display for Refused {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Recipient(status) => write!(f, "RCPT was answered {status}: there is no such mailbox"),
            Self::Now { error, .. } => f.write_str(error),
        }
    }
}

impl Relay {
    /// The server that `url` names, whose certificate comes from one of the authorities in `ca`, or else from one that
    /// the system trusts. We greet it as `name`, unless the URL has another name.
    ///
    /// # Errors
    /// When the URL or a certificate is wrong; what it says has no password in it.
    pub fn parse(url: &str, ca: Option<&[u8]>, name: &str) -> Result<Self, String> {
        let url = Url::parse(url).map_err(|error| format!("TWOFOLD_MAIL_URL is no URL: {error}"))?;
        let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']).to_owned();
        let parameters: Vec<(String, String)> = url.query_pairs().into_owned().collect();
        let tls = match parameters.as_slice() {
            [] => None,
            [(key, value)] if key == "tls" => Some(value.as_str()),
            _ => return Err("TWOFOLD_MAIL_URL may have the parameter tls and no other".to_owned()),
        };
        let secured = || secured(&host, ca);
        let (line, port) = match (url.scheme(), tls) {
            ("smtps", None | Some("required")) => (Line::Tls(secured()?), SUBMISSIONS),
            ("smtp", None | Some("required")) => (Line::StartTls(secured()?), SUBMISSION),
            ("smtp", Some("none")) if is_here(&host) => (Line::Clear, SUBMISSION),
            ("smtp", Some("none")) => {
                return Err(
                    "TWOFOLD_MAIL_URL has tls=none for another machine; mail goes there by TLS alone".to_owned()
                );
            }
            ("smtp" | "smtps", _) => {
                return Err(
                    "TWOFOLD_MAIL_URL: tls is required or none; whoever is on the way decides what is optional"
                        .to_owned(),
                );
            }
            _ => return Err("TWOFOLD_MAIL_URL begins with smtps:// or smtp://".to_owned()),
        };
        let hello = url.path().trim_matches('/');
        let decoded = |text: &str| {
            let text = percent_decode_str(text)
                .decode_utf8()
                .map_err(|_| "TWOFOLD_MAIL_URL: user and password are UTF-8, percent-encoded".to_owned());
            Ok::<_, String>(text?.into_owned())
        };
        let credentials = match url.password() {
            Some(password) => Some(Credentials::new(decoded(url.username())?, decoded(password)?)),
            None => None,
        };
        Ok(Self {
            host,
            port: url.port().unwrap_or(port),
            line,
            credentials,
            hello: ClientId::Domain(if hello.is_empty() { name } else { hello }.to_owned()),
            idle: RefCell::default(),
        })
    }

    /// Connects and says who we are; for whoever looks whether it can be reached.
    ///
    /// # Errors
    /// At which step, and what.
    pub async fn greet(&self) -> Result<(), Refused> {
        let mut connection = self.connect().await?;
        let _ = connection.quit().await;
        Ok(())
    }

    /// Hands over one mail. Whoever drops this half-way drops its connection, too.
    ///
    /// # Errors
    /// Why it was not taken. A connection that broke after the mail was sent may have delivered it.
    pub async fn send(&self, from: &Address, to: &Address, message: &[u8]) -> Result<u16, Refused> {
        let mut connection = match self.waiting().await {
            Some(connection) => connection,
            None => self.connect().await?,
        };
        let mut talk = async || {
            let mail = Mail::new(Some(from.clone()), Vec::new());
            connection.command(mail).await.map_err(|error| refused("MAIL", &error))?;
            let rcpt = Rcpt::new(to.clone(), Vec::new());
            connection.command(rcpt).await.map_err(|error| of_recipient(&error))?;
            connection.command(Data).await.map_err(|error| refused("DATA", &error))?;
            let answer = connection.message(message).await.map_err(|error| refused("message", &error))?;
            Ok(u16::from(answer.code()))
        };
        let outcome = talk().await;
        match &outcome {
            Ok(_) => self.idle.borrow_mut().push(connection),
            Err(_) => connection.abort().await,
        }
        outcome
    }

    /// A connection that waited for us and still stands.
    async fn waiting(&self) -> Option<AsyncSmtpConnection> {
        loop {
            let mut connection = self.idle.borrow_mut().pop()?;
            if connection.test_connected().await {
                return Some(connection);
            }
        }
    }

    async fn connect(&self) -> Result<AsyncSmtpConnection, Refused> {
        let tls = if let Line::Tls(tls) = &self.line { Some(tls.clone()) } else { None };
        let server = (self.host.as_str(), self.port);
        let connecting = AsyncSmtpConnection::connect_tokio1(server, Some(TO_CONNECT), &self.hello, tls, None);
        let mut connection = connecting.await.map_err(|error| refused("connection", &error))?;
        if let Line::StartTls(tls) = &self.line {
            connection.starttls(tls.clone(), &self.hello).await.map_err(|error| refused("STARTTLS", &error))?;
        }
        if let Some(credentials) = &self.credentials {
            connection.auth(DEFAULT_MECHANISMS, credentials).await.map_err(|error| refused("AUTH", &error))?;
        }
        Ok(connection)
    }
}

fn secured(host: &str, ca: Option<&[u8]>) -> Result<TlsParameters, String> {
    let mut parameters = TlsParameters::builder(host.to_owned());
    if let Some(pem) = ca {
        parameters = parameters.certificate_store(CertificateStore::None);
        let certificate = Certificate::from_pem(pem).map_err(|error| format!("TWOFOLD_MAIL_CA: {error}"))?;
        parameters = parameters.add_root_certificate(certificate);
    }
    parameters.build().map_err(|error| format!("TLS to the mail server cannot be prepared: {error}"))
}

/// Whether what is sent to `host` stays on this machine (RFC 6761 §6.3).
fn is_here(host: &str) -> bool {
    host == "localhost" || host.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
}

/// A server says in its text whom it refuses, so of that only the codes are kept.
fn refused(step: &str, error: &Error) -> Refused {
    let Some(status) = error.status().map(u16::from) else {
        // What is no answer of SMTP would be repeated to the letter.
        let error = if error.is_response() { "was answered by what is no SMTP".to_owned() } else { error.to_string() };
        return Refused::Now { status: None, error: format!("{step}: {error}") };
    };
    let detail = enhanced(error).map(|code| format!(" {code}")).unwrap_or_default();
    Refused::Now { status: Some(status), error: format!("{step} was answered {status}{detail}") }
}

/// A mailbox that is not there is not asked again. One that is full, or whose server wants something of us, is: whoever
/// fills a mailbox must not make a mail to it be forgotten.
fn of_recipient(error: &Error) -> Refused {
    match error.status().map(u16::from) {
        Some(status) if is_of_nobody(status, enhanced(error).as_deref()) => Refused::Recipient(status),
        _ => refused("RCPT", error),
    }
}

/// Whether an answer to RCPT says that there is no such mailbox: by its enhanced code (RFC 3463 §3.2; X.1.7 and X.1.8 are
/// about the sender), or, where it has none, by its code (RFC 5321 §4.2.2).
fn is_of_nobody(status: u16, enhanced: Option<&str>) -> bool {
    match enhanced {
        Some(code) => code.starts_with("5.1.") && !["5.1.7", "5.1.8"].contains(&code),
        None => [550, 551, 553].contains(&status),
    }
}

/// The enhanced status code of an answer (RFC 3463), where it has one.
fn enhanced(error: &Error) -> Option<String> {
    let is_number = |part: &str| !part.is_empty() && part.len() <= 3 && part.bytes().all(|byte| byte.is_ascii_digit());
    let is_code = |word: &&str| word.split('.').count() == 3 && word.split('.').all(is_number);
    error.to_string().split_whitespace().find(is_code).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_mailbox_that_is_not_there_is_given_up() {
        for (status, enhanced) in
            [(550, Some("5.1.1")), (550, None), (551, Some("5.1.6")), (553, None), (556, Some("5.1.10"))]
        {
            assert!(is_of_nobody(status, enhanced), "{status} {enhanced:?}");
        }
        let others = [
            (552, Some("5.2.2")),
            (552, None),
            (550, Some("5.2.1")),
            (550, Some("5.7.1")),
            (550, Some("5.1.8")),
            (554, Some("5.3.4")),
            (530, None),
            (452, Some("4.2.2")),
            (450, Some("4.1.1")),
        ];
        for (status, enhanced) in others {
            assert!(!is_of_nobody(status, enhanced), "{status} {enhanced:?}");
        }
    }
}
