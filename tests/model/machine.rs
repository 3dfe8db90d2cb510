//! The machine: an account's two-factor authentication as the contract describes it. It is pure, and knows
//! nothing of the service's code.
//!
//! ```text
//!            start                confirm                 start
//!   off ───────────────► pending ──────────► on ────────────────────► on, pending
//!    ▲ ◄─────────────────  │                 │ ◄─ cancel, confirm ────  │
//!    │       cancel                          │                          │
//!    └──────────────────── disable ──────────┴──────────────────────────┘
//! ```

use super::ledger::Ledger;
use std::collections::{BTreeMap, BTreeSet};

/// How long a proof of the second factor is fresh, in milliseconds; the walk sets it so.
pub const FRESH_MS: i64 = 3_600_000;
/// How long an enrolment waits, in milliseconds; the walk sets it so.
pub const ENROLMENT_MS: i64 = 20_000_000;
/// When the owner is reminded after a disable.
pub const REMINDER_MS: i64 = 604_800_000;
pub const MOST_METHODS: usize = 5;
pub const SET_SIZE: u8 = 10;

/// An enrolment, and later a method.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(pub u32);

/// What became of an enrolment.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Fate {
    Live,
    Superseded,
    Cancelled,
    SwitchedOff,
    WornOut,
    Expired,
    Confirmed,
}

/// What a session's owner has proved.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Proved {
    Password,
    Code,
    RecoveryCode,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Assurance {
    pub proved: Proved,
    pub at: i64,
}

/// An access token.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Token {
    pub session: u32,
    pub epoch: i64,
    pub assurance: Assurance,
}

/// A method as it is shown.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Shown {
    pub created_at: i64,
    pub id: Id,
    pub label: String,
    pub used_at: i64,
}

/// An active method: as it is shown, and the last step whose code was accepted, counted from the step of now.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Method {
    pub shown: Shown,
    pub last: Option<i64>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pending {
    pub id: Id,
    pub label: String,
    pub replaces: Option<Id>,
    pub session: u32,
    pub expires_at: i64,
}

/// The live set of recovery codes: which one, and which of it are used.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Codes {
    pub set: u32,
    pub made_at: i64,
    pub used: BTreeSet<u8>,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Session {
    pub id: u32,
    pub is_alive: bool,
    pub assurance: Assurance,
}

/// The whole account, as far as it can be told from outside.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct State {
    pub now: i64,
    pub version: i64,
    pub epoch: i64,
    pub since: Option<i64>,
    pub disabled_at: Option<i64>,
    pub methods: Vec<Method>,
    pub pending: Option<Pending>,
    pub codes: Option<Codes>,
    pub session: Session,
    /// Sessions beside the one of the walk.
    pub others: usize,
    pub ledger: Ledger,
    pub fates: BTreeMap<Id, Fate>,
}

/// A code as it is sent: its digits, and every known authenticator that shows them, by the distance of the
/// step from now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Code {
    pub digits: String,
    pub fits: Vec<(Id, i64)>,
}

/// A second factor as it is sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Factor {
    Code(Code),
    /// The place in a set; the set 0 was never made.
    RecoveryCode(u32, u8),
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proofs {
    pub password_is_right: bool,
    pub factor: Option<Factor>,
}

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    Status,
    Look(Id),
    Preview,
    Start { label: String, replaces: Option<Id>, proofs: Proofs },
    Confirm(Id, Code),
    Cancel(Id),
    Rename(Id, String),
    Remove(Id, Proofs),
    Disable(Proofs),
    Regenerate(Proofs),
    Verify(Factor),
}

/// An operation. Its serial number names what the service makes for it without a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Op {
    pub serial: u32,
    pub token: Token,
    pub if_match: Option<i64>,
    pub what: What,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    pub version: i64,
    pub since: Option<i64>,
    pub disabled_at: Option<i64>,
    pub reminder_at: Option<i64>,
    pub methods: Vec<Shown>,
    /// Id, label, and when it expires.
    pub pending: Option<(Id, String, i64)>,
    /// Unused ones, and when the set was made.
    pub codes: Option<(usize, i64)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counts {
    pub methods: usize,
    pub recovery_codes: usize,
    pub sessions: usize,
}

/// What is answered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Answer {
    /// The problem's code, and the number that goes with it: guesses left, seconds to wait, or seconds of skew.
    Refused(String, Option<i64>),
    Status(Box<Status>),
    /// Whether the enrolment is pending.
    Looked(bool),
    Previewed(Counts),
    Started {
        version: i64,
        id: Id,
        label: String,
        expires_at: i64,
    },
    Confirmed {
        status: Box<Status>,
        has_codes: bool,
        token: Token,
    },
    Cancelled,
    Renamed {
        version: i64,
        method: Shown,
    },
    Removed {
        status: Box<Status>,
        token: Token,
    },
    Disabled {
        version: i64,
        at: i64,
        reminder_at: i64,
        revoked: Counts,
        token: Token,
    },
    Regenerated {
        version: i64,
    },
    Verified {
        token: Token,
    },
}

