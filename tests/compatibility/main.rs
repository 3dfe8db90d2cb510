//! What was released stays: a front-end built against the released document works with this one, or the version
//! says that it does not. A request that was good is good, and an answer is one that the front-end expects.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

mod subset;

use serde_json::{Value, json};
use subset::{Schema, excess};

fn released() -> Value {
    serde_json::from_str(&std::fs::read_to_string("openapi/released.json").unwrap()).unwrap()
}

fn current() -> Value {
    serde_json::from_str(&twofold::http::openapi::text().unwrap()).unwrap()
}

/// Everything in which the new document fails whoever was built against the old one.
fn breaks(old: &Value, new: &Value) -> Vec<String> {
    let mut found = Vec::new();
    for (path, item) in old["paths"].as_object().unwrap() {
        for (method, before) in item.as_object().unwrap() {
            let name = format!("{} {path}", method.to_uppercase());
            match new["paths"].get(path).and_then(|item| item.get(method)) {
                Some(after) => found.extend(operation_breaks(&name, (old, before), (new, after))),
                None => found.push(format!("{name} is gone")),
            }
        }
    }
    found
}

/// An operation with the document that it is in.
type Operation<'a> = (&'a Value, &'a Value);

fn operation_breaks(name: &str, old: Operation, new: Operation) -> Vec<String> {
    let mut found = Vec::new();
    for member in ["operationId", "security"] {
        if old.1[member] != new.1[member] {
            found.push(format!("{name} has another {member}"));
        }
    }
    found.extend(parameter_breaks(name, old, new));
    found.extend(request_breaks(name, old, new));
    found.extend(answer_breaks(name, old, new));
    found
}

fn parameters<'a>((document, operation): Operation<'a>) -> Vec<(String, &'a Value)> {
    let found = operation["parameters"].as_array().into_iter().flatten().map(|parameter| {
        match parameter.get("$ref").and_then(Value::as_str) {
            Some(reference) => document.pointer(&reference[1..]).unwrap(),
            None => parameter,
        }
    });
    found.map(|parameter| (format!("{} {}", parameter["in"], parameter["name"]), parameter)).collect()
}

fn parameter_breaks(name: &str, old: Operation, new: Operation) -> Vec<String> {
    let (before, after) = (parameters(old), parameters(new));
    let find =
        |all: &[(String, &Value)], key: &str| all.iter().find(|(known, _)| known == key).map(|(_, it)| (*it).clone());
    let mut found = Vec::new();
    for (key, parameter) in &before {
        match find(&after, key) {
            Some(now) => found.extend(excess(
                Schema::of(old.0, &parameter["schema"]),
                Schema::of(new.0, &now["schema"]),
                &format!("{name}, {key}"),
            )),
            None => found.push(format!("{name} takes no {key}")),
        }
    }
    for (key, parameter) in &after {
        let was_required = find(&before, key).is_some_and(|before| before["required"] == true);
        if parameter["required"] == true && !was_required {
            found.push(format!("{name} requires {key}"));
        }
    }
    found
}

fn request_breaks(name: &str, old: Operation, new: Operation) -> Vec<String> {
    let (before, after) = (&old.1["requestBody"], &new.1["requestBody"]);
    if after["required"] == true && before["required"] != true {
        return vec![format!("{name} requires a body")];
    }
    let contents = before["content"].as_object().into_iter().flatten();
    contents
        .flat_map(|(kind, media)| match after["content"].get(kind) {
            Some(now) => excess(
                Schema::of(old.0, &media["schema"]),
                Schema::of(new.0, &now["schema"]),
                &format!("{name}, the request"),
            ),
            None => vec![format!("{name} takes no {kind}")],
        })
        .collect()
}

fn successes(operation: &Value) -> impl Iterator<Item = (&String, &Value)> {
    operation["responses"].as_object().unwrap().iter().filter(|(status, _)| status.starts_with('2'))
}

