//! How the machine moves. Every operation is decided in one move, by one state; one with a password in two:
//! the first pays and decides what can be decided before the password is known, the second does the rest.

use super::{
    ledger::Bucket,
    machine::{
        Answer, Assurance, Code, Codes, Counts, ENROLMENT_MS, FRESH_MS, Factor, Fate, Id, MOST_METHODS, Method, Op,
        Pending, Proofs, Proved, REMINDER_MS, SET_SIZE, Shown, State, Status, Token, What, refused,
    },
};

/// What happens next for an operation.
pub enum Move {
    /// It is over, with this answer.
    Answers(Answer, State),
    /// It has paid, and goes on.
    Pays(State),
}

/// The answer and the state after it; or the answer alone, where nothing changed.
type Decided = Result<(Answer, State), Answer>;

/// A second factor that is right: the step of a method, or a recovery code.
enum Right {
    Step(usize, i64),
    RecoveryCode(u8),
}

impl State {
    /// The next move of `op`. Of what it was `told`, only the id counts that the service made for it.
    pub fn next(&self, op: &Op, told: &Answer) -> Move {
        let is_paid = self.ledger.places(op.serial).is_some();
        let decided = match (op.proofs(), is_paid) {
            (Some(proofs), true) => Ok(self.settle(op, proofs, told)),
            (Some(proofs), false) => match self.pay(op, proofs) {
                Ok(paid) => return Move::Pays(paid),
                Err(answer) => Err(answer),
            },
            (None, _) => self.decide(op),
        };
        match decided {
            Ok((answer, next)) => Move::Answers(answer, next),
            Err(answer) => Move::Answers(answer, self.clone()),
        }
    }

    fn decide(&self, op: &Op) -> Decided {
        self.recognise(op)?;
        match &op.what {
            What::Status => return Err(Answer::Status(self.status())),
            What::Look(id) => return Err(self.look(*id)),
            What::Preview => return Err(self.require_on().err().unwrap_or(Answer::Previewed(self.counts()))),
            _ => self.check_version(op)?,
        }
        match &op.what {
            What::Confirm(id, code) => self.confirm(op, *id, code),
            What::Cancel(id) => self.cancel(*id),
            What::Rename(id, label) => self.rename(*id, label),
            What::Verify(factor) => self.verify(op, factor),
            _ => Err(refused("not an operation of one move")),
        }
    }

    // --- what comes before everything else ---

    fn recognise(&self, op: &Op) -> Result<(), Answer> {
        let Token { session, epoch, .. } = op.token;
        let is_good = session == self.session.id && self.session.is_alive && epoch == self.epoch;
        is_good.then_some(()).ok_or_else(|| refused("invalid-token"))
    }

    fn check_version(&self, op: &Op) -> Result<(), Answer> {
        let is_met = op.if_match.is_none_or(|version| version == self.version);
        is_met.then_some(()).ok_or_else(|| refused("version-mismatch"))
    }

    fn require_on(&self) -> Result<(), Answer> {
        self.since.map(|_| ()).ok_or_else(|| refused("two-factor-not-enabled"))
    }

    fn position(&self, id: Id) -> Result<usize, Answer> {
        self.methods.iter().position(|method| method.shown.id == id).ok_or_else(|| refused("not-found"))
    }

    fn pending(&self, id: Id) -> Result<&Pending, Answer> {
        match (self.fates.get(&id), &self.pending) {
            (None, _) => Err(refused("not-found")),
            (Some(Fate::Confirmed), _) => Err(refused("already-confirmed")),
            (Some(Fate::Live), Some(pending)) if pending.id == id => Ok(pending),
            _ => Err(refused("enrolment-expired")),
        }
    }

    // --- reading ---

    /// What the owner is shown.
    pub fn status(&self) -> Box<Status> {
        let is_on = self.since.is_some();
        let disabled_at = self.disabled_at.filter(|_| !is_on);
        let unused = |codes: &Codes| (usize::from(SET_SIZE) - codes.used.len(), codes.made_at);
        Box::new(Status {
            version: self.version,
            since: self.since,
            disabled_at,
            reminder_at: disabled_at.map(|at| at + REMINDER_MS),
            methods: self.methods.iter().map(|method| method.shown.clone()).collect(),
            pending: self.pending.as_ref().map(|pending| (pending.id, pending.label.clone(), pending.expires_at)),
            codes: self.codes.as_ref().map(unused),
        })
    }

    fn look(&self, id: Id) -> Answer {
        match self.fates.get(&id) {
            None => refused("not-found"),
            Some(Fate::Live) => Answer::Looked(true),
            Some(Fate::Confirmed) => Answer::Looked(false),
            Some(_) => refused("enrolment-expired"),
        }
    }

    fn counts(&self) -> Counts {
        Counts {
            methods: self.methods.len(),
            recovery_codes: self.codes.as_ref().map_or(0, |codes| usize::from(SET_SIZE) - codes.used.len()),
            sessions: self.others,
        }
    }

