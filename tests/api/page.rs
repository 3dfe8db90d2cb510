//! The Account Security page, as a browser fetches it.

use crate::{
    on_both_engines,
    support::{TestApp, reply::Reply},
};
use flate2::read::GzDecoder;
use std::{
    collections::{BTreeMap, VecDeque},
    io::Read,
};

/// What the page may weigh on the wire, in bytes: every view, in English, which is always there.
const BUDGET: usize = 60_000;
/// What another language may weigh, which is fetched when it is spoken.
const LANGUAGE_BUDGET: usize = 9_000;

async fn fetch(app: &TestApp, path: &str, headers: &[(&str, &str)]) -> Reply {
    app.send_unjudged("GET", path, headers, vec![]).await
}

/// What a file names, as paths from the root: sources and links of a page, imports of a module.
fn named(path: &str, text: &str) -> Vec<String> {
    let marks: &[&str] =
        if path.ends_with(".js") { &["from \"", "import \"", "import(\""] } else { &["src=\"", "href=\""] };
    let folder = path.rsplit_once('/').unwrap().0;
    let after = marks.iter().flat_map(|mark| text.split(mark).skip(1));
    let names = after.map(|rest| rest.split('"').next().unwrap());
    names.map(|name| resolved(folder, name)).collect()
}

fn resolved(folder: &str, name: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in name.split('/') {
        match part {
            "." | "" => {}
            ".." => assert!(parts.pop().is_some(), "{name} leads out"),
            part => parts.push(part),
        }
    }
    format!("/{}", parts.join("/"))
}

/// A page and everything that it leads to.
async fn everything(app: &TestApp, page: &str) -> BTreeMap<String, Reply> {
    let (mut found, mut open) = (BTreeMap::new(), VecDeque::from([page.to_owned()]));
    while let Some(path) = open.pop_front() {
        if found.contains_key(&path) {
            continue;
        }
        let reply = fetch(app, &path, &[("accept-encoding", "gzip, br")]).await;
        assert_eq!(reply.status, 200, "{path}");
        open.extend(named(&path, &plain(&reply)));
        found.insert(path, reply);
    }
    found
}

fn plain(reply: &Reply) -> String {
    let mut text = String::new();
    match reply.header("content-encoding") {
        Some("gzip") => GzDecoder::new(reply.bytes()).read_to_string(&mut text).map(|_| ()).unwrap(),
        None => text.push_str(std::str::from_utf8(reply.bytes()).unwrap()),
        Some(other) => panic!("{other}"),
    }
    text
}

on_both_engines!(the_page_is_whole_and_within_its_budget);
async fn the_page_is_whole_and_within_its_budget(app: &TestApp) {
    let files = everything(app, "/").await;
    assert!(files.len() > 10, "{:?}", files.keys());
    for (path, reply) in &files {
        assert_eq!(reply.header("content-encoding"), Some("gzip"), "{path}");
        let bare = fetch(app, path, &[]).await;
        assert_eq!((bare.header("content-encoding"), plain(reply).as_bytes()), (None, bare.bytes()), "{path}");
        assert!(reply.header("vary").unwrap().starts_with("Accept-Encoding"));
    }
    let is_fetched = |path: &str| path.starts_with("/web/text/") && path != "/web/text/en.js";
    let (others, own): (Vec<_>, Vec<_>) = files.iter().partition(|(path, _)| is_fetched(path));
    let weight: usize = own.iter().map(|(_, reply)| reply.bytes().len()).sum();
    assert!(weight <= BUDGET, "the page weighs {weight} bytes");
    assert_eq!(others.len(), 2, "the languages beside English");
    for (path, reply) in others {
        assert!(reply.bytes().len() <= LANGUAGE_BUDGET, "{path} weighs {} bytes", reply.bytes().len());
    }
}

