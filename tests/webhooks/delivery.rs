//! What is sent, when, and what follows from the answer.

use crate::{
    on_both_engines,
    receiver::{Manner::*, Receiver, Seen},
    stand::{WEBHOOKS, acme, add, log_of, number, tell, until},
    support::{
        TestApp,
        behind::{count, tamper},
        partner::{PARTNERS, partner},
        person::DISABLE,
    },
};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::SeqCst},
    },
    thread,
    time::Duration,
};

fn said(seen: &Seen) -> Value {
    serde_json::from_str(&seen.body).unwrap()
}

on_both_engines!(a_message_says_what_happened_and_nothing_else, |config| config.webhooks.private = true);
async fn a_message_says_what_happened_and_nothing_else(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(204, "")), acme(app).await);
    let (one, _) = add(&acme, &receiver.url()).await;
    tell(app);
    let alice = app.person("alice").await.with_two_factor().await;
    alice.post(DISABLE, &json!({"password": alice.password})).await.is(200);
    let mut seen = receiver.expect(2).await;
    seen.sort_by_key(|seen| serde_json::from_str::<Value>(&seen.body).unwrap()["data"]["seq"].as_i64());
    let said: Vec<Value> = seen.iter().map(|seen| serde_json::from_str(&seen.body).unwrap()).collect();
    assert_eq!((&said[0]["type"], &said[1]["type"]), (&json!("two_factor.enabled"), &json!("two_factor.disabled")));
    assert_eq!((&said[0]["data"]["protected"], &said[1]["data"]["protected"]), (&json!(true), &json!(false)));
    assert!(said[0]["data"]["seq"].as_i64() < said[1]["data"]["seq"].as_i64(), "{said:?}");
    assert_eq!(said[0]["data"]["restricted_until"], json!(null));
    assert!(said[1]["data"]["restricted_until"].is_string());
    let members: Vec<&String> = said[1].as_object().unwrap().keys().collect();
    assert_eq!(members, ["data", "timestamp", "type"]);
    let members: Vec<&String> = said[1]["data"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["account_id", "protected", "restricted_until", "seq"]);
    let first = &seen[0];
    assert_eq!(first.line, "POST /hooks HTTP/1.1");
    assert_eq!(first.headers["content-type"], "application/json");
    assert_eq!(first.headers["user-agent"], concat!("twofold/", env!("CARGO_PKG_VERSION")));
    assert_eq!(first.headers["webhook-timestamp"], app.now().as_second().to_string());
    until(app, "delivery WHERE state = 'delivered'", 2).await;
    let log = log_of(&acme, &one).await;
    assert_eq!((&log[0]["status"], &log[0]["attempts"], &log[0]["error"]), (&json!(204), &json!(1), &json!(null)));
    let ids: BTreeSet<&str> = log.iter().map(|entry| entry["event_id"].as_str().unwrap()).collect();
    assert_eq!(ids, seen.iter().map(|seen| seen.id()).collect());
}

on_both_engines!(what_was_not_taken_is_sent_again_under_its_id_and_with_the_time_of_then, |config| {
    config.webhooks.private = true;
});
async fn what_was_not_taken_is_sent_again_under_its_id_and_with_the_time_of_then(app: &TestApp) {
    let receiver = Receiver::start(|n| if n < 2 { Answers(500, "") } else { Answers(200, "") });
    let acme = acme(app).await;
    let (one, _) = add(&acme, &receiver.url()).await;
    tell(app);
    app.person("alice").await.with_two_factor().await;
    receiver.expect(1).await;
    until(app, "webhook WHERE failing_since IS NOT NULL", 1).await;
    app.pass(7);
    receiver.expect(2).await;
    // While the second attempt is in hand, the row says what came of the first; it is due far later once that is settled.
    let later = app.now().as_millisecond() + 200_000;
    until(app, &format!("delivery WHERE attempts = 2 AND status = 500 AND due_at > {later}"), 1).await;
    app.pass(400);
    let seen = receiver.expect(3).await;
    until(app, "delivery WHERE state = 'delivered' AND attempts = 3 AND error IS NULL", 1).await;
    assert!(seen.iter().all(|again| again.id() == seen[0].id() && again.body == seen[0].body));
    let times: BTreeSet<&String> = seen.iter().map(|seen| &seen.headers["webhook-timestamp"]).collect();
    assert_eq!(times.len(), 3);
    assert_eq!(count(app, "webhook WHERE failing_since IS NULL"), 1);
    acme.send("POST", &format!("{one}/deliveries/1/replay"), &[], None).await.is(429);
    app.pass(60);
    acme.send("POST", &format!("{one}/deliveries/1/replay"), &[], None).await.is(202);
    assert_eq!(receiver.expect(4).await[3].id(), seen[0].id());
}

