//! The checker: looks for a serial order of concurrent operations that explains every answer, in the manner
//! of Wing and Gong (1993), with the memory of Lowe (2017): which operations are over, in which state.

use super::{
    machine::{Answer, Op, State, refused},
    moves::Move,
};
use std::{
    collections::{BTreeSet, HashSet},
    fmt::Write,
};

/// One operation of a history: what was asked when, and what was answered when. The moments are of one
/// logical clock.
#[derive(Clone, Debug)]
pub struct Call {
    pub client: usize,
    pub begin: u64,
    pub end: u64,
    pub op: Op,
    pub told: Answer,
}

/// How far a search came that found no order: the states that were possible last, with what was over then.
pub struct Unexplained {
    nearest: Vec<(u64, State)>,
}

/// Every state that the account can be in after `calls`, when it was in one of `starts` before them.
pub fn explain(starts: &BTreeSet<State>, calls: &[Call]) -> Result<BTreeSet<State>, Unexplained> {
    assert!(calls.len() < 64, "one bit for each operation");
    let all = (1_u64 << calls.len()) - 1;
    let mut open: Vec<(u64, State)> = starts.iter().map(|state| (0, state.clone())).collect();
    let mut seen: HashSet<(u64, State)> = HashSet::new();
    let (mut ends, mut nearest) = (BTreeSet::new(), Vec::<(u64, State)>::new());
    while let Some(node) = open.pop() {
        if !seen.insert(node.clone()) {
            continue;
        }
        if node.0 == all {
            ends.insert(node.1);
            continue;
        }
        let best = nearest.first().map_or(0, |(over, _)| over.count_ones());
        if node.0.count_ones() > best {
            nearest.clear();
        }
        if node.0.count_ones() >= best {
            nearest.push(node.clone());
        }
        follow(calls, &node, &mut open);
    }
    if ends.is_empty() { Err(Unexplained { nearest }) } else { Ok(ends) }
}

/// The operations that may move next: no other that is not over ended before they began.
fn movable(calls: &[Call], over: u64) -> impl Iterator<Item = (usize, &Call)> {
    let is_open = move |at: &usize| over & (1 << at) == 0;
    let first_end = (0..calls.len()).filter(is_open).map(|at| calls[at].end).min().unwrap_or(u64::MAX);
    calls.iter().enumerate().filter(move |(at, call)| is_open(at) && call.begin < first_end)
}

fn follow(calls: &[Call], (over, state): &(u64, State), open: &mut Vec<(u64, State)>) {
    let mut nodes = Vec::new();
    for (at, call) in movable(calls, *over) {
        match state.next(&call.op, &call.told) {
            Move::Pays(next) => nodes.push((*over, next)),
            Move::Answers(answer, next) if answer == call.told => {
                let over = over | (1 << at);
                // What changes nothing now may as well come now, if it is not one that could still pay.
                if next == *state && (call.op.proofs().is_none() || answer == refused("invalid-token")) {
                    open.push((over, next));
                    return;
                }
                nodes.push((over, next));
            }
            Move::Answers(..) => {}
        }
    }
    open.extend(nodes);
}

impl Unexplained {
    /// The history, the states that were possible last, and what would have been the right answers there.
    pub fn tell(&self, calls: &[Call]) -> String {
        let mut text = String::from("no serial order explains these answers:\n");
        for (at, call) in calls.iter().enumerate() {
            let Call { client, begin, end, op, told } = call;
            let _ = writeln!(text, "#{at} client {client} [{begin}, {end}] {op:?}\n    was told {told:?}");
        }
        for (over, state) in self.nearest.iter().take(4) {
            let order = (0..calls.len()).filter(|at| over & (1 << at) != 0).map(|at| format!("#{at}"));
            let _ = writeln!(text, "\nwith {} over, it was {state:?}", order.collect::<Vec<_>>().join(" "));
            for (at, call) in movable(calls, *over) {
                let right = match state.next(&call.op, &call.told) {
                    Move::Pays(_) => "would pay and go on".to_owned(),
                    Move::Answers(answer, _) => format!("would be told {answer:?}"),
                };
                let _ = writeln!(text, "  #{at} {right}");
            }
        }
        text
    }
}
