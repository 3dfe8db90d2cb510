//! `account add` and `account set-password`.

use super::tell;
use crate::{
    actions::operator,
    cli::{Failure, act},
    config::Config,
    crypto::password,
    domain::{
        account::{Email, Locale, Subject},
        password::Password,
    },
    store::accounts::NewAccount,
};
use clap::Args;
use serde_json::json;
use std::io::Read;

/// A new account.
#[derive(Args)]
pub struct Add {
    /// The address that it signs in with.
    #[arg(long)]
    email: String,
    /// Read its password from standard input; one newline at the end is dropped.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// The language that its owner reads: en, ms or zh-Hans.
    #[arg(long, default_value = "en")]
    locale: Locale,
    /// A scope that its tokens carry, such as `support`.
    #[arg(long, value_parser = ["support"])]
    scope: Option<String>,
    /// Its name at the portal's own identity provider: `sub` of its tokens.
    #[arg(long)]
    subject: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// A new password for an account.
#[derive(Args)]
pub struct SetPassword {
    /// The account's address.
    #[arg(long)]
    email: String,
    /// Read the password from standard input; one newline at the end is dropped.
    #[arg(long, required = true)]
    password_stdin: bool,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Adds an account.
pub fn add(config: &Config, add: Add) -> Result<(), Failure> {
    let email = Email::parse(&add.email, "/email")?;
    let password_hash = password::hash_now(&password_from_stdin()?, config.bcrypt_cost)?;
    let subject = add.subject.map(|subject| Subject::parse(&subject, "/subject")).transpose()?;
    let scope = add.scope.unwrap_or_default();
    let new = NewAccount { email, password_hash, locale: add.locale, scope, subject };
    let id = act(config, async move |cx: &_| operator::add_account(cx, new).await)?;
    tell(add.json, &json!({ "id": id }), &format!("account {id} added"));
    Ok(())
}

/// Sets an account's password.
pub fn set_password(config: &Config, set: SetPassword) -> Result<(), Failure> {
    let email = Email::parse(&set.email, "/email")?;
    let hash = password::hash_now(&password_from_stdin()?, config.bcrypt_cost)?;
    let id = act(config, async move |cx: &_| operator::set_password(cx, email, hash).await)?;
    tell(set.json, &json!({ "id": id }), &format!("account {id} has a new password"));
    Ok(())
}

fn password_from_stdin() -> Result<Password, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let password = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).unwrap_or(&text);
    Ok(Password::chosen(password.to_owned(), "/password")?)
}
