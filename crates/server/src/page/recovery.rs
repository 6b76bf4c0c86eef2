//! Recovery codes: how many are left, the sheet that is shown once, the code that is typed without the phone,
//! and the question what is lost.

use journey::{Method, Timestamp};

use super::{Frame, Notice, Who, shown_by, time};

/// What a person may know of their codes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecoveryStanding {
    /// There are some.
    Made {
        /// When.
        at: Timestamp,
        /// How many may still be used.
        left: u8,
    },
    /// There are none.
    None,
}

/// Whether new codes may be made here and now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecoveryMay {
    /// With a button.
    Make,
    /// There is no second factor yet that a code could stand for.
    NotEnrolled,
    /// Not in this network, where no factor is bound.
    NotHere,
    /// Not by who was let in with such a code.
    NotWithACode,
}

/// « Codes de secours », on one's own account.
#[derive(Clone, Debug)]
pub struct RecoverySheet {
    /// Where the button goes.
    pub action: String,
    /// Whether there is one.
    pub may: RecoveryMay,
    /// Whether the second factor was proven just now: else it is asked for first.
    pub proven: bool,
    /// The set whose place a new one takes; empty if there is none.
    pub set: String,
    /// How many are left.
    pub standing: RecoveryStanding,
    /// What the network is called, where none may be made.
    pub zone: String,
}

/// The codes, shown once.
#[derive(Clone, Debug)]
pub struct RecoveryMade {
    /// As they are printed.
    pub codes: Vec<String>,
    /// When they were made.
    pub made: Timestamp,
    /// Whose they are.
    pub username: String,
}

/// The page that asks for a code that was kept.
#[derive(Clone, Debug)]
pub struct RecoveryCode {
    /// Where the forms go: the code, and `action=kept`.
    pub action: String,
    /// What went wrong at the last attempt.
    pub problem: Option<RecoveryProblem>,
    /// Who is signing in.
    pub who: Option<Who>,
}

/// Why a recovery code was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RecoveryProblem {
    /// Not of a code's length; it did not count.
    Malformed,
    /// The code was right, and has been used.
    Replayed,
    /// None of theirs.
    Wrong {
        /// Attempts left on this journey.
        tries_left: u8,
    },
}

/// A code was right: what is lost?
#[derive(Clone, Debug)]
pub struct Replacement {
    /// Where the buttons `action=replace` and `action=kept` go.
    pub action: String,
    /// Whether a new app may be set up in this network.
    pub here: bool,
    /// How many codes are left.
    pub left: u8,
    /// What they proved with.
    pub method: Option<Method>,
    /// Who is signing in.
    pub who: Option<Who>,
}

shown_by!(RecoverySheet, "recovery_sheet.html");
shown_by!(RecoveryMade, "recovery_made.html");
shown_by!(RecoveryCode, "recovery_code.html");
shown_by!(Replacement, "replacement.html");

impl RecoveryStanding {
    /// One sentence.
    pub(super) fn text(self, frame: &Frame<'_>) -> String {
        match self {
            Self::None => frame.say("recovery-none").into_owned(),
            Self::Made { at, left } => frame
                .given("left", left)
                .given("when", time::day_and_clock(frame, at))
                .say("recovery-left"),
        }
    }
}

impl RecoverySheet {
    fn has_some(&self) -> bool {
        self.standing != RecoveryStanding::None
    }

    fn may_make(&self) -> bool {
        self.may == RecoveryMay::Make
    }

    /// Why there is no button.
    fn why_not(&self, frame: &Frame<'_>) -> String {
        match self.may {
            RecoveryMay::Make => String::new(),
            RecoveryMay::NotEnrolled => frame.say("recovery-not-enrolled").into_owned(),
            RecoveryMay::NotHere => frame
                .given("zone", self.zone.as_str())
                .say("recovery-not-here"),
            RecoveryMay::NotWithACode => frame.say("recovery-not-with-a-code").into_owned(),
        }
    }
}

impl RecoveryMade {
    fn made(&self, frame: &Frame<'_>) -> String {
        frame
            .given("username", self.username.as_str())
            .given("when", time::day_and_clock(frame, self.made))
            .say("recovery-made-when")
    }
}

impl RecoveryCode {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        Some(match self.problem? {
            RecoveryProblem::Malformed => {
                Notice::plain(frame, "recovery-malformed", "recovery-malformed-cure")
            }
            RecoveryProblem::Replayed => {
                Notice::plain(frame, "code-replayed", "recovery-replayed-cure")
            }
            RecoveryProblem::Wrong { tries_left } => {
                Notice::plain(frame, "recovery-wrong", "recovery-wrong-cure")
                    .with_tries_left(frame, tries_left)
            }
        })
    }
}

impl Replacement {
    fn text(&self, frame: &Frame<'_>) -> String {
        let text = match self.method {
            Some(Method::Token) => "replacement-token",
            Some(Method::Sms) => "replacement-sms",
            Some(Method::App) | None => "replacement-app",
        };
        frame.say(text).into_owned()
    }

    fn left(&self, frame: &Frame<'_>) -> String {
        frame.given("left", self.left).say("replacement-left")
    }
}

#[cfg(test)]
impl super::Samples for RecoverySheet {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            action: "/account/recovery-codes".to_owned(),
            may: RecoveryMay::Make,
            proven: true,
            set: "0199a1b2".to_owned(),
            standing: RecoveryStanding::Made {
                at: Timestamp(1_786_946_100),
                left: 5,
            },
            zone: "Centre scolaire de Martigny".to_owned(),
        };
        let none = Self {
            proven: false,
            set: String::new(),
            standing: RecoveryStanding::None,
            ..plain.clone()
        };
        let not = |may| Self {
            may,
            ..none.clone()
        };
        vec![
            ("not-enrolled", not(RecoveryMay::NotEnrolled)),
            ("not-here", not(RecoveryMay::NotHere)),
            ("not-with-a-code", not(RecoveryMay::NotWithACode)),
            ("none", none.clone()),
            ("plain", plain),
        ]
    }
}

#[cfg(test)]
impl super::Samples for RecoveryMade {
    fn samples() -> Vec<(&'static str, Self)> {
        let code = |letter: char| format!("{letter}7QF2-9XPTM-K4WCB");
        let plain = Self {
            codes: "ABCDEFGH".chars().map(code).collect(),
            made: Timestamp(1_786_946_100),
            username: "sophie.rey".to_owned(),
        };
        vec![("plain", plain)]
    }
}

#[cfg(test)]
impl super::Samples for RecoveryCode {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            action: "/login/0199a1b2".to_owned(),
            problem: None,
            who: Some(Who::sample()),
        };
        let again = |problem| Self {
            problem: Some(problem),
            ..plain.clone()
        };
        vec![
            ("wrong", again(RecoveryProblem::Wrong { tries_left: 3 })),
            ("replayed", again(RecoveryProblem::Replayed)),
            ("malformed", again(RecoveryProblem::Malformed)),
            ("plain", plain),
        ]
    }
}

#[cfg(test)]
impl super::Samples for Replacement {
    fn samples() -> Vec<(&'static str, Self)> {
        let of = |method, here, left| Self {
            action: "/login/0199a1b2".to_owned(),
            here,
            left,
            method: Some(method),
            who: Some(Who::sample()),
        };
        vec![
            ("sms", of(Method::Sms, true, 1)),
            ("token", of(Method::Token, true, 0)),
            ("inside", of(Method::App, false, 7)),
            ("plain", of(Method::App, true, 7)),
        ]
    }
}
