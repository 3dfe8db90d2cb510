//! Codes by mail and by SMS: who gets one, what it is good for, and that it is good once.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::{count, tamper},
        codes::{EMAIL_PATH, NUMBER, SMS_PATH, answer, by_both, challenged, code, enrol, other, path, sent, set_up},
        links,
        person::{LOGIN, SECOND, TOTP_PATH, VERIFY},
    },
};
use futures_util::future::join_all;
use serde_json::json;
use twofold::{
    actions::{
        codes::{self, Sent},
        keys::{reseal, uses},
    },
    crypto::{
        keyfile::{KeyFile, SigningAlgorithm},
        rotation::Ring,
    },
    domain::{destination::Destination, method::Kind},
};

const BOTH: [Kind; 2] = [Kind::Sms, Kind::Email];

on_both_engines!(somebody_sets_codes_up_and_signs_in_with_them, by_both);
async fn somebody_sets_codes_up_and_signs_in_with_them(app: &TestApp) {
    for (kind, label, to, amr) in [
        (Kind::Email, "E-mail", "b•••@example.test", ["pwd", "otp", "mfa"]),
        (Kind::Sms, "Text message", "+60 •••• ••89", ["pwd", "sms", "mfa"]),
    ] {
        let bob = app.person(&format!("bob-{kind}")).await;
        bob.sign_in().await;
        let phone = if kind == Kind::Sms { json!({"phone": " +60 12-345 6789"}) } else { json!({}) };
        let body = crate::support::person::with(json!({"password": bob.password}), phone);
        let started = bob.post(path(kind), &body).await.is(201);
        assert_eq!((started.text("/type"), started.text("/label")), (kind.to_string(), label.to_owned()));
        assert_eq!(started.text("/sent_to"), to);
        let (id, code) = (started.text("/id"), code(app, kind).await);
        let one = format!("{}/{id}", path(kind));
        assert_eq!(started.header("location"), Some(one.as_str()));
        bob.get(&one).await.is(200);
        assert_eq!(bob.status().await["enabled"], false, "nothing protects it yet");
        let confirmed = bob.post(&format!("{one}/confirm"), &json!({"code": code})).await.is(200);
        assert_eq!(confirmed.texts("/recovery_codes").len(), 10);
        bob.take_tokens(&confirmed, "/tokens");
        assert_eq!(bob.status().await["methods"][0]["type"], kind.to_string());
        bob.post(&format!("{one}/confirm"), &json!({"code": code})).await.refuses("already-confirmed");

        let login = bob.login().await.is(200);
        assert_eq!(login.texts("/methods"), [kind.as_str(), "recovery_code"]);
        let (challenge, code) = challenged(&bob, kind).await;
        let signed_in = app.post(SECOND, &answer(&challenge, kind, &code)).await.is(200);
        assert_eq!(signed_in.texts("/tokens/amr"), amr);
        bob.take_tokens(&signed_in, "/tokens");
        let asked = bob.post(&format!("{VERIFY}/start"), &json!({"method": kind})).await.is(200);
        assert_eq!((asked.text("/method"), asked.text("/sent_to")), (kind.to_string(), to.to_owned()));
        let code = self::code(app, kind).await;
        let verified = bob.post(VERIFY, &json!({"method": kind, "code": code})).await.is(200);
        assert_eq!(verified.texts("/amr"), amr);
    }
}

on_both_engines!(what_is_no_mobile_telephone_is_refused, by_both);
async fn what_is_no_mobile_telephone_is_refused(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    for phone in ["0123456789", "+60323856789", "+449012345678", "+1 800 FLOWERS"] {
        let refused = alice.post(SMS_PATH, &json!({"password": alice.password, "phone": phone})).await;
        assert_eq!(refused.is(422).text("/errors/0/pointer"), "/phone");
    }
    assert!(sent(app, Kind::Sms).await.is_empty());
}

on_both_engines!(where_nobody_sends_codes_none_is_offered);
async fn where_nobody_sends_codes_none_is_offered(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let sms = json!({"password": alice.password, "phone": NUMBER});
    alice.post(SMS_PATH, &sms).await.is(403).refuses("method-not-offered");
    alice.post(EMAIL_PATH, &json!({"password": alice.password})).await.is(403).refuses("method-not-offered");
}

