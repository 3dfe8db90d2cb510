//! The partners that may see the owner's account, as far as the owner decides it.

use crate::{
    actions::{Call, consent, entrance},
    domain::{
        client::{Client, Grantor},
        event::{Event, EventKind},
        id::ClientId,
        refusal::{Refusal, Stop},
    },
    store::{Db, clients, consents},
};
use jiff::Timestamp;

/// A partner that may see the account.
#[derive(Clone, Debug)]
pub struct Onlooker {
    /// Its client.
    pub client: Client,
    /// Since when.
    pub since: Timestamp,
    /// Who said so.
    pub by: Grantor,
    /// Whether the owner can take it back.
    pub can_withdraw: bool,
}

impl Onlooker {
    fn of_all(client: Client) -> Self {
        Self { since: client.created_at, by: Grantor::Operator, can_withdraw: false, client }
    }
}

/// Lists the partners that may see the account, the oldest first. One that is disabled sees nothing.
///
/// # Errors
/// `invalid-token`.
pub async fn list(call: &Call) -> Result<Vec<Onlooker>, Stop> {
    let asked = call.clone();
    call.cx
        .store
        .read("partners", move |db| {
            let (account, _) = entrance::recognise(db, &asked)?;
            let all = clients::all(db)?.into_iter().filter(|client| client.sees_all).map(Onlooker::of_all);
            let let_in = consents::of_account(db, account.id)?.into_iter().filter(|(client, _)| !client.sees_all);
            let let_in = let_in.map(|(client, consent)| Onlooker {
                client,
                since: consent.granted_at,
                by: consent.granted_by,
                can_withdraw: consent.granted_by.yields_to_owner(),
            });
            let mut onlookers: Vec<_> = all.chain(let_in).filter(|onlooker| !onlooker.client.is_disabled()).collect();
            onlookers.sort_by_key(|onlooker| onlooker.client.id);
            Ok(onlookers)
        })
        .await
}

/// Lets a partner see the account; one that may see it already still may.
///
/// # Errors
/// `not-found` when there is no such client, or it is disabled.
pub async fn allow(call: &Call, id: ClientId) -> Result<(), Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("allow-partner", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            let client = known(tx, id)?;
            if client.is_disabled() {
                return Err(Refusal::NotFound.into());
            }
            if !client.sees_all {
                let event = Event::of_owner(EventKind::PartnerAllowed, Some(session.id));
                consent::allow(tx, &asked.cx, &mut account, &client, Grantor::Owner, event)?;
            }
            Ok(())
        })
        .await
}

/// Lets a partner see the account no more.
///
/// # Errors
/// `not-found` when it does not see it; `not-permitted` where that is not the owner's to decide.
pub async fn refuse(call: &Call, id: ClientId) -> Result<(), Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("refuse-partner", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            let client = known(tx, id)?;
            if client.sees_all {
                return Err(Refusal::NotPermitted.into());
            }
            let consent = consents::find(tx, account.id, id)?.ok_or(Refusal::NotFound)?;
            if !consent.granted_by.yields_to_owner() {
                return Err(Refusal::NotPermitted.into());
            }
            let event = Event::of_owner(EventKind::PartnerRefused, Some(session.id));
            consent::refuse(tx, &asked.cx, &mut account, &client, event)?;
            Ok(())
        })
        .await
}

fn known(db: &mut Db<'_>, id: ClientId) -> Result<Client, Stop> {
    Ok(clients::by_id(db, id)?.ok_or(Refusal::NotFound)?)
}
