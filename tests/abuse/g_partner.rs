//! G: partners' programs act on other people's accounts from outside, so a token does what its scope says, where the
//! account was shown to it, and nothing else.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        desk::{self, account_of},
        partner::{ALL_SCOPES, PARTNERS, Partner, newcomer, partner, status_of, verify_of},
        person::{EVENTS, PASSWORD, Person, SECOND, SESSIONS, STATUS},
        race::race,
        reply::Reply,
    },
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use twofold::actions::operator::clients;

const UNKNOWN: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";
const FEED: &str = "/partner/events";

/// Every operation of partners about an account, each with its scope.
fn operations(id: &str) -> [(&'static str, String, Option<Value>, &'static str); 4] {
    let account = json!({"email": "mallory@example.test"});
    [
        ("GET", status_of(id), None, "2fa:read"),
        ("POST", verify_of(id), Some(json!({"code": "123456"})), "2fa:verify"),
        ("GET", FEED.to_owned(), None, "events:read"),
        ("PUT", format!("/partner/accounts/{id}"), Some(account), "accounts:provision"),
    ]
}

/// A problem without what differs from request to request.
fn told(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    json!([reply.status, body, reply.header("etag"), reply.header("www-authenticate")])
}

on_both_engines!(a_token_does_what_its_scope_says_and_nothing_else);
/// G02: a token for one thing is no token for another, and tells nothing about anybody.
async fn a_token_does_what_its_scope_says_and_nothing_else(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (acme, id) = (partner(app, "Acme").await, account_of(&alice));
    acme.is_allowed(&alice.email).await;
    for own in ALL_SCOPES.split(' ') {
        acme.take_token(own).await;
        for (method, path, body, scope) in operations(&id).into_iter().filter(|(.., scope)| *scope != own) {
            let there = acme.send(method, &path, &[], body.as_ref()).await.is(403).refuses("not-permitted");
            let challenge = format!("Bearer error=\"insufficient_scope\", scope=\"{scope}\"");
            assert_eq!(there.header("www-authenticate"), Some(challenge.as_str()));
            let nowhere = acme.send(method, &path.replace(&id, UNKNOWN), &[], body.as_ref()).await;
            assert_eq!(told(&there), told(&nowhere), "{own} at {path}");
        }
    }
    assert_eq!(count(app, "audit WHERE actor_kind = 'partner'"), 0);
}

