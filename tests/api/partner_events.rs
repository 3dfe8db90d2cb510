//! What a partner's program is told of what happens, from a cursor on.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::tamper,
        desk::account_of,
        partner::{PARTNERS, Partner, newcomer, partner},
        person::Person,
        reply::Reply,
    },
};
use serde_json::{Value, json};
use twofold::{
    actions::{
        operator::{Whom, delete::delete},
        outbox,
    },
    domain::account::Email,
};

const FEED: &str = "/partner/events";

async fn page(acme: &Partner<'_>, cursor: &str, limit: u8) -> Reply {
    // Numbers are given after the commit, by whoever comes first.
    while outbox::number(acme.app.rooms()).await.unwrap() > 0 {}
    acme.get(&format!("{FEED}?limit={limit}&cursor={cursor}")).await
}

/// All that a partner is told after a cursor, a page at a time, and the cursor at its end.
async fn follow(acme: &Partner<'_>, cursor: &str, limit: u8) -> (Vec<Value>, String) {
    let (mut told, mut cursor) = (Vec::new(), cursor.to_owned());
    loop {
        let page = page(acme, &cursor, limit).await.is(200);
        let next = page.text("/next_cursor");
        told.extend(page.body["events"].as_array().unwrap().iter().cloned());
        if next == cursor {
            return (told, cursor);
        }
        cursor = next;
    }
}

fn kinds(told: &[Value]) -> Vec<&str> {
    told.iter().map(|event| event["type"].as_str().unwrap()).collect()
}

on_both_engines!(a_partner_follows_what_happens_to_the_accounts_that_it_sees);
async fn a_partner_follows_what_happens_to_the_accounts_that_it_sees(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let acme = partner(app, "Acme").await;
    acme.is_allowed(&alice.email).await;
    let (told, cursor) = follow(&acme, "0", 1).await;
    assert_eq!(kinds(&told), ["two_factor.enabled", "partner.allowed"]);
    alice.disable(json!({})).await.is(200);
    bob.disable(json!({})).await.is(200);
    let (told, end) = follow(&acme, &cursor, 100).await;
    assert_eq!(kinds(&told), ["two_factor.disabled"]);
    let event = &told[0];
    assert_eq!((&event["account_id"], &event["protected"]), (&json!(account_of(&alice)), &json!(false)));
    let until: jiff::Timestamp = event["restricted_until"].as_str().unwrap().parse().unwrap();
    assert_eq!(until.as_second() - app.now().as_second(), 86_400);
    assert!(event["seq"].as_i64().unwrap() > 0 && event["id"].is_string() && event.as_object().unwrap().len() == 7);
    assert_eq!(follow(&acme, &end, 100).await.0, Vec::<Value>::new());
    // Who sees every account is told of every account, once, in pages of any size.
    let all = newcomer(app, "Everything", "events:read", true).await;
    all.take_token("").await;
    let whole = follow(&all, "0", 100).await;
    assert_eq!(kinds(&whole.0).len(), 4);
    assert_eq!(follow(&all, "0", 1).await, whole);
}

async fn decide(alice: &Person<'_>, method: &str, acme: &Partner<'_>) {
    alice.send(method, &format!("{PARTNERS}/{}", acme.id), &[], None).await.is(204);
}

on_both_engines!(a_partner_is_told_that_it_did_not_see_and_how_the_account_stands_when_it_sees_again);
async fn a_partner_is_told_that_it_did_not_see_and_how_the_account_stands_when_it_sees_again(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (acme, other) = (partner(app, "Acme").await, partner(app, "Other").await);
    let all = newcomer(app, "Everything", "events:read", true).await;
    all.take_token("").await;
    acme.is_allowed(&alice.email).await;
    other.is_allowed(&alice.email).await;
    let (_, cursor) = follow(&acme, "0", 100).await;
    decide(&alice, "DELETE", &acme).await;
    alice.disable(json!({})).await.is(200);
    // It asks while it sees nothing, and its cursor moves past the disable.
    let (told, cursor) = follow(&acme, &cursor, 100).await;
    assert_eq!(kinds(&told), ["partner.refused"]);
    let refused = &told[0];
    assert_eq!((&refused["account_id"], &refused["protected"]), (&json!(account_of(&alice)), &json!(true)));
    alice.sign_in().await;
    decide(&alice, "PUT", &acme).await;
    let (told, cursor) = follow(&acme, &cursor, 100).await;
    assert_eq!(kinds(&told), ["partner.allowed"]);
    let allowed = &told[0];
    assert_eq!((&allowed["account_id"], &allowed["protected"]), (&json!(account_of(&alice)), &json!(false)));
    assert!(allowed["restricted_until"].is_string() && allowed.as_object().unwrap().len() == 7, "{allowed}");
    assert!(allowed["seq"].as_i64() > refused["seq"].as_i64());
    // What the operator decides is told alike.
    acme.is_refused(&alice.email).await;
    let (told, cursor) = follow(&acme, &cursor, 100).await;
    assert_eq!(kinds(&told), ["partner.refused"]);
    acme.is_allowed(&alice.email).await;
    assert_eq!(kinds(&follow(&acme, &cursor, 1).await.0), ["partner.allowed"]);
    // Nobody is told of anybody else's, however much of the account they see.
    let of_other = follow(&other, "0", 100).await.0;
    assert_eq!(kinds(&of_other), ["two_factor.enabled", "partner.allowed", "two_factor.disabled"]);
    assert_eq!(kinds(&follow(&all, "0", 100).await.0), ["two_factor.enabled", "two_factor.disabled"]);
}

