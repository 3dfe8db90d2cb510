//! Webhooks as their client keeps them.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::{count, tamper},
        partner::{PARTNERS, Partner, newcomer, partner},
        reply::Reply,
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use twofold::{
    actions::{
        operator::{Whom, delete::delete},
        outbox,
    },
    domain::{account::Email, delivery::Target},
};

const WEBHOOKS: &str = "/partner/webhooks";
const NOBODY: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

async fn add(acme: &Partner<'_>) -> Reply {
    acme.post(WEBHOOKS, &json!({"url": "https://partner.example/hooks"})).await.is(201)
}

async fn patch(acme: &Partner<'_>, path: &str, body: &Value) -> Reply {
    acme.send("PATCH", path, &[], Some(body)).await
}

on_both_engines!(a_secret_is_shown_once_and_lies_sealed);
async fn a_secret_is_shown_once_and_lies_sealed(app: &TestApp) {
    let acme = partner(app, "Acme").await;
    let body = json!({
        "url": "https://Partner.example:443/a/../hooks", "kinds": ["two_factor.disabled", "account.deleted"],
        "description": " risk desk "
    });
    let added = acme.post(WEBHOOKS, &body).await.is(201);
    let one = added.header("location").unwrap().to_owned();
    assert!(added.text("/secret").starts_with("whsec_") && added.text("/secret").len() == 50);
    assert_eq!(added.text("/webhook/url"), "https://partner.example/hooks");
    assert_eq!(added.text("/webhook/description"), "risk desk");
    assert_eq!(added.body["webhook"]["kinds"], body["kinds"]);
    let read = acme.get(&one).await.is(200);
    assert_eq!(read.body, added.body["webhook"]);
    assert_eq!(acme.get(WEBHOOKS).await.is(200).body, json!({"webhooks": [read.body]}));
    let rotated = acme.send("POST", &format!("{one}/rotate-secret"), &[], None).await.is(200);
    assert_ne!(rotated.text("/secret"), added.text("/secret"));
    assert_eq!(acme.get(&one).await.body["previous_secret_until"], rotated.body["previous_secret_until"]);
    acme.send("DELETE", &one, &[], None).await.is(204);
    acme.get(&one).await.is(404).refuses("not-found");
    acme.send("DELETE", &one, &[], None).await.is(404);
}

on_both_engines!(another_clients_webhook_is_not_there);
async fn another_clients_webhook_is_not_there(app: &TestApp) {
    let (acme, other) = (partner(app, "Acme").await, partner(app, "Other").await);
    let one = add(&acme).await.header("location").unwrap().to_owned();
    let told = |reply: Reply| (reply.status, reply.text("/code"), reply.text("/detail"));
    for path in [one.as_str(), &format!("{WEBHOOKS}/{NOBODY}"), &format!("{WEBHOOKS}/x")] {
        let replies = [
            other.get(path).await,
            patch(&other, path, &json!({"enabled": false})).await,
            other.send("DELETE", path, &[], None).await,
            other.send("POST", &format!("{path}/rotate-secret"), &[], None).await,
            other.get(&format!("{path}/deliveries")).await,
            other.send("POST", &format!("{path}/deliveries/1/replay"), &[], None).await,
        ];
        for reply in replies {
            let expected = told(other.get(&format!("{WEBHOOKS}/{NOBODY}")).await);
            assert_eq!(told(reply), expected, "{path}");
        }
    }
    assert_eq!(other.get(WEBHOOKS).await.is(200).body, json!({"webhooks": []}));
    assert_eq!(acme.get(&one).await.is(200).body["enabled"], true);
}

on_both_engines!(who_may_keep_no_webhooks_is_told_so_before_anything_is_read);
async fn who_may_keep_no_webhooks_is_told_so_before_anything_is_read(app: &TestApp) {
    let acme = newcomer(app, "Acme", "2fa:read events:read", true).await;
    acme.take_token("").await;
    let refused = acme.post(WEBHOOKS, &json!({"nonsense": 1})).await.is(403).refuses("not-permitted");
    assert!(refused.header("www-authenticate").unwrap().contains("scope=\"webhooks:manage\""));
    acme.get(WEBHOOKS).await.is(403);
    patch(&acme, &format!("{WEBHOOKS}/{NOBODY}"), &json!({"x": 1})).await.is(403);
}

