//! C: enrolling, confirming and replacing an authenticator.

use crate::{
    on_both_engines,
    support::{
        Engine, TestApp, document,
        needles::first_found,
        person::{CODES, Person, STATUS, TOTP_PATH, VERIFY, with},
        postgres::dump,
        race::race,
    },
};
use diesel::{Connection, PgConnection, QueryableByName, RunQueryDsl, SqliteConnection, sql_query, sql_types::Text};
use futures_util::future::{join, join_all};
use serde_json::json;
use std::{cell::Cell, fs, path::Path};
use twofold::config::Config;

#[derive(QueryableByName)]
struct Answer {
    #[diesel(sql_type = Text)]
    text: String,
}

/// What the database answers to an expression.
fn ask(app: &TestApp, expression: &str) -> String {
    let query = sql_query(format!("SELECT CAST(({expression}) AS TEXT) AS text"));
    let url = &app.config.database_url;
    let answer: Answer = match url.strip_prefix("sqlite://") {
        Some(path) => query.get_result(&mut SqliteConnection::establish(path).unwrap()).unwrap(),
        None => query.get_result(&mut PgConnection::establish(url).unwrap()).unwrap(),
    };
    answer.text
}

/// How many rows the database has of these.
fn rows(app: &TestApp, of: &str) -> u32 {
    ask(app, &format!("SELECT count(*) FROM {of}")).parse().unwrap()
}

/// The file that PostgreSQL writes its log of changes into now.
fn wal(app: &TestApp) -> String {
    let is_sqlite = app.config.database_url.starts_with("sqlite");
    if is_sqlite { String::new() } else { ask(app, "SELECT pg_walfile_name(pg_current_wal_lsn())") }
}

/// What the engine has on its disk, its log of changes since `from` included, as whoever steals it finds it.
fn stolen(app: &TestApp, from: &str) -> Vec<Vec<u8>> {
    let url = &app.config.database_url;
    let Some((_, options)) = url.split_once("host=") else { return vec![contents(app.folder.path(), |_| true)] };
    let folder = Path::new(options.split('&').next().unwrap()).join("data/pg_wal");
    let until = wal(app);
    vec![dump(url).into_bytes(), contents(&folder, |name| (from..=until.as_str()).contains(&name))]
}

fn contents(folder: &Path, is_wanted: impl Fn(&str) -> bool) -> Vec<u8> {
    let files = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
    let wanted = files.filter(|file| is_wanted(&file.file_name().to_string_lossy()));
    wanted.flat_map(|file| fs::read(file.path()).unwrap()).collect()
}

/// Asserts that nothing that the owner can read, and nothing on the disk, tells the secret.
async fn is_told_nowhere(person: &Person<'_>, secret: &str, enrolment: &str, from: &str) {
    person.sign_in_again_if_needed().await;
    for (method, path, _) in document::operations() {
        let path = path
            .replace("{id}", enrolment)
            .replace("{code}", "not-found")
            .replace("{sid}", enrolment)
            .replace("{n}", "1");
        if method == "GET" && path != "/openapi.json" {
            let text = person.get(&path).await.body.to_string();
            assert!(!text.contains(secret) && !text.contains("otpauth:"), "{path}: {text}");
        }
    }
    let raw = data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap();
    assert_eq!(raw.len(), 20);
    let hex = data_encoding::HEXLOWER.encode(&raw);
    let forms = [secret.as_bytes().to_vec(), hex.to_uppercase().into_bytes(), hex.into_bytes(), raw];
    for part in stolen(person.app, from) {
        assert!(first_found(&part, &[enrolment]).is_some(), "it is the right place to look");
        assert_eq!(first_found(&part, &forms), None);
    }
}

