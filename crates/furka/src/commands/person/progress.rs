//! A bar for work that takes long, seen by people only.

use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// Work shorter than this shows nothing.
const SILENT: Duration = Duration::from_secs(2);

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

    pub(crate) fn one_more(&self) {
        if self.bar.is_hidden() && self.bar.elapsed() > SILENT {
            // Where standard error is no terminal, this target draws nothing either.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        self.bar.inc(1);
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
