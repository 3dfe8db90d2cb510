//! The security page says only what tests show: every claim that it names is there, and every abuse case has its line.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
};

/// The abuse cases by letter: how many there are, and the numbers that none has.
const CASES: [(char, u32, &[u32]); 18] = [
    ('A', 16, &[7, 8, 9]),
    ('B', 20, &[4, 6, 8, 9, 19]),
    ('C', 15, &[7, 9]),
    ('D', 12, &[2, 5]),
    ('E', 15, &[8]),
    ('F', 18, &[6, 15]),
    ('G', 10, &[6]),
    ('H', 18, &[6]),
    ('I', 6, &[1]),
    ('J', 10, &[2]),
    ('K', 8, &[5]),
    ('L', 7, &[]),
    ('M', 5, &[]),
    ('N', 7, &[]),
    ('O', 5, &[]),
    ('P', 3, &[]),
    ('S', 8, &[]),
    ('W', 7, &[]),
];

const FOLDERS: [&str; 8] = ["abuse", "api", "faults", "keeping", "model", "postgres", "pruning", "webhooks"];
const FILES: [(&str, &str); 7] = [
    ("ceremonies", "tests/ceremonies.rs"),
    ("contract", "tests/contract.rs"),
    ("corpora", "tests/corpora.rs"),
    ("architecture", "tests/architecture.rs"),
    ("process", "tests/process/main.rs"),
    ("protocol", "tests/protocol.rs"),
    ("store", "tests/store.rs"),
];

fn page() -> String {
    fs::read_to_string("docs/security.md").unwrap()
}

/// Everything in backticks that is the path of a claim.
fn cited(text: &str) -> Vec<&str> {
    let is_path = |word: &&str| {
        let root = word.split("::").next().unwrap();
        let is_root = root == "unit" || FOLDERS.contains(&root) || FILES.iter().any(|(name, _)| *name == root);
        is_root && word.contains("::") && !word.ends_with('…')
    };
    text.split('`').skip(1).step_by(2).filter(is_path).collect()
}

/// The files that a claim may be in, by the first parts of its path.
fn files_of(path: &[&str]) -> Vec<PathBuf> {
    match path {
        ["unit", stem] => [format!("{stem}.rs"), format!("{stem}/tests.rs")]
            .iter()
            .flat_map(|name| named(Path::new("src"), name))
            .collect(),
        [root, module] if FOLDERS.contains(root) => vec![Path::new("tests").join(root).join(format!("{module}.rs"))],
        [root] => FILES.iter().filter(|(name, _)| name == root).map(|(_, file)| PathBuf::from(file)).collect(),
        _ => Vec::new(),
    }
}

fn named(folder: &Path, name: &str) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let within = |path: PathBuf| match path.is_dir() {
        true => named(&path, name),
        false => Some(path).filter(|path| path.ends_with(name)).into_iter().collect(),
    };
    entries.flat_map(within).collect()
}

#[test]
fn every_claim_that_the_page_names_is_a_test() {
    let page = page();
    let cited = cited(&page);
    assert!(cited.len() > 150, "{} claims are named", cited.len());
    for claim in cited {
        let parts: Vec<&str> = claim.split("::").collect();
        let (name, path) = parts.split_last().unwrap();
        let is_in = |file: &PathBuf| {
            let text = fs::read_to_string(file).unwrap_or_default();
            text.contains(&format!("fn {name}(")) || (file.ends_with("corpora.rs") && text.contains(name))
        };
        assert!(files_of(path).iter().any(is_in), "{claim} is no test");
    }
}

#[test]
fn every_abuse_case_has_a_claim_or_a_reason() {
    let page = page();
    let rows: BTreeMap<&str, &str> = page
        .lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |")?.split_once(" | "))
        .filter(|(id, _)| id.len() == 3 && id.starts_with(|c: char| c.is_ascii_uppercase()))
        .collect();
    for (letter, last, missing) in CASES {
        for number in (1..=last).filter(|number| !missing.contains(number)) {
            let id = format!("{letter}{number:02}");
            let row = rows.get(id.as_str()).unwrap_or_else(|| panic!("{id} has no line"));
            assert!(!cited(row).is_empty() || row.starts_with("does not apply: "), "{id} has neither claim nor reason");
        }
    }
}
