//! Every operation of the document is exercised, by one person, in one go.

use crate::{
    on_both_engines,
    support::{
        TestApp, codes, desk, document, links,
        partner::{PARTNERS, Partner, partner, status_of, verify_of},
        passkeys,
        person::*,
        security_key::Flaw,
    },
};
use serde_json::json;
use twofold::domain::method::Kind;

on_both_engines!(every_operation_answers_as_the_document_says, |config| {
    passkeys::passkeys(config);
    codes::by_both(config);
    (config.limits.code_send.free, config.limits.code_send_address.free) = (100, 100);
});
async fn every_operation_answers_as_the_document_says(app: &TestApp) {
    for path in [
        "/.well-known/jwks.json",
        "/.well-known/two-factor-policy",
        "/.well-known/webauthn",
        "/.well-known/assetlinks.json",
        "/.well-known/apple-app-site-association",
        "/openapi.json",
        "/problems",
        "/problems/not-found",
    ] {
        app.get(path).await.is(200);
    }
    let alice = app.person("alice").await;
    alice.sign_in().await;
    alice.get("/account/security").await.is(200);
    let id = alice.start_enrolment(json!({})).await;
    alice.get(&format!("{TOTP_PATH}/{id}")).await.is(200);
    alice.send("DELETE", &format!("{TOTP_PATH}/{id}"), &[], None).await.is(204);
    let passkey = passkeys::try_enrolment(&alice, json!({})).await.is(201).text("/id");
    alice.send("DELETE", &format!("{}/{passkey}", passkeys::PASSKEYS), &[], None).await.is(204);
    alice.set_up().await;
    passkeys_of(app).await;
    let first = alice.method.borrow().clone();
    alice.set_up().await;
    alice.get(STATUS).await.is(200);
    alice
        .send("PATCH", &format!("/account/security/2fa/methods/{first}"), &[], Some(&json!({"label": "Old"})))
        .await
        .is(200);
    let removed = alice
        .post(&format!("/account/security/2fa/methods/{first}/remove"), &json!({"password": alice.password}))
        .await
        .is(200);
    alice.take_tokens(&removed, "/tokens");
    let verified = alice.verify(&alice.fresh_code()).await.is(200);
    alice.take_tokens(&verified, "");
    alice.post(CODES, &json!({"password": alice.password})).await.is(200);
    alice.get(EVENTS).await.is(200);
    alice.get(SESSIONS).await.is(200);
    let phone = alice.elsewhere();
    phone.sign_in().await;
    devices_of(&phone).await;
    let session = phone.get(SESSIONS).await.body["sessions"][0]["id"].as_str().unwrap().to_owned();
    alice.send("DELETE", &format!("{SESSIONS}/{session}"), &[], None).await.is(204);
    alice.send("POST", &format!("{SESSIONS}/end-others"), &[], None).await.is(200);
    alice.get(&format!("{DISABLE}/preview")).await.is(200);
    let account = desk::account_of(&alice);
    let carla = desk::agent(app, "carla").await;
    carla.get(&format!("{}?email={}", desk::ACCOUNTS, alice.email)).await.is(200);
    for path in ["2fa", "events"] {
        carla.get(&desk::about(&account, path)).await.is(200);
    }
    codes_of(app).await;
    // A person with an authenticator app has nothing that is to be asked.
    let passkey = json!({"method": "passkey"});
    alice.post(&format!("{VERIFY}/start"), &passkey).await.refuses("method-not-available");
    let unknown = json!({"challenge": "unknown", "method": "passkey"});
    app.post(&format!("{SECOND}/start"), &unknown).await.refuses("challenge-expired");
    desk::bypass_code(&carla, &account).await;
    desk::ask(&carla, &account, desk::UNLOCK).await.is(200);
    let acme = partner(app, "Acme").await;
    let one = format!("{PARTNERS}/{}", acme.id);
    alice.send("PUT", &one, &[], None).await.is(204);
    alice.get(PARTNERS).await.is(200);
    acme.get(&status_of(&account)).await.is(200);
    acme.post(&verify_of(&account), &json!({"code": alice.fresh_code()})).await.is(200);
    webhooks_of(&acme).await;
    alice.send("DELETE", &one, &[], None).await.is(204);
    acme.get("/partner/events?limit=1").await.is(200);
    let new = json!({"email": "new@example.test", "password_hash": format!("$2b$04${}", "e".repeat(53))});
    let id = "9f3c8e52-7d41-4b06-a1f5-2c7e90d4b813";
    acme.send("PUT", &format!("/partner/accounts/{id}"), &[], Some(&new)).await.is(201);
    let changed = alice
        .post(PASSWORD, &json!({"current_password": alice.password, "new_password": "another long password"}))
        .await
        .is(200);
    alice.take_tokens(&changed, "");
    alice.refresh().await.is(200);
    let disabled = alice.post(DISABLE, &json!({"password": "another long password"})).await.is(200);
    alice.take_tokens(&disabled, "/tokens");
    alice.send("POST", "/auth/logout", &[], None).await.is(204);
    let bob = app.person("bob").await.with_two_factor().await;
    let reset = desk::ask(&carla, &desk::account_of(&bob), desk::RESET).await.is(200);
    let link = links::undo_link(app, &desk::account_of(&bob), &reset);
    links::preview(app, &link).await.is(200);
    links::undo(app, &link).await.is(200);
    let token = links::stop_link(app, &desk::account_of(&alice), &disabled);
    app.post("/account/security/2fa/reminders/stop", &json!({"token": token})).await.is(204);
    let path = format!("/account/security/2fa/reminders/one-click?token={token}");
    let form = [("Content-Type", "application/x-www-form-urlencoded")];
    app.send_raw("POST", &path, &form, b"List-Unsubscribe=One-Click".to_vec()).await.is(204);

    let called = document::called();
    let missed: Vec<_> = document::operations()
        .into_iter()
        .filter(|(method, path, _)| !called.contains(&(method.clone(), path.clone())))
        .map(|(method, path, _)| format!("{method} {path}"))
        .collect();
    assert!(missed.is_empty(), "never exercised: {missed:?}");
}

