//! One connection type for both engines, so that every query is written once.

use diesel::{
    MultiConnection, PgConnection, QueryResult, RunQueryDsl, SqliteConnection,
    backend::Backend,
    internal::derives::multiconnection::AstPassHelper,
    pg::Pg,
    query_builder::{AstPass, Query, QueryBuilder, QueryFragment, QueryId},
    query_dsl::methods::LoadQuery,
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
    /// Whether nobody else can write while a transaction of ours does, so that nothing needs to be locked.
    pub fn has_one_writer(&self) -> bool {
        matches!(self, Self::Sqlite(_))
    }

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

/// Loading rows straight from the engine's own connection. Going through [`AnyConnection`] gives the same rows, but
/// writes the text of the query out two or three times on the way.
pub trait Fetch: Sized {
    /// All rows.
    fn fetch<U>(self, conn: &mut AnyConnection) -> QueryResult<Vec<U>>
    where
        Prepared<Self>: for<'q> LoadQuery<'q, SqliteConnection, U> + for<'q> LoadQuery<'q, PgConnection, U>,
    {
        match conn {
            AnyConnection::Sqlite(conn) => Prepared(self).load(conn),
            AnyConnection::Postgres(conn) => Prepared(self).load(conn),
        }
    }

    /// The one row that a key can have, if it is there.
    fn fetch_one<U>(self, conn: &mut AnyConnection) -> QueryResult<Option<U>>
    where
        Prepared<Self>: for<'q> LoadQuery<'q, SqliteConnection, U> + for<'q> LoadQuery<'q, PgConnection, U>,
    {
        self.fetch(conn).map(|rows| rows.into_iter().next())
    }
}

impl<Q> Fetch for Q {}

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

impl<Q: QueryId> QueryId for Prepared<Q> {
    // It is told from others by its type, where the type decides, or else by its text.
    type QueryId = Q::QueryId;
    const HAS_STATIC_QUERY_ID: bool = Q::HAS_STATIC_QUERY_ID;
}

impl<Q: Query> Query for Prepared<Q> {
    type SqlType = Q::SqlType;
}

impl<C, Q> RunQueryDsl<C> for Prepared<Q> {}

impl<Q: QueryFragment<Sqlite> + QueryFragment<Pg>> Prepared<Q> {
    /// Runs it; how many rows it hit.
    pub fn execute(self, conn: &mut AnyConnection) -> QueryResult<usize> {
        match conn {
            AnyConnection::Sqlite(conn) => Written::new::<Sqlite>(self.0)?.execute(conn),
            AnyConnection::Postgres(conn) => Written::new::<Pg>(self.0)?.execute(conn),
        }
    }
}

/// Inserts many rows: each by a statement that is prepared once where a statement costs no round trip, and by the
/// thousand where it does.
macro_rules! insert_all {
    ($tx:expr, $table:expr, $rows:expr) => {
        match &mut *$tx.db.conn {
            AnyConnection::Sqlite(_) => {
                for row in $rows {
                    diesel::insert_into($table).values(row).prepared().execute($tx.conn)?;
                }
            }
            AnyConnection::Postgres(conn) => {
                for rows in $rows.chunks(1000) {
                    diesel::RunQueryDsl::execute(diesel::insert_into($table).values(rows), conn)?;
                }
            }
        }
    };
}
pub(super) use insert_all;

/// A statement whose text is written down: for counting rows, Diesel asks a reference to a statement whether it may
/// be kept, and that forgets what the statement itself would answer.
struct Written<Q> {
    text: String,
    statement: Q,
}

impl<Q> Written<Q> {
    fn new<DB>(statement: Q) -> QueryResult<Self>
    where
        DB: Backend + Default,
        DB::QueryBuilder: Default,
        Q: QueryFragment<DB>,
    {
        let mut text = DB::QueryBuilder::default();
        statement.to_sql(&mut text, &DB::default())?;
        Ok(Self { text: text.finish(), statement })
    }
}

impl<DB: Backend, Q: QueryFragment<DB>> QueryFragment<DB> for Written<Q> {
    fn walk_ast<'b>(&'b self, mut pass: AstPass<'_, 'b, DB>) -> QueryResult<()> {
        if pass.bind_collector().is_some() || pass.debug_binds().is_some() {
            return self.statement.walk_ast(pass);
        }
        pass.push_sql(&self.text);
        Ok(())
    }
}

impl<Q> QueryId for Written<Q> {
    type QueryId = ();
    const HAS_STATIC_QUERY_ID: bool = false;
}

impl<C, Q> RunQueryDsl<C> for Written<Q> {}
