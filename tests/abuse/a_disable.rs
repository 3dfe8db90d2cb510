//! A: switching two-factor authentication off, and proving oneself again.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{CODES, DISABLE, EVENTS, Person, STATUS, TOTP_PATH, VERIFY},
        race::{race, rounds},
    },
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{io::Write, net::TcpStream};

/// The version that the status has now.
async fn version(person: &Person<'_>) -> u64 {
    person.get(STATUS).await.is(200).header("etag").unwrap().trim_matches('"').parse().unwrap()
}

/// How many of the person's events say that it was switched off.
async fn disables(person: &Person<'_>) -> usize {
    person.event_kinds().await.iter().filter(|kind| *kind == "two_factor.disabled").count()
}

on_both_engines!(a_disable_is_one_step_and_one_event);
/// A01: one change is one step of the version and one event, or the record cannot be matched with the state.
async fn a_disable_is_one_step_and_one_event(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    alice.elsewhere().sign_in().await;
    let before = version(&alice).await;
    let reply = alice.disable(json!({"reason": "not_wanted"})).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    assert_eq!(version(&alice).await, before + 1);
    assert_eq!(disables(&alice).await, 1);
    let event = alice.get(EVENTS).await.is(200).body["events"][0].clone();
    assert_eq!(event["type"], "two_factor.disabled");
    assert_eq!(event["actor"]["kind"], "owner");
    assert_eq!(event["ip"], "127.0.0.1");
    assert_eq!(event["details"], json!({"reason": "not_wanted", "methods": 1, "recovery_codes": 10, "sessions": 1}));
}

on_both_engines!(only_the_password_itself_is_the_password);
/// A03: a shape that the comparison does not expect (GitLab took a list of passwords) must not pass for one.
async fn only_the_password_itself_is_the_password(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let before = alice.get(STATUS).await.is(200);
    let right = alice.password.clone();
    alice.post(DISABLE, &json!({})).await.is(400);
    let shapes = [
        (Value::Null, 400),
        (json!(0), 400),
        (json!(1.5), 400),
        (json!(true), 400),
        (json!(false), 400),
        (json!([]), 400),
        (json!([right]), 400),
        (json!([right, right]), 400),
        (json!({}), 400),
        (json!({"$ne": ""}), 400),
        (json!({"password": right}), 400),
        (json!(""), 422),
        (json!(format!("{right}\0")), 422),
        (json!(format!("{right}{}", " ".repeat(72))), 422),
        (json!("x".repeat(1 << 20)), 413),
    ];
    for (shape, status) in shapes {
        alice.post(DISABLE, &json!({"password": shape})).await.is(status);
    }
    // None of them was a guess: the first wrong one is the first of five.
    let wrong = [format!("{right} "), format!(" {right}"), right.to_uppercase(), right.replace('a', "\u{430}")];
    for (password, left) in wrong.iter().zip([4, 3, 2, 1]) {
        let reply = alice.post(DISABLE, &json!({"password": password})).await.is(403).refuses("invalid-credential");
        assert_eq!(reply.body["attempts_remaining"], left, "{password:?}");
    }
    let after = alice.get(STATUS).await.is(200);
    assert_eq!((after.header("etag"), &after.body), (before.header("etag"), &before.body));
    alice.disable(json!({})).await.is(200);
}

on_both_engines!(the_second_factor_counts_to_the_second_and_no_refresh_renews_it, |config| config.step_up_max_age =
    600);
/// A05: who walks up to an open session an hour later has not proved anything.
async fn the_second_factor_counts_to_the_second_and_no_refresh_renews_it(app: &TestApp) {
    for (age, status) in [(599, 200), (600, 200), (601, 401), (1200, 401)] {
        // Setting up has waited for half a minute already.
        let person = app.person(&format!("person{age}")).await.with_two_factor().await;
        app.pass(500 - 30);
        person.refresh().await.is(200);
        app.pass(age - 500);
        person.refresh().await.is(200);
        let reply = person.disable(json!({})).await.is(status);
        if status == 401 {
            let header = "Bearer error=\"insufficient_user_authentication\", acr_values=\"aal2\", max_age=\"600\"";
            assert_eq!(reply.header("www-authenticate"), Some(header));
            assert_eq!(person.status().await["enabled"], true);
        }
    }
}

