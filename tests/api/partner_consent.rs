//! Which partners see an account: what the owner decides, and what not.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        desk::account_of,
        partner::{PARTNERS, newcomer, partner, status_of},
        person::{EVENTS, Person},
        reply::Reply,
    },
};
use serde_json::{Value, json};
use twofold::actions::operator::clients;

const NOBODY: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

async fn decide(alice: &Person<'_>, method: &str, id: &str) -> Reply {
    alice.send(method, &format!("{PARTNERS}/{id}"), &[], None).await
}

async fn listed(alice: &Person<'_>) -> Vec<Value> {
    alice.get(PARTNERS).await.is(200).body["partners"].as_array().unwrap().clone()
}

on_both_engines!(an_owner_lets_a_partner_see_the_account_and_takes_it_back);
async fn an_owner_lets_a_partner_see_the_account_and_takes_it_back(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let (acme, id) = (partner(app, "Acme Brokers").await, account_of(&alice));
    acme.get(&status_of(&id)).await.is(404).refuses("not-found");
    assert_eq!(listed(&alice).await, Vec::<Value>::new());
    decide(&alice, "PUT", &acme.id).await.is(204);
    decide(&alice, "PUT", &acme.id).await.is(204);
    acme.get(&status_of(&id)).await.is(200);
    let shown = listed(&alice).await;
    let scopes = json!(["2fa:read", "2fa:verify", "events:read", "webhooks:manage", "accounts:provision"]);
    let since = app.now().to_string();
    assert_eq!(
        shown,
        [
            json!({"id": acme.id, "name": "Acme Brokers", "scopes": scopes, "since": since, "by": "owner", "can_withdraw": true})
        ]
    );
    decide(&alice, "DELETE", &acme.id).await.is(204);
    decide(&alice, "DELETE", &acme.id).await.is(404).refuses("not-found");
    acme.get(&status_of(&id)).await.is(404).refuses("not-found");
    let page = alice.get(EVENTS).await.is(200);
    let events = page.body["events"].as_array().unwrap();
    let told: Vec<_> = events[..2].iter().map(|event| (event["type"].clone(), event["details"].clone())).collect();
    let details = json!({"client": acme.id, "name": "Acme Brokers"});
    assert_eq!(told, [(json!("partner.refused"), details.clone()), (json!("partner.allowed"), details)]);
    assert_eq!(events[2]["type"], "login.succeeded");
    // What changed is announced, each once.
    assert_eq!(count(app, "announcement WHERE kind LIKE 'partner.%'"), 2);
}

on_both_engines!(what_is_not_the_owners_to_decide_stays_as_it_is);
async fn what_is_not_the_owners_to_decide_stays_as_it_is(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let all = newcomer(app, "Everything", "2fa:read", true).await;
    all.take_token("").await;
    app.pass(1);
    let acme = partner(app, "Acme").await;
    acme.is_allowed(&alice.email).await;
    let shown = listed(&alice).await;
    let told: Vec<_> = shown.iter().map(|one| (&one["id"], &one["by"], &one["can_withdraw"])).collect();
    assert_eq!(
        told,
        [(&json!(all.id), &json!("operator"), &json!(false)), (&json!(acme.id), &json!("operator"), &json!(true))]
    );
    decide(&alice, "DELETE", &all.id).await.is(403).refuses("not-permitted");
    decide(&alice, "PUT", &all.id).await.is(204);
    all.get(&status_of(&account_of(&alice))).await.is(200);
    // What the operator allowed for this account, its owner takes back.
    decide(&alice, "DELETE", &acme.id).await.is(204);
    acme.get(&status_of(&account_of(&alice))).await.is(404);
    assert_eq!(listed(&alice).await.len(), 1);
}

on_both_engines!(partners_that_are_not_there_are_not_found);
async fn partners_that_are_not_there_are_not_found(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let acme = partner(app, "Acme").await;
    for id in [NOBODY, "x", &acme.id.replace('0', "1")] {
        for method in ["PUT", "DELETE"] {
            decide(&alice, method, id).await.is(404).refuses("not-found");
        }
    }
    // A disabled one sees nothing and cannot be let in; its consent can be taken back.
    decide(&alice, "PUT", &acme.id).await.is(204);
    clients::disable(&app.cx(), acme.client()).await.unwrap();
    assert_eq!(listed(&alice).await, Vec::<Value>::new());
    decide(&alice, "PUT", &acme.id).await.is(404).refuses("not-found");
    decide(&alice, "DELETE", &acme.id).await.is(204);
    let stale = alice.send("PUT", &format!("{PARTNERS}/{}", acme.id), &[("If-Match", "\"77\"")], None).await;
    stale.is(412).refuses("version-mismatch");
    alice.send("PUT", &format!("{PARTNERS}/{}", acme.id), &[], Some(&json!({"x": 1}))).await.is(400);
    alice.send("POST", &format!("{PARTNERS}/{}", acme.id), &[], None).await.is(405);
}
