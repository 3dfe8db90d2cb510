//! Giving a method another label.

use super::status::ActiveMethod;
use crate::{
    actions::{Call, entrance},
    domain::{
        event::{Event, EventKind},
        id::MethodId,
        method::{Label, State},
        refusal::{Refusal, Stop},
    },
    store::{accounts, methods},
};

/// Renames an active method; returns it with the version that the account has now.
///
/// # Errors
/// `not-found` when it is not active.
pub async fn rename(call: &Call, id: MethodId, label: Label) -> Result<(ActiveMethod, i64), Stop> {
    let asked = call.clone();
    call.cx
        .store
        .write("rename", move |tx| {
            let (mut account, session) = entrance::enter(tx, &asked)?;
            let method = methods::find(tx, account.id, id)?.filter(|method| method.state == State::Active);
            let mut method = method.ok_or(Refusal::NotFound)?;
            methods::rename(tx, id, &label)?;
            let event = Event::of_owner(EventKind::MethodRenamed, Some(session.id))
                .with("method", id.to_string())
                .with("from", method.label.as_str())
                .with("to", label.as_str());
            accounts::record(tx, &mut account, &asked.cx.origin, asked.cx.now, &event, |_| {})?;
            method.label = label.clone();
            Ok((ActiveMethod::from(&method), account.version))
        })
        .await
}
