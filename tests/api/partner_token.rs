//! How a partner's program gets its tokens, by the letter of RFC 6749.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        partner::{ALL_SCOPES, basic, newcomer, send_form},
        reply::Reply,
    },
};
use twofold::actions::operator::clients;

const GRANT: &str = "grant_type=client_credentials";
const NOBODY: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

fn denies(reply: Reply, status: u16, error: &str) {
    let reply = reply.is(status);
    assert_eq!(reply.body["error"], error, "{}", reply.body);
    let challenge = reply.header("www-authenticate");
    assert_eq!(challenge, (status == 401).then_some("Basic realm=\"twofold\""));
}

on_both_engines!(a_program_shows_itself_in_either_way_and_gets_a_token);
async fn a_program_shows_itself_in_either_way_and_gets_a_token(app: &TestApp) {
    let acme = newcomer(app, "Acme", "events:read 2fa:read", false).await;
    let secret = acme.secret.borrow().clone();
    let encoded = basic(&acme.id.replace('-', "%2D"), &secret.replace('_', "%5f"));
    let form = format!("{GRANT}&client_id={}&client_secret={secret}", acme.id);
    let named = format!("{GRANT}&client_id={}&unknown=1", acme.id);
    for (header, form) in [
        (Some(basic(&acme.id, &secret)), GRANT),
        (Some(encoded), GRANT),
        (Some(basic(&acme.id, &secret)), named.as_str()),
        (None, form.as_str()),
    ] {
        let header = header.as_deref().map(|header| ("Authorization", header));
        let granted = send_form(app, header.as_slice(), form).await.is(200);
        assert_eq!(granted.body["token_type"], "Bearer");
        assert_eq!((&granted.body["expires_in"], granted.text("/scope")), (&600.into(), "2fa:read events:read".into()));
        assert_eq!((granted.header("cache-control"), granted.header("pragma")), (Some("no-store"), Some("no-cache")));
    }
}

on_both_engines!(what_is_not_a_request_of_the_standard_is_refused_in_its_words);
async fn what_is_not_a_request_of_the_standard_is_refused_in_its_words(app: &TestApp) {
    let acme = newcomer(app, "Acme", "2fa:read", false).await;
    let header = basic(&acme.id, &acme.secret.borrow());
    let authorization = [("Authorization", header.as_str())];
    let both = format!("{GRANT}&client_id={}&client_secret={}", acme.id, acme.secret.borrow());
    let other = format!("{GRANT}&client_id={NOBODY}");
    for form in
        ["", "scope=2fa:read", "grant_type=", &format!("{GRANT}&{GRANT}"), &format!("{GRANT}&x=1&x=2"), &both, &other]
    {
        denies(send_form(app, &authorization, form).await, 400, "invalid_request");
    }
    for grant in ["password", "authorization_code", "CLIENT_CREDENTIALS", "client_credentials "] {
        denies(send_form(app, &authorization, &format!("grant_type={grant}")).await, 400, "unsupported_grant_type");
    }
    let twice = [authorization[0], authorization[0]];
    denies(send_form(app, &twice, GRANT).await, 400, "invalid_request");
    let form = format!("{GRANT}&client_id={}", acme.id);
    for form in [GRANT, &form] {
        denies(send_form(app, &[], form).await, 401, "invalid_client");
    }
    for header in ["Bearer x", "Basic", "Basic !", "Digest x"] {
        denies(send_form(app, &[("Authorization", header)], GRANT).await, 401, "invalid_client");
    }
    // What the standard does not speak of is a problem, as everywhere.
    let json = [authorization[0], ("Content-Type", "application/json")];
    let other = app.send_raw("POST", "/oauth/token", &json, b"{}".to_vec()).await.is(415);
    let told = other.refuses("unsupported-media-type").text("/detail");
    assert!(told.contains("application/x-www-form-urlencoded") && !told.contains("json"), "{told}");
    let long = format!("{GRANT}&x={}", "x".repeat(17_000));
    send_form(app, &authorization, &long).await.is(413).refuses("payload-too-large");
    app.send("GET", "/oauth/token", &[], None).await.is(405).refuses("method-not-allowed");
}

