//! `demo --sandbox` as whoever integrates with the service meets it: the real program, with nothing known but where the
//! sandbox is.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]
#![allow(clippy::disallowed_methods, reason = "real processes live in real time")]

mod integrator;
#[path = "../support/mod.rs"]
mod support;

use integrator::Integrator;
use serde_json::{Value, json};
use support::{
    installation::{Installation, text},
    person::{DISABLE, LOGIN, SECOND, STATUS},
};

const DAY: u32 = 24 * 3600;
/// What a sandbox answers beside the service.
const PATHS: [(&str, &str); 12] = [
    ("GET", "/sandbox"),
    ("GET", "/sandbox/"),
    ("GET", "/sandbox.js"),
    ("GET", "/sandbox.css"),
    ("GET", "/web/sandbox.js"),
    ("GET", "/sandbox/clock"),
    ("POST", "/sandbox/clock"),
    ("GET", "/sandbox/messages"),
    ("DELETE", "/sandbox/messages"),
    ("GET", "/sandbox/messages/1"),
    ("POST", "/sandbox/hooks/partner"),
    ("POST", "/sandbox/reset"),
];

#[actix_web::test]
async fn bob_disables_his_second_factor_and_is_told_and_takes_it_back() {
    let sandbox = Integrator::start();
    let bob = sandbox.account("bob").await;
    sandbox.advance(DAY).await;
    let token = sandbox.sign_in("bob").await;
    let body = json!({"password": bob["password"], "reason": "new_phone"});
    let disabled = sandbox.post(DISABLE, &token, &body).await.is(200);
    assert_eq!(disabled["enabled"], false);

    let mail = sandbox.message("to=bob@example.test&kind=two_factor.disabled").await;
    assert_eq!(mail["channel"], "mail");
    assert!(text(&mail["at"]) >= text(&disabled["disabled_at"]), "by the same clock");
    let html = sandbox.page(&format!("/sandbox/messages/{}", mail["n"])).await;
    assert!(html.headers()["content-security-policy"].to_str().unwrap().contains("sandbox"));
    assert_eq!(html.text().await.unwrap(), text(&mail["html"]));
    let mail_text = text(&mail["text"]);
    let undo = mail_text.split_once("/undo#").map(|(_, link)| link.split_whitespace().next().unwrap());
    let body = json!({"token": undo.unwrap(), "new_password": "nobody else knows this"});
    sandbox.post("/account/security/2fa/undo", "", &body).await.is(200);
    sandbox.message("to=bob@example.test&kind=two_factor.restored").await;
    assert!(sandbox.messages("to=alice@example.test").await.is_empty());
}

#[actix_web::test]
async fn the_partner_is_told_by_a_webhook_that_is_signed() {
    let sandbox = Integrator::start();
    let bob = sandbox.account("bob").await;
    sandbox.advance(DAY).await;
    let token = sandbox.sign_in("bob").await;
    sandbox.post(DISABLE, &token, &json!({"password": bob["password"]})).await.is(200);
    let message = sandbox.message("to=partner&kind=two_factor.disabled").await;
    assert_eq!((&message["channel"], &message["signature"]), (&json!("webhook"), &json!("right")));
    assert_eq!(message["body"]["data"]["account_id"], bob["id"]);
    let told = sandbox.told().await;
    assert_eq!(text(&told["webhook"]["url"]), format!("{}/sandbox/hooks/partner", text(&told["sandbox"])));

    sandbox.forge("partner", None).await;
    assert_eq!(sandbox.message("to=partner&kind=forged").await["signature"], "missing");
    sandbox.forge("partner", Some("v1,AAAA")).await;
    assert_eq!(sandbox.message("to=partner&kind=forged").await["signature"], "wrong");
    sandbox.forge("another", Some("v1,AAAA")).await;
    assert_eq!(sandbox.message("to=another").await["signature"], "unchecked");
}

