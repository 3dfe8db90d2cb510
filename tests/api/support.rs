//! The support desk: what an agent can do for an owner, and what the owner sees of it.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        desk::{self, ACCOUNTS, BYPASS, RESET, UNLOCK, about, account_of, ask, bypass_code, cause, step_up},
        person::{DISABLE, EVENTS, LOGIN, Person, SESSIONS, STATUS, TOTP_PATH, with},
    },
};
use serde_json::{Value, json};

/// The newest event of a kind, as the owner reads it.
async fn event_of(person: &Person<'_>, kind: &str) -> Value {
    let page = person.get(&format!("{EVENTS}?limit=100")).await.is(200);
    let events = page.body["events"].as_array().unwrap();
    events.iter().find(|event| event["type"] == kind).unwrap_or_else(|| panic!("no {kind}")).clone()
}

on_both_engines!(an_agent_finds_an_account_and_changes_nothing_by_looking);
async fn an_agent_finds_an_account_and_changes_nothing_by_looking(app: &TestApp) {
    let alice = app.person("alice+portal").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let own = alice.get(STATUS).await.is(200);
    let events = alice.event_kinds().await;
    let found = carla.get(&format!("{ACCOUNTS}?email=%20Alice%2BPortal@example.test")).await.is(200);
    assert_eq!((found.text("/id"), found.text("/email")), (id.clone(), alice.email.clone()));
    let status = carla.get(&about(&id, "2fa")).await.is(200);
    for reply in [&found, &status] {
        assert_eq!(reply.header("etag"), own.header("etag"));
    }
    assert_eq!(found.body["two_factor"], status.body);
    let mut expected = own.body.clone();
    let members = expected.as_object_mut().unwrap();
    members.remove("actions");
    members.remove("kinds");
    members.remove("checkup_due_at");
    members.insert("flagged_at".into(), Value::Null);
    assert_eq!(status.body, expected);
    let log = carla.get(&about(&id, "events?limit=1")).await.is(200);
    assert_eq!(log.body["events"][0]["type"], events[0].as_str());
    assert_eq!(log.body["events"][0]["actor"], json!({"kind": "owner", "id": id}));
    let rest = carla.get(&about(&id, &format!("events?limit=100&cursor={}", log.text("/next_cursor")))).await.is(200);
    assert_eq!(rest.body["events"].as_array().unwrap().len() + 1, events.len());
    assert_eq!((alice.status().await, alice.event_kinds().await), (own.body, events));
}

on_both_engines!(what_an_agent_looks_for_must_be_there);
async fn what_an_agent_looks_for_must_be_there(app: &TestApp) {
    let carla = desk::agent(app, "carla").await;
    carla.get(&format!("{ACCOUNTS}?email=nobody@example.test")).await.is(404).refuses("not-found");
    carla.get(&format!("{ACCOUNTS}?email=nobody")).await.is(422).refuses("validation-failed");
    for query in ["", "?mail=a@b", "?email=a@b&email=c@d", "?email=a@b&limit=1"] {
        carla.get(&format!("{ACCOUNTS}{query}")).await.is(400).refuses("malformed-request");
    }
    for id in ["0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b", "x"] {
        for path in ["2fa", "events"] {
            carla.get(&about(id, path)).await.is(404).refuses("not-found");
        }
        for call in [RESET, BYPASS, UNLOCK] {
            ask(&carla, id, call).await.is(404).refuses("not-found");
        }
    }
    carla.get(&about("x", "events?limit=0")).await.is(400).refuses("malformed-request");
}

