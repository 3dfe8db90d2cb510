//! Looking for many secrets in one pass: a race has thousands of them, and a log of many megabytes.

use std::collections::HashMap;

/// Bytes by which needles are told apart at first.
const START: usize = 8;

/// The first of `needles` that is somewhere in `hay`.
pub fn first_found<'a, N: AsRef<[u8]>>(hay: &[u8], needles: &'a [N]) -> Option<&'a N> {
    let mut by_start: HashMap<&[u8], Vec<&N>> = HashMap::new();
    let mut may_start = vec![false; 1 << 16];
    for needle in needles {
        let bytes = needle.as_ref();
        assert!(bytes.len() >= START, "too short to be a secret: {bytes:?}");
        by_start.entry(&bytes[..START]).or_default().push(needle);
        may_start[pair(bytes)] = true;
    }
    for at in 0..hay.len().saturating_sub(START - 1) {
        if !may_start[pair(&hay[at..])] {
            continue;
        }
        let candidates = by_start.get(&hay[at..at + START]).into_iter().flatten();
        if let Some(found) = candidates.copied().find(|needle| hay[at..].starts_with(needle.as_ref())) {
            return Some(found);
        }
    }
    None
}

fn pair(bytes: &[u8]) -> usize {
    usize::from(bytes[0]) << 8 | usize::from(bytes[1])
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
