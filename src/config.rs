//! Every setting, once: its name, its meaning, its default. A TOML file lies under the environment, and
//! unknown keys in the file are refused.

mod database;
mod doubts;
mod filled;
mod limits;
mod log_format;
mod mail;
mod otlp;
mod policy;
mod portal;
pub mod shown;
mod sms;
mod support;
mod webauthn;
mod webhooks;

use crate::domain::{passkey::Site, sent_code::LONGEST_LIFE};
use confique::Config as _;
use filled::filled;
use ipnet::IpNet;
use limits::LimitsConfig;
pub use log_format::LogFormat;
pub use mail::MailConfig;
pub use otlp::OtlpConfig;
pub use policy::PolicyConfig;
pub use portal::PortalConfig;
pub use sms::{SmsConfig, SmsGateway};
use std::{
    env, fs,
    net::SocketAddr,
    path::{Path, PathBuf},
    str::FromStr,
};
pub use support::SupportConfig;
pub use webauthn::WebauthnConfig;
pub use webhooks::WebhooksConfig;

/// A wrong configuration, in one sentence.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub struct Misconfigured(pub String);

/// The settings of an installation. Durations are in seconds.
#[derive(Clone, confique::Config)]
#[config(layer_attr(serde(deny_unknown_fields)))]
pub struct Config {
    /// The address that front-ends reach.
    #[config(env = "TWOFOLD_LISTEN", default = "127.0.0.1:8080")]
    pub listen: SocketAddr,

    /// The address of the probes; keep it away from customers.
    #[config(env = "TWOFOLD_OPS_LISTEN", default = "127.0.0.1:9090")]
    pub ops_listen: SocketAddr,

    /// `sqlite://path/to.db` or `postgres://user:password@host/database`. `TWOFOLD_DATABASE_URL_FILE`
    /// names a file that holds it.
    #[config(env = "TWOFOLD_DATABASE_URL", default = "sqlite://twofold.db")]
    pub database_url: String,

    /// Where `migrate` finds the same database: as the role that owns the schema, and past a pooler. Without it,
    /// `database_url`. `TWOFOLD_DATABASE_MIGRATION_URL_FILE` names a file that holds it.
    #[config(env = "TWOFOLD_DATABASE_MIGRATION_URL", parse_env = filled)]
    pub database_migration_url: Option<String>,

    /// At most so many connections to PostgreSQL.
    #[config(env = "TWOFOLD_DATABASE_POOL", default = 8)]
    pub database_pool: u32,

    /// Whether connections to PostgreSQL keep statements prepared. Not through PgBouncer in transaction mode, unless it
    /// is 1.21 or later and its `max_prepared_statements` is above 0.
    #[config(env = "TWOFOLD_DATABASE_PREPARED", default = true)]
    pub database_prepared: bool,

    /// The key file, made by `twofold keys generate`; its mode must be 0600, or 0640 at most where it is root's and the
    /// service is not.
    #[config(env = "TWOFOLD_KEYS", parse_env = filled)]
    pub keys: Option<PathBuf>,

    /// `iss` of access tokens.
    #[config(env = "TWOFOLD_ISSUER", default = "twofold")]
    pub issuer: String,

    /// `aud` of access tokens.
    #[config(env = "TWOFOLD_AUDIENCE", default = "account-security")]
    pub audience: String,

    /// The issuer that authenticator apps show.
    #[config(env = "TWOFOLD_PRODUCT_NAME", default = "Customer Portal")]
    pub product_name: String,

    /// Networks whose `X-Forwarded-For` is believed, in CIDR notation, separated by commas in the environment.
    #[config(env = "TWOFOLD_TRUSTED_PROXIES", parse_env = list, default = [])]
    pub trusted_proxies: Vec<IpNet>,

    /// Origins whose pages may call from a browser, separated by commas in the environment.
    #[config(env = "TWOFOLD_CORS_ORIGINS", parse_env = list, default = [])]
    pub cors_origins: Vec<String>,

    /// Shows the API in Swagger UI, at `/docs`.
    #[config(env = "TWOFOLD_DOCS", default = false)]
    pub docs: bool,

    /// The cost of password hashes, 4 to 14; below 10 only with `insecure`.
    #[config(env = "TWOFOLD_BCRYPT_COST", default = 12)]
    pub bcrypt_cost: u32,

    /// Allows what is only fit for tests.
    #[config(env = "TWOFOLD_INSECURE", default = false)]
    pub insecure: bool,

    /// Password computations that may wait, for callers with and without a token each.
    #[config(env = "TWOFOLD_PASSWORD_QUEUE", default = 64)]
    pub password_queue: usize,

    /// How long a password computation may wait.
    #[config(env = "TWOFOLD_PASSWORD_PATIENCE", default = 10)]
    pub password_patience: u32,

    /// Threads that serve requests; 0 means one a core.
    #[config(env = "TWOFOLD_WORKERS", default = 0)]
    pub workers: usize,

    /// How old a proof of the second factor may be for a change.
    #[config(env = "TWOFOLD_STEP_UP_MAX_AGE", default = 43200)]
    pub step_up_max_age: u32,

