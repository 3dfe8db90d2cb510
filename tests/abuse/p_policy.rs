//! P: an account of which two-factor authentication is required keeps it.

use crate::{
    doors::wide,
    on_both_engines,
    support::{
        TestApp,
        document::{self, DOCUMENT},
        person::{Person, TOTP_PATH},
        race::race,
        reply::Reply,
    },
};
use futures_util::future::join_all;
use serde_json::{Map, Value, json};
use twofold::{config::Config, domain::policy::Required};

fn strict(config: &mut Config) {
    wide(config);
    config.policy.required = Required::All;
}

/// Every member that a body may have, each with a value that its owner would send.
fn members(operation: &Value, person: &Person<'_>, with_recovery_code: bool) -> Option<Value> {
    let schema = operation.pointer("/requestBody/content/application~1json/schema/$ref")?.as_str().unwrap();
    let properties = DOCUMENT.pointer(&schema[1..]).unwrap()["properties"].as_object().unwrap();
    let value = |name: &str| match name {
        "password" | "current_password" | "new_password" => Some(json!(person.password)),
        "recovery_code" if with_recovery_code => person.recovery_codes.borrow_mut().pop().map(|code| json!(code)),
        "code" if !with_recovery_code => Some(json!(person.fresh_code())),
        "label" => Some(json!("Mine now")),
        "reason" => Some(json!("not_wanted")),
        "method" => Some(json!("passkey")),
        _ => None,
    };
    let body: Map<String, Value> = properties.keys().filter_map(|name| Some((name.clone(), value(name)?))).collect();
    Some(body.into())
}

/// Whether the account is as it must be.
async fn is_protected(person: &Person<'_>) -> bool {
    person.elsewhere().login().await.is(200).body["result"] == "second_factor_required"
}

on_both_engines!(no_operation_switches_off_what_is_required, strict);
/// P01: of all that an owner can do, with every proof there is, nothing leaves the account without.
async fn no_operation_switches_off_what_is_required(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let mut tried = 0;
    for (verb, path, operation) in document::operations() {
        if !document::takes_token(operation) {
            continue;
        }
        for with_recovery_code in [false, true] {
            alice.sign_in().await;
            let own = [alice.method.borrow().clone(), "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b".to_owned()];
            for id in &own {
                let body = members(operation, &alice, with_recovery_code);
                let target = path.replace("{id}", id).replace("{sid}", id).replace("{n}", "1");
                let reply = alice.send(&verb, &target, &[], body.as_ref()).await;
                tried += 1;
                keep(&alice, &reply);
                assert!(is_protected(&alice).await, "{verb} {path}: {} {}", reply.status, reply.body);
            }
        }
    }
    assert!(tried > 100, "{tried}");
    alice.sign_in().await;
    assert_eq!(alice.status().await["enabled"], true);
    assert!(!alice.event_kinds().await.contains(&"two_factor.disabled".to_owned()));
}

/// Whatever an answer gives out is used from then on.
fn keep(person: &Person<'_>, reply: &Reply) {
    if reply.status != 200 {
        return;
    }
    for pointer in ["", "/tokens"] {
        if reply.body.pointer(&format!("{pointer}/access_token")).is_some_and(Value::is_string) {
            person.take_tokens(reply, pointer);
        }
    }
    if reply.body["recovery_codes"].is_array() {
        *person.recovery_codes.borrow_mut() = reply.texts("/recovery_codes");
    }
}

on_both_engines!(of_many_first_sign_ins_at_once_one_begins_the_time, |config| config.policy.required = Required::All);
/// P02: a time that begins again with a race is a time that never ends.
async fn of_many_first_sign_ins_at_once_one_begins_the_time(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await;
        let replies = join_all((0..6).map(|_| alice.login())).await;
        let signed_in: Vec<&Reply> = replies.iter().filter(|reply| reply.status == 200).collect();
        assert!(!signed_in.is_empty());
        alice.take_tokens(signed_in[0], "/tokens");
        let first = alice.status().await["required"].clone();
        assert!(first["since"].is_string(), "{first}");
        app.pass(3600);
        alice.sign_in().await;
        assert_eq!(alice.status().await["required"], first);
    })
    .await;
}

on_both_engines!(a_token_for_setting_up_opens_nothing_else, |config| {
    config.policy.required = Required::All;
    config.policy.required_grace = 0;
});
/// P03: whoever has a password and no time left has the door to setting up, and no other.
async fn a_token_for_setting_up_opens_nothing_else(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let open = ["getTwoFactorStatus", "getAccountSecurity", "logout"];
    let mut shut = 0;
    for (verb, path, operation) in document::operations() {
        let id = operation["operationId"].as_str().unwrap();
        let is_owners = operation["security"].as_array().unwrap().iter().any(|one| one.get("bearer").is_some());
        if !is_owners || open.contains(&id) || id.ends_with("Enrolment") || id.starts_with("resend") {
            continue;
        }
        let nobody = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
        let target = path.replace("{id}", nobody).replace("{sid}", nobody);
        let target = if id == "findAccount" { format!("{target}?email=bob@example.test") } else { target };
        let mut body = members(operation, &alice, true);
        if id == "verifySecondFactor" {
            body = Some(json!({"code": "123456"}));
        } else if path.starts_with("/support/") {
            body = body.map(|_| json!({"reason": "lost", "ticket": "T-1"}));
        }
        alice.send(&verb, &target, &[], body.as_ref()).await.is(403).refuses("two-factor-setup-required");
        shut += 1;
    }
    assert!(shut > 20, "{shut}");
    alice.set_up().await;
    assert_eq!(alice.get(TOTP_PATH).await.status, 405);
    alice.get("/account/security/sessions").await.is(200);
}
