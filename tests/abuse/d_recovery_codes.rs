//! D: recovery codes: each is good once, and for its own account alone.

use crate::{
    doors::{DOORS, show, wide, with_spare},
    on_both_engines,
    support::{
        TestApp,
        person::{CODES, EVENTS, Person, SECOND, STATUS, VERIFY},
        race::race,
        reply::Reply,
    },
};
use diesel::{Connection, PgConnection, RunQueryDsl, SqliteConnection, sql_query};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

/// Proves a recovery code in the session.
async fn recover(person: &Person<'_>, code: &str) -> Reply {
    person.post(VERIFY, &json!({"recovery_code": code})).await
}

/// Proves a recovery code before sign-in.
async fn answer(person: &Person<'_>, challenge: &str, code: &str) -> Reply {
    person.app.post(SECOND, &json!({"challenge": challenge, "recovery_code": code})).await
}

/// Sign-ins that wait for the second factor.
async fn challenges(person: &Person<'_>, count: usize) -> Vec<String> {
    let mut open = Vec::new();
    for _ in 0..count {
        open.push(person.login().await.is(200).text("/challenge"));
    }
    open
}

async fn remaining(person: &Person<'_>) -> Value {
    person.status().await["recovery_codes"]["remaining"].clone()
}

/// How many uses the person's events tell of.
async fn uses(person: &Person<'_>) -> usize {
    person.event_kinds().await.iter().filter(|kind| *kind == "recovery_code.used").count()
}

fn succeeded(replies: &[Reply]) -> usize {
    replies.iter().filter(|reply| reply.status < 300).count()
}

/// The ways in which a person may type a code.
fn typed(code: &str) -> [String; 10] {
    let plain = code.replace('-', "");
    let fours: Vec<&str> = (0..24).step_by(4).map(|at| &plain[at..at + 4]).collect();
    [
        code.to_owned(),
        plain.clone(),
        code.to_lowercase(),
        plain.to_lowercase(),
        code.replace('-', " "),
        fours.join("-"),
        fours.join(" ").to_lowercase(),
        code.replace('0', "O").replace('1', "I"),
        plain.replace('0', "o").replace('1', "l"),
        format!("  -{}- ", code.replace('-', "--").replace('0', "O").replace('1', "i")),
    ]
}

on_both_engines!(each_code_is_good_once_however_it_is_typed_the_second_time, super::wide);
/// D01, D08: if one spelling were remembered and another looked up, each spelling would be a use.
async fn each_code_is_good_once_however_it_is_typed_the_second_time(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let codes = alice.recovery_codes.borrow().clone();
    for (n, code) in codes.iter().enumerate() {
        let forms = typed(code);
        let first = if n % 2 == 0 { recover(&alice, &forms[n]).await } else { answer_with(&alice, &forms[n]).await };
        first.is(200);
        assert_eq!(remaining(&alice).await, 9 - n, "{:?}", forms[n]);
        for form in &forms {
            recover(&alice, form).await.is(403).refuses("invalid-credential");
            answer_with(&alice, form).await.is(403).refuses("invalid-credential");
        }
    }
    for code in &codes {
        recover(&alice, code).await.is(403);
    }
    assert_eq!(remaining(&alice).await, 0);
}

async fn answer_with(person: &Person<'_>, code: &str) -> Reply {
    person.answer_challenge(json!({"recovery_code": code})).await
}

