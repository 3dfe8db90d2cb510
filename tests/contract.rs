//! The published document: it is what the routes say, and it is fit to generate clients from.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use serde_json::Value;
use std::collections::BTreeSet;
use twofold::domain::{event::EventKind, password::Password};

fn document() -> Value {
    serde_json::from_str(&twofold::http::openapi::text().unwrap()).unwrap()
}

fn operations(document: &Value) -> Vec<(String, &Value)> {
    let paths = document["paths"].as_object().unwrap().iter();
    paths
        .flat_map(|(path, item)| {
            item.as_object().unwrap().iter().map(move |(method, op)| (format!("{} {path}", method.to_uppercase()), op))
        })
        .collect()
}

#[test]
fn the_committed_document_is_what_the_routes_say() {
    let committed = std::fs::read_to_string("openapi/openapi.json").unwrap();
    assert!(
        committed == twofold::http::openapi::text().unwrap(),
        "openapi/openapi.json drifted; run `cargo run -- openapi > openapi/openapi.json` and review the change"
    );
}

#[test]
fn the_committed_reference_of_settings_is_what_the_code_reads() {
    let committed = std::fs::read_to_string("docs/configuration.toml").unwrap();
    assert!(
        committed == twofold::config::Config::template(),
        "docs/configuration.toml drifted; run `cargo run -- config template > docs/configuration.toml`"
    );
}

/// The paths of the contract.
const PATHS: &str = "
    GET /account/security
    GET /account/security/2fa
    POST /account/security/2fa/totp
    GET /account/security/2fa/totp/{id}
    POST /account/security/2fa/totp/{id}/confirm
    DELETE /account/security/2fa/totp/{id}
    POST /account/security/2fa/passkeys
    GET /account/security/2fa/passkeys/{id}
    POST /account/security/2fa/passkeys/{id}/confirm
    POST /account/security/2fa/email
    GET /account/security/2fa/email/{id}
    POST /account/security/2fa/email/{id}/confirm
    POST /account/security/2fa/email/{id}/resend
    DELETE /account/security/2fa/email/{id}
    POST /account/security/2fa/sms
    GET /account/security/2fa/sms/{id}
    POST /account/security/2fa/sms/{id}/confirm
    POST /account/security/2fa/sms/{id}/resend
    DELETE /account/security/2fa/sms/{id}
    DELETE /account/security/2fa/passkeys/{id}
    PATCH /account/security/2fa/methods/{id}
    POST /account/security/2fa/methods/{id}/remove
    POST /account/security/2fa/disable
    GET /account/security/2fa/disable/preview
    POST /account/security/2fa/undo
    POST /account/security/2fa/undo/preview
    POST /account/security/2fa/reminders/stop
    POST /account/security/2fa/reminders/one-click
    POST /account/security/2fa/verify
    POST /account/security/2fa/verify/start
    POST /account/security/2fa/recovery-codes
    GET /account/security/events
    GET /account/security/sessions
    DELETE /account/security/sessions/{sid}
    POST /account/security/sessions/end-others
    GET /account/security/devices
    DELETE /account/security/devices/{id}
    POST /account/security/devices/forget-all
    POST /auth/login
    POST /auth/login/second-factor
    POST /auth/login/second-factor/start
    POST /auth/token/refresh
    POST /auth/logout
    POST /account/password
    GET /support/accounts
    GET /support/accounts/{id}/2fa
    GET /support/accounts/{id}/events
    POST /support/accounts/{id}/2fa/reset
    POST /support/accounts/{id}/2fa/bypass-code
    POST /support/accounts/{id}/unlock
    GET /account/security/partners
    PUT /account/security/partners/{id}
    DELETE /account/security/partners/{id}
    POST /oauth/token
    GET /partner/accounts/{id}/2fa
    PUT /partner/accounts/{id}
    GET /partner/events
    POST /partner/accounts/{id}/2fa/verify
    POST /partner/webhooks
    GET /partner/webhooks
    GET /partner/webhooks/{id}
    PATCH /partner/webhooks/{id}
    DELETE /partner/webhooks/{id}
    POST /partner/webhooks/{id}/rotate-secret
    GET /partner/webhooks/{id}/deliveries
    POST /partner/webhooks/{id}/deliveries/{n}/replay
    GET /.well-known/jwks.json
    GET /.well-known/two-factor-policy
    GET /.well-known/webauthn
    GET /.well-known/assetlinks.json
    GET /.well-known/apple-app-site-association
    GET /openapi.json
    GET /problems
    GET /problems/{code}";

