//! I: what was secret once shows nowhere: in no log, no file, no answer.

use crate::{
    on_both_engines,
    support::{
        TestApp, codes, document,
        installation::{Installation, PASSWORD as INSTALLED_PASSWORD, Served, code_in, text},
        needles, passkeys,
        person::{CODES, DISABLE, LOGIN, PASSWORD, REFRESH, SECOND, STATUS, TOTP_PATH, VERIFY},
        postgres,
        reply::Reply,
    },
};
use data_encoding::{BASE32_NOPAD, BASE64, BASE64URL_NOPAD, HEXLOWER, HEXUPPER};
use serde_json::{Value, json};
use std::{fs, path::Path};
use twofold::domain::method::Kind;

const KEY: &str = "idempotency-key-of-the-canary";

/// One secret, in every form in which somebody could write it down.
struct Canary {
    name: String,
    forms: Vec<Vec<u8>>,
}

impl Canary {
    fn new(name: impl Into<String>, secret: &str) -> Self {
        assert!(secret.len() >= 12, "too short to be found by accident: {secret}");
        Self { name: name.into(), forms: forms(secret.as_bytes()) }
    }

    /// The secret of an authenticator: base 32 on the outside, twenty bytes within.
    fn seed(base32: &str) -> Self {
        let raw = BASE32_NOPAD.decode(base32.as_bytes()).unwrap();
        let mut all = forms(&raw);
        all.extend(forms(base32.as_bytes()));
        all.extend(forms(base32.to_lowercase().as_bytes()));
        Self { name: "the authenticator's secret".into(), forms: all }
    }

    /// A recovery code, with and without hyphens, in either case.
    fn recovery(code: &str) -> Self {
        let bare = code.replace('-', "");
        let spellings = [code.to_owned(), code.to_lowercase(), bare.clone(), bare.to_lowercase()];
        let raw =
            data_encoding::Specification { symbols: "0123456789ABCDEFGHJKMNPQRSTVWXYZ".into(), ..Default::default() };
        let mut all: Vec<_> = spellings.iter().flat_map(|spelling| forms(spelling.as_bytes())).collect();
        all.extend(forms(&raw.encoding().unwrap().decode(bare.as_bytes()).unwrap()));
        Self { name: format!("the recovery code {code}"), forms: all }
    }
}

/// As it is, in hexadecimal (as a dump shows bytes), and in base 64.
fn forms(raw: &[u8]) -> Vec<Vec<u8>> {
    let written = [HEXLOWER.encode(raw), HEXUPPER.encode(raw), BASE64.encode(raw), BASE64URL_NOPAD.encode(raw)];
    std::iter::once(raw.to_vec()).chain(written.map(String::into_bytes)).collect()
}

/// Everything that lies in a folder, by name.
fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder).unwrap().flatten();
    entries.map(|entry| (entry.path().display().to_string(), fs::read(entry.path()).unwrap())).collect()
}

/// One form of a secret.
struct Form<'a>(&'a Canary, &'a [u8]);

impl AsRef<[u8]> for Form<'_> {
    fn as_ref(&self) -> &[u8] {
        self.1
    }
}

/// One of those that are looked for which lies here in any of its forms.
fn find<'a>(canaries: &'a [Canary], bytes: &[u8]) -> Option<&'a Canary> {
    let each = |canary: &'a Canary| canary.forms.iter().map(move |form| Form(canary, form));
    let forms: Vec<Form<'a>> = canaries.iter().flat_map(each).collect();
    needles::first_found(bytes, &forms).map(|form| form.0)
}

fn are_nowhere(canaries: &[Canary], places: &[(String, Vec<u8>)]) {
    for (place, bytes) in places {
        let found = find(canaries, bytes);
        assert!(found.is_none(), "{} is in {place}", found.unwrap().name);
    }
}

/// The secrets of an answer, by the members that hold them.
fn told(reply: &Reply) -> Vec<Canary> {
    reply.secrets().iter().map(|secret| Canary::new("a secret of an answer", secret)).collect()
}

/// The answers of the probes, at the time of the database: a replica of another time would decide nothing more.
async fn probes(app: &TestApp) -> Vec<(&'static str, reqwest::Response)> {
    let real = i64::try_from(std::time::UNIX_EPOCH.elapsed().unwrap().as_secs()).unwrap();
    app.pass(real - app.now().as_second());
    let mut answers = Vec::new();
    for path in ["/livez", "/readyz"] {
        answers.push((path, reqwest::get(format!("{}{path}", app.operations())).await.unwrap()));
    }
    answers
}