    // --- one move ---

    fn confirm(&self, op: &Op, id: Id, code: &Code) -> Decided {
        let pending = self.pending(id)?;
        let is_ours = pending.session == op.token.session;
        if !is_ours || pending.replaces.is_some_and(|old| self.position(old).is_err()) {
            return Err(refused("enrolment-expired"));
        }
        let mut next = self.clone();
        let Some(step) = code.step(id, None) else {
            let missed = next.ledger.miss(Bucket::Confirm(id), self.now);
            if missed.ends {
                next.give_up(Fate::WornOut);
                next.version += 1;
            }
            let answer = match code.skew(id) {
                Some(seconds) => Answer::Refused("code-out-of-window".to_owned(), Some(seconds)),
                None => wrong(Some(missed.left)),
            };
            return Ok((answer, next));
        };
        let has_codes = self.since.is_none() || pending.replaces.is_some();
        next.methods.retain(|method| Some(method.shown.id) != pending.replaces);
        let shown = Shown { created_at: self.now, id, label: pending.label.clone(), used_at: self.now };
        next.methods.push(Method { shown, last: Some(step) });
        next.methods.sort();
        next.give_up(Fate::Confirmed);
        if has_codes {
            next.make_codes(op.serial);
        }
        next.since = self.since.or(Some(self.now));
        let token = next.change_factors(Assurance { proved: Proved::Code, at: self.now });
        Ok((Answer::Confirmed { status: next.status(), has_codes, token }, next))
    }

    fn cancel(&self, id: Id) -> Decided {
        self.pending(id)?;
        let mut next = self.clone();
        next.give_up(Fate::Cancelled);
        next.version += 1;
        Ok((Answer::Cancelled, next))
    }

    fn rename(&self, id: Id, label: &str) -> Decided {
        let at = self.position(id)?;
        let mut next = self.clone();
        next.methods[at].shown.label = label.to_owned();
        next.version += 1;
        Ok((Answer::Renamed { version: next.version, method: next.methods[at].shown.clone() }, next))
    }

    fn verify(&self, op: &Op, factor: &Factor) -> Decided {
        self.require_on()?;
        let bucket = bucket_of(op, factor);
        if let Some(seconds) = self.ledger.wait(bucket, self.now) {
            return Err(Answer::Refused("too-many-attempts".to_owned(), Some(seconds)));
        }
        let mut next = self.clone();
        let Some(right) = self.judge(factor) else {
            let left = next.miss(&[bucket]);
            return Ok((wrong(Some(left)), next));
        };
        next.spend(right);
        let proved = if matches!(factor, Factor::Code(_)) { Proved::Code } else { Proved::RecoveryCode };
        next.session.assurance = Assurance { proved, at: self.now };
        Ok((Answer::Verified { token: next.token() }, next))
    }

    // --- two moves ---

    fn pay(&self, op: &Op, proofs: &Proofs) -> Result<State, Answer> {
        self.recognise(op)?;
        self.check_version(op)?;
        match &op.what {
            What::Start { replaces: Some(id), .. } => {
                self.require_on()?;
                self.position(*id)?;
            }
            What::Start { .. } if self.methods.len() >= MOST_METHODS => return Err(refused("too-many-methods")),
            What::Start { .. } => {}
            What::Remove(id, _) => {
                self.require_on()?;
                self.position(*id)?;
                if self.methods.len() == 1 {
                    return Err(refused("last-method"));
                }
            }
            _ => self.require_on()?,
        }
        let Assurance { proved, at } = op.token.assurance;
        let is_fresh = proved != Proved::Password && self.now <= at + FRESH_MS;
        if self.since.is_some() && !is_fresh && proofs.factor.is_none() {
            return Err(refused("insufficient-user-authentication"));
        }
        let mut buckets = vec![Bucket::SessionPassword(op.token.session), Bucket::Password];
        // While it is off there is no second factor to judge, whatever is sent.
        buckets.extend(proofs.factor.as_ref().filter(|_| self.since.is_some()).map(|factor| bucket_of(op, factor)));
        buckets.extend(matches!(op.what, What::Start { .. }).then_some(Bucket::Start));
        let mut next = self.clone();
        let taken = next.ledger.take(op.serial, buckets, self.now);
        taken.map_err(|seconds| Answer::Refused("too-many-attempts".to_owned(), Some(seconds)))?;
        Ok(next)
    }

    fn settle(&self, op: &Op, proofs: &Proofs, told: &Answer) -> (Answer, State) {
        let mut next = self.clone();
        let mut guesses = next.ledger.settle(op.serial);
        // A start that does not take place uses up no start.
        guesses.retain(|bucket| *bucket != Bucket::Start);
        if let Err(answer) = self.recognise(op) {
            if !proofs.password_is_right {
                next.miss(&guesses);
            }
            return (answer, next);
        }
        let judged = proofs.factor.as_ref().filter(|_| guesses.len() > 2).map(|factor| self.judge(factor));
        let was_alone = judged.is_none();
        let right = match (proofs.password_is_right, judged) {
            (true, None) => None,
            (true, Some(Some(right))) => Some(right),
            _ => {
                let left = next.miss(&guesses);
                return (wrong(was_alone.then_some(left)), next);
            }
        };
        if let Err(answer) = self.check_version(op) {
            return (answer, next);
        }
        right.into_iter().for_each(|right| next.spend(right));
        let answer = next.change(op, told);
        (answer, next)
    }

