//! The ledger's rules: by example, and for every order of calls against the same rules written plainly.

use super::*;
use proptest::prelude::*;

const CODE: Policy = Policy {
    free: 5,
    window: DAY,
    delay_first: 30,
    delay_max: 3600,
    cap_day: 20,
    cap_month: 60,
    caps_lock: true,
    ends_at: 0,
};
const ENDING: Policy = Policy { free: 5, window: MONTH, ends_at: 5, ..ZERO };
const ZERO: Policy =
    Policy { free: 0, window: 0, delay_first: 0, delay_max: 0, cap_day: 0, cap_month: 0, caps_lock: false, ends_at: 0 };
const T0: i64 = 1_800_000_000_000;

fn guess(bucket: &mut Bucket, policy: &Policy, place: i64, now: i64) -> Result<Kept, u32> {
    bucket.take(policy, Scope::Code, place, now).map_err(|limit| limit.retry_after)?;
    Ok(bucket.keep(policy, place, now))
}

#[test]
fn five_wrong_guesses_are_free_then_waits_double() {
    let mut bucket = Bucket::default();
    for place in 0..5 {
        let kept = guess(&mut bucket, &CODE, place, T0).unwrap();
        assert_eq!(kept.remaining, 4 - u32::try_from(place).unwrap());
    }
    assert_eq!(guess(&mut bucket, &CODE, 5, T0), Err(30));
    assert_eq!(guess(&mut bucket, &CODE, 5, T0 + 29_001), Err(1));
    assert!(guess(&mut bucket, &CODE, 5, T0 + 30_000).is_ok());
    assert_eq!(guess(&mut bucket, &CODE, 6, T0 + 30_000), Err(60));
}

#[test]
fn what_support_opens_is_whole_but_for_guesses_in_flight() {
    let mut bucket = Bucket::default();
    for place in 0..5 {
        guess(&mut bucket, &CODE, place, T0).unwrap();
    }
    bucket.take(&CODE, Scope::Code, 5, T0 + 30_000).unwrap();
    assert!(bucket.forget());
    assert!(!bucket.forget(), "there was nothing left");
    assert_eq!(bucket.keep(&CODE, 5, T0 + 30_000).remaining, 4);
    for place in 6..25 {
        bucket.fail(&CODE, T0 + 30_000 + place);
    }
    assert_eq!(guess(&mut bucket, &CODE, 25, T0 + 31 * i64::from(DAY) * 1000), Err(3600), "a cap has locked it");
    assert!(bucket.forget());
    assert!(guess(&mut bucket, &CODE, 25, T0 + 31 * i64::from(DAY) * 1000).is_ok());
}

#[test]
fn a_wait_is_no_longer_than_the_window_makes_it() {
    let policy = Policy { free: 2, window: 3600, delay_first: 1800, delay_max: 86400, ..ZERO };
    let mut bucket = Bucket::default();
    for at in [0, 0, 1800] {
        guess(&mut bucket, &policy, at, T0 + at * 1000).unwrap();
    }
    // The delay would be an hour from now; the first two are an hour old in half of that.
    assert_eq!(guess(&mut bucket, &policy, 1, T0 + 1_800_000), Err(1800));
    assert_eq!(guess(&mut bucket, &policy, 1, T0 + 3_599_000), Err(1));
    assert!(guess(&mut bucket, &policy, 1, T0 + 3_600_000).is_ok());
}

#[test]
fn a_success_gives_back_its_own_place_and_clears_nothing_else() {
    let mut bucket = Bucket::default();
    for place in 0..4 {
        guess(&mut bucket, &CODE, place, T0).unwrap();
    }
    bucket.take(&CODE, Scope::Code, 4, T0).unwrap();
    bucket.give_back(4);
    assert_eq!(guess(&mut bucket, &CODE, 5, T0).unwrap().remaining, 0);
    assert_eq!(guess(&mut bucket, &CODE, 6, T0), Err(30));
}

#[test]
fn places_in_flight_fill_the_budget() {
    let mut bucket = Bucket::default();
    for place in 0..5 {
        bucket.take(&CODE, Scope::Code, place, T0).unwrap();
    }
    assert_eq!(bucket.take(&CODE, Scope::Code, 5, T0).unwrap_err().retry_after, 1);
}

