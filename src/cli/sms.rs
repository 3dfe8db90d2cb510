//! `sms`: tries whether SMS arrive.

use super::{Failure, out};
use crate::{
    config::{Config, SmsGateway},
    domain::{phone::PhoneNumber, secret::Secret},
    http::server::runtime,
    worker::sms::{Credentials, Form, Kannel, SmsSender, Twilio, text::Words},
};
use clap::Subcommand;

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Send one SMS, to see whether it arrives.
    Test {
        /// To whom, such as +60123456789.
        #[arg(long, value_name = "NUMBER")]
        to: String,
    },
}

/// Runs a subcommand.
pub fn run(config: &Config, command: Command) -> Result<(), Failure> {
    let Command::Test { to } = command;
    let to = PhoneNumber::parse(&to, "/to")?;
    let Some(sms) = sender(config)? else {
        return Err(Failure::configuration("no SMS is sent: TWOFOLD_SMS_GATEWAY is not set"));
    };
    runtime::System::new().block_on(sms.test(&to)).map_err(Failure::new)?;
    out::done(format_args!("the gateway has taken an SMS to {}", to.masked()));
    Ok(())
}

/// What sends SMS, where there is a gateway.
///
/// # Errors
/// When a setting is wrong.
pub fn sender(config: &Config) -> Result<Option<SmsSender>, Failure> {
    let wrong = |error: String| Failure::configuration(&error);
    let Some(access) = config.sms.access(config.insecure)? else { return Ok(None) };
    let credentials = Credentials { user: access.user.to_owned(), password: Secret::new(access.password.to_owned()) };
    let from = access.from.to_owned();
    let form: Box<dyn Form> = match access.gateway {
        SmsGateway::Kannel => Box::new(Kannel { url: access.url, credentials, from }),
        SmsGateway::Twilio => Box::new(Twilio::new(&access.url, credentials, from).map_err(wrong)?),
    };
    let words = Words::load(&config.product_name, config.sms.origin.clone()).map_err(wrong)?;
    SmsSender::new(form, words).map(Some).map_err(Failure::new)
}
