//! Two sides in turns, and the ratio of their times.
#![allow(dead_code, reason = "each bench uses a part of it")]

use std::time::{Duration, Instant};

/// How many turns each side has, after one that does not count.
#[derive(Clone, Copy)]
pub(crate) struct Turns(pub(crate) usize);

/// What the command line asks for.
pub(crate) struct Arguments {
    all: Vec<String>,
    pub(crate) entities: usize,
    pub(crate) turns: Turns,
}

impl Arguments {
    pub(crate) fn read() -> Self {
        let all: Vec<String> = std::env::args().collect();
        let number = all.iter().position(|argument| argument == "--entities").and_then(|at| all.get(at + 1));
        let entities = number.map_or(100_000, |number| number.parse().expect("--entities takes a number"));
        let turns = if all.iter().any(|argument| argument == "--quick") { Turns(5) } else { Turns(31) };
        Self { all, entities, turns }
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.all.iter().any(|argument| argument == name)
    }
}

/// The times of both sides, turn by turn.
pub(crate) struct Report {
    by_hand: Vec<Duration>,
    ours: Vec<Duration>,
}

fn time(side: &mut impl FnMut()) -> Duration {
    let began = Instant::now();
    side();
    began.elapsed()
}

fn median<T: Copy + PartialOrd>(all: impl Iterator<Item = T>) -> T {
    let mut all: Vec<T> = all.collect();
    all.sort_by(|a, b| a.partial_cmp(b).expect("times compare"));
    all[all.len() / 2]
}

impl Turns {
    /// Fewer turns, for what takes long.
    pub(crate) fn few(self) -> Self {
        Self(self.0.div_ceil(6))
    }

    /// Neighbouring turns meet the same noise; who begins changes from turn to turn.
    pub(crate) fn measure(self, mut by_hand: impl FnMut(), mut ours: impl FnMut()) -> Report {
        let mut report = Report { by_hand: Vec::new(), ours: Vec::new() };
        by_hand();
        ours();
        for turn in 0..self.0 {
            if turn % 2 == 0 {
                report.by_hand.push(time(&mut by_hand));
                report.ours.push(time(&mut ours));
            } else {
                report.ours.push(time(&mut ours));
                report.by_hand.push(time(&mut by_hand));
            }
        }
        report
    }
}

impl Report {
    pub(crate) fn head() {
        Self::head_of("by hand", "ours");
    }

    pub(crate) fn head_of(one: &str, other: &str) {
        println!("{:<40} {one:>12} {other:>12} {:>8} {:>14} {:>6}", "", "ratio", "(quartiles)", "goal");
    }

    pub(crate) fn print(&self, what: &str, times: usize, goal: f64) {
        let each = |side: &[Duration]| median(side.iter().map(Duration::as_secs_f64)) / times as f64;
        let mut ratios: Vec<f64> = self.ours.iter().zip(&self.by_hand).map(|(a, b)| a.as_secs_f64() / b.as_secs_f64()).collect();
        ratios.sort_by(|a, b| a.partial_cmp(b).expect("ratios compare"));
        let quartile = |n: usize| ratios[(ratios.len() - 1) * n / 4];
        println!(
            "{what:<40} {:>12} {:>12} {:>8.3} {:>14} {goal:>6.3} {}",
            show(each(&self.by_hand)),
            show(each(&self.ours)),
            quartile(2),
            format!("({:.3}-{:.3})", quartile(1), quartile(3)),
            met(quartile(2), goal),
        );
    }

    pub(crate) fn sizes(what: &str, by_hand: u64, ours: u64, goal: f64) {
        let ratio = ours as f64 / by_hand as f64;
        let show = |bytes: u64| format!("{:.1} MB", bytes as f64 / 1e6);
        println!("{what:<40} {:>12} {:>12} {ratio:>8.2} {:>14} {goal:>6.2} {}", show(by_hand), show(ours), "", met(ratio, goal));
    }
}

fn met(ratio: f64, goal: f64) -> &'static str {
    if ratio <= goal { "met" } else { "missed" }
}

fn show(seconds: f64) -> String {
    match seconds {
        s if s < 1e-6 => format!("{:.0} ns", s * 1e9),
        s if s < 1e-3 => format!("{:.2} us", s * 1e6),
        s => format!("{:.2} ms", s * 1e3),
    }
}