#[test]
fn the_document_has_every_path_of_the_contract() {
    let document = document();
    let have: BTreeSet<String> = operations(&document).into_iter().map(|(name, _)| name).collect();
    let want: BTreeSet<String> =
        PATHS.lines().map(str::trim).filter(|line| !line.is_empty()).map(str::to_owned).collect();
    assert_eq!(have, want);
}

#[test]
fn every_operation_can_be_understood_from_the_document() {
    let document = document();
    assert_eq!(document["openapi"], "3.1.0");
    let mut ids = BTreeSet::new();
    for (name, operation) in operations(&document) {
        let id = operation["operationId"].as_str().unwrap_or_else(|| panic!("{name} has no id"));
        assert!(ids.insert(id.to_owned()), "{id} stands twice");
        assert!(operation["summary"].as_str().is_some_and(|summary| summary.len() > 8), "{name} has no summary");
        assert!(operation["tags"].as_array().is_some_and(|tags| tags.len() == 1), "{name} has no tag");
        let responses = operation["responses"].as_object().unwrap();
        assert!(responses.keys().any(|status| status.starts_with('2')), "{name} never succeeds");
        for (status, response) in responses {
            assert!(response["description"].as_str().is_some_and(|text| !text.is_empty()), "{name} {status}");
            let of_standard = &response["content"]["application/json"]["schema"]["$ref"];
            if id == "issueClientToken" && ["400", "401"].contains(&status.as_str()) {
                assert_eq!(of_standard, "#/components/schemas/ClientTokenError", "{name} {status}");
            } else if status.starts_with(['4', '5']) {
                let problem = &response["content"]["application/problem+json"];
                assert_eq!(problem["schema"]["$ref"], "#/components/schemas/Problem", "{name} {status}");
                assert!(!problem["examples"].as_object().unwrap().is_empty(), "{name} {status}");
            }
        }
        let is_guarded = !operation["security"].as_array().unwrap_or_else(|| panic!("{name}: security?")).is_empty();
        assert_eq!(is_guarded, responses.contains_key("401") && id != "refreshTokens", "{name}");
    }
}

/// A schema of the document, with what it refers to.
fn validator(document: &Value, schema: &Value) -> jsonschema::Validator {
    let root = serde_json::json!({"allOf": [schema], "components": document["components"]});
    jsonschema::options().should_validate_formats(true).build(&root).unwrap()
}

#[test]
fn every_request_and_every_success_has_an_example_that_is_true_to_its_schema() {
    let document = document();
    for (name, operation) in operations(&document) {
        let successes = operation["responses"].as_object().unwrap().values();
        for content in successes.chain(operation.get("requestBody")).map(|message| &message["content"]) {
            let Some(media) = content.get("application/json") else { continue };
            let example = media.get("example").unwrap_or_else(|| panic!("{name} has no example"));
            let validator = validator(&document, &media["schema"]);
            let errors: Vec<String> = validator.iter_errors(example).map(|error| format!("{error}")).collect();
            assert!(errors.is_empty(), "{name}: {errors:?}");
        }
    }
}

/// What a schema says of lengths is in characters, and the rule is in bytes of UTF-8.
#[test]
fn no_password_that_the_service_takes_is_refused_by_the_document() {
    let document = document();
    let schemas = document["components"]["schemas"].as_object().unwrap();
    let chosen: Vec<&Value> =
        schemas.values().filter_map(|schema| schema.pointer("/properties/new_password")).collect();
    assert_eq!(chosen.len(), 2);
    for schema in chosen {
        assert!(schema["description"].as_str().unwrap().contains("8 to 71 bytes"), "{schema}");
        for password in ["\u{1F512}\u{1F512}", "我的密码", "8 bytes!", &"x".repeat(71)] {
            assert!(Password::chosen(password.to_owned(), "").is_ok(), "{password}");
            assert!(validator(&document, schema).is_valid(&password.into()), "{password}");
        }
    }
}

