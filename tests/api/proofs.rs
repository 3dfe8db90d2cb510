//! Bodies: every operation that takes one refuses what is not one, and changes nothing.

use crate::{
    on_both_engines,
    support::{TestApp, desk, document, partner::partner, person::STATUS},
};
use serde_json::{Value, json};

on_both_engines!(no_operation_takes_a_malformed_body);
async fn no_operation_takes_a_malformed_body(app: &TestApp) {
    let alice = app.person("alice").await.with_two_factor().await;
    let before = alice.get(STATUS).await;
    let (acme, account, method_id) =
        (partner(app, "Acme").await, desk::account_of(&alice), alice.method.borrow().clone());
    acme.is_allowed(&alice.email).await;
    for (method, path, operation) in document::operations() {
        let Some(schema) = operation.pointer("/requestBody/content/application~1json/schema/$ref") else { continue };
        let is_partners = operation["security"][0].get("partner").is_some();
        let (token, id) = if is_partners { (&acme.access, &account) } else { (&alice.access, &method_id) };
        let bearer = format!("Bearer {}", token.borrow());
        let path = path.replace("{id}", id).replace("{sid}", "x").replace("{n}", "1");
        let send = async |content: &str, body: Vec<u8>| {
            let headers = [("Authorization", bearer.as_str()), ("Content-Type", content)];
            app.send_raw(&method, &path, &headers, body).await
        };
        let json = "application/json";
        for body in [
            "",
            "[]",
            "[\"123456\", \"123456\", \"123456\"]",
            "null",
            "\"x\"",
            "7",
            "{",
            "{}x",
            "{\"unknown\": 1}",
            "{\"password\":",
            "\u{feff}{}",
        ] {
            send(json, body.into()).await.is(400).refuses("malformed-request");
        }
        for body in wrong_bodies(schema.as_str().unwrap()) {
            send(json, body.into_bytes()).await.is(400).refuses("malformed-request");
        }
        send(json, b"{\"password\": \"\xff\xfe\"}".to_vec()).await.is(400);
        send(json, b"{\"password\": \"\\ud800\"}".to_vec()).await.is(400);
        send(json, "[".repeat(9000).into_bytes()).await.is(400);
        send(json, vec![b' '; 17 * 1024]).await.is(413).refuses("payload-too-large");
        for content in ["text/plain", "application/x-www-form-urlencoded", "application/xml", "nonsense"] {
            send(content, b"{}".to_vec()).await.is(415).refuses("unsupported-media-type");
        }
        app.send_raw(&method, &path, &[("Authorization", bearer.as_str())], b"{}".to_vec()).await.is(415);
        let encoded = [("Authorization", bearer.as_str()), ("Content-Type", json), ("Content-Encoding", "gzip")];
        app.send_raw(&method, &path, &encoded, b"{}".to_vec()).await.is(415);
    }
    assert_eq!(alice.get(STATUS).await.body, before.body);
    // Nothing was paid either: all guesses are left.
    let wrong = alice.post("/account/security/2fa/disable", &json!({"password": "wrong password"})).await.is(403);
    assert_eq!(wrong.body["attempts_remaining"], 4);
}

on_both_engines!(a_post_that_needs_no_body_needs_no_content_type);
async fn a_post_that_needs_no_body_needs_no_content_type(app: &TestApp) {
    let alice = app.person("alice").await;
    alice.sign_in().await;
    alice.send("POST", "/account/security/sessions/end-others", &[], None).await.is(200);
    alice.send("POST", "/account/security/sessions/end-others", &[], Some(&json!({}))).await.is(200);
    alice.send("POST", "/account/security/sessions/end-others", &[], Some(&json!({"x": 1}))).await.is(400);
    let text = [("Content-Type", "text/plain")];
    alice.send("POST", "/account/security/sessions/end-others", &text, Some(&json!({}))).await.is(415);
}

/// Bodies that are right but for one member: missing, of every other type, or sent twice.
fn wrong_bodies(schema: &str) -> Vec<String> {
    let schema = document::DOCUMENT.pointer(&schema[1..]).unwrap();
    let required: Vec<&str> =
        schema["required"].as_array().into_iter().flatten().map(|name| name.as_str().unwrap()).collect();
    let is_object = |name: &str| schema["properties"][name]["type"] == "object";
    let right = |name: &str| if is_object(name) { json!({}) } else { json!("123456") };
    let full: serde_json::Map<String, Value> = required.iter().map(|name| ((*name).to_owned(), right(name))).collect();
    let mut bodies = Vec::new();
    for (name, member) in schema["properties"].as_object().unwrap() {
        let is = |kind: &str| member["type"].to_string().contains(kind);
        let all = [json!(7), json!(true), json!([]), json!(["right"]), json!({"$ne": ""}), json!(1.5)];
        let is_wrong = |value: &Value| {
            !(value.is_array() && is("array")
                || value.is_boolean() && is("boolean")
                || value.is_object() && is("object"))
        };
        for wrong in all.into_iter().filter(is_wrong) {
            let mut body = full.clone();
            body.insert(name.clone(), wrong);
            bodies.push(Value::Object(body).to_string());
        }
        let twice = Value::Object(full.clone()).to_string();
        bodies.push(twice.replacen(
            '{',
            &format!("{{\"{name}\": \"a\", \"{name}\": \"b\"{}", if full.is_empty() { "" } else { "," }),
            1,
        ));
    }
    for name in required {
        let mut body = full.clone();
        body.remove(name);
        bodies.push(Value::Object(body.clone()).to_string());
        body.insert(name.to_owned(), Value::Null);
        bodies.push(Value::Object(body).to_string());
    }
    bodies
}