on_both_engines!(who_asks_for_time_is_left_alone_for_it, |config| config.webhooks.private = true);
async fn who_asks_for_time_is_left_alone_for_it(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(429, "Retry-After: 1200")), acme(app).await);
    let (one, _) = add(&acme, &receiver.url()).await;
    tell(app);
    app.person("alice").await.with_two_factor().await;
    receiver.expect(1).await;
    until(app, "delivery WHERE status = 429", 1).await;
    let due: jiff::Timestamp = log_of(&acme, &one).await[0]["next_attempt_at"].as_str().unwrap().parse().unwrap();
    assert_eq!(due.as_second() - app.now().as_second(), 1200);
}

on_both_engines!(who_answers_410_is_told_nothing_more, |config| config.webhooks.private = true);
async fn who_answers_410_is_told_nothing_more(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(410, "")), acme(app).await);
    let (one, _) = add(&acme, &receiver.url()).await;
    tell(app);
    app.person("alice").await.with_two_factor().await;
    until(app, "webhook WHERE disabled_because = 'gone'", 1).await;
    until(app, "delivery WHERE state = 'dead'", 1).await;
    app.person("bob").await.with_two_factor().await;
    number(app).await;
    assert_eq!(count(app, "delivery"), 1, "nothing is made for it");
    let webhook = acme.get(&one).await.is(200).body;
    assert_eq!((&webhook["enabled"], &webhook["disabled_because"]), (&json!(false), &json!("gone")));
    acme.send("PATCH", &one, &[], Some(&json!({"enabled": true}))).await.is(200);
    acme.send("POST", &format!("{one}/deliveries/1/replay"), &[], None).await.is(202);
    receiver.expect(2).await;
}

on_both_engines!(that_nobody_is_at_an_old_address_ends_nothing_at_the_new_one, |config| config.webhooks.private = true);
async fn that_nobody_is_at_an_old_address_ends_nothing_at_the_new_one(app: &TestApp) {
    let (moved, waits) = (Arc::<AtomicBool>::default(), Arc::<AtomicBool>::default());
    let (moving, waiting) = (moved.clone(), waits.clone());
    // It answers 410 only once the webhook is somewhere else.
    let old = Receiver::start(move |_| {
        waiting.store(true, SeqCst);
        while !moving.load(SeqCst) {
            thread::sleep(Duration::from_millis(5));
        }
        Answers(410, "")
    });
    let (new, acme) = (Receiver::start(|_| Answers(204, "")), acme(app).await);
    let (one, _) = add(&acme, &old.url()).await;
    tell(app);
    app.person("alice").await.with_two_factor().await;
    while !waits.load(SeqCst) {
        actix_web::rt::time::sleep(Duration::from_millis(5)).await;
    }
    acme.send("PATCH", &one, &[], Some(&json!({"url": new.url()}))).await.is(200);
    moved.store(true, SeqCst);
    until(app, "delivery WHERE state = 'waiting' AND status = 410 AND error IS NOT NULL", 1).await;
    let webhook = acme.get(&one).await.is(200).body;
    assert_eq!((&webhook["enabled"], &webhook["failing_since"]), (&json!(true), &json!(null)));
    app.pass(7);
    assert_eq!(new.expect(1).await[0].id(), old.seen()[0].id());
    until(app, "delivery WHERE state = 'delivered'", 1).await;
}

