//! Suspended, unlocked, reset, granted: what the owner sees.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{EVENTS, LOGIN, SECOND, STATUS},
    },
    whom,
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use twofold::{
    actions::operator::{list, reset, scope, standing},
    domain::account::Remark,
};

on_both_engines!(a_suspended_person_is_answered_as_one_with_a_wrong_password);
on_both_engines!(a_challenge_from_before_a_suspension_is_dead);
on_both_engines!(a_suspension_changes_nothing_twice_and_a_resumption_revives_nothing);
on_both_engines!(a_sign_in_beside_a_suspension_leaves_no_session);
on_both_engines!(an_unlocked_person_may_guess_again);
on_both_engines!(an_operator_resets_whoever_it_is);
on_both_engines!(a_scope_that_is_taken_away_is_gone_from_every_token);
on_both_engines!(accounts_are_listed_page_by_page_and_found_by_a_part_of_their_address);

fn remark(text: &str) -> Option<Remark> {
    Some(Remark::parse(text, "").unwrap())
}

/// What an answer says, but for what differs from request to request.
fn told(mut body: Value) -> Value {
    body.as_object_mut().unwrap().remove("request_id");
    body.as_object_mut().unwrap().remove("attempts_remaining");
    body
}

async fn a_suspended_person_is_answered_as_one_with_a_wrong_password(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let done = standing::suspend(&app.cx(), whom(&alice.email), remark("left the company")).await.unwrap();
    assert_eq!(done.what, Some(1), "her session ended");
    alice.get(STATUS).await.is(401).refuses("invalid-token");
    alice.refresh().await.is(401).refuses("invalid-token");
    let right = alice.login().await.refuses("invalid-credential");
    let wrong = app.post(LOGIN, &json!({"email": alice.email, "password": "not her password"})).await;
    assert_eq!((right.status, told(right.body)), (wrong.status, told(wrong.body)));
    assert!(standing::resume(&app.cx(), whom(&alice.email), None).await.unwrap().what);
    alice.sign_in().await;
    assert_eq!(
        alice.event_kinds().await,
        ["login.succeeded", "account.resumed", "account.suspended", "login.succeeded"]
    );
    let events = alice.get(EVENTS).await.is(200).body;
    let suspended = &events["events"][2];
    assert_eq!(suspended["actor"]["kind"], "system");
    assert_eq!(suspended["details"], json!({"reason": "left the company", "sessions": 1}));
}

async fn a_challenge_from_before_a_suspension_is_dead(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let challenge = alice.login().await.is(200).text("/challenge");
    standing::suspend(&app.cx(), whom(&alice.email), None).await.unwrap();
    let answer = json!({"challenge": challenge, "code": alice.code()});
    app.post(SECOND, &answer).await.is(410).refuses("challenge-expired");
    standing::resume(&app.cx(), whom(&alice.email), None).await.unwrap();
    app.post(SECOND, &answer).await.is(410).refuses("challenge-expired");
    alice.sign_in().await;
    assert_eq!(alice.status().await["enabled"], true, "her second factor was never touched");
}

async fn a_suspension_changes_nothing_twice_and_a_resumption_revives_nothing(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    assert!(!standing::resume(&app.cx(), whom(&alice.email), None).await.unwrap().what, "she was not suspended");
    alice.get(STATUS).await.is(200);
    standing::suspend(&app.cx(), whom(&alice.email), None).await.unwrap();
    assert_eq!(standing::suspend(&app.cx(), whom(&alice.email), None).await.unwrap().what, None);
    standing::resume(&app.cx(), whom(&alice.email), None).await.unwrap();
    alice.get(STATUS).await.is(401);
    alice.refresh().await.is(401);
}

async fn a_sign_in_beside_a_suspension_leaves_no_session(app: &TestApp) {
    for round in 0..6 {
        let alice = app.person(&format!("alice-{round}")).await;
        let (cx, suspended) = (app.cx(), whom(&alice.email));
        let (answers, done) =
            join(join_all((0..6).map(|_| alice.login())), standing::suspend(&cx, suspended, None)).await;
        done.unwrap();
        standing::resume(&app.cx(), whom(&alice.email), None).await.unwrap();
        for answer in answers.iter().filter(|answer| answer.status == 200) {
            // It was faster than the suspension, which ended it.
            alice.take_tokens(answer, "/tokens");
            alice.get(STATUS).await.is(401);
            alice.refresh().await.is(401);
        }
    }
}