on_both_engines!(an_agent_switches_it_off_for_an_owner_who_has_lost_everything);
async fn an_agent_switches_it_off_for_an_owner_who_has_lost_everything(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    let waiting = alice.login().await.is(200).text("/challenge");
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    alice.start_enrolment(json!({})).await;
    let code = bypass_code(&carla, &id).await;
    let reset = ask(&carla, &id, RESET).await.is(200);
    assert_eq!(reset.body["enabled"], false);
    assert_eq!(reset.body["revoked"], json!({"methods": 1, "recovery_codes": 10, "sessions": 2}));
    assert_eq!(reset.body["tokens"], Value::Null);
    assert!(!reset.body["reminder_at"].is_null());
    // Every session has ended, and what was on its way in is turned back.
    for browser in [&alice, &laptop] {
        browser.get(STATUS).await.is(401).refuses("invalid-token");
        browser.refresh().await.is(401);
    }
    let answer = json!({"challenge": waiting, "recovery_code": code});
    app.post(crate::support::person::SECOND, &answer).await.is(410).refuses("challenge-expired");
    // From now on the password is enough, and the owner reads why.
    assert_eq!(alice.login().await.is(200).body["result"], "signed_in");
    alice.sign_in().await;
    assert_eq!(alice.get(STATUS).await.header("etag"), reset.header("etag"));
    let status = alice.status().await;
    assert_eq!((&status["enabled"], &status["methods"], &status["pending"]), (&json!(false), &json!([]), &json!([])));
    let event = event_of(&alice, "two_factor.reset_by_support").await;
    assert_eq!(event["actor"], json!({"kind": "support", "id": account_of(&carla)}));
    assert_eq!(event["session_id"], Value::Null);
    let told = json!({"reason": "the phone fell into the sea", "ticket": "T-7", "methods": 1, "recovery_codes": 10, "sessions": 2});
    assert_eq!(event["details"], told);
    // A second time there is nothing to do; set up again, nothing of the old lives.
    ask(&carla, &id, RESET).await.is(409).refuses("two-factor-not-enabled");
    alice.set_up().await;
    alice.elsewhere().answer_challenge(json!({"recovery_code": code})).await.is(403).refuses("invalid-credential");
}

on_both_engines!(an_owner_without_the_phone_signs_in_once_with_a_bypass_code);
async fn an_owner_without_the_phone_signs_in_once_with_a_bypass_code(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let before = alice.get(STATUS).await.is(200);
    let issued = ask(&carla, &id, BYPASS).await.is(201);
    let code = issued.text("/code");
    app.keep_out_of_sight(&code);
    let expires_at: jiff::Timestamp = issued.text("/expires_at").parse().unwrap();
    assert_eq!(expires_at.as_second() - app.now().as_second(), 600);
    // As a recovery code it may be typed in any way.
    let typed = code.to_lowercase().replace('-', " ");
    let signed_in = alice.answer_challenge(json!({"recovery_code": typed})).await.is(200);
    assert_eq!(signed_in.body["tokens"]["acr"], "aal2");
    assert_eq!(signed_in.body["tokens"]["amr"], json!(["pwd", "rc", "mfa"]));
    alice.take_tokens(&signed_in, "/tokens");
    // It stays on, with all its codes: the version has not moved.
    assert_eq!(alice.get(STATUS).await.header("etag"), before.header("etag"));
    assert_eq!(alice.status().await["recovery_codes"]["remaining"], 10);
    alice.answer_challenge(json!({"recovery_code": code})).await.is(403).refuses("invalid-credential");
    let issued = event_of(&alice, "bypass_code.issued").await;
    assert_eq!(issued["actor"], json!({"kind": "support", "id": account_of(&carla)}));
    assert_eq!((&issued["details"]["ticket"], &issued["details"]["reason"]), (&cause()["ticket"], &cause()["reason"]));
    let used = event_of(&alice, "bypass_code.used").await;
    assert_eq!((&used["actor"]["kind"], &used["details"]), (&json!("owner"), &json!({})));
    // The session vouches for the owner, who moves to a new phone with it.
    alice.post(TOTP_PATH, &json!({"password": alice.password, "replaces": *alice.method.borrow()})).await.is(201);
}

