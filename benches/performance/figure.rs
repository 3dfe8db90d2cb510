//! What is printed: figures, the limits that they are held against, and the verdicts. Everything is
//! Markdown, so that the output can be pasted into the documentation as it is.

use super::{house::Engine, tally::Tally};
use std::cmp::Ordering;

/// One path of the service under load.
pub struct Figure {
    /// Its name.
    pub path: &'static str,
    /// On which engine.
    pub engine: Engine,
    /// Over how many connections.
    pub connections: usize,
    /// What the load found.
    pub tally: Tally,
    /// The statuses that count.
    pub expected: &'static [u16],
    /// Resident memory of the service afterwards, in MB.
    pub megabytes: f64,
    /// How it stands to its limit.
    pub ratio: String,
}

/// One limit, measured in the same run.
pub struct Limit {
    /// What was done.
    pub name: String,
    /// How many of them a second.
    pub rate: f64,
    /// What else is to be known: CPU each, how it was checked.
    pub note: String,
}

/// What half of the values do not exceed; of none, the default.
pub fn median<T: PartialOrd + Copy + Default>(mut values: Vec<T>) -> T {
    values.sort_by(|one, other| one.partial_cmp(other).unwrap_or(Ordering::Equal));
    values.get(values.len() / 2).copied().unwrap_or_default()
}

/// What was promised of a figure.
pub struct Bar {
    /// Of which.
    pub name: String,
    /// What was found.
    pub measured: String,
    /// What was promised.
    pub bar: String,
    /// Whether it was kept; none where the figure counts for nothing.
    pub is_met: Option<bool>,
}

/// Everything that one table has found.
#[derive(Default)]
pub struct Report {
    /// The paths.
    pub figures: Vec<Figure>,
    /// The limits.
    pub limits: Vec<Limit>,
    /// The verdicts.
    pub bars: Vec<Bar>,
}

impl Report {
    /// Prints what there is.
    pub fn print(&self) {
        if !self.bars.is_empty() {
            println!("{}", bars(&self.bars));
        }
        println!("{}", figures(&self.figures));
        if !self.limits.is_empty() {
            println!("{}", limits(&self.limits));
        }
    }
}

impl Figure {
    /// Whether every answer was the expected one. Otherwise the figure is one of something else.
    pub fn is_valid(&self) -> bool {
        self.tally.is_all(self.expected)
    }
}

impl Bar {
    /// Holds a number against its bar, for figures that are valid.
    pub fn at_least(name: &str, found: f64, bar: f64, unit: &str, is_valid: bool) -> Self {
        Self::new(name, found, format!("≥ {}", short(bar)), unit, is_valid.then_some(found >= bar))
    }

    /// Holds a number against its bar from below.
    pub fn at_most(name: &str, found: f64, bar: f64, unit: &str, is_valid: bool) -> Self {
        Self::new(name, found, format!("≤ {}", short(bar)), unit, is_valid.then_some(found <= bar))
    }

    fn new(name: &str, found: f64, bar: String, unit: &str, is_met: Option<bool>) -> Self {
        Self { name: name.to_owned(), measured: format!("{}{unit}", short(found)), bar: format!("{bar}{unit}"), is_met }
    }
}

/// A number with as many digits as it deserves.
pub fn short(number: f64) -> String {
    match number.abs() {
        n if n >= 1000.0 => grouped(&format!("{number:.0}")),
        n if n >= 100.0 => format!("{number:.0}"),
        n if n >= 10.0 => format!("{number:.1}"),
        _ => format!("{number:.2}"),
    }
}

/// Digits in groups of three.
fn grouped(digits: &str) -> String {
    let ends = (0..digits.len()).map(|at| (digits.len() - at).is_multiple_of(3) && at > 0);
    digits.chars().zip(ends).flat_map(|(digit, is_end)| is_end.then_some(',').into_iter().chain([digit])).collect()
}

/// A Markdown table.
pub fn table(head: &[&str], rows: &[Vec<String>]) -> String {
    let line = |cells: &mut dyn Iterator<Item = &str>| format!("| {} |\n", cells.collect::<Vec<_>>().join(" | "));
    let mut text = line(&mut head.iter().copied());
    text += &format!("|{}\n", "---|".repeat(head.len()));
    for row in rows {
        text += &line(&mut row.iter().map(String::as_str));
    }
    text
}

/// The figures as a table.
fn figures(figures: &[Figure]) -> String {
    let head = [
        "Path",
        "Engine",
        "Connections",
        "Requests/s",
        "p50 ms",
        "p99 ms",
        "Server CPU µs a request",
        "Memory MB",
        "Answers",
        "Against its limit",
    ];
    let row = |figure: &Figure| {
        let (tally, void) = (&figure.tally, if figure.is_valid() { "" } else { "**void** " });
        vec![
            figure.path.to_owned(),
            figure.engine.name().to_owned(),
            figure.connections.to_string(),
            format!("{void}{}", short(tally.rate())),
            short(tally.quantile(0.5)),
            short(tally.quantile(0.99)),
            if tally.cpu.is_zero() { "–".to_owned() } else { short(tally.micros_each()) },
            short(figure.megabytes),
            tally.statuses(),
            figure.ratio.clone(),
        ]
    };
    table(&head, &figures.iter().map(row).collect::<Vec<_>>())
}

/// The limits as a table.
fn limits(limits: &[Limit]) -> String {
    let row = |limit: &Limit| vec![limit.name.clone(), short(limit.rate), limit.note.clone()];
    table(&["Limit, measured in the same run", "A second", "Note"], &limits.iter().map(row).collect::<Vec<_>>())
}

/// The verdicts as a table.
pub fn bars(bars: &[Bar]) -> String {
    let row = |bar: &Bar| {
        let verdict = match bar.is_met {
            Some(true) => "met",
            Some(false) => "**not met**",
            None => "**void**: answers other than the expected one",
        };
        vec![bar.name.clone(), bar.measured.clone(), bar.bar.clone(), verdict.to_owned()]
    };
    table(&["Figure", "Measured", "Bar", "Verdict"], &bars.iter().map(row).collect::<Vec<_>>())
}
