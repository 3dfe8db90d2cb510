//! H07-H14: how strange a request can be and still be read in one way only.

use crate::{
    on_both_engines,
    support::{
        TestApp, document,
        person::{CODES, DISABLE, LOGIN, PASSWORD, Person, REFRESH, TOTP_PATH},
        wire,
    },
};
use actix_web::http::Method;
use serde_json::json;
use std::time::{Duration, Instant};

/// Every body that takes a password, with this one in it.
fn bodies(person: &Person<'_>, password: &str) -> [(&'static str, String); 5] {
    let text = serde_json::to_string(password).unwrap();
    let body = format!("{{\"password\": {text}}}");
    [
        (LOGIN, format!("{{\"email\": \"{}\", \"password\": {text}}}", person.email)),
        (DISABLE, body.clone()),
        (CODES, body.clone()),
        (TOTP_PATH, body),
        (PASSWORD, format!("{{\"current_password\": {text}, \"new_password\": \"another long password\"}}")),
    ]
}

async fn status_of(person: &Person<'_>, path: &str, body: String) -> u16 {
    let bearer = format!("Bearer {}", person.access.borrow());
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    person.app.send_raw("POST", path, &headers, body.into_bytes()).await.status
}

/// A person whose password is this one, at a browser that has proved both factors.
async fn person_with<'a>(app: &'a TestApp, name: &str, password: &str) -> Person<'a> {
    let email = format!("{name}@example.test");
    app.add_account(&email, password).await;
    Person::new(app, email, password.to_owned()).with_two_factor().await
}

on_both_engines!(a_password_that_can_be_none_costs_no_hash, |config| config.bcrypt_cost = 13);
/// H07: half a second of work for a megabyte of nothing is a bargain for whoever wants the service down.
async fn a_password_that_can_be_none_costs_no_hash(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    for (length, status) in [(1_000_000, 413), (15_000, 422), (72, 422)] {
        for (path, body) in bodies(&alice, &"x".repeat(length)) {
            let mut fastest = Duration::MAX;
            // The fastest of ten is the service's doing; the slowest is the machine's.
            for _ in 0..10 {
                let began = Instant::now();
                assert_eq!(status_of(&alice, path, body.clone()).await, status, "{path} {length}");
                fastest = fastest.min(began.elapsed());
            }
            assert!(fastest < Duration::from_millis(200), "{path} {length}: {fastest:?}");
        }
    }
    let wrong = alice.post(DISABLE, &json!({"password": "wrong password"})).await.is(403);
    assert_eq!(wrong.body["attempts_remaining"], 4, "nothing was paid");
}

on_both_engines!(a_password_has_one_reading_wherever_it_is_taken, |config| {
    config.limits.reauth_session.free = 1000;
    config.limits.reauth_session.ends_at = 1000;
    config.limits.reauth_account.free = 1000;
    config.limits.login.free = 1000;
});
/// H08, H09, H11: bcrypt stops at a NUL and at 72 bytes, and Unicode writes one letter in two ways: whoever
/// compares less than everything lets in whoever knows the rest.
async fn a_password_has_one_reading_wherever_it_is_taken(app: &TestApp) {
    let longest = "p".repeat(71);
    let (composed, decomposed) = ("caf\u{e9} \u{fb01}nal \u{ff11}23", "cafe\u{301} \u{fb01}nal \u{ff11}23");
    type Tries = Vec<(String, u16)>;
    let cases: [(&str, &str, Tries); 4] = [
        ("nul", "abc defgh", vec![("abc defgh\0".into(), 422), ("abc defgh\0x".into(), 422), ("\0".into(), 422)]),
        (
            "long",
            &longest,
            vec![
                (format!("{longest}p"), 422),
                (format!("{longest}x"), 422),
                ("p".repeat(70), 403),
                (format!("{}x", "p".repeat(70)), 403),
                (format!("{}\u{e9}", "p".repeat(70)), 422),
                ("\u{20ac}".repeat(24), 422),
                (format!("{}x", "\u{20ac}".repeat(24)), 422),
                (format!("{}xx", "\u{20ac}".repeat(23)), 403),
            ],
        ),
        ("composed", composed, others(composed, &[decomposed, "caf\u{e9} final 123", "cafe \u{fb01}nal \u{ff11}23"])),
        ("decomposed", decomposed, others(decomposed, &[composed, "caf\u{e9} final 123"])),
    ];
    for (name, password, others) in cases {
        let person = person_with(app, name, password).await;
        for (other, status) in others {
            for (path, body) in bodies(&person, &other) {
                assert_eq!(status_of(&person, path, body).await, status, "{path} {other:?} for {name}");
            }
        }
        let mut right = bodies(&person, password);
        right.reverse();
        assert_eq!(status_of(&person, LOGIN, right[4].1.clone()).await, 200, "{name}");
        assert_eq!(status_of(&person, PASSWORD, right[0].1.clone()).await, 200, "{name}");
    }
}