on_both_engines!(a_bypass_code_is_a_proof_inside_a_session_too);
async fn a_bypass_code_is_a_proof_inside_a_session_too(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let old = alice.elsewhere();
    alice.set_up().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let code = bypass_code(&carla, &id).await;
    // The proof is a day old by then, so the body must hold another one.
    app.pass(13 * 3600);
    alice.refresh().await.is(200);
    alice.disable(json!({})).await.is(401).refuses("insufficient-user-authentication");
    alice.disable(json!({"recovery_code": code})).await.is(403).refuses("invalid-credential");
    step_up(&carla).await;
    let code = bypass_code(&carla, &id).await;
    alice.disable(json!({"recovery_code": code})).await.is(200);
    old.sign_in().await;
    let kinds = old.event_kinds().await;
    let place = |kind: &str| kinds.iter().position(|other| other == kind).unwrap();
    assert_eq!(place("two_factor.disabled") + 1, place("bypass_code.used"), "{kinds:?}");
}

on_both_engines!(an_account_has_one_bypass_code_for_ten_minutes);
async fn an_account_has_one_bypass_code_for_ten_minutes(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let first = bypass_code(&carla, &id).await;
    let second = bypass_code(&carla, &id).await;
    alice.answer_challenge(json!({"recovery_code": first})).await.is(403).refuses("invalid-credential");
    app.pass(599);
    alice.answer_challenge(json!({"recovery_code": second})).await.is(200);
    step_up(&carla).await;
    let third = bypass_code(&carla, &id).await;
    app.pass(600);
    alice.answer_challenge(json!({"recovery_code": third})).await.is(403).refuses("invalid-credential");
}

on_both_engines!(where_it_is_off_there_is_nothing_to_bypass);
async fn where_it_is_off_there_is_nothing_to_bypass(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    for call in [RESET, BYPASS] {
        ask(&carla, &id, call).await.is(409).refuses("two-factor-not-enabled");
    }
    assert_eq!(carla.get(&about(&id, "2fa")).await.is(200).body["enabled"], false);
}

on_both_engines!(an_agent_opens_what_wrong_guesses_have_closed);
async fn an_agent_opens_what_wrong_guesses_have_closed(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let phone = alice.elsewhere();
    phone.sign_in().await;
    app.pass(30);
    let wrong = "000000-000000-000000-000000";
    for _ in 0..5 {
        alice.answer_challenge(json!({"code": alice.wrong_code()})).await.is(403);
        alice.answer_challenge(json!({"recovery_code": wrong})).await.is(403);
        phone.disable(json!({"code": alice.wrong_code()})).await.is(403);
    }
    alice.answer_challenge(json!({"code": alice.code()})).await.is(429);
    alice.answer_challenge(json!({"recovery_code": alice.recovery_codes.borrow()[0]})).await.is(429);
    phone.get(STATUS).await.is(401);
    let login = json!({"email": alice.email, "password": "a guess in the dark"});
    for _ in 0..10 {
        app.post(LOGIN, &login).await.is(403);
    }
    alice.login().await.is(429);
    let unlocked = ask(&carla, &id, UNLOCK).await.is(200);
    let opened = unlocked.texts("/opened");
    for name in ["code", "recovery-code", "login", "reauthentication"] {
        assert!(opened.contains(&name.to_owned()), "{name} in {opened:?}");
    }
    // A session that wrong guesses have ended stays ended.
    phone.get(STATUS).await.is(401);
    let signed_in = alice.answer_challenge(json!({"code": alice.code()})).await.is(200);
    alice.take_tokens(&signed_in, "/tokens");
    alice.answer_challenge(json!({"recovery_code": alice.recovery_codes.borrow()[0]})).await.is(200);
    let event = event_of(&alice, "account.unlocked").await;
    assert_eq!(event["actor"], json!({"kind": "support", "id": account_of(&carla)}));
    assert_eq!(event["details"], with(cause(), json!({"opened": opened})));
    assert_eq!(ask(&carla, &id, UNLOCK).await.is(200).body["opened"], json!([]), "they were whole");
    // Whoever could unlock without end could guess without end: ten an hour, as resets and bypass codes.
    for _ in 0..8 {
        ask(&carla, &id, UNLOCK).await.is(200);
    }
    ask(&carla, &id, UNLOCK).await.is(429).refuses("too-many-attempts");
}