on_both_engines!(a_secret_is_shown_once_and_lies_nowhere);
/// C01, C14: whoever reads a log, a backup or an old answer must not be able to make codes.
async fn a_secret_is_shown_once_and_lies_nowhere(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let from = wal(app);
    let start = json!({"password": alice.password});
    let reply = alice.post_once("start", TOTP_PATH, &start).await.is(201);
    assert_eq!(reply.header("cache-control"), Some("no-store"));
    let (secret, id) = (reply.text("/secret"), reply.text("/id"));
    alice.secret.borrow_mut().clone_from(&secret);
    is_told_nowhere(&alice, &secret, &id, &from).await;
    // Repeated, it says that it was done, and no secret.
    let again = alice.post_once("start", TOTP_PATH, &start).await.is(409).refuses("already-completed");
    assert!(!again.body.to_string().contains(&secret));
    assert_eq!(rows(app, "method WHERE state = 'pending'"), 1);
    let confirmed = alice.confirm(&id, &alice.fresh_code()).await.is(200);
    assert!(!confirmed.body.to_string().contains(&secret));
    alice.take_tokens(&confirmed, "/tokens");
    is_told_nowhere(&alice, &secret, &id, &from).await;
    let disabled = alice.disable(json!({})).await.is(200);
    alice.take_tokens(&disabled, "/tokens");
    is_told_nowhere(&alice, &secret, &id, &from).await;
    assert_eq!(rows(app, "totp"), 0, "what is out of service is wiped");
}

on_both_engines!(an_authenticator_that_was_not_confirmed_protects_nothing_and_takes_nothing_away);
/// C03: starting to replace a phone, and giving up, must leave the old one in charge (better-auth, objectstack).
async fn an_authenticator_that_was_not_confirmed_protects_nothing_and_takes_nothing_away(app: &TestApp) {
    for (name, replaces) in [("adds", false), ("replaces", true)] {
        let person = app.person(name).await.with_two_factor().await;
        let phone = person.elsewhere();
        let before = person.status().await;
        let more = if replaces { json!({"replaces": *person.method.borrow()}) } else { json!({}) };
        person.start_enrolment(more).await;
        let after = person.status().await;
        for member in ["enabled", "since", "methods", "recovery_codes"] {
            assert_eq!(after[member], before[member], "{name}");
        }
        let new = json!({"code": person.code()});
        person.answer_challenge(new.clone()).await.is(403);
        person.post(VERIFY, &new).await.is(403);
        person.disable(new.clone()).await.is(403);
        person.post(CODES, &with(json!({"password": person.password}), new)).await.is(403);
        let recovery = person.recovery_codes.borrow()[0].clone();
        person.answer_challenge(json!({"recovery_code": recovery})).await.is(200);
        person.answer_challenge(json!({"code": phone.fresh_code()})).await.is(200);
        person.disable(json!({"code": phone.fresh_code()})).await.is(200);
    }
}

/// Names that a portal may have, and that a URI, a header or a line of a log could be broken with.
const PRODUCTS: [fn(&mut Config); 10] = [
    |config| config.product_name = "a:b::c".into(),
    |config| config.product_name = "100% %41 %3A %zz".into(),
    |config| config.product_name = "a/b/../c".into(),
    |config| config.product_name = "a?secret=AAAA&issuer=evil".into(),
    |config| config.product_name = "a&b=c#d;e".into(),
    |config| config.product_name = "two  words + plus".into(),
    |config| config.product_name = "🦀👩‍👩‍👧 Ümläut 中文".into(),
    |config| config.product_name = "a\r\nSet-Cookie: x=y\r\n\r\nb".into(),
    |config| config.product_name = "x".repeat(300),
    |config| config.product_name = "中".repeat(300),
];

/// Addresses that do the same to the other half of the label.
const ADDRESSES: [&str; 7] = [
    "a:b@example.test",
    "100%41%3a@example.test",
    "a/b?c=d&secret=aaaa@example.test",
    "a+b#c;d@example.test",
    "\"quoted\"<x>@example.test",
    "🦀@example.test",
    "中文@exämple.test",
];

