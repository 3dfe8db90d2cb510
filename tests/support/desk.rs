//! The support desk: its agents, and what they ask for.

use super::{TestApp, person::Person, reply::Reply};
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use twofold::{
    actions::operator,
    crypto::password,
    domain::{account::Email, password::Password},
    store::accounts::NewAccount,
};

pub const ACCOUNTS: &str = "/support/accounts";
pub const RESET: &str = "2fa/reset";
pub const BYPASS: &str = "2fa/bypass-code";
pub const UNLOCK: &str = "unlock";

/// Somebody with the scope `support`, not signed in.
pub async fn colleague<'a>(app: &'a TestApp, name: &str) -> Person<'a> {
    let (address, text) = (format!("{name}@example.test"), format!("{name} has a long password"));
    let hash = password::hash_now(&Password::chosen(text.clone(), "").unwrap(), app.config.bcrypt_cost).unwrap();
    app.keep_out_of_sight(&text);
    let email = Email::parse(&address, "").unwrap();
    let new = NewAccount { scope: "support".into(), ..NewAccount::of(email, hash) };
    operator::add_account(&app.cx(), new).await.unwrap();
    Person::new(app, address, text)
}

/// An agent who has just proved a second factor.
pub async fn agent<'a>(app: &'a TestApp, name: &str) -> Person<'a> {
    colleague(app, name).await.with_two_factor().await
}

/// The id of a person's account, as a token of theirs names it.
pub fn account_of(person: &Person<'_>) -> String {
    let token = person.access.borrow();
    let claims = BASE64URL_NOPAD.decode(token.split('.').nth(1).unwrap().as_bytes()).unwrap();
    let claims: Value = serde_json::from_slice(&claims).unwrap();
    claims["sub"].as_str().unwrap().to_owned()
}

/// Why an agent acts.
pub fn cause() -> Value {
    json!({"reason": "the phone fell into the sea", "ticket": "T-7"})
}

/// The path of one of the calls about an account.
pub fn about(account: &str, call: &str) -> String {
    format!("{ACCOUNTS}/{account}/{call}")
}

/// An agent asks for something.
pub async fn ask(agent: &Person<'_>, account: &str, call: &str) -> Reply {
    agent.post(&about(account, call), &cause()).await
}

/// An agent issues a bypass code.
pub async fn bypass_code(agent: &Person<'_>, account: &str) -> String {
    let code = ask(agent, account, BYPASS).await.is(201).text("/code");
    agent.app.keep_out_of_sight(&code);
    code
}

/// An agent proves the second factor again, in the same session.
pub async fn step_up(agent: &Person<'_>) {
    agent.sign_in_again_if_needed().await;
    let verified = agent.verify(&agent.fresh_code()).await.is(200);
    agent.take_tokens(&verified, "");
}
