//! What most services do, as a service: actix, a pool of connections, and a durable transaction for each
//! second factor. In a process of its own, under the load that the house gets, so that both are measured with
//! the same HTTP, the same JSON and the same signature.
//!
//! Where the two could differ, the pool gets the better of it: it logs nothing, has no middleware, opens no
//! sealed secret, chains no audit row, and judges and signs outside its transaction.

use super::{
    Outcome,
    figure::{Limit, short},
    house::{House, now},
    limits::Rehearsal,
    load::{Closed, Order},
    paths::WRITERS,
    seed,
    server::Server,
    sql,
    stage::Scale,
    statement::Statement,
    wire,
};
use actix_web::{App, HttpResponse, HttpServer, web};
use diesel::{
    SqliteConnection,
    r2d2::{ConnectionManager, CustomizeConnection, Error as PoolError, Pool},
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{fs, path::PathBuf, process::Command};
use twofold::{
    crypto::{
        keyring::Keyring,
        opaque::{Opaque, OpaqueKind},
        random::Random,
        token::{Holder, Realm},
    },
    domain::{
        assurance::{Acr, Amr, Assurance, Factor},
        id::{AccountId, SessionId},
        refusal::Fault,
        totp::{Code, SECRET_BYTES, Step, TotpSecret},
    },
    http::server::runtime,
};

/// The argument that makes this program that server.
pub const ARGUMENT: &str = "pooled-server";

/// What diesel's documentation and r2d2 take where nobody asks for another number.
const CONNECTIONS: u32 = 10;
/// The kind of id that a challenge has.
const CHALLENGE: u8 = 2;
/// Steps of the clock that a code may be off, as in the house.
const WINDOW: u32 = 1;
/// Where the child finds what it needs to know, in the folder of the installation.
const BRIEF: &str = "pooled.json";

/// What the child is told.
#[derive(Serialize, Deserialize)]
struct Brief {
    statements: Vec<Statement>,
    secret: [u8; SECRET_BYTES],
}

/// Drives it as the service was driven: every copy that is left has a challenge to answer, once.
pub fn measure(rehearsal: &Rehearsal, scale: Scale) -> Outcome<Limit> {
    let house = &rehearsal.house;
    let brief = Brief { statements: rehearsal.statements.clone(), secret: rehearsal.secret.bytes().try_into()? };
    fs::write(house.folder.join(BRIEF), serde_json::to_vec(&brief)?)?;
    let requests = requests(rehearsal)?;
    let server = Server::start(Command::new(std::env::current_exe()?).arg(ARGUMENT).arg(&house.folder))?;
    let plan = Closed {
        targets: &[server.address],
        connections: WRITERS,
        requests: &requests,
        order: Order::Once,
        warm: scale.warm,
        length: scale.length,
    };
    let tally = plan.run(&|| server.cpu())?;
    drop(server);
    rehearsal.leave(requests.len() as u64 - tally.answers_of(200));
    let note = format!(
        "r2d2, {CONNECTIONS} connections, BEGIN IMMEDIATE; {WRITERS} clients, p50 {} ms, p99 {} ms, {} µs of CPU each; {}",
        short(tally.quantile(0.5)),
        short(tally.quantile(0.99)),
        short(tally.micros_each()),
        tally.statuses(),
    );
    Ok(Limit { name: "SQLite: the same over HTTP with a pool and a transaction each".into(), rate: tally.rate(), note })
}

fn requests(rehearsal: &Rehearsal) -> Outcome<Vec<Vec<u8>>> {
    let (keys, _) = rehearsal.house.signing()?;
    let code = rehearsal.secret.code(Step::at(now()));
    let request = |number| {
        let challenge = Opaque::draw(Random, OpaqueKind::Challenge, seed::id(CHALLENGE, number));
        let challenge =
            challenge.and_then(|challenge| challenge.reveal(&keys)).map_err(|fault| format!("{fault:?}"))?;
        Ok(wire::post("/auth/login/second-factor", None, &json!({"challenge": challenge, "code": code}).to_string()))
    };
    rehearsal.take_rest()?.into_iter().map(request).collect()
}

/// What every worker shares.
struct Served {
    pool: Pool<ConnectionManager<SqliteConnection>>,
    statements: Vec<Statement>,
    secret: TotpSecret,
    keys: Keyring,
    realm: Realm,
}

#[derive(Deserialize)]
struct Answering {
    challenge: String,
    code: String,
}

#[derive(Serialize)]
struct SignedIn {
    result: &'static str,
    tokens: Tokens,
}

#[derive(Serialize)]
struct Tokens {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    refresh_token: String,
    acr: Acr,
    amr: Vec<Amr>,
}

/// Why nobody is signed in.
#[derive(Debug)]
enum Refused {
    /// The challenge or the code is wrong.
    Denied,
    /// No connection, or the file stayed locked.
    Busy,
    /// Anything else.
    Failed,
}

impl From<Fault> for Refused {
    fn from(_: Fault) -> Self {
        Self::Failed
    }
}

/// Is it.
pub fn serve(folder: PathBuf) -> Outcome<()> {
    let house = House::at(folder);
    let brief: Brief = serde_json::from_slice(&fs::read(house.folder.join(BRIEF))?)?;
    let (keys, realm) = house.signing()?;
    let path = house.file().display().to_string();
    let pool = Pool::builder()
        .max_size(CONNECTIONS)
        // A file does not go away; asking it each time would only cost the pool.
        .test_on_check_out(false)
        .connection_customizer(Box::new(Durable))
        .build(ConnectionManager::new(path))?;
    let secret = TotpSecret::from_bytes(brief.secret);
    let served = web::Data::new(Served { pool, statements: brief.statements, secret, keys, realm });
    let workers = std::thread::available_parallelism()?.get();
    runtime::System::new().block_on(async {
        let app =
            move || App::new().app_data(served.clone()).route("/auth/login/second-factor", web::post().to(answer));
        let server = HttpServer::new(app).workers(workers).bind(("127.0.0.1", 0))?;
        println!("ready: http://{}", server.addrs()[0]);
        Ok(server.run().await?)
    })
}

/// Sets connections of the pool up.
#[derive(Debug)]
struct Durable;

impl CustomizeConnection<SqliteConnection, PoolError> for Durable {
    fn on_acquire(&self, conn: &mut SqliteConnection) -> Result<(), PoolError> {
        sql::make_durable(conn).map_err(PoolError::QueryError)
    }
}

async fn answer(served: web::Data<Served>, body: web::Json<Answering>) -> HttpResponse {
    match web::block(move || served.sign_in(&body)).await {
        Ok(Ok(signed_in)) => HttpResponse::Ok().json(signed_in),
        Ok(Err(Refused::Denied)) => HttpResponse::Forbidden().finish(),
        Ok(Err(Refused::Busy)) => HttpResponse::ServiceUnavailable().finish(),
        Ok(Err(Refused::Failed)) | Err(_) => HttpResponse::InternalServerError().finish(),
    }
}

impl Served {
    fn sign_in(&self, body: &Answering) -> Result<SignedIn, Refused> {
        let challenge = Opaque::read(&self.keys, OpaqueKind::Challenge, &body.challenge).ok_or(Refused::Denied)?;
        // A copy's number is the tail of its ids.
        let (_, _, _, [.., a, b, c, d, e, f]) = challenge.id.as_fields();
        let number = u64::from_be_bytes([0, 0, *a, *b, *c, *d, *e, *f]);
        let code = Code::parse(&body.code, "").map_err(|_| Refused::Denied)?;
        self.secret.matching_step(&code, now(), WINDOW, None).ok_or(Refused::Denied)?;
        self.write(number)?;
        Ok(SignedIn { result: "signed_in", tokens: self.tokens(number)? })
    }

    /// The connection goes back before anything is signed.
    fn write(&self, number: u64) -> Result<(), Refused> {
        let mut conn = self.pool.get().map_err(|_| Refused::Busy)?;
        let written = sql::transact(&mut conn, &self.statements, number);
        written.map_err(|error| if error.to_string().contains("locked") { Refused::Busy } else { Refused::Failed })
    }

    fn tokens(&self, number: u64) -> Result<Tokens, Fault> {
        let (now, account) = (now(), AccountId(seed::id(0, number)));
        let session: SessionId = Random.id(now)?;
        let assurance = Assurance::second_factor(Factor::Totp, now);
        let (acr, amr) = (assurance.acr, assurance.amr.clone());
        // An account's first epoch is of its enrolment.
        let holder = Holder { account, session, epoch: 1, assurance };
        let access_token = self.keys.signer.sign(&self.realm, &holder, "", Random.id(now)?, now)?;
        let refresh_token = Opaque::draw(Random, OpaqueKind::Refresh, session.0)?.reveal(&self.keys)?;
        Ok(Tokens { access_token, token_type: "Bearer", expires_in: self.realm.ttl, refresh_token, acr, amr })
    }
}
