//! What a partner's program sees of an account, and how it has a code judged.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        desk::account_of,
        partner::{Partner, newcomer, partner, status_of, verify_of},
        person::{EVENTS, Person},
        reply::Reply,
    },
};
use serde_json::{Value, json};
use twofold::actions::operator::{Whom, standing};

async fn has_judged(acme: &Partner<'_>, alice: &Person<'_>, code: &str) -> Reply {
    acme.post(&verify_of(&account_of(alice)), &json!({"code": code})).await
}

on_both_engines!(a_partner_sees_whether_an_account_is_protected_and_nothing_else);
async fn a_partner_sees_whether_an_account_is_protected_and_nothing_else(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let (acme, id) = (partner(app, "Acme").await, account_of(&alice));
    acme.is_allowed(&alice.email).await;
    let off = json!({"protected": false, "since": null, "assurance": "aal1", "restricted_until": null});
    assert_eq!(acme.get(&status_of(&id)).await.is(200).body, off);
    alice.set_up().await;
    let since = alice.status().await["since"].clone();
    let on = acme.get(&status_of(&id)).await.is(200);
    assert_eq!(on.body, json!({"protected": true, "since": since, "assurance": "aal2", "restricted_until": null}));
    assert_eq!(on.header("etag"), None);
    // After a disable, the partner is asked to hold back for a day.
    let events = alice.event_kinds().await;
    alice.disable(json!({})).await.is(200);
    let held = acme.get(&status_of(&id)).await.is(200);
    let until: jiff::Timestamp = held.text("/restricted_until").parse().unwrap();
    assert_eq!((held.body["protected"].clone(), until.as_second() - app.now().as_second()), (json!(false), 86_400));
    // Looking leaves no trace.
    alice.sign_in().await;
    assert_eq!(alice.event_kinds().await.len(), events.len() + 2);
}

on_both_engines!(a_partner_has_a_code_judged_and_it_is_used_up);
async fn a_partner_has_a_code_judged_and_it_is_used_up(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let acme = partner(app, "Acme").await;
    acme.is_allowed(&alice.email).await;
    let before = alice.status().await;
    let code = alice.fresh_code();
    let verified = has_judged(&acme, &alice, &code).await.is(200);
    assert_eq!(verified.body, json!({"verified": true, "at": app.now().to_string(), "method": "totp"}));
    has_judged(&acme, &alice, &code).await.is(403).refuses("invalid-credential");
    alice.answer_challenge(json!({"code": code})).await.is(403).refuses("invalid-credential");
    // The owner's session is what it was, and the owner reads who asked.
    assert_eq!(alice.status().await["methods"][0]["id"], before["methods"][0]["id"]);
    let page = alice.get(&format!("{EVENTS}?limit=100")).await.is(200);
    let events = page.body["events"].as_array().unwrap();
    let of = |kind: &str| events.iter().find(|event| event["type"] == kind).unwrap();
    for (kind, details) in
        [("partner.verified", json!({})), ("reauthentication.failed", json!({"action": "partner-verify"}))]
    {
        let event = of(kind);
        assert_eq!((&event["actor"], &event["details"]), (&json!({"kind": "partner", "id": acme.id}), &details));
        assert_eq!(event["session_id"], Value::Null);
    }
}

on_both_engines!(what_a_partner_sends_twice_is_judged_once);
async fn what_a_partner_sends_twice_is_judged_once(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (acme, other, path) = (partner(app, "Acme").await, partner(app, "Other").await, verify_of(&account_of(&alice)));
    for partner in [&acme, &other] {
        partner.is_allowed(&alice.email).await;
    }
    let body = json!({"code": alice.fresh_code()});
    let once = [("Idempotency-Key", "order-7")];
    let first = acme.send("POST", &path, &once, Some(&body)).await.is(200);
    app.pass(90);
    let again = acme.send("POST", &path, &once, Some(&body)).await.is(200);
    assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
    // Another code is another request, and a key is its client's own.
    let wrong = json!({"code": alice.wrong_code()});
    acme.send("POST", &path, &once, Some(&wrong)).await.is(422).refuses("idempotency-key-reused");
    other.send("POST", &path, &once, Some(&wrong)).await.is(403).refuses("invalid-credential");
    let fresh = json!({"code": alice.fresh_code()});
    other.send("POST", &path, &once, Some(&fresh)).await.is(200);
    let kinds = alice.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "partner.verified").count(), 2);
}

