//! Partners: their clients, their tokens, and what they ask for.

use super::{TestApp, reply::Reply};
use data_encoding::BASE64;
use serde_json::Value;
use std::cell::RefCell;
use twofold::{
    actions::operator::{
        Whom,
        clients::{self, NewClient},
    },
    domain::{
        account::Email,
        client::{ClientName, ClientScopes},
        id::ClientId,
    },
};

pub const PARTNERS: &str = "/account/security/partners";
pub const TOKEN: &str = "/oauth/token";
pub const ALL_SCOPES: &str = "2fa:read 2fa:verify events:read webhooks:manage accounts:provision";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Where a partner looks at an account.
pub fn status_of(account: &str) -> String {
    format!("/partner/accounts/{account}/2fa")
}

/// Where a partner has a code of an account judged.
pub fn verify_of(account: &str) -> String {
    format!("{}/verify", status_of(account))
}

/// One partner's program.
pub struct Partner<'a> {
    pub app: &'a TestApp,
    pub id: String,
    pub secret: RefCell<String>,
    pub access: RefCell<String>,
}

/// A partner whose client sees the accounts that it is let see, without a token yet.
pub async fn newcomer<'a>(app: &'a TestApp, name: &str, scopes: &str, sees_all: bool) -> Partner<'a> {
    let name = ClientName::parse(name, "").unwrap();
    let new = NewClient { name, scopes: scopes.parse::<ClientScopes>().unwrap(), sees_all, contact: None };
    let (id, secret) = clients::add(&app.cx(), new).await.unwrap();
    app.keep_out_of_sight(secret.reveal());
    let secret = RefCell::new(secret.reveal().to_owned());
    Partner { app, id: id.to_string(), secret, access: RefCell::default() }
}

/// A partner with a token for everything, whose client sees the accounts that it is let see.
pub async fn partner<'a>(app: &'a TestApp, name: &str) -> Partner<'a> {
    let partner = newcomer(app, name, ALL_SCOPES, false).await;
    partner.take_token("").await;
    partner
}

/// Sends a form to the endpoint of tokens.
pub async fn send_form(app: &TestApp, headers: &[(&str, &str)], form: &str) -> Reply {
    let headers: Vec<_> = headers.iter().copied().chain([FORM]).collect();
    app.send_raw("POST", TOKEN, &headers, form.as_bytes().to_vec()).await
}

/// A header of HTTP Basic.
pub fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", BASE64.encode(format!("{id}:{secret}").as_bytes()))
}

impl Partner<'_> {
    /// Its client.
    pub fn client(&self) -> ClientId {
        self.id.parse().unwrap()
    }

    /// Asks for a token with a scope, or with none.
    pub async fn ask_token(&self, scope: &str) -> Reply {
        let header = basic(&self.id, &self.secret.borrow());
        let scope = scope.replace(' ', "+");
        send_form(self.app, &[("Authorization", &header)], &format!("grant_type=client_credentials&scope={scope}"))
            .await
    }

    /// Takes a token into use.
    pub async fn take_token(&self, scope: &str) {
        *self.access.borrow_mut() = self.ask_token(scope).await.is(200).text("/access_token");
    }

    /// A request with the partner's token.
    pub async fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&Value>) -> Reply {
        let bearer = format!("Bearer {}", self.access.borrow());
        let headers: Vec<_> = [("Authorization", bearer.as_str())].into_iter().chain(headers.iter().copied()).collect();
        self.app.send(method, path, &headers, body).await
    }

    pub async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    pub async fn post(&self, path: &str, body: &Value) -> Reply {
        self.send("POST", path, &[], Some(body)).await
    }

    /// The operator lets its client see somebody's account.
    pub async fn is_allowed(&self, email: &str) {
        let whom = Whom::Email(Email::parse(email, "").unwrap());
        clients::allow(&self.app.cx(), whom, self.client()).await.unwrap().unwrap();
    }

    /// The operator lets its client see somebody's account no more.
    pub async fn is_refused(&self, email: &str) {
        let whom = Whom::Email(Email::parse(email, "").unwrap());
        clients::refuse(&self.app.cx(), whom, self.client()).await.unwrap().unwrap();
    }

    /// The operator gives its client another secret.
    pub async fn rotate(&self, overlap: u32) {
        let secret = clients::rotate(&self.app.cx(), self.client(), overlap).await.unwrap().unwrap();
        self.app.keep_out_of_sight(secret.reveal());
        *self.secret.borrow_mut() = secret.reveal().to_owned();
    }
}