#[test]
fn a_place_that_nobody_settles_uses_up_budget_and_ends_nothing() {
    let mut bucket = Bucket::default();
    for place in 0..5 {
        bucket.take(&CODE, Scope::Code, place, T0).unwrap();
    }
    assert!(bucket.take(&CODE, Scope::Code, 9, T0 + LEASE_MS).is_ok(), "the delay since the guesses is over");
    assert_eq!(bucket.count(DAY, T0 + LEASE_MS), 5);
}

#[test]
fn a_cap_locks_until_it_is_opened_whatever_time_passes() {
    let mut bucket = Bucket::default();
    let mut now = T0;
    for place in 0..20 {
        while guess(&mut bucket, &CODE, place, now).is_err() {
            now += 60_000;
        }
    }
    assert!(bucket.locked);
    assert!(guess(&mut bucket, &CODE, 99, now + i64::from(MONTH) * 2000).is_err());
    bucket.open();
    assert_eq!(guess(&mut bucket, &CODE, 99, now).unwrap().remaining, 4);
}

#[test]
fn only_settled_failures_end_anything() {
    let mut bucket = Bucket::default();
    for place in 0..4 {
        bucket.take(&ENDING, Scope::ReauthSession, place, T0).unwrap();
    }
    let kept = guess(&mut bucket, &ENDING, 9, T0 + LEASE_MS).unwrap();
    assert_eq!(kept, Kept { remaining: 0, ends: false });
}

#[test]
fn what_ends_ends_at_its_number() {
    let mut bucket = Bucket::default();
    let ends: Vec<bool> = (0..5).map(|place| guess(&mut bucket, &ENDING, place, T0).unwrap().ends).collect();
    assert_eq!(ends, [false, false, false, false, true]);
}

/// The rules once more, over a plain list: place, the moment that counts, and how the guess went.
#[derive(Default)]
struct Plain {
    guesses: Vec<(i64, i64, Fate)>,
    locked: bool,
}

#[derive(Clone, Copy, PartialEq)]
enum Fate {
    InFlight,
    Lapsed,
    Wrong,
}

impl Plain {
    fn spent(&self, window: u32, now: i64) -> u64 {
        let counts = |at: i64, fate: Fate| fate != Fate::InFlight && at > now - i64::from(window) * 1000;
        self.guesses.iter().filter(|(_, at, fate)| counts(*at, *fate)).count() as u64
    }

    fn may_take(&self, policy: &Policy, now: i64) -> bool {
        let in_flight = self.guesses.iter().filter(|(_, _, fate)| *fate == Fate::InFlight).count() as u64;
        let is_over = |(cap, window)| cap > 0 && self.spent(window, now) + in_flight >= u64::from(cap);
        let (spent, free) = (self.spent(policy.window, now), u64::from(policy.free));
        let has_place = if spent < free {
            spent + in_flight < free
        } else {
            let delay = (u64::from(policy.delay_first) << (spent - free).min(32)).min(policy.delay_max.into());
            let last = self.guesses.iter().map(|(_, at, _)| *at).max().unwrap();
            policy.delay_first > 0 && in_flight == 0 && now >= last + i64::try_from(delay).unwrap() * 1000
        };
        has_place && !self.locked && ![(policy.cap_day, DAY), (policy.cap_month, MONTH)].into_iter().any(is_over)
    }

    fn take(&mut self, policy: &Policy, place: i64, now: i64) -> bool {
        for (_, at, fate) in &mut self.guesses {
            *fate = if *fate == Fate::InFlight && now - *at >= LEASE_MS { Fate::Lapsed } else { *fate };
        }
        let may = self.may_take(policy, now);
        self.guesses.extend(may.then_some((place, now, Fate::InFlight)));
        may
    }

    fn give_back(&mut self, place: i64) {
        self.guesses.retain(|(own, _, fate)| *own != place || *fate != Fate::InFlight);
    }