on_both_engines!(nothing_from_before_a_disable_opens_the_account_set_up_anew, |config| {
    config.limits.code.free = 100;
    config.limits.session_code.free = 100;
    config.limits.recovery_code.free = 100;
    config.limits.session_code.ends_at = 0;
    config.limits.challenge.free = 100;
    config.limits.challenge.ends_at = 0;
    (config.limits.code.cap_day, config.limits.code.cap_month, config.limits.recovery_code.cap_day) = (0, 0, 0);
});
/// A12: what was taken out of service must not come back with the next enrolment.
async fn nothing_from_before_a_disable_opens_the_account_set_up_anew(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let before = alice.elsewhere();
    let reply = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    alice.set_up().await;
    assert_ne!(*alice.secret.borrow(), *before.secret.borrow());
    let challenge = alice.login().await.is(200).text("/challenge");
    let codes = [-1, 0, 1].map(|steps| ("code", before.code_in(steps)));
    let old: Vec<_> =
        codes.into_iter().chain(before.recovery_codes.take().into_iter().map(|code| ("recovery_code", code))).collect();
    assert_eq!(old.len(), 13);
    for (member, value) in old {
        let answer = json!({"challenge": challenge, member: value});
        app.post("/auth/login/second-factor", &answer).await.is(403).refuses("invalid-credential");
        alice.post(VERIFY, &json!({member: value})).await.is(403);
    }
    let answer = json!({"challenge": challenge, "code": alice.fresh_code()});
    app.post("/auth/login/second-factor", &answer).await.is(200);
}