on_both_engines!(no_token_of_one_kind_opens_a_door_of_another);
/// F, G02: an owner's token, an agent's with every right, and a partner's are three kinds.
async fn no_token_of_one_kind_opens_a_door_of_another(app: &TestApp) {
    let (alice, carla) = (app.person("alice").await.with_two_factor().await, desk::agent(app, "carla").await);
    let (all, id) = (newcomer(app, "Everything", ALL_SCOPES, true).await, account_of(&alice));
    all.take_token("").await;
    for person in [&alice, &carla] {
        for (method, path, body, _) in operations(&id) {
            let reply = person.send(method, &path, &[], body.as_ref()).await.is(401).refuses("invalid-token");
            assert_eq!(reply.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
        }
    }
    let support = [desk::about(&id, "2fa"), desk::about(&id, "events"), format!("{}?email=x@y", desk::ACCOUNTS)];
    for path in [STATUS, EVENTS, SESSIONS, PARTNERS, "/account/security"].map(str::to_owned).iter().chain(&support) {
        all.get(path).await.is(401).refuses("invalid-token");
    }
    for path in [PASSWORD, "/auth/logout", "/account/security/2fa/disable", &desk::about(&id, desk::RESET)] {
        all.post(path, &json!({"password": alice.password})).await.is(401).refuses("invalid-token");
    }
    alice.get(STATUS).await.is(200);
}

on_both_engines!(an_account_that_a_partner_does_not_see_is_not_there);
/// G01, G02: an id that was guessed, or read elsewhere, is told from no other.
async fn an_account_that_a_partner_does_not_see_is_not_there(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let (acme, other) = (partner(app, "Acme").await, partner(app, "Other").await);
    acme.is_allowed(&alice.email).await;
    other.is_allowed(&bob.email).await;
    let before = count(app, "audit");
    for (partner, foreign) in [(&acme, &bob), (&other, &alice)] {
        let code = json!({"code": foreign.code()});
        for (method, path, body) in
            [("GET", status_of(&account_of(foreign)), None), ("POST", verify_of(&account_of(foreign)), Some(&code))]
        {
            let there = partner.send(method, &path, &[], body).await.is(404).refuses("not-found");
            for id in [UNKNOWN, "x"] {
                let nowhere = partner.send(method, &path.replace(&account_of(foreign), id), &[], body).await;
                assert_eq!(told(&there), told(&nowhere), "{path}");
            }
        }
    }
    // Nor does the guess count: the code is as good as before.
    assert_eq!((count(app, "audit"), count(app, "bucket WHERE scope = 'code'")), (before, 0));
    bob.answer_challenge(json!({"code": bob.fresh_code()})).await.is(200);
}

on_both_engines!(what_is_taken_from_a_client_is_gone_with_the_next_request);
/// G02: a secret that leaked, a partner that left: the token of ten minutes ends at once.
async fn what_is_taken_from_a_client_is_gone_with_the_next_request(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (acme, path) = (partner(app, "Acme").await, status_of(&account_of(&alice)));
    acme.is_allowed(&alice.email).await;
    acme.get(&path).await.is(200);
    acme.rotate(60).await;
    acme.get(&path).await.is(200);
    acme.rotate(0).await;
    acme.get(&path).await.is(401).refuses("invalid-token");
    acme.take_token("").await;
    clients::disable(&app.cx(), acme.client()).await.unwrap();
    for (method, path, body, _) in operations(&account_of(&alice)) {
        acme.send(method, &path, &[], body.as_ref()).await.is(401).refuses("invalid-token");
    }
    clients::enable(&app.cx(), acme.client()).await.unwrap();
    acme.get(&path).await.is(401).refuses("invalid-token");
    acme.take_token("").await;
    acme.get(&path).await.is(200);
    app.pass(600);
    acme.get(&path).await.is(401).refuses("invalid-token");
}

on_both_engines!(one_code_counts_once_wherever_it_is_shown);
/// B, L: at once, at two partners and at the sign-in, again and again: one of fifty gets in.
async fn one_code_counts_once_wherever_it_is_shown(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let mut partners = Vec::new();
        for name in ["Acme", "Other"] {
            let partner = partner(app, name).await;
            partner.is_allowed(&alice.email).await;
            partners.push(partner);
        }
        let mut challenges = Vec::new();
        for _ in 0..3 {
            challenges.push(alice.login().await.is(200).text("/challenge"));
        }
        let (code, path) = (alice.fresh_code(), verify_of(&account_of(&alice)));
        let body = json!({"code": code});
        let judged = join_all((0..47).map(|n: usize| partners[n % 2].post(&path, &body)));
        let answers: Vec<_> = challenges.iter().map(|c| json!({"challenge": c, "code": code})).collect();
        let (judged, signed_in) = join(judged, join_all(answers.iter().map(|answer| app.post(SECOND, answer)))).await;
        let replies: Vec<&Reply> = judged.iter().chain(&signed_in).collect();
        assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
        assert!(replies.iter().all(|reply| [200, 403, 429].contains(&reply.status)), "{replies:?}");
    })
    .await;
}

on_both_engines!(a_partners_guesses_are_everybodys_guesses);
/// B01, G02: whoever guesses by way of a partner has no budget of their own.
async fn a_partners_guesses_are_everybodys_guesses(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (acme, other, path) = (partner(app, "Acme").await, partner(app, "Other").await, verify_of(&account_of(&alice)));
    for partner in [&acme, &other] {
        partner.is_allowed(&alice.email).await;
    }
    let wrong = json!({"code": alice.wrong_code()});
    for (partner, left) in [(&acme, 4), (&other, 3), (&acme, 2), (&other, 1)] {
        let reply = partner.post(&path, &wrong).await.is(403).refuses("invalid-credential");
        assert_eq!(reply.body["attempts_remaining"], left);
    }
    alice.answer_challenge(wrong.clone()).await.is(403);
    let right = json!({"code": alice.fresh_code()});
    for partner in [&acme, &other] {
        partner.post(&path, &right).await.is(429).refuses("too-many-attempts");
    }
    alice.answer_challenge(right).await.is(429);
}

on_both_engines!(a_secret_of_a_partner_is_told_once_and_kept_as_a_hash);
/// I: neither a log, nor an answer, nor the database tells a client's secret or its tokens.
async fn a_secret_of_a_partner_is_told_once_and_kept_as_a_hash(app: &TestApp) {
    let acme: Partner<'_> = partner(app, "Acme").await;
    acme.rotate(60).await;
    let alice: Person<'_> = app.person("alice").await.with_two_factor().await;
    acme.is_allowed(&alice.email).await;
    let secret = acme.secret.borrow().clone();
    acme.get(&format!("{FEED}?{secret}")).await.is(400);
    app.send("POST", &format!("/oauth/token?client_secret={secret}"), &[], None).await.is(415);
    alice.get(PARTNERS).await.is(200);
    let bare = secret.strip_prefix("twofold_secret_").unwrap();
    assert_eq!(count(app, &format!("client WHERE secret LIKE '%{bare}%' OR previous LIKE '%{bare}%'")), 0);
    // That no log and no file tells it is checked after every test.
}
