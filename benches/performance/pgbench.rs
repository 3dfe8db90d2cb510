//! PostgreSQL's own limit: pgbench with the statements of the service, prepared, in one transaction each.

use super::{
    Outcome,
    cluster::Cluster,
    figure::{Limit, short},
    limits::Rehearsal,
    load::STRIDE,
    sql::for_pgbench,
};

const CLIENTS: [u64; 4] = [8, 16, 32, 64];

/// The best of several numbers of clients, each with `transactions` in all.
pub fn best(cluster: &Cluster, rehearsal: &Rehearsal, database: &str, transactions: u64) -> Outcome<Limit> {
    cluster.write("script.sql", &script(rehearsal))?;
    let mut found = Vec::new();
    for clients in CLIENTS {
        found.push((run(cluster, rehearsal, database, clients, transactions / clients)?, clients));
    }
    let best = found.iter().copied().max_by(|(one, _), (other, _)| one.total_cmp(other)).unwrap_or_default();
    let tried = found.iter().map(|(rate, clients)| format!("{clients}: {}", short(*rate))).collect::<Vec<_>>();
    Ok(Limit {
        name: "PostgreSQL: pgbench -M prepared, the statements of a second factor".to_owned(),
        rate: best.0,
        note: format!("{} statements; by clients {}", rehearsal.statements.len(), tried.join(", ")),
    })
}

/// How many copies [`best`] acts for.
pub fn copies(transactions: u64) -> u64 {
    CLIENTS.iter().map(|clients| transactions / clients * clients).sum()
}

/// Each client has turns of its own, so that none acts for another's copy; they scatter like the service's.
fn script(rehearsal: &Rehearsal) -> String {
    let copies = rehearsal.copies;
    let statements: Vec<String> = rehearsal.statements.iter().map(|said| for_pgbench(said) + ";\n").collect();
    format!(
        "\\set n 1 + (:base + :client_id * :each + :i) * {STRIDE} % {copies}\n\\set i :i + 1\nBEGIN;\n{}COMMIT;\n",
        statements.concat()
    )
}

fn run(cluster: &Cluster, rehearsal: &Rehearsal, database: &str, clients: u64, each: u64) -> Outcome<f64> {
    let base = rehearsal.take(clients * each)?;
    let options = format!(
        "-n -M prepared -f script.sql -j 2 -c {clients} -t {each} -D base={base} -D each={each} -D i=0 {}",
        cluster.url(database)
    );
    let said = cluster.output_of("pgbench", &options.split_whitespace().collect::<Vec<_>>())?;
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    rate.ok_or_else(|| format!("pgbench printed no rate: {said}").into())
}
