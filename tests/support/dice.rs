//! Chance that can be repeated: the same seed, the same run.
#![allow(clippy::disallowed_methods, reason = "the environment may name the seed, and the time makes one up")]

use std::{env, time::UNIX_EPOCH};

/// A generator of pseudo-random numbers (SplitMix64).
#[derive(Clone, Debug)]
pub struct Dice(u64);

impl Dice {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }
}

/// The seed of this run: `TWOFOLD_TEST_SEED`, or one made up. It is printed, so that a failure shows it.
pub fn seed() -> u64 {
    let made_up = || u64::try_from(UNIX_EPOCH.elapsed().unwrap().as_micros()).unwrap_or_default();
    let seed = env::var("TWOFOLD_TEST_SEED").map_or_else(|_| made_up(), |text| text.parse().unwrap());
    println!("TWOFOLD_TEST_SEED={seed}");
    seed
}