on_both_engines!(of_fifty_uses_of_a_code_at_once_one_succeeds, |config| {
    by_both(config);
    let limits = &mut config.limits;
    // Wide budgets: it is the code that must be refused here, not the guess.
    (limits.code.free, limits.challenge.free, limits.challenge.ends_at) = (1000, 1000, 1000);
    (limits.code.cap_day, limits.code.cap_month) = (0, 0);
});
async fn of_fifty_uses_of_a_code_at_once_one_succeeds(app: &TestApp) {
    for kind in BOTH {
        let alice = app.person(&format!("alice-{kind}")).await;
        set_up(alice.sign_in().await, kind, json!({})).await;
        let (challenge, code) = challenged(&alice, kind).await;
        let body = answer(&challenge, kind, &code);
        let replies = join_all((0..50).map(|_| app.post(SECOND, &body))).await;
        assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
        for reply in replies.into_iter().filter(|reply| reply.status != 200) {
            assert!([403, 410].contains(&reply.status), "{} {}", reply.status, reply.body);
        }
    }
}

on_both_engines!(a_code_is_good_for_what_it_was_asked_for_alone, by_both);
async fn a_code_is_good_for_what_it_was_asked_for_alone(app: &TestApp) {
    for kind in BOTH {
        let alice = app.person(&format!("alice-{kind}")).await;
        set_up(alice.sign_in().await, kind, json!({})).await;
        let (_, of_sign_in) = challenged(&alice, kind).await;
        // Of a sign-in, in a session: whoever reads it out to a thief has not raised the thief's session.
        alice.post(VERIFY, &json!({"method": kind, "code": of_sign_in})).await.is(403).refuses("invalid-credential");
        // Of another sign-in.
        let other = app.post(LOGIN, &json!({"email": alice.email, "password": alice.password})).await;
        let wrong = answer(&other.text("/challenge"), kind, &of_sign_in);
        app.post(SECOND, &wrong).await.is(403).refuses("invalid-credential");
        // Of a session, at sign-in and in another session of the same person.
        alice.post(&format!("{VERIFY}/start"), &json!({"method": kind})).await.is(200);
        let of_session = code(app, kind).await;
        app.post(SECOND, &answer(&other.text("/challenge"), kind, &of_session)).await.is(403);
        alice.post(VERIFY, &json!({"method": kind, "code": of_session})).await.is(200);
        // Nor is a code of one kind a code of another, or of an authenticator app.
        alice.post(VERIFY, &json!({"method": "totp", "code": of_session})).await.is(422);
        alice.post(VERIFY, &json!({"method": "passkey", "code": of_session})).await.is(422);
        alice.post(VERIFY, &json!({"method": kind})).await.is(400);
        alice.post(VERIFY, &json!({"method": kind, "recovery_code": "x"})).await.is(400);
    }
}

on_both_engines!(the_code_of_an_enrolment_confirms_that_one_alone, by_both);
async fn the_code_of_an_enrolment_confirms_that_one_alone(app: &TestApp) {
    let (alice, bob) = (app.person("alice").await, app.person("bob").await);
    alice.sign_in().await;
    bob.sign_in().await;
    let (hers, of_hers) = enrol(&alice, Kind::Sms, json!({})).await;
    let (his, of_his) = enrol(&bob, Kind::Sms, json!({})).await;
    let confirm = |id: &str| format!("{SMS_PATH}/{id}/confirm");
    alice.post(&confirm(&hers), &json!({"code": of_his})).await.is(403);
    // Another's enrolment, and one of another kind, are not there.
    alice.post(&confirm(&his), &json!({"code": of_his})).await.is(404);
    alice.post(&format!("{EMAIL_PATH}/{hers}/confirm"), &json!({"code": of_hers})).await.is(404);
    alice.post(&format!("{TOTP_PATH}/{hers}/confirm"), &json!({"code": "123456"})).await.is(404);
    // From another session neither.
    let phone = alice.elsewhere();
    phone.sign_in().await;
    phone.post(&confirm(&hers), &json!({"code": of_hers})).await.is(410);
    phone.send("POST", &format!("{SMS_PATH}/{hers}/resend"), &[], None).await.is(410);
    alice.post(&confirm(&hers), &json!({"code": of_hers})).await.is(200);
    bob.send("DELETE", &format!("{SMS_PATH}/{his}"), &[], None).await.is(204);
    bob.post(&confirm(&his), &json!({"code": of_his})).await.is(410).refuses("enrolment-expired");
}