/// Enrols somebody of that address, and reads the key URI as an app does.
async fn read_key_uri_of(app: &TestApp, address: &str) {
    let password = "a password of this person";
    app.add_account(address, password).await;
    let person = Person::new(app, address.to_owned(), password.to_owned());
    person.sign_in().await;
    let reply = person.try_enrolment(json!({})).await.is(201);
    let (uri, secret) = (reply.text("/otpauth_uri"), reply.text("/secret"));
    assert!(uri.bytes().all(|byte| byte.is_ascii_graphic()), "{uri}");
    assert_eq!(uri.matches(['?', '#']).count(), 1, "{uri}");
    let names: Vec<_> = uri.split_once('?').unwrap().1.split('&').map(|pair| pair.split_once('=').unwrap().0).collect();
    assert_eq!(names, ["secret", "issuer", "algorithm", "digits", "period"]);
    // The prefix is the parameter, to the letter.
    let label = uri.strip_prefix("otpauth://totp/").unwrap().split_once('?').unwrap().0;
    let (prefix, _) = label.split_once(':').unwrap();
    assert_eq!(label.matches([':', '/']).count(), 1);
    assert!(uri.contains(&format!("&issuer={prefix}&")));
    // A colon separates the two, so neither keeps its own.
    let scanned = totp_rs::Totp::from_url(&uri).unwrap();
    assert_eq!(scanned.issuer(), Some(app.config.product_name.replace(':', " ").as_str()));
    assert_eq!(scanned.account_name(), address.replace(':', " "));
    assert!(uri.contains(&format!("?secret={secret}&")));
    assert_eq!(data_encoding::BASE32_NOPAD.decode(secret.as_bytes()).unwrap().len(), 20);
    let code = scanned.generate(u64::try_from(app.now().as_second()).unwrap()).to_string();
    person.confirm(&reply.text("/id"), &code).await.is(200);
}

/// C11: a name that breaks out of its place in the URI gives the app another secret, or another issuer.
mod hostile_names_stay_in_their_place_in_the_key_uri {
    use super::*;

    async fn on(engine: Engine) {
        for (n, product) in PRODUCTS.into_iter().enumerate() {
            let Some(app) = TestApp::start(engine, &[product]).await else { return };
            // Every name meets one address, and the first name meets them all.
            let addresses = if n == 0 { ADDRESSES.as_slice() } else { &ADDRESSES[n % ADDRESSES.len()..][..1] };
            for address in addresses {
                read_key_uri_of(&app, address).await;
            }
            app.check_what_always_holds().await;
        }
    }

    #[actix_web::test]
    async fn on_sqlite() {
        on(Engine::Sqlite).await;
    }

    #[actix_web::test]
    async fn on_postgres() {
        on(Engine::Postgres).await;
    }
}

on_both_engines!(hostile_labels_come_back_as_they_are_or_not_at_all);
/// C11: what the owner calls a phone is shown in pages and written into logs.
async fn hostile_labels_come_back_as_they_are_or_not_at_all(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let method = format!("/account/security/2fa/methods/{}", alice.method.borrow());
    for label in ["a:b", "100%41", "a/../b", "a?b&c=d", "two  words", "🦀👩‍👩‍👧", "<b>&amp;\"'", "${x}{{y}}"]
    {
        let renamed = alice.send("PATCH", &method, &[], Some(&json!({"label": label}))).await.is(200);
        assert_eq!(renamed.body["label"], label);
        assert_eq!(alice.status().await["methods"][0]["label"], label);
    }
    for label in ["a\r\nb", "a\0b", "a\u{1b}[2Jb", "\u{85}", &"x".repeat(300), &"🦀".repeat(65)] {
        for reply in [
            alice.send("PATCH", &method, &[], Some(&json!({"label": label}))).await,
            alice.try_enrolment(json!({"label": label})).await,
        ] {
            assert_eq!(reply.is(422).body["errors"][0]["pointer"], "/label", "{label:?}");
        }
    }
    assert_eq!(alice.status().await["pending"], json!([]));
}

