//! The way in: what is taken for a token, who is told apart, and what a lock locks.

use crate::{
    f_tokens::operations,
    on_both_engines,
    support::{
        TestApp,
        person::{CODES, DISABLE, LOGIN, Person, REFRESH, SECOND, STATUS, VERIFY},
        race::race,
        reply::Reply,
    },
};
use futures_util::future::join_all;
use serde_json::json;
use std::time::Instant;
use twofold::{
    actions::operator,
    crypto::password,
    domain::{account::Email, password::Password},
    store::accounts::NewAccount,
};

on_both_engines!(what_is_no_access_token_opens_no_operation);
/// E01, E02: a half-authenticated token that another door takes is a whole one.
async fn what_is_no_access_token_opens_no_operation(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.is(200).text("/challenge");
    let (refresh, access) = (alice.refresh.borrow().clone(), alice.access.borrow().clone());
    let code = alice.recovery_codes.borrow()[0].clone();
    let digits = alice.code();
    for bearer in [&challenge, &refresh, &code, &digits, &alice.password] {
        for (method, path) in operations() {
            let headers = [("Authorization", &*format!("Bearer {bearer}")), ("Content-Type", "application/json")];
            let reply = app.send_unjudged(&method, &path, &headers, b"{}".to_vec()).await;
            assert_eq!((reply.status, &reply.body["code"]), (401, &json!("invalid-token")), "{method} {path}");
        }
    }
    for scheme in ["Basic", "Token", "bearer2", ""] {
        let headers = [("Authorization", &*format!("{scheme} {access}"))];
        app.send("GET", STATUS, &headers, None).await.is(401);
    }
    app.send("GET", STATUS, &[("Cookie", &*format!("access_token={access}; token={access}"))], None).await.is(401);
    app.get(&format!("{STATUS}?access_token={access}&token={access}")).await.is(401);
    for challenge in [&access, &refresh, &code] {
        app.post(SECOND, &json!({"challenge": challenge, "code": digits})).await.is(410);
    }
    for refresh in [&access, &challenge, &code] {
        app.post(REFRESH, &json!({"refresh_token": refresh})).await.is(401);
    }
    alice.status().await;
}

on_both_engines!(spellings_of_one_address_share_one_budget);
/// E07: a budget for each spelling would be as many budgets as there are spellings.
async fn spellings_of_one_address_share_one_budget(app: &TestApp) {
    app.person("alice").await;
    for name in ["alice", "nobody"] {
        let spellings =
            ["{}@example.test", " {}@example.test", "{}@example.test ", "{}@EXAMPLE.test", "{}@Example.Test\t"];
        for spelling in spellings.iter().cycle().take(10) {
            let email = spelling.replace("{}", name);
            app.post(LOGIN, &json!({"email": email, "password": "a guess in the dark"})).await.is(403);
        }
        let upper = format!("{}@example.test", name.to_uppercase());
        app.post(LOGIN, &json!({"email": upper, "password": "a guess in the dark"})).await.is(429);
    }
    // A letter that only looks the same is another address.
    app.post(LOGIN, &json!({"email": "аlice@example.test", "password": "a guess in the dark"})).await.is(403);
}

on_both_engines!(credentials_come_in_a_json_body_or_not_at_all);
/// E12: what is in a URL is in logs and histories.
async fn credentials_come_in_a_json_body_or_not_at_all(app: &TestApp) {
    let alice = app.person("alice").await;
    let typed = alice.password.replace(' ', "+");
    app.keep_out_of_sight(&typed);
    let form = format!("email={}&password={typed}", alice.email);
    let url = format!("{LOGIN}?{form}");
    app.send_raw("POST", &url, &[("Content-Type", "application/json")], vec![]).await.is(400);
    app.send_raw("POST", &url, &[("Content-Type", "application/json")], b"{}".to_vec()).await.is(400);
    app.send_raw("GET", &url, &[], vec![]).await.is(405);
    for kind in ["application/x-www-form-urlencoded", "text/plain", "multipart/form-data; boundary=x"] {
        app.send_raw("POST", LOGIN, &[("Content-Type", kind)], form.clone().into_bytes()).await.is(415);
    }
    alice.login().await.is(200);
}

on_both_engines!(a_locked_factor_is_locked_on_every_way_in);
/// E15, B16: another door to a locked factor is the way round the lock, and a lock must not lock the others.
async fn a_locked_factor_is_locked_on_every_way_in(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let session = alice.elsewhere();
    session.sign_in().await;
    for _ in 0..5 {
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    }
    alice.answer_challenge(json!({"code": alice.code_in(1)})).await.is(429);
    let recovery = |n: usize| alice.recovery_codes.borrow()[n].clone();
    alice.answer_challenge(json!({"recovery_code": recovery(0)})).await.is(200);
    alice.login().await.is(200);
    session.status().await;
    let bob = app.person("bob").await.with_two_factor().await;
    bob.answer_challenge(json!({"code": bob.fresh_code()})).await.is(200);
    // And the other way round.
    for _ in 0..5 {
        bob.answer_challenge(json!({"recovery_code": "000000-000000-000000-000000"})).await.is(403);
    }
    let code = bob.recovery_codes.borrow()[0].clone();
    for path in [VERIFY, CODES, DISABLE] {
        let mut body = json!({"recovery_code": code});
        if path != VERIFY {
            body["password"] = json!(bob.password);
        }
        bob.post(path, &body).await.is(429);
    }
    bob.answer_challenge(json!({"recovery_code": code})).await.is(429);
    bob.verify(&bob.fresh_code()).await.is(200);
}