on_both_engines!(no_secret_of_the_whole_story_lies_anywhere);
/// I01: logs are copied, files are backed up, dumps are mailed: whatever secret is in them is out.
async fn no_secret_of_the_whole_story_lies_anywhere(app: &TestApp) {
    let alice = app.person("alice").await;
    let mut canaries = vec![Canary::new("the idempotency key", KEY)];
    for password in [&alice.password, "another long password", "a wrong password", "a\u{e9} wrong new one"] {
        canaries.push(Canary::new("a password", password));
    }
    let signed_in = alice.login().await.is(200);
    canaries.extend(told(&signed_in));
    alice.take_tokens(&signed_in, "/tokens");
    let started = alice.post_once(KEY, TOTP_PATH, &json!({"password": alice.password})).await.is(201);
    *alice.secret.borrow_mut() = started.text("/secret");
    canaries.push(Canary::seed(&started.text("/secret")));
    let confirm = format!("{TOTP_PATH}/{}/confirm", started.text("/id"));
    let confirmed = alice.post_once(KEY, &confirm, &json!({"code": alice.fresh_code()})).await.is(200);
    canaries.extend(told(&confirmed));
    canaries.extend(confirmed.texts("/recovery_codes").iter().map(|code| Canary::recovery(code)));
    alice.take_tokens(&confirmed, "/tokens");

    let challenged = alice.login().await.is(200);
    canaries.extend(told(&challenged));
    let lower = confirmed.texts("/recovery_codes")[0].to_lowercase().replace('-', "");
    let answer = json!({"challenge": challenged.text("/challenge"), "recovery_code": lower});
    canaries.extend(told(&app.post(SECOND, &answer).await.is(200)));
    app.post(SECOND, &answer).await.is(410);
    app.pass(30);
    let verified = alice.post_once(KEY, VERIFY, &json!({"code": alice.fresh_code()})).await.is(200);
    canaries.extend(told(&verified));
    alice.take_tokens(&verified, "");
    let renewed = alice.refresh().await.is(200);
    canaries.extend(told(&renewed));
    let codes = alice.post_once(KEY, CODES, &json!({"password": alice.password})).await.is(200);
    canaries.extend(codes.texts("/recovery_codes").iter().map(|code| Canary::recovery(code)));
    for body in [json!({"password": "a wrong password"}), json!({"password": "a wrong password", "code": 7})] {
        alice.post_once(KEY, DISABLE, &body).await;
    }
    app.post(LOGIN, &json!({"email": "a wrong password", "password": "a wrong password"})).await.is(422);
    alice.get(&format!("{STATUS}?password=a%20wrong%20password")).await.is(200);
    let wrong = json!({"current_password": "a wrong password", "new_password": "a\u{e9} wrong new one"});
    alice.post(PASSWORD, &wrong).await.is(403);
    let right = json!({"current_password": alice.password, "new_password": "another long password"});
    let changed = alice.post_once(KEY, PASSWORD, &right).await.is(200);
    canaries.extend(told(&changed));
    alice.take_tokens(&changed, "");
    let disabled = alice.post_once(KEY, DISABLE, &json!({"password": "another long password"})).await.is(200);
    canaries.extend(told(&disabled));
    app.post(REFRESH, &json!({"refresh_token": renewed.text("/refresh_token")})).await.is(401);

    let mut places = vec![("the log".to_owned(), app.logged().into_bytes())];
    places.extend(files(app.folder.path()));
    if !app.config.database_url.starts_with("sqlite") {
        places.push(("the dump".to_owned(), postgres::dump(&app.config.database_url).into_bytes()));
    }
    assert!(canaries.len() > 45, "{} canaries", canaries.len());
    are_nowhere(&canaries, &places);
    // The search itself: what is no secret is found where it lies, in the log and in the database.
    let known = [Canary::new("the address", &alice.email), Canary::new("a path", "/account/security/2fa/disable")];
    let found: Vec<_> = places.iter().filter_map(|(_, bytes)| find(&known, bytes)).collect();
    for canary in &known {
        assert!(found.iter().any(|found| found.name == canary.name), "{} is not found", canary.name);
    }
    for (path, probe) in probes(app).await {
        are_nowhere(&canaries, &[(path.to_owned(), probe.bytes().await.unwrap().to_vec())]);
    }
}

