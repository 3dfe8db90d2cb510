//! S: codes that are sent: what they cost, whom they reach, and that nobody is flooded by asking for them.

use crate::{
    doors::wide,
    on_both_engines,
    support::{
        TestApp,
        behind::count,
        codes::{NUMBER, SMS_PATH, answer, by_both, challenged, enrol, sent, set_up},
        person::{Person, SECOND, VERIFY},
        race::race,
    },
};
use futures_util::future::join_all;
use serde_json::json;
use twofold::{config::Config, domain::method::Kind};

fn wide_by_both(config: &mut Config) {
    wide(config);
    by_both(config);
}

/// Asks for a code in the session, whatever the answer is.
async fn ask(person: &Person<'_>, kind: Kind) -> u16 {
    person.post(&format!("{VERIFY}/start"), &json!({"method": kind})).await.status
}

on_both_engines!(of_fifty_uses_of_a_code_on_all_replicas_one_succeeds, super::wide_by_both);
/// S01: a code that many requests find must be used by one of them, on whichever replica.
async fn of_fifty_uses_of_a_code_on_all_replicas_one_succeeds(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await;
        set_up(alice.sign_in().await, Kind::Email, json!({})).await;
        let (challenge, code) = challenged(&alice, Kind::Email).await;
        let body = answer(&challenge, Kind::Email, &code);
        let replies = join_all((0..50).map(|_| app.post(SECOND, &body))).await;
        assert_eq!(replies.iter().filter(|reply| reply.status == 200).count(), 1);
        assert_eq!(count(app, "sent_code"), 0, "it is gone");
    })
    .await;
}

on_both_engines!(of_fifty_starts_at_once_five_send_a_code, |config| {
    super::wide_by_both(config);
    (config.limits.code_send.free, config.limits.code_send_address.free) = (6, 6);
});
/// S02: whoever asks fifty times at once has not sent fifty mails. One of six is that of the enrolment.
async fn of_fifty_starts_at_once_five_send_a_code(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await;
        set_up(alice.sign_in().await, Kind::Email, json!({})).await;
        let answers = join_all((0..50).map(|_| ask(&alice, Kind::Email))).await;
        assert_eq!(answers.iter().filter(|status| **status == 200).count(), 5);
        assert!(answers.iter().all(|status| [200, 429].contains(status)), "{answers:?}");
        assert!(sent(app, Kind::Email).await.len() <= 1, "there is one live code, however often it is asked for");
    })
    .await;
}

on_both_engines!(a_telephone_is_not_flooded_from_many_accounts, |config| {
    super::wide_by_both(config);
    config.limits.code_send_address.free = 3;
});
/// S03: a number is paid for by itself, whoever asks; another one is not.
async fn a_telephone_is_not_flooded_from_many_accounts(app: &TestApp) {
    for n in 0..3 {
        enrol(app.person(&format!("thief{n}")).await.sign_in().await, Kind::Sms, json!({})).await;
    }
    let thief = app.person("thief").await;
    thief.sign_in().await;
    let flood = json!({"password": thief.password, "phone": NUMBER});
    let refused = thief.post(SMS_PATH, &flood).await.is(429).refuses("too-many-attempts");
    assert!(refused.header("ratelimit-policy").unwrap().starts_with("\"code-send-address\""));
    assert_eq!(count(app, "method WHERE state = 'pending'"), 3, "nothing is begun that nothing may be sent for");
    enrol(&thief, Kind::Sms, json!({"phone": "+60129876543"})).await;
    app.pass(refused.retry_after());
    thief.refresh().await.is(200);
    thief.post(SMS_PATH, &flood).await.is(201);
}

