//! G: the support desk acts on other people's accounts, so it is held tightest: who may, on whom, how often.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        behind::{count, tamper},
        desk::{self, ACCOUNTS, BYPASS, RESET, UNLOCK, about, account_of, ask, bypass_code, cause, step_up},
        person::{DISABLE, Person, STATUS},
        race::race,
        reply::Reply,
    },
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};

const UNKNOWN: &str = "0190a1b2-c3d4-7e5f-8a9b-0c1d2e3f4a5b";

/// Every call of the desk about an account, by its id and its address.
async fn ask_everything(caller: &Person<'_>, id: &str, email: &str) -> Vec<Reply> {
    let mut replies = vec![caller.get(&format!("{ACCOUNTS}?email={email}")).await];
    for path in ["2fa", "events"] {
        replies.push(caller.get(&about(id, path)).await);
    }
    for call in [RESET, BYPASS, UNLOCK] {
        replies.push(ask(caller, id, call).await);
    }
    replies
}

/// A problem without what differs from request to request.
fn told(reply: &Reply) -> Value {
    let mut body = reply.body.clone();
    body.as_object_mut().unwrap().remove("request_id");
    json!([reply.status, body, reply.header("etag"), reply.header("www-authenticate")])
}

/// That every call is refused in the same way, whether or not there is such an account.
async fn is_told_nothing(caller: &Person<'_>, victim: &Person<'_>, status: u16, code: &str) {
    let there = ask_everything(caller, &account_of(victim), &victim.email).await;
    let nowhere = ask_everything(caller, UNKNOWN, "nobody@example.test").await;
    for (one, other) in there.into_iter().zip(nowhere) {
        assert_eq!(told(&one), told(&other));
        one.is(status).refuses(code);
    }
}

async fn set_scope(app: &TestApp, person: &Person<'_>, scope: &str) {
    let statement = format!("UPDATE account SET scope = '{scope}' WHERE email = '{}'", person.email);
    assert_eq!(tamper(app, &statement), 1);
}

on_both_engines!(nobody_without_the_scope_learns_anything_at_the_desk);
/// G08: an account that is not support's gets the same answer about everybody, its owner included.
async fn nobody_without_the_scope_learns_anything_at_the_desk(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await.with_two_factor().await;
    let before = alice.status().await;
    is_told_nothing(&bob, &alice, 403, "not-permitted").await;
    is_told_nothing(&bob, &bob, 403, "not-permitted").await;
    for scope in ["supporter", "SUPPORT", "support-desk"] {
        set_scope(app, &bob, scope).await;
        is_told_nothing(&bob, &alice, 403, "not-permitted").await;
    }
    assert_eq!(alice.status().await, before);
    assert_eq!(count(app, "audit WHERE actor_kind = 'support'"), 0);
}

on_both_engines!(an_agent_without_a_fresh_proof_learns_nothing, |config| config.support_max_age = 120);
/// G03: a password that was stolen from an agent, or a session left open over lunch, is not the agent.
async fn an_agent_without_a_fresh_proof_learns_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let dora = desk::colleague(app, "dora").await;
    dora.sign_in().await;
    is_told_nothing(&dora, &alice, 401, "insufficient-user-authentication").await;
    let carla = desk::agent(app, "carla").await;
    carla.get(&about(&account_of(&alice), "2fa")).await.is(200);
    app.pass(121);
    is_told_nothing(&carla, &alice, 401, "insufficient-user-authentication").await;
    let reply = carla.get(&about(UNKNOWN, "2fa")).await;
    let challenge = "Bearer error=\"insufficient_user_authentication\", acr_values=\"aal2\", max_age=\"120\"";
    assert_eq!(reply.header("www-authenticate"), Some(challenge));
    // A refresh proves nothing; a code does.
    carla.refresh().await.is(200);
    is_told_nothing(&carla, &alice, 401, "insufficient-user-authentication").await;
    step_up(&carla).await;
    carla.get(&about(&account_of(&alice), "2fa")).await.is(200);
    assert_eq!(alice.status().await["enabled"], true);
}

