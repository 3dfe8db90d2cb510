//! Whether one schema allows nothing that another refuses, for the keywords of our document. Where that cannot
//! be decided, as for two patterns, what differs is not allowed.

use serde_json::{Map, Value, json};
use std::collections::BTreeSet;
use std::sync::LazyLock;

/// A schema and the document that its references lead into.
#[derive(Clone, Copy)]
pub struct Schema<'a> {
    document: &'a Value,
    node: &'a Map<String, Value>,
}

/// Keywords that bound from above and from below, and those that must not be replaced by others.
const MOST: [&str; 3] = ["maximum", "maxLength", "maxItems"];
const LEAST: [&str; 3] = ["minimum", "minLength", "minItems"];
const KINDS: [&str; 3] = ["pattern", "format", "contentMediaType"];
/// Keywords that allow and refuse nothing.
const REMARKS: [&str; 4] = ["description", "title", "example", "discriminator"];
const STRUCTURE: [&str; 5] = ["type", "enum", "oneOf", "properties", "required"];
/// Keywords whose schema is for each part of a value that is not named: the items, the other members, their names.
const PARTS: [&str; 3] = ["items", "additionalProperties", "propertyNames"];
/// The schema of a part of which nothing is said.
static ANYTHING: LazyLock<Value> = LazyLock::new(|| json!({}));
/// The schema of a name of which nothing is said.
static ANY_NAME: LazyLock<Value> = LazyLock::new(|| json!({"type": "string"}));

impl<'a> Schema<'a> {
    /// A schema of a document, with its references followed.
    pub fn of(document: &'a Value, node: &'a Value) -> Self {
        let mut node = node;
        while let Some(reference) = node.get("$ref").and_then(Value::as_str) {
            node = document.pointer(&reference[1..]).unwrap();
        }
        let node = node.as_object().unwrap_or_else(|| panic!("not a schema: {node}"));
        for keyword in node.keys().map(String::as_str) {
            let is_known = [&MOST[..], &LEAST, &KINDS, &REMARKS, &STRUCTURE, &PARTS].concat().contains(&keyword);
            assert!(is_known, "the comparison of schemas must learn `{keyword}`");
        }
        Self { document, node }
    }

    fn part(&self, node: &'a Value) -> Self {
        Self::of(self.document, node)
    }

    fn texts(&self, keyword: &str) -> BTreeSet<String> {
        match self.node.get(keyword) {
            Some(Value::Array(items)) => items.iter().map(|item| item.to_string().replace('"', "")).collect(),
            Some(Value::String(text)) => BTreeSet::from([text.clone()]),
            _ => BTreeSet::new(),
        }
    }

    fn number(&self, keyword: &str) -> Option<f64> {
        self.node.get(keyword).and_then(Value::as_f64)
    }

    fn variants(&self) -> Option<Vec<Self>> {
        let variants = self.node.get("oneOf")?.as_array().unwrap();
        Some(variants.iter().map(|variant| self.part(variant)).collect())
    }

    fn properties(&self) -> impl Iterator<Item = (&'a str, Self)> {
        let document = self.document;
        let properties = self.node.get("properties").and_then(Value::as_object).into_iter().flatten();
        properties.map(move |(name, node)| (name.as_str(), Self::of(document, node)))
    }

    fn property(&self, name: &str) -> Option<Self> {
        self.properties().find(|(known, _)| *known == name).map(|(_, schema)| schema)
    }

    /// What is said of the parts that are not named; `None` where there can be none.
    fn parts(&self, keyword: &str) -> Option<Self> {
        match self.node.get(keyword) {
            Some(Value::Bool(false)) => None,
            Some(node @ Value::Object(_)) => Some(self.part(node)),
            _ if keyword == "propertyNames" => Some(self.part(&ANY_NAME)),
            _ => Some(self.part(&ANYTHING)),
        }
    }

    fn is_closed(&self) -> bool {
        self.node.get("additionalProperties") == Some(&Value::Bool(false))
    }
}

/// Where `inner` allows what `outer` does not: each place with what is wrong there.
pub fn excess(inner: Schema, outer: Schema, at: &str) -> Vec<String> {
    if let Some(variants) = inner.variants() {
        return variants.into_iter().flat_map(|variant| excess(variant, outer, at)).collect();
    }
    if let Some(variants) = outer.variants() {
        let found = variants.into_iter().map(|variant| excess(inner, variant, at));
        return found.min_by_key(Vec::len).unwrap_or_default();
    }
    let mut found = simple(inner, outer);
    found.extend(members(inner, outer));
    let mut found: Vec<String> = found.into_iter().map(|what| format!("{at}: {what}")).collect();
    for (name, theirs) in outer.properties() {
        if let Some(ours) = inner.property(name) {
            found.extend(excess(ours, theirs, &format!("{at}/{name}")));
        }
    }
    for keyword in PARTS {
        // Of what the outer one does not speak it allows everything.
        let theirs = outer.node.get(keyword).and_then(|_| outer.parts(keyword));
        if let (Some(ours), Some(theirs)) = (inner.parts(keyword), theirs) {
            found.extend(excess(ours, theirs, &format!("{at}/{keyword}")));
        }
    }
    found
}

/// Types, values and bounds.
fn simple(inner: Schema, outer: Schema) -> Vec<String> {
    let mut found = Vec::new();
    for keyword in ["type", "enum"] {
        let (ours, theirs) = (inner.texts(keyword), outer.texts(keyword));
        if !theirs.is_empty() && (ours.is_empty() || !ours.is_subset(&theirs)) {
            found.push(format!("{keyword} {ours:?}, not {theirs:?}"));
        }
    }
    let most = MOST.iter().map(|keyword| (keyword, inner.number(keyword), outer.number(keyword)));
    let least =
        LEAST.iter().map(|keyword| (keyword, inner.number(keyword).map(|n| -n), outer.number(keyword).map(|n| -n)));
    for (keyword, ours, theirs) in most.chain(least) {
        if theirs.is_some_and(|theirs| ours.is_none_or(|ours| ours > theirs)) {
            found.push(format!("{keyword} {:?}, not {:?}", inner.node.get(*keyword), outer.node.get(*keyword)));
        }
    }
    for keyword in KINDS {
        let (ours, theirs) = (inner.texts(keyword), outer.texts(keyword));
        if !theirs.is_empty() && ours != theirs {
            found.push(format!("{keyword} {ours:?}, not {theirs:?}"));
        }
    }
    found
}

/// Which members an object may and must have.
fn members(inner: Schema, outer: Schema) -> Vec<String> {
    let required = outer.texts("required").into_iter().filter(|name| !inner.texts("required").contains(name));
    let mut found: Vec<String> = required.map(|name| format!("`{name}` is not required")).collect();
    // What an open object does not name can be anything, also where the other says what it is.
    let unnamed = outer.properties().filter(|(name, _)| !inner.is_closed() && inner.property(name).is_none());
    found.extend(unnamed.map(|(name, _)| format!("`{name}` is not named")));
    if outer.is_closed() {
        let unknown = inner.properties().filter(|(name, _)| outer.property(name).is_none());
        found.extend(unknown.map(|(name, _)| format!("`{name}` is not taken")));
        if !inner.is_closed() {
            found.push("other members are taken".to_owned());
        }
    }
    found
}
