//! [Guide 2.3] "Vous êtes redirigé vers une page de connexion qui demande le nom d'utilisateur et
//! le mot de passe créés dans la précédente étape."

use super::frame::span;
use super::{Frame, Notice, shown_by};

/// The sign-in page.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// The application one came from, as people call it; none at the provider's own pages.
    pub application: Option<String>,
    /// The sealed ticket of the kept authorization request, empty if there is none.
    pub ticket: String,
    /// Where the form goes.
    pub action: String,
    /// What was typed before, or a hint of the application.
    pub username: String,
    /// What went wrong at the last attempt.
    pub problem: Option<SignInProblem>,
    /// The name of the network one stands in, if it is one of the canton's.
    pub place: Option<String>,
    /// Whether an enrolment begun elsewhere goes on after this.
    pub resumed: bool,
    /// Where those without a password begin.
    pub activation_url: Option<String>,
}

/// Why the sign-in page is shown again. None of them says whether an account exists.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SignInProblem {
    /// The name and the password do not belong together.
    WrongNameOrPassword,
    /// Too many attempts; the next one counts after so many seconds.
    Wait {
        /// Seconds to wait.
        seconds: u64,
    },
    /// The page had been open too long.
    SessionExpired,
    /// All workers are busy; nothing was checked.
    Busy {
        /// Seconds after which it is worth trying.
        seconds: u64,
    },
}

shown_by!(SignIn, "sign_in.html");

impl SignIn {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        Some(match self.problem? {
            SignInProblem::WrongNameOrPassword => {
                Notice::plain(frame, "sign-in-wrong", "sign-in-wrong-cure")
            }
            SignInProblem::Wait { seconds } => {
                let wait = span(frame, seconds);
                let cause = frame.given("wait", wait).say("sign-in-wait");
                Notice::caused(frame, cause, "sign-in-wait-cure")
            }
            SignInProblem::SessionExpired => {
                Notice::plain(frame, "sign-in-expired", "sign-in-expired-cure")
            }
            SignInProblem::Busy { seconds } => {
                let wait = span(frame, seconds);
                let cause = frame.given("wait", wait).say("sign-in-busy");
                Notice::caused(frame, cause, "sign-in-busy-cure")
            }
        })
    }

    /// Whether the two fields themselves are to be corrected.
    fn wrong(&self) -> bool {
        self.problem == Some(SignInProblem::WrongNameOrPassword)
    }
}

#[cfg(test)]
impl super::Samples for SignIn {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            application: Some("ENT".to_owned()),
            ticket: "dGlja2V0".repeat(190),
            action: "/login".to_owned(),
            username: String::new(),
            problem: None,
            place: None,
            resumed: false,
            activation_url: Some("/activate".to_owned()),
        };
        let again = |problem| Self {
            username: "sophie.rey".to_owned(),
            problem: Some(problem),
            ..plain.clone()
        };
        vec![
            ("wrong", again(SignInProblem::WrongNameOrPassword)),
            ("wait", again(SignInProblem::Wait { seconds: 30 })),
            ("wait-long", again(SignInProblem::Wait { seconds: 1800 })),
            ("expired", again(SignInProblem::SessionExpired)),
            ("busy", again(SignInProblem::Busy { seconds: 5 })),
            (
                "inside",
                Self {
                    place: Some("Centre scolaire de Martigny".to_owned()),
                    ..plain.clone()
                },
            ),
            (
                "resumed",
                Self {
                    resumed: true,
                    ..plain.clone()
                },
            ),
            (
                "own",
                Self {
                    application: None,
                    activation_url: None,
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}
