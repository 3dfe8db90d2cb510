//! Many persons by few statements: copies of a template that the house's own code made. Every id of the
//! template holds its number, so a copy is the same rows with another number in its place.
//!
//! A copy's audit hashes and sealed secrets are those of the template, so nobody can act for a copy; it is
//! there to fill tables, or for statements that do not look.

use super::{Outcome, house::Engine, seed, sql::Sql};

/// Which numbers get a copy: `from`, `from + step`, … below `until`, where `filter` holds for `i`.
pub struct Numbers<'a> {
    /// The first.
    pub from: u64,
    /// The end.
    pub until: u64,
    /// From one to the next.
    pub step: u64,
    /// A condition in SQL on `i`.
    pub filter: &'a str,
}

/// A table that is copied: its columns that hold the person's number, and one that was drawn at random.
struct Table {
    name: &'static str,
    keys: &'static [&'static str],
    drawn: Option<&'static str>,
}

/// In the order in which rows refer to each other.
const TABLES: [Table; 8] = [
    Table { name: "account", keys: &["id", "email"], drawn: None },
    Table { name: "method", keys: &["id", "account_id"], drawn: None },
    Table { name: "totp", keys: &["method_id"], drawn: None },
    Table { name: "recovery_code", keys: &["account_id"], drawn: None },
    Table { name: "audit", keys: &["account_id"], drawn: Some("id") },
    Table { name: "known_address", keys: &["account_id"], drawn: None },
    Table { name: "session", keys: &["account_id"], drawn: Some("id") },
    Table { name: "challenge", keys: &["id", "account_id"], drawn: None },
];
/// What stays of somebody who has not signed in for long: no address, no session, no challenge.
const LASTING: usize = 5;

const DAY_MS: i64 = 86_400_000;

/// How much of a person is copied.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// Everything.
    Whole,
    /// What stays when nobody signs in any more.
    Lasting,
}

/// Makes copies of the person `template`.
pub fn make(sql: &mut Sql, engine: Engine, template: u64, extent: Extent, numbers: &Numbers<'_>) -> Outcome<()> {
    let number = match engine {
        Engine::Sqlite => "printf('%012x', i)",
        Engine::Postgres => "lpad(to_hex(i), 12, '0')",
    };
    let tables = if extent == Extent::Whole { &TABLES[..] } else { &TABLES[..LASTING] };
    for Table { name: table, keys, drawn } in tables {
        let columns = columns(sql, engine, table)?;
        let value = |column: &String| match column.as_str() {
            name if keys.contains(&name) => format!("replace(t.{name}, '{}', {number})", seed::hex(template)),
            name if *drawn == Some(name) => format!("substr(t.{name}, 1, 24) || {number}"),
            // Copies are yesterday's: the service has anchored them long ago.
            "at" => format!("t.at - {DAY_MS}"),
            name => format!("t.{name}"),
        };
        let values = columns.iter().map(value).collect::<Vec<_>>().join(", ");
        // Rows of one person stand together, as they do where persons come one after another.
        sql.run(&format!(
            "{} INSERT INTO {table} ({}) SELECT {values} FROM numbers CROSS JOIN {table} t WHERE {}",
            numbers.list(engine),
            columns.join(", "),
            of_template(table, template),
        ))?;
    }
    Ok(())
}

impl Numbers<'_> {
    fn list(&self, engine: Engine) -> String {
        let Self { from, until, step, filter } = self;
        match engine {
            Engine::Sqlite => format!(
                "WITH RECURSIVE everything(i) AS (SELECT {from} UNION ALL SELECT i + {step} FROM everything WHERE i + {step} < {until}), \
                 numbers(i) AS (SELECT i FROM everything WHERE {filter})"
            ),
            Engine::Postgres => format!(
                "WITH numbers(i) AS (SELECT i FROM generate_series({from}::bigint, {until}::bigint - 1, {step}::bigint) AS s(i) WHERE {filter})"
            ),
        }
    }
}

fn of_template(table: &str, template: u64) -> String {
    let (account, method) = (seed::id(0, template), seed::id(1, template));
    match table {
        "account" => format!("t.id = '{account}'"),
        "totp" => format!("t.method_id = '{method}'"),
        _ => format!("t.account_id = '{account}'"),
    }
}

fn columns(sql: &mut Sql, engine: Engine, table: &str) -> Outcome<Vec<String>> {
    let query = match engine {
        Engine::Sqlite => format!("SELECT name FROM pragma_table_info('{table}') ORDER BY cid"),
        Engine::Postgres => format!(
            "SELECT column_name::text AS name FROM information_schema.columns WHERE table_name = '{table}' ORDER BY ordinal_position"
        ),
    };
    sql.names(&query)
}
