//! The crowd: persons made by the house's own code, so that every row is one that the service would have
//! written. Their ids are computed from their number, which lets SQL make more of the same kind.

use super::{
    Outcome,
    house::{now, request},
};
use futures_util::{StreamExt, TryStreamExt, stream};
use std::sync::Arc;
use twofold::{
    actions::{
        Cx, Rooms, audit,
        issue::{self, Grant},
    },
    crypto::{opaque::Opaque, password},
    domain::{
        account::Email,
        assurance::{Assurance, Factor},
        event::{Event, EventKind},
        id::{AccountId, ChallengeId, MethodId},
        method::{Kind, Method, State},
        password::Password,
        refusal::{Fault, Stop},
        session::Challenge,
        totp::{Step, TotpSecret},
    },
    http::server::runtime,
    store::{
        Tx,
        accounts::{self, NewAccount},
        challenges,
        factors::{self, Assured, First},
        known_addresses, methods, recovery_codes, totp,
    },
};
use uuid::Uuid;

/// Everybody's password.
pub const PASSWORD: &str = "correct horse battery";
/// The cost that the service makes hashes with.
pub const COST: u32 = 12;
/// Persons in one transaction.
const BATCH: usize = 200;
/// Transactions at once: PostgreSQL takes several, SQLite one after another.
const LANES: usize = 4;

/// Somebody with two-factor authentication, a session, and a challenge to answer.
pub struct Person {
    /// The name to sign in with.
    pub email: String,
    /// A token that vouches for both factors.
    pub access: String,
    /// The refresh token of the same session.
    pub refresh: String,
    /// A challenge that waits for its code.
    pub challenge: String,
    /// What the authenticator of this person knows.
    pub secret: TotpSecret,
    last: Step,
}

impl Person {
    /// The code of now, where this person has not answered with it yet.
    pub fn code(&mut self) -> Option<String> {
        let step = Step::at(now());
        (step > self.last).then(|| {
            self.last = step;
            self.secret.code(step)
        })
    }
}

/// What a number becomes in every id that is made from it.
pub fn hex(number: u64) -> String {
    format!("{number:012x}")
}

/// The id of one thing of one person: `kind` tells which thing.
pub fn id(kind: u8, number: u64) -> Uuid {
    Uuid::from_u128((0x0193_0000_0000_7000_8000_u128 << 48) | (u128::from(kind) << 96) | u128::from(number))
}

/// How somebody is seeded.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Sort {
    /// An account with a password alone, and nothing that ever happened.
    Plain,
    /// With an authenticator, recovery codes, a session and a challenge.
    Secured,
    /// Secured, with so many events.
    Busy(i64),
}

/// What one transaction makes of one person; the tokens are signed after the commit.
struct Draft {
    email: String,
    secret: TotpSecret,
    grant: Option<Grant>,
    challenge: Option<Opaque>,
}

/// The bcrypt hash that everybody shares.
pub fn shared_hash() -> Outcome<String> {
    let password = Password::chosen(PASSWORD.to_owned(), "").map_err(|refusal| format!("{refusal:?}"))?;
    Ok(password::hash_now(&password, COST).map_err(|fault| format!("{fault:?}"))?)
}

/// Makes the persons with these numbers.
pub fn crowd(rooms: &Arc<Rooms>, hash: &str, sort: Sort, numbers: &[u64]) -> Outcome<Vec<Person>> {
    let batches = stream::iter(numbers.chunks(BATCH).map(|batch| persons(rooms, hash, sort, batch.to_vec())));
    let crowds: Vec<Vec<Person>> = runtime::System::new().block_on(batches.buffered(LANES).try_collect())?;
    Ok(crowds.into_iter().flatten().collect())
}

/// Anchors what was seeded, as a service that had been running would have: the first anchor of a service
/// covers everything that ever happened.
pub fn anchor(rooms: &Arc<Rooms>) -> Outcome<()> {
    let anchored = runtime::System::new().block_on(audit::anchor(rooms, |_| ()));
    anchored.map_err(|stop| format!("anchoring: {stop:?}").into())
}

async fn persons(rooms: &Arc<Rooms>, hash: &str, sort: Sort, numbers: Vec<u64>) -> Outcome<Vec<Person>> {
    let cx = request(rooms)?;
    let (making, hash) = (cx.clone(), hash.to_owned());
    let write = rooms
        .store
        .write("seed", move |tx| numbers.iter().map(|number| make(tx, &making, &hash, sort, *number)).collect());
    let drafts: Vec<Draft> = write.await.map_err(|stop| format!("seeding: {stop:?}"))?;
    drafts.into_iter().map(|draft| finish(&cx, draft)).collect()
}