on_both_engines!(what_is_no_recovery_code_is_neither_taken_nor_counted);
/// D08: a form that nobody documented is one that nobody counts.
async fn what_is_no_recovery_code_is_neither_taken_nor_counted(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let code = alice.recovery_codes.borrow()[0].clone();
    let wide_form: String = code.chars().map(|c| char::from_u32(u32::from(c) + 0xfee0).unwrap()).collect();
    let texts = [
        String::new(),
        "-".repeat(24),
        code[1..].to_owned(),
        format!("0{code}"),
        format!("{code}0"),
        format!("{code}\n"),
        format!("{code}\0"),
        format!("{code}\u{a0}"),
        code.replace('-', "_"),
        code.replace('-', "\u{2010}"),
        format!("U{}", &code[1..]),
        format!("*{}", &code[1..]),
        format!("{code}={code}"),
        wide_form,
        "%".repeat(24),
        "0".repeat(15_000),
    ];
    let challenge = alice.login().await.is(200).text("/challenge");
    for text in texts {
        for reply in [recover(&alice, &text).await, answer(&alice, &challenge, &text).await] {
            assert_eq!(reply.is(422).body["errors"][0]["pointer"], "/recovery_code", "{text:?}");
        }
    }
    for shape in [json!(7), json!(true), json!([code]), json!([]), json!({"$ne": ""}), json!(null)] {
        alice.post(VERIFY, &json!({"recovery_code": shape})).await.is(400);
        app.post(SECOND, &json!({"challenge": challenge, "recovery_code": shape})).await.is(400);
    }
    // None of them was a guess.
    assert_eq!(recover(&alice, &"0".repeat(24)).await.is(403).body["attempts_remaining"], 4);
    answer(&alice, &challenge, &code).await.is(200);
}

on_both_engines!(every_code_of_the_old_set_dies_and_the_new_set_is_shown_once, super::wide);
/// D04: who makes a new set does so because somebody may have read the old one.
async fn every_code_of_the_old_set_dies_and_the_new_set_is_shown_once(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let old = alice.recovery_codes.borrow().clone();
    recover(&alice, &old[0]).await.is(200);
    let new = alice.post(CODES, &json!({"password": alice.password})).await.is(200).texts("/recovery_codes");
    for code in &old {
        recover(&alice, code).await.is(403).refuses("invalid-credential");
        answer_with(&alice, code).await.is(403).refuses("invalid-credential");
    }
    for path in [STATUS, "/account/security", EVENTS, &format!("{STATUS}/disable/preview")] {
        let body = alice.get(path).await.is(200).body.to_string();
        assert!(new.iter().all(|code| !body.contains(code)), "{path}");
    }
    alice.send("GET", CODES, &[], None).await.is(405);
    assert_eq!(alice.status().await["recovery_codes"]["remaining"], 10);
    for code in &new {
        recover(&alice, code).await.is(200);
    }
}

on_both_engines!(two_factors_in_one_request_are_refused_at_every_door, super::wide);
/// D10: a request that may try two factors is two guesses for the price of one.
async fn two_factors_in_one_request_are_refused_at_every_door(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let spare = with_spare(&alice).await;
    let recovery = alice.recovery_codes.borrow()[0].clone();
    let code = alice.fresh_code();
    let before = alice.get(STATUS).await.is(200);
    for door in DOORS {
        for (first, second) in [(&code, &recovery), (&code, &code), (&recovery, &recovery)] {
            let both = json!({"code": first, "recovery_code": second});
            show(&alice, door, both, &spare).await.is(400).refuses("malformed-request");
        }
    }
    assert_eq!(before.body, alice.status().await);
    alice.verify(&code).await.is(200);
    recover(&alice, &recovery).await.is(200);
}

on_both_engines!(one_sign_in_spends_one_code);
/// D10: an answer that was lost must not cost a second code when it is sent again.
async fn one_sign_in_spends_one_code(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let codes = alice.recovery_codes.borrow().clone();
    let challenge = alice.login().await.is(200).text("/challenge");
    answer(&alice, &challenge, &codes[0]).await.is(200);
    for code in &codes {
        answer(&alice, &challenge, code).await.is(410).refuses("challenge-expired");
    }
    assert_eq!(remaining(&alice).await, 9);
}

on_both_engines!(codes_that_are_left_over_give_nothing_after_a_disable, super::wide);
/// D11: a sign-in that still asks for codes, or a door that still takes them, was not switched off.
async fn codes_that_are_left_over_give_nothing_after_a_disable(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.is(200).text("/challenge");
    let reply = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    for code in &alice.recovery_codes.take() {
        answer(&alice, &challenge, code).await.is(410).refuses("challenge-expired");
        for door in ["verify", "regenerate", "disable"] {
            let reply = show(&alice, door, json!({"recovery_code": code}), "").await;
            reply.is(409).refuses("two-factor-not-enabled");
        }
    }
    assert_eq!(alice.status().await["recovery_codes"], Value::Null);
    assert_eq!(alice.login().await.is(200).body["result"], "signed_in");
    assert_eq!(uses(&alice).await, 0);
}

