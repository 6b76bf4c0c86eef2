//! The driver's browser for threads that wait: each call ends before the next begins.

use std::io;
use std::sync::Arc;
use std::time::Duration;

pub(super) use driver::{Answer, Trouble as Broken};
use driver::{Asked, Site};
use tokio::runtime::{Builder, Runtime};
use tokio::time::timeout;

/// Longer than any answer takes on a busy machine.
const PATIENCE: Duration = Duration::from_secs(20);

/// A browser, and what its one connection runs on.
#[derive(Debug)]
pub(super) struct Browser {
    driven: driver::Browser,
    runtime: Runtime,
}

impl Browser {
    /// A browser that was never here.
    pub(super) fn new(site: &Arc<Site>, from: &'static str) -> io::Result<Self> {
        Ok(Self {
            driven: driver::Browser::new(site, from),
            runtime: Builder::new_current_thread().enable_all().build()?,
        })
    }

    /// Ends the connection; the cookies stay.
    pub(super) fn hangs_up(&mut self) {
        self.driven.hangs_up();
    }

    /// Carries the device to another network.
    pub(super) fn goes_to(&mut self, from: &'static str) {
        self.driven.goes_to(from);
    }

    /// Forgets all cookies.
    pub(super) fn forgets(&mut self) {
        self.driven.forget();
    }

    pub(super) fn cookie(&self, name: &str) -> Option<&str> {
        self.driven.cookie(name)
    }

    /// Takes a cookie that was kept elsewhere.
    pub(super) fn takes(&mut self, name: &str, value: &str) {
        self.driven.takes(name, value);
    }

    pub(super) fn get(&mut self, path: &str) -> Result<Answer, Broken> {
        wait(&self.runtime, self.driven.get(path))
    }

    pub(super) fn post(&mut self, path: &str, fields: &[(&str, &str)]) -> Result<Answer, Broken> {
        wait(&self.runtime, self.driven.post(path, fields))
    }

    /// The application redeems a code.
    pub(super) fn redeem(&mut self, asked: &Asked, code: &str) -> Result<Answer, Broken> {
        wait(&self.runtime, self.driven.redeem(asked, code))
    }

    /// The application asks who somebody is.
    pub(super) fn userinfo(&mut self, token: &str) -> Result<Answer, Broken> {
        wait(&self.runtime, self.driven.userinfo(token))
    }

    /// The code in a redirect back to the application.
    pub(super) fn code_in(&self, answer: &Answer) -> Result<String, Broken> {
        self.driven.code_in(answer)
    }
}

fn wait(
    runtime: &Runtime,
    call: impl Future<Output = Result<Answer, Broken>>,
) -> Result<Answer, Broken> {
    runtime.block_on(async {
        let late = |_| io::Error::from(io::ErrorKind::TimedOut);
        timeout(PATIENCE, call).await.map_err(late)?
    })
}