on_both_engines!(what_an_agent_sends_twice_is_done_once);
async fn what_an_agent_sends_twice_is_done_once(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let issued = carla.post_once("code", &about(&id, BYPASS), &cause()).await.is(201);
    app.keep_out_of_sight(&issued.text("/code"));
    let again = carla.post_once("code", &about(&id, BYPASS), &cause()).await.is(409).refuses("already-completed");
    assert!(!again.body.to_string().contains(&issued.text("/code")));
    let opened = carla.post_once("open", &about(&id, UNLOCK), &cause()).await.is(200);
    let reset = carla.post_once("off", &about(&id, RESET), &cause()).await.is(200);
    for (key, call, first) in [("open", UNLOCK, opened), ("off", RESET, reset)] {
        let again = carla.post_once(key, &about(&id, call), &cause()).await.is(200);
        assert_eq!((again.header("idempotent-replayed"), &again.body), (Some("true"), &first.body));
        let other = with(cause(), json!({"ticket": "T-8"}));
        carla.post_once(key, &about(&id, call), &other).await.is(422).refuses("idempotency-key-reused");
    }
    // A key is the agent's own: a colleague's is another one.
    let dora = desk::agent(app, "dora").await;
    dora.post_once("off", &about(&id, RESET), &cause()).await.is(409).refuses("two-factor-not-enabled");
    alice.sign_in().await;
    let kinds = alice.event_kinds().await;
    for kind in ["bypass_code.issued", "account.unlocked", "two_factor.reset_by_support"] {
        assert_eq!(kinds.iter().filter(|other| *other == kind).count(), 1, "{kind}");
    }
}

on_both_engines!(an_agent_acts_on_the_account_as_it_was_seen);
async fn an_agent_acts_on_the_account_as_it_was_seen(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let seen = carla.get(&about(&id, "2fa")).await.is(200).header("etag").unwrap().to_owned();
    alice.start_enrolment(json!({})).await;
    for call in [RESET, BYPASS, UNLOCK] {
        let stale = carla.send("POST", &about(&id, call), &[("If-Match", &seen)], Some(&cause())).await;
        stale.is(412).refuses("version-mismatch");
    }
    let now = carla.get(&about(&id, "2fa")).await.is(200).header("etag").unwrap().to_owned();
    carla.send("POST", &about(&id, RESET), &[("If-Match", &now)], Some(&cause())).await.is(200);
}

on_both_engines!(an_agent_says_why);
async fn an_agent_says_why(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    for call in [RESET, BYPASS, UNLOCK] {
        let send = async |body: Value| carla.post(&about(&id, call), &body).await;
        for body in [json!({}), json!({"reason": "x"}), json!({"ticket": "x"}), with(cause(), json!({"by": "me"}))] {
            send(body).await.is(400).refuses("malformed-request");
        }
        for (reason, ticket, wrong) in
            [("", "T-7", vec!["/reason"]), ("x", "a\nb", vec!["/ticket"]), (" ", "", vec!["/reason", "/ticket"])]
        {
            let reply = send(json!({"reason": reason, "ticket": ticket})).await.is(422).refuses("validation-failed");
            let errors = reply.body["errors"].as_array().unwrap();
            assert_eq!(errors.iter().map(|error| error["pointer"].as_str().unwrap()).collect::<Vec<_>>(), wrong);
        }
    }
    assert_eq!(alice.status().await["enabled"], true);
    alice.get(SESSIONS).await.is(200);
    alice.post(DISABLE, &json!({"password": alice.password})).await.is(200);
}
