//! What the kernel says about a process: CPU and memory.

use std::{fs, time::Duration};

/// CPU that a process has used, user and system, threads that have ended included.
pub fn cpu(pid: u32) -> Duration {
    fs::read_to_string(format!("/proc/{pid}/stat")).map_or(Duration::ZERO, |stat| ticks(&stat, &[11, 12]))
}

/// CPU that a process, its children and its children that have ended have used: a server that forks.
pub fn cpu_of_family(pid: u32) -> Duration {
    let own = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let mut sum = ticks(&own, &[11, 12, 13, 14]);
    for entry in fs::read_dir("/proc").into_iter().flatten().flatten() {
        let stat = fs::read_to_string(entry.path().join("stat")).unwrap_or_default();
        if fields(&stat).get(1) == Some(&pid.to_string().as_str()) {
            sum += ticks(&stat, &[11, 12]);
        }
    }
    sum
}

/// CPU of the threads whose name does not begin with `prefix`, by the scheduler's own clock: ticks are too
/// coarse beside a computation of a quarter of a second.
pub fn cpu_of_threads_but(pid: u32, prefix: &str) -> Duration {
    let mut nanos = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten() {
        let name = fs::read_to_string(task.path().join("comm")).unwrap_or_default();
        if !name.starts_with(prefix) {
            let schedule = fs::read_to_string(task.path().join("schedstat")).unwrap_or_default();
            nanos += schedule.split_whitespace().next().and_then(|ran| ran.parse::<u64>().ok()).unwrap_or(0);
        }
    }
    Duration::from_nanos(nanos)
}

/// Time that the cores of the machine had nothing to do, added up: what neighbours take is not idle either.
pub fn idle() -> Duration {
    let stat = fs::read_to_string("/proc/stat").unwrap_or_default();
    let all = stat.lines().next().unwrap_or_default();
    let ticks: u64 = all.split_whitespace().skip(4).take(2).filter_map(|ticks| ticks.parse::<u64>().ok()).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}

/// Resident memory, in bytes.
pub fn memory(pid: u32) -> u64 {
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap_or_default();
    line.split_whitespace().next().and_then(|kib| kib.parse::<u64>().ok()).unwrap_or(0) * 1024
}

/// The fields of a `stat` after the name, which may itself hold spaces and brackets.
fn fields(stat: &str) -> Vec<&str> {
    stat.rsplit_once(')').map(|(_, rest)| rest.split_whitespace().collect()).unwrap_or_default()
}

fn ticks(stat: &str, wanted: &[usize]) -> Duration {
    let fields = fields(stat);
    let ticks: u64 = wanted.iter().filter_map(|at| fields.get(*at)?.parse::<u64>().ok()).sum();
    Duration::from_secs_f64(ticks as f64 / rustix::param::clock_ticks_per_second() as f64)
}