on_both_engines!(a_secret_that_we_cannot_read_is_no_fault_of_the_receivers, |config| config.webhooks.private = true);
async fn a_secret_that_we_cannot_read_is_no_fault_of_the_receivers(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(204, "")), acme(app).await);
    add(&acme, &receiver.url()).await;
    let nonsense = if app.config.database_url.starts_with("sqlite") { "x'00'" } else { r"'\x00'" };
    tamper(app, &format!("UPDATE webhook SET previous = secret, secret = {nonsense}"));
    tell(app);
    app.person("alice").await.with_two_factor().await;
    until(app, "delivery WHERE state = 'waiting' AND attempts = 1 AND error IS NOT NULL", 1).await;
    app.pass(72 * 3600 + 60);
    // It is noted, too: what is in somebody's hands is due again sooner.
    let later = app.now().as_millisecond() + 200_000;
    until(app, &format!("delivery WHERE state = 'waiting' AND attempts = 2 AND due_at > {later}"), 1).await;
    assert_eq!(count(app, "webhook WHERE disabled_at IS NULL AND failing_since IS NULL"), 1);
    tamper(app, "UPDATE webhook SET secret = previous, previous = NULL");
    app.pass(600);
    receiver.expect(1).await;
}

on_both_engines!(a_webhook_that_cannot_be_read_holds_up_nobody_elses, |config| config.webhooks.private = true);
async fn a_webhook_that_cannot_be_read_holds_up_nobody_elses(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(204, "")), acme(app).await);
    let (broken, _) = add(&acme, &receiver.url()).await;
    add(&acme, &receiver.url()).await;
    let id = broken.rsplit('/').next().unwrap();
    tamper(app, &format!("UPDATE webhook SET kinds = 'of.tomorrow', url = 'nowhere' WHERE id = '{id}'"));
    tell(app);
    app.person("alice").await.with_two_factor().await;
    receiver.expect(1).await;
    until(app, "delivery WHERE state = 'delivered'", 1).await;
    until(
        app,
        &format!("delivery WHERE state = 'waiting' AND attempts = 1 AND error IS NOT NULL AND target = '{id}'"),
        1,
    )
    .await;
    tamper(app, &format!("UPDATE webhook SET kinds = NULL, url = '{}' WHERE id = '{id}'", receiver.url()));
    app.pass(7);
    let seen = receiver.expect(2).await;
    assert_eq!(seen[0].id(), seen[1].id(), "it missed nothing");
}

on_both_engines!(who_takes_nothing_for_three_days_is_given_up, |config| config.webhooks.private = true);
async fn who_takes_nothing_for_three_days_is_given_up(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(503, "")), acme(app).await);
    add(&acme, &receiver.url()).await;
    tell(app);
    app.person("alice").await.with_two_factor().await;
    until(app, "webhook WHERE failing_since IS NOT NULL", 1).await;
    app.pass(72 * 3600 - 60);
    receiver.expect(2).await;
    until(app, "delivery WHERE attempts = 2 AND status = 503", 1).await;
    assert_eq!(count(app, "webhook WHERE disabled_at IS NULL"), 1);
    app.pass(400);
    until(app, "webhook WHERE disabled_because = 'failing'", 1).await;
    until(app, "delivery WHERE state = 'dead'", 1).await;
}

on_both_engines!(what_a_client_may_see_no_more_is_not_sent, |config| config.webhooks.private = true);
async fn what_a_client_may_see_no_more_is_not_sent(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(200, "")), partner(app, "Acme").await);
    add(&acme, &receiver.url()).await;
    let alice = app.person("alice").await;
    acme.is_allowed(&alice.email).await;
    let alice = alice.with_two_factor().await;
    number(app).await;
    assert_eq!(count(app, "delivery WHERE kind = 'two_factor.enabled'"), 1);
    alice.send("DELETE", &format!("{PARTNERS}/{}", acme.id), &[], None).await.is(204);
    tell(app);
    until(app, "delivery WHERE state = 'dead' AND attempts = 1 AND kind = 'two_factor.enabled'", 1).await;
    receiver.expect(2).await;
    let kinds: BTreeSet<String> = receiver.seen().iter().map(|seen| said(seen)["type"].to_string()).collect();
    assert_eq!(kinds, ["\"partner.allowed\"", "\"partner.refused\""].map(str::to_owned).into());
}