on_both_engines!(what_is_wrong_with_a_webhook_is_named);
async fn what_is_wrong_with_a_webhook_is_named(app: &TestApp) {
    let acme = partner(app, "Acme").await;
    let one = add(&acme).await.header("location").unwrap().to_owned();
    let url = "https://partner.example/";
    for (body, pointer) in [
        (json!({"url": "http://partner.example/"}), "/url"),
        (json!({"url": "https://localhost./"}), "/url"),
        (json!({"url": "https://[::ffff:169.254.169.254]/"}), "/url"),
        (json!({"url": url, "kinds": []}), "/kinds"),
        (json!({"url": url, "kinds": ["login.succeeded"]}), "/kinds"),
        (json!({"url": url, "description": ""}), "/description"),
    ] {
        let reply = acme.post(WEBHOOKS, &body).await.is(422).refuses("validation-failed");
        assert_eq!(reply.body["errors"][0]["pointer"], pointer, "{body}");
        patch(&acme, &one, &body).await.is(422);
    }
    let unknown = acme.post(WEBHOOKS, &json!({"url": url, "kinds": ["two_factor.off"]})).await.is(422);
    let named = unknown.text("/errors/0/detail");
    assert!(named.contains("two_factor.disabled, ") && !named.contains("login.succeeded"), "{named}");
    for body in [json!({}), json!({"url": url, "secret": "x"}), json!({"url": null}), json!({"url": url, "kinds": "x"})]
    {
        acme.post(WEBHOOKS, &body).await.is(400).refuses("malformed-request");
    }
    for body in [json!({"enabled": null}), json!({"url": null}), json!({"secret": "x"})] {
        patch(&acme, &one, &body).await.is(400);
    }
    acme.send("POST", WEBHOOKS, &[("If-Match", "\"1\"")], Some(&json!({"url": url}))).await.is(412);
    assert_eq!(count(app, "webhook"), 1);
}

on_both_engines!(a_webhook_changes_as_far_as_it_is_told_to);
async fn a_webhook_changes_as_far_as_it_is_told_to(app: &TestApp) {
    let acme = partner(app, "Acme").await;
    let one = add(&acme).await.header("location").unwrap().to_owned();
    let changed = patch(&acme, &one, &json!({"kinds": ["two_factor.enabled"], "description": "x"})).await.is(200);
    assert_eq!(changed.text("/url"), "https://partner.example/hooks");
    let changed = patch(&acme, &one, &json!({"kinds": null, "description": null, "enabled": false})).await.is(200);
    assert_eq!((&changed.body["kinds"], &changed.body["description"]), (&json!(null), &json!(null)));
    assert_eq!((changed.text("/disabled_because"), &changed.body["enabled"]), ("asked".to_owned(), &json!(false)));
    assert_eq!(patch(&acme, &one, &json!({})).await.is(200).body, changed.body);
    let enabled = patch(&acme, &one, &json!({"enabled": true})).await.is(200);
    assert_eq!(enabled.body["disabled_at"], json!(null));
}

on_both_engines!(a_client_has_ten_webhooks_however_many_it_asks_for_at_once);
async fn a_client_has_ten_webhooks_however_many_it_asks_for_at_once(app: &TestApp) {
    let acme = partner(app, "Acme").await;
    let body = json!({"url": "https://partner.example/hooks"});
    let replies = join_all((0..16).map(|_| acme.post(WEBHOOKS, &body))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 201).count(), 10);
    for reply in replies.into_iter().filter(|reply| reply.status != 201) {
        reply.is(409).refuses("too-many-webhooks");
    }
    assert_eq!(count(app, "webhook"), 10);
}

async fn number(app: &TestApp) {
    while outbox::number(app.rooms()).await.unwrap_or(1) > 0 {}
}

on_both_engines!(who_is_told_is_who_sees_the_account_and_asked_for_it);
async fn who_is_told_is_who_sees_the_account_and_asked_for_it(app: &TestApp) {
    let acme = partner(app, "Acme").await;
    let all = newcomer(app, "All", "webhooks:manage", true).await;
    all.take_token("").await;
    add(&acme).await;
    add(&all).await;
    let body = json!({"url": "https://partner.example/hooks", "kinds": ["account.deleted"]});
    acme.post(WEBHOOKS, &body).await.is(201);
    let alice = app.person("alice").await.with_two_factor().await;
    number(app).await;
    assert_eq!(count(app, "delivery"), 1, "who sees all, and not who was not let");
    acme.is_allowed(&alice.email).await;
    let bob = app.person("bob").await.with_two_factor().await;
    alice.post("/account/security/2fa/disable", &json!({"password": alice.password})).await.is(200);
    number(app).await;
    assert_eq!(count(app, "delivery WHERE kind = 'two_factor.disabled'"), 2);
    assert_eq!(count(app, "delivery WHERE kind = 'two_factor.enabled'"), 2, "bob's is told to who sees all");
    assert_eq!(
        count(app, "delivery WHERE kind = 'partner.allowed'"),
        1,
        "to the one that it names, and to nobody else"
    );
    drop(bob);
}

