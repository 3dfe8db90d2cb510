//! What the clients of a walk know: names for everything that the service makes, and what they believe about
//! the account from the answers that they have had.

use super::{
    checker::Call,
    machine::{Answer, Code, Factor, Id, Op, SET_SIZE, State, Status, Token},
};
use crate::support::person::authenticator;
use std::collections::{BTreeMap, BTreeSet};

/// How far a clock is looked for: an hour, in steps.
const FAR: i64 = 120;

/// One account's clients, together.
pub struct World {
    pub password: String,
    /// The moment of this round, in milliseconds.
    pub now: i64,
    ids: Vec<String>,
    sessions: Vec<String>,
    bearers: BTreeMap<Token, String>,
    secrets: BTreeMap<Id, String>,
    sets: BTreeMap<u32, Vec<String>>,
    serial: u32,
    /// Every enrolment that was started, oldest first.
    pub started: Vec<Id>,
    /// Those that may be live in this round.
    live: Vec<Id>,
    pub token: Token,
    pub version: i64,
    pub active: Vec<Id>,
    pub pending: Option<Id>,
    pub set: u32,
    pub is_on: bool,
    /// Recovery codes that are known to be used.
    spent: BTreeSet<(u32, u8)>,
    /// Whether the clients like to have many methods.
    pub hoards: bool,
    pub calls: Vec<Call>,
}

impl World {
    /// Of an account whose owner has just signed in.
    pub fn new(password: String, hoards: bool, state: &State) -> Self {
        Self {
            password,
            now: state.now,
            ids: Vec::new(),
            sessions: Vec::new(),
            bearers: BTreeMap::new(),
            secrets: BTreeMap::new(),
            sets: BTreeMap::new(),
            serial: 0,
            started: Vec::new(),
            live: Vec::new(),
            token: state.token(),
            version: 0,
            active: Vec::new(),
            pending: None,
            set: 0,
            is_on: false,
            spent: BTreeSet::new(),
            hoards,
            calls: Vec::new(),
        }
    }

    /// A round begins.
    pub fn begin(&mut self, state: &State) {
        self.calls.clear();
        self.now = state.now;
        self.see(&state.status());
        self.set = state.codes.as_ref().map_or(0, |codes| codes.set);
        self.token = state.token();
        self.live = self.active.iter().copied().chain(self.pending).collect();
    }

    pub fn next_serial(&mut self) -> u32 {
        self.serial += 1;
        self.serial
    }

    // --- names ---

    /// The name of an enrolment or method.
    pub fn id(&mut self, text: &str) -> Id {
        Id(number(&mut self.ids, text))
    }

    pub fn id_text(&self, id: Id) -> &str {
        &self.ids[id.0 as usize - 1]
    }

    pub fn session(&mut self, text: &str) -> u32 {
        number(&mut self.sessions, text)
    }

    pub fn keep_bearer(&mut self, token: Token, bearer: String) {
        self.bearers.insert(token, bearer);
    }

    pub fn bearer(&self, token: Token) -> &str {
        &self.bearers[&token]
    }

    // --- credentials ---

    pub fn keep_secret(&mut self, id: Id, secret: String) {
        self.secrets.insert(id, secret);
        self.started.push(id);
        self.live.push(id);
    }

    /// A set of recovery codes, which is another than all before.
    pub fn keep_set(&mut self, serial: u32, codes: Vec<String>) {
        let is_new = codes.iter().all(|code| self.sets.values().all(|set| !set.contains(code)));
        assert!(is_new, "a recovery code came twice");
        self.sets.insert(serial, codes);
    }

    /// A set by its number, or the one that was never made.
    pub fn known_set(&self, set: u32) -> u32 {
        if self.sets.contains_key(&set) { set } else { 0 }
    }

    /// Recovery codes of a set that may be unused.
    pub fn unused(&self, set: u32) -> Vec<u8> {
        (0..SET_SIZE).filter(|n| !self.spent.contains(&(set, *n))).collect()
    }

    pub fn recovery_code(&self, set: u32, n: u8) -> String {
        let made_up = || format!("{n:06}-{n:06}-{n:06}-{n:06}");
        self.sets.get(&set).map_or_else(made_up, |codes| codes[usize::from(n)].clone())
    }

    /// What an authenticator shows `step` steps from now; zeros for one that nobody has.
    pub fn digits(&self, id: Id, step: i64) -> String {
        let seconds = u64::try_from(self.now / 1000 + step * 30).unwrap();
        self.secrets.get(&id).map_or_else(|| "000000".to_owned(), |s| authenticator(s).generate(seconds).to_string())
    }

    /// Tells every code of the round what it fits, now that every secret is known.
    pub fn fit_codes(&mut self) {
        let mut shown: BTreeMap<String, Vec<(Id, i64)>> = BTreeMap::new();
        for id in &self.live {
            let steps = (-FAR..=FAR).map(|step| (self.digits(*id, step), step));
            steps.for_each(|(digits, step)| shown.entry(digits).or_default().push((*id, step)));
        }
        for code in self.calls.iter_mut().filter_map(|call| call.op.code_mut()) {
            let Code { digits, fits } = code;
            *fits = shown.get(digits).cloned().unwrap_or_default();
        }
    }

    // --- beliefs ---

    /// Learns from an answer, which may be older than others.
    pub fn learn(&mut self, op: &Op, answer: &Answer) {
        let serial = op.serial;
        if let (Some(Factor::RecoveryCode(set, n)), "done") = (op.factor(), answer.name()) {
            self.spent.insert((*set, *n));
        }
        match answer {
            Answer::Status(status) | Answer::Removed { status, .. } => self.see(status),
            Answer::Started { version, id, .. } => (self.version, self.pending) = (*version, Some(*id)),
            Answer::Confirmed { status, has_codes, .. } => {
                self.see(status);
                self.set = if *has_codes { serial } else { self.set };
            }
            Answer::Cancelled => self.pending = None,
            Answer::Renamed { version, .. } => self.version = *version,
            Answer::Disabled { version, .. } => {
                (self.version, self.pending, self.is_on) = (*version, None, false);
                self.active.clear();
            }
            Answer::Regenerated { version } => (self.version, self.set) = (*version, serial),
            Answer::Refused(..) | Answer::Looked(_) | Answer::Previewed(_) | Answer::Verified { .. } => {}
        }
        let newer = answer.token().filter(|token| token.epoch >= self.token.epoch);
        self.token = newer.unwrap_or(self.token);
    }

    fn see(&mut self, status: &Status) {
        self.version = status.version;
        self.is_on = status.since.is_some();
        self.active = status.methods.iter().map(|method| method.id).collect();
        self.pending = status.pending.as_ref().map(|(id, ..)| *id);
    }
}

/// The number of a text, from 1 on, in the order of their first appearance.
fn number(texts: &mut Vec<String>, text: &str) -> u32 {
    let at = texts.iter().position(|known| known == text).unwrap_or_else(|| {
        texts.push(text.to_owned());
        texts.len() - 1
    });
    u32::try_from(at).unwrap() + 1
}
