//! The walk: rounds of concurrent operations on one account after another, each round explained before the
//! next begins.

use super::{
    checker::{Call, explain},
    machine::{ENROLMENT_MS, FRESH_MS, Op, State, Token, What},
    table::Table,
    wire,
    wishes::{Mood, wish},
    world::World,
};
use crate::support::{
    TestApp,
    dice::Dice,
    person::{EVENTS, LOGIN, SECOND},
    reply::Reply,
};
use futures_util::future::join_all;
use serde_json::{Value, json};
use std::{
    cell::RefCell,
    collections::BTreeSet,
    sync::atomic::{AtomicU64, Ordering},
};
use twofold::config::Config;

/// Rounds of one account.
const LIFE: u32 = 25;
/// Rounds within which everything that is important must have been visited.
const LONGEST_SEARCH: u32 = 400;
/// What moves no version.
const ACTIVITY: [&str; 5] =
    ["login.succeeded", "login.second_factor_failed", "reauthentication.failed", "session.revoked", "password.changed"];

/// One account, and everything that is possible about it.
struct Walk<'a> {
    app: &'a TestApp,
    seed: u64,
    email: String,
    world: RefCell<World>,
    states: BTreeSet<State>,
    clock: AtomicU64,
}

/// What the machine takes for granted: caps that lock for good are tried elsewhere, and no token runs out.
pub fn settings(config: &mut Config) {
    config.step_up_max_age = u32::try_from(FRESH_MS / 1000).unwrap();
    config.enrollment_ttl = u32::try_from(ENROLMENT_MS / 1000).unwrap();
    config.access_token_ttl = config.session_max;
    (config.limits.code.cap_day, config.limits.code.cap_month, config.limits.recovery_code.cap_day) = (0, 0, 0);
}

/// Walks `rounds` rounds, and on until everything of `important` was visited, but not for ever.
pub async fn walk(app: &TestApp, seed: u64, rounds: u32, important: &[(&'static str, &'static str)]) -> Table {
    let (mut dice, mut table) = (Dice::new(seed), Table::default());
    let mut walk = None;
    for round in 0..rounds.max(LONGEST_SEARCH) {
        if round >= rounds && table.lacks(important).is_empty() {
            break;
        }
        if round % LIFE == 0 {
            finish(walk.take()).await;
            walk = Some(Walk::begin(app, seed, round / LIFE).await);
        }
        let walk = walk.as_mut().unwrap();
        // Each round has dice of its own, so that what happened before does not shift them.
        let mut own = Dice::new(dice.next());
        walk.pause(&mut own).await;
        app.take_peak();
        walk.round(&mut own).await;
        table.note_overlap(app.take_peak() > 1);
        table.note(&walk.world.borrow().calls);
    }
    finish(walk).await;
    table
}

/// Thousands of rounds have more secrets than can be looked for in all logs, so none is noted down; other tests
/// look for theirs.
async fn post(app: &TestApp, path: &str, body: &Value) -> Reply {
    let headers = [("Content-Type", "application/json")];
    let reply = app.send_unjudged("POST", path, &headers, body.to_string().into_bytes()).await;
    reply.judge("POST", path);
    reply.is(200)
}

async fn finish(walk: Option<Walk<'_>>) {
    if let Some(mut walk) = walk {
        walk.end().await;
    }
}

impl<'a> Walk<'a> {
    async fn begin(app: &'a TestApp, seed: u64, number: u32) -> Self {
        let (email, password) = (format!("walker-{number}@example.test"), format!("walker {number} is my password"));
        app.add_account(&email, &password).await;
        let mut world = World::new(password, number % 2 == 1, &State::new(0, app.now().as_millisecond()));
        let reply = post(app, LOGIN, &json!({"email": email, "password": world.password})).await;
        let token = wire::token(&reply.body["tokens"], &mut world);
        let state = State::new(token.session, app.now().as_millisecond());
        assert_eq!(state.token(), token);
        let (world, states, clock) = (RefCell::new(world), BTreeSet::from([state]), AtomicU64::new(0));
        Self { app, seed, email, world, states, clock }
    }

    /// Lets time pass between two rounds, and signs in again sometimes, and where the session has ended.
    async fn pause(&mut self, dice: &mut Dice) {
        let is_dead = self.states.iter().any(|state| !state.session.is_alive);
        let (likes_to, takes_time) = (dice.below(100) < 12, dice.below(100) < 70);
        let signs_in = is_dead || likes_to;
        self.pass(if signs_in || takes_time { 3700 } else { 90 });
        if signs_in {
            self.sign_in().await;
            self.pass(90);
        }
        let state = self.states.first().unwrap();
        self.world.borrow_mut().begin(state);
    }