on_both_engines!(deliveries_are_listed_by_page_and_state_and_made_again);
async fn deliveries_are_listed_by_page_and_state_and_made_again(app: &TestApp) {
    let all = newcomer(app, "All", "webhooks:manage", true).await;
    all.take_token("").await;
    let one = add(&all).await.header("location").unwrap().to_owned();
    for name in ["alice", "bob", "carol"] {
        app.person(name).await.with_two_factor().await;
    }
    number(app).await;
    tamper(
        app,
        "UPDATE delivery SET state = 'dead', attempts = 10, ended_at = created_at, status = 500, error = 'x' WHERE position = 2",
    );
    let first = all.get(&format!("{one}/deliveries?limit=2")).await.is(200);
    assert_eq!(first.body["deliveries"][0]["n"], 3);
    let next = first.text("/next_cursor");
    let second = all.get(&format!("{one}/deliveries?limit=2&cursor={next}")).await.is(200);
    assert_eq!((&second.body["deliveries"][0]["n"], &second.body["next_cursor"]), (&json!(1), &json!(null)));
    let dead = all.get(&format!("{one}/deliveries?state=dead")).await.is(200);
    assert_eq!(dead.body["deliveries"].as_array().unwrap().len(), 1);
    assert_eq!((&dead.body["deliveries"][0]["status"], &dead.body["deliveries"][0]["n"]), (&json!(500), &json!(2)));
    for query in ["limit=0", "limit=101", "state=lost", "cursor=x", "x=1"] {
        all.get(&format!("{one}/deliveries?{query}")).await.is(400);
    }
    let replay = format!("{one}/deliveries/2/replay");
    all.send("POST", &replay, &[], None).await.is(202);
    all.send("POST", &replay, &[], None).await.is(202);
    let again = all.get(&format!("{one}/deliveries?state=waiting")).await.is(200);
    assert_eq!((&again.body["deliveries"][1]["attempts"], &again.body["deliveries"][1]["n"]), (&json!(0), &json!(2)));
    for n in ["0", "4", "-1", "x"] {
        all.send("POST", &format!("{one}/deliveries/{n}/replay"), &[], None).await.is(404);
    }
    let now = app.now().as_millisecond();
    tamper(app, &format!("UPDATE delivery SET state = 'delivered', ended_at = {now} WHERE position = 2"));
    all.send("POST", &replay, &[], None).await.is(429).refuses("too-many-attempts");
    app.pass(60);
    all.send("POST", &replay, &[], None).await.is(202);
    patch(&all, &one, &json!({"enabled": false})).await.is(200);
    all.send("POST", &replay, &[], None).await.is(409).refuses("webhook-disabled");
}

on_both_engines!(a_delivery_that_waits_is_made_now_when_it_is_asked_for_unless_it_is_in_hand);
async fn a_delivery_that_waits_is_made_now_when_it_is_asked_for_unless_it_is_in_hand(app: &TestApp) {
    let all = newcomer(app, "All", "webhooks:manage", true).await;
    all.take_token("").await;
    let added = add(&all).await;
    let one = added.header("location").unwrap().to_owned();
    let wanted = vec![(Target::Webhook(added.text("/webhook/id").parse().unwrap()), 8)];
    app.person("alice").await.with_two_factor().await;
    number(app).await;
    let replay = format!("{one}/deliveries/1/replay");
    assert_eq!(outbox::exchange(app.rooms(), &[], wanted.clone()).await.unwrap().len(), 1);
    all.send("POST", &replay, &[], None).await.is(202);
    assert!(outbox::exchange(app.rooms(), &[], wanted.clone()).await.unwrap().is_empty(), "somebody has it in hand");
    let in_hours = app.now().as_millisecond() + 7_200_000;
    tamper(app, &format!("UPDATE delivery SET attempts = 4, due_at = {in_hours}, status = 500, error = 'x'"));
    assert!(outbox::exchange(app.rooms(), &[], wanted.clone()).await.unwrap().is_empty());
    all.send("POST", &replay, &[], None).await.is(202);
    let listed = all.get(&format!("{one}/deliveries")).await.is(200);
    let waits = &listed.body["deliveries"][0];
    assert_eq!((&waits["attempts"], &waits["state"]), (&json!(4), &json!("waiting")));
    assert_eq!(waits["next_attempt_at"], json!(app.now()));
    let made = outbox::exchange(app.rooms(), &[], wanted).await.unwrap();
    assert_eq!(made.iter().map(|parcel| parcel.attempts).collect::<Vec<_>>(), [5], "the schedule goes on");
}

on_both_engines!(who_sees_an_account_is_told_of_its_end_and_who_saw_it_once_is_not);
async fn who_sees_an_account_is_told_of_its_end_and_who_saw_it_once_is_not(app: &TestApp) {
    let (acme, former, other) = (partner(app, "Acme").await, partner(app, "Former").await, partner(app, "Other").await);
    let hook = add(&acme).await.text("/webhook/id");
    add(&former).await;
    add(&other).await;
    let alice = app.person("alice").await;
    former.is_allowed(&alice.email).await;
    let alice = alice.with_two_factor().await;
    number(app).await;
    assert_eq!(count(app, "delivery"), 2, "one was told that it saw it, and of what it saw");
    alice.send("DELETE", &format!("{PARTNERS}/{}", former.id), &[], None).await.is(204);
    acme.is_allowed(&alice.email).await;
    let whom = Whom::Email(Email::parse(&alice.email, "").unwrap());
    delete(&app.cx(), whom).await.unwrap().unwrap();
    number(app).await;
    assert_eq!(count(app, &format!("delivery WHERE kind = 'account.deleted' AND target = '{hook}'")), 1);
    assert_eq!(count(app, "delivery"), 3, "and nobody else is told of anything");
}