on_both_engines!(another_code_voids_the_one_before_and_renews_no_guess, by_both);
async fn another_code_voids_the_one_before_and_renews_no_guess(app: &TestApp) {
    for kind in BOTH {
        let alice = app.person(&format!("alice-{kind}")).await;
        alice.sign_in().await;
        let (id, first) = enrol(&alice, kind, json!({})).await;
        let one = format!("{}/{id}", path(kind));
        let guess = async |code: &str| alice.post(&format!("{one}/confirm"), &json!({"code": code})).await;
        assert_eq!(guess(&other(&first)).await.is(403).body["attempts_remaining"], 4);
        let again = alice.send("POST", &format!("{one}/resend"), &[], None).await.is(200);
        assert_eq!(again.text("/method"), kind.to_string());
        let second = code(app, kind).await;
        assert_ne!(first, second);
        assert_eq!(guess(&first).await.is(403).body["attempts_remaining"], 3);
        for left in [2, 1] {
            alice.send("POST", &format!("{one}/resend"), &[], None).await.is(200);
            let sent = code(app, kind).await;
            assert_eq!(guess(&other(&sent)).await.is(403).body["attempts_remaining"], left);
        }
        let last = alice.send("POST", &format!("{one}/resend"), &[], None).await.is(200);
        assert_eq!(
            last.text("/sent_to").chars().filter(char::is_ascii_digit).count(),
            if kind == Kind::Sms { 4 } else { 0 }
        );
        let sent = code(app, kind).await;
        guess(&other(&sent)).await.is(403);
        guess(&sent).await.is(410).refuses("enrolment-expired");
    }
}

on_both_engines!(at_sign_in_another_code_voids_the_one_before_and_renews_no_guess, by_both);
async fn at_sign_in_another_code_voids_the_one_before_and_renews_no_guess(app: &TestApp) {
    let alice = app.person("alice").await;
    set_up(alice.sign_in().await, Kind::Email, json!({})).await;
    let (challenge, first) = challenged(&alice, Kind::Email).await;
    let start = json!({"challenge": challenge, "method": "email"});
    for left in [4, 3, 2] {
        app.post(&format!("{SECOND}/start"), &start).await.is(200);
        let wrong = answer(&challenge, Kind::Email, if left == 4 { &first } else { "00000000" });
        assert_eq!(app.post(SECOND, &wrong).await.is(403).body["attempts_remaining"], left);
    }
    let latest = sent(app, Kind::Email).await;
    let right = latest.last().unwrap().code.reveal();
    app.post(SECOND, &answer(&challenge, Kind::Email, &right)).await.is(200);
}

on_both_engines!(a_code_lives_ten_minutes_and_no_longer_than_what_it_is_for, by_both);
async fn a_code_lives_ten_minutes_and_no_longer_than_what_it_is_for(app: &TestApp) {
    let alice = app.person("alice").await;
    set_up(alice.sign_in().await, Kind::Email, json!({})).await;
    let verify = async |code: &str| alice.post(VERIFY, &json!({"method": "email", "code": code})).await;
    for (seconds, status) in [(599, 200), (600, 403)] {
        alice.sign_in_again_if_needed().await;
        let started = alice.post(&format!("{VERIFY}/start"), &json!({"method": "email"})).await.is(200);
        let notes = sent(app, Kind::Email).await;
        assert_eq!((notes[0].minutes(), started.text("/expires_at")), (10, notes[0].expires_at.to_string()));
        app.pass(seconds);
        alice.sign_in_again_if_needed().await;
        let reply = verify(&notes[0].code.reveal()).await.is(status);
        if status == 200 {
            alice.take_tokens(&reply, "");
        }
    }
    let challenge = alice.login().await.is(200);
    let start = json!({"challenge": challenge.text("/challenge"), "method": "email"});
    let started = app.post(&format!("{SECOND}/start"), &start).await.is(200);
    assert_eq!(started.text("/expires_at"), challenge.text("/expires_at"));
    assert_eq!(sent(app, Kind::Email).await[0].minutes(), 5);
}

