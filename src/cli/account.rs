//! `account`: adds accounts and sets passwords.

use super::{Failure, act};
use crate::{
    actions::operator,
    config::Config,
    crypto::password,
    domain::{
        account::{Email, Locale, Subject},
        password::Password,
    },
    store::accounts::NewAccount,
};
use clap::{Args, Subcommand};
use std::io::Read;

/// What to do with accounts.
#[derive(Subcommand)]
pub enum Command {
    /// Add an account.
    Add(Add),
    /// Set an account's password; its sessions end.
    SetPassword(SetPassword),
}

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

/// Runs a subcommand.
pub fn run(config: &Config, command: Command) -> Result<(), Failure> {
    let (email, json) = match &command {
        Command::Add(Add { email, json, .. }) | Command::SetPassword(SetPassword { email, json, .. }) => (email, *json),
    };
    let email = Email::parse(email, "/email")?;
    let hash = password::hash_now(&password_from_stdin()?, config.bcrypt_cost)?;
    let (id, done) = match command {
        Command::Add(Add { locale, scope, subject, .. }) => {
            let subject = subject.map(|subject| Subject::parse(&subject, "/subject")).transpose()?;
            let scope = scope.unwrap_or_default();
            let new = NewAccount { email, password_hash: hash, locale, scope, subject };
            (act(config, async move |cx: &_| operator::add_account(cx, new).await)?, "added")
        }
        Command::SetPassword(_) => {
            let set = async move |cx: &_| operator::set_password(cx, email, hash).await;
            (act(config, set)?, "has a new password")
        }
    };
    if json {
        println!("{}", serde_json::json!({ "id": id }));
    } else {
        println!("account {id} {done}");
    }
    Ok(())
}

fn password_from_stdin() -> Result<Password, Failure> {
    let mut text = String::new();
    std::io::stdin().read_to_string(&mut text)?;
    let password = text.strip_suffix('\n').map(|text| text.strip_suffix('\r').unwrap_or(text)).unwrap_or(&text);
    Ok(Password::chosen(password.to_owned(), "/password")?)
}