fn answer_breaks(name: &str, old: Operation, new: Operation) -> Vec<String> {
    let mut found = Vec::new();
    for (status, _) in successes(new.1).filter(|(status, _)| old.1["responses"].get(status).is_none()) {
        found.push(format!("{name} answers {status}"));
    }
    // Problems share one schema; which of them an operation meets may change, as a client must expect any.
    for (status, before) in old.1["responses"].as_object().unwrap() {
        let Some(after) = new.1["responses"].get(status) else { continue };
        let at = format!("{name}, the answer {status}");
        for (header, _) in before["headers"].as_object().into_iter().flatten() {
            if after["headers"].get(header).is_none() {
                found.push(format!("{at} has no {header}"));
            }
        }
        for (kind, media) in before["content"].as_object().into_iter().flatten() {
            match after["content"].get(kind) {
                Some(now) => {
                    found.extend(excess(Schema::of(new.0, &now["schema"]), Schema::of(old.0, &media["schema"]), &at))
                }
                None => found.push(format!("{at} is no {kind}")),
            }
        }
    }
    found
}

/// Whether a version may break what one before it promised (Semantic Versioning 2.0.0, 4 and 8).
fn may_break(before: &str, now: &str) -> bool {
    let number = |version: &str, place: usize| version.split('.').nth(place).unwrap().parse::<u32>().unwrap();
    let major = |version: &str| number(version, 0);
    let minor = |version: &str| number(version, 1);
    major(now) > major(before) || (major(before) == 0 && major(now) == 0 && minor(now) > minor(before))
}

#[test]
fn what_was_released_stays_or_the_version_says_so() {
    let (old, new) = (released(), current());
    let (before, now) = (old["info"]["version"].as_str().unwrap(), new["info"]["version"].as_str().unwrap());
    let found = breaks(&old, &new);
    assert!(
        found.is_empty() || may_break(before, now),
        "{now} breaks front-ends built against the released {before}; change it, or raise the version:\n{}",
        found.join("\n")
    );
}

#[test]
fn versions_that_may_break() {
    for (before, now) in [("0.1.0", "0.2.0"), ("0.9.3", "1.0.0"), ("1.4.0", "2.0.0")] {
        assert!(may_break(before, now), "{before} {now}");
    }
    for (before, now) in
        [("0.1.0", "0.1.1"), ("0.2.0", "0.1.0"), ("1.4.0", "1.5.0"), ("1.4.0", "1.4.0"), ("2.0.0", "1.9.0")]
    {
        assert!(!may_break(before, now), "{before} {now}");
    }
}

/// The released document with one value set, or removed where the value is null.
fn edited(pointer: &str, value: &Value) -> Value {
    let mut document = released();
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = document.pointer_mut(parent).and_then(Value::as_object_mut).unwrap_or_else(|| panic!("{pointer}"));
    let name = name.replace("~1", "/");
    match value.is_null() {
        true => drop(parent.remove(&name).unwrap_or_else(|| panic!("{pointer}"))),
        false => drop(parent.insert(name, value.clone())),
    }
    document
}

#[test]
fn every_way_to_break_a_front_end_is_seen() {
    let changes = include_str!("breaks.json");
    let changes: Vec<(String, Value, String)> = serde_json::from_str(changes).unwrap();
    assert!(changes.len() > 15);
    for (pointer, value, says) in changes {
        let found = breaks(&released(), &edited(&pointer, &value));
        assert!(found.iter().any(|found| found.contains(&says)), "{pointer}: {found:?} says nothing of {says}");
    }
}

#[test]
fn what_breaks_nobody_is_allowed() {
    let label = "/components/schemas/RenameRequest/properties/label";
    for (pointer, value) in [
        ("/paths/~1new", json!({"get": {"responses": {}}})),
        ("/components/schemas/DisableRequest/properties/note", json!({"type": "string"})),
        ("/components/schemas/DisableRequest/required", json!([])),
        ("/components/schemas/Disabled/properties/note", json!({"type": "string"})),
        ("/components/schemas/Disabled/description", json!("Said otherwise")),
        (&format!("{label}/maxLength"), json!(100)),
        (&format!("{label}/pattern"), Value::Null),
        ("/paths/~1account~1security~12fa~1disable/post/responses/409", Value::Null),
    ] {
        assert_eq!(breaks(&released(), &edited(pointer, &value)), Vec::<String>::new(), "{pointer}");
    }
}
