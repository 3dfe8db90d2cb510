//! The portal's user base: what its own program adds and changes, and what it cannot.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        desk,
        document::DOCUMENT,
        partner::{PARTNERS, Partner, newcomer, partner, status_of},
        person::{EVENTS, LOGIN, PASSWORD, Person, STATUS, with},
        reply::Reply,
    },
};
use serde_json::{Value, json};
use twofold::{
    actions::operator::{Whom, delete, list},
    crypto::password,
    domain::{account::Email, password::Password},
};

const ID: &str = "9f3c8e52-7d41-4b06-a1f5-2c7e90d4b813";
const PORTAL: &str = "accounts:provision 2fa:read";

fn hash(app: &TestApp, text: &str) -> String {
    let hash = password::hash_now(&Password::chosen(text.to_owned(), "").unwrap(), 5).unwrap();
    app.keep_out_of_sight(text);
    hash
}

async fn put(portal: &Partner<'_>, id: &str, body: &Value) -> Reply {
    portal.send("PUT", &format!("/partner/accounts/{id}"), &[], Some(body)).await
}

async fn portal(app: &TestApp) -> Partner<'_> {
    let portal = newcomer(app, "The portal", PORTAL, false).await;
    portal.take_token("").await;
    portal
}

on_both_engines!(what_the_document_shows_of_a_new_account_is_what_happens);
async fn what_the_document_shows_of_a_new_account_is_what_happens(app: &TestApp) {
    let portal = portal(app).await;
    let shown = &DOCUMENT["paths"]["/partner/accounts/{id}"]["put"];
    let example = |of: &Value| of["content"]["application/json"]["example"].clone();
    let (body, created) = (example(&shown["requestBody"]), example(&shown["responses"]["201"]));
    let id = created["id"].as_str().unwrap();
    assert_eq!(put(&portal, id, &body).await.is(201).body, created);
    let another = json!({"email": body["email"], "locale": "en"});
    assert_eq!(put(&portal, id, &another).await.is(200).body, example(&shown["responses"]["200"]));
}

on_both_engines!(an_account_that_the_portal_adds_signs_in_with_its_old_password);
async fn an_account_that_the_portal_adds_signs_in_with_its_old_password(app: &TestApp) {
    let (portal, text) = (portal(app).await, "the password of before");
    let body =
        json!({"email": " Alice@Example.test", "password_hash": hash(app, text), "locale": "ms", "subject": "alice-7"});
    let created = put(&portal, ID, &body).await.is(201);
    assert_eq!(created.body, json!({"id": ID, "result": "created"}));
    let unprotected = json!({"protected": false, "since": null, "assurance": "aal1", "restricted_until": null});
    assert_eq!(portal.get(&status_of(ID)).await.is(200).body, unprotected);
    let alice = Person::new(app, "alice@example.test".into(), text.into());
    alice.sign_in().await;
    assert_eq!(desk::account_of(&alice), ID);
    // The sign-in made the hash anew; what was sent before is no change, and no session ends by it.
    for _ in 0..2 {
        assert_eq!(put(&portal, ID, &body).await.is(200).body["result"], "unchanged");
    }
    alice.get(STATUS).await.is(200);
    assert_eq!(alice.event_kinds().await, ["login.succeeded", "account.provisioned"]);
    let events = alice.get(EVENTS).await.is(200);
    assert_eq!(events.body["events"][1]["actor"], json!({"kind": "partner", "id": portal.id}));
    let shown = alice.get(PARTNERS).await.is(200);
    assert_eq!(shown.body["partners"][0]["by"], "provisioning");
    let path = format!("{PARTNERS}/{}", portal.id);
    alice.send("DELETE", &path, &[], None).await.is(403).refuses("not-permitted");
    // Another program of another house does not see it.
    let acme = partner(app, "Acme").await;
    acme.get(&status_of(ID)).await.is(404);
    put(&acme, ID, &body).await.is(404).refuses("not-found");
}

on_both_engines!(what_the_portal_changes_ends_sessions_and_tells_the_old_address);
async fn what_the_portal_changes_ends_sessions_and_tells_the_old_address(app: &TestApp) {
    let (portal, old, new) = (portal(app).await, "the password of before", "the password of today");
    let body = json!({"email": "alice@example.test", "password_hash": hash(app, old)});
    put(&portal, ID, &body).await.is(201);
    let alice = Person::new(app, "alice@example.test".into(), old.into());
    alice.sign_in().await;
    let moved = json!({"email": "alice@elsewhere.test", "password_hash": hash(app, new)});
    assert_eq!(put(&portal, ID, &moved).await.is(200).body["result"], "updated");
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    alice.refresh().await.is(401);
    app.post(LOGIN, &json!({"email": "alice@example.test", "password": new})).await.is(403);
    let again = Person::new(app, "alice@elsewhere.test".into(), new.into());
    again.sign_in().await;
    let told = "announcement WHERE recipient = 'alice@example.test' AND kind IN ('email.changed', 'password.changed')";
    assert_eq!(count(app, told), 2);
    let page = again.get(EVENTS).await.is(200);
    let changed =
        page.body["events"].as_array().unwrap().iter().find(|e| e["type"] == "email.changed").unwrap().clone();
    assert_eq!((&changed["details"], &changed["actor"]["id"]), (&json!({}), &json!(portal.id)));
    // Without a password the rest is changed alone, and what is left out stays.
    let named = json!({"email": "alice@elsewhere.test", "locale": "zh-Hans", "subject": "alice-7"});
    assert_eq!(put(&portal, ID, &named).await.is(200).body["result"], "updated");
    assert_eq!(put(&portal, ID, &json!({"email": "alice@elsewhere.test"})).await.is(200).body["result"], "unchanged");
    again.get(STATUS).await.is(200);
    let accounts = list::list(&app.cx(), None, None, 10).await.unwrap();
    let account = &accounts[0].account;
    assert_eq!((account.locale.tag(), account.subject.as_ref().unwrap().as_str()), ("zh-Hans", "alice-7"));
}