on_both_engines!(of_many_answers_to_one_challenge_at_once_one_signs_in);
/// E03: a challenge that is read before it is used up signs two in.
async fn of_many_answers_to_one_challenge_at_once_one_signs_in(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let answer = json!({"challenge": alice.login().await.is(200).text("/challenge"), "code": alice.fresh_code()});
        let replies = join_all((0..8).map(|_| app.post(SECOND, &answer))).await;
        assert_eq!(succeeded(&replies), 1, "{replies:?}");
        app.post(SECOND, &answer).await.is(410);
    })
    .await;
}

on_both_engines!(of_many_refreshes_at_once_one_successor_lives);
/// E03: of two living successors, one is a thief's.
async fn of_many_refreshes_at_once_one_successor_lives(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await;
        alice.sign_in().await;
        let body = json!({"refresh_token": *alice.refresh.borrow()});
        let replies = join_all((0..6).map(|_| app.post(REFRESH, &body))).await;
        let successors: Vec<String> =
            replies.iter().filter(|reply| reply.status == 200).map(|reply| reply.text("/refresh_token")).collect();
        assert!((1..=2).contains(&successors.len()), "{replies:?}");
        let mut alive = 0;
        for successor in successors {
            alive += u32::from(app.post(REFRESH, &json!({"refresh_token": successor})).await.status == 200);
        }
        assert!(alive <= 1, "{alive} successors live");
    })
    .await;
}

on_both_engines!(passwords_guessed_at_once_are_no_more_than_the_budget);
/// E14, A06: a counter that is counted after the guess lets a flood in parallel through.
async fn passwords_guessed_at_once_are_no_more_than_the_budget(app: &TestApp) {
    race(app, async |n| {
        let guess = json!({"email": format!("nobody{n}@example.test"), "password": "a guess in the dark"});
        let replies = join_all((0..24).map(|_| app.post(LOGIN, &guess))).await;
        let evaluated = replies.iter().filter(|reply| reply.status == 403).count();
        assert!(evaluated <= 10, "{evaluated} guesses were evaluated");
        assert!(replies.iter().all(|reply| [403, 429].contains(&reply.status)), "{replies:?}");
        let later = join_all((0..12).map(|_| app.post(LOGIN, &guess))).await;
        let in_all = evaluated + later.iter().filter(|reply| reply.status == 403).count();
        assert!(in_all <= 10, "{in_all} guesses were evaluated");
    })
    .await;
}

fn succeeded(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| reply.status == 200).count()
}

/// Whether times are measured in this run: they need a quiet machine.
#[expect(clippy::disallowed_methods, reason = "the environment says so")]
pub fn is_timed() -> bool {
    let is_timed = std::env::var("TWOFOLD_TEST_TIMING").as_deref() == Ok("1");
    if !is_timed {
        println!("not measured: TWOFOLD_TEST_TIMING=1 measures times");
    }
    is_timed
}

/// The median time that answers of each kind take, in milliseconds, measured in turn.
async fn medians<const N: usize>(samples: usize, mut ask: impl AsyncFnMut(usize, usize)) -> [f64; N] {
    let mut times = [const { Vec::new() }; N];
    for sample in 0..samples {
        for (kind, times) in times.iter_mut().enumerate() {
            let began = Instant::now();
            ask(kind, sample).await;
            times.push(began.elapsed().as_secs_f64() * 1000.0);
        }
    }
    times.map(|mut times| {
        times.sort_by(f64::total_cmp);
        times[times.len() / 2]
    })
}

on_both_engines!(an_unknown_address_takes_as_long_as_a_known_one, |config| {
    config.bcrypt_cost = 10;
    config.limits.login.free = 1000;
});
/// E06: the time of an answer tells who has an account.
async fn an_unknown_address_takes_as_long_as_a_known_one(app: &TestApp) {
    if !is_timed() {
        return;
    }
    let off = app.person("off").await;
    let on = app.person("on").await.with_two_factor().await;
    let once = app.person("once").await.with_two_factor().await;
    once.disable(json!({})).await.is(200);
    // Imported with a cheaper hash, which the next sign-in would make anew.
    let hash = password::hash_now(&Password::chosen("an imported password".into(), "").unwrap(), 6).unwrap();
    let cheap = Email::parse("cheap@example.test", "").unwrap();
    operator::add_account(&app.cx(), NewAccount::of(cheap, hash)).await.unwrap();
    let emails = ["nobody@example.test", &off.email, &on.email, &once.email, "cheap@example.test"];
    let medians: [f64; 5] = medians(100, async |kind, _| {
        app.post(LOGIN, &json!({"email": emails[kind], "password": "a guess in the dark"})).await.is(403);
    })
    .await;
    println!("milliseconds of a wrong password, unknown, off, on, once on, imported: {medians:.2?}");
    let (least, most) = (medians.iter().copied().fold(f64::MAX, f64::min), medians.iter().copied().fold(0.0, f64::max));
    assert!(most - least < f64::max(3.0, 0.05 * most), "{medians:?}");
}

on_both_engines!(a_used_code_takes_as_long_as_a_wrong_one, |config| {
    config.limits.session_code.free = 1000;
    config.limits.session_code.ends_at = 0;
});
/// B17: the time of a refusal tells that a code was right a moment ago.
async fn a_used_code_takes_as_long_as_a_wrong_one(app: &TestApp) {
    if !is_timed() {
        return;
    }
    let alice: Person<'_> = app.person("alice").await.with_two_factor().await;
    let used = alice.fresh_code();
    alice.verify(&used).await.is(200);
    let codes = [used, alice.wrong_code()];
    let medians: [f64; 2] = medians(200, async |kind, _| {
        alice.verify(&codes[kind]).await.is(403);
    })
    .await;
    println!("milliseconds of a used code, a wrong code: {medians:.2?}");
    assert!((medians[0] - medians[1]).abs() < 5.0, "{medians:?}");
}