    fn pass(&mut self, seconds: i64) {
        self.app.pass(seconds);
        let now = self.app.now().as_millisecond();
        self.change(|state| state.pass(now));
    }

    fn change(&mut self, change: impl Fn(&mut State)) {
        let changed = std::mem::take(&mut self.states).into_iter().map(|mut state| {
            change(&mut state);
            state
        });
        self.states = changed.collect();
    }

    async fn sign_in(&mut self) {
        let state = self.states.first().unwrap();
        self.world.borrow_mut().begin(state);
        let method = state.methods.first().map(|method| method.shown.id);
        let password = self.world.borrow().password.clone();
        let mut reply = post(self.app, LOGIN, &json!({"email": self.email, "password": password})).await;
        if let Some(id) = method {
            let code = self.world.borrow().digits(id, 0);
            reply = post(self.app, SECOND, &json!({"challenge": reply.text("/challenge"), "code": code})).await;
        }
        let token = wire::token(&reply.body["tokens"], &mut self.world.borrow_mut());
        self.change(|state| state.sign_in(token.session, method));
        assert!(self.states.iter().all(|state| state.token() == token), "{token:?}: {:?}", self.states);
    }

    async fn round(&mut self, dice: &mut Dice) {
        let mood = Mood::of(dice);
        let clients = 3 + usize::try_from(dice.below(3)).unwrap();
        let ideas = dice.clone();
        let clients = (0..clients).map(|client| {
            let own = Dice::new(dice.next());
            self.client(client, if mood == Mood::Alike { ideas.clone() } else { own }, mood)
        });
        join_all(clients).await;
        // At rest, the status tells which of the possible states it is.
        let (serial, token) = {
            let mut world = self.world.borrow_mut();
            (world.next_serial(), world.token)
        };
        self.send(0, Op { serial, token, if_match: None, what: What::Status }).await;
        self.explain();
    }

    async fn client(&self, client: usize, mut dice: Dice, mood: Mood) {
        let mut own = self.world.borrow().token;
        for _ in 0..2 + dice.below(2) {
            let op = wish(&mut self.world.borrow_mut(), &mut dice, mood, own);
            own = self.send(client, op).await.unwrap_or(own);
        }
    }

    /// Sends an operation and writes down what was told; returns the token in it.
    async fn send(&self, client: usize, op: Op) -> Option<Token> {
        let ((method, path, body), bearer) = {
            let world = self.world.borrow();
            (wire::request(&op.what, &world), format!("Bearer {}", world.bearer(op.token)))
        };
        let version = op.if_match.map(|version| format!("\"{version}\""));
        let mut headers = vec![("Authorization", bearer.as_str())];
        headers.extend(version.as_ref().map(|version| ("If-Match", version.as_str())));
        headers.extend(body.as_ref().map(|_| ("Content-Type", "application/json")));
        let body = body.map(|body| body.to_string().into_bytes()).unwrap_or_default();
        let begin = self.clock.fetch_add(1, Ordering::SeqCst);
        let reply = self.app.send_unjudged(method, &path, &headers, body).await;
        let end = self.clock.fetch_add(1, Ordering::SeqCst);
        reply.judge(method, &path);
        let mut world = self.world.borrow_mut();
        let told = wire::answer(&op, &reply, &mut world);
        world.learn(&op, &told);
        let token = told.token();
        world.calls.push(Call { client, begin, end, op, told });
        token
    }

    fn explain(&mut self) {
        let mut world = self.world.borrow_mut();
        world.fit_codes();
        match explain(&self.states, &world.calls) {
            Ok(states) => self.states = states,
            Err(unexplained) => panic!("TWOFOLD_TEST_SEED={}\n{}", self.seed, unexplained.tell(&world.calls)),
        }
    }

    /// At the end of a life there are as many records of changes as the version says.
    async fn end(&mut self) {
        self.pass(3700);
        self.sign_in().await;
        let bearer = {
            let world = self.world.borrow();
            format!("Bearer {}", world.bearer(self.states.first().unwrap().token()))
        };
        let (mut cursor, mut changes) = (String::new(), 0);
        loop {
            let path = format!("{EVENTS}?limit=100{cursor}");
            let page = self.app.send("GET", &path, &[("Authorization", &bearer)], None).await.is(200);
            let kinds = page.body["events"].as_array().unwrap().iter().map(|event| event["type"].as_str().unwrap());
            changes += kinds.filter(|kind| !ACTIVITY.contains(kind)).count();
            match page.body["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => break,
            }
        }
        let versions: BTreeSet<i64> = self.states.iter().map(|state| state.version).collect();
        assert_eq!(versions, BTreeSet::from([i64::try_from(changes).unwrap()]), "TWOFOLD_TEST_SEED={}", self.seed);
    }
}