on_both_engines!(of_a_deleted_account_a_partner_is_not_told_that_it_saw_it);
async fn of_a_deleted_account_a_partner_is_not_told_that_it_saw_it(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let acme = partner(app, "Acme").await;
    acme.is_allowed(&alice.email).await;
    decide(&alice, "DELETE", &acme).await;
    assert_eq!(kinds(&follow(&acme, "0", 100).await.0), ["partner.allowed", "partner.refused"]);
    let whom = Whom::Email(Email::parse(&alice.email, "").unwrap());
    delete(&app.cx(), whom).await.unwrap().unwrap();
    assert_eq!(follow(&acme, "0", 100).await.0, Vec::<Value>::new());
}

on_both_engines!(a_long_gap_of_others_events_moves_the_cursor_on);
async fn a_long_gap_of_others_events_moves_the_cursor_on(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let acme = partner(app, "Acme").await;
    acme.is_allowed(&alice.email).await;
    let (_, cursor) = follow(&acme, "0", 100).await;
    let from: i64 = cursor.parse().unwrap();
    let numbers = "WITH RECURSIVE numbers (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM numbers WHERE i < 1200)";
    let columns = "(id, account_id, kind, at, seq, recipient, locale, facts, position)";
    let values = format!(
        "SELECT 'gap-' || CAST(i AS TEXT), 'nobody', 'two_factor.disabled', {at}, i, NULL, 'en', '{{}}', {from} + i",
        at = app.now().as_millisecond()
    );
    tamper(app, &format!("INSERT INTO announcement {columns} {numbers} {values} FROM numbers"));
    tamper(app, &format!("UPDATE feed SET position = {from} + 1200"));
    alice.disable(json!({})).await.is(200);
    let first = page(&acme, &cursor, 100).await.is(200);
    assert_eq!((first.body["events"].clone(), first.text("/next_cursor")), (json!([]), (from + 500).to_string()));
    let (told, end) = follow(&acme, &cursor, 100).await;
    assert_eq!((kinds(&told), end), (vec!["two_factor.disabled"], (from + 1201).to_string()));
    tamper(app, "DELETE FROM announcement WHERE account_id = 'nobody'");
}

on_both_engines!(a_cursor_that_missed_something_is_told_so);
async fn a_cursor_that_missed_something_is_told_so(app: &TestApp) {
    let all = newcomer(app, "Everything", "events:read", true).await;
    all.take_token("").await;
    let (told, cursor) = follow(&all, "0", 10).await;
    assert_eq!((told.len(), cursor.as_str()), (0, "0"));
    let alice = app.person("alice").await.with_two_factor().await;
    alice.disable(json!({})).await.is(200);
    let (told, end) = follow(&all, "0", 10).await;
    assert_eq!(kinds(&told), ["two_factor.enabled", "two_factor.disabled"]);
    tamper(app, "DELETE FROM announcement WHERE kind = 'two_factor.enabled'");
    page(&all, "0", 10).await.is(410).refuses("cursor-expired");
    let oldest = all.get(FEED).await.is(200);
    assert_eq!(kinds(oldest.body["events"].as_array().unwrap()), ["two_factor.disabled"]);
    page(&all, &end, 10).await.is(200);
    let ahead = end.parse::<i64>().unwrap() + 1;
    page(&all, &ahead.to_string(), 10).await.is(410).refuses("cursor-expired");
    for query in ["cursor=x", "cursor=-1&x=1", "limit=0", "limit=101", "limit=1&limit=2"] {
        all.get(&format!("{FEED}?{query}")).await.is(400).refuses("malformed-request");
    }
}
