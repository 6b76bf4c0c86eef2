//! A bar for work that takes long, seen by people only.

use std::{pin::pin, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const SILENT: Duration = Duration::from_secs(2);
/// How often what only shows that it lives moves.
const TICK: Duration = Duration::from_millis(100);

/// How far a command is. On a terminal, after two seconds; elsewhere nothing is shown.
pub(crate) struct Progress {
    bar: ProgressBar,
}

impl Progress {
    /// Counts things of unknown number.
    pub(crate) fn new(what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template("{spinner} {pos} {msg}, {per_sec}, {elapsed}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
        bar.set_message(what);
        Self { bar }
    }

    /// Counts so many things.
    pub(crate) fn of(all: u64, what: &'static str) -> Self {
        let bar = ProgressBar::with_draw_target(Some(all), ProgressDrawTarget::hidden());
        let style = ProgressStyle::with_template(
            "{bar:40} {pos}/{len} {msg}, {per_sec}, {elapsed}, {eta} left",
        );
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        bar.set_message(what);
        Self { bar }
    }

    /// Shows that something goes on of which nobody knows how far it is.
    pub(crate) async fn during<T>(what: &'static str, work: impl Future<Output = T>) -> T {
        let mut work = pin!(work);
        tokio::select! {
            done = &mut work => return done,
            () = tokio::time::sleep(SILENT) => {}
        }
        let bar = ProgressBar::new_spinner();
        bar.set_message(what);
        bar.enable_steady_tick(TICK);
        let done = work.await;
        bar.finish_and_clear();
        done
    }

    pub(crate) fn one_more(&self) {
        self.more(1);
    }

    pub(crate) fn more(&self, number: u64) {
        if self.bar.is_hidden() && self.bar.elapsed() > SILENT {
            // Where standard error is no terminal, this target draws nothing either.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(number);
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
