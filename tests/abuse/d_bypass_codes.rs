//! D: a bypass code of support's: good once, for one account, for ten minutes, and for five guesses.

use crate::{
    doors::{DOORS, show, wide, with_spare},
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        desk::{self, RESET, UNLOCK, account_of, ask, bypass_code, step_up},
        person::{Person, SECOND, VERIFY},
        race::race,
    },
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

const WRONG: &str = "000000-000000-000000-000000";

fn sent(code: &str) -> Value {
    json!({"recovery_code": code})
}

/// Sends a wrong recovery code `times` times before sign-in.
async fn guess(person: &Person<'_>, times: usize) {
    for _ in 0..times {
        person.answer_challenge(sent(WRONG)).await.is(403).refuses("invalid-credential");
    }
}

async fn uses(app: &TestApp, account: &str) -> i64 {
    count(app, &format!("audit WHERE account_id = '{account}' AND kind = 'bypass_code.used'"))
}

on_both_engines!(of_fifty_uses_of_one_bypass_code_at_once_one_succeeds, super::wide);
/// D01, at once: a code that two requests find must be used by one of them, on whichever replica.
async fn of_fifty_uses_of_one_bypass_code_at_once_one_succeeds(app: &TestApp) {
    race(app, async |n| {
        let carla = desk::agent(app, &format!("carla{n}")).await;
        let alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let id = account_of(&alice);
        let code = bypass_code(&carla, &id).await;
        let mut open = Vec::new();
        for _ in 0..5 {
            open.push(alice.login().await.is(200).text("/challenge"));
        }
        let answers = (0..25).map(|n| json!({"challenge": open[n % 5], "recovery_code": code})).collect::<Vec<_>>();
        let before = join_all(answers.iter().map(|answer| app.post(SECOND, answer)));
        let doors = ["verify", "enrol", "regenerate", "verify", "change-password"];
        let inside = join_all((0..25).map(|n| show(&alice, doors[n % 5], sent(&code), "")));
        let (mut replies, others) = join(before, inside).await;
        replies.extend(others);
        assert_eq!(replies.iter().filter(|reply| reply.status < 300).count(), 1);
        for reply in replies.into_iter().filter(|reply| reply.status >= 300) {
            // A changed password has ended every older token and every sign-in on its way.
            assert!([401, 403, 410].contains(&reply.status), "{} {}", reply.status, reply.body);
        }
        assert_eq!(uses(app, &id).await, 1);
    })
    .await;
}

on_both_engines!(a_bypass_code_opens_no_other_account);
/// D08: a code that is told on the telephone is overheard by somebody with an account.
async fn a_bypass_code_opens_no_other_account(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let carla = desk::agent(app, "carla").await;
    let hers = bypass_code(&carla, &account_of(&alice)).await;
    let his = bypass_code(&carla, &account_of(&bob)).await;
    bob.answer_challenge(sent(&hers)).await.is(403).refuses("invalid-credential");
    bob.post(VERIFY, &sent(&hers)).await.is(403).refuses("invalid-credential");
    alice.answer_challenge(sent(&hers)).await.is(200);
    bob.answer_challenge(sent(&his)).await.is(200);
}

on_both_engines!(five_wrong_guesses_kill_a_bypass_code);
/// D04: whichever door they come in by, they are guesses at the one code, and at the recovery codes too.
async fn five_wrong_guesses_kill_a_bypass_code(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let code = bypass_code(&carla, &id).await;
    let recovery = alice.recovery_codes.borrow()[0].clone();
    guess(&alice, 2).await;
    assert_eq!(alice.post(VERIFY, &sent(WRONG)).await.is(403).body["attempts_remaining"], 2);
    alice.disable(sent(WRONG)).await.is(403);
    assert_eq!(count(app, "bypass_code"), 1);
    assert_eq!(alice.post(VERIFY, &sent(WRONG)).await.is(403).body["attempts_remaining"], 0);
    assert_eq!(count(app, "bypass_code"), 0);
    // Both budgets were paid from: now what is sent is not evaluated, and later the code is dead all the same.
    alice.answer_challenge(sent(&recovery)).await.is(429);
    let wait = alice.answer_challenge(sent(&code)).await.is(429).retry_after();
    app.pass(wait);
    alice.answer_challenge(sent(&code)).await.is(403).refuses("invalid-credential");
    assert_eq!(uses(app, &id).await, 0);
    // It was the code that died, not the session, and the next code has a budget of its own.
    step_up(&carla).await;
    let next = bypass_code(&carla, &id).await;
    alice.refresh().await.is(200);
    alice.post(VERIFY, &sent(&next)).await.is(200);
}

on_both_engines!(a_wrong_password_beside_a_bypass_code_is_a_guess_and_no_use);
/// A05: the answer to two proofs tells not which was wrong, and the right one is not used up.
async fn a_wrong_password_beside_a_bypass_code_is_a_guess_and_no_use(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let code = bypass_code(&carla, &id).await;
    let path = "/account/security/2fa/disable";
    let mut told = Vec::new();
    for (password, code) in [("a wrong password", code.as_str()), (&alice.password, WRONG), ("a wrong password", WRONG)]
    {
        let mut reply = alice.post(path, &json!({"password": password, "recovery_code": code})).await.is(403);
        reply.body.as_object_mut().unwrap().remove("request_id");
        told.push(reply.body);
    }
    assert!(told.windows(2).all(|pair| pair[0] == pair[1]), "{told:?}");
    assert_eq!((count(app, "bypass_code"), uses(app, &id).await), (1, 0));
    alice.disable(sent(&code)).await.is(200);
    assert_eq!((count(app, "bypass_code"), uses(app, &id).await), (0, 1));
}

