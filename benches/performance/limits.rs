//! The limits: what the machine does when nothing but the unavoidable is asked of it.

use super::{
    Outcome, copies,
    copies::{Extent, Numbers},
    figure::{Limit, short},
    house::{Engine, House, request},
    load::scattered,
    process,
    seed::{self, PASSWORD, Person, Sort},
    sql::{self, Sql},
    statement::{self, Statement},
};
use diesel::SqliteConnection;
use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};
use twofold::{
    actions::{Rooms, login::second_factor},
    domain::totp::{Code, TotpSecret},
    http::server::runtime,
    store::factors::Offered,
};

/// The person whose statements are heard; nobody else has such a number.
const TEMPLATE: u64 = 0xfade_0000_0001;
/// Threads with a connection each: one a client of the service.
const THREADS: usize = 64;

/// One bcrypt on every core at once.
pub struct Bcrypt {
    /// How many a second, all cores together.
    pub rate: f64,
    /// CPU of one.
    pub cpu: Duration,
}

/// Compares the shared password with its hash on as many threads as there are cores.
pub fn bcrypt(hash: &str, length: Duration) -> Outcome<Bcrypt> {
    let cores = thread::available_parallelism()?.get();
    let (began, before) = (Instant::now(), process::cpu(std::process::id()));
    let compare = || {
        let mut count = 0_u32;
        while began.elapsed() < length {
            count += u32::from(bcrypt::non_truncating_verify(PASSWORD, hash).unwrap_or(false));
        }
        (count, began.elapsed())
    };
    let counted = thread::scope(|scope| {
        let threads: Vec<_> = (0..cores).map(|_| scope.spawn(compare)).collect();
        threads.into_iter().filter_map(|thread| thread.join().ok()).collect::<Vec<_>>()
    });
    let cpu = process::cpu(std::process::id()).saturating_sub(before);
    let count: u32 = counted.iter().map(|(count, _)| count).sum();
    // Each thread ends with a whole one, at its own time.
    let rate = counted.iter().map(|(count, took)| f64::from(*count) / took.as_secs_f64()).sum();
    Ok(Bcrypt { rate, cpu: cpu / count.max(1) })
}

/// A database of copies, and the statements of one second factor.
pub struct Rehearsal {
    /// The installation.
    pub house: House,
    /// What the service says for one second factor.
    pub statements: Vec<Statement>,
    /// The secret of the person whose copies they are: the codes of all are the same.
    pub secret: TotpSecret,
    next: AtomicU64,
    unused: AtomicU64,
    // The last connection to close would take the log of SQLite with it, and a commit that has to make room on
    // the disk first takes many times as long.
    open: Mutex<Sql>,
    /// How many copies there are, numbered from 1.
    pub copies: u64,
}

impl Rehearsal {
    /// Makes so many copies of a person with an open challenge, and hears what the person's answer says.
    pub fn prepare(house: House, hash: &str, copies: u64) -> Outcome<Self> {
        statement::install()?;
        let rooms = house.rooms()?;
        let mut crowd = seed::crowd(&rooms, hash, Sort::Secured, &[TEMPLATE])?;
        let person = crowd.first_mut().ok_or("no template")?;
        let mut sql = Sql::open(&house.database_url)?;
        let numbers = Numbers { from: 1, until: copies + 1, step: 1, filter: "true" };
        copies::make(&mut sql, house.engine, TEMPLATE, Extent::Whole, &numbers)?;
        if house.engine == Engine::Postgres {
            sql.run("VACUUM ANALYZE")?;
        }
        let statements = statement::heard(TEMPLATE, || answer(&rooms, person))?;
        statement::remove()?;
        let (secret, next, unused) = (person.secret.clone(), AtomicU64::new(0), AtomicU64::new(0));
        Ok(Self { house, statements, secret, next, unused, copies, open: Mutex::new(sql) })
    }

    /// The next turns: each is one copy's, that nobody has acted for yet.
    pub fn take(&self, count: u64) -> Outcome<u64> {
        let first = self.next.fetch_add(count, Ordering::Relaxed);
        if first + count > self.copies { Err("too few copies were made".into()) } else { Ok(first) }
    }

