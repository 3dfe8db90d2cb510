//! One connection type for both engines, so that every query is written once.

use diesel::{
    MultiConnection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
    backend::Backend,
    query_builder::{AstPass, QueryFragment, QueryId},
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