    /// How old an agent's proof of the second factor may be for support to act.
    #[config(env = "TWOFOLD_SUPPORT_MAX_AGE", default = 900)]
    pub support_max_age: u32,

    /// Life of a bypass code.
    #[config(env = "TWOFOLD_BYPASS_CODE_TTL", default = 600)]
    pub bypass_code_ttl: u32,

    /// Life of a code that is sent by mail or SMS, 60 to 600.
    #[config(env = "TWOFOLD_SENT_CODE_TTL", default = 600)]
    pub sent_code_ttl: u32,

    /// Steps of 30 s that a code may be early or late.
    #[config(env = "TWOFOLD_TOTP_WINDOW", default = 1)]
    pub totp_window: u32,

    /// Requests of one network on `/auth/*` a minute; 0 switches the limit off.
    #[config(env = "TWOFOLD_AUTH_PER_MINUTE", default = 30)]
    pub auth_per_minute: u32,

    /// Requests of one network on `/auth/*` at once.
    #[config(env = "TWOFOLD_AUTH_BURST", default = 60)]
    pub auth_burst: u32,

    /// Life of an access token.
    #[config(env = "TWOFOLD_ACCESS_TOKEN_TTL", default = 600)]
    pub access_token_ttl: u32,

    /// Life of a refresh token that is not used.
    #[config(env = "TWOFOLD_SESSION_IDLE", default = 604800)]
    pub session_idle: u32,

    /// Life of a session.
    #[config(env = "TWOFOLD_SESSION_MAX", default = 2592000)]
    pub session_max: u32,

    /// Life of a sign-in challenge.
    #[config(env = "TWOFOLD_CHALLENGE_TTL", default = 300)]
    pub challenge_ttl: u32,

    /// Life of an unconfirmed enrolment.
    #[config(env = "TWOFOLD_ENROLLMENT_TTL", default = 600)]
    pub enrollment_ttl: u32,

    /// When, after a disable, the owner is reminded.
    #[config(env = "TWOFOLD_REMINDER_AFTER", default = 604800)]
    pub reminder_after: u32,

    /// How long after that the owner is reminded once more; 0 means never.
    #[config(env = "TWOFOLD_REMINDER_AGAIN", default = 2592000)]
    pub reminder_again: u32,

    /// For how long a disable can be taken back by the link in the mail about it, 30 days at most; 0 switches that off,
    /// and the secrets of a disabled authenticator are wiped at once.
    #[config(env = "TWOFOLD_UNDO_FOR", default = 259200)]
    pub undo_for: u32,

    /// For how long, after a disable, a reset, an undo, or the use of a recovery or bypass code, partners are asked to
    /// hold back what cannot be undone; 0 switches the hold off.
    #[config(env = "TWOFOLD_RESTRICTED_FOR", default = 86400)]
    pub restricted_for: u32,

    /// Days that events are kept, 31 or more; 0 means for ever.
    #[config(env = "TWOFOLD_EVENTS_KEPT_DAYS", default = 400)]
    pub events_kept_days: u32,

    /// What is logged, in the syntax of env_logger.
    #[config(env = "TWOFOLD_LOG", default = "info")]
    pub log: String,

    /// `json` or `text`.
    #[config(env = "TWOFOLD_LOG_FORMAT", default = "json")]
    pub log_format: LogFormat,

    /// Whether customers sign in here, with `/auth/*` and the page; where the portal does that, its issuer is named.
    #[config(env = "TWOFOLD_SIGN_IN", default = true)]
    pub sign_in: bool,

    /// What owners may and must do about their second factors.
    #[config(nested)]
    pub policy: PolicyConfig,

    /// The portal's own identity provider.
    #[config(nested)]
    pub portal: PortalConfig,

    /// Whom a locked-out owner turns to.
    #[config(nested)]
    pub support: SupportConfig,

    /// Where traces of requests go.
    #[config(nested)]
    pub otlp: OtlpConfig,

    /// Webhooks of partners.
    #[config(nested)]
    pub webhooks: WebhooksConfig,
    /// Mail to account owners about what happens to their accounts.
    #[config(nested)]
    pub mail: MailConfig,

    /// Codes by SMS, which are off unless a gateway is named.
    #[config(nested)]
    pub sms: SmsConfig,

    /// Passkeys and security keys.
    #[config(nested)]
    pub webauthn: WebauthnConfig,

    /// The budgets of guesses; 0 in a rule switches it off.
    #[config(nested)]
    pub limits: LimitsConfig,
}

