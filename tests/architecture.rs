//! The laws of the house, checked by reading the source.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
};

/// Which rooms a room may use. Arrows point down only.
const ARROWS: [(&str, &[&str]); 9] = [
    ("spans", &[]),
    ("domain", &[]),
    ("crypto", &["domain", "spans"]),
    ("store", &["crypto", "domain", "spans"]),
    ("actions", &["store", "crypto", "domain"]),
    ("config", &["store", "domain"]),
    ("http", &["config", "actions", "store", "crypto", "domain", "spans"]),
    ("worker", &["actions", "store", "crypto", "domain"]),
    ("cli", &["config", "http", "worker", "actions", "store", "crypto", "domain"]),
];

/// Crates that belong to one room.
const OWNED: [(&str, &str); 16] = [
    ("diesel", "store"),
    ("diesel_migrations", "store"),
    ("r2d2", "store"),
    ("actix_web", "http"),
    ("actix_cors", "http"),
    ("utoipa", "http"),
    ("aws_lc_rs", "crypto"),
    ("jsonwebtoken", "crypto"),
    ("webauthn_rp", "crypto"),
    ("bcrypt", "crypto"),
    ("lettre", "worker"),
    ("minijinja", "worker"),
    ("fluent_bundle", "worker"),
    ("opentelemetry", "spans"),
    ("opentelemetry_sdk", "spans"),
    ("opentelemetry_otlp", "spans"),
];

const LONGEST_FILE: usize = 400;
const LONGEST_FUNCTION: usize = 60;

struct Source {
    path: PathBuf,
    room: String,
    text: String,
}

fn sources() -> Vec<Source> {
    let mut found = Vec::new();
    collect(Path::new("src"), &mut found);
    assert!(found.len() > 60, "the sources are in src/");
    found
}

fn collect(folder: &Path, found: &mut Vec<Source>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            collect(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let room = path.components().nth(1).unwrap().as_os_str().to_string_lossy().replace(".rs", "");
            found.push(Source { text: fs::read_to_string(&path).unwrap(), room, path });
        }
    }
}

impl Source {
    /// The code, without comments and without what is only compiled for tests.
    fn code(&self) -> String {
        without_comments(self.text.split("#[cfg(test)]").next().unwrap())
    }

    /// The rooms that it names after `crate::`.
    fn uses(&self) -> BTreeSet<String> {
        let code = self.code();
        let mut rooms = BTreeSet::new();
        for after in code.split("crate::").skip(1) {
            match after.strip_prefix('{') {
                Some(group) => rooms.extend(heads(group)),
                None => rooms.extend(heads(after).into_iter().take(1)),
            }
        }
        rooms
    }
}

fn without_comments(text: &str) -> String {
    text.lines().filter(|line| !line.trim_start().starts_with("//")).collect::<Vec<_>>().join("\n")
}

/// The first segment of every path in a group that was just opened.
fn heads(group: &str) -> Vec<String> {
    let (mut heads, mut head, mut depth) = (Vec::new(), String::new(), 0);
    for c in group.chars() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ';' => break,
            ',' if depth == 0 => heads.push(std::mem::take(&mut head)),
            _ if depth == 0 => head.push(c),
            _ => {}
        }
    }
    heads.push(head);
    let first = |path: &String| {
        path.trim().split([':', ' ', '(', ')', '<', '>', '.', '\n']).next().unwrap_or_default().to_owned()
    };
    heads.iter().map(first).filter(|head| !head.is_empty()).collect()
}

#[test]
fn arrows_point_down_only() {
    for source in sources() {
        let Some((_, allowed)) = ARROWS.iter().find(|(room, _)| *room == source.room) else { continue };
        for used in source.uses() {
            let is_room = ARROWS.iter().any(|(room, _)| *room == used);
            let may = used == source.room || allowed.contains(&used.as_str());
            assert!(!is_room || may, "{} uses {used}", source.path.display());
        }
    }
}

#[test]
fn every_crate_with_a_room_stays_in_it() {
    for source in sources() {
        // What is compiled for tests too: a room's tests need nothing that the room may not have.
        let code = without_comments(&source.text);
        for (name, room) in OWNED {
            let is_used = code.contains(&format!("{name}::"));
            assert!(!is_used || source.room == room, "{} uses {name}, which belongs to {room}", source.path.display());
        }
    }
}