on_both_engines!(a_replaced_phone_takes_everything_of_its_time_with_it, |config| {
    config.limits.recovery_code.free = 100;
    config.limits.challenge.free = 100;
    config.limits.challenge.ends_at = 0;
    config.limits.recovery_code.cap_day = 0;
});
/// C12: the phone is replaced because somebody else has it, with the sessions and the codes that are on it.
async fn a_replaced_phone_takes_everything_of_its_time_with_it(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let thief = alice.elsewhere();
    thief.sign_in().await;
    let open = alice.login().await.is(200).text("/challenge");
    let id = alice.start_enrolment(json!({"replaces": *alice.method.borrow(), "label": "New phone"})).await;
    app.pass(30);
    let reply = alice.confirm(&id, &alice.fresh_code()).await.is(200);
    assert_eq!(reply.body["status"]["recovery_codes"]["remaining"], 10);
    thief.get(STATUS).await.is(401).refuses("invalid-token");
    thief.refresh().await.is(401);
    alice.get(STATUS).await.is(401);
    alice.take_tokens(&reply, "/tokens");
    app.post("/auth/login/second-factor", &json!({"challenge": open, "code": thief.code()})).await.is(410);
    let challenge = alice.login().await.is(200).text("/challenge");
    let codes = [-1, 0, 1].map(|steps| json!({"code": thief.code_in(steps)}));
    let recovery_codes = thief.recovery_codes.take().into_iter().map(|code| json!({"recovery_code": code}));
    for old in codes.into_iter().chain(recovery_codes) {
        let answer = with(json!({"challenge": challenge}), old);
        app.post("/auth/login/second-factor", &answer).await.is(403).refuses("invalid-credential");
    }
    assert_eq!(alice.status().await["methods"].as_array().unwrap().len(), 1);
    let kinds = alice.event_kinds().await;
    assert_eq!(kinds.iter().filter(|kind| *kind == "two_factor.replaced").count(), 1);
}

on_both_engines!(starting_over_and_over_leaves_one_enrolment_and_one_secret);
/// C13: what is started and never confirmed must not pile up, nor be a supply of secrets to guess at.
async fn starting_over_and_over_leaves_one_enrolment_and_one_secret(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    for n in 1..=5 {
        alice.start_enrolment(json!({})).await;
        assert_eq!(rows(app, "method"), n);
        assert_eq!((rows(app, "method WHERE state = 'pending'"), rows(app, "totp")), (1, 1));
    }
    let before = alice.status().await;
    for _ in 0..3 {
        alice.try_enrolment(json!({})).await.is(429).refuses("too-many-attempts");
    }
    assert_eq!(alice.status().await, before);
    assert_eq!((rows(app, "method"), rows(app, "totp")), (5, 1));
}

on_both_engines!(a_confirm_with_the_next_code_uses_up_the_one_before_it_too);
/// C15: a phone that is a little fast confirms with the next code; the one that it showed before must not work after.
async fn a_confirm_with_the_next_code_uses_up_the_one_before_it_too(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    let id = alice.start_enrolment(json!({})).await;
    let reply = alice.confirm(&id, &alice.code_in(1)).await.is(200);
    alice.take_tokens(&reply, "/tokens");
    for steps in [-1, 0, 1] {
        alice.answer_challenge(json!({"code": alice.code_in(steps)})).await.is(403).refuses("invalid-credential");
    }
    app.pass(30);
    alice.verify(&alice.code()).await.is(403);
    alice.answer_challenge(json!({"code": alice.code_in(1)})).await.is(200);
}

on_both_engines!(of_starts_at_once_one_enrolment_is_left);
/// C04: two tabs start at once; the one QR code that was scanned must be the one that counts, or neither.
async fn of_starts_at_once_one_enrolment_is_left(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await;
        person.sign_in().await;
        let started = join_all((0..4).map(|_| person.try_enrolment(json!({})))).await;
        let started: Vec<_> = started.into_iter().map(|reply| reply.is(201)).collect();
        let of_this = format!("method WHERE state = 'pending' AND session_id = '{}'", session(&person).await);
        assert_eq!(rows(app, &of_this), 1);
        let left = person.status().await["pending"][0]["id"].clone();
        for reply in started.iter().filter(|reply| reply.body["id"] != left) {
            person.secret.replace(reply.text("/secret"));
            person.confirm(&reply.text("/id"), &person.code()).await.is(410).refuses("enrolment-expired");
        }
        let last = started.iter().find(|reply| reply.body["id"] == left).unwrap();
        person.secret.replace(last.text("/secret"));
        person.confirm(&last.text("/id"), &person.code()).await.is(200);
    })
    .await;
}