/// Makes the database refuse to write sessions, or write them again.
fn let_sessions_be_written(app: &TestApp, may: bool) {
    let sqlite = |event: &str| {
        format!("CREATE TRIGGER no_{event} BEFORE {event} ON session BEGIN SELECT RAISE(ABORT, 'on purpose'); END")
    };
    let function = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'on purpose'; END $$";
    let url = &app.config.database_url;
    if let Some(path) = url.strip_prefix("sqlite://") {
        let mut conn = SqliteConnection::establish(path).unwrap();
        for event in ["INSERT", "UPDATE"] {
            let drop = format!("DROP TRIGGER no_{event}");
            sql_query(if may { drop } else { sqlite(event) }).execute(&mut conn).unwrap();
        }
    } else {
        let mut conn = PgConnection::establish(url).unwrap();
        let create = "CREATE TRIGGER no BEFORE INSERT OR UPDATE ON session FOR EACH ROW EXECUTE FUNCTION refuse()";
        let statements = if may { ["DROP TRIGGER no ON session", "DROP FUNCTION refuse"] } else { [function, create] };
        for statement in statements {
            sql_query(statement).execute(&mut conn).unwrap();
        }
    }
}

on_both_engines!(a_code_whose_session_cannot_be_written_is_not_used_up);
/// D12: a code that is gone without anybody having got in is a customer locked out.
async fn a_code_whose_session_cannot_be_written_is_not_used_up(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let recovery = alice.recovery_codes.borrow()[0].clone();
    let code = alice.fresh_code();
    let challenge = alice.login().await.is(200).text("/challenge");
    let_sessions_be_written(app, false);
    for factor in [json!({"recovery_code": recovery}), json!({"code": code})] {
        show(&alice, "sign-in", factor.clone(), "").await.is(503).refuses("unavailable");
        show(&alice, "verify", factor, "").await.is(503).refuses("unavailable");
    }
    answer(&alice, &challenge, &recovery).await.is(503);
    assert_eq!((remaining(&alice).await, uses(&alice).await), (json!(10), 0));
    let_sessions_be_written(app, true);
    // Neither the codes nor the challenge nor the budget has suffered.
    assert_eq!(recover(&alice, &"0".repeat(24)).await.is(403).body["attempts_remaining"], 4);
    alice.verify(&code).await.is(200);
    answer(&alice, &challenge, &recovery).await.is(200);
    assert_eq!((remaining(&alice).await, uses(&alice).await), (json!(9), 1));
}

on_both_engines!(of_uses_of_one_recovery_code_at_once_at_all_doors_one_succeeds, super::wide);
/// D01, at once: a code that two requests find unused must be used by one of them.
async fn of_uses_of_one_recovery_code_at_once_at_all_doors_one_succeeds(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let code = person.recovery_codes.borrow()[0].clone();
        let factor = json!({"recovery_code": code});
        let open = challenges(&person, 3).await;
        let before = join_all(open.iter().map(|challenge| answer(&person, challenge, &code)));
        let inside =
            join_all(["verify", "enrol", "verify", "enrol"].map(|door| show(&person, door, factor.clone(), "")));
        let (mut replies, others) = join(before, inside).await;
        replies.extend(others);
        assert_eq!(succeeded(&replies), 1);
        for reply in replies.into_iter().filter(|reply| reply.status >= 300) {
            reply.is(403).refuses("invalid-credential");
        }
        assert_eq!((remaining(&person).await, uses(&person).await), (json!(9), 1));
    })
    .await;
}

