//! What was measured, as a table for people and as evidence.

use std::{fs, path::Path, thread::available_parallelism};

use serde_json::{Value, json};

use crate::Trouble;

/// One of the figures that were promised.
pub(crate) struct Figure {
    /// What was measured, in full.
    pub(crate) evidence: Value,
    pub(crate) goal: Goal,
    pub(crate) name: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) value: f64,
}

/// What was promised of it.
#[derive(Clone, Copy)]
pub(crate) enum Goal {
    AtLeast(f64),
    AtMost(f64),
    /// Nothing: it is told, not judged.
    None,
}

impl Figure {
    pub(crate) fn is_met(&self) -> bool {
        match self.goal {
            Goal::AtLeast(goal) => self.value >= goal,
            Goal::AtMost(goal) => self.value <= goal,
            Goal::None => true,
        }
    }

    fn goal(&self) -> String {
        match self.goal {
            Goal::AtLeast(goal) => format!(">= {}", short(goal)),
            Goal::AtMost(goal) => format!("<= {}", short(goal)),
            Goal::None => "none".to_owned(),
        }
    }
}

/// A run.
pub(crate) struct Report {
    pub(crate) command: String,
    pub(crate) figures: Vec<Figure>,
    /// Cores used by others, on average.
    pub(crate) noise: f64,
}

impl Report {
    /// A line a figure.
    pub(crate) fn table(&self) -> String {
        let mut text = format!(
            "\n{:<58} {:>10} {:<14} {:>10}\n",
            "figure", "measured", "", "goal"
        );
        for figure in &self.figures {
            let verdict = if figure.is_met() { "" } else { "  missed" };
            text.push_str(&format!(
                "{:<58} {:>10} {:<14} {:>10}{verdict}\n",
                figure.name,
                short(figure.value),
                figure.unit,
                figure.goal()
            ));
        }
        text.push_str(&format!(
            "\n`{}` on {} cores, {}; others used {:.2} of them meanwhile\n",
            self.command,
            cores(),
            processor(),
            self.noise
        ));
        text
    }

    /// Writes it for others to read.
    pub(crate) fn keep(&self, path: &Path) -> Result<(), Trouble> {
        let figures: Vec<_> = self.figures.iter().map(evidence).collect();
        let evidence = json!({
            "command": self.command,
            "cores": cores(),
            "cores_used_by_others": rounded(self.noise),
            "figures": figures,
            "processor": processor(),
        });
        if let Some(folder) = path.parent() {
            fs::create_dir_all(folder)?;
        }
        Ok(fs::write(
            path,
            format!("{}\n", serde_json::to_string_pretty(&evidence)?),
        )?)
    }
}

fn evidence(figure: &Figure) -> Value {
    json!({
        "name": figure.name,
        "value": rounded(figure.value),
        "unit": figure.unit,
        "goal": figure.goal(),
        "met": figure.is_met(),
        "evidence": figure.evidence,
    })
}

/// Four digits are more than any of this is exact to.
pub(crate) fn rounded(value: f64) -> f64 {
    match value.abs() {
        100.0.. => value.round(),
        1.0.. => (value * 100.0).round() / 100.0,
        _ => (value * 10_000.0).round() / 10_000.0,
    }
}

fn short(value: f64) -> String {
    rounded(value).to_string()
}

fn cores() -> usize {
    available_parallelism().map_or(1, usize::from)
}

fn processor() -> String {
    let known = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let line = known.lines().find(|line| line.starts_with("model name"));
    let name = line
        .and_then(|line| line.split_once(':'))
        .map(|(_, name)| name.trim());
    name.unwrap_or("an unnamed processor").to_owned()
}

#[cfg(test)]
mod tests {
    use super::{Figure, Goal, rounded};

    fn figure(value: f64, goal: Goal) -> Figure {
        Figure {
            evidence: serde_json::Value::Null,
            goal,
            name: "a",
            unit: "",
            value,
        }
    }

    #[test]
    fn a_goal_is_met_on_its_own_side() {
        assert!(figure(0.9, Goal::AtLeast(0.9)).is_met());
        assert!(!figure(0.89, Goal::AtLeast(0.9)).is_met());
        assert!(figure(50.0, Goal::AtMost(50.0)).is_met());
        assert!(!figure(50.1, Goal::AtMost(50.0)).is_met());
    }

    #[test]
    fn figures_are_not_more_exact_than_they_are() {
        assert_eq!(rounded(12_345.6), 12_346.0);
        assert_eq!(rounded(1.23456), 1.23);
        assert_eq!(rounded(0.123_456), 0.1235);
    }
}