async fn devices_of(person: &Person<'_>) {
    person.have_remembered().await;
    let device = person.get(DEVICES).await.is(200).text("/devices/0/id");
    person.send("DELETE", &format!("{DEVICES}/{device}"), &[], None).await.is(204);
    assert_eq!(person.send("POST", &format!("{DEVICES}/forget-all"), &[], None).await.is(200).body["forgotten"], 0);
}

async fn passkeys_of(app: &TestApp) {
    let (dora, key) = (app.person("dora").await, passkeys::key());
    dora.sign_in().await;
    let id = passkeys::set_up(&dora, &key, json!({})).await;
    dora.get(&format!("{}/{id}", passkeys::PASSKEYS)).await.is(200);
    passkeys::verify(&dora, &key, &Flaw::None).await.is(200);
    passkeys::sign_in(&dora, &key, &Flaw::None).await.is(200);
}

/// Codes by mail and by SMS.
async fn codes_of(app: &TestApp) {
    let erin = app.person("erin").await;
    erin.sign_in().await;
    for kind in [Kind::Email, Kind::Sms] {
        let (id, _) = codes::enrol(&erin, kind, json!({})).await;
        let one = format!("{}/{id}", codes::path(kind));
        erin.get(&one).await.is(200);
        erin.send("POST", &format!("{one}/resend"), &[], None).await.is(200);
        erin.send("DELETE", &one, &[], None).await.is(204);
        codes::sent(app, kind).await;
        codes::set_up(&erin, kind, json!({})).await;
        erin.post(&format!("{VERIFY}/start"), &json!({"method": kind})).await.is(200);
        codes::sent(app, kind).await;
        let (challenge, code) = codes::challenged(&erin, kind).await;
        app.post(SECOND, &codes::answer(&challenge, kind, &code)).await.is(200);
    }
}

async fn webhooks_of(acme: &Partner<'_>) {
    let all = "/partner/webhooks";
    let added = acme.post(all, &json!({"url": "https://partner.example/hooks"})).await.is(201);
    let one = format!("{all}/{}", added.text("/webhook/id"));
    acme.get(all).await.is(200);
    acme.get(&one).await.is(200);
    acme.send("PATCH", &one, &[], Some(&json!({"enabled": true}))).await.is(200);
    acme.send("POST", &format!("{one}/rotate-secret"), &[], None).await.is(200);
    acme.get(&format!("{one}/deliveries")).await.is(200);
    acme.send("POST", &format!("{one}/deliveries/1/replay"), &[], None).await.is(404);
    acme.send("DELETE", &one, &[], None).await.is(204);
}
