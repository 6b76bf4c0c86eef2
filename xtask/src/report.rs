//! The table of what ran, printed at the end.

use std::time::{Duration, Instant};

use crate::workshop::Trouble;

/// What ran so far, and how long it took.
#[derive(Default)]
pub(crate) struct Report {
    rows: Vec<Row>,
}

struct Row {
    step: &'static str,
    took: Duration,
    result: String,
}

impl Report {
    /// Runs one step and notes it; what it returns on success stands in the table.
    pub(crate) fn step(
        &mut self,
        step: &'static str,
        work: impl FnOnce() -> Result<String, Trouble>,
    ) -> Result<(), Trouble> {
        println!("\n── {step}");
        let started = now();
        let outcome = work();
        let result = match &outcome {
            Ok(result) => result.clone(),
            Err(_) => "FAILED".to_owned(),
        };
        self.rows.push(Row {
            step,
            took: now().duration_since(started),
            result,
        });
        match outcome {
            Ok(_) => Ok(()),
            Err(trouble) => Err(Trouble::new(format!("step `{step}` failed: {trouble}"))),
        }
    }

    /// The table, a line each step.
    pub(crate) fn table(&self) -> String {
        let mut text = format!("\n{:<28} {:>8}  result\n", "step", "seconds");
        for Row { step, took, result } in &self.rows {
            text.push_str(&format!(
                "{step:<28} {:>8.1}  {result}\n",
                took.as_secs_f64()
            ));
        }
        text
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how long a build step took is not the product's time"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
mod tests {
    use super::Report;
    use crate::workshop::Trouble;

    #[test]
    fn a_failed_step_is_in_the_table_and_in_the_sentence() {
        let mut report = Report::default();
        report.step("format", || Ok("ok".to_owned())).unwrap();
        let trouble = report
            .step("clippy", || Err(Trouble::new("two warnings")))
            .unwrap_err();
        assert_eq!(trouble.to_string(), "step `clippy` failed: two warnings");
        let table = report.table();
        assert!(
            table
                .lines()
                .any(|line| line.starts_with("format") && line.ends_with("ok"))
        );
        assert!(
            table
                .lines()
                .any(|line| line.starts_with("clippy") && line.ends_with("FAILED"))
        );
    }
}
