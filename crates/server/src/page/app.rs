//! The authenticator app: its three numbered steps at enrolment, its code ever after.
//!
//! [Guide 4.2] "Celle-ci vous servira à l'avenir à entrer les codes d'authentification forte et
//! ainsi ne plus passer par le SMS."

use super::{Frame, Notice, Step, Who, qr, shown_by};

/// The page with the QR code.
#[derive(Clone, Debug)]
pub struct AppEnrolment {
    /// The `otpauth://` address, for the QR code and for those who read this page on the phone.
    pub link: String,
    /// The key in Base32 without blanks; it is shown in groups of four.
    pub key: String,
    /// Where the form goes.
    pub action: String,
    /// Who is enrolling.
    pub who: Option<Who>,
    /// What went wrong at the last attempt.
    pub problem: Option<AppCodeProblem>,
    /// Where one stands.
    pub step: Option<Step>,
}

/// The page that asks for the app's code.
#[derive(Clone, Debug)]
pub struct AppCode {
    /// Where the form goes.
    pub action: String,
    /// Who is signing in.
    pub who: Option<Who>,
    /// What went wrong at the last attempt.
    pub problem: Option<AppCodeProblem>,
    /// Whether a recovery code is taken instead: `action=lost`.
    pub recovery: bool,
}

/// Why a code of the app was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum AppCodeProblem {
    /// No code of this key.
    Wrong {
        /// Attempts left on this journey.
        tries_left: u8,
    },
    /// The code was right, and has been used.
    Replayed,
    /// Not six digits; it did not count.
    Malformed,
    /// The code of another minute.
    ClockOff {
        /// About how many minutes.
        minutes: u32,
        /// In which direction.
        clock: Clock,
    },
}

/// How a phone's clock is wrong.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Clock {
    /// It is ahead.
    Fast,
    /// It is behind.
    Slow,
}

shown_by!(AppEnrolment, "app_enrolment.html");
shown_by!(AppCode, "app_code.html");

impl AppEnrolment {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        self.problem
            .map(|problem| problem.notice(frame, "app-wrong-enrolling-cure"))
    }

    fn qr(&self) -> Option<String> {
        qr::svg(&self.link)
    }

    /// `JBSW Y3DP …`: four letters are what one keeps in mind on the way to the phone.
    fn key_in_groups(&self) -> String {
        let mut text = String::with_capacity(self.key.len() * 5 / 4);
        for (at, letter) in self.key.chars().enumerate() {
            if at > 0 && at % 4 == 0 {
                text.push(' ');
            }
            text.push(letter);
        }
        text
    }
}

impl AppCode {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        self.problem
            .map(|problem| problem.notice(frame, "app-wrong-cure"))
    }
}

impl AppCodeProblem {
    fn notice(self, frame: &Frame<'_>, wrong_cure: &str) -> Notice {
        match self {
            Self::Wrong { tries_left } => {
                Notice::plain(frame, "app-wrong", wrong_cure).with_tries_left(frame, tries_left)
            }
            Self::Replayed => Notice::plain(frame, "code-replayed", "app-replayed-cure"),
            Self::Malformed => Notice::plain(frame, "code-malformed", "code-malformed-cure"),
            Self::ClockOff { minutes, clock } => {
                let cause = frame.given("minutes", minutes.max(1)).say(match clock {
                    Clock::Fast => "app-clock-fast",
                    Clock::Slow => "app-clock-slow",
                });
                Notice::caused(frame, cause, "app-clock-cure")
            }
        }
    }
}

#[cfg(test)]
const PROBLEMS: [(&str, AppCodeProblem); 5] = [
    ("wrong", AppCodeProblem::Wrong { tries_left: 3 }),
    ("replayed", AppCodeProblem::Replayed),
    ("malformed", AppCodeProblem::Malformed),
    (
        "slow",
        AppCodeProblem::ClockOff {
            minutes: 4,
            clock: Clock::Slow,
        },
    ),
    (
        "fast",
        AppCodeProblem::ClockOff {
            minutes: 1,
            clock: Clock::Fast,
        },
    ),
];

#[cfg(test)]
impl super::Samples for AppEnrolment {
    fn samples() -> Vec<(&'static str, Self)> {
        let key = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
        let plain = Self {
            link: format!("otpauth://totp/Valais:sophie.rey?secret={key}&issuer=Valais"),
            key: key.to_owned(),
            action: "/login/0199a1b2".to_owned(),
            who: Some(Who::sample()),
            problem: None,
            step: Some(Step { at: 3, of: 3 }),
        };
        let mut samples: Vec<_> = PROBLEMS
            .into_iter()
            .map(|(name, problem)| {
                (
                    name,
                    Self {
                        problem: Some(problem),
                        ..plain.clone()
                    },
                )
            })
            .collect();
        samples.push(("plain", plain));
        samples
    }
}

#[cfg(test)]
impl super::Samples for AppCode {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            action: "/login/0199a1b2".to_owned(),
            who: Some(Who::sample()),
            problem: None,
            recovery: false,
        };
        let mut samples: Vec<_> = PROBLEMS
            .into_iter()
            .map(|(name, problem)| {
                (
                    name,
                    Self {
                        problem: Some(problem),
                        ..plain.clone()
                    },
                )
            })
            .collect();
        let recovery = Self {
            recovery: true,
            ..plain.clone()
        };
        samples.push(("recovery", recovery));
        samples.push(("plain", plain));
        samples
    }
}