    /// The copies of all turns that are left, in the order of their numbers.
    pub fn take_rest(&self) -> Outcome<Vec<u64>> {
        let count = self.copies.saturating_sub(self.taken());
        let first = self.take(count)?;
        let mut numbers: Vec<u64> = (first..first + count).map(|turn| 1 + scattered(turn, self.copies)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }

    /// Notes that so many of the turns that were taken came to nothing.
    pub fn leave(&self, count: u64) {
        self.unused.fetch_add(count, Ordering::Relaxed);
    }

    /// Turns that were taken.
    fn taken(&self) -> u64 {
        self.next.load(Ordering::Relaxed)
    }

    /// Checks that what was said for copies did what the service does: ended a challenge, used up a step,
    /// began a session and wrote an audit row, once each.
    pub fn check(&self) -> Outcome<()> {
        let mut sql = self.open.lock().map_err(|_| "a check broke off")?;
        // The template's own is one more.
        let expected = i64::try_from(self.taken() - self.unused.load(Ordering::Relaxed))? + 1;
        let template = &seed::id(0xa0, 0).to_string()[..6];
        for what in [
            "(SELECT count(*) FROM challenge WHERE ended_at IS NOT NULL)".to_owned(),
            "(SELECT count(*) FROM totp WHERE last_step > 1)".to_owned(),
            "(SELECT count(*) FROM account WHERE activity = 2)".to_owned(),
            format!("1 + (SELECT count(*) FROM session WHERE id LIKE '{template}a%')"),
            format!("1 + (SELECT count(*) FROM audit WHERE id LIKE '{template}a%')"),
        ] {
            let found = sql.count(&what)?;
            if found != expected {
                return Err(format!("the limit did something else: {what} is {found}, not {expected}").into());
            }
        }
        Ok(())
    }
}

/// The template answers its challenge.
fn answer(rooms: &Arc<Rooms>, person: &mut Person) -> Outcome<()> {
    let code = person.code().ok_or("no code")?;
    let code = Code::parse(&code, "").map_err(|refusal| format!("{refusal:?}"))?;
    let cx = request(rooms)?;
    let answered = second_factor::second_factor(&cx, &person.challenge, Offered::Code(code), false);
    runtime::System::new().block_on(answered).map_err(|stop| format!("the template is refused: {stop:?}"))?;
    Ok(())
}

/// One connection, one durable transaction after another.
pub fn one_commit(rehearsal: &Rehearsal, length: Duration) -> Outcome<Limit> {
    let (count, locked, took) = commits(rehearsal, 1, length)?;
    let note =
        format!("{} statements, {} µs each, {locked} locked out", rehearsal.statements.len(), micros(took, count));
    Ok(Limit {
        name: "SQLite: one durable commit of the statements of a second factor".into(),
        rate: per(count, took),
        note,
    })
}

/// Each client has a connection and a transaction of its own, and nothing else to do.
pub fn connection_each(rehearsal: &Rehearsal, length: Duration) -> Outcome<Limit> {
    let (count, locked, took) = commits(rehearsal, THREADS, length)?;
    let note = format!("{THREADS} threads, BEGIN IMMEDIATE, synchronous=FULL; {locked} locked out after 5 s");
    let name = "SQLite: the same statements with a connection and a transaction each, without HTTP";
    Ok(Limit { name: name.into(), rate: per(count, took), note })
}

fn commits(rehearsal: &Rehearsal, threads: usize, length: Duration) -> Outcome<(u64, u64, Duration)> {
    let (is_over, locked) = (AtomicBool::new(false), AtomicU64::new(0));
    let open = || sql::durable_sqlite(&rehearsal.house.database_url);
    let conns = (0..threads).map(|_| open()).collect::<Outcome<Vec<SqliteConnection>>>()?;
    let before = rehearsal.taken();
    let began = Instant::now();
    let act = |mut conn: SqliteConnection| {
        while !is_over.load(Ordering::Relaxed) {
            let number = 1 + scattered(rehearsal.take(1)?, rehearsal.copies);
            while let Err(error) = sql::transact(&mut conn, &rehearsal.statements, number) {
                // Whoever waited five seconds in vain would be refused; the copy is tried again.
                if !error.to_string().contains("locked") {
                    return Err(error.into());
                }
                locked.fetch_add(1, Ordering::Relaxed);
            }
        }
        Ok(())
    };
    let ended: Outcome<()> = thread::scope(|scope| {
        let act = &act;
        let running: Vec<_> = conns.into_iter().map(|conn| scope.spawn(move || act(conn))).collect();
        thread::sleep(length);
        is_over.store(true, Ordering::Relaxed);
        running.into_iter().try_for_each(|thread| thread.join().map_err(|_| "a thread panicked")?)
    });
    ended?;
    let took = began.elapsed();
    let count = rehearsal.taken() - before;
    Ok((count, locked.into_inner(), took))
}

fn per(count: u64, took: Duration) -> f64 {
    count as f64 / took.as_secs_f64()
}

fn micros(took: Duration, count: u64) -> String {
    short(took.as_secs_f64() * 1e6 / count.max(1) as f64)
}