on_both_engines!(of_ten_codes_at_once_each_is_used_up_for_good, super::wide);
/// D03: where the set is one value, two uses at once write over each other and bring a code back.
async fn of_ten_codes_at_once_each_is_used_up_for_good(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let codes = person.recovery_codes.borrow().clone();
        let open = challenges(&person, 5).await;
        let before = join_all(open.iter().zip(&codes[5..]).map(|(challenge, code)| answer(&person, challenge, code)));
        let inside = join_all(codes[..5].iter().map(|code| recover(&person, code)));
        let (mut replies, others) = join(before, inside).await;
        replies.extend(others);
        for reply in replies {
            reply.is(200);
        }
        assert_eq!((remaining(&person).await, uses(&person).await), (json!(0), 10));
        for code in &codes {
            recover(&person, code).await.is(403).refuses("invalid-credential");
        }
    })
    .await;
}

on_both_engines!(of_many_codes_for_one_sign_in_at_once_one_is_spent, super::wide);
/// D10, at once: one sign-in must not spend two codes, whichever of them came first.
async fn of_many_codes_for_one_sign_in_at_once_one_is_spent(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let codes = person.recovery_codes.borrow().clone();
        let challenge = person.login().await.is(200).text("/challenge");
        let replies = join_all(codes.iter().map(|code| answer(&person, &challenge, code))).await;
        assert_eq!(succeeded(&replies), 1);
        for reply in replies.into_iter().filter(|reply| reply.status != 200) {
            reply.is(410).refuses("challenge-expired");
        }
        assert_eq!((remaining(&person).await, uses(&person).await), (json!(9), 1));
    })
    .await;
}

on_both_engines!(a_new_set_and_uses_of_the_old_one_come_one_after_the_other, super::wide);
/// D04, at once: a code that was just used, or just replaced, must not be written back beside the new set.
async fn a_new_set_and_uses_of_the_old_one_come_one_after_the_other(app: &TestApp) {
    let (mut before, mut after) = (0, 0);
    let tally = std::cell::RefCell::new((&mut before, &mut after));
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let old = person.recovery_codes.borrow().clone();
        let regenerate = async { person.post(CODES, &json!({"password": person.password})).await };
        let uses_of_old = join_all(old[..6].iter().enumerate().map(async |(at, code)| {
            // Some of them set out later, so that either order is seen.
            for _ in 0..at {
                person.status().await;
            }
            recover(&person, code).await
        }));
        let (made, used) = join(regenerate, uses_of_old).await;
        let new = made.is(200).texts("/recovery_codes");
        assert_eq!(uses(&person).await, succeeded(&used));
        *tally.borrow_mut().0 += succeeded(&used);
        *tally.borrow_mut().1 += used.len() - succeeded(&used);
        for reply in used.into_iter().filter(|reply| reply.status != 200) {
            reply.is(403).refuses("invalid-credential");
        }
        assert_eq!(remaining(&person).await, 10);
        for code in &old {
            recover(&person, code).await.is(403);
        }
        recover(&person, &new[usize::try_from(n).unwrap() % 10]).await.is(200);
    })
    .await;
    println!("{before} old codes were used before the new set, {after} came after it");
}

on_both_engines!(wrong_recovery_codes_at_once_are_not_more_than_the_budget);
/// D07, at once: guesses that are counted after they are judged are free when they come together.
async fn wrong_recovery_codes_at_once_are_not_more_than_the_budget(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let open = challenges(&person, 4).await;
        let guesses: Vec<String> = (10..18).map(|guess| format!("{guess}{}", "0".repeat(22))).collect();
        let before = join_all(open.iter().zip(&guesses).map(|(challenge, guess)| answer(&person, challenge, guess)));
        let inside = join_all(guesses.iter().map(|guess| recover(&person, guess)));
        let (mut replies, others) = join(before, inside).await;
        replies.extend(others);
        let (evaluated, refused): (Vec<_>, Vec<_>) = replies.into_iter().partition(|reply| reply.status == 403);
        assert_eq!((evaluated.len(), refused.len()), (5, 7));
        for reply in refused {
            reply.is(429).refuses("too-many-attempts");
        }
        // Codes of the authenticator are another budget, and the right recovery code waits unused.
        person.verify(&person.fresh_code()).await.is(200);
        assert_eq!(remaining(&person).await, 10);
    })
    .await;
}