on_both_engines!(a_scope_narrows_and_never_widens);
async fn a_scope_narrows_and_never_widens(app: &TestApp) {
    let acme = newcomer(app, "Acme", "2fa:read events:read", false).await;
    assert_eq!(acme.ask_token("events:read").await.is(200).text("/scope"), "events:read");
    assert_eq!(acme.ask_token("events:read 2fa:read").await.is(200).text("/scope"), "2fa:read events:read");
    for scope in
        ["2fa:verify", ALL_SCOPES, "2fa:rea", "2fa:READ", "2fa:read,events:read", "2fa:read  events:read", "*", "+"]
    {
        denies(acme.ask_token(scope).await, 400, "invalid_scope");
    }
}

on_both_engines!(an_unknown_program_and_a_wrong_secret_are_one_answer);
async fn an_unknown_program_and_a_wrong_secret_are_one_answer(app: &TestApp) {
    let (acme, other) =
        (newcomer(app, "Acme", "2fa:read", false).await, newcomer(app, "Other", "2fa:read", false).await);
    let (secret, foreign) = (acme.secret.borrow().clone(), other.secret.borrow().clone());
    let mut told = Vec::new();
    for (id, secret) in [
        (acme.id.as_str(), "x"),
        (&acme.id, &secret[1..]),
        (&acme.id, &foreign),
        (&other.id, &secret),
        (NOBODY, &secret),
        ("nobody", &secret),
        (&acme.id.to_uppercase()[..8], &secret),
    ] {
        let reply = send_form(app, &[("Authorization", &basic(id, secret))], GRANT).await;
        told.push(reply.body.clone());
        denies(reply, 401, "invalid_client");
    }
    clients::disable(&app.cx(), acme.client()).await.unwrap();
    let reply = acme.ask_token("").await;
    told.push(reply.body.clone());
    denies(reply, 401, "invalid_client");
    assert!(told.iter().all(|body| *body == told[0]), "{told:?}");
    clients::enable(&app.cx(), acme.client()).await.unwrap();
    acme.ask_token("").await.is(200);
}

on_both_engines!(a_secret_that_was_exchanged_counts_for_the_overlap);
async fn a_secret_that_was_exchanged_counts_for_the_overlap(app: &TestApp) {
    let acme = newcomer(app, "Acme", "2fa:read", false).await;
    let ask = async |secret: &str| send_form(app, &[("Authorization", &basic(&acme.id, secret))], GRANT).await;
    let first = acme.secret.borrow().clone();
    acme.rotate(60).await;
    let second = acme.secret.borrow().clone();
    for secret in [&first, &second] {
        ask(secret).await.is(200);
    }
    app.pass(59);
    ask(&first).await.is(200);
    app.pass(1);
    denies(ask(&first).await, 401, "invalid_client");
    ask(&second).await.is(200);
    // Exchanged twice within the overlap, the first of three is dead.
    acme.rotate(3600).await;
    acme.rotate(3600).await;
    denies(ask(&second).await, 401, "invalid_client");
    let third = acme.secret.borrow().clone();
    acme.rotate(0).await;
    denies(ask(&third).await, 401, "invalid_client");
    acme.ask_token("").await.is(200);
}

on_both_engines!(one_address_asks_for_tokens_as_often_as_it_signs_in, |config| {
    (config.auth_per_minute, config.auth_burst) = (1, 3);
});
async fn one_address_asks_for_tokens_as_often_as_it_signs_in(app: &TestApp) {
    let acme = newcomer(app, "Acme", "2fa:read", false).await;
    let replies = app.replicas() * 3;
    for _ in 0..replies {
        acme.ask_token("").await.is(200);
    }
    let refused = acme.ask_token("").await.is(429).refuses("too-many-attempts");
    assert!(refused.retry_after() > 0);
}