on_both_engines!(a_password_that_its_owner_chose_since_is_not_taken_back);
async fn a_password_that_its_owner_chose_since_is_not_taken_back(app: &TestApp) {
    let (portal, text) = (portal(app).await, "the password of before");
    let body = json!({"email": "alice@example.test", "password_hash": hash(app, text)});
    put(&portal, ID, &body).await.is(201);
    let alice = Person::new(app, "alice@example.test".into(), text.into());
    alice.sign_in().await;
    let own = "what alice chose herself";
    app.keep_out_of_sight(own);
    alice.post(PASSWORD, &json!({"current_password": text, "new_password": own})).await.is(200);
    assert_eq!(put(&portal, ID, &body).await.is(200).body["result"], "unchanged");
    Person::new(app, "alice@example.test".into(), own.into()).sign_in().await;
    let other = with(body, json!({"password_hash": hash(app, "set at the portal")}));
    assert_eq!(put(&portal, ID, &other).await.is(200).body["result"], "updated");
    Person::new(app, "alice@example.test".into(), "set at the portal".into()).sign_in().await;
}

on_both_engines!(what_cannot_be_provisioned_changes_nothing);
async fn what_cannot_be_provisioned_changes_nothing(app: &TestApp) {
    let portal = portal(app).await;
    let good =
        json!({"email": "alice@example.test", "password_hash": hash(app, "a long password"), "subject": "alice"});
    for body in [json!({}), json!({"email": 1}), with(good.clone(), json!({"scope": "support"}))] {
        put(&portal, ID, &body).await.is(400).refuses("malformed-request");
    }
    for (member, value) in [
        ("email", "alice"),
        ("password_hash", "$2b$12$nobodynobodynobodynobvnobodynobodynobodynobodynobody."),
        ("password_hash", "$argon2id$v=19$m=65536"),
        ("password_hash", "$2b$31$nobodynobodynobodynobOnobodynobodynobodynobodynobody."),
        ("password_hash", "$2b$12$nobodynobodynobodynobOnobodynobodynobodynobodynobody."),
        ("locale", "fr"),
        ("subject", ""),
    ] {
        let reply = put(&portal, ID, &with(good.clone(), json!({member: value}))).await.is(422);
        assert_eq!(reply.body["errors"][0]["pointer"], format!("/{member}"), "{}", reply.body);
    }
    let reply = put(&portal, ID, &json!({"email": "alice@example.test"})).await.is(422);
    assert_eq!(reply.body["errors"][0]["pointer"], "/password_hash");
    for id in ["x", "00000000-0000-0000-0000-000000000000"] {
        put(&portal, id, &good).await.is(404).refuses("not-found");
    }
    assert_eq!(count(app, "account"), 0);
    put(&portal, ID, &good).await.is(201);
    let bob = "9f3c8e52-7d41-4b06-a1f5-2c7e90d4b814";
    let other =
        json!({"email": "bob@example.test", "password_hash": hash(app, "bob has a password"), "subject": "bob"});
    put(&portal, bob, &other).await.is(201);
    let before = count(app, "audit");
    for (member, value) in [("email", "alice@example.test"), ("subject", "alice")] {
        let change = json!({"password_hash": hash(app, "another password"), member: value});
        let reply = put(&portal, bob, &with(other.clone(), change)).await.is(422);
        assert_eq!(reply.body["errors"][0]["pointer"], format!("/{member}"));
    }
    assert_eq!(count(app, "audit"), before, "not the password either");
    Person::new(app, "bob@example.test".into(), "bob has a password".into()).sign_in().await;
    // Who was deleted stays so.
    let whom = Whom::Email(Email::parse("bob@example.test", "").unwrap());
    delete::delete(&app.cx(), whom).await.unwrap().unwrap();
    put(&portal, bob, &other).await.is(404).refuses("not-found");
}

on_both_engines!(an_account_with_a_scope_is_nobodys_to_provision);
async fn an_account_with_a_scope_is_nobodys_to_provision(app: &TestApp) {
    let carla = desk::agent(app, "carla").await;
    let all = newcomer(app, "Everything", PORTAL, true).await;
    all.take_token("").await;
    let body = json!({"email": "mallory@example.test", "password_hash": hash(app, "mallory's password")});
    put(&all, &desk::account_of(&carla), &body).await.is(403).refuses("not-permitted");
    carla.get(STATUS).await.is(200);
}

on_both_engines!(who_sees_an_account_by_its_owners_word_does_not_keep_it);
async fn who_sees_an_account_by_its_owners_word_does_not_keep_it(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let (other, id) = (portal(app).await, desk::account_of(&alice));
    alice.send("PUT", &format!("{PARTNERS}/{}", other.id), &[], None).await.is(204);
    other.get(&status_of(&id)).await.is(200);
    let body = json!({"email": "mallory@example.test", "password_hash": hash(app, "mallory's password")});
    put(&other, &id, &body).await.is(404).refuses("not-found");
    alice.sign_in().await;
}