/// The id of the person's session.
async fn session(person: &Person<'_>) -> String {
    let sessions = person.get("/account/security/sessions").await.is(200).body["sessions"].as_array().unwrap().clone();
    sessions.iter().find(|session| session["current"] == true).unwrap()["id"].as_str().unwrap().to_owned()
}

on_both_engines!(of_confirms_at_once_one_switches_it_on);
/// C10, at once: two confirms would make two sets of recovery codes, one of which is dead when it is shown.
async fn of_confirms_at_once_one_switches_it_on(app: &TestApp) {
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await;
        person.sign_in().await;
        let id = person.start_enrolment(json!({})).await;
        let code = person.fresh_code();
        let (won, lost): (Vec<_>, Vec<_>) = join_all((0..6).map(|_| person.confirm(&id, &code)))
            .await
            .into_iter()
            .partition(|reply| reply.status == 200);
        assert_eq!(won.len(), 1);
        for reply in lost {
            // The confirm has made the token old for those who came behind it.
            reply.is(401).refuses("invalid-token");
        }
        person.take_tokens(&won[0], "/tokens");
        let kinds = person.event_kinds().await;
        assert_eq!(kinds.iter().filter(|kind| *kind == "two_factor.enabled").count(), 1);
        let shown = won[0].texts("/recovery_codes");
        person.post(VERIFY, &json!({"recovery_code": shown[n as usize % 10]})).await.is(200);
        person.verify(&code).await.is(403);
    })
    .await;
}

on_both_engines!(of_a_replacement_and_a_disable_at_once_one_takes_effect);
/// C12, at once: both, one after the other, would leave a phone in charge that its owner has just removed.
async fn of_a_replacement_and_a_disable_at_once_one_takes_effect(app: &TestApp) {
    let replacements = Cell::new(0);
    race(app, async |n| {
        let person = app.person(&format!("person{n}")).await.with_two_factor().await;
        let laptop = person.elsewhere();
        laptop.sign_in().await;
        let id = person.start_enrolment(json!({"replaces": *person.method.borrow()})).await;
        app.pass(30);
        let code = person.fresh_code();
        let confirms = join_all((0..2).map(async |_| {
            // A confirm is one write and a disable is two: it sets out later in some rounds, so that either wins.
            for _ in 0..(n % 4) * 5 {
                person.get(STATUS).await;
            }
            person.confirm(&id, &code).await
        }));
        let disables = join_all((0..4).map(|n| [&person, &laptop][n % 2].disable(json!({}))));
        let (confirms, disables) = join(confirms, disables).await;
        let of = |replies: &[crate::support::reply::Reply]| replies.iter().filter(|reply| reply.status == 200).count();
        let (replaced, disabled) = (of(&confirms), of(&disables));
        assert_eq!(replaced + disabled, 1);
        replacements.set(replacements.get() + replaced);
        for reply in confirms.into_iter().chain(disables) {
            match reply.status {
                200 => person.take_tokens(&reply, "/tokens"),
                401 => drop(reply.refuses("invalid-token")),
                _ => panic!("{}", reply.body),
            }
        }
        let status = person.status().await;
        assert_eq!((status["enabled"] == true, status["methods"].as_array().unwrap().len()), (replaced == 1, replaced));
        assert_eq!(status["pending"], json!([]));
        let kinds = person.event_kinds().await;
        let times = |kind: &str| kinds.iter().filter(|other| *other == kind).count();
        assert_eq!((times("two_factor.replaced"), times("two_factor.disabled")), (replaced, disabled));
    })
    .await;
    println!("{} of them were replacements", replacements.get());
}