/// The whole story at one installation, and the secrets in it.
async fn story(served: &Served) -> Vec<Canary> {
    let mut canaries =
        vec![Canary::new("the password", INSTALLED_PASSWORD), Canary::new("a wrong one", "not the password")];
    let token = |body: &Value, pointer: &str| text(body.pointer(pointer).unwrap());
    let signed_in = served.login("alice@example.test").await;
    let access = token(&signed_in, "/tokens/access_token");
    let (_, started) = served.post(TOTP_PATH, &access, &json!({"password": INSTALLED_PASSWORD})).await;
    let secret = token(&started, "/secret");
    let confirm = format!("{TOTP_PATH}/{}/confirm", token(&started, "/id"));
    let (status, confirmed) = served.post(&confirm, &access, &json!({"code": code_in(&secret, 0)})).await;
    assert_eq!(status, 200, "{confirmed}");
    let codes: Vec<String> = confirmed["recovery_codes"].as_array().unwrap().iter().map(text).collect();
    let challenge = token(&served.login("alice@example.test").await, "/challenge");
    let lower = codes[0].to_lowercase();
    let (status, second) = served.post(SECOND, "", &json!({"challenge": challenge, "recovery_code": lower})).await;
    assert_eq!(status, 200, "{second}");
    served.post(SECOND, "", &json!({"challenge": challenge, "password": "not the password"})).await;
    let mut access = token(&second, "/tokens/access_token");
    assert_eq!(served.post(DISABLE, &access, &json!({"password": "not the password"})).await.0, 403);
    let (_, renewed) =
        served.post(REFRESH, "", &json!({"refresh_token": token(&second, "/tokens/refresh_token")})).await;
    canaries.push(Canary::new("an access token", &access));
    access = token(&renewed, "/access_token");
    let (status, disabled) = served.post(DISABLE, &access, &json!({"password": INSTALLED_PASSWORD})).await;
    assert_eq!(status, 200, "{disabled}");
    for (body, pointer) in
        [(&signed_in, "/tokens"), (&confirmed, "/tokens"), (&second, "/tokens"), (&renewed, ""), (&disabled, "/tokens")]
    {
        for name in ["access_token", "refresh_token"] {
            canaries.push(Canary::new(name, &token(body, &format!("{pointer}/{name}"))));
        }
    }
    canaries.extend([Canary::new("the challenge", &challenge), Canary::seed(&secret)]);
    canaries.extend(codes.iter().map(|code| Canary::recovery(code)));
    canaries
}

/// I01: the same with the program as it is run, at its most talkative, with everything that it leaves behind.
#[actix_web::test]
async fn the_program_at_its_most_talkative_tells_no_secret() {
    for database_url in [None, postgres::fresh_database()] {
        let installation = Installation::ready(database_url.clone());
        installation.add_account("alice@example.test");
        let mut served = installation.serve_with(|serve| {
            serve.env("TWOFOLD_LOG", "trace");
        });
        let mut canaries = story(&served).await;
        let mut places = vec![("the ready line".to_owned(), served.ready_line.clone().into_bytes())];
        for path in ["/livez", "/readyz"] {
            let probe = reqwest::get(format!("{}{path}", served.operations())).await.unwrap();
            places.push((path.to_owned(), probe.bytes().await.unwrap().to_vec()));
        }
        // While it runs, with its write-ahead log, and after it has ended.
        places.extend(files(installation.folder.path()));
        assert_eq!(served.terminate(), 0);
        places.extend(files(installation.folder.path()));
        let keys = installation.keys().to_string();
        let of_keys = keys.split('"').skip(1).step_by(2).filter(|value| value.len() >= 40);
        canaries.extend(of_keys.map(|key| Canary::new("a key", key)));
        places.retain(|(name, _)| !name.ends_with("keys.toml"));
        if let Some(url) = &database_url {
            places.push(("the dump".to_owned(), postgres::dump(url).into_bytes()));
        }
        for command in [&["audit", "export"][..], &["audit", "verify"]] {
            places.push((command.join(" "), installation.succeeds(command).into_bytes()));
        }
        let log = installation.logged();
        assert!(
            log.contains("\"level\":\"TRACE\"") || log.contains("\"level\":\"DEBUG\""),
            "it is at its most talkative"
        );
        are_nowhere(&canaries, &places);
    }
}

/// The names of all members, at any depth.
fn names(value: &Value, found: &mut Vec<String>) {
    match value {
        Value::Array(items) => items.iter().for_each(|item| names(item, found)),
        Value::Object(members) => members.iter().for_each(|(name, member)| {
            found.push(name.clone());
            names(member, found);
        }),
        _ => {}
    }
}

on_both_engines!(no_answer_after_the_confirm_has_a_member_for_the_secret, |config| {
    passkeys::passkeys(config);
    codes::by_both(config);
});
/// I02: a secret that can be read again is one that a borrowed session can copy.
async fn no_answer_after_the_confirm_has_a_member_for_the_secret(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let pending = alice.start_enrolment(json!({})).await;
    let passkey = passkeys::try_enrolment(&alice, json!({})).await.is(201).text("/id");
    let (mail, _) = codes::enrol(&alice, Kind::Email, json!({})).await;
    let (sms, _) = codes::enrol(&alice, Kind::Sms, json!({})).await;
    let of_kinds = [(passkeys::PASSKEYS, passkey), (codes::EMAIL_PATH, mail), (codes::SMS_PATH, sms)];
    let secrets =
        ["secret", "otpauth", "qr", "hash", "cipher", "sealed", "nonce", "salt", "kid", "key", "seed", "step"];
    // What support reads of an account is the same, without what its owner may do: `api::support`.
    let owned =
        document::operations().into_iter().filter(|(verb, path, _)| verb == "GET" && path.starts_with("/account"));
    let mut count = 0;
    for (_, path, _) in owned {
        count += 1;
        let of_kind = of_kinds.iter().find(|(prefix, _)| path.starts_with(prefix));
        let id = of_kind.map_or(&pending, |(_, id)| id);
        let reply = alice.get(&path.replace("{id}", id)).await.is(200);
        let mut found = Vec::new();
        names(&reply.body, &mut found);
        for name in found {
            let is_secret = secrets.iter().any(|secret| name.contains(secret));
            assert!(!is_secret, "{path} has {name}");
        }
    }
    assert_eq!(count, 11);
}

