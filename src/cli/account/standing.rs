//! `account unlock`, `disable`, `enable`, `reset-2fa`, `require`, `release-requirement`, `grant-scope`, `revoke-scope`:
//! changes of one account.

use super::{Who, tell};
use crate::{
    actions::operator::{requirement, reset as reset_two_factor, scope as scopes, standing},
    cli::{Failure, act},
    config::Config,
    domain::{account::Remark, policy::Required},
};
use clap::Args;
use serde_json::json;

/// A change of one account.
#[derive(Args)]
pub struct Change {
    #[command(flatten)]
    who: Who,
    /// Why, for the record; the owner can read it.
    #[arg(long)]
    reason: Option<String>,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Whose two-factor authentication is switched off.
#[derive(Args)]
pub struct Reset {
    #[command(flatten)]
    who: Who,
    /// Why, for the record; the owner can read it.
    #[arg(long)]
    reason: String,
    /// Answer as JSON.
    #[arg(long)]
    json: bool,
}

/// Which scope, and whose.
#[derive(Args)]
pub struct Scope {
    #[command(flatten)]
    change: Change,
    /// The scope.
    #[arg(long, value_parser = ["support"])]
    scope: String,
}

/// Forgets wrong guesses.
pub fn unlock(config: &Config, change: Change) -> Result<(), Failure> {
    let (whom, reason) = (change.who.whom()?, remark(change.reason)?);
    let done = act(config, async move |cx: &_| standing::unlock(cx, whom, reason).await)?;
    let sentence = match done.what.join(", ") {
        none if none.is_empty() => format!("account {} had no wrong guesses counted", done.id),
        opened => format!("account {} is unlocked: {opened}", done.id),
    };
    tell(change.json, &json!({ "id": done.id, "opened": done.what }), &sentence);
    Ok(())
}

/// Suspends an account.
pub fn disable(config: &Config, change: Change) -> Result<(), Failure> {
    let (whom, reason) = (change.who.whom()?, remark(change.reason)?);
    let done = act(config, async move |cx: &_| standing::suspend(cx, whom, reason).await)?;
    let sentence = match done.what {
        Some(sessions) => format!("account {} is suspended; {sessions} sessions ended", done.id),
        None => format!("account {} was suspended before", done.id),
    };
    let json = json!({ "id": done.id, "changed": done.what.is_some(), "sessions": done.what.unwrap_or(0) });
    tell(change.json, &json, &sentence);
    Ok(())
}

/// Ends a suspension.
pub fn enable(config: &Config, change: Change) -> Result<(), Failure> {
    let (whom, reason) = (change.who.whom()?, remark(change.reason)?);
    let done = act(config, async move |cx: &_| standing::resume(cx, whom, reason).await)?;
    let how = if done.what { "is enabled again" } else { "was not suspended" };
    tell(change.json, &json!({ "id": done.id, "changed": done.what }), &format!("account {} {how}", done.id));
    Ok(())
}

/// Switches two-factor authentication off.
pub fn reset(config: &Config, reset: Reset) -> Result<(), Failure> {
    let (whom, reason) = (reset.who.whom()?, Remark::parse(&reset.reason, "/reason")?);
    let done = act(config, async move |cx: &_| reset_two_factor::reset(cx, whom, reason).await)?;
    let (id, gone) = (done.id, done.what);
    let sentence = format!(
        "two-factor authentication of account {id} is off; {} authenticators, {} recovery codes, {} sessions ended",
        gone.methods, gone.recovery_codes, gone.sessions
    );
    tell(reset.json, &json!({ "id": id, "revoked": gone }), &sentence);
    Ok(())
}

/// Puts an account on the list of those who must have two-factor authentication.
pub fn require(config: &Config, change: Change) -> Result<(), Failure> {
    let (whom, reason) = (change.who.whom()?, remark(change.reason)?);
    let done = act(config, async move |cx: &_| requirement::require(cx, whom, reason).await)?;
    let how = if done.what { "is" } else { "was before" };
    let beside = match config.policy.required {
        Required::None => "; TWOFOLD_REQUIRED=none, so the list is not looked at",
        Required::Listed | Required::All => "",
    };
    let sentence =
        format!("account {} {how} on the list of those who must have two-factor authentication{beside}", done.id);
    tell(change.json, &json!({ "id": done.id, "changed": done.what }), &sentence);
    Ok(())
}

/// Takes an account off that list.
pub fn release(config: &Config, change: Change) -> Result<(), Failure> {
    let (whom, reason) = (change.who.whom()?, remark(change.reason)?);
    let done = act(config, async move |cx: &_| requirement::release(cx, whom, reason).await)?;
    let how = if done.what { "is no longer" } else { "was not" };
    let sentence = format!("account {} {how} on the list of those who must have two-factor authentication", done.id);
    tell(change.json, &json!({ "id": done.id, "changed": done.what }), &sentence);
    Ok(())
}

/// Gives a scope.
pub fn grant(config: &Config, scope: Scope) -> Result<(), Failure> {
    let Scope { change, scope } = scope;
    let (whom, reason, name) = (change.who.whom()?, remark(change.reason)?, scope.clone());
    let done = act(config, async move |cx: &_| scopes::grant(cx, whom, name, reason).await)?;
    let how = if done.what { "has the scope" } else { "had before the scope" };
    tell(change.json, &json!({ "id": done.id, "changed": done.what }), &format!("account {} {how} {scope}", done.id));
    Ok(())
}

/// Takes a scope away.
pub fn revoke(config: &Config, scope: Scope) -> Result<(), Failure> {
    let Scope { change, scope } = scope;
    let (whom, reason, name) = (change.who.whom()?, remark(change.reason)?, scope.clone());
    let done = act(config, async move |cx: &_| scopes::revoke(cx, whom, name, reason).await)?;
    let how = if done.what { "has no longer the scope" } else { "did not have the scope" };
    tell(change.json, &json!({ "id": done.id, "changed": done.what }), &format!("account {} {how} {scope}", done.id));
    Ok(())
}

fn remark(text: Option<String>) -> Result<Option<Remark>, Failure> {
    Ok(text.map(|text| Remark::parse(&text, "/reason")).transpose()?)
}
