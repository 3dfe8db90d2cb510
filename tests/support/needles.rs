//! Looking for many secrets in one pass: a race has thousands of them, and a log of many megabytes.

use aho_corasick::AhoCorasick;

/// Nothing shorter is a secret.
const SHORTEST: usize = 8;

/// One of `needles` that is somewhere in `hay`.
pub fn first_found<'a, N: AsRef<[u8]>>(hay: &[u8], needles: &'a [N]) -> Option<&'a N> {
    for needle in needles.iter().map(AsRef::as_ref) {
        assert!(needle.len() >= SHORTEST, "too short to be a secret: {needle:?}");
    }
    let search = AhoCorasick::new(needles).unwrap();
    search.find(hay).map(|found| &needles[found.pattern().as_usize()])
}

#[test]
fn a_needle_is_found_at_either_end_and_in_the_middle() {
    let needles = ["abcdefgh", "abcdefghi", "12345678"].map(str::to_owned);
    for (hay, found) in [
        ("abcdefgh", Some("abcdefgh")),
        ("xx12345678", Some("12345678")),
        ("xxabcdefgxabcdefghyy", Some("abcdefgh")),
        ("abcdefg", None),
        ("", None),
        ("1234567", None),
    ] {
        assert_eq!(first_found(hay.as_bytes(), &needles).map(String::as_str), found, "{hay}");
    }
}
