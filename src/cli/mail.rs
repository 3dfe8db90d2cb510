//! `mail`: shows what mails look like, and tries whether they arrive.

use super::{Failure, converse, out};
use crate::{
    actions::Cx,
    config::Config,
    domain::account::{Email, Locale},
    worker::mail::{
        Mail,
        letters::{House, Letters, Occasion},
        texts::KINDS,
    },
};
use clap::{Subcommand, builder::PossibleValuesParser};
use std::fs;

/// What to do.
#[derive(Subcommand)]
pub enum Command {
    /// Print the mail about one kind of event, as text or HTML, with an example's facts.
    Preview {
        /// The kind of event.
        #[arg(value_name = "KIND", value_parser = PossibleValuesParser::new(KINDS))]
        kind: String,
        /// The language.
        #[arg(long, default_value = "en")]
        locale: Locale,
        /// As HTML.
        #[arg(long)]
        html: bool,
        /// Who did it: `owner`, `support`, `partner` or `system`.
        #[arg(long, default_value = "owner", value_parser = ["owner", "support", "partner", "system"])]
        actor: String,
    },
    /// Send one mail, to see whether it arrives.
    Test {
        /// To whom.
        #[arg(long, value_name = "ADDRESS")]
        to: String,
    },
}

/// Runs a subcommand.
pub fn run(config: &Config, command: Command) -> Result<(), Failure> {
    match command {
        Command::Preview { kind, locale, html, actor } => {
            let now = super::system_clock()();
            let letter = letters(config)?.write(&Occasion::sample(&kind, &actor, now), locale);
            let letter = letter.map_err(|error| Failure::configuration(&error))?;
            match html {
                true => out::say(letter.html)?,
                false => out::say(format_args!("{}\n\n{}", letter.subject, letter.text))?,
            }
            Ok(())
        }
        Command::Test { to } => {
            let to = Email::parse(&to, "/to")?;
            let Some(mail) = channel(config)? else {
                return Err(Failure::configuration("no mail is sent: TWOFOLD_MAIL_URL is not set"));
            };
            converse(config, async |cx: &Cx| {
                let id = cx.random.id::<uuid::Uuid>(cx.now)?.to_string();
                let status = mail.test(&to, &id, cx.now).await.map_err(Failure::new)?;
                out::done(format_args!("the mail server has taken it ({status}); its id begins with {id}"));
                Ok(())
            })
        }
    }
}

/// The channel of mails, where there is a server for them.
///
/// # Errors
/// When a setting, a certificate or a template is wrong.
pub fn channel(config: &Config) -> Result<Option<Mail>, Failure> {
    let wrong = |error: String| Failure::configuration(&error);
    let (Some(url), Some(from)) = (&config.mail.url, &config.mail.from) else { return Ok(None) };
    let ca = config
        .mail
        .ca
        .as_ref()
        .map(|path| fs::read(path).map_err(|error| wrong(format!("TWOFOLD_MAIL_CA: {}: {error}", path.display()))));
    Mail::by(url, from, ca.transpose()?.as_deref(), letters(config)?).map(Some).map_err(wrong)
}

/// What writes mails.
///
/// # Errors
/// When a template is wrong.
pub fn letters(config: &Config) -> Result<Letters, Failure> {
    let policy = config.policy();
    let public_url = config.mail.public_url.as_deref().unwrap_or("https://security.example");
    let house = House {
        product: policy.product_name,
        public_url: public_url.trim_end_matches('/').to_owned(),
        support: policy.support,
        undo_for: policy.undo_for,
    };
    Letters::load(house, config.mail.templates.as_deref())
        .map_err(|error| Failure::configuration(&format!("mail templates: {error}")))
}