    /// A change whose proofs hold. What it needs was there when it paid, and whatever takes that away moves
    /// the epoch.
    fn change(&mut self, op: &Op, told: &Answer) -> Answer {
        match &op.what {
            What::Start { label, replaces, .. } => self.start(op, label, *replaces, told),
            What::Remove(id, _) => {
                self.methods.retain(|method| method.shown.id != *id);
                let token = self.change_factors(self.session.assurance);
                Answer::Removed { status: self.status(), token }
            }
            What::Disable(_) => {
                let revoked = self.counts();
                self.give_up(Fate::SwitchedOff);
                (self.methods, self.codes, self.since) = (Vec::new(), None, None);
                self.disabled_at = Some(self.now);
                let token = self.change_factors(Assurance { proved: Proved::Password, at: self.now });
                let (version, at) = (self.version, self.now);
                Answer::Disabled { version, at, reminder_at: at + REMINDER_MS, revoked, token }
            }
            _ => {
                self.make_codes(op.serial);
                self.version += 1;
                Answer::Regenerated { version: self.version }
            }
        }
    }

    fn start(&mut self, op: &Op, label: &str, replaces: Option<Id>, told: &Answer) -> Answer {
        let Answer::Started { id, .. } = told else { return refused("an id was to be made") };
        if self.fates.contains_key(id) {
            return refused("an id was made twice");
        }
        self.ledger.miss(Bucket::Start, self.now);
        self.give_up(Fate::Superseded);
        let expires_at = self.now + ENROLMENT_MS;
        let (id, label, session) = (*id, label.to_owned(), op.token.session);
        self.pending = Some(Pending { id, label: label.clone(), replaces, session, expires_at });
        self.fates.insert(id, Fate::Live);
        self.version += 1;
        Answer::Started { version: self.version, id, label, expires_at }
    }

    // --- parts of moves ---

    fn give_up(&mut self, fate: Fate) {
        if let Some(pending) = self.pending.take() {
            self.fates.insert(pending.id, fate);
        }
    }

    fn make_codes(&mut self, set: u32) {
        self.codes = Some(Codes { set, made_at: self.now, used: Default::default() });
    }

    /// Every change of factors: older tokens die, other sessions end, and the caller gets a fresh token.
    fn change_factors(&mut self, assurance: Assurance) -> Token {
        self.version += 1;
        self.epoch += 1;
        self.others = 0;
        self.session.assurance = assurance;
        self.token()
    }

    /// A token of the session as it is.
    pub fn token(&self) -> Token {
        Token { session: self.session.id, epoch: self.epoch, assurance: self.session.assurance }
    }

    fn judge(&self, factor: &Factor) -> Option<Right> {
        match factor {
            Factor::Code(code) => self
                .methods
                .iter()
                .enumerate()
                .find_map(|(at, method)| code.step(method.shown.id, method.last).map(|step| Right::Step(at, step))),
            Factor::RecoveryCode(set, n) => {
                let is_unused = |codes: &Codes| codes.set == *set && !codes.used.contains(n);
                self.codes.as_ref().is_some_and(is_unused).then_some(Right::RecoveryCode(*n))
            }
        }
    }

    fn spend(&mut self, right: Right) {
        match right {
            Right::Step(at, step) => {
                self.methods[at].last = Some(step);
                self.methods[at].shown.used_at = self.now;
            }
            Right::RecoveryCode(n) => {
                self.codes.iter_mut().for_each(|codes| {
                    codes.used.insert(n);
                });
                self.version += 1;
            }
        }
    }

    /// Counts wrong guesses; returns how many are left, and ends the session where they were the last.
    fn miss(&mut self, buckets: &[Bucket]) -> usize {
        let missed: Vec<_> = buckets.iter().map(|bucket| self.ledger.miss(*bucket, self.now)).collect();
        self.session.is_alive &= missed.iter().all(|missed| !missed.ends);
        missed.iter().map(|missed| missed.left).min().unwrap_or_default()
    }
}

fn wrong(left: Option<usize>) -> Answer {
    Answer::Refused("invalid-credential".to_owned(), left.map(|left| i64::try_from(left).unwrap()))
}

fn bucket_of(op: &Op, factor: &Factor) -> Bucket {
    match (factor, op.token.assurance.proved) {
        (Factor::RecoveryCode(..), _) => Bucket::RecoveryCode,
        (Factor::Code(_), Proved::Password) => Bucket::Code,
        (Factor::Code(_), _) => Bucket::SessionCode(op.token.session),
    }
}
