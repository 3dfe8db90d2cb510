//! Signing in, and what an attacker gets from trying.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{LOGIN, SECOND, STATUS, TOTP_PATH},
    },
};
use futures_util::future::join_all;
use serde_json::json;

on_both_engines!(an_unknown_address_and_a_wrong_password_look_alike);
async fn an_unknown_address_and_a_wrong_password_look_alike(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let wrong = app.post(LOGIN, &json!({"email": alice.email, "password": "wrong password"})).await.is(403);
    let unknown = app.post(LOGIN, &json!({"email": "nobody@example.test", "password": "wrong password"})).await.is(403);
    for name in ["type", "title", "detail", "code", "status", "attempts_remaining"] {
        assert_eq!(wrong.body[name], unknown.body[name]);
    }
    assert_eq!(wrong.body.as_object().unwrap().len(), unknown.body.as_object().unwrap().len());
}

on_both_engines!(the_address_is_trimmed_and_lower_cased);
async fn the_address_is_trimmed_and_lower_cased(app: &TestApp) {
    let alice = app.person("alice").await;
    app.post(LOGIN, &json!({"email": " ALICE@Example.Test ", "password": alice.password})).await.is(200);
    let reply = app.post(LOGIN, &json!({"email": "alice", "password": "x".repeat(72)})).await.is(422);
    let pointers: Vec<_> =
        reply.body["errors"].as_array().unwrap().iter().map(|error| error["pointer"].clone()).collect();
    assert_eq!(pointers, ["/email", "/password"]);
}

on_both_engines!(passwords_are_compared_whole_and_exactly);
async fn passwords_are_compared_whole_and_exactly(app: &TestApp) {
    let long = "é".repeat(35);
    app.add_account("long@example.test", &long).await;
    app.post(LOGIN, &json!({"email": "long@example.test", "password": long})).await.is(200);
    for other in [format!("{long}x"), "é".repeat(34), "e\u{301}".repeat(23)] {
        app.post(LOGIN, &json!({"email": "long@example.test", "password": other})).await.is(403);
    }
    app.post(LOGIN, &json!({"email": "long@example.test", "password": "é".repeat(36)})).await.is(422);
    app.post(LOGIN, &json!({"email": "long@example.test", "password": "abc\u{0}def"})).await.is(422);
}

on_both_engines!(a_challenge_is_good_for_nothing_else);
async fn a_challenge_is_good_for_nothing_else(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.text("/challenge");
    *alice.access.borrow_mut() = challenge;
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    alice.post(TOTP_PATH, &json!({"password": alice.password})).await.is(401);
    alice.refresh.replace(alice.access.borrow().clone());
    alice.refresh().await.is(401);
}

