//! What comes to a client's mind: chosen by the dice, with weights that keep the account moving through all of
//! its states.

use super::{
    machine::{Assurance, Code, FRESH_MS, Factor, Id, Op, Proofs, Proved, SET_SIZE, Token, What},
    world::World,
};
use crate::support::dice::Dice;

/// How the clients of a round behave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mood {
    Calm,
    /// Half of what they prove is wrong.
    Careless,
    /// They have the same ideas.
    Alike,
}

#[derive(Clone, Copy)]
enum Idea {
    Status,
    Look,
    Preview,
    Start,
    Replace,
    Confirm,
    Cancel,
    Rename,
    Remove,
    Disable,
    Regenerate,
    Code,
    RecoveryCode,
}

/// The weights while it is off; off and pending; on; on and pending.
const WEIGHTS: [(Idea, [u64; 4]); 13] = [
    (Idea::Status, [8, 8, 7, 6]),
    (Idea::Look, [3, 4, 2, 3]),
    (Idea::Preview, [2, 2, 3, 2]),
    (Idea::Start, [45, 12, 26, 6]),
    (Idea::Replace, [3, 2, 9, 4]),
    (Idea::Confirm, [5, 45, 4, 32]),
    (Idea::Cancel, [3, 9, 2, 8]),
    (Idea::Rename, [3, 2, 9, 7]),
    (Idea::Remove, [3, 2, 14, 10]),
    (Idea::Disable, [8, 5, 9, 7]),
    (Idea::Regenerate, [4, 3, 8, 6]),
    (Idea::Code, [3, 2, 10, 7]),
    (Idea::RecoveryCode, [3, 2, 9, 6]),
];

impl Mood {
    pub fn of(dice: &mut Dice) -> Self {
        match dice.below(100) {
            0..15 => Self::Careless,
            15..35 => Self::Alike,
            _ => Self::Calm,
        }
    }
}

/// A client's next operation. `own` is the token that the client had last.
pub fn wish(world: &mut World, dice: &mut Dice, mood: Mood, own: Token) -> Op {
    let token = if dice.below(100) < 20 { own } else { world.token };
    let version = world.version;
    let if_match = match dice.below(100) {
        0..16 => Some(version),
        16..26 => Some(version - 1 - i64::try_from(dice.below(2)).unwrap()),
        _ => None,
    };
    let mut wisher = Wisher { world, dice, mood, token };
    let what = wisher.what();
    let is_read = matches!(what, What::Status | What::Look(_) | What::Preview);
    Op { serial: world.next_serial(), token, if_match: if_match.filter(|_| !is_read), what }
}

struct Wisher<'a> {
    world: &'a mut World,
    dice: &'a mut Dice,
    mood: Mood,
    token: Token,
}