fn finish(cx: &Cx, draft: Draft) -> Outcome<Person> {
    let failed = |fault: Fault| format!("{fault:?}");
    let tokens = draft.grant.map(|grant| issue::tokens(cx, grant)).transpose().map_err(failed)?;
    let (access, refresh) = tokens.map(|tokens| (tokens.access_token, tokens.refresh_token)).unwrap_or_default();
    let challenge = draft.challenge.map(|token| token.reveal(&cx.keys)).transpose().map_err(failed)?;
    Ok(Person {
        email: draft.email,
        access,
        refresh,
        challenge: challenge.unwrap_or_default(),
        secret: draft.secret,
        last: Step(0),
    })
}

fn make(tx: &mut Tx<'_>, cx: &Cx, hash: &str, sort: Sort, number: u64) -> Result<Draft, Stop> {
    let (owner, email) = (AccountId(id(0, number)), Email::parse(&format!("p{}@bench.test", hex(number)), "")?);
    let mut draft = Draft {
        email: email.as_str().to_owned(),
        secret: TotpSecret::from_bytes(tx.random.bytes()?),
        grant: None,
        challenge: None,
    };
    accounts::insert(tx, owner, &NewAccount::of(email, hash.to_owned()), cx.now)?;
    if sort == Sort::Plain {
        return Ok(draft);
    }
    enrol(tx, cx, owner, number, &draft.secret)?;
    draft.grant = Some(sign_in(tx, cx, owner)?);
    let mut account = accounts::by_id(tx, owner)?.ok_or_else(lost)?;
    let challenge = Challenge {
        id: ChallengeId(id(2, number)),
        account: owner,
        epoch: account.epoch,
        expires_at: cx.in_seconds(cx.policy.challenge_ttl),
    };
    draft.challenge = Some(challenges::insert(tx, &challenge, cx.now)?);
    if let Sort::Busy(events) = sort {
        while account.version + account.activity < events {
            let event = Event::of_owner(EventKind::LoginSucceeded, None).with("amr", "pwd otp mfa");
            accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
        }
    }
    Ok(draft)
}

/// What an enrolment and its confirm leave behind.
fn enrol(tx: &mut Tx<'_>, cx: &Cx, owner: AccountId, number: u64, secret: &TotpSecret) -> Result<(), Stop> {
    let mut account = accounts::by_id(tx, owner)?.ok_or_else(lost)?;
    let method = Method {
        id: MethodId(id(1, number)),
        account: owner,
        kind: Kind::Totp,
        state: State::Pending,
        label: Kind::Totp.label(),
        created_at: cx.now,
        last_used_at: None,
        expires_at: cx.in_seconds(cx.policy.enrollment_ttl),
        replaces: None,
        session: cx.random.id(cx.now)?,
    };
    methods::insert_pending(tx, &method)?;
    totp::insert(tx, owner, method.id, secret)?;
    let started = Event::of_owner(EventKind::EnrollmentStarted, None).with("method", method.id.to_string());
    accounts::record(tx, &mut account, &cx.origin, cx.now, &started, |_| {})?;
    // The first step of all: whatever code is shown now is still unused.
    let spent = factors::activate(tx, &method, First::Step(Step(1)), cx.now)?;
    recovery_codes::regenerate(tx, owner, cx.now, &Assured::by_factor(&spent))?;
    let enabled = Event::of_owner(EventKind::TwoFactorEnabled, None).with("method", method.id.to_string());
    accounts::record(tx, &mut account, &cx.origin, cx.now, &enabled, |account| {
        account.epoch += 1;
        account.enabled_at = Some(cx.now);
    })?;
    Ok(())
}

/// What a complete sign-in leaves behind.
fn sign_in(tx: &mut Tx<'_>, cx: &Cx, owner: AccountId) -> Result<Grant, Stop> {
    let mut account = accounts::by_id(tx, owner)?.ok_or_else(lost)?;
    let assurance = Assurance::second_factor(Factor::Totp, cx.now);
    let amr = assurance.amr_text();
    let grant = issue::begin(tx, cx, &account, assurance)?;
    let event = Event::of_owner(EventKind::LoginSucceeded, Some(grant.session_id())).with("amr", amr);
    accounts::record(tx, &mut account, &cx.origin, cx.now, &event, |_| {})?;
    known_addresses::note(tx, owner, &cx.network(), cx.now)?;
    Ok(grant)
}

fn lost() -> Stop {
    Fault::Unreadable("an account that was just added".to_owned()).into()
}
