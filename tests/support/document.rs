//! The OpenAPI document as a judge: every answer is validated against it, and every operation that was
//! called is remembered.

use jsonschema::Validator;
use reqwest::header::HeaderMap;
use serde_json::{Map, Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, LazyLock, Mutex},
};

/// The document that the code generates.
pub static DOCUMENT: LazyLock<Value> =
    LazyLock::new(|| serde_json::from_str(&twofold::http::openapi::text().unwrap()).unwrap());

/// The same schemas, closed: a member that is not documented is a mistake too.
static CLOSED: LazyLock<Value> = LazyLock::new(|| {
    let mut components = DOCUMENT["components"].clone();
    components["schemas"].as_object_mut().unwrap().values_mut().for_each(close);
    components
});

static VALIDATORS: Mutex<BTreeMap<String, Arc<Validator>>> = Mutex::new(BTreeMap::new());
static CALLED: Mutex<BTreeSet<(String, String)>> = Mutex::new(BTreeSet::new());

fn close(schema: &mut Value) {
    let Some(object) = schema.as_object_mut() else { return };
    if object.contains_key("properties") && !object.contains_key("allOf") {
        object.insert("additionalProperties".into(), json!(false));
    }
    for name in ["oneOf", "anyOf"] {
        if let Some(Value::Array(parts)) = object.get_mut(name) {
            parts.iter_mut().for_each(close);
        }
    }
}

/// Every operation: method, path template, and the operation itself.
pub fn operations() -> Vec<(String, String, &'static Value)> {
    let paths = DOCUMENT["paths"].as_object().unwrap();
    let of_path = |(path, item): (&String, &'static Value)| {
        let path = path.clone();
        item.as_object()
            .unwrap()
            .iter()
            .map(move |(method, operation)| (method.to_uppercase(), path.clone(), operation))
    };
    paths.iter().flat_map(|entry| of_path(entry).collect::<Vec<_>>()).collect()
}

/// Whether an operation takes an access token, an owner's or a partner's.
pub fn takes_token(operation: &Value) -> bool {
    let schemes = operation["security"].as_array().into_iter().flatten().filter_map(Value::as_object);
    schemes.flat_map(Map::keys).any(|scheme| ["bearer", "partner"].contains(&scheme.as_str()))
}

/// The operations that this process has called.
pub fn called() -> BTreeSet<(String, String)> {
    CALLED.lock().unwrap().clone()
}

/// Headers that a client acts on.
const TELLING: [&str; 7] =
    ["ETag", "Location", "Retry-After", "RateLimit", "RateLimit-Policy", "WWW-Authenticate", "Idempotent-Replayed"];

/// Judges an answer. Paths and methods that the document does not have answer problems alone.
pub fn judge(method: &str, path: &str, status: u16, headers: &HeaderMap, body: &[u8]) {
    let path = path.split('?').next().unwrap();
    let Some((template, operation)) = find(method, path) else {
        assert!([400, 401, 404, 405, 406].contains(&status), "{method} {path} is not documented and answered {status}");
        return validate(
            "problem",
            &json!({"$ref": "#/components/schemas/Problem"}),
            body,
            &format!("{method} {path}"),
        );
    };
    CALLED.lock().unwrap().insert((method.to_owned(), template.clone()));
    let what = format!("{method} {template} {status}");
    let response = &operation["responses"][status.to_string()];
    assert!(response.is_object(), "{what} is not documented; body {}", String::from_utf8_lossy(body));
    for header in TELLING.into_iter().filter(|header| headers.contains_key(*header)) {
        assert!(response["headers"][header].is_object(), "{what} has an undocumented {header}");
    }
    let Some(content) = response["content"].as_object() else {
        assert!(body.is_empty(), "{what} has an undocumented body");
        return;
    };
    let content_type = headers.get("content-type").and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let essence = content_type.split(';').next().unwrap().to_owned();
    let media = content.get(&essence).unwrap_or_else(|| panic!("{what} has undocumented content {essence:?}"));
    if essence != "text/html" {
        validate(&format!("{what} {essence}"), &media["schema"], body, &what);
    }
}

fn find(method: &str, path: &str) -> Option<(String, &'static Value)> {
    let fits = |template: &str| {
        let (template, path): (Vec<_>, Vec<_>) = (template.split('/').collect(), path.split('/').collect());
        let part_fits = |(part, given): (&&str, &&str)| part == given || (part.starts_with('{') && !given.is_empty());
        template.len() == path.len() && template.iter().zip(&path).all(part_fits)
    };
    let fitting: Vec<_> = operations().into_iter().filter(|(_, template, _)| fits(template)).collect();
    // The path without a parameter goes first, whatever methods it has (OpenAPI 3.1, Paths Object).
    let parameters = |template: &str| template.matches('{').count();
    let fewest = fitting.iter().map(|(_, template, _)| parameters(template)).min()?;
    let mut exact = fitting.into_iter().filter(|(_, template, _)| parameters(template) == fewest);
    exact.find(|(m, _, _)| m == method).map(|(_, template, operation)| (template, operation))
}

fn validate(key: &str, schema: &Value, body: &[u8], what: &str) {
    let body: Value = serde_json::from_slice(body)
        .unwrap_or_else(|error| panic!("{what}: not JSON ({error}): {}", String::from_utf8_lossy(body)));
    let validator =
        VALIDATORS.lock().unwrap().entry(key.to_owned()).or_insert_with(|| Arc::new(validator(schema))).clone();
    let errors: Vec<String> = validator.iter_errors(&body).map(|e| format!("{} at {}", e, e.instance_path())).collect();
    assert!(errors.is_empty(), "{what} does not match the document: {errors:?}\n{body:#}");
}

fn validator(schema: &Value) -> Validator {
    let mut root = Map::new();
    root.insert("$schema".into(), json!("https://json-schema.org/draft/2020-12/schema"));
    root.insert("allOf".into(), json!([schema]));
    root.insert("components".into(), CLOSED.clone());
    jsonschema::options().should_validate_formats(true).build(&Value::Object(root)).unwrap()
}