on_both_engines!(sms_have_a_budget_for_account_range_and_installation, |config| {
    super::wide_by_both(config);
    let limits = &mut config.limits;
    (limits.sms.free, limits.sms_range.free, limits.sms_installation.free) = (3, 5, 6);
});
/// S04 (toll fraud): whoever earns by SMS has many accounts and numbers that begin alike; mail costs nothing of it.
async fn sms_have_a_budget_for_account_range_and_installation(app: &TestApp) {
    let (alice, bob, carl) = (app.person("alice").await, app.person("bob").await, app.person("carl").await);
    for person in [&alice, &bob, &carl] {
        person.sign_in().await;
    }
    let start = async |person: &Person<'_>, phone: &str| {
        person.post(SMS_PATH, &json!({"password": person.password, "phone": phone})).await
    };
    let policy = |reply: crate::support::reply::Reply| {
        let policy = reply.is(429).header("ratelimit-policy").unwrap().to_owned();
        policy.split('"').nth(1).unwrap().to_owned()
    };
    for n in 1..=3 {
        start(&alice, &format!("+6012345678{n}")).await.is(201);
    }
    assert_eq!(policy(start(&alice, "+447400123456").await), "sms");
    for n in 4..=5 {
        start(&bob, &format!("+6012345678{n}")).await.is(201);
    }
    assert_eq!(policy(start(&bob, "+60123456786").await), "sms-range");
    start(&carl, "+447400123456").await.is(201);
    assert_eq!(policy(start(&carl, "+6581234567").await), "sms-installation");
    twofold::actions::codes::measure(app.rooms()).await.unwrap();
    assert!(app.metrics().await.contains("twofold_sms_budget_used_ratio 1.0"), "{}", app.metrics().await);
    // Mail goes on, and an hour later SMS, too.
    set_up(&carl, Kind::Email, json!({})).await;
    app.pass(3600);
    bob.refresh().await.is(200);
    start(&bob, "+60123456786").await.is(201);
    assert!(
        !app.get("/.well-known/two-factor-policy").await.body["limits"].as_object().unwrap().contains_key("sms_range")
    );
}

on_both_engines!(wrong_codes_are_paid_for_whatever_is_sent_meanwhile, |config| {
    by_both(config);
    config.limits.code_send.free = 100;
    config.limits.code_send_address.free = 100;
});
/// S05: codes that are sent are guessed at from the same budget as those of an app, and a new one renews nothing.
async fn wrong_codes_are_paid_for_whatever_is_sent_meanwhile(app: &TestApp) {
    let alice = app.person("alice").await;
    set_up(alice.sign_in().await, Kind::Email, json!({})).await;
    for _ in 0..5 {
        let (challenge, code) = challenged(&alice, Kind::Email).await;
        let wrong = answer(&challenge, Kind::Email, &crate::support::codes::other(&code));
        app.post(SECOND, &wrong).await.is(403).refuses("invalid-credential");
    }
    let (challenge, code) = challenged(&alice, Kind::Email).await;
    let refused = app.post(SECOND, &answer(&challenge, Kind::Email, &code)).await.is(429);
    assert_eq!(refused.retry_after(), 30);
    app.pass(30);
    app.post(SECOND, &answer(&challenge, Kind::Email, &code)).await.is(200);
}

on_both_engines!(of_two_accounts_with_one_telephone_each_has_codes_of_its_own, super::wide_by_both);
/// S06: a code belongs to an account, not to a telephone.
async fn of_two_accounts_with_one_telephone_each_has_codes_of_its_own(app: &TestApp) {
    let (alice, bob) = (app.person("alice").await, app.person("bob").await);
    for person in [&alice, &bob] {
        set_up(person.sign_in().await, Kind::Sms, json!({})).await;
    }
    let (hers, of_hers) = challenged(&alice, Kind::Sms).await;
    let (his, of_his) = challenged(&bob, Kind::Sms).await;
    app.post(SECOND, &answer(&hers, Kind::Sms, &of_his)).await.is(403);
    app.post(SECOND, &answer(&his, Kind::Sms, &of_hers)).await.is(403);
    app.post(SECOND, &answer(&hers, Kind::Sms, &of_hers)).await.is(200);
    app.post(SECOND, &answer(&his, Kind::Sms, &of_his)).await.is(200);
}

on_both_engines!(a_code_lies_in_the_database_sealed_and_only_until_it_is_sent, super::wide_by_both);
/// S07: whoever reads the database signs in with nothing of it.
async fn a_code_lies_in_the_database_sealed_and_only_until_it_is_sent(app: &TestApp) {
    let alice = app.person("alice").await;
    set_up(alice.sign_in().await, Kind::Sms, json!({})).await;
    ask(&alice, Kind::Sms).await;
    assert_eq!(count(app, "sent_code WHERE sealed IS NOT NULL"), 1);
    let notes = sent(app, Kind::Sms).await;
    assert_eq!((count(app, "sent_code"), count(app, "sent_code WHERE sealed IS NOT NULL")), (1, 0));
    let like = |text: &str| count(app, &format!("sent_code WHERE hashed LIKE '%{text}%' OR binding LIKE '%{text}%'"));
    assert_eq!(like(&notes[0].code.reveal()), 0);
}
