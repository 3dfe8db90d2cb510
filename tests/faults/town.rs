//! Customers together, and an installation that they all use.

use super::{
    customer::Customer,
    line::{Bases, Wish},
    oracle,
};
use crate::support::{
    dice::Dice,
    installation::{Installation, PASSWORD, Served},
};
use futures_util::future::join_all;
use jiff::Timestamp;
use std::{
    cell::Cell,
    net::{IpAddr, Ipv4Addr},
    process::Command,
    rc::Rc,
    sync::Arc,
    time::Duration,
};
use twofold::{
    actions::{Cx, operator},
    cli,
    config::Config,
    crypto::{keyfile::KeyFile, password},
    domain::{account::Email, event::Origin, password::Password},
    store::accounts::NewAccount,
};

/// An installation with accounts, and customers who use it.
pub struct Town {
    pub installation: Installation,
    pub bases: Bases,
    pub customers: Vec<Customer>,
    pub dice: Dice,
    toll: Toll,
    accounts: std::vec::IntoIter<String>,
}

/// What was tried so far.
#[derive(Default)]
struct Toll {
    accounts: usize,
    seen: usize,
    requests: usize,
    changes: usize,
    unclear: usize,
}

impl Town {
    /// With `accounts` accounts, of which each is used by one customer.
    pub async fn found(database_url: Option<String>, accounts: usize, seed: u64) -> Self {
        let installation = Installation::ready(database_url);
        let mut emails = Vec::new();
        {
            let config = Config { database_url: installation.database_url.clone(), ..Config::defaults().unwrap() };
            let keys = KeyFile::read(installation.path("keys.toml").as_ref()).unwrap();
            let rooms = Arc::new(cli::rooms(&config, &keys, Arc::new(Timestamp::now)).unwrap());
            let chosen = Password::chosen(PASSWORD.to_owned(), "").unwrap();
            let hash = password::hash_now(&chosen, 4).unwrap();
            for n in 0..accounts {
                let ip = IpAddr::V4(Ipv4Addr::LOCALHOST);
                let origin = Origin { request_id: "town".into(), ip, user_agent: String::new() };
                let cx = Cx::new(rooms.clone(), origin).unwrap();
                let address = format!("customer{n}@example.test");
                let email = Email::parse(&address, "").unwrap();
                operator::add_account(&cx, NewAccount::of(email, hash.clone())).await.unwrap();
                emails.push(address);
            }
        }
        // Starts of enrolments are not what is tried here.
        let quota = "[limits]\nenroll_start = {free = 1000, window = 3600, delay_first = 0, delay_max = 0, \
                     cap_day = 0, cap_month = 0, ends_at = 0}\n";
        std::fs::write(installation.path("twofold.toml"), quota).unwrap();
        let (bases, dice, accounts) = (Bases::default(), Dice::new(seed), emails.into_iter());
        Self { installation, bases, customers: Vec::new(), dice, toll: Toll::default(), accounts }
    }

    /// Starts a replica.
    pub fn serve(&self) -> Served {
        self.serve_with(|_| {})
    }

    /// Starts a replica with a setting of its own.
    pub fn serve_with(&self, setting: impl FnOnce(&mut Command)) -> Served {
        let file = self.installation.path("twofold.toml");
        let served = self.installation.serve_with(|serve| {
            serve.args(["--config", &file]);
            setting(serve);
        });
        assert!(!served.base.is_empty(), "it does not start: {}", self.installation.logged());
        served
    }

    /// Starts a replica that writes on when a file may grow no longer, as it does when the disk is full.
    pub fn serve_on_small_disk(&self) -> Served {
        let mut command = self.installation.command();
        let program = std::mem::replace(&mut command, Command::new("/bin/sh"));
        command.args(["-c", "trap '' XFSZ; exec \"$0\" serve --config \"$1\""]);
        command.arg(program.get_program()).arg(self.installation.path("twofold.toml")).env_clear();
        command.envs(program.get_envs().filter_map(|(name, value)| Some((name, value?))));
        self.installation.start(command)
    }

    /// Says where the replicas are.
    pub fn at(&self, replicas: &[&Served]) {
        *self.bases.borrow_mut() = replicas.iter().map(|served| served.base.clone()).collect();
    }

    /// Lets new customers move in.
    pub fn welcome(&mut self, count: usize) {
        for _ in 0..count {
            let email = self.accounts.next().unwrap();
            let seed = self.dice.next();
            self.customers.push(Customer::new(email, self.bases.clone(), seed));
        }
    }

    /// All customers act for a while, while `meanwhile` happens; it ends when both are done.
    pub async fn live<T>(&mut self, meanwhile: impl Future<Output = T>) -> T {
        let over = Rc::new(Cell::new(false));
        let acting = self.customers.iter_mut().map(|customer| {
            let over = over.clone();
            async move {
                while !over.get() {
                    customer.act().await;
                    // A service that is gone is not asked without end.
                    let is_gone = customer.line.log.last().is_some_and(|entry| entry.status.is_none());
                    actix_web::rt::time::sleep(Duration::from_millis(if is_gone { 50 } else { 1 })).await;
                }
            }
        });
        let ending = async {
            let outcome = meanwhile.await;
            over.set(true);
            outcome
        };
        futures_util::future::join(join_all(acting), ending).await.1
    }

    /// Customers find out what became of their lost requests.
    pub async fn settle(&mut self) {
        join_all(self.customers.iter_mut().map(Customer::settle)).await;
    }

    /// Judges every customer and lets them go.
    pub async fn judge(&mut self) {
        let verdicts = join_all(self.customers.iter_mut().map(oracle::judge)).await;
        for verdict in verdicts {
            let was_seen = verdict.unwrap_or_else(|violation| panic!("{violation}"));
            self.toll.accounts += 1;
            self.toll.seen += usize::from(was_seen);
        }
        oracle::judge_database(&self.installation, &self.customers).unwrap_or_else(|violation| panic!("{violation}"));
        for entry in self.customers.drain(..).flat_map(|customer| customer.line.log) {
            self.toll.requests += 1;
            self.toll.changes += usize::from(matches!(entry.status, Some(200..=299)) && entry.wish != Wish::Read);
            self.toll.unclear += usize::from(matches!(entry.status, None | Some(503)));
        }
    }

    /// Says what was tried; a run in which nothing was at stake has shown nothing.
    pub fn report(&self, what: &str) {
        let Toll { accounts, seen, requests, changes, unclear } = self.toll;
        println!(
            "{what}: {accounts} accounts ({seen} looked at from outside), {requests} requests, {changes} acknowledged, \
             {unclear} with an unclear end, 0 violations"
        );
        assert!(seen * 2 > accounts && changes > accounts, "too little was at stake");
    }
}
