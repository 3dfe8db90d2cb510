//! Those who are in a sandbox from the start, and the webhook of the partner among them.

use crate::{
    actions::Cx,
    cli::{Failure, demo},
    crypto::{client_secret::ClientSecret, password},
    domain::{
        account::Email,
        client::{Client, ClientName},
        event::{Event, EventKind},
        password::Password,
        refusal::Refusal,
        webhook::{Kinds, Webhook, WebhookUrl},
    },
    http::sandbox::known::{CLIENT, HOOK, PASSWORD, PEOPLE, Person},
    store::{
        Tx,
        accounts::NewAccount,
        arrivals::{self, Arrival},
        clients, recovery_codes, webhooks,
    },
};
use std::net::SocketAddr;

/// Adds them to an empty database; the sandbox itself is at this address.
pub async fn add(cx: &Cx, sandbox: SocketAddr) -> Result<(), Failure> {
    let hash = password::hash_now(&Password::chosen(PASSWORD.to_owned(), "/password")?, demo::COST)?;
    let arrivals = PEOPLE.iter().map(|person| arrival(person, &hash)).collect::<Result<Vec<_>, _>>()?;
    let (client, webhook, adding) = (client(cx)?, webhook(cx, sandbox)?, cx.clone());
    let add = move |tx: &mut Tx<'_>| {
        arrivals::insert(tx, &arrivals, &adding.origin, adding.now)?;
        for person in &PEOPLE {
            recovery_codes::insert(tx, person.id(), &person.recovery_codes(), adding.now)?;
        }
        clients::insert(tx, &client, &ClientSecret::presented(CLIENT.secret.to_owned()))?;
        Ok(webhooks::insert(tx, &webhook, &HOOK.secret())?)
    };
    Ok(cx.store.write("sandbox", add).await?)
}

fn arrival(person: &Person, hash: &str) -> Result<Arrival, Refusal> {
    let new = NewAccount {
        locale: person.locale,
        scope: person.scope.to_owned(),
        ..NewAccount::of(Email::parse(&person.email(), "/email")?, hash.to_owned())
    };
    let authenticator = person.authenticator();
    let event = Event::of_system(EventKind::AccountImported)
        .with("source", "sandbox")
        .with("two_factor", authenticator.is_some());
    Ok(Arrival { id: person.id(), new, authenticator, is_suspended: false, is_required: false, event })
}

fn client(cx: &Cx) -> Result<Client, Failure> {
    Ok(Client {
        id: CLIENT.id,
        name: ClientName::parse(CLIENT.name, "/name")?,
        scopes: CLIENT.scope.parse().map_err(|error: String| Failure::new(error))?,
        sees_all: true,
        contact: None,
        created_at: cx.now,
        disabled_at: None,
        epoch: 0,
    })
}

fn webhook(cx: &Cx, sandbox: SocketAddr) -> Result<Webhook, Refusal> {
    Ok(Webhook {
        id: HOOK.id,
        client: CLIENT.id,
        url: WebhookUrl::parse(&HOOK.url(sandbox), cx.egress, "/url")?,
        kinds: Kinds::ALL,
        description: None,
        created_at: cx.now,
        disabled: None,
        failing_since: None,
        previous_until: None,
    })
}
