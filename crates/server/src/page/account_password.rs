//! A new password for an account that has one.

use super::frame::span;
use super::{ActivationPassword, Frame, Notice, shown_by};

/// The present password, and the new one with its rules in words.
#[derive(Clone, Debug)]
pub struct AccountPassword {
    /// Where one goes without changing anything.
    pub account_url: String,
    /// What was wrong with the present password at the last attempt.
    pub current: Option<CurrentProblem>,
    /// The new one: the same as at the activation.
    pub new: ActivationPassword,
}

/// Why the present password does not open the change.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum CurrentProblem {
    /// It is another one.
    Wrong,
    /// Too many attempts.
    Wait {
        /// Seconds until the next one counts.
        seconds: u64,
    },
}

/// The password is another one.
#[derive(Clone, Debug)]
pub struct AccountPasswordDone {
    /// Back to the account.
    pub account_url: String,
}

shown_by!(AccountPassword, "account_password.html");
shown_by!(AccountPasswordDone, "account_password_done.html");

impl CurrentProblem {
    pub(super) fn notice(self, frame: &Frame<'_>) -> Notice {
        match self {
            Self::Wrong => Notice::plain(
                frame,
                "account-password-wrong",
                "account-password-wrong-cure",
            ),
            Self::Wait { seconds } => {
                let wait = span(frame, seconds);
                let cause = frame.given("wait", wait).say("sign-in-wait");
                Notice::caused(frame, cause, "account-password-wait-cure")
            }
        }
    }
}

impl AccountPassword {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        match self.current {
            None => self.new.notice(frame),
            Some(problem) => Some(problem.notice(frame)),
        }
    }

    fn new_password(&self) -> &ActivationPassword {
        &self.new
    }

    fn wrong(&self) -> bool {
        self.current == Some(CurrentProblem::Wrong)
    }
}

#[cfg(test)]
impl super::Samples for AccountPassword {
    fn samples() -> Vec<(&'static str, Self)> {
        let new = |mut new: ActivationPassword| {
            new.action = "/account/password".to_owned();
            new.by_code = false;
            new.step = None;
            new
        };
        let with = |current, new| Self {
            account_url: "/account".to_owned(),
            current,
            new,
        };
        let samples = ActivationPassword::samples().into_iter();
        let mut samples: Vec<_> = samples
            .map(|(name, page)| (name, with(None, new(page))))
            .collect();
        if let Some((_, plain)) = samples.last().cloned() {
            let wait = CurrentProblem::Wait { seconds: 60 };
            samples.push((
                "wrong",
                with(Some(CurrentProblem::Wrong), plain.new.clone()),
            ));
            samples.push(("wait", with(Some(wait), plain.new)));
        }
        samples
    }
}

#[cfg(test)]
impl super::Samples for AccountPasswordDone {
    fn samples() -> Vec<(&'static str, Self)> {
        let account_url = "/account".to_owned();
        vec![("plain", Self { account_url })]
    }
}
