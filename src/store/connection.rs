//! One connection type for both engines, so that every query is written once.

use diesel::{
    MultiConnection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
    backend::Backend,
    pg::Pg,
    query_builder::{AstPass, Query, QueryFragment, QueryId},
    sqlite::Sqlite,
};

/// A connection to either engine.
#[derive(MultiConnection)]
pub enum AnyConnection {
    /// The embedded engine.
    Sqlite(SqliteConnection),
    /// The engine for more than one machine.
    Postgres(PgConnection),
}

impl AnyConnection {
    /// Runs one statement without parameters, which this connection prepares once.
    pub fn run(&mut self, statement: &'static str) -> QueryResult<()> {
        Fixed(statement).execute(self).map(|_| ())
    }
}

/// A statement that is always the same.
struct Fixed(&'static str);

impl<DB: Backend> QueryFragment<DB> for Fixed {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        pass.push_sql(self.0);
        Ok(())
    }
}

impl QueryId for Fixed {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C> RunQueryDsl<C> for Fixed {}

/// A statement whose text does not depend on its values, so that a connection may keep it prepared. Diesel, which
/// cannot know, prepares every `UPDATE` and most `INSERT`s anew: on PostgreSQL that is a round trip each.
pub struct Prepared<Q>(Q);

/// Makes a statement one that is [`Prepared`].
pub trait Prepare: Sized {
    /// This statement, prepared once a connection.
    fn prepared(self) -> Prepared<Self> {
        Prepared(self)
    }
}

impl<Q> Prepare for Q {}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Prepared<Q> {
    fn walk_ast<'b>(&'b self, pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        self.0.walk_ast(pass)
    }

    fn is_safe_to_cache_prepared(&self, _: &DB) -> QueryResult<bool> {
        Ok(true)
    }
}

impl<Q> QueryId for Prepared<Q> {
    // It is told from others by its text.
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<C, Q> RunQueryDsl<C> for Prepared<Q> {}

impl<Q: QueryFragment<Sqlite> + QueryFragment<Pg>> Prepared<Q> {
    /// Runs it; how many rows it hit. What the connection to either engine would do with it keeps nothing prepared.
    pub fn execute(self, conn: &mut AnyConnection) -> QueryResult<usize> {
        match conn {
            AnyConnection::Sqlite(conn) => RunQueryDsl::execute(self, conn),
            AnyConnection::Postgres(conn) => RunQueryDsl::execute(self, conn),
        }
    }
}