#[actix_web::test]
async fn a_partner_adds_a_webhook_at_a_receiver_of_its_own() {
    let sandbox = Integrator::start();
    let token = sandbox.partner_token().await;
    let url = format!("{}/sandbox/hooks/mine", text(&sandbox.told().await["sandbox"]));
    sandbox.post("/partner/webhooks", &token, &json!({"url": url})).await.is(201);
    let bob = sandbox.account("bob").await;
    let bobs = sandbox.sign_in("bob").await;
    sandbox.post(DISABLE, &bobs, &json!({"password": bob["password"]})).await.is(200);
    let (mine, known) = (sandbox.message("to=mine").await, sandbox.message("to=partner").await);
    assert_eq!(mine["body"], known["body"]);
}

#[actix_web::test]
async fn a_week_passes_at_once_and_the_reminder_comes() {
    let sandbox = Integrator::start();
    let dora = sandbox.account("dora").await;
    let token = sandbox.sign_in("dora").await;
    let disabled = sandbox.post(DISABLE, &token, &json!({"password": dora["password"]})).await.is(200);
    sandbox.message("to=dora@example.test&kind=two_factor.disabled").await;
    sandbox.advance(6 * DAY).await;
    sandbox.advance(2 * DAY).await;
    let reminder = sandbox.message("to=dora@example.test&kind=two_factor.reminded").await;
    assert!(text(&reminder["at"]) > text(&disabled["reminder_at"]));
    assert!(text(&reminder["text"]).contains("/reminders#"), "a link that stops them");
    assert!(text(&reminder["html"]).contains("lang=\"ms\""), "in the language that she reads");
    assert_eq!(sandbox.messages("to=dora@example.test&kind=two_factor.reminded").await.len(), 1);
}

#[actix_web::test]
async fn everybody_signs_in_with_what_the_sandbox_tells() {
    let sandbox = Integrator::start();
    for name in ["alice", "bob", "carla", "dora"] {
        let token = sandbox.sign_in(name).await;
        let status = sandbox.get(STATUS, &token).await.is(200);
        assert_eq!(status["enabled"], json!(name != "alice"), "{name}");
    }
    let carla = sandbox.sign_in_later("carla").await;
    let found = sandbox.get("/support/accounts?email=dora@example.test", &carla).await.is(200);
    assert!(found.to_string().contains(&text(&sandbox.account("dora").await["id"])));
    // A recovery code is for one sign-in.
    let dora = sandbox.account("dora").await;
    let credentials = json!({"email": dora["email"], "password": dora["password"]});
    for expected in [200, 403] {
        let challenge = sandbox.post(LOGIN, "", &credentials).await.is(200)["challenge"].clone();
        let body = json!({"challenge": challenge, "recovery_code": dora["recovery_codes"][9]});
        sandbox.post(SECOND, "", &body).await.is(expected);
    }
    let token = sandbox.partner_token().await;
    let seen = sandbox.get(&format!("/partner/accounts/{}/2fa", text(&dora["id"])), &token).await.is(200);
    assert_eq!(seen["protected"], true);
}

#[actix_web::test]
async fn the_clock_goes_forward_and_a_reset_brings_the_beginning_back() {
    let sandbox = Integrator::start();
    let before = sandbox.told().await;
    let old = sandbox.sign_in("alice").await;
    let far = sandbox.advance(8 * DAY).await;
    assert!(text(&far["now"]) > text(&before["now"]));
    assert_eq!(sandbox.get(STATUS, &old).await.status, 401, "its token has expired");
    for refused in [json!({"advance": -1}), json!({"advance": 400 * DAY}), json!({}), json!({"back": 1})] {
        let reply = sandbox.ask("POST", "/sandbox/clock", Some(&refused)).await;
        assert!([400, 422].contains(&reply.status), "{refused}: {}", reply.status);
    }
    let bob = sandbox.account("bob").await;
    let token = sandbox.sign_in("bob").await;
    sandbox.post(DISABLE, &token, &json!({"password": bob["password"]})).await.is(200);
    sandbox.message("kind=two_factor.disabled").await;

    let after = sandbox.ask("POST", "/sandbox/reset", None).await.is(200);
    assert_eq!(after["service"], before["service"]);
    assert!(text(&after["now"]) < text(&far["now"]));
    assert!(sandbox.messages("").await.is_empty());
    assert_eq!(sandbox.get(STATUS, &token).await.status, 401, "what was issued before is nothing");
    let token = sandbox.sign_in("bob").await;
    let status = sandbox.get(STATUS, &token).await.is(200);
    assert_eq!(status["recovery_codes"]["remaining"], 10);
    sandbox.end();
}

