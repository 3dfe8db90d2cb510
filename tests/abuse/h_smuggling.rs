//! H04: requests whose end is read in two ways. Whoever sits in front may read them in the other, so that what
//! it takes for a body would be a request here, made by somebody else.

use crate::{
    on_both_engines,
    support::{
        TestApp,
        person::{DISABLE, Person, REFRESH, STATUS},
        wire,
    },
};
use serde_json::json;

/// The request that must not be executed: the owner's own, complete and good.
fn disable(alice: &Person<'_>) -> String {
    let body = json!({"password": alice.password}).to_string();
    wire::request("POST", DISABLE, &alice.access.borrow(), &body)
}

/// A request whose head holds these lines, without its body.
fn carrier(first_line: &str, lines: &str) -> String {
    format!("{first_line}\r\nHost: x\r\nContent-Type: application/json\r\n{lines}\r\n\r\n")
}

fn refresh(lines: &str) -> String {
    carrier(&format!("POST {REFRESH} HTTP/1.1"), lines)
}

/// Carriers that read their body, have no route, or have no use for a body.
fn carriers() -> [String; 3] {
    [format!("POST {REFRESH} HTTP/1.1"), "POST /nowhere HTTP/1.1".into(), format!("GET {STATUS} HTTP/1.1")]
}

async fn is_on(alice: &Person<'_>) -> bool {
    alice.get(STATUS).await.is(200).body["enabled"] == true
}

/// Heads with a transfer coding, or something like one.
fn coded_heads(hidden: &str) -> Vec<String> {
    let length = hidden.len() + 5;
    let codings = [
        "xchunked",
        "chunked, identity",
        "identity, chunked",
        "gzip, chunked",
        "identity",
        "chunked;q=1",
        "\"chunked\"",
        "\u{b}chunked",
        "chunked\u{0}",
        "chunked,",
        "chunked chunked",
        "",
    ];
    let lines = [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}"),
        format!("Content-Length: {length}\nTransfer-Encoding: chunked"),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked".into(),
        "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity".into(),
        "Transfer-Encoding : chunked".into(),
        " Transfer-Encoding: chunked".into(),
        "Transfer-Encoding:\r\n chunked".into(),
        "X: y\r\n Transfer-Encoding: chunked".into(),
        "X: y\rTransfer-Encoding: chunked".into(),
        "Transfer-Encoding\u{0}: chunked".into(),
    ];
    let coded = codings.iter().map(|coding| refresh(&format!("Transfer-Encoding: {coding}")));
    coded.chain(lines.iter().map(|lines| refresh(lines))).map(|head| head + "0\r\n\r\n").collect()
}

/// Heads with a length, or something like one.
fn measured_heads(hidden: &str) -> Vec<String> {
    let n = hidden.len();
    let lines = [
        format!("Content-Length: 0\r\nContent-Length: {n}"),
        format!("Content-Length: {n}\r\nContent-Length: 0"),
        format!("Content-Length: {n}\r\nContent-Length: {n}"),
        format!("Content-Length: {n}, {n}"),
        format!("Content-Length: 0, {n}"),
        format!("Content-Length: +{n}"),
        format!("Content-Length: -{n}"),
        format!("Content-Length: 0x{n:x}"),
        format!("Content-Length: 0 {n}"),
        format!("Content-Length: {n}.0"),
        "Content-Length: ".into(),
        "Content-Length: \u{665}".into(),
        "Content-Length: 99999999999999999999999".into(),
        format!("Content-Length : {n}"),
        format!(" Content-Length: {n}"),
        format!("Content-Length:\r\n {n}"),
        format!("X: y\rContent-Length: {n}"),
        format!("Content-Length: {n}\r\nHost: y"),
    ];
    let mut heads: Vec<String> = lines.iter().map(|lines| refresh(lines)).collect();
    heads.push(carrier(&format!("POST {REFRESH} HTTP/1.0"), "Transfer-Encoding: chunked") + "0\r\n\r\n");
    heads.push(format!("POST {REFRESH} HTTP/1.1\r\nContent-Length: 0\r\n\r\n"));
    heads.push("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".into());
    heads
}

on_both_engines!(a_head_that_can_be_read_in_two_ways_is_one_400_and_the_end);
/// H04: a proxy that reads such a head in the other way hands over one person's bytes as another's request.
async fn a_head_that_can_be_read_in_two_ways_is_one_400_and_the_end(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let hidden = disable(&alice);
    let heads = [coded_heads(&hidden), measured_heads(&hidden)].concat();
    for head in heads {
        for stays in [false, true] {
            let bytes = format!("{head}{hidden}");
            let exchange = if stays { wire::send_and_stay(app, bytes).await } else { wire::send(app, bytes).await };
            assert_eq!(exchange.statuses(), [400], "{head:?}");
            assert!(exchange.is_closed, "{head:?}");
        }
        assert!(is_on(&alice).await, "{head:?}");
    }
}