/// A client made from the document would have nothing to send there.
#[test]
fn a_partner_is_told_where_a_version_is_refused_that_it_needs_none() {
    let document = document();
    let mut told = 0;
    for (name, operation) in operations(&document) {
        let Some(stale) = operation["responses"].get("412") else { continue };
        let takes = operation["parameters"].to_string().contains("IfMatch");
        let says = stale["description"].as_str().unwrap().contains("leave `If-Match` out");
        assert_ne!(takes, says, "{name}");
        told += usize::from(says);
    }
    assert_eq!(told, 7);
}

#[test]
fn every_example_of_a_problem_is_true_to_its_schema() {
    let document = document();
    let problem = validator(&document, &serde_json::json!({"$ref": "#/components/schemas/Problem"}));
    for (code, example) in document["components"]["examples"].as_object().unwrap() {
        assert!(problem.is_valid(&example["value"]), "{code}");
        assert_eq!(example["value"]["code"], code.as_str());
    }
}

/// The kinds of event are open in the document, so nothing but its words names them.
#[test]
fn the_document_and_the_page_know_every_kind_of_event() {
    let source = std::fs::read_to_string("src/domain/event.rs").unwrap();
    let kinds: Vec<&str> =
        source.split("#[serde(rename = \"").skip(1).map(|rest| rest.split('"').next().unwrap()).collect();
    assert!(kinds.len() > 15, "{kinds:?}");
    let known = document()["components"]["schemas"]["Event"]["properties"]["type"]["description"].to_string();
    for kind in kinds {
        assert!(known.contains(&format!("`{kind}`")), "the document does not name {kind}");
        for language in ["en", "ms", "zh-Hans"] {
            let words = std::fs::read_to_string(format!("web/text/{language}.js")).unwrap();
            assert!(words.contains(&format!("\"event.{kind}\":")), "the page has no word for {kind} in {language}");
        }
    }
}

/// What partners can ask to be told, by name and in the order of the code.
#[test]
fn the_document_and_the_guide_name_what_partners_are_told() {
    let document = document();
    let kinds: Vec<String> = EventKind::FOR_PARTNERS.iter().map(|kind| kind.name().unwrap()).collect();
    let listed: Vec<String> = kinds.iter().map(|kind| format!("`{kind}`")).collect();
    let known = document["components"]["schemas"]["PartnerEventType"]["description"].as_str().unwrap();
    assert!(known.ends_with(&format!("Known are {}.", listed.join(", "))), "{known}");
    for (schema, member) in [("Webhook", "kinds"), ("NewWebhook", "kinds"), ("PartnerEvent", "type")] {
        let member = document["components"]["schemas"][schema]["properties"][member].to_string();
        assert!(member.contains("#/components/schemas/PartnerEventType"), "{schema}: {member}");
    }
    let guide = std::fs::read_to_string("docs/integrate.md").unwrap();
    let (_, table) = guide.split_once("| Kind | Means |\n|---|---|\n").unwrap();
    let rows = table.lines().take_while(|line| line.starts_with('|'));
    let told: Vec<&str> = rows.map(|row| row.split('`').nth(1).unwrap()).collect();
    assert_eq!(told, kinds);
}

#[test]
fn every_reference_leads_somewhere() {
    let document = document();
    let mut references = Vec::new();
    collect(&document, &mut references);
    assert!(references.len() > 100);
    for reference in references {
        assert!(document.pointer(&reference[1..]).is_some(), "{reference} leads nowhere");
    }
}

fn collect(value: &Value, references: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            references.extend(members.get("$ref").and_then(Value::as_str).map(str::to_owned));
            members.values().for_each(|member| collect(member, references));
        }
        Value::Array(items) => items.iter().for_each(|item| collect(item, references)),
        _ => {}
    }
}
