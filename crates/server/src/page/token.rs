//! The hardware Token: its code, and two codes in a row when it has drifted away.

use super::{Frame, Notice, Who, shown_by};

/// The page that asks for the Token's code.
#[derive(Clone, Debug)]
pub struct TokenCode {
    /// The last digits of the serial number on its back.
    pub serial_end: String,
    /// Where the forms go: the code, and `action=resync`.
    pub action: String,
    /// Who is signing in.
    pub who: Option<Who>,
    /// What went wrong at the last attempt.
    pub problem: Option<TokenProblem>,
    /// How many codes are asked for.
    pub ask: TokenAsk,
    /// Whether a recovery code is taken instead: `action=lost`.
    pub recovery: bool,
}

/// How many codes are asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenAsk {
    /// The one on the display, in `code`.
    One,
    /// Two in a row, in `code` and `next_code`, to find the Token again.
    TwoInARow,
}

/// Why a code of the Token was refused.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum TokenProblem {
    /// No code of this Token.
    Wrong {
        /// Attempts left on this journey.
        tries_left: u8,
    },
    /// The code was right, and has been used.
    Replayed,
    /// Not a code of this Token's length; it did not count.
    Malformed,
    /// The two codes are not two of this Token in a row.
    NotInARow,
}

shown_by!(TokenCode, "token_code.html");

impl TokenCode {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        Some(match self.problem? {
            TokenProblem::Wrong { tries_left } => {
                Notice::plain(frame, "token-wrong", "token-wrong-cure")
                    .with_tries_left(frame, tries_left)
            }
            TokenProblem::Replayed => Notice::plain(frame, "code-replayed", "token-replayed-cure"),
            TokenProblem::Malformed => {
                Notice::plain(frame, "token-malformed", "token-malformed-cure")
            }
            TokenProblem::NotInARow => {
                Notice::plain(frame, "token-not-in-a-row", "token-not-in-a-row-cure")
            }
        })
    }

    fn resyncing(&self) -> bool {
        self.ask == TokenAsk::TwoInARow
    }
}

#[cfg(test)]
impl super::Samples for TokenCode {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            serial_end: "4711".to_owned(),
            action: "/login/0199a1b2".to_owned(),
            who: Some(Who::sample()),
            problem: None,
            ask: TokenAsk::One,
            recovery: false,
        };
        let again = |problem| Self {
            problem: Some(problem),
            ..plain.clone()
        };
        let two = Self {
            ask: TokenAsk::TwoInARow,
            ..plain.clone()
        };
        vec![
            ("wrong", again(TokenProblem::Wrong { tries_left: 3 })),
            ("replayed", again(TokenProblem::Replayed)),
            ("malformed", again(TokenProblem::Malformed)),
            ("resync", two.clone()),
            (
                "not-in-a-row",
                Self {
                    problem: Some(TokenProblem::NotInARow),
                    ..two
                },
            ),
            (
                "recovery",
                Self {
                    recovery: true,
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}
