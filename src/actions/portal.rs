//! Who holds a token of the portal's own issuer: its account is found by the subject, and its session is one of
//! ours, begun when the first token of it comes. From there on it is a token like ours.

use super::{Cx, requirement};
use crate::{
    crypto::{
        issuer::{Issuer, Statement},
        keyring::Purpose,
        token::Holder,
    },
    domain::{
        account::Account,
        assurance::Assurance,
        id::SessionId,
        refusal::{Refusal, Stop},
        session::Session,
    },
    store::{Db, accounts, sessions},
};
use jiff::SignedDuration;
use std::sync::Arc;
use uuid::Builder;

/// The holder of a token of the portal's.
///
/// # Errors
/// `invalid-token` when the token is not good, nobody has its subject, it was issued before the account's last change
/// that ends older tokens, or its session was ended; `unavailable` when the keys of the issuer are not known.
pub async fn holder(cx: &Cx, issuer: &Issuer, token: &str) -> Result<Holder, Stop> {
    let stated = issuer.check(token, cx.now).await?.ok_or(Refusal::InvalidToken)?;
    let session = session_id(cx, issuer, &stated, token);
    let stated = Arc::new(stated);
    let read = stated.clone();
    let (account, known) = cx.store.read("portal-holder", move |db| find(db, &read, session)).await?;
    let session = match known.filter(|known| known.idle_until >= stated.expires_at) {
        Some(known) => known,
        None => begin(cx, account.clone(), session, stated.clone()).await?,
    };
    if !session.is_alive(cx.now) || session.account != account.id {
        return Err(Refusal::InvalidToken.into());
    }
    let assurance = match account.subject_unproven_since {
        Some(_) => session.assurance,
        None => stronger(&stated.assurance, session.assurance),
    };
    Ok(Holder { account: account.id, session: session.id, epoch: account.epoch, assurance })
}

fn find(db: &mut Db<'_>, stated: &Statement, session: SessionId) -> Result<(Account, Option<Session>), Stop> {
    let account = accounts::by_subject(db, &stated.subject)?.ok_or(Refusal::InvalidToken)?;
    if stated.issued_at <= account.tokens_valid_after {
        return Err(Refusal::InvalidToken.into());
    }
    Ok((account, sessions::find(db, session)?))
}

/// Begins the session of a token, or lets it live as long as this later token of it.
async fn begin(cx: &Cx, account: Account, id: SessionId, stated: Arc<Statement>) -> Result<Session, Stop> {
    let begun = cx.clone();
    cx.store
        .write("portal-session", move |tx| {
            // Held, so that two first requests of one session begin it once.
            if let Some(mut account) = accounts::lock(tx, account.id)? {
                requirement::meet(tx, &begun, &mut account)?;
            }
            let idle_until = stated.expires_at;
            let life = SignedDuration::from_secs(begun.policy.session_max.into());
            // Longer than its tokens: a change that comes between two of them ends it all the same.
            let expires_at = idle_until.checked_add(life).unwrap_or(idle_until);
            if let Some(known) = sessions::find(tx, id)? {
                let prolonged = Session { last_seen_at: begun.now, idle_until, expires_at, ..known };
                sessions::prolong(tx, &prolonged)?;
                return Ok(prolonged);
            }
            let session = Session {
                id,
                account: account.id,
                created_at: begun.now,
                last_seen_at: begun.now,
                idle_until,
                expires_at,
                ip: begun.origin.ip.to_string(),
                user_agent: begun.origin.user_agent.clone(),
                // What the issuer vouches for counts as long as the token that says so.
                assurance: Assurance::password(begun.now),
                ended_at: None,
                is_portals: true,
            };
            // It has a refresh token as every session has; nobody ever sees it.
            sessions::insert(tx, &session)?;
            Ok(session)
        })
        .await
}

/// The id of the session that a token is of. Where the issuer names none, each token is a session of its own.
fn session_id(cx: &Cx, issuer: &Issuer, stated: &Statement, token: &str) -> SessionId {
    let (kind, name) = match &stated.session {
        Some(session) => ("sid", session.as_str()),
        None => ("token", token),
    };
    let parts = [issuer.name(), stated.subject.as_str(), kind, name].map(str::as_bytes);
    let mut bytes = [0; 16];
    bytes.iter_mut().zip(cx.keys.name(Purpose::PortalSession, &parts)).for_each(|(byte, named)| *byte = named);
    SessionId(Builder::from_custom_bytes(bytes).into_uuid())
}

/// What the issuer vouches for, or what was proved to us in this session: the class that is higher, then the proof
/// that is younger.
fn stronger(stated: &Assurance, proved: Assurance) -> Assurance {
    if (proved.acr, proved.auth_time) > (stated.acr, stated.auth_time) { proved } else { stated.clone() }
}
