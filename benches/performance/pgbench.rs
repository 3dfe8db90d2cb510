//! PostgreSQL's own limit: pgbench with the statements of the service, prepared, in one transaction each.

use super::{
    Outcome,
    cluster::Cluster,
    figure::{Limit, short},
    limits::Rehearsal,
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

/// Each client counts through a range of numbers of its own, so that no one acts for another's copy.
fn script(rehearsal: &Rehearsal) -> String {
    let statements: Vec<String> = rehearsal.statements.iter().map(|said| for_pgbench(said) + ";\n").collect();
    format!("\\set n :base + :client_id * :each + :i\n\\set i :i + 1\nBEGIN;\n{}COMMIT;\n", statements.concat())
}

fn run(cluster: &Cluster, rehearsal: &Rehearsal, database: &str, clients: u64, each: u64) -> Outcome<f64> {
    let base = rehearsal.take(clients * each)?;
    let (clients, count) = (clients.to_string(), each.to_string());
    let said = cluster.output_of(
        "pgbench",
        &[
            "-n",
            "-M",
            "prepared",
            "-f",
            "script.sql",
            "-j",
            "2",
            "-c",
            &clients,
            "-t",
            &count,
            "-D",
            &format!("base={base}"),
            "-D",
            &format!("each={each}"),
            "-D",
            "i=0",
            &cluster.url(database),
        ],
    )?;
    let line = said.lines().find_map(|line| line.strip_prefix("tps = "));
    let rate = line.and_then(|line| line.split_whitespace().next()?.parse().ok());
    rate.ok_or_else(|| format!("pgbench printed no rate: {said}").into())
}
