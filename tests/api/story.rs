//! The main job, whole.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{CODES, SECOND},
    },
};
use serde_json::json;

on_both_engines!(a_customer_turns_two_factor_off_and_sets_it_up_again);
async fn a_customer_turns_two_factor_off_and_sets_it_up_again(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let laptop = alice.elsewhere();
    laptop.sign_in().await;
    let old_secret = alice.secret.borrow().clone();
    let old_codes = alice.recovery_codes.borrow().clone();
    assert_eq!(alice.status().await["actions"]["manage"]["allowed"], true);
    let open_challenge = alice.login().await.is(200).text("/challenge");

    let disabled = alice.disable(json!({"reason": "new_phone"})).await.is(200);
    assert_eq!(disabled.body["enabled"], false);
    assert_eq!(disabled.body["login"], "password");
    assert_eq!(disabled.body["message"], "Your account is no longer protected by an authenticator app.");
    assert_eq!(disabled.body["revoked"], json!({"methods": 1, "recovery_codes": 10, "sessions": 1}));
    assert_eq!(disabled.body["tokens"]["acr"], "aal1");

    // Every other session is refused, and so is the caller's older token.
    laptop.get("/account/security/2fa").await.is(401).refuses("invalid-token");
    laptop.refresh().await.is(401);
    alice.get("/account/security/2fa").await.is(401);
    alice.take_tokens(&disabled, "/tokens");

    // The code and every recovery code are refused, wherever a factor is taken.
    alice.verify(&alice.code()).await.is(409).refuses("two-factor-not-enabled");
    for code in &old_codes {
        let answer = json!({"challenge": open_challenge, "recovery_code": code});
        app.post(SECOND, &answer).await.is(410).refuses("challenge-expired");
    }
    app.post(SECOND, &json!({"challenge": open_challenge, "code": alice.code()})).await.is(410);

    // The standard login process asks for the password alone.
    let login = alice.login().await.is(200);
    assert_eq!(login.body["result"], "signed_in");
    assert_eq!(login.body["tokens"]["amr"], json!(["pwd"]));
    alice.take_tokens(&login, "/tokens");

    let status = alice.status().await;
    assert_eq!(status["enabled"], false);
    assert_eq!(status["methods"], json!([]));
    assert_eq!(status["disabled_at"], disabled.body["disabled_at"]);
    assert_eq!(status["reminder_at"], disabled.body["reminder_at"]);
    assert_eq!(status["actions"]["setup"]["allowed"], true);
    assert_eq!(status["actions"]["manage"]["allowed"], false);
    assert_eq!(status["actions"]["disable"], json!({"allowed": false, "reason": "two-factor-not-enabled"}));
    let disables = alice.event_kinds().await.iter().filter(|kind| *kind == "two_factor.disabled").count();
    assert_eq!(disables, 1);

    // And it can be set up again, with another secret; what was before gives nothing.
    alice.set_up().await;
    assert_ne!(*alice.secret.borrow(), old_secret);
    assert_eq!(alice.status().await["enabled"], true);
    alice.answer_challenge(json!({"recovery_code": old_codes[0]})).await.is(403).refuses("invalid-credential");
    let phone = alice.elsewhere();
    *phone.secret.borrow_mut() = old_secret;
    alice.answer_challenge(json!({"code": phone.code()})).await.is(403);
    let regenerated = alice.post(CODES, &json!({"password": alice.password})).await.is(200);
    assert_eq!(regenerated.texts("/recovery_codes").len(), 10);
}

on_both_engines!(a_disabled_account_is_told_so_in_its_language);
async fn a_disabled_account_is_told_so_in_its_language(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let body = json!({"password": alice.password});
    let reply = alice
        .send("POST", "/account/security/2fa/disable", &[("Accept-Language", "ms-MY, en;q=0.5")], Some(&body))
        .await;
    assert_eq!(reply.is(200).body["message"], "Akaun anda tidak lagi dilindungi oleh apl pengesah.");
    let reply = alice.login().await;
    alice.take_tokens(&reply, "/tokens");
    let reply = alice.send("POST", "/account/security/2fa/disable", &[("Accept-Language", "zh-CN")], Some(&body)).await;
    assert_eq!(reply.header("content-language"), Some("zh-Hans"));
    assert_eq!(reply.refuses("two-factor-not-enabled").body["title"], "双重验证未开启");
}