    fn keep(&mut self, policy: &Policy, place: i64, now: i64) {
        self.give_back(place);
        self.guesses.push((place, now, Fate::Wrong));
        let is_full = |cap: u32, window| cap > 0 && self.spent(window, now) >= u64::from(cap);
        self.locked |= policy.caps_lock && (is_full(policy.cap_day, DAY) || is_full(policy.cap_month, MONTH));
    }

    fn open(&mut self) {
        let is_locked = std::mem::take(&mut self.locked);
        self.guesses.retain(|(_, _, fate)| !is_locked || *fate == Fate::InFlight);
    }
}

fn any_policy() -> impl Strategy<Value = Policy> {
    let of = prop::sample::select::<u32>;
    let caps = (of(vec![0, 3, 20]), of(vec![0, 5, 60]), any::<bool>(), of(vec![0, 2, 5]));
    let delays = (1_u32..7, of(vec![60, 900, DAY, MONTH]), of(vec![0, 1, 30]), of(vec![30, 3600]));
    (delays, caps).prop_map(|((free, window, delay_first, delay_max), (cap_day, cap_month, caps_lock, ends_at))| {
        Policy { free, window, delay_first, delay_max, cap_day, cap_month, caps_lock, ends_at }
    })
}

/// What happens next, to which of the guesses so far, and after how many milliseconds.
fn any_steps() -> impl Strategy<Value = Vec<(u8, prop::sample::Index, i64)>> {
    let day = i64::from(DAY) * 1000;
    let pause = prop_oneof![4 => 0..2_i64, 4 => 0..LEASE_MS, 4 => 0..4 * 3_600_000_i64, 1 => 0..8 * day];
    prop::collection::vec((0_u8..12, any::<prop::sample::Index>(), pause), 1..250)
}

proptest! {
    #[test]
    fn no_order_of_calls_evaluates_more_or_fewer_guesses_than_the_budget(
        policy in any_policy(), steps in any_steps(),
    ) {
        let (mut bucket, mut plain, mut now) = (Bucket::default(), Plain::default(), T0);
        // Guesses that were evaluated and not right; and all that wait to be settled.
        let (mut evaluated, mut open) = (Vec::new(), Vec::<i64>::new());
        for (place, (what, which, pause)) in (0_i64..).zip(steps) {
            now += pause;
            let chosen = (!open.is_empty()).then(|| which.index(open.len()));
            match (what, chosen) {
                (0..=6, _) | (_, None) => {
                    let is_taken = bucket.take(&policy, Scope::Code, place, now).is_ok();
                    prop_assert_eq!(is_taken, plain.take(&policy, place, now));
                    open.extend(is_taken.then_some(place));
                    evaluated.extend(is_taken.then_some((place, now)));
                }
                (7..=9, Some(chosen)) => {
                    // Where the place has lapsed before it is judged, it costs once more.
                    let place = open.swap_remove(chosen);
                    plain.keep(&policy, place, now);
                    let kept = bucket.keep(&policy, place, now);
                    let left = u64::from(policy.free).saturating_sub(plain.spent(policy.window, now));
                    prop_assert_eq!(u64::from(kept.remaining), left);
                }
                (10, Some(chosen)) => {
                    let (place, before) = (open.swap_remove(chosen), bucket.clone());
                    bucket.give_back(place);
                    plain.give_back(place);
                    evaluated.retain(|(own, _)| *own != place);
                    let places = before.places.iter().copied().filter(|(own, _)| *own != place).collect();
                    prop_assert_eq!(&bucket, &Bucket { places, ..before });
                }
                _ => {
                    let was_locked = bucket.locked;
                    bucket.open();
                    plain.open();
                    evaluated.retain(|(own, _)| !was_locked || bucket.places.iter().any(|(place, _)| place == own));
                }
            }
            prop_assert_eq!(bucket.locked, plain.locked);
            let hard = [(policy.cap_day, DAY), (policy.cap_month, MONTH), (policy.free, policy.window)];
            for (quota, window) in &hard[..if policy.delay_first == 0 { 3 } else { 2 }] {
                let guesses = evaluated.iter().filter(|(_, at)| *at > now - i64::from(*window) * 1000).count();
                prop_assert!(*quota == 0 || guesses <= *quota as usize, "{} guesses in {} s", guesses, window);
            }
        }
    }
}