impl Config {
    /// Reads the environment and, under it, the file.
    ///
    /// # Errors
    /// When a value or the file is wrong.
    pub fn load(file: Option<&Path>) -> Result<Self, Misconfigured> {
        let mut builder = Self::builder().env();
        let mut secrets = <<Self as confique::Config>::Layer as confique::Layer>::empty();
        secrets.database_url = secret_from_file("TWOFOLD_DATABASE_URL_FILE")?;
        secrets.database_migration_url = secret_from_file("TWOFOLD_DATABASE_MIGRATION_URL_FILE")?;
        secrets.mail.url = secret_from_file("TWOFOLD_MAIL_URL_FILE")?;
        secrets.sms.password = secret_from_file("TWOFOLD_SMS_PASSWORD_FILE")?;
        builder = builder.preloaded(secrets);
        if let Some(path) = file {
            if !path.is_file() {
                return Err(Misconfigured(format!("there is no configuration file {}", path.display())));
            }
            builder = builder.file(path);
        }
        let config = builder.load().map_err(|error| Misconfigured(one_line(&error)))?;
        config.check()?;
        Ok(config)
    }

    /// The defaults alone.
    ///
    /// # Errors
    /// Never, unless a default is wrong.
    pub fn defaults() -> Result<Self, Misconfigured> {
        Self::builder().load().map_err(|error| Misconfigured(one_line(&error)))
    }

    /// Every setting with its meaning and default, as a TOML file to begin with.
    pub fn template() -> String {
        confique::toml::template::<Self>(confique::toml::FormatOptions::default())
    }

    /// Whom passkeys are made for; `None` where there are none.
    ///
    /// # Errors
    /// When the domain, an origin or an app is wrong.
    pub fn passkeys(&self) -> Result<Option<Site>, Misconfigured> {
        self.webauthn.site(&self.product_name)
    }

    /// Threads for requests and for passwords: as many as were asked for, or one a core.
    pub fn threads(&self) -> usize {
        match self.workers {
            0 => std::thread::available_parallelism().map_or(1, usize::from),
            workers => workers,
        }
    }

    fn check(&self) -> Result<(), Misconfigured> {
        let refuse = |text: &str| Err(Misconfigured(text.to_owned()));
        self.migration_location()?;
        match self.bcrypt_cost {
            4..=9 if !self.insecure => {
                return refuse("TWOFOLD_BCRYPT_COST below 10 is for tests; raise it, or set TWOFOLD_INSECURE=1");
            }
            4..=14 => {}
            _ => return refuse("TWOFOLD_BCRYPT_COST must be 4 to 14"),
        }
        // Codes that are sent say for how many minutes they are good, and live no longer than NIST SP 800-63B allows.
        if !(60..=LONGEST_LIFE).contains(&self.sent_code_ttl) {
            return refuse("TWOFOLD_SENT_CODE_TTL must be 60 to 600");
        }
        if self.totp_window > 10 {
            return refuse("TWOFOLD_TOTP_WINDOW must be 0 to 10 steps");
        }
        if (1..=30).contains(&self.events_kept_days) {
            return refuse("TWOFOLD_EVENTS_KEPT_DAYS must be 31 or more, or 0 for ever");
        }
        // The rows of removed methods stay as long as the events that name them, 31 days at least.
        if self.undo_for > 30 * 24 * 3600 {
            return refuse("TWOFOLD_UNDO_FOR must be 2592000 (30 days) at most");
        }
        let lives = [
            self.access_token_ttl,
            self.session_idle,
            self.session_max,
            self.challenge_ttl,
            self.enrollment_ttl,
            self.bypass_code_ttl,
        ];
        if lives.contains(&0) || self.database_pool == 0 || self.password_queue == 0 {
            return refuse("lifetimes, TWOFOLD_DATABASE_POOL and TWOFOLD_PASSWORD_QUEUE must be above 0");
        }
        self.limits.check()?;
        if self.kinds().is_empty() {
            return refuse("TWOFOLD_METHODS must name a kind of method that is configured: nothing could be set up");
        }
        self.otlp.check()?;
        self.mail.check(self.insecure)?;
        self.sms.check(self.insecure)?;
        self.passkeys()?;
        self.portal.check(&self.issuer, self.insecure)?;
        if !self.sign_in && self.portal.issuer.is_none() {
            return refuse("TWOFOLD_SIGN_IN=false needs TWOFOLD_PORTAL_ISSUER: nobody could sign in");
        }
        match self.cors_origins.iter().find(|origin| origin.as_str() == "*" || !origin.contains("://")) {
            Some(origin) => {
                refuse(&format!("TWOFOLD_CORS_ORIGINS names whole origins like https://portal.example, not {origin:?}"))
            }
            None => Ok(()),
        }
    }
}

/// A list of the environment; one that is empty names nothing.
fn list<T: FromStr>(text: &str) -> Result<Vec<T>, T::Err> {
    text.split(',').map(str::trim).filter(|item| !item.is_empty()).map(str::parse).collect()
}

#[expect(clippy::disallowed_methods, reason = "this is where settings enter")]
fn secret_from_file(name: &str) -> Result<Option<String>, Misconfigured> {
    let Some(path) = env::var_os(name).filter(|path| !path.is_empty()) else { return Ok(None) };
    let text = fs::read_to_string(&path)
        .map_err(|error| Misconfigured(format!("cannot read the file that {name} names: {error}")))?;
    Ok(Some(text.trim_end_matches(['\r', '\n']).to_owned()))
}

/// The library explains itself over several lines.
fn one_line(error: &confique::Error) -> String {
    format!("{error:#}").split_whitespace().collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests;
