//! Connections of the bench's own, for what the house has no reason to do: counting, copying, and saying
//! somebody's statements for somebody else.

use super::{
    Outcome, seed,
    statement::{Bind, Piece, Statement},
};
use diesel::{
    Connection, PgConnection, QueryResult, QueryableByName, RunQueryDsl, SqliteConnection,
    connection::SimpleConnection,
    query_builder::{AstPass, QueryFragment, QueryId},
    sql_query,
    sql_types::{BigInt, Binary, Nullable, Text},
    sqlite::Sqlite,
};

/// A connection to either engine.
pub enum Sql {
    /// A file.
    Sqlite(SqliteConnection),
    /// A server.
    Postgres(PgConnection),
}

#[derive(QueryableByName)]
struct Count {
    #[diesel(sql_type = BigInt)]
    n: i64,
}

#[derive(QueryableByName)]
struct Name {
    #[diesel(sql_type = Text)]
    name: String,
}

impl Sql {
    /// Opens what a database URL of the house names.
    pub fn open(url: &str) -> Outcome<Self> {
        Ok(match url.strip_prefix("sqlite://") {
            Some(path) => Self::Sqlite(SqliteConnection::establish(path)?),
            None => Self::Postgres(PgConnection::establish(url)?),
        })
    }

    /// Runs statements that take no values.
    pub fn run(&mut self, statements: &str) -> Outcome<()> {
        match self {
            Self::Sqlite(conn) => conn.batch_execute(statements)?,
            Self::Postgres(conn) => conn.batch_execute(statements)?,
        }
        Ok(())
    }

    /// The names that a query answers.
    pub fn names(&mut self, query: &str) -> Outcome<Vec<String>> {
        let names: Vec<Name> = match self {
            Self::Sqlite(conn) => sql_query(query).load(conn)?,
            Self::Postgres(conn) => sql_query(query).load(conn)?,
        };
        Ok(names.into_iter().map(|row| row.name).collect())
    }

    /// The number that a query answers.
    pub fn count(&mut self, what: &str) -> Outcome<i64> {
        let query = sql_query(format!("SELECT {what} AS n"));
        let count: Count = match self {
            Self::Sqlite(conn) => query.get_result(conn)?,
            Self::Postgres(conn) => query.get_result(conn)?,
        };
        Ok(count.n)
    }
}

/// A connection as careful as the house's: what was answered is on the disk.
pub fn durable_sqlite(url: &str) -> Outcome<SqliteConnection> {
    let mut conn = SqliteConnection::establish(url.strip_prefix("sqlite://").ok_or("not a file")?)?;
    make_durable(&mut conn)?;
    Ok(conn)
}

/// Sets a connection up as the house's own are, cache and checkpoints included.
pub fn make_durable(conn: &mut SqliteConnection) -> QueryResult<()> {
    conn.batch_execute(
        "PRAGMA busy_timeout = 5000; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; \
         PRAGMA trusted_schema = OFF; PRAGMA secure_delete = ON; PRAGMA cache_size = -8000; \
         PRAGMA wal_autocheckpoint = 4000;",
    )
}

/// Says all statements for one person, in a durable transaction of their own.
pub fn transact(conn: &mut SqliteConnection, statements: &[Statement], number: u64) -> QueryResult<()> {
    conn.batch_execute("BEGIN IMMEDIATE")?;
    let said = statements.iter().try_for_each(|statement| Said::new(statement, number).execute(conn).map(|_| ()));
    conn.batch_execute(if said.is_ok() { "COMMIT" } else { "ROLLBACK" })?;
    said
}

/// A statement, said for one person. Diesel keeps it prepared by its text, as it does the house's own.
struct Said<'a> {
    sql: &'a [String],
    binds: Vec<Option<Plain>>,
}

enum Plain {
    Number(i64),
    Text(String),
    Bytes(Vec<u8>),
}

impl<'a> Said<'a> {
    fn new(statement: &'a Statement, number: u64) -> Self {
        let plain = |bind: &Bind| match bind {
            Bind::Null => None,
            Bind::Number(value) => Some(Plain::Number(*value)),
            Bind::Bytes(bytes) => Some(Plain::Bytes(bytes.clone())),
            Bind::Text(pieces) => Some(Plain::Text(pieces.iter().map(|piece| spelled(piece, number)).collect())),
        };
        Self { sql: &statement.sql, binds: statement.binds.iter().map(plain).collect() }
    }
}

fn spelled(piece: &Piece, number: u64) -> String {
    match piece {
        Piece::Same(text) => text.clone(),
        Piece::Number => seed::hex(number),
        Piece::Fresh(kind) => seed::id(*kind, number).to_string(),
    }
}

impl QueryFragment<Sqlite> for Said<'_> {
    fn walk_ast<'b>(&'b self, mut out: AstPass<'_, 'b, Sqlite>) -> QueryResult<()> {
        for (sql, bind) in self.sql.iter().zip(self.binds.iter().map(Some).chain([None])) {
            out.push_sql(sql);
            match bind {
                None => {}
                Some(None) => out.push_bind_param::<Nullable<Text>, _>(&None::<String>)?,
                Some(Some(Plain::Number(value))) => out.push_bind_param::<BigInt, _>(value)?,
                Some(Some(Plain::Text(text))) => out.push_bind_param::<Text, _>(text)?,
                Some(Some(Plain::Bytes(bytes))) => out.push_bind_param::<Binary, _>(bytes)?,
            }
        }
        Ok(())
    }
}

impl QueryId for Said<'_> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Conn> RunQueryDsl<Conn> for Said<'_> {}

/// A statement as pgbench reads it; `:n` is the number of the person.
pub fn for_pgbench(statement: &Statement) -> String {
    let mut text = String::new();
    for (sql, bind) in statement.sql.iter().zip(statement.binds.iter().map(Some).chain([None])) {
        text += &sql.replace('\n', " ");
        text += &match bind {
            None => String::new(),
            Some(Bind::Null) => "NULL".to_owned(),
            Some(Bind::Number(value)) => value.to_string(),
            Some(Bind::Bytes(bytes)) => format!("'\\x{}'::bytea", data_encoding::HEXLOWER.encode(bytes)),
            Some(Bind::Text(pieces)) if pieces.is_empty() => "''".to_owned(),
            Some(Bind::Text(pieces)) => pieces.iter().map(quoted).collect::<Vec<_>>().join(" || "),
        };
    }
    text
}

fn quoted(piece: &Piece) -> String {
    const NUMBER: &str = "lpad(to_hex(:n::bigint), 12, '0')";
    match piece {
        // A colon before a word would be a variable of pgbench.
        Piece::Same(text) => format!("E'{}'", text.replace('\\', "\\\\").replace('\'', "''").replace(':', "\\x3a")),
        Piece::Number => NUMBER.to_owned(),
        Piece::Fresh(kind) => format!("'{}' || {NUMBER}", &seed::id(*kind, 0).to_string()[..24]),
    }
}