on_both_engines!(a_quarter_of_an_hour_is_how_long_an_agents_proof_counts);
/// G03: the number of the contract, to the second.
async fn a_quarter_of_an_hour_is_how_long_an_agents_proof_counts(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let carla = desk::agent(app, "carla").await;
    step_up(&carla).await;
    app.pass(900);
    carla.refresh().await.is(200);
    let path = about(&account_of(&alice), "2fa");
    carla.get(&path).await.is(200);
    app.pass(1);
    let reply = carla.get(&path).await.is(401).refuses("insufficient-user-authentication");
    assert!(reply.header("www-authenticate").unwrap().contains("max_age=\"900\""));
}

on_both_engines!(a_scope_that_was_taken_away_is_gone_with_the_next_request);
/// G08: who left the desk this minute holds a token of ten that still says `support`.
async fn a_scope_that_was_taken_away_is_gone_with_the_next_request(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    carla.get(&about(&id, "2fa")).await.is(200);
    set_scope(app, &carla, "").await;
    is_told_nothing(&carla, &alice, 403, "not-permitted").await;
    // Nor does a session that was ended, or a token from before a change, act for anybody.
    set_scope(app, &carla, "support").await;
    carla.get(&about(&id, "2fa")).await.is(200);
    carla.send("POST", "/auth/logout", &[], None).await.is(204);
    is_told_nothing(&carla, &alice, 401, "invalid-token").await;
    assert_eq!(alice.status().await["enabled"], true);
}

on_both_engines!(nobody_at_the_desk_disarms_a_colleague_or_themselves);
/// G03: one agent who turns must not be all agents.
async fn nobody_at_the_desk_disarms_a_colleague_or_themselves(app: &TestApp) {
    let (carla, dora) = (desk::agent(app, "carla").await, desk::agent(app, "dora").await);
    let bot = app.person("bot").await.with_two_factor().await;
    set_scope(app, &bot, "reports").await;
    step_up(&carla).await;
    for other in [&carla, &dora, &bot] {
        let events = other.event_kinds().await;
        for call in [RESET, BYPASS] {
            ask(&carla, &account_of(other), call).await.is(403).refuses("not-permitted");
        }
        assert_eq!((&other.status().await["enabled"], other.event_kinds().await), (&json!(true), events));
    }
    // An agent's stolen session must not open the agent's own budgets; a colleague may, and is named for it.
    ask(&carla, &account_of(&carla), UNLOCK).await.is(403).refuses("not-permitted");
    ask(&carla, &account_of(&dora), UNLOCK).await.is(200);
    assert_eq!(count(app, "bypass_code"), 0);
}

on_both_engines!(an_agent_helps_ten_times_an_hour_and_no_more);
/// G05: an agent who resets all day is not helping.
async fn an_agent_helps_ten_times_an_hour_and_no_more(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bob = app.person("bob").await;
    bob.sign_in().await;
    let (dora, id) = (desk::agent(app, "dora").await, account_of(&alice));
    let carla = desk::agent(app, "carla").await;
    for _ in 0..10 {
        bypass_code(&carla, &id).await;
        // What is refused costs nothing.
        ask(&carla, &account_of(&bob), RESET).await.is(409);
        ask(&carla, UNKNOWN, BYPASS).await.is(404);
    }
    for call in [RESET, BYPASS, UNLOCK] {
        let reply = ask(&carla, &id, call).await.is(429).refuses("too-many-attempts");
        assert_eq!(reply.header("ratelimit-policy"), Some("\"support-action\";q=10;w=3600"));
        assert!(reply.header("ratelimit").unwrap().starts_with("\"support-action\";r=0;t=3"));
        assert!((3500..=3600).contains(&reply.retry_after()));
    }
    assert_eq!(alice.status().await["enabled"], true);
    // It is the agent's budget: it stops nobody else.
    bypass_code(&dora, &id).await;
    let wait = ask(&carla, &id, RESET).await.is(429).retry_after();
    app.pass(wait);
    step_up(&carla).await;
    ask(&carla, &id, RESET).await.is(200);
}