#[test]
fn the_domain_does_nothing_to_the_world() {
    for source in sources().iter().filter(|source| source.room == "domain") {
        let code = source.code();
        for effect in ["std::fs", "std::env", "std::time", "std::thread", "std::process", "tokio", "log::", "async "] {
            assert!(!code.contains(effect), "{} uses {effect}", source.path.display());
        }
    }
}

#[test]
fn files_and_functions_can_be_read_at_once() {
    let mut all = sources();
    collect(Path::new("tests"), &mut all);
    collect(Path::new("benches"), &mut all);
    for source in all {
        let shown = source.path.display();
        let lines: Vec<&str> = source.text.lines().collect();
        assert!(lines.len() <= LONGEST_FILE, "{shown} has {} lines", lines.len());
        assert!(source.text.starts_with("//!"), "{shown} does not say what it owns");
        let mut begun: Option<usize> = None;
        for (number, line) in lines.iter().enumerate() {
            let unindented = line.trim_start();
            if unindented.starts_with("fn ") || unindented.contains(" fn ") && !unindented.starts_with("//") {
                begun = Some(number);
            }
            let is_end = unindented == "}" && line.len() <= 5;
            if let (Some(start), true) = (begun, is_end) {
                assert!(number - start < LONGEST_FUNCTION, "{shown}:{start} is longer than a screen");
                begun = None;
            }
        }
    }
}

#[test]
fn what_has_no_name_has_no_home() {
    for source in sources() {
        let path = source.path.to_string_lossy().to_lowercase();
        for word in ["util", "helper", "common", "manager", "service", "impl", "misc"] {
            assert!(!path.contains(word), "{path}");
        }
        assert!(!source.code().contains("#[allow("), "{path} allows a lint; expect it, with a reason");
    }
}

#[test]
fn both_engines_have_the_same_migrations_with_a_purpose() {
    let names = |engine: &str| -> Vec<String> {
        let entries = fs::read_dir(format!("migrations/{engine}")).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    };
    assert_eq!(names("sqlite"), names("postgres"));
    for name in names("sqlite") {
        let text = |engine: &str| fs::read_to_string(format!("migrations/{engine}/{name}/up.sql")).unwrap();
        let (sqlite, postgres) = (text("sqlite"), text("postgres"));
        assert!(sqlite.starts_with("-- ") && postgres.starts_with("-- "), "{name} does not say what it is for");
        let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
        let translated = sqlite.replace("INTEGER", "BIGINT").replace("BLOB", "BYTEA").replace(") STRICT;", ");");
        assert_eq!(plain(&translated), plain(&postgres), "{name} differs in more than its types");
    }
}

#[test]
fn sql_keeps_to_what_every_engine_has() {
    let unportable = [
        "SERIAL",
        "IDENTITY",
        "advisory",
        "LISTEN",
        "NOTIFY",
        "ENUM",
        "TRIGGER",
        "CITEXT",
        "DEFERRABLE",
        "GENERATED",
        "LOCK TABLE",
        "ctid",
        "xmin",
        "INHERITS",
    ];
    let migrations = fs::read_dir("migrations/postgres").unwrap().map(|entry| entry.unwrap().path().join("up.sql"));
    for path in migrations {
        let text = fs::read_to_string(&path).unwrap();
        for word in unportable {
            assert!(
                !text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|w| w.eq_ignore_ascii_case(word)),
                "{} uses {word}",
                path.display()
            );
        }
    }
}

/// Statements bind their values, and a condition on a bound value is never seen to be that of an index. One that names a
/// value serves what is written out with it, or keeps rows unique.
#[test]
fn indexes_of_some_rows_are_found_by_the_statements_that_want_them() {
    let statements: String =
        sources().iter().filter(|source| source.room == "store").map(|s| s.text.as_str()).collect();
    for entry in fs::read_dir("migrations/sqlite").unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(path.join("up.sql")).unwrap();
        // It was one, and is dropped.
        let indexes = text.split(';').filter(|_| !path.ends_with("2026-11-26-010006_delivery_due"));
        for (index, condition) in indexes.filter_map(|statement| statement.split_once(" WHERE ")) {
            let is_plain = condition.ends_with("IS NULL") || condition.ends_with("IS NOT NULL");
            let is_served = is_plain || statements.contains(condition);
            assert!(is_served || !index.contains("CREATE INDEX"), "{}: {condition}", path.display());
        }
    }
}
