//! B: codes of an authenticator app.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{CODES, DISABLE, LOGIN, PASSWORD, Person, SECOND, STATUS, TOTP_PATH, VERIFY, with},
        race::race,
        reply::Reply,
    },
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

/// Budgets that nothing here comes near: it is the code that must be refused, not the guess.
fn wide(config: &mut twofold::config::Config) {
    let limits = &mut config.limits;
    for policy in [&mut limits.code, &mut limits.session_code, &mut limits.recovery_code, &mut limits.challenge] {
        policy.free = 100;
        (policy.cap_day, policy.cap_month, policy.ends_at) = (0, 0, 0);
    }
    for policy in [&mut limits.reauth_session, &mut limits.reauth_account, &mut limits.enroll_start] {
        (policy.free, policy.ends_at) = (100, 0);
    }
}

/// What a problem tells, without what differs from request to request.
fn told(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    body
}

on_both_engines!(a_used_code_is_refused_in_the_words_of_a_wrong_one);
/// B03: an answer that differs tells a shoulder surfer that the code was right a moment ago.
async fn a_used_code_is_refused_in_the_words_of_a_wrong_one(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let code = alice.fresh_code();
    alice.answer_challenge(json!({"code": code})).await.is(200);
    bob.answer_challenge(json!({"code": bob.fresh_code()})).await.is(200);
    let used = alice.answer_challenge(json!({"code": code})).await.is(403).refuses("invalid-credential");
    let wrong = bob.answer_challenge(json!({"code": bob.wrong_code()})).await.is(403);
    assert_eq!(told(&used), told(&wrong));
    for person in [&alice, &bob] {
        assert_eq!(person.event_kinds().await[0], "login.second_factor_failed");
    }
    let (used, wrong) = (alice.verify(&code).await.is(403), bob.verify(&bob.wrong_code()).await.is(403));
    assert_eq!(told(&used), told(&wrong));
}

/// Everything that a code can be spent on beside the confirm of its own authenticator.
const PURPOSES: [&str; 7] = ["sign in", "verify", "disable", "add", "regenerate", "remove", "change the password"];

/// Spends a code on a purpose. `spare` is a method that can be removed.
async fn spend(person: &Person<'_>, purpose: &str, code: &str, spare: &str) -> Reply {
    let proofs = json!({"password": person.password, "code": code});
    match purpose {
        "sign in" => person.answer_challenge(json!({"code": code})).await,
        "verify" => person.verify(code).await,
        "disable" => person.disable(json!({"code": code})).await,
        "add" => person.try_enrolment(json!({"code": code})).await,
        "regenerate" => person.post(CODES, &proofs).await,
        "remove" => person.post(&format!("/account/security/2fa/methods/{spare}/remove"), &proofs).await,
        _ => {
            let passwords = json!({"current_password": person.password, "new_password": person.password});
            person.post(PASSWORD, &with(passwords, json!({"code": code}))).await
        }
    }
}

on_both_engines!(a_code_spent_on_one_thing_buys_no_other);
/// B05: every operation that takes a code must ask the same memory whether it was taken already.
async fn a_code_spent_on_one_thing_buys_no_other(app: &TestApp) {
    for first in ["confirm", "sign in", "verify", "add", "regenerate", "remove", "change the password"] {
        for second in PURPOSES {
            let person = app.person(&format!("{first}.{second}").replace(' ', "-")).await.with_two_factor().await;
            let mut spares = vec![person.method.borrow().clone()];
            person.set_up().await;
            spares.push(person.method.borrow().clone());
            person.set_up().await;
            // The last set-up has waited for half a minute: its code is right for a while yet.
            let code = if first == "confirm" { person.code_in(-1) } else { person.fresh_code() };
            if first != "confirm" {
                let reply = spend(&person, first, &code, &spares[0]).await;
                assert!([200, 201].contains(&reply.status), "{first}: {}", reply.body);
                if first == "remove" {
                    person.take_tokens(&reply, "/tokens");
                }
                if first == "change the password" {
                    person.take_tokens(&reply, "");
                }
            }
            let reply = spend(&person, second, &code, &spares[1]).await;
            assert_eq!((reply.status, &reply.body["code"]), (403, &json!("invalid-credential")), "{first}, {second}");
            assert_eq!(person.status().await["enabled"], true);
        }
    }
}

