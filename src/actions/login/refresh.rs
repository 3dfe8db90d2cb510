//! Trading a refresh token for a fresh pair (RFC 6749 §6, with rotation as RFC 9700 §4.14.2 wants it).

use crate::{
    actions::{
        Cx,
        issue::{self, Grant, Tokens},
        requirement,
    },
    crypto::opaque::{Opaque, OpaqueKind},
    domain::{
        assurance::Assurance,
        event::{Event, EventKind},
        refusal::{Refusal, Stop},
    },
    store::{
        Tx, accounts,
        sessions::{self, Presented},
    },
};

/// Renews a session. What its owner has proved stays as it was: a refresh never raises `acr`, and a token
/// from before the last proof is worth no more than the password.
///
/// # Errors
/// `invalid-token`; the reuse of a token that was replaced ends the session.
pub async fn refresh(cx: &Cx, refresh_token: &str) -> Result<Tokens, Stop> {
    let token = Opaque::read(&cx.keys, OpaqueKind::Refresh, refresh_token).ok_or(Refusal::InvalidToken)?;
    let renewing = cx.clone();
    let grant = cx.store.write("refresh", move |tx| renew(tx, &renewing, &token)).await?;
    Ok(issue::tokens(cx, grant)?)
}

fn renew(tx: &mut Tx<'_>, cx: &Cx, token: &Opaque) -> Result<Grant, Stop> {
    let found = sessions::find(tx, token.id.into())?.ok_or(Refusal::InvalidToken)?;
    let mut account = accounts::lock(tx, found.account)?.ok_or(Refusal::InvalidToken)?;
    let (mut session, presented) = sessions::find_presented(tx, token, cx.now)?.ok_or(Refusal::InvalidToken)?;
    if !session.is_alive(cx.now) || account.is_suspended() {
        return Err(Refusal::InvalidToken.into());
    }
    // Times of one write are the same: the write that replaced this token was the one that made the proof.
    let is_older_than_proof = session.assurance.auth_time >= session.last_seen_at;
    if presented == Presented::Predecessor && is_older_than_proof {
        session.assurance = Assurance::password(session.created_at);
    }
    match presented {
        Presented::Current | Presented::Predecessor => {
            requirement::meet(tx, cx, &mut account)?;
            Ok(issue::renew_by(tx, cx, &account, session, presented)?)
        }
        Presented::Displaced => Err(Refusal::InvalidToken.into()),
        Presented::Reused => {
            sessions::end(tx, session.id, cx.now)?;
            let event = Event::of_owner(EventKind::SessionRevoked, Some(session.id))
                .with("reason", "refresh-token-reused")
                .with("sessions", 1);
            accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
            Err(Refusal::InvalidToken.into())
        }
    }
}
