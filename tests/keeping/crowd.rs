//! Customers who do everything that needs a key, over and over, at whichever replica is next, and write down every
//! answer that is not the one that they are owed.

use crate::support::{
    installation::{Installation, PASSWORD, Served, code_in, text},
    person::{DISABLE, LOGIN, REFRESH, SECOND, STATUS, TOTP_PATH, VERIFY},
};
use serde_json::{Value, json};
use std::{
    cell::{Cell, RefCell},
    rc::Rc,
};

/// Starts of enrolments without end; the crowd enrols again and again.
const SETTINGS: &str = "[limits]\nenroll_start = {free = 1000000, window = 3600, delay_first = 0, delay_max = 0, \
                        cap_day = 0, cap_month = 0, ends_at = 0}\n";

/// Customers under way.
pub struct Crowd {
    street: Rc<Street>,
    customers: Vec<actix_web::rt::task::JoinHandle<()>>,
}

/// What they share.
struct Street {
    replicas: Vec<String>,
    turn: Cell<usize>,
    answers: Cell<usize>,
    rounds: Cell<usize>,
    complaints: RefCell<Vec<String>>,
    is_over: Cell<bool>,
    http: reqwest::Client,
}

/// The settings that a `serve` needs for a crowd; the name of their file.
pub fn settings(installation: &Installation) -> String {
    let path = installation.path("crowd.toml");
    std::fs::write(&path, SETTINGS).unwrap();
    path
}

impl Crowd {
    /// So many customers set out.
    pub fn sets_out(installation: &Installation, replicas: &[&Served], count: usize) -> Self {
        let street = Rc::new(Street {
            replicas: replicas.iter().map(|served| served.base.clone()).collect(),
            turn: Cell::default(),
            answers: Cell::default(),
            rounds: Cell::default(),
            complaints: RefCell::default(),
            is_over: Cell::default(),
            http: reqwest::Client::new(),
        });
        let customers = (0..count).map(|n| {
            let email = format!("customer{n}@example.test");
            installation.add_account(&email);
            let street = street.clone();
            actix_web::rt::spawn(async move {
                while !street.is_over.get() && street.round(&email).await.is_some() {
                    street.rounds.set(street.rounds.get() + 1);
                }
            })
        });
        Self { customers: customers.collect(), street: street.clone() }
    }

    /// Rounds that were walked whole.
    pub fn rounds(&self) -> usize {
        self.street.rounds.get()
    }

    /// They go home; everybody was served, all the time.
    pub async fn goes_home(self) -> usize {
        self.street.is_over.set(true);
        for customer in self.customers {
            customer.await.unwrap();
        }
        assert_eq!(*self.street.complaints.borrow(), [""; 0]);
        self.street.answers.get()
    }
}

impl Street {
    /// The answer to one request, where it is the one that is owed.
    async fn asks(&self, method: &str, path: &str, token: &str, body: &Value) -> Option<Value> {
        let at = self.turn.get();
        self.turn.set(at + 1);
        let url = format!("{}{path}", self.replicas[at % self.replicas.len()]);
        let mut request = self.http.request(method.parse().unwrap(), url).bearer_auth(token);
        if method == "POST" {
            request = request.json(body);
        }
        let response = request.send().await.map_err(|error| self.complain(path, &error.to_string())).ok()?;
        let (status, body) = (response.status(), response.json::<Value>().await.unwrap_or_default());
        self.answers.set(self.answers.get() + 1);
        if status.is_success() {
            return Some(body);
        }
        self.complain(path, &format!("{status} {body}"));
        None
    }

    fn complain(&self, path: &str, what: &str) {
        self.complaints.borrow_mut().push(format!("{path}: {what}"));
    }

    /// Signs in, protects the account, steps up, refreshes, signs in with a second factor, and disables again.
    async fn round(&self, email: &str) -> Option<()> {
        let credentials = json!({"email": email, "password": PASSWORD});
        let signed_in = self.asks("POST", LOGIN, "", &credentials).await?;
        let token = text(&signed_in["tokens"]["access_token"]);
        let enrolment = self.asks("POST", TOTP_PATH, &token, &json!({"password": PASSWORD})).await?;
        let secret = text(&enrolment["secret"]);
        let confirm = format!("{TOTP_PATH}/{}/confirm", text(&enrolment["id"]));
        let confirmed = self.asks("POST", &confirm, &token, &json!({"code": code_in(&secret, 0)})).await?;
        let recovery = text(&confirmed["recovery_codes"][0]);
        let token = text(&confirmed["tokens"]["access_token"]);
        let stepped_up = self.asks("POST", VERIFY, &token, &json!({"code": code_in(&secret, 1)})).await?;
        let mut refresh = stepped_up["refresh_token"].clone();
        for _ in 0..2 {
            let renewed = self.asks("POST", REFRESH, "", &json!({"refresh_token": refresh})).await?;
            self.asks("GET", STATUS, &text(&renewed["access_token"]), &Value::Null).await?;
            refresh = renewed["refresh_token"].clone();
        }
        let asked = self.asks("POST", LOGIN, "", &credentials).await?;
        let answer = json!({"challenge": asked["challenge"], "recovery_code": recovery});
        let signed_in = self.asks("POST", SECOND, "", &answer).await?;
        let token = text(&signed_in["tokens"]["access_token"]);
        self.asks("POST", DISABLE, &token, &json!({"password": PASSWORD})).await.map(|_| ())
    }
}