on_both_engines!(a_right_password_gives_no_guess_at_the_code_back);
/// B10: who knows the password could otherwise guess four codes at a time for ever.
async fn a_right_password_gives_no_guess_at_the_code_back(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for left in [4, 3, 2, 1] {
        let reply = alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
        assert_eq!(reply.body["attempts_remaining"], left);
    }
    for _ in 0..10 {
        alice.login().await.is(200);
    }
    let fifth = alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    assert_eq!(fifth.body["attempts_remaining"], 0);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(429).refuses("too-many-attempts");
}

on_both_engines!(the_owners_own_codes_give_an_attacker_no_guess_back);
/// B11: an owner who signs in every day would hand out five fresh guesses every day.
async fn the_owners_own_codes_give_an_attacker_no_guess_back(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..5 {
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    }
    for delay in [30, 60, 120] {
        // In a session that has proved the factor the owner is not held up; before sign-in, everybody is.
        let verified = alice.verify(&alice.fresh_code()).await.is(200);
        alice.take_tokens(&verified, "");
        let wait = alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(429).retry_after();
        // Waiting for a fresh code took up to one step of it.
        assert!((delay - 30..=delay).contains(&wait), "{wait} of {delay}");
        app.pass(wait);
        alice.elsewhere().sign_in().await;
        // The owner's sign-in has cleared nothing: the next guess is one, and the wait after it is twice as long.
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
    }
    let wait = alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(429).retry_after();
    assert!((210..=240).contains(&wait), "{wait}");
}

/// A way in that takes a code, and what it answers to one that is right.
async fn enter(person: &Person<'_>, way: &str, code: Value) -> Reply {
    match way {
        "verify" => person.post(VERIFY, &json!({"code": code})).await,
        "sign in" => person.answer_challenge(json!({"code": code})).await,
        "regenerate" => person.post(CODES, &json!({"password": person.password, "code": code})).await,
        _ => {
            let id = person.status().await["pending"][0]["id"].as_str().unwrap().to_owned();
            person.post(&format!("{TOTP_PATH}/{id}/confirm"), &json!({"code": code})).await
        }
    }
}

const WAYS: [&str; 4] = ["verify", "sign in", "regenerate", "confirm"];

/// The code in the digits of another script, which begin at `zero`.
fn in_digits(code: &str, zero: char) -> String {
    code.chars().map(|digit| char::from_u32(u32::from(zero) + digit.to_digit(10).unwrap()).unwrap()).collect()
}

on_both_engines!(no_other_form_of_a_code_is_taken_or_counted);
/// B12: each form that is read as the code is another chance to use it twice, or to guess for nothing.
async fn no_other_form_of_a_code_is_taken_or_counted(app: &TestApp) {
    for way in WAYS {
        let person = app.person(&way.replace(' ', "-")).await.with_two_factor().await;
        if way == "confirm" {
            person.start_enrolment(json!({})).await;
        }
        let code = person.fresh_code();
        let texts = [
            format!("{code}\n"),
            format!("\n{code}"),
            format!("{code}\t"),
            format!("{code}\0"),
            format!("{code}\u{a0}"),
            format!("{code}\u{2010}"),
            format!("+{code}"),
            format!("{code}.0"),
            format!("0{code}"),
            format!("{code}0"),
            format!("0x{code}"),
            code[1..].to_owned(),
            format!("-{}", &code[1..]),
            "1e5".to_owned(),
            "NaN".to_owned(),
            String::new(),
            " ".to_owned(),
            "- -".to_owned(),
            format!("{code},{code}"),
            in_digits(&code, '\u{ff10}'),
            in_digits(&code, '\u{660}'),
            in_digits(&code, '\u{6f0}'),
            in_digits(&code, '\u{1d7ce}'),
        ];
        for text in texts {
            let reply = enter(&person, way, json!(text)).await.is(422).refuses("validation-failed");
            assert_eq!(reply.body["errors"][0]["pointer"], "/code", "{text:?}");
        }
        let number: u64 = code.parse().unwrap();
        for shape in [json!(number), json!(number as f64), json!(true), json!([code]), json!({"code": code})] {
            enter(&person, way, shape).await.is(400).refuses("malformed-request");
        }
        // None of them was a guess, and none has used the code up.
        let wrong = enter(&person, way, json!(person.wrong_code())).await.is(403).refuses("invalid-credential");
        if way != "regenerate" {
            assert_eq!(wrong.body["attempts_remaining"], 4, "{way}");
        }
        enter(&person, way, json!(code)).await.is(200);
    }
}