on_both_engines!(whoever_changes_the_address_of_an_account_does_not_get_its_codes, by_both);
async fn whoever_changes_the_address_of_an_account_does_not_get_its_codes(app: &TestApp) {
    let alice = app.person("alice").await;
    set_up(alice.sign_in().await, Kind::Email, json!({})).await;
    tamper(app, "UPDATE account SET email = 'thief@example.test'");
    let login = app.post(LOGIN, &json!({"email": "thief@example.test", "password": alice.password})).await.is(200);
    let start = json!({"challenge": login.text("/challenge"), "method": "email"});
    assert_eq!(app.post(&format!("{SECOND}/start"), &start).await.is(200).text("/sent_to"), "a•••@example.test");
    let notes = sent(app, Kind::Email).await;
    assert!(matches!(&notes[0].to, Destination::Email(email) if email.as_str() == "alice@example.test"));
    tamper(app, "UPDATE account SET email = 'alice@example.test'");
}

on_both_engines!(an_account_has_one_mailbox_and_one_telephone, by_both);
async fn an_account_has_one_mailbox_and_one_telephone(app: &TestApp) {
    let alice = app.person("alice").await;
    let first = set_up(alice.sign_in().await, Kind::Sms, json!({})).await;
    let codes = alice.recovery_codes.borrow().clone();
    let another = json!({"password": alice.password, "phone": "+60129876543"});
    alice.post(SMS_PATH, &another).await.is(409).refuses("too-many-methods");
    // The other telephone takes over, then a mailbox joins it, and takes over too.
    let second = set_up(&alice, Kind::Sms, json!({"phone": "+60129876543", "replaces": first})).await;
    assert_ne!(*alice.recovery_codes.borrow(), codes, "whoever lost the telephone may have lost the codes with it");
    let codes = alice.recovery_codes.borrow().clone();
    set_up(&alice, Kind::Email, json!({})).await;
    let methods = alice.login().await.is(200).texts("/methods");
    assert_eq!(methods, ["sms", "email", "recovery_code"], "the strongest first");
    let removed = alice
        .post(&format!("/account/security/2fa/methods/{second}/remove"), &json!({"password": alice.password}))
        .await
        .is(200);
    alice.take_tokens(&removed, "/tokens");
    assert_eq!(*alice.recovery_codes.borrow(), codes);
    let start = json!({"method": "sms"});
    alice.post(&format!("{VERIFY}/start"), &start).await.is(409).refuses("method-not-available");
    assert_eq!((count(app, "destination"), count(app, "sent_code")), (1, 0));
}

on_both_engines!(an_undo_brings_codes_back, by_both);
async fn an_undo_brings_codes_back(app: &TestApp) {
    let alice = app.person("alice").await;
    set_up(alice.sign_in().await, Kind::Sms, json!({})).await;
    set_up(&alice, Kind::Email, json!({})).await;
    let disabled = alice.disable(json!({})).await.is(200);
    assert_eq!(disabled.texts("/ended"), ["sms", "email"]);
    assert_eq!((count(app, "destination"), count(app, "tombstone_destination")), (0, 2));
    let link = links::undo_link(app, &crate::support::desk::account_of(&alice), &disabled);
    assert_eq!(links::undo(app, &link).await.is(200).body["restored"]["methods"], 2);
    assert_eq!((count(app, "destination"), count(app, "tombstone_destination")), (2, 0));
    let login = json!({"email": alice.email, "password": links::NEW_PASSWORD});
    let challenge = app.post(LOGIN, &login).await.is(200).text("/challenge");
    app.post(&format!("{SECOND}/start"), &json!({"challenge": challenge, "method": "sms"})).await.is(200);
    let code = code(app, Kind::Sms).await;
    app.post(SECOND, &answer(&challenge, Kind::Sms, &code)).await.is(200);
}