on_both_engines!(of_fifty_answers_to_one_challenge_one_signs_in, |config| {
    config.limits.challenge.free = 100;
    config.limits.challenge.ends_at = 100;
    config.limits.code.free = 100;
    config.limits.code.cap_day = 0;
    config.limits.code.cap_month = 0;
});
async fn of_fifty_answers_to_one_challenge_one_signs_in(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let answer = json!({"challenge": alice.login().await.text("/challenge"), "code": alice.fresh_code()});
    let replies = join_all((0..50).map(|_| app.post(SECOND, &answer))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
    for reply in replies.into_iter().filter(|reply| reply.status != 200) {
        assert!([403, 410].contains(&reply.status), "{}", reply.body);
    }
    app.post(SECOND, &json!({"challenge": answer["challenge"], "code": alice.fresh_code()})).await.is(410);
}

on_both_engines!(one_code_answers_one_of_many_challenges);
async fn one_code_answers_one_of_many_challenges(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let mut answers = Vec::new();
    for _ in 0..5 {
        answers.push(json!({"challenge": alice.login().await.text("/challenge")}));
    }
    let code = alice.fresh_code();
    answers.iter_mut().for_each(|answer| answer["code"] = json!(code));
    let replies = join_all(answers.iter().map(|answer| app.post(SECOND, answer))).await;
    assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
}

on_both_engines!(a_challenge_takes_five_guesses, |config| config.limits.code.free = 100);
async fn a_challenge_takes_five_guesses(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.text("/challenge");
    for left in [4, 3, 2, 1, 0] {
        let reply = app.post(SECOND, &json!({"challenge": challenge, "code": alice.wrong_code()})).await.is(403);
        assert_eq!(reply.body["attempts_remaining"], left);
    }
    app.post(SECOND, &json!({"challenge": challenge, "code": alice.fresh_code()})).await.is(410);
    assert!(alice.event_kinds().await.contains(&"login.second_factor_failed".to_owned()));
}

on_both_engines!(a_new_challenge_renews_no_guesses);
async fn a_new_challenge_renews_no_guesses(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..5 {
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    }
    let wait = alice.answer_challenge(json!({"code": alice.code()})).await.is(429).retry_after();
    assert!((1..=30).contains(&wait));
    // A correct password clears nothing.
    for _ in 0..3 {
        alice.login().await.is(200);
    }
    alice.answer_challenge(json!({"code": alice.code()})).await.is(429);
    app.pass(wait);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(200);
    // Neither does a correct code: the next wrong one waits twice as long.
    alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    assert!(alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(429).retry_after() > 30);
}

on_both_engines!(a_challenge_lives_five_minutes);
async fn a_challenge_lives_five_minutes(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.text("/challenge");
    app.pass(300);
    app.post(SECOND, &json!({"challenge": challenge, "code": alice.fresh_code()}))
        .await
        .is(410)
        .refuses("challenge-expired");
}

on_both_engines!(an_account_has_five_challenges_open);
async fn an_account_has_five_challenges_open(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let mut challenges = Vec::new();
    for _ in 0..6 {
        challenges.push(alice.login().await.text("/challenge"));
        app.pass(1);
    }
    app.post(SECOND, &json!({"challenge": challenges[0], "code": alice.fresh_code()})).await.is(410);
    app.post(SECOND, &json!({"challenge": challenges[1], "code": alice.fresh_code()})).await.is(200);
}

on_both_engines!(a_challenge_dies_with_a_change_of_factors_or_password);
async fn a_challenge_dies_with_a_change_of_factors_or_password(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.text("/challenge");
    let body = json!({"current_password": alice.password, "new_password": "another long password"});
    let changed = alice.post("/account/password", &body).await.is(200);
    alice.take_tokens(&changed, "");
    app.post(SECOND, &json!({"challenge": challenge, "code": alice.fresh_code()})).await.is(410);
}

on_both_engines!(a_challenge_takes_its_own_persons_factor);
async fn a_challenge_takes_its_own_persons_factor(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let challenge = alice.login().await.text("/challenge");
    app.post(SECOND, &json!({"challenge": challenge, "code": bob.code()})).await.is(403);
    let recovery = bob.recovery_codes.borrow()[0].clone();
    app.post(SECOND, &json!({"challenge": challenge, "recovery_code": recovery})).await.is(403);
    assert_eq!(bob.status().await["recovery_codes"]["remaining"], 10);
    for challenge in ["", "nonsense", &challenge[..20], &format!("{challenge}A")] {
        app.post(SECOND, &json!({"challenge": challenge, "code": alice.code()})).await.is(410);
    }
}

on_both_engines!(wrong_passwords_from_elsewhere_do_not_lock_the_owner_out, |config| config.trusted_proxies =
    vec!["127.0.0.0/8".parse().unwrap()]);
async fn wrong_passwords_from_elsewhere_do_not_lock_the_owner_out(app: &TestApp) {
    let alice = app.person("alice").await;
    let right = json!({"email": alice.email, "password": alice.password});
    let wrong = json!({"email": alice.email, "password": "wrong password"});
    let home = [("X-Forwarded-For", "198.51.100.7")];
    app.send("POST", LOGIN, &home, Some(&right)).await.is(200);
    for n in 0..10 {
        let there = format!("203.0.113.{n}");
        app.send("POST", LOGIN, &[("X-Forwarded-For", &there)], Some(&wrong)).await.is(403);
    }
    // The attacker's networks share one budget; a right password is not looked at once it is spent.
    let there = [("X-Forwarded-For", "203.0.113.99")];
    app.send("POST", LOGIN, &there, Some(&right)).await.is(429).refuses("too-many-attempts");
    app.send("POST", LOGIN, &home, Some(&right)).await.is(200);
    app.pass(1);
    app.send("POST", LOGIN, &there, Some(&right)).await.is(200);
}

on_both_engines!(unknown_addresses_are_counted_like_known_ones);
async fn unknown_addresses_are_counted_like_known_ones(app: &TestApp) {
    let guess = json!({"email": "nobody@example.test", "password": "wrong password"});
    for _ in 0..10 {
        app.post(LOGIN, &guess).await.is(403);
    }
    app.post(LOGIN, &guess).await.is(429);
    app.pass(1);
    app.post(LOGIN, &guess).await.is(403);
    assert_eq!(app.post(LOGIN, &guess).await.is(429).retry_after(), 2);
}

on_both_engines!(one_network_is_slowed_down_before_anything_is_computed, |config| {
    config.auth_per_minute = 30;
    config.auth_burst = 5;
});
async fn one_network_is_slowed_down_before_anything_is_computed(app: &TestApp) {
    let mut last = 0;
    // Each replica counts for itself.
    for _ in 0..7 * app.replicas() {
        last = app.post("/auth/token/refresh", &json!({"refresh_token": "nonsense"})).await.status;
    }
    assert_eq!(last, 429);
    app.get("/.well-known/jwks.json").await.is(200);
}

on_both_engines!(a_weaker_hash_is_made_anew_at_the_next_sign_in, |config| config.bcrypt_cost = 5);
async fn a_weaker_hash_is_made_anew_at_the_next_sign_in(app: &TestApp) {
    use twofold::{
        actions::operator,
        crypto::password,
        domain::{account::Email, password::Password},
        store::accounts,
    };
    let password = Password::chosen("an imported password".into(), "").unwrap();
    let imported = password::hash_now(&password, 4).unwrap().replacen("$2b$", "$2y$", 1);
    let email = Email::parse("import@example.test", "").unwrap();
    let id = operator::add_account(&app.cx(), accounts::NewAccount::of(email, imported)).await.unwrap();
    let body = json!({"email": "import@example.test", "password": "an imported password"});
    // Two at once, as a double click sends them: the one that comes second finds another hash.
    for reply in join_all((0..4).map(|_| app.post(LOGIN, &body))).await {
        reply.is(200);
    }
    let hash = app.store().read("test", move |db| Ok(accounts::by_id(db, id)?.unwrap().password_hash)).await.unwrap();
    assert!(hash.starts_with("$2b$05$"), "{hash}");
}

on_both_engines!(a_lost_phone_is_no_lost_account);
async fn a_lost_phone_is_no_lost_account(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.recovery_codes.borrow()[0].clone();
    let reply = alice.answer_challenge(json!({"recovery_code": code})).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    alice.disable(json!({"reason": "lost_phone"})).await.is(200);
}