on_both_engines!(the_forms_that_people_type_are_one_code_for_all_its_uses, super::wide);
/// B12: spaces and hyphens go before the code is looked up among those used, not after.
async fn the_forms_that_people_type_are_one_code_for_all_its_uses(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let forms = |code: &str| {
        let (left, right) = code.split_at(3);
        let spaced: String = code.chars().flat_map(|digit| [digit, ' ']).collect();
        let same = [format!(" {code}"), format!("{left} {right}"), format!("{left}-{right}"), format!("{code} ")];
        same.into_iter().chain([spaced, format!("--{left}- -{right}"), code.to_owned()]).collect::<Vec<_>>()
    };
    for chosen in 0..7 {
        let all = forms(&alice.fresh_code());
        let taken = alice.verify(&all[chosen]).await.is(200);
        alice.take_tokens(&taken, "");
        for form in &all {
            alice.verify(form).await.is(403);
            alice.answer_challenge(json!({"code": form})).await.is(403);
        }
    }
    // A code left out is no code.
    alice.post(VERIFY, &json!({"code": null})).await.is(400);
    let challenge = alice.login().await.is(200).text("/challenge");
    app.post(SECOND, &json!({"challenge": challenge, "code": null})).await.is(400);
}

on_both_engines!(a_spent_budget_of_codes_closes_nothing_else);
/// B16: who can spend somebody's guesses must not lock them out by it.
async fn a_spent_budget_of_codes_closes_nothing_else(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    for _ in 0..5 {
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
        laptop.verify(&alice.wrong_code()).await.is(403);
    }
    alice.answer_challenge(json!({"code": alice.code_in(1)})).await.is(429);
    laptop.verify(&alice.code_in(1)).await.is(429);
    // Reading, the other session, the password, a recovery code and other people are as before.
    assert_eq!(laptop.status().await["enabled"], true);
    alice.post(CODES, &json!({"password": alice.password, "code": alice.fresh_code()})).await.is(200);
    let set = alice.post(CODES, &json!({"password": alice.password})).await.is(200).texts("/recovery_codes");
    assert_eq!(alice.login().await.is(200).body["result"], "second_factor_required");
    alice.answer_challenge(json!({"recovery_code": set[0]})).await.is(200);
    laptop.post(VERIFY, &json!({"recovery_code": set[1]})).await.is(200);
    bob.answer_challenge(json!({"code": bob.fresh_code()})).await.is(200);
    bob.verify(&bob.fresh_code()).await.is(200);
}

/// One wrong guess at what a budget is for.
async fn guess(person: &Person<'_>, budget: &str) -> Reply {
    person.sign_in_again_if_needed().await;
    let password = json!({"password": "a guess in the dark"});
    match budget {
        "code" => person.answer_challenge(json!({"code": person.wrong_code()})).await,
        "session-code" => person.verify(&person.wrong_code()).await,
        "recovery-code" => person.post(VERIFY, &json!({"recovery_code": "0".repeat(24)})).await,
        "login" => person.app.post(LOGIN, &with(password, json!({"email": person.email}))).await,
        _ => person.post(CODES, &password).await,
    }
}

on_both_engines!(a_wait_ends_at_its_second_and_not_before, |config| {
    // The session's own budget for passwords has no waits; the account's has.
    (config.limits.reauth_session.free, config.limits.reauth_session.ends_at) = (100, 0);
});
/// B20: a wait that ends early is a wait that can be guessed through; one that ends late drives people away.
async fn a_wait_ends_at_its_second_and_not_before(app: &TestApp) {
    let budgets = [
        ("code", 5, [30, 60, 120]),
        ("session-code", 5, [30, 60, 120]),
        ("recovery-code", 5, [60, 120, 240]),
        ("login", 10, [1, 2, 4]),
        // Ten an hour: the third wait is over when the first ten are an hour old.
        ("reauthentication", 10, [900, 1800, 900]),
    ];
    for (budget, free, waits) in budgets {
        let person = app.person(budget).await.with_two_factor().await;
        for _ in 0..free {
            guess(&person, budget).await.is(403);
        }
        for wait in waits {
            let limited = guess(&person, budget).await.is(429).refuses("too-many-attempts");
            assert_eq!(limited.retry_after(), wait, "{budget}");
            assert_eq!(limited.header("ratelimit"), Some(format!("\"{budget}\";r=0;t={wait}").as_str()));
            app.pass(wait - 1);
            assert_eq!(guess(&person, budget).await.is(429).retry_after(), 1, "{budget}");
            app.pass(1);
            guess(&person, budget).await.is(403).refuses("invalid-credential");
        }
    }
}