on_both_engines!(at_once_an_agent_helps_ten_times_too);
/// G05, at once: places in flight fill the budget.
async fn at_once_an_agent_helps_ten_times_too(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    race(app, async |n| {
        let (carla, id) = (desk::agent(app, &format!("carla{n}")).await, account_of(&alice));
        let replies = join_all((0..15).map(|_| ask(&carla, &id, BYPASS))).await;
        let codes: Vec<String> = replies.iter().filter(|r| r.status == 201).map(|r| r.text("/code")).collect();
        assert_eq!(codes.len(), 10);
        assert_eq!(replies.iter().filter(|reply| reply.status == 429).count(), 5);
        assert_eq!(count(app, "bypass_code"), 1, "one is live at a time");
        codes.iter().for_each(|code| app.keep_out_of_sight(code));
    })
    .await;
}

on_both_engines!(of_agents_and_owner_at_once_one_switches_it_off);
/// L: two agents take the same call, and the owner finds the phone: it ends once, and is told once.
async fn of_agents_and_owner_at_once_one_switches_it_off(app: &TestApp) {
    race(app, async |n| {
        let alice = app.person(&format!("alice{n}")).await.with_two_factor().await;
        let id = account_of(&alice);
        let agents = [desk::agent(app, &format!("c{n}")).await, desk::agent(app, &format!("d{n}")).await];
        alice.sign_in().await;
        let body = json!({"password": alice.password});
        let resets = join_all(agents.iter().chain(&agents).map(|agent| ask(agent, &id, RESET)));
        let (resets, disabled) = join(resets, alice.post(DISABLE, &body)).await;
        let done = resets.iter().chain([&disabled]).filter(|reply| reply.status == 200).count();
        assert_eq!(done, 1);
        for reply in resets.into_iter().filter(|reply| reply.status != 200) {
            reply.is(409).refuses("two-factor-not-enabled");
        }
        assert!([200, 401, 409].contains(&disabled.status), "{}", disabled.body);
        let ends = "kind IN ('two_factor.disabled', 'two_factor.reset_by_support')";
        assert_eq!(count(app, &format!("audit WHERE account_id = '{id}' AND {ends}")), 1);
        assert_eq!(count(app, &format!("announcement WHERE account_id = '{id}' AND {ends}")), 1);
        alice.sign_in().await;
        assert_eq!(alice.status().await["enabled"], false);
    })
    .await;
}

on_both_engines!(agents_who_unlock_each_other_at_once_do_not_wait_for_each_other, |config| {
    config.limits.support_action.free = 10_000;
});
/// L: each holds the other's account for the other; in whatever order, both get through.
async fn agents_who_unlock_each_other_at_once_do_not_wait_for_each_other(app: &TestApp) {
    let (carla, dora) = (desk::agent(app, "carla").await, desk::agent(app, "dora").await);
    let (hers, theirs) = (account_of(&carla), account_of(&dora));
    race(app, async |_| {
        let there = join_all((0..6).map(|_| ask(&carla, &theirs, UNLOCK)));
        let back = join_all((0..6).map(|_| ask(&dora, &hers, UNLOCK)));
        let (there, back) = join(there, back).await;
        there.into_iter().chain(back).for_each(|reply| drop(reply.is(200)));
    })
    .await;
}

on_both_engines!(what_an_agent_writes_is_kept_as_it_is_and_means_nothing);
/// M05: a reason is text for people, whatever it looks like.
async fn what_an_agent_writes_is_kept_as_it_is_and_means_nothing(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let (carla, id) = (desk::agent(app, "carla").await, account_of(&alice));
    let reason = "'; DROP TABLE account; -- \"}, {\"<script>alert(1)</script> \u{202e}${jndi:x} %s \\u0000 丢了手机";
    let body = json!({"reason": reason, "ticket": "<b>&amp;</b>"});
    carla.post(&about(&id, UNLOCK), &body).await.is(200);
    let page = alice.get("/account/security/events?limit=1").await.is(200);
    assert_eq!(page.body["events"][0]["details"]["reason"], reason);
    assert_eq!(page.body["events"][0]["details"]["ticket"], "<b>&amp;</b>");
    for member in ["reason", "ticket"] {
        for text in ["a\r\nSet-Cookie: x", "\u{1b}[2J", "a\u{0}b", "\u{85}", &"x".repeat(501)] {
            let body = crate::support::person::with(cause(), json!({member: text}));
            carla.post(&about(&id, UNLOCK), &body).await.is(422).refuses("validation-failed");
        }
    }
    alice.get(STATUS).await.is(200);
}