#[actix_web::test]
async fn what_is_known_is_the_same_at_each_start() {
    let lasting = |mut told: Value| {
        for account in told["accounts"].as_array_mut().unwrap() {
            account["totp"].as_object_mut().map(|totp| totp.remove("code"));
        }
        json!([told["accounts"], told["client"], told["webhook"]["id"], told["webhook"]["secret"]])
    };
    let (one, other) = (Integrator::start(), Integrator::start());
    assert_eq!(lasting(one.told().await), lasting(other.told().await));
    for word in ["bob@example.test", &text(&one.account("bob").await["totp"]["secret"]), "curl -s"] {
        assert!(one.introduction.contains(word), "{word}: {}", one.introduction);
    }
}

#[actix_web::test]
async fn a_list_of_messages_is_emptied() {
    let sandbox = Integrator::start();
    let bob = sandbox.account("bob").await;
    let token = sandbox.sign_in("bob").await;
    sandbox.post(DISABLE, &token, &json!({"password": bob["password"]})).await.is(200);
    sandbox.message("kind=two_factor.disabled").await;
    assert_eq!(sandbox.ask("DELETE", "/sandbox/messages", None).await.status, 204);
    assert!(sandbox.messages("").await.is_empty());
    assert_eq!(sandbox.ask("GET", "/sandbox/messages?from=x", None).await.status, 400);
}

#[actix_web::test]
async fn the_page_brings_all_that_it_needs() {
    let sandbox = Integrator::start();
    let page = sandbox.page("/").await;
    let policy = page.headers()["content-security-policy"].to_str().unwrap().to_owned();
    assert!(policy.starts_with("default-src 'none'; script-src 'self'") && !policy.contains("unsafe"), "{policy}");
    let html = page.text().await.unwrap();
    for name in ["sandbox.js", "sandbox.css"] {
        assert!(html.contains(&format!("\"{name}\"")), "{html}");
        assert_eq!(sandbox.page(&format!("/{name}")).await.status(), 200);
    }
}

#[actix_web::test]
async fn serve_knows_nothing_of_it() {
    let installation = Installation::ready(None);
    let served = installation.serve();
    let client = reqwest::Client::new();
    for (method, path) in PATHS {
        let request = client.request(method.parse().unwrap(), format!("{}{path}", served.base));
        assert_eq!(request.send().await.unwrap().status(), 404, "{method} {path}");
    }
    let (_, document) = served.get("/openapi.json", "").await;
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() > 20 && paths.keys().all(|path| !path.contains("sandbox")));
    let output = installation.run(&["serve", "--sandbox"], "");
    assert!(!output.status.success(), "it is the demo's alone");
}

#[test]
fn a_sandbox_listens_on_this_machine_alone() {
    let installation = Installation::new(None);
    for address in ["0.0.0.0:0", "192.0.2.1:0", "[::]:0"] {
        let output = installation.run(&["demo", "--sandbox", "--listen", address], "");
        assert_eq!(output.status.code(), Some(2), "{address}");
        assert!(String::from_utf8_lossy(&output.stderr).contains("this machine alone"));
    }
}