on_both_engines!(who_sees_an_account_again_is_told_that_it_did_not_and_how_it_stands, |config| {
    config.webhooks.private = true;
});
async fn who_sees_an_account_again_is_told_that_it_did_not_and_how_it_stands(app: &TestApp) {
    let (receiver, others) = (Receiver::start(|_| Answers(200, "")), Receiver::start(|_| Answers(200, "")));
    let (partner, all) = (partner(app, "Partner").await, acme(app).await);
    add(&partner, &receiver.url()).await;
    add(&all, &others.url()).await;
    tell(app);
    let alice = app.person("alice").await.with_two_factor().await;
    // Numbered before the consent, and so told to who sees all alone.
    others.expect(1).await;
    partner.is_allowed(&alice.email).await;
    let path = format!("{PARTNERS}/{}", partner.id);
    receiver.expect(1).await;
    alice.send("DELETE", &path, &[], None).await.is(204);
    receiver.expect(2).await;
    alice.disable(json!({})).await.is(200);
    others.expect(2).await;
    alice.sign_in().await;
    alice.send("PUT", &path, &[], None).await.is(204);
    let mut told: Vec<Value> = receiver.expect(3).await.iter().map(said).collect();
    told.sort_by_key(|message| message["data"]["seq"].as_i64());
    let standing = |message: &Value| (message["type"].clone(), message["data"]["protected"].clone());
    let expected = [("partner.allowed", true), ("partner.refused", true), ("partner.allowed", false)]
        .map(|(kind, on)| (json!(kind), json!(on)));
    assert_eq!(told.iter().map(standing).collect::<Vec<_>>(), expected);
    assert!(told[2]["data"]["restricted_until"].is_string());
    let members: Vec<&String> = told[2]["data"].as_object().unwrap().keys().collect();
    assert_eq!(members, ["account_id", "protected", "restricted_until", "seq"]);
    until(app, "delivery WHERE state = 'delivered'", 5).await;
    assert_eq!(others.seen().len(), 2, "that one sees an account is nobody else's business");
}

on_both_engines!(what_was_withdrawn_is_not_held_against_a_webhook, |config| config.webhooks.private = true);
async fn what_was_withdrawn_is_not_held_against_a_webhook(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(503, "")), partner(app, "Acme").await);
    acme.post(WEBHOOKS, &json!({"url": receiver.url(), "kinds": ["two_factor.enabled"]})).await.is(201);
    tell(app);
    let alice = app.person("alice").await;
    acme.is_allowed(&alice.email).await;
    let alice = alice.with_two_factor().await;
    until(app, "webhook WHERE failing_since IS NOT NULL", 1).await;
    alice.send("DELETE", &format!("/account/security/partners/{}", acme.id), &[], None).await.is(204);
    app.pass(600);
    until(app, "delivery WHERE state = 'dead' AND attempts = 2", 1).await;
    assert_eq!(count(app, "webhook WHERE failing_since IS NULL AND disabled_at IS NULL"), 1);
}

on_both_engines!(an_address_that_became_private_is_not_connected_to);
async fn an_address_that_became_private_is_not_connected_to(app: &TestApp) {
    let (receiver, acme) = (Receiver::start(|_| Answers(200, "")), acme(app).await);
    let port = receiver.port;
    let urls = ["https://localhost", "https://localhost.localdomain", "https://127.0.0.1", "https://[::ffff:7f00:1]"];
    for url in urls.into_iter().chain(["http://127.0.0.1"]) {
        let (one, _) = add(&acme, "https://partner.example/hooks").await;
        let id = one.rsplit('/').next().unwrap();
        tamper(app, &format!("UPDATE webhook SET url = '{url}:{port}/' WHERE id = '{id}'"));
    }
    tell(app);
    app.person("alice").await.with_two_factor().await;
    until(app, "delivery WHERE attempts = 1 AND error IS NOT NULL AND status IS NULL", 5).await;
    assert!(receiver.seen().is_empty());
}