on_both_engines!(where_codes_go_moves_to_the_next_key_with_everything_else, by_both);
async fn where_codes_go_moves_to_the_next_key_with_everything_else(app: &TestApp) {
    let (alice, bob) = (app.person("alice").await, app.person("bob").await);
    set_up(alice.sign_in().await, Kind::Sms, json!({})).await;
    set_up(bob.sign_in().await, Kind::Email, json!({})).await;
    let disabled = bob.disable(json!({})).await.is(200);
    alice.post(&format!("{VERIFY}/start"), &json!({"method": "sms"})).await.is(200);
    let folder = tempfile::tempdir().unwrap();
    app.keys.write(&folder.path().join("keys.toml")).unwrap();
    let mut keys = KeyFile::read(&folder.path().join("keys.toml")).unwrap();
    keys.sealing.splice(0..0, KeyFile::generate(SigningAlgorithm::EdDsa, false).unwrap().sealing);
    let take = |keys: &KeyFile| app.all_rooms().for_each(|rooms| rooms.take_keys(keys).unwrap());
    take(&keys);
    // A telephone, a mailbox that may come back, and a code that is to be sent.
    assert_eq!(uses(app.rooms(), Ring::Sealing).await.unwrap().get(&keys.sealing[1].id), Some(&3));
    let resealed = reseal(app.rooms(), |_| ()).await.unwrap();
    assert_eq!((resealed.done, resealed.unreadable.len()), (3, 0));
    assert_eq!(uses(app.rooms(), Ring::Sealing).await.unwrap().keys().collect::<Vec<_>>(), [&keys.sealing[0].id]);
    assert!(!uses(app.rooms(), Ring::Hashing).await.unwrap().is_empty());
    keys.sealing.truncate(1);
    take(&keys);
    let code = code(app, Kind::Sms).await;
    alice.post(VERIFY, &json!({"method": "sms", "code": code})).await.is(200);
    let link = links::undo_link(app, &crate::support::desk::account_of(&bob), &disabled);
    links::undo(app, &link).await.is(200);
    let login = json!({"email": bob.email, "password": links::NEW_PASSWORD});
    let challenge = app.post(LOGIN, &login).await.is(200).text("/challenge");
    app.post(&format!("{SECOND}/start"), &json!({"challenge": challenge, "method": "email"})).await.is(200);
    assert_eq!(sent(app, Kind::Email).await.len(), 1);
}

on_both_engines!(a_code_that_is_not_taken_is_tried_again_and_never_when_it_is_good_for_nothing, by_both);
async fn a_code_that_is_not_taken_is_tried_again_and_never_when_it_is_good_for_nothing(app: &TestApp) {
    let alice = app.person("alice").await;
    set_up(alice.sign_in().await, Kind::Email, json!({})).await;
    let claim = async || codes::claim(app.rooms(), Kind::Email, 10).await.unwrap();
    let start = async || alice.post(&format!("{VERIFY}/start"), &json!({"method": "email"})).await.is(200);
    let sealed = || count(app, "sent_code WHERE sealed IS NOT NULL");
    start().await;
    for pause in [5, 10] {
        let mut notes = claim().await;
        assert_eq!((notes.len(), claim().await.len()), (1, 0), "nobody else has it meanwhile");
        codes::settle(app.rooms(), notes.remove(0), Sent::Failed).await.unwrap();
        assert_eq!((claim().await.len(), sealed()), (0, 1));
        app.pass(pause);
    }
    // The third time is the last.
    let notes = claim().await;
    codes::settle(app.rooms(), notes[0].clone(), Sent::Failed).await.unwrap();
    assert_eq!((sealed(), count(app, "sent_code")), (0, 1));
    // A process that died with it in hand: somebody else sends it, as long as it is good.
    start().await;
    assert_eq!(claim().await.len(), 1);
    app.pass(60);
    let again = claim().await;
    assert_eq!(again.len(), 1);
    // What is settled late, after another code took its place, touches that one not.
    start().await;
    codes::settle(app.rooms(), again[0].clone(), Sent::Taken).await.unwrap();
    assert_eq!(sealed(), 1);
    app.pass(600);
    assert_eq!(claim().await.len(), 0);
}
