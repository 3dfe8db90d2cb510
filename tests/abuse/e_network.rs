//! Where a guess comes from, and what its sender can make of that.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{EVENTS, LOGIN, Person, REFRESH},
        reply::Reply,
    },
};
use futures_util::future::{join, join_all};
use serde_json::{Value, json};
use std::{ops::RangeInclusive, time::Instant};

/// Headers by which proxies of one make or another tell where a request comes from.
const CLAIMS: [&str; 10] = [
    "X-Forwarded-For",
    "Forwarded",
    "X-Real-IP",
    "CF-Connecting-IP",
    "True-Client-IP",
    "X-Client-IP",
    "X-Cluster-Client-IP",
    "X-Original-Forwarded-For",
    "X-Forwarded",
    "Forwarded-For",
];

/// A request that costs the limit of a network and nothing else.
async fn knock(app: &TestApp, headers: &[(&str, &str)]) -> u16 {
    send(app, REFRESH, headers, &json!({"refresh_token": "nonsense"})).await.status
}

/// One of very many requests, whose form other tests look at.
async fn send(app: &TestApp, path: &str, headers: &[(&str, &str)], body: &Value) -> Reply {
    let headers = [headers, &[("Content-Type", "application/json")]].concat();
    app.send_unjudged("POST", path, &headers, body.to_string().into_bytes()).await
}

/// How many a network may have been let in since: the burst, and one more a minute, at each replica. Time is the
/// machine's here.
fn let_in(app: &TestApp, burst: usize, since: Instant) -> RangeInclusive<usize> {
    let minutes = usize::try_from(since.elapsed().as_secs() / 60).unwrap();
    app.replicas() * burst..=app.replicas() * (burst + minutes)
}

fn claim(name: &str, ip: &str) -> String {
    if name == "Forwarded" { format!("for={ip};proto=https") } else { ip.to_owned() }
}

on_both_engines!(nobody_names_the_address_that_they_come_from, |config| {
    config.auth_per_minute = 1;
    config.auth_burst = 10;
});
/// E10: a limit for each address that a client makes up is no limit.
async fn nobody_names_the_address_that_they_come_from(app: &TestApp) {
    let alice = app.person("alice").await;
    let (mut admitted, began) = (0, Instant::now());
    for n in 0..4 * CLAIMS.len() {
        let name = CLAIMS[n % CLAIMS.len()];
        let value = claim(name, &format!("203.0.113.{n}"));
        let claims = [(name, value.as_str()), ("X-Forwarded-For", "198.51.100.1")];
        // It is the peer's own budget that is spent, and the sign-in's too.
        let headers = if n % 5 == 4 { &[][..] } else { &claims };
        let status = match n % 7 {
            6 => alice.login().await.status,
            _ => knock(app, headers).await,
        };
        admitted += usize::from([200, 401].contains(&status));
        assert!([200, 401, 429].contains(&status), "{status}");
    }
    let expected = let_in(app, 10, began);
    assert!(expected.contains(&admitted), "{admitted} were let in, not {expected:?}");
}

on_both_engines!(what_a_client_claims_is_not_in_the_log_either);
/// E10: an event that shows the address that the thief chose accuses somebody else.
async fn what_a_client_claims_is_not_in_the_log_either(app: &TestApp) {
    let alice = app.person("alice").await;
    let value = |name: &&'static str| (*name, claim(name, "203.0.113.9"));
    let claims: Vec<_> = CLAIMS.iter().map(value).collect();
    let headers: Vec<(&str, &str)> = claims.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let body = json!({"email": alice.email, "password": alice.password});
    let reply = app.send("POST", LOGIN, &headers, Some(&body)).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    for event in alice.get(EVENTS).await.is(200).body["events"].as_array().unwrap() {
        assert_eq!(event["ip"], "127.0.0.1");
    }
}

on_both_engines!(behind_a_trusted_proxy_the_hop_that_it_saw_counts, |config| {
    config.trusted_proxies = vec!["127.0.0.0/8".parse().unwrap(), "10.0.0.0/8".parse().unwrap()];
    config.auth_per_minute = 1;
    config.auth_burst = 5;
});
/// E10: a proxy adds the address that it saw to whatever the client has written there before.
async fn behind_a_trusted_proxy_the_hop_that_it_saw_counts(app: &TestApp) {
    let (mut admitted, began) = (0, Instant::now());
    for n in 0..40 {
        let hops = format!("198.51.100.{n}, 203.0.113.7, 10.0.0.3");
        let name = CLAIMS[1 + n % (CLAIMS.len() - 1)];
        let other = claim(name, &format!("192.0.2.{n}"));
        admitted += usize::from(knock(app, &[("X-Forwarded-For", &hops), (name, &other)]).await == 401);
    }
    assert!(let_in(app, 5, began).contains(&admitted), "one client has one budget, whatever it wrote: {admitted}");
    assert_eq!(knock(app, &[("X-Forwarded-For", "203.0.113.8, 10.0.0.3")]).await, 401, "another client has its own");
    // Who holds one address of IPv6 holds its whole /64.
    let (mut admitted, began) = (0, Instant::now());
    for n in 0..1000 {
        let hop = format!("2001:db8:0:7:{n:x}::{n:x}");
        admitted += usize::from(knock(app, &[("X-Forwarded-For", &hop)]).await == 401);
    }
    assert!(let_in(app, 5, began).contains(&admitted), "a thousand addresses of one network: {admitted}");
    assert_eq!(knock(app, &[("X-Forwarded-For", "2001:db8:0:8::1")]).await, 401, "the next network has its own");
}