/// How many of the answers have this status; the others are refusals of these kinds.
fn count(replies: Vec<Reply>, status: u16, others: &[&str]) -> usize {
    let (counted, rest): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == status);
    for reply in rest {
        assert!(others.contains(&reply.text("/code").as_str()), "{}", reply.body);
    }
    counted.len()
}

on_both_engines!(one_code_at_once_from_two_sessions_is_taken_once, super::wide);
/// B03, at once: read, compare, write is the bug that most second factors had (Vaultwarden, Gitea, MISP).
async fn one_code_at_once_from_two_sessions_is_taken_once(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let laptop = person.elsewhere();
        laptop.sign_in().await;
        let code = person.fresh_code();
        let tries = (0..8).map(|n| if n % 2 == 0 { &person } else { &laptop }).map(|at| at.verify(&code));
        assert_eq!(count(join_all(tries).await, 200, &["invalid-credential"]), 1);
        person.verify(&code).await.is(403);
    })
    .await;
}

on_both_engines!(one_code_at_once_for_many_challenges_signs_in_once, super::wide);
/// B03, at once: each sign-in has a challenge of its own, and the code has no memory of which.
async fn one_code_at_once_for_many_challenges_signs_in_once(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let mut answers = Vec::new();
        for _ in 0..5 {
            answers.push(json!({"challenge": person.login().await.is(200).text("/challenge")}));
        }
        let code = person.fresh_code();
        answers.iter_mut().for_each(|answer| answer["code"] = json!(code));
        let replies = join_all(answers.iter().map(|answer| app.post(SECOND, answer))).await;
        assert_eq!(count(replies, 200, &["invalid-credential"]), 1);
        let kinds = person.event_kinds().await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "login.succeeded").count(), 2, "the first was to set it up");
    })
    .await;
}

on_both_engines!(one_code_at_once_for_everything_buys_one_thing, super::wide);
/// B05, at once: a change is two writes and a sign-in is one, and the code must be spent in neither's gap.
async fn one_code_at_once_for_everything_buys_one_thing(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let challenge = person.login().await.is(200).text("/challenge");
        let code = person.fresh_code();
        let proofs = json!({"password": person.password, "code": code});
        let answer = json!({"challenge": challenge, "code": code});
        let changes = [DISABLE, CODES, TOTP_PATH, DISABLE].map(|path| person.post(path, &proofs));
        let later = async {
            // One write is faster than two: these set out later in some rounds, so that any of them wins.
            for _ in 0..(n % 4) * 5 {
                person.get(STATUS).await;
            }
            join(person.verify(&code), app.post(SECOND, &answer)).await
        };
        let (changed, (verified, signed_in)) = join(join_all(changes), later).await;
        let replies = changed.into_iter().chain([verified, signed_in]);
        let (bought, refused): (Vec<_>, Vec<_>) = replies.partition(|reply| reply.status < 300);
        assert_eq!(bought.len(), 1);
        // A disable that has won has made the tokens and the challenge old.
        count(refused, 0, &["invalid-credential", "invalid-token", "challenge-expired", "two-factor-not-enabled"]);
    })
    .await;
}

on_both_engines!(wrong_codes_at_once_are_not_more_than_the_budget);
/// B07, at once: guesses that are counted after they are judged are free when they come together.
async fn wrong_codes_at_once_are_not_more_than_the_budget(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let wrong = person.wrong_code();
        // In a session, by two operations that share its budget.
        let proofs = json!({"password": person.password, "code": wrong});
        let verifies = join_all((0..6).map(|_| person.verify(&wrong)));
        let disables = join_all((0..6).map(|_| person.post(DISABLE, &proofs)));
        let (mut replies, more) = join(verifies, disables).await;
        replies.extend(more);
        // Five wrong pairs of proofs would end the session too.
        assert_eq!(count(replies, 403, &["too-many-attempts", "invalid-token"]), 5);
        // Before sign-in, at challenges that each have five guesses of their own.
        let mut answers = Vec::new();
        for _ in 0..4 {
            answers.push(json!({"challenge": person.login().await.is(200).text("/challenge"), "code": wrong}));
        }
        let replies = join_all((0..12).map(|n| app.post(SECOND, &answers[n % 4]))).await;
        assert_eq!(count(replies, 403, &["too-many-attempts"]), 5);
    })
    .await;
}