/// Spellings of a password that are not it: each is wrong, as are its other cases and spaces.
fn others(right: &str, others: &[&str]) -> Vec<(String, u16)> {
    let more = [right.to_uppercase(), format!(" {right}"), format!("{right} ")];
    others.iter().map(|other| (*other).to_owned()).chain(more).map(|other| (other, 403)).collect()
}

on_both_engines!(a_new_password_is_kept_whole_or_not_at_all);
/// H09: a password cut where it is set would be opened by its beginning later.
async fn a_new_password_is_kept_whole_or_not_at_all(app: &TestApp) {
    for (n, (new, status)) in [
        ("n".repeat(71), 200),
        ("n".repeat(72), 422),
        (format!("{}xx", "\u{20ac}".repeat(23)), 200),
        ("\u{20ac}".repeat(24), 422),
        ("new pass\0word".into(), 422),
    ]
    .into_iter()
    .enumerate()
    {
        let person = app.person(&format!("person{n}")).await;
        person.sign_in().await;
        let body = json!({"current_password": person.password, "new_password": new});
        person.post(PASSWORD, &body).await.is(status);
        let sign_in =
            async |password: &str| app.post(LOGIN, &json!({"email": person.email, "password": password})).await;
        sign_in(if status == 200 { &new } else { &person.password }).await.is(200);
        let mut shorter = new.clone();
        shorter.pop();
        sign_in(&shorter).await.is(if shorter.len() < 72 && !shorter.contains('\0') { 403 } else { 422 });
    }
}

on_both_engines!(bytes_that_are_no_text_are_malformed);
/// H10: two readers of a broken text see two texts, and one of them may be somebody's password.
async fn bytes_that_are_no_text_are_malformed(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let broken: [&[u8]; 12] = [
        b"\xff",
        b"\xfe\xff",
        b"\x80",
        b"\xc3",
        b"\xc0\xaf",
        b"\xe0\x80\xaf",
        b"\xf0\x80\x80\xaf",
        b"\xed\xa0\x80",
        b"\xf4\x90\x80\x80",
        b"\\ud800",
        b"\\udc00\\ud800",
        b"\x1b\n",
    ];
    let bearer = format!("Bearer {}", alice.access.borrow());
    let headers = [("Authorization", bearer.as_str()), ("Content-Type", "application/json")];
    for bytes in broken {
        for (path, body) in bodies(&alice, "\u{1}") {
            let marker = body.find("\\u0001").unwrap();
            let (before, after) = (&body.as_bytes()[..marker], &body.as_bytes()[marker + 6..]);
            let whole = [before, bytes, after].concat();
            app.send_raw("POST", path, &headers, whole).await.is(400).refuses("malformed-request");
        }
    }
    // Nor as UTF-16 or behind a mark of byte order.
    let utf16: Vec<u8> =
        json!({"password": alice.password}).to_string().encode_utf16().flat_map(u16::to_le_bytes).collect();
    app.send_raw("POST", DISABLE, &headers, utf16).await.is(400);
    assert_eq!(alice.status().await["enabled"], true);
}

on_both_engines!(a_body_is_json_as_it_stands);
/// H12: a kilobyte that unpacks to a gigabyte, or a form that any page can send, is no request of ours.
async fn a_body_is_json_as_it_stands(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bearer = format!("Bearer {}", alice.access.borrow());
    // A stored block of DEFLATE would be enough; nobody unpacks, so what is in it does not matter.
    let bomb = [&b"\x1f\x8b\x08\0\0\0\0\0\0\xff"[..], &[0; 10_000]].concat();
    let body = json!({"password": alice.password}).to_string().into_bytes();
    for coding in
        ["gzip", "x-gzip", "deflate", "br", "zstd", "compress", "gzip, gzip", "identity, gzip", "GZIP", "utf-8", ""]
    {
        for content in [&bomb, &body] {
            let headers = [
                ("Authorization", bearer.as_str()),
                ("Content-Type", "application/json"),
                ("Content-Encoding", coding),
            ];
            app.send_raw("POST", DISABLE, &headers, content.clone()).await.is(415).refuses("unsupported-media-type");
        }
    }
    for kind in [
        "text/json",
        "application/jsonx",
        "application/json-patch+json",
        "application/problem+json",
        "application/*",
        "json",
        "text/plain; application/json",
        "multipart/form-data; boundary=application/json",
        "",
    ] {
        let headers = [("Authorization", bearer.as_str()), ("Content-Type", kind)];
        app.send_raw("POST", DISABLE, &headers, body.clone()).await.is(415).refuses("unsupported-media-type");
    }
    app.send_raw("POST", DISABLE, &[("Authorization", &bearer)], body).await.is(415);
    assert_eq!(alice.status().await["enabled"], true);
}

