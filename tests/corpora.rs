//! Bytes from outside that were worth keeping, replayed against the claims of the fuzz targets.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

#[path = "../fuzz/claims/mod.rs"]
mod claims;

use std::{collections::BTreeSet, fs, path::Path};

/// Fewer seeds than this would leave a parser's corners to luck.
const FEWEST: usize = 8;

fn replay(name: &str) {
    let (_, claim) = claims::ALL.into_iter().find(|(own, _)| *own == name).unwrap();
    let mut count = 0;
    for (file, bytes) in corpus(name) {
        // The last name printed is the one whose bytes break the claim.
        println!("{name}/{file}");
        claim(&bytes);
        count += 1;
    }
    assert!(count >= FEWEST, "{count} seeds");
}

/// The files that a person named; what the fuzzer left beside them is called by its hash.
fn corpus(name: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(Path::new("fuzz/corpus").join(name)).unwrap().map(Result::unwrap);
    let named = entries.map(|entry| (entry.file_name().into_string().unwrap(), entry.path()));
    let is_hash = |file: &str| file.len() == 40 && file.bytes().all(|byte| byte.is_ascii_hexdigit());
    let mut files: Vec<_> = named.filter(|(file, _)| !is_hash(file)).collect();
    files.sort();
    files.into_iter().map(|(file, path)| (file, fs::read(path).unwrap())).collect()
}

macro_rules! replay {
    ($($name:ident)*) => { $(#[test] fn $name() { replay(stringify!($name)); })* };
}

replay! { accept_language account_rows body headers idempotency_key otpauth recovery_code token totp_code }

#[test]
fn every_claim_has_a_target_and_a_corpus() {
    let claims: BTreeSet<String> = claims::ALL.iter().map(|(name, _)| (*name).to_owned()).collect();
    let names = |folder: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        entries.map(|name| name.trim_end_matches(".rs").to_owned()).collect()
    };
    assert_eq!(names("fuzz/fuzz_targets"), claims);
    assert_eq!(names("fuzz/corpus"), claims);
}
