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

/// Tables in the order in which rows refer to each other, each with its key columns that hold the number,
/// and one that is drawn at random and must be unique.
const TABLES: [(&str, &[&str], Option<&str>); 8] = [
    ("account", &["id", "email"], None),
    ("method", &["id", "account_id"], None),
    ("totp", &["method_id"], None),
    ("recovery_code", &["account_id"], None),
    ("known_address", &["account_id"], None),
    ("session", &["account_id"], Some("id")),
    ("challenge", &["id", "account_id"], None),
    ("audit", &["account_id"], Some("id")),
];

/// Makes copies of the person `template`.
pub fn make(sql: &mut Sql, engine: Engine, template: u64, numbers: &Numbers<'_>) -> Outcome<()> {
    let number = match engine {
        Engine::Sqlite => "printf('%012x', i)",
        Engine::Postgres => "lpad(to_hex(i), 12, '0')",
    };
    for (table, keys, drawn) in TABLES {
        let columns = columns(sql, engine, table)?;
        let value = |column: &String| match column.as_str() {
            name if keys.contains(&name) => format!("replace(t.{name}, '{}', {number})", seed::hex(template)),
            name if drawn == Some(name) => drawn_id(table, number),
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

/// The id of a row that has no number: made from the row's own place, and the person's number.
fn drawn_id(table: &str, number: &str) -> String {
    match table {
        "audit" => {
            let place = "substr('00' || t.ordinal, length('00' || t.ordinal) - 2)";
            format!("'019300f3-0000-7000-8' || {place} || '-' || {number}")
        }
        _ => format!("'019300f5-0000-7000-8000-' || {number}"),
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