impl Wisher<'_> {
    fn what(&mut self) -> What {
        match self.idea() {
            Idea::Status => What::Status,
            Idea::Look => What::Look(self.enrolment()),
            Idea::Preview => What::Preview,
            Idea::Start => What::Start { label: self.label(), replaces: None, proofs: self.proofs() },
            Idea::Replace => What::Start { label: self.label(), replaces: Some(self.method()), proofs: self.proofs() },
            Idea::Confirm => {
                let id = self.enrolment();
                What::Confirm(id, self.code_of(id))
            }
            Idea::Cancel => What::Cancel(self.enrolment()),
            Idea::Rename => What::Rename(self.method(), self.label()),
            Idea::Remove => What::Remove(self.method(), self.proofs()),
            Idea::Disable => What::Disable(self.proofs()),
            Idea::Regenerate => What::Regenerate(self.proofs()),
            Idea::Code => What::Verify(self.code()),
            Idea::RecoveryCode => What::Verify(self.recovery_code()),
        }
    }

    fn idea(&mut self) -> Idea {
        let weights = WEIGHTS.map(|(idea, weights)| (idea, self.weight(idea, weights)));
        let mut left = self.dice.below(weights.iter().map(|(_, weight)| weight).sum());
        for (idea, weight) in weights {
            match left.checked_sub(weight) {
                Some(less) => left = less,
                // Nobody can remove the last method, and few will try.
                None if matches!(idea, Idea::Remove) && self.world.active.len() == 1 && self.chance(60) => break,
                None => return idea,
            }
        }
        Idea::Start
    }

    fn weight(&self, idea: Idea, weights: [u64; 4]) -> u64 {
        let weight = weights[usize::from(self.world.is_on) * 2 + usize::from(self.world.pending.is_some())];
        let is_loss = matches!(idea, Idea::Remove | Idea::Replace | Idea::Disable);
        if self.world.hoards && is_loss && self.world.active.len() < 5 { weight.div_ceil(4) } else { weight }
    }

    fn chance(&mut self, percent: u64) -> bool {
        self.dice.below(100) < percent
    }

    /// Whether the client gets a proof wrong.
    fn errs(&mut self) -> bool {
        let percent = match self.mood {
            Mood::Calm => 9,
            Mood::Alike => 20,
            Mood::Careless => 50,
        };
        self.chance(percent)
    }

    fn one_of(&mut self, ids: &[Id]) -> Option<Id> {
        let at = self.dice.below(ids.len().max(1) as u64);
        ids.get(usize::try_from(at).unwrap()).copied()
    }

    fn label(&mut self) -> String {
        format!("phone {}", self.dice.below(100))
    }

    /// The pending enrolment mostly, one of the last ones sometimes, and seldom one that never was.
    fn enrolment(&mut self) -> Id {
        let pending = self.world.pending.filter(|_| self.dice.below(100) < 85);
        pending.unwrap_or_else(|| self.any_enrolment())
    }

    fn any_enrolment(&mut self) -> Id {
        let last: Vec<Id> = self.world.started.iter().rev().take(6).copied().collect();
        let known = self.one_of(&last).filter(|_| self.dice.below(100) < 90);
        known.unwrap_or_else(|| self.world.id("01936f0e-7a00-7000-8000-000000000000"))
    }

    /// An active method mostly.
    fn method(&mut self) -> Id {
        let active = self.world.active.clone();
        let known = self.one_of(&active).filter(|_| self.dice.below(100) < 90);
        known.unwrap_or_else(|| self.any_enrolment())
    }

    fn proofs(&mut self) -> Proofs {
        let Assurance { proved, at } = self.token.assurance;
        let is_assured = proved != Proved::Password && self.world.now <= at + FRESH_MS;
        let percent = if is_assured { 20 } else { 65 };
        let factor = self.chance(percent).then(|| if self.chance(60) { self.code() } else { self.recovery_code() });
        Proofs { password_is_right: !self.errs(), factor }
    }

    fn code(&mut self) -> Factor {
        let id = self.method();
        Factor::Code(self.code_of(id))
    }

    /// The code of now, or of the step before or after it; or one of another hour; or anything.
    fn code_of(&mut self, id: Id) -> Code {
        let digits = match (self.errs(), self.dice.below(8)) {
            (true, 0..4) => self.world.digits(id, i64::try_from(self.dice.below(220)).unwrap() - 110),
            (true, _) => format!("{:06}", self.dice.below(1_000_000)),
            (false, 0) => self.world.digits(id, -1),
            (false, 1..3) => self.world.digits(id, 1),
            (false, _) => self.world.digits(id, 0),
        };
        Code { digits, fits: Vec::new() }
    }

    /// One that is unused mostly; or any of this set, of an older one, or of none.
    fn recovery_code(&mut self) -> Factor {
        let (back, errs) = (u32::try_from(self.dice.below(12)).unwrap(), self.errs());
        let set = self.world.known_set(self.world.set.saturating_sub(if errs { back } else { 0 }));
        let any = u8::try_from(self.dice.below(SET_SIZE.into())).unwrap();
        let unused = self.world.unused(set);
        let place = usize::try_from(self.dice.below(unused.len().max(1) as u64)).unwrap();
        Factor::RecoveryCode(set, unused.get(place).copied().filter(|_| !errs).unwrap_or(any))
    }
}