impl Answer {
    /// Its name in the table of what was visited.
    pub fn name(&self) -> &str {
        match self {
            Self::Refused(code, _) => code,
            _ => "done",
        }
    }

    /// The token in it.
    pub fn token(&self) -> Option<Token> {
        match self {
            Self::Confirmed { token, .. }
            | Self::Removed { token, .. }
            | Self::Disabled { token, .. }
            | Self::Verified { token } => Some(*token),
            _ => None,
        }
    }
}

/// A refusal without a number.
pub fn refused(code: &str) -> Answer {
    Answer::Refused(code.to_owned(), None)
}

impl Op {
    /// The proofs of an operation that takes a password.
    pub fn proofs(&self) -> Option<&Proofs> {
        match &self.what {
            What::Start { proofs, .. } | What::Remove(_, proofs) | What::Disable(proofs) | What::Regenerate(proofs) => {
                Some(proofs)
            }
            _ => None,
        }
    }

    /// The code in it, to be told what it fits.
    pub fn code_mut(&mut self) -> Option<&mut Code> {
        let factor = match &mut self.what {
            What::Confirm(_, code) => return Some(code),
            What::Verify(factor) => Some(factor),
            What::Start { proofs, .. } | What::Remove(_, proofs) | What::Disable(proofs) | What::Regenerate(proofs) => {
                proofs.factor.as_mut()
            }
            _ => None,
        };
        match factor {
            Some(Factor::Code(code)) => Some(code),
            _ => None,
        }
    }

    /// The second factor in it, beside or without a password.
    pub fn factor(&self) -> Option<&Factor> {
        match &self.what {
            What::Verify(factor) => Some(factor),
            _ => self.proofs().and_then(|proofs| proofs.factor.as_ref()),
        }
    }

    /// Its name in the table of what was visited.
    pub fn name(&self) -> &'static str {
        match &self.what {
            What::Status => "status",
            What::Look(_) => "look",
            What::Preview => "preview",
            What::Start { replaces: None, .. } => "start",
            What::Start { .. } => "start to replace",
            What::Confirm(..) => "confirm",
            What::Cancel(_) => "cancel",
            What::Rename(..) => "rename",
            What::Remove(..) => "remove",
            What::Disable(_) => "disable",
            What::Regenerate(_) => "regenerate",
            What::Verify(Factor::Code(_)) => "verify a code",
            What::Verify(_) => "verify a recovery code",
        }
    }
}

impl Code {
    /// The earliest step near now that an authenticator shows it for, later than the last accepted one.
    pub fn step(&self, id: Id, last: Option<i64>) -> Option<i64> {
        let near = self.fits.iter().filter(|(of, step)| *of == id && step.abs() <= 1);
        near.map(|(_, step)| *step).filter(|step| last.is_none_or(|last| last < *step)).min()
    }

    /// By how many seconds the clock of an authenticator is ahead that shows it now, within an hour.
    pub fn skew(&self, id: Id) -> Option<i64> {
        let of_it = self.fits.iter().filter(|(of, step)| *of == id && (1..=120).contains(&step.abs()));
        of_it.map(|(_, step)| *step).min_by_key(|step| (step.abs(), *step)).map(|step| step * 30)
    }
}

impl State {
    /// A new account, signed in for the first time.
    pub fn new(session: u32, now: i64) -> Self {
        let assurance = Assurance { proved: Proved::Password, at: now };
        Self {
            now,
            version: 0,
            epoch: 0,
            since: None,
            disabled_at: None,
            methods: Vec::new(),
            pending: None,
            codes: None,
            session: Session { id: session, is_alive: true, assurance },
            others: 0,
            ledger: Ledger::default(),
            fates: BTreeMap::new(),
        }
    }

    /// Time has passed, and more of it than any code lives.
    pub fn pass(&mut self, now: i64) {
        self.now = now;
        self.ledger.age(now);
        self.methods.iter_mut().for_each(|method| method.last = None);
        if let Some(expired) = self.pending.take_if(|pending| pending.expires_at <= now) {
            self.fates.insert(expired.id, Fate::Expired);
        }
    }

    /// The owner signs in, by the code of a method while it is on; the walk goes on in the new session.
    pub fn sign_in(&mut self, session: u32, by: Option<Id>) {
        self.others += usize::from(self.session.is_alive);
        let proved = if by.is_some() { Proved::Code } else { Proved::Password };
        self.session = Session { id: session, is_alive: true, assurance: Assurance { proved, at: self.now } };
        let used = self.methods.iter_mut().filter(|method| Some(method.shown.id) == by);
        used.for_each(|method| method.shown.used_at = self.now);
    }
}