on_both_engines!(the_page_trusts_nothing_but_its_own_files);
async fn the_page_trusts_nothing_but_its_own_files(app: &TestApp) {
    let files = everything(app, "/").await;
    for (path, reply) in &files {
        let policy = reply.header("content-security-policy").unwrap();
        let own: &[&str] =
            if path == "/" { &["script-src 'self'", "style-src 'self'", "connect-src 'self'"] } else { &[] };
        for rule in own.iter().chain(&["default-src 'none'", "frame-ancestors 'none'"]) {
            assert!(policy.split("; ").any(|given| given == *rule), "{path}: {policy}");
        }
        assert!(!policy.contains("unsafe"), "{path}: {policy}");
        assert_eq!(reply.header("x-content-type-options"), Some("nosniff"));
        assert_eq!(reply.header("referrer-policy"), Some("no-referrer"));
        let text = plain(reply);
        if !path.ends_with(".js") {
            for inline in ["<script>", "<style", " style=", " onclick=", " onload=", "javascript:"] {
                assert!(!text.contains(inline), "{path} has {inline}");
            }
        }
        for risky in ["innerHTML", "outerHTML", "insertAdjacentHTML", "document.write", "eval(", "new Function"] {
            assert!(!text.contains(risky), "{path} has {risky}");
        }
    }
}

on_both_engines!(a_browser_keeps_the_page_and_asks_whether_it_is_still_the_same);
async fn a_browser_keeps_the_page_and_asks_whether_it_is_still_the_same(app: &TestApp) {
    let gzip = ("accept-encoding", "gzip");
    let (plain, packed) = (fetch(app, "/", &[]).await, fetch(app, "/", &[gzip]).await);
    let (tag, packed_tag) = (plain.header("etag").unwrap(), packed.header("etag").unwrap());
    assert_ne!(tag, packed_tag, "two encodings are two representations");
    assert_eq!(plain.header("cache-control"), Some("no-cache"));
    let again = fetch(app, "/", &[gzip, ("if-none-match", packed_tag)]).await;
    assert_eq!((again.status, again.bytes().len(), again.header("etag")), (304, 0, Some(packed_tag)));
    assert_eq!(fetch(app, "/", &[("if-none-match", tag)]).await.status, 304);
    assert_eq!(fetch(app, "/", &[("if-none-match", packed_tag)]).await.status, 200);
    for refused in ["gzip;q=0", "identity", "br"] {
        assert_eq!(
            fetch(app, "/", &[("accept-encoding", refused)]).await.header("content-encoding"),
            None,
            "{refused}"
        );
    }
}

on_both_engines!(only_files_of_the_page_are_handed_out);
async fn only_files_of_the_page_are_handed_out(app: &TestApp) {
    for path in ["/web/", "/web/nothing.js", "/web/%6dain.js", "/web//etc/passwd", "/web/views"] {
        fetch(app, path, &[("accept", "text/html")]).await.is(404).refuses("not-found");
    }
    for path in ["/", "/web/main.js"] {
        let posted = app.send_unjudged("POST", path, &[], vec![]).await.is(405).refuses("method-not-allowed");
        assert_eq!(posted.header("allow"), Some("GET"));
    }
    fetch(app, "/index.html", &[]).await.is(404).refuses("not-found");
    assert_eq!(fetch(app, "/", &[("accept", "text/html,application/xhtml+xml")]).await.status, 200);
    assert_eq!(
        fetch(app, "/web/main.js", &[("accept", "*/*")]).await.header("content-type"),
        Some("text/javascript; charset=utf-8")
    );
}

on_both_engines!(swagger_ui_is_there_where_it_is_asked_for, |config| config.docs = true);
async fn swagger_ui_is_there_where_it_is_asked_for(app: &TestApp) {
    let files = everything(app, "/docs").await;
    for path in
        ["/docs", "/web/docs/start.js", "/web/docs/swagger-ui-bundle.js", "/web/docs/swagger-ui.css", "/openapi.json"]
    {
        assert!(files.contains_key(path), "{path} is not among {:?}", files.keys());
    }
    let policy = files["/docs"].header("content-security-policy").unwrap();
    assert!(policy.contains("script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let bundle = "/web/docs/swagger-ui-bundle.js";
    assert_eq!(files[bundle].header("content-encoding"), Some("gzip"));
    let bare = fetch(app, bundle, &[]).await;
    assert_eq!((bare.header("content-encoding"), plain(&files[bundle]).as_bytes()), (None, bare.bytes()));
}

on_both_engines!(swagger_ui_is_not_there_unasked);
async fn swagger_ui_is_not_there_unasked(app: &TestApp) {
    for path in ["/docs", "/web/docs/start.js", "/web/docs/swagger-ui-bundle.js", "/web/docs/index.html"] {
        fetch(app, path, &[("accept", "text/html")]).await.is(404).refuses("not-found");
    }
}