on_both_engines!(a_bypass_code_opens_every_door_while_the_budgets_are_spent);
/// D06: whoever spends an owner's budgets must not close the way that support has opened.
async fn a_bypass_code_opens_every_door_while_the_budgets_are_spent(app: &TestApp) {
    for (n, door) in DOORS.iter().enumerate() {
        let carla = desk::agent(app, &format!("carla{n}")).await;
        let alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let (spare, id) = (with_spare(&alice).await, account_of(&alice));
        guess(&alice, 5).await;
        for _ in 0..5 {
            alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
        }
        let recovery = alice.recovery_codes.borrow()[0].clone();
        show(&alice, door, sent(&recovery), &spare).await.is(429).refuses("too-many-attempts");
        let code = bypass_code(&carla, &id).await;
        // What is sent is a guess at the bypass code alone: recovery codes are neither judged nor used up.
        show(&alice, door, sent(&recovery), &spare).await.is(403).refuses("invalid-credential");
        let reply = show(&alice, door, sent(&code), &spare).await;
        assert!([200, 201].contains(&reply.status), "{door}: {}", reply.body);
        assert_eq!(uses(app, &id).await, 1, "{door}");
        let used = format!("recovery_code WHERE account_id = '{id}' AND used_at IS NOT NULL");
        assert_eq!(count(app, &used), 0, "{door}");
    }
}

on_both_engines!(a_bypass_code_opens_codes_that_a_cap_has_locked);
/// B: twenty wrong codes lock the account's codes until somebody has proved more than a password.
async fn a_bypass_code_opens_codes_that_a_cap_has_locked(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, dora) = (desk::agent(app, "carla").await, desk::agent(app, "dora").await);
    let id = account_of(&alice);
    let lock = async || {
        for _ in 0..20 {
            let mut reply = alice.answer_challenge(json!({"code": alice.wrong_code()})).await;
            if reply.status == 429 {
                app.pass(reply.retry_after());
                reply = alice.answer_challenge(json!({"code": alice.wrong_code()})).await;
            }
            reply.is(403);
        }
        app.pass(40 * 24 * 3600);
        alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(429);
    };
    lock().await;
    carla.sign_in().await;
    let code = bypass_code(&carla, &id).await;
    alice.answer_challenge(sent(&code)).await.is(200);
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(200);
    lock().await;
    dora.sign_in().await;
    assert!(ask(&dora, &id, UNLOCK).await.is(200).texts("/opened").contains(&"code".to_owned()));
    alice.answer_challenge(json!({"code": alice.fresh_code()})).await.is(200);
}

on_both_engines!(a_bypass_code_dies_with_what_it_bypasses, super::wide);
/// D07: what was switched off and on again is another second factor.
async fn a_bypass_code_dies_with_what_it_bypasses(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let code = bypass_code(&carla, &id).await;
    let disabled = alice.disable(json!({})).await.is(200);
    assert_eq!(count(app, "bypass_code"), 0);
    alice.take_tokens(&disabled, "/tokens");
    alice.set_up().await;
    alice.answer_challenge(sent(&code)).await.is(403).refuses("invalid-credential");
    let code = bypass_code(&carla, &id).await;
    ask(&carla, &id, RESET).await.is(200);
    alice.sign_in().await;
    alice.set_up().await;
    for door in ["sign-in", "verify", "disable"] {
        show(&alice, door, sent(&code), "").await.is(403).refuses("invalid-credential");
    }
}

on_both_engines!(of_new_codes_and_uses_of_the_old_one_at_once_one_code_is_left, super::wide);
/// L: the old code is used or replaced, and never both live.
async fn of_new_codes_and_uses_of_the_old_one_at_once_one_code_is_left(app: &TestApp) {
    race(app, async |n| {
        let carla = desk::agent(app, &format!("carla{n}")).await;
        let alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let id = account_of(&alice);
        let old = bypass_code(&carla, &id).await;
        let mut answers = Vec::new();
        for _ in 0..3 {
            let challenge = alice.login().await.is(200).text("/challenge");
            answers.push(json!({"challenge": challenge, "recovery_code": old}));
        }
        let using = join_all(answers.iter().map(|answer| app.post(SECOND, answer)));
        let issuing = join_all((0..3).map(|_| bypass_code(&carla, &id)));
        let (used, new) = join(using, issuing).await;
        let successes = used.iter().filter(|reply| reply.status == 200).count();
        assert!(successes <= 1);
        used.into_iter().filter(|reply| reply.status != 200).for_each(|reply| drop(reply.is(403)));
        assert_eq!(uses(app, &id).await, i64::try_from(successes).unwrap());
        alice.answer_challenge(sent(&old)).await.is(403);
        let mut good = 0;
        for code in new {
            good += u32::from(alice.answer_challenge(sent(&code)).await.status == 200);
        }
        assert_eq!(good, 1);
    })
    .await;
}