on_both_engines!(nothing_but_a_post_disables);
/// A13: checks tied to listed methods have been walked around by another method (MISP).
async fn nothing_but_a_post_disables(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let before = version(&alice).await;
    let bearer = format!("Bearer {}", alice.access.borrow());
    let body = json!({"password": alice.password}).to_string().into_bytes();
    let overrides = ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"];
    for method in ["GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "QUERY"] {
        for path in [DISABLE.to_owned(), format!("{DISABLE}?_method=POST")] {
            let mut headers = vec![("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
            headers.extend(overrides.map(|name| (name, "POST")));
            let reply = app.send_unjudged(method, &path, &headers, body.clone()).await;
            assert_eq!((reply.status, reply.header("allow")), (405, Some("POST")), "{method} {path}");
        }
    }
    // Nor does a request for something else turn into it.
    for name in overrides {
        let headers = [(name, "DELETE"), ("X-Original-URL", DISABLE), ("X-Rewrite-URL", DISABLE)];
        alice.send("GET", STATUS, &headers, None).await.is(200);
        alice.send("POST", STATUS, &headers, Some(&json!({"password": alice.password}))).await.is(405);
    }
    let form = [("Authorization", bearer.as_str()), ("Content-Type", "application/x-www-form-urlencoded")];
    let text = format!("_method=POST&password={}", alice.password).into_bytes();
    app.send_raw("POST", DISABLE, &form, text).await.is(415);
    assert_eq!((version(&alice).await, disables(&alice).await), (before, 0));
}

on_both_engines!(a_body_that_says_more_than_it_may_is_refused_whole);
/// A14: a body that names another account must not reach it, and must not be half understood.
async fn a_body_that_says_more_than_it_may_is_refused_whole(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let (alices, bobs) = (alice.get(STATUS).await.body, bob.get(STATUS).await.body);
    for member in
        ["account_id", "user_id", "sub", "id", "email", "enabled", "version", "Password", "password ", "__proto__"]
    {
        for value in [json!(bob.email), json!(false), json!(null)] {
            let mut body = json!({"password": alice.password});
            body[member] = value;
            alice.post(DISABLE, &body).await.is(400).refuses("malformed-request");
        }
    }
    assert_eq!((alice.get(STATUS).await.body, bob.get(STATUS).await.body), (alices, bobs));
    assert_eq!(disables(&alice).await + disables(&bob).await, 0);
}

on_both_engines!(a_member_that_is_there_twice_is_there_once_too_often);
/// A15: two readers of one body (a filter before us, and us) must not see two passwords.
async fn a_member_that_is_there_twice_is_there_once_too_often(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bearer = format!("Bearer {}", alice.access.borrow());
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    let (right, wrong, code) = (alice.password.as_str(), "not the password", alice.fresh_code());
    let bodies = [
        format!(r#"{{"password": "{wrong}", "password": "{right}"}}"#),
        format!(r#"{{"password": "{right}", "password": "{wrong}"}}"#),
        format!(r#"{{"password": "{right}", "password": "{right}"}}"#),
        format!(r#"{{"password": "{right}", "p\u0061ssword": "{right}"}}"#),
        format!(r#"{{"password": "{right}", "code": "000000", "code": "{code}"}}"#),
        format!(r#"{{"password": "{right}", "reason": "other", "reason": "other"}}"#),
    ];
    for body in bodies {
        app.send_raw("POST", DISABLE, &headers, body.into_bytes()).await.is(400).refuses("malformed-request");
    }
    assert_eq!(alice.status().await["enabled"], true);
    let left = alice.post(DISABLE, &json!({"password": wrong})).await.is(403).body["attempts_remaining"].clone();
    assert_eq!(left, 4, "nothing was evaluated before");
}

/// Takes up the session where the access token is dead; where the answer was lost too long ago for that, by
/// the clock that a test moves, signs in anew.
async fn come_back(person: &Person<'_>) {
    if person.get(STATUS).await.status == 401 && person.refresh().await.status != 200 {
        person.sign_in().await;
    }
}

/// Whether it is on, and how often it was switched off, both of one moment.
async fn as_recorded(person: &Person<'_>) -> (bool, usize) {
    loop {
        come_back(person).await;
        let (status, count) = (person.get(STATUS).await, person.get(&format!("{EVENTS}?limit=100")).await);
        let again = person.get(STATUS).await;
        if again.status == 200 && status.header("etag") == again.header("etag") {
            let events = count.is(200).body["events"].as_array().unwrap().clone();
            let count = events.iter().filter(|event| event["type"] == "two_factor.disabled").count();
            return (again.body["enabled"] == true, count);
        }
    }
}

/// Repeats a disable with its key until it is done; whether the first try had left its lease behind.
async fn repeat_until_done(person: &Person<'_>) -> bool {
    for is_left_behind in [false, true] {
        for _ in 0..100 {
            come_back(person).await;
            let reply = person.post_once("once", DISABLE, &json!({"password": person.password})).await;
            match reply.status {
                200 => return is_left_behind,
                // The first try took effect between our look and this one.
                401 => {}
                _ => drop(reply.is(409).refuses("request-in-progress")),
            }
        }
        // Nobody is carrying it out: the lease runs out.
        person.app.pass(60);
    }
    panic!("it does not come to an end");
}

on_both_engines!(a_disable_whose_sender_is_gone_is_done_or_not_done);
/// A16: a train goes into a tunnel; half a disable would be worse than none, and the customer tries again.
async fn a_disable_whose_sender_is_gone_is_done_or_not_done(app: &TestApp) {
    let (mut done, mut left_behind) = (0, 0);
    for n in 0..4 * rounds() {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let body = json!({"password": person.password}).to_string();
        let head = format!(
            "POST {DISABLE} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Type: application/json\r\n\
             Idempotency-Key: once\r\nContent-Length: {}\r\n\r\n",
            person.access.borrow(),
            body.len()
        );
        let mut line = TcpStream::connect(app.base().trim_start_matches("http://")).unwrap();
        if n % 2 == 1 {
            // An answer that is never read makes of the close a reset.
            line.write_all(b"GET /.well-known/jwks.json HTTP/1.1\r\nHost: x\r\n\r\n").unwrap();
            line.peek(&mut [0]).unwrap();
        }
        line.write_all(format!("{head}{body}").as_bytes()).unwrap();
        drop(line);
        let (is_on, count) = as_recorded(&person).await;
        assert_eq!(count, usize::from(!is_on), "round {n}");
        done += u32::from(!is_on);
        left_behind += u32::from(repeat_until_done(&person).await);
        assert_eq!(as_recorded(&person).await, (false, 1), "round {n}");
    }
    println!("{} rounds, {done} done at the first look, {left_behind} left their lease behind", 4 * rounds());
}

/// Budgets that no burst of this file comes near: it is the change that must be refused, not the guess.
fn wide(config: &mut twofold::config::Config) {
    config.limits.reauth_session.free = 100;
    config.limits.reauth_session.ends_at = 0;
    config.limits.reauth_account.free = 100;
}

on_both_engines!(of_disables_at_once_from_two_sessions_one_takes_effect, super::wide);
/// A01, at once: a double click, and a second tab, must not be two changes of the record.
async fn of_disables_at_once_from_two_sessions_one_takes_effect(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let laptop = person.elsewhere();
        laptop.sign_in().await;
        let tries = (0..8).map(|n| if n % 2 == 0 { &person } else { &laptop }).map(|at| at.disable(json!({})));
        let replies = join_all(tries).await;
        assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
        for reply in replies {
            match reply.status {
                200 => person.take_tokens(&reply, "/tokens"),
                401 => drop(reply.refuses("invalid-token")),
                _ => drop(reply.is(409).refuses("two-factor-not-enabled")),
            }
        }
        assert_eq!(as_recorded(&person).await, (false, 1));
        assert_eq!(person.login().await.is(200).body["result"], "signed_in");
    })
    .await;
}

on_both_engines!(wrong_passwords_at_once_are_not_more_than_the_session_has);
/// A06, at once: guesses that are counted after they are judged are free when they come together.
async fn wrong_passwords_at_once_are_not_more_than_the_session_has(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let thief = person.elsewhere();
        thief.sign_in().await;
        let body = json!({"password": "a guess in the dark"});
        let replies = join_all((0..12).map(|n| thief.post([DISABLE, CODES, TOTP_PATH][n % 3], &body))).await;
        let mut evaluated = 0;
        for reply in replies {
            match reply.status {
                403 => evaluated += 1,
                // The fifth has ended the session.
                401 => drop(reply.refuses("invalid-token")),
                _ => drop(reply.is(429).refuses("too-many-attempts")),
            }
        }
        assert_eq!(evaluated, 5);
        thief.disable(json!({})).await.is(401);
        thief.refresh().await.is(401);
        let kinds = person.event_kinds().await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "reauthentication.failed").count(), 5);
        person.disable(json!({})).await.is(200);
    })
    .await;
}

on_both_engines!(wrong_passwords_at_once_from_many_sessions_are_not_more_than_the_account_has);
/// A06, at once and from many sessions: what one session may guess, three may not guess three times.
async fn wrong_passwords_at_once_from_many_sessions_are_not_more_than_the_account_has(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let thieves = [person.elsewhere(), person.elsewhere(), person.elsewhere()];
        for thief in &thieves {
            thief.sign_in().await;
        }
        let body = json!({"password": "a guess in the dark"});
        let replies = join_all((0..15).map(|n| thieves[n % 3].post(DISABLE, &body))).await;
        let (evaluated, others): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 403);
        assert_eq!(evaluated.len(), 10);
        for reply in others {
            reply.is(429).refuses("too-many-attempts");
        }
        // The owner's own change waits, and the sign-in does not.
        person.disable(json!({})).await.is(429).refuses("too-many-attempts");
        person.elsewhere().sign_in().await;
    })
    .await;
}
