//! Every way in that a second factor opens, so that a claim about one is made about all.

use crate::support::{
    person::{CODES, DISABLE, PASSWORD, Person, TOTP_PATH, VERIFY, with},
    reply::Reply,
};
use serde_json::{Value, json};

/// Everywhere that a second factor is taken, but for the confirm, which takes the code of its own enrolment.
pub const DOORS: [&str; 8] =
    ["sign-in", "verify", "enrol", "replace", "regenerate", "remove", "change-password", "disable"];

/// Shows a second factor at one of [`DOORS`]; where that takes another method too, it is `spare`.
pub async fn show(person: &Person<'_>, door: &str, factor: Value, spare: &str) -> Reply {
    let proofs = with(json!({"password": person.password}), factor.clone());
    let passwords = json!({"current_password": person.password, "new_password": person.password});
    match door {
        "sign-in" => person.answer_challenge(factor).await,
        "verify" => person.post(VERIFY, &factor).await,
        "enrol" => person.post(TOTP_PATH, &proofs).await,
        "replace" => person.post(TOTP_PATH, &with(proofs, json!({"replaces": spare}))).await,
        "regenerate" => person.post(CODES, &proofs).await,
        "remove" => person.post(&format!("/account/security/2fa/methods/{spare}/remove"), &proofs).await,
        "change-password" => person.post(PASSWORD, &with(passwords, factor)).await,
        "disable" => person.post(DISABLE, &proofs).await,
        _ => panic!("there is no {door}"),
    }
}

/// Sets another authenticator up beside the person's, who goes on with the first one; the other one's method.
pub async fn with_spare(person: &Person<'_>) -> String {
    let (secret, method) = (person.secret.borrow().clone(), person.method.borrow().clone());
    person.set_up().await;
    *person.secret.borrow_mut() = secret;
    person.method.replace(method)
}

/// Budgets that no claim comes near: it is what was used already that must be refused, not the guess.
pub fn wide(config: &mut twofold::config::Config) {
    let limits = &mut config.limits;
    let all = [
        &mut limits.code,
        &mut limits.session_code,
        &mut limits.recovery_code,
        &mut limits.bypass_code,
        &mut limits.login,
        &mut limits.reauth_session,
        &mut limits.reauth_account,
        &mut limits.challenge,
        &mut limits.enroll_start,
        &mut limits.support_action,
        &mut limits.code_send,
        &mut limits.code_send_address,
        &mut limits.sms,
        &mut limits.sms_range,
        &mut limits.sms_installation,
    ];
    for policy in all {
        (policy.free, policy.ends_at, policy.cap_day, policy.cap_month) = (1000, 0, 0, 0);
    }
}
