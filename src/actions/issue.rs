//! Beginning and renewing sessions, and the tokens that go with them.

use super::Cx;
use crate::{
    crypto::{opaque::Opaque, token::Holder},
    domain::{
        account::Account,
        assurance::{Acr, Amr, Assurance},
        id::SessionId,
        refusal::Fault,
        session::Session,
    },
    store::{
        Tx,
        sessions::{self, Presented},
    },
};

/// The answer to whoever has authenticated: RFC 6749 §5.1. It has no `Debug` and is never stored.
pub struct Tokens {
    /// The access token.
    pub access_token: String,
    /// Seconds that it lives.
    pub expires_in: u32,
    /// The refresh token.
    pub refresh_token: String,
    /// The class that both stand for.
    pub acr: Acr,
    /// How it was reached.
    pub amr: Vec<Amr>,
}

/// What a transaction grants; [`tokens`] makes tokens of it once the transaction is committed.
pub struct Grant {
    session: Session,
    epoch: i64,
    scope: String,
    refresh: Opaque,
    is_for_setup: bool,
}

impl Grant {
    /// The session that it is for.
    pub fn session_id(&self) -> SessionId {
        self.session.id
    }

    /// Whether its tokens are good for setting two-factor authentication up alone.
    pub fn is_for_setup(&self) -> bool {
        self.is_for_setup
    }

    fn new(cx: &Cx, account: &Account, session: Session, refresh: Opaque) -> Self {
        let is_for_setup = cx.policy.must_set_up(account, cx.now);
        Self { session, epoch: account.epoch, scope: account.scope.clone(), refresh, is_for_setup }
    }
}

/// Begins a session.
///
/// # Errors
/// `unavailable`.
pub fn begin(tx: &mut Tx<'_>, cx: &Cx, account: &Account, assurance: Assurance) -> Result<Grant, Fault> {
    let expires_at = cx.in_seconds(cx.policy.session_max);
    let session = Session {
        id: cx.random.id(cx.now)?,
        account: account.id,
        created_at: cx.now,
        last_seen_at: cx.now,
        idle_until: cx.in_seconds(cx.policy.session_idle).min(expires_at),
        expires_at,
        ip: cx.origin.ip.to_string(),
        user_agent: cx.origin.user_agent.clone(),
        assurance,
        ended_at: None,
        is_portals: false,
    };
    let refresh = sessions::insert(tx, &session)?;
    Ok(Grant::new(cx, account, session, refresh))
}

/// Renews a session: a fresh pair of tokens, for what its owner has proved by now.
///
/// # Errors
/// `contended` when the session ended meanwhile.
pub fn renew(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &Account,
    session: Session,
    assurance: Assurance,
) -> Result<Grant, Fault> {
    renew_by(tx, cx, account, Session { assurance, ..session }, Presented::Current)
}

/// Renews a session as it is, for a refresh token that was presented.
///
/// # Errors
/// `contended` when the session ended meanwhile.
pub fn renew_by(
    tx: &mut Tx<'_>,
    cx: &Cx,
    account: &Account,
    mut session: Session,
    presented: Presented,
) -> Result<Grant, Fault> {
    session.idle_until = cx.in_seconds(cx.policy.session_idle).min(session.expires_at);
    let refresh = sessions::rotate(tx, &session, presented, cx.now)?;
    Ok(Grant::new(cx, account, session, refresh))
}

/// The tokens that go with a change whose transaction is committed; none where the portal's own issuer hands them out.
///
/// # Errors
/// `unavailable` when signing fails.
pub fn fresh_tokens(cx: &Cx, grant: Grant) -> Result<Option<Tokens>, Fault> {
    if grant.session.is_portals { Ok(None) } else { tokens(cx, grant).map(Some) }
}

/// The tokens of a sign-in whose transaction is committed.
///
/// # Errors
/// `unavailable` when signing fails.
pub fn tokens(cx: &Cx, grant: Grant) -> Result<Tokens, Fault> {
    let Grant { session, epoch, scope, refresh, is_for_setup } = grant;
    let Assurance { acr, amr, .. } = session.assurance.clone();
    let holder = Holder { account: session.account, session: session.id, epoch, assurance: session.assurance };
    let realm = if is_for_setup { &cx.realm.for_setup() } else { &cx.realm };
    let access_token = cx.keys.signer.sign(realm, &holder, &scope, cx.random.id(cx.now)?, cx.now)?;
    Ok(Tokens { access_token, expires_in: cx.realm.ttl, refresh_token: refresh.reveal(&cx.keys)?, acr, amr })
}