async fn an_unlocked_person_may_guess_again(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for _ in 0..10 {
        app.post(LOGIN, &json!({"email": alice.email, "password": "a wild guess"})).await;
    }
    let wrong = json!({"challenge": "none", "code": alice.wrong_code()});
    app.post(SECOND, &wrong).await;
    // The network that she signed in from has a bucket of its own: that is full, too.
    alice.login().await.is(429);
    let done = standing::unlock(&app.cx(), whom(&alice.email), remark("ticket 4711")).await.unwrap();
    assert!(!done.what.is_empty());
    for _ in 0..5 {
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.refuses("invalid-credential");
    }
    alice.answer_challenge(json!({"code": alice.code()})).await.is(429);
    standing::unlock(&app.cx(), whom(&alice.email), None).await.unwrap();
    alice.sign_in().await;
    let kinds = alice.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "account.unlocked").count(), 2);
}

async fn an_operator_resets_whoever_it_is(app: &TestApp) {
    let agent = app.person("agent").await.with_two_factor().await;
    scope::grant(&app.cx(), whom(&agent.email), "support".into(), None).await.unwrap();
    let reason = remark("lost phone").unwrap();
    let done = reset::reset(&app.cx(), whom(&agent.email), reason.clone()).await.unwrap();
    assert_eq!((done.what.methods, done.what.recovery_codes), (1, 10));
    agent.get(STATUS).await.is(401);
    agent.refresh().await.is(401);
    assert_eq!(agent.login().await.is(200).body["result"], "signed_in");
    agent.sign_in().await;
    let status = agent.status().await;
    assert_eq!((&status["enabled"], &status["methods"]), (&json!(false), &json!([])));
    assert!(status["reminder_at"].is_string());
    assert!(agent.event_kinds().await.contains(&"two_factor.reset_by_operator".to_owned()));
    assert!(reset::reset(&app.cx(), whom(&agent.email), reason).await.is_err(), "it is off already");
}

async fn a_scope_that_is_taken_away_is_gone_from_every_token(app: &TestApp) {
    let agent = app.person("agent").await;
    agent.sign_in().await;
    assert!(scope::grant(&app.cx(), whom(&agent.email), "support".into(), None).await.unwrap().what);
    assert!(!scope::grant(&app.cx(), whom(&agent.email), "support".into(), None).await.unwrap().what);
    agent.get(STATUS).await.is(401);
    agent.refresh().await.is(200);
    let with_scope = agent.access.borrow().clone();
    assert_eq!(scope_in(&with_scope), "support");
    assert!(scope::revoke(&app.cx(), whom(&agent.email), "support".into(), remark("moved")).await.unwrap().what);
    agent.get(STATUS).await.is(401).refuses("invalid-token");
    agent.refresh().await.is(200);
    assert_eq!(scope_in(&agent.access.borrow()), "");
    assert_eq!(agent.event_kinds().await[..2], ["scope.revoked", "scope.granted"]);
}

/// The scope that a token carries.
fn scope_in(token: &str) -> String {
    let payload = token.split('.').nth(1).unwrap();
    let claims = data_encoding::BASE64URL_NOPAD.decode(payload.as_bytes()).unwrap();
    serde_json::from_slice::<Value>(&claims).unwrap()["scope"].as_str().unwrap_or_default().to_owned()
}

async fn accounts_are_listed_page_by_page_and_found_by_a_part_of_their_address(app: &TestApp) {
    for name in ["a_b", "a%b", "axb", "a!b"] {
        app.person(name).await;
    }
    let emails = async |after, part: Option<&str>, limit| {
        let listed = list::list(&app.cx(), after, part.map(str::to_owned), limit).await.unwrap();
        let last = listed.last().map(|listed| listed.account.id);
        (listed.iter().map(|listed| listed.account.email.as_str().to_owned()).collect::<Vec<_>>(), last)
    };
    let (first, last) = emails(None, None, 3).await;
    let (second, _) = emails(last, None, 3).await;
    assert_eq!((first.len(), second.len()), (3, 1));
    assert!(!first.contains(&second[0]), "no account is on two pages");
    for part in ["a_b", "a%b", "A!b"] {
        assert_eq!(emails(None, Some(part), 9).await.0, [format!("{}@example.test", part.to_lowercase())], "{part}");
    }
    assert_eq!(emails(None, Some("@EXAMPLE"), 9).await.0.len(), 4);
}