on_both_engines!(no_other_spelling_of_a_path_leads_past_the_guard, |config| {
    config.auth_per_minute = 1;
    config.auth_burst = 1;
});
/// H13: a guard that reads paths in another way than the router guards nothing.
async fn no_other_spelling_of_a_path_leads_past_the_guard(app: &TestApp) {
    let spellings: [(&str, &[u16]); 24] = [
        ("//account/security/2fa", &[404]),
        ("/account//security/2fa", &[404]),
        ("/account/./security/2fa", &[404]),
        ("/account/x/../security/2fa", &[404]),
        ("/.well-known/../account/security/2fa", &[404]),
        ("/account/security/%2e%2e/security/2fa", &[404]),
        ("/account%2Fsecurity%2F2fa", &[404]),
        ("/account/security/2fa%00", &[404]),
        ("/account/security/2fa%0d%0aX:y", &[404]),
        ("/account/security/2fa%", &[404]),
        ("/account/security/2fa%zz", &[404]),
        ("/account/security/2fa/", &[404]),
        ("/account/security/2fa;x", &[404]),
        ("/account/security/2fa;/../2fa", &[404]),
        ("/ACCOUNT/security/2fa", &[404]),
        ("/account\\security\\2fa", &[400, 404]),
        ("/account/security/2fa\u{0}", &[400]),
        ("/account/security/2fa#x", &[400, 401]),
        ("account/security/2fa", &[400]),
        ("*", &[400, 404]),
        ("http://x/account/security/2fa", &[401]),
        ("http://evil.example/account/security/2fa", &[401]),
        ("http://x//account/security/2fa", &[404]),
        ("/account/security/2fa?x=/.well-known/jwks.json", &[401]),
    ];
    for (path, statuses) in spellings {
        for method in ["GET", "POST"] {
            let bytes =
                format!("{method} {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\nConnection: close\r\n\r\n");
            let exchange = wire::send(app, bytes).await;
            let [answer] = exchange.answers.as_slice() else { panic!("{path}: {exchange:?}") };
            let is_expected = statuses.contains(&answer.status) || (method == "POST" && answer.status == 405);
            assert!(is_expected, "{method} {path}: {}", answer.status);
            assert!(!String::from_utf8_lossy(&answer.body).contains("\"enabled\""), "{path}");
        }
    }
    // The limit of a network is no matter of spelling either: each of these is counted, or is no sign-in.
    let refresh = |path: &str| {
        let body = "{\"refresh_token\": \"x\"}";
        let length = body.len();
        format!(
            "POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\nContent-Length: {length}\r\n\r\n{body}"
        )
    };
    for _ in 0..app.replicas() {
        wire::send(app, refresh(REFRESH)).await;
    }
    for path in [
        REFRESH.to_owned(),
        format!("http://x{REFRESH}"),
        format!("{REFRESH}?x=1"),
        format!("/{REFRESH}"),
        format!("{REFRESH};x"),
    ] {
        let answer = wire::send(app, refresh(&path)).await.answers[0].status;
        assert!([404, 429].contains(&answer), "{path}: {answer}");
    }
}

on_both_engines!(a_method_that_a_path_does_not_have_is_told_which_it_has);
/// H14: a check that is tied to the methods somebody thought of is passed by all others.
async fn a_method_that_a_path_does_not_have_is_told_which_it_has(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bearer = format!("Bearer {}", alice.access.borrow());
    let body = json!({"password": alice.password}).to_string();
    let mut paths: Vec<String> = document::operations().into_iter().map(|(_, path, _)| path).collect();
    paths.dedup();
    for path in paths {
        let has: Vec<String> =
            document::operations().into_iter().filter(|(_, of, _)| *of == path).map(|(method, ..)| method).collect();
        for method in
            ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND", "get", "POSTX", "X"]
        {
            // To end the session of this name is an operation.
            let is_a_session = path.ends_with("/end-others") && method == "DELETE";
            if is_a_session || has.iter().any(|own| own == method) {
                continue;
            }
            assert!(Method::from_bytes(method.as_bytes()).is_ok());
            let headers = [
                ("Authorization", bearer.as_str()),
                ("Content-Type", "application/json"),
                ("X-HTTP-Method-Override", has[0].as_str()),
                ("X-Method-Override", has[0].as_str()),
            ];
            let target = path.replace("{id}", &alice.method.borrow()).replace("{sid}", "x").replace("{n}", "1");
            let target = format!("{}?_method={}", target.replace("{code}", "not-found"), has[0]);
            let reply = app.send_unjudged(method, &target, &headers, body.clone().into_bytes()).await;
            assert_eq!(reply.status, 405, "{method} {target}");
            let mut allowed: Vec<&str> = reply.header("allow").unwrap().split(", ").collect();
            allowed.sort_unstable();
            assert!(has.iter().all(|own| allowed.contains(&own.as_str())), "{method} {path}: {allowed:?}");
            assert!(!allowed.contains(&method), "{method} {path}: {allowed:?}");
        }
    }
    for bytes in [
        "CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n",
        "CONNECT / HTTP/1.1\r\nHost: x\r\n\r\n",
        "P\u{f6}ST / HTTP/1.1\r\nHost: x\r\n\r\n",
    ] {
        let exchange = wire::send(app, bytes).await;
        assert!([[400], [404], [405]].iter().any(|one| exchange.statuses() == one), "{bytes}: {exchange:?}");
    }
    assert_eq!(alice.status().await["enabled"], true);
}