on_both_engines!(no_answer_of_any_kind_may_be_kept);
/// I04: what a cache keeps, the next person at the same machine reads.
async fn no_answer_of_any_kind_may_be_kept(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let bearer = format!("Bearer {}", alice.access.borrow());
    let mut statuses = std::collections::BTreeSet::new();
    for (method, path, _) in document::operations() {
        let target = path
            .replace("{id}", &alice.method.borrow())
            .replace("{sid}", "x")
            .replace("{n}", "1")
            .replace("{code}", "not-found");
        for (headers, body) in [
            (vec![], ""),
            (vec![("Authorization", bearer.as_str())], ""),
            (vec![("Authorization", &bearer), ("Content-Type", "application/json")], "{}"),
            (
                vec![("Authorization", &bearer), ("Content-Type", "application/json")],
                "{\"password\": \"wrong password\"}",
            ),
            (
                vec![
                    ("Authorization", &bearer),
                    ("If-None-Match", "*"),
                    ("If-Modified-Since", "Sat, 01 Jan 2050 00:00:00 GMT"),
                ],
                "",
            ),
            (vec![("Accept", "text/html")], ""),
        ] {
            for (method, target) in
                [(method.as_str(), target.clone()), ("PUT", target.clone()), (&method, format!("{target}/x"))]
            {
                let reply = app.send_unjudged(method, &target, &headers, body.into()).await;
                statuses.insert(reply.status);
                // These tell everybody the same, and clients are to keep them for a while.
                if reply.status == 200 && (path.starts_with("/.well-known") || path == "/openapi.json") {
                    continue;
                }
                assert_eq!(reply.header("cache-control"), Some("no-store"), "{method} {target} {}", reply.status);
                let has_tag = reply.header("etag").is_some();
                // The tab holds the status, and shows its version too.
                let has_status = path == "/account/security" || path.starts_with("/account/security/2fa");
                assert!(!has_tag || has_status, "{method} {target} has a tag");
                assert!(reply.header("last-modified").is_none() && reply.header("expires").is_none());
            }
        }
    }
    for status in [200, 400, 401, 403, 404, 405, 406, 415] {
        assert!(statuses.contains(&status), "{status} was not among {statuses:?}");
    }
    for (path, probe) in probes(app).await {
        assert_eq!(probe.headers()["cache-control"], "no-store", "{path}");
    }
}

/// It says that it is an example, and nobody knows a password that has it.
const NOBODYS_HASH: &str = "$2b$12$ExampleExampleExampleOExampleExampleExampleExampleExa";

/// I06: an example is copied into code and configuration, and one that works is a key under the mat.
#[test]
fn the_document_shows_no_secret_that_could_be_real() {
    fn texts<'a>(value: &'a Value, found: &mut Vec<&'a str>) {
        match value {
            Value::String(text) => found.push(text),
            Value::Array(items) => items.iter().for_each(|item| texts(item, found)),
            Value::Object(members) => members.values().for_each(|member| texts(member, found)),
            _ => {}
        }
    }
    let mut found = Vec::new();
    texts(&document::DOCUMENT, &mut found);
    assert!(found.len() > 500);
    for text in found {
        for word in text.split(|c: char| c.is_whitespace() || "\"'`,()".contains(c)) {
            let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_+/=".contains(c);
            let is_id = word.len() == 36 && word.matches('-').count() == 4;
            let is_long = word.len() >= 24 && word.chars().all(is_plain) && word.chars().any(|c| c.is_ascii_digit());
            // The one long name with digits in it is Android's.
            let is_name = word == "sha256_cert_fingerprints";
            assert!(!is_long || is_id || is_name, "it looks like a secret: {word}");
            // A secret of zeros is nobody's, and seen to be.
            let is_uri = word.contains("otpauth://totp/") && !word.contains(&format!("secret={}&", "A".repeat(32)));
            let is_hash = word.starts_with("$2") && word != NOBODYS_HASH;
            assert!(!word.starts_with("eyJ") && !is_hash && !is_uri, "{word}");
        }
    }
}
