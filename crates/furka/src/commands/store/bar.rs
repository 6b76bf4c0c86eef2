//! How far a walk through a whole database is, seen by people only.

use std::{sync::Mutex, time::Duration};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};
use store::image::Progress;

/// Work shorter than this shows nothing.
const SILENT: Duration = Duration::from_secs(2);

/// A bar with what is being done before it. On a terminal, after two seconds; elsewhere nothing is
/// shown.
pub(crate) struct Bar {
    bar: ProgressBar,
    doing: Mutex<&'static str>,
}

impl Default for Bar {
    fn default() -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::hidden());
        let template = "{msg} {wide_bar} {human_pos} of {human_len} rows, {eta} to go";
        let style = ProgressStyle::with_template(template);
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Self {
            bar,
            doing: Mutex::default(),
        }
    }
}

impl Bar {
    /// Shows how far it is.
    pub(crate) fn show(&self, progress: Progress) {
        if self.bar.is_hidden() && self.bar.elapsed() > SILENT {
            // Where standard error is no terminal, this target draws nothing either.
            self.bar.set_draw_target(ProgressDrawTarget::stderr());
        }
        if let Ok(mut doing) = self.doing.lock()
            && *doing != progress.doing
        {
            *doing = progress.doing;
            self.bar.set_message(progress.doing);
            self.bar.reset_eta();
        }
        self.bar.set_length(progress.of);
        self.bar.set_position(progress.done);
    }

    pub(crate) fn end(&self) {
        self.bar.finish_and_clear();
    }
}