on_both_engines!(what_stands_in_a_body_is_no_request);
/// H04: a body that nobody reads must not be left on the connection, where the next request is looked for.
async fn what_stands_in_a_body_is_no_request(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let hidden = disable(&alice);
    let n = hidden.len();
    let post = format!("POST {REFRESH} HTTP/1.1");
    let padding = " ".repeat(20_000 - n);
    let plain = format!("Content-Length: {n}");
    let cases: [(&str, String, &[u16]); 12] = [
        (&post, refresh(&plain), &[400]),
        (&post, refresh(&format!("Content-Length: 0{n}")), &[400]),
        // The head's lines may end in a bare LF (RFC 9112 §2.2): then that line counts like the others.
        (&post, refresh(&format!("X: y\nContent-Length: {n}")), &[400]),
        (&post, refresh(&format!("Expect: 100-continue\r\n{plain}")), &[100, 400]),
        (&post, refresh("Content-Length: 18446744073709551615"), &[413]),
        (&post, refresh("Content-Length: 20000") + &padding, &[413]),
        (&post, refresh("Connection: upgrade\r\nUpgrade: websocket"), &[400]),
        ("HTTP/1.0", carrier(&format!("POST {REFRESH} HTTP/1.0"), &plain), &[400]),
        ("nobody reads it", carrier("POST /nowhere HTTP/1.1", &plain), &[404]),
        ("nobody reads it", carrier("PUT /account/security/2fa HTTP/1.1", &plain), &[405]),
        ("nobody reads it", carrier("GET /.well-known/jwks.json HTTP/1.1", &plain), &[200]),
        ("nobody reads it", carrier(&format!("GET {STATUS} HTTP/1.1"), &plain), &[401]),
    ];
    for (what, head, statuses) in cases {
        let exchange = wire::send(app, head.clone() + &hidden).await;
        assert_eq!(exchange.statuses(), statuses, "{what}: {head:?}");
        assert!(exchange.is_closed && is_on(&alice).await, "{what}: {head:?}");
    }
}

on_both_engines!(a_chunk_that_is_none_ends_the_connection);
/// H04: a chunk whose end is a matter of taste hides a request from one of two readers.
async fn a_chunk_that_is_none_ends_the_connection(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let hidden = disable(&alice);
    let chunks = [
        "0;\n\r\n\r\n",
        "0;a=\"\n\"\r\n\r\n",
        "0\n\n",
        "0\n\r\n",
        "0\r\r\n",
        "0x0\r\n\r\n",
        " 0\r\n\r\n",
        "+0\r\n\r\n",
        "-0\r\n\r\n",
        "g\r\n\r\n",
        "\r\n0\r\n\r\n",
        "2\r\n{}0\r\n\r\n",
        "2\r\n{}\n0\r\n\r\n",
        "2\r\n{}x0\r\n\r\n",
        "10000000000000000\r\n{}\r\n0\r\n\r\n",
        "ffffffffffffffff\r\n{}\r\n0\r\n\r\n",
        "",
        // The hidden head is read as the trailers that come without their end, and its body as nonsense.
        "0\r\n",
        "0\r\nX: y\n\n",
    ];
    for (first_line, status) in carriers().iter().zip([400, 404, 401]) {
        for chunk in chunks {
            let bytes = carrier(first_line, "Transfer-Encoding: chunked") + chunk + &hidden;
            let exchange = wire::send(app, bytes).await;
            let statuses = exchange.statuses();
            assert!([&[status][..], &[status, 400]].contains(&statuses.as_slice()), "{chunk:?}: {statuses:?}");
            assert!(exchange.is_closed && is_on(&alice).await, "{first_line} {chunk:?}");
        }
    }
}

on_both_engines!(two_whole_requests_on_one_connection_are_two);
/// H04: the control. By every reading of RFC 9112 these are two requests, bare LF and chunk extension included;
/// the claims above do not hold for want of eyes.
async fn two_whole_requests_on_one_connection_are_two(app: &TestApp) {
    let chunked = "Transfer-Encoding: chunked";
    let firsts = [
        refresh("X: y"),
        refresh("Content-Length: 2") + "{}",
        refresh("Transfer-Encoding: CHUNKED") + "2\r\n{}\r\n0\r\n\r\n",
        refresh(chunked) + "0;extension=1\r\nTrailer: 1\r\n\r\n",
        refresh("X: y\nTransfer-Encoding: chunked") + "0\r\n\r\n",
        refresh("Connection: upgrade\r\nUpgrade: h2c"),
    ];
    for (n, first) in firsts.iter().enumerate() {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let exchange = wire::send(app, first.clone() + &disable(&person)).await;
        assert_eq!(exchange.statuses(), [400, 200], "{first:?}");
        assert_eq!(person.login().await.is(200).body["result"], "signed_in");
    }
}