on_both_engines!(a_spray_of_one_guess_each_is_stopped_and_locks_nobody, |config| {
    config.trusted_proxies = vec!["127.0.0.1/32".parse().unwrap()];
    config.auth_per_minute = 1;
    config.auth_burst = 10;
});
/// E09: a common password tried once at every account stays below every account's own limit.
async fn a_spray_of_one_guess_each_is_stopped_and_locks_nobody(app: &TestApp) {
    let mut people = Vec::new();
    for n in 0..60 {
        people.push(app.person(&format!("person{n}")).await);
    }
    let there = [("X-Forwarded-For", "203.0.113.66")];
    let guess = |email: &str| json!({"email": email, "password": "Password123!"});
    let (mut evaluated, mut refused, began) = (0, 0, Instant::now());
    for n in 0..1000 {
        let email = people.get(n).map_or_else(|| format!("customer{n}@example.test"), |person| person.email.clone());
        let reply = send(app, LOGIN, &there, &guess(&email)).await;
        evaluated += usize::from(reply.status == 403);
        if reply.status == 429 {
            refused += 1;
            assert!(reply.retry_after() > 0);
        }
    }
    assert!(let_in(app, 10, began).contains(&evaluated), "{evaluated} guesses were evaluated");
    assert_eq!(evaluated + refused, 1000);
    for (n, person) in people.iter().enumerate() {
        let own = format!("198.51.100.{n}");
        let body = json!({"email": person.email, "password": person.password});
        app.send("POST", LOGIN, &[("X-Forwarded-For", &own)], Some(&body)).await.is(200);
    }
}

async fn sign_in_from(person: &Person<'_>, ip: &str, password: &str) -> Reply {
    let body = json!({"email": person.email, "password": password});
    send(person.app, LOGIN, &[("X-Forwarded-For", ip)], &body).await
}

on_both_engines!(a_flood_from_everywhere_never_keeps_the_owner_out, |config| config.trusted_proxies =
    vec!["127.0.0.1/32".parse().unwrap()]);
/// E14: an account that anybody can lock by knowing its address is one that support must open every day.
async fn a_flood_from_everywhere_never_keeps_the_owner_out(app: &TestApp) {
    const HOME: &str = "192.0.2.1";
    let alice = app.person("alice").await;
    sign_in_from(&alice, HOME, &alice.password).await.is(200);
    let mut evaluated = 0;
    for wave in 0..40 {
        let flood = (0..25).map(|n| {
            let alice = &alice;
            async move { sign_in_from(alice, &format!("203.0.{wave}.{n}"), "a guess in the dark").await }
        });
        let owner = sign_in_from(&alice, HOME, &alice.password);
        let (replies, own) = join(join_all(flood), owner).await;
        own.is(200);
        evaluated += replies.iter().filter(|reply| reply.status == 403).count();
        assert!(replies.iter().all(|reply| [403, 429].contains(&reply.status)), "{replies:?}");
    }
    assert_eq!(evaluated, 10, "of a thousand guesses at one moment");
    // From where she never was she waits like everybody, for minutes and not for somebody to help.
    let wait = sign_in_from(&alice, "198.51.100.1", &alice.password).await.is(429).retry_after();
    assert!((1..=900).contains(&wait), "{wait}");
    app.pass(wait);
    sign_in_from(&alice, "198.51.100.1", &alice.password).await.is(200);
    // Guesses from her own home are counted there, and keep nobody out who comes from elsewhere.
    for _ in 0..10 {
        sign_in_from(&alice, HOME, "a guess in the dark").await.is(403);
    }
    sign_in_from(&alice, HOME, &alice.password).await.is(429);
    sign_in_from(&alice, "198.51.100.1", &alice.password).await.is(200);
}

on_both_engines!(an_address_is_known_for_thirty_days_and_proves_nothing, |config| config.trusted_proxies =
    vec!["127.0.0.1/32".parse().unwrap()]);
/// E13: a trust that never ends is inherited by whoever has the address next.
async fn an_address_is_known_for_thirty_days_and_proves_nothing(app: &TestApp) {
    const HOME: &str = "192.0.2.1";
    let alice = app.person("alice").await.with_two_factor().await;
    let answer = async |ip: &str, factor: Value| {
        let mut body = json!({"challenge": sign_in_from(&alice, ip, &alice.password).await.is(200).text("/challenge")});
        body.as_object_mut().unwrap().extend(factor.as_object().unwrap().clone());
        app.send("POST", "/auth/login/second-factor", &[("X-Forwarded-For", ip)], Some(&body)).await
    };
    // A password alone makes no address known, and a known one asks for the second factor all the same.
    sign_in_from(&alice, "192.0.2.2", &alice.password).await.is(200);
    answer(HOME, json!({"code": alice.fresh_code()})).await.is(200);
    answer(HOME, json!({"code": alice.wrong_code()})).await.is(403);
    let flood = async || {
        for n in 0..10 {
            sign_in_from(&alice, &format!("203.0.113.{n}"), "a guess in the dark").await.is(403);
        }
    };
    flood().await;
    sign_in_from(&alice, "192.0.2.2", &alice.password).await.is(429);
    assert_eq!(sign_in_from(&alice, HOME, &alice.password).await.is(200).body["result"], "second_factor_required");
    app.pass(30 * 24 * 3600);
    flood().await;
    sign_in_from(&alice, HOME, &alice.password).await.is(429);
}