on_both_engines!(a_partner_who_asks_for_the_impossible_is_told_why);
async fn a_partner_who_asks_for_the_impossible_is_told_why(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let acme = partner(app, "Acme").await;
    acme.is_allowed(&alice.email).await;
    let path = verify_of(&account_of(&alice));
    acme.post(&path, &json!({"code": "123456"})).await.is(409).refuses("two-factor-not-enabled");
    for body in [json!({}), json!({"recovery_code": "x"}), json!({"code": 123456}), json!({"code": "123456", "x": 1})] {
        acme.post(&path, &body).await.is(400).refuses("malformed-request");
    }
    acme.post(&path, &json!({"code": "12345"})).await.is(422).refuses("validation-failed");
    acme.send("POST", &path, &[("Idempotency-Key", "")], Some(&json!({"code": "123456"}))).await.is(400);
    acme.send("POST", &path, &[("If-Match", "\"1\"")], Some(&json!({"code": "123456"}))).await.is(412);
}

on_both_engines!(a_partner_is_told_what_a_program_can_do_about_it);
async fn a_partner_is_told_what_a_program_can_do_about_it(app: &TestApp) {
    let acme = newcomer(app, "Acme", "2fa:read", true).await;
    acme.take_token("").await;
    let hook = json!({"url": "https://partner.example/hooks"});
    let lacks = acme.post("/partner/webhooks", &hook).await.is(403).refuses("not-permitted").text("/detail");
    assert!(lacks.starts_with("The token lacks the scope that WWW-Authenticate names."), "{lacks}");
    let language = [("Accept-Language", "ms")];
    let lacks = acme.send("POST", "/partner/webhooks", &language, Some(&hook)).await.is(403).text("/detail");
    assert!(lacks.starts_with("Token tiada skop"), "{lacks}");
    let keeper = partner(app, "Keeper").await;
    let stale = keeper.send("POST", "/partner/webhooks", &[("If-Match", "\"1\"")], Some(&hook)).await.is(412);
    assert_eq!(stale.text("/detail"), "Leave If-Match out: partners are told no version.");
    for wrong in ["", "x", "header.claims.signature"] {
        acme.access.replace(wrong.to_owned());
        let over = acme.get("/partner/events").await.is(401).refuses("invalid-token");
        assert_eq!(over.text("/detail"), "Take a new token at /oauth/token.", "{wrong}");
    }
    keeper.rotate(0).await;
    let over = keeper.get("/partner/events").await.is(401).refuses("invalid-token");
    assert_eq!(over.text("/detail"), "Take a new token at /oauth/token.", "of a secret that leaked");
    assert_eq!(
        app.get("/account/security/2fa").await.is(401).text("/detail"),
        "Refresh the session, or sign in again."
    );
}

on_both_engines!(an_account_that_is_suspended_is_vouched_for_by_nobody);
async fn an_account_that_is_suspended_is_vouched_for_by_nobody(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (acme, id) = (newcomer(app, "Acme", "2fa:read 2fa:verify", true).await, account_of(&alice));
    acme.take_token("").await;
    acme.get(&status_of(&id)).await.is(200);
    let whom = || Whom::Id(id.parse().unwrap());
    standing::suspend(&app.cx(), whom(), None).await.unwrap();
    acme.get(&status_of(&id)).await.is(404).refuses("not-found");
    has_judged(&acme, &alice, &alice.fresh_code()).await.is(404).refuses("not-found");
    standing::resume(&app.cx(), whom(), None).await.unwrap();
    assert_eq!(acme.get(&status_of(&id)).await.is(200).body["protected"], true);
    acme.take_token("").await;
    has_judged(&acme, &alice, &alice.fresh_code()).await.is(200);
}
