//! Trading a client's secret for an access token (RFC 6749 §4.4).

use crate::{
    actions::Cx,
    crypto::{client_secret::ClientSecret, client_token::ClientHolder},
    domain::{
        client::{ClientScopes, Denied},
        id::ClientId,
        refusal::Stop,
    },
    store::clients::{self, Known},
};

/// What a client sends.
#[derive(Clone, Debug)]
pub struct Asked {
    /// Who it says it is.
    pub client: ClientId,
    /// The proof.
    pub secret: ClientSecret,
    /// What the token is to be used for, as it was written; all that the client may do where nothing is said.
    pub scope: Option<String>,
}

/// A token was issued (RFC 6749 §5.1). It has no `Debug` and is never stored.
pub struct Granted {
    /// The token.
    pub access_token: String,
    /// Seconds that it lives.
    pub expires_in: u32,
    /// What it may be used for.
    pub scopes: ClientScopes,
}

/// Issues a token. An unknown client, a disabled one and a wrong secret are one answer, after the same work.
///
/// # Errors
/// `unavailable`; `unreadable` when the key of the client's hash is missing. The inner error is the standard's.
pub async fn issue(cx: &Cx, asked: Asked) -> Result<Result<Granted, Denied>, Stop> {
    let (now, secret) = (cx.now, asked.secret.clone());
    let known =
        cx.store.read("client-secret", move |db| Ok(clients::presented(db, asked.client, &secret, now)?)).await?;
    let Some(Known { client, outdated }) = known.filter(|known| !known.client.is_disabled()) else {
        return Ok(Err(Denied::InvalidClient));
    };
    if let Some(outdated) = outdated {
        let (id, secret) = (client.id, asked.secret);
        cx.store.write("rehash-client", move |tx| Ok(clients::rehash(tx, id, &secret, &outdated)?)).await?;
    }
    let scopes = match asked.scope.map(|scope| scope.parse::<ClientScopes>()) {
        None => client.scopes,
        Some(Ok(narrowed)) if client.scopes.hold_all(&narrowed) => narrowed,
        Some(_) => return Ok(Err(Denied::InvalidScope)),
    };
    let holder = ClientHolder { client: client.id, epoch: client.epoch, scopes };
    let access_token = cx.keys.signer.sign_client(&cx.realm, &holder, cx.random.id(cx.now)?, cx.now)?;
    Ok(Ok(Granted { access_token, expires_in: cx.realm.ttl, scopes: holder.scopes }))
}
