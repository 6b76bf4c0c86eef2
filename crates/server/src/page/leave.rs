//! After a sign-out: which applications are still open, as far as anybody knows.

use serde::{Deserialize, Serialize};

use super::{Frame, shown_by};

/// The page.
#[derive(Clone, Debug)]
pub struct Leave {
    /// The applications, in the order they were entered.
    pub rows: Vec<LeaveRow>,
    /// Back to the application that asked for the sign-out, if one did.
    pub back: Option<String>,
}

/// One application.
#[derive(Clone, Debug)]
pub struct LeaveRow {
    /// What people call it.
    pub name: String,
    /// What is known of it.
    pub state: LeaveState,
    /// Where one signs out of it; none if it takes no such request.
    pub url: Option<String>,
}

/// What is known of an application after a sign-out.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum LeaveState {
    /// It answered that it could not.
    Failed,
    /// It was asked and has not answered.
    NoAnswer,
    /// Nobody asked it yet.
    Open,
    /// It answered that the session is gone.
    Out,
}

shown_by!(Leave, "leave.html");

impl LeaveRow {
    fn said(&self, frame: &Frame<'_>) -> String {
        let key = match self.state {
            LeaveState::Failed => "leave-failed",
            LeaveState::NoAnswer => "leave-no-answer",
            LeaveState::Open => "leave-open",
            LeaveState::Out => "leave-out",
        };
        frame.say(key).into_owned()
    }

    fn button(&self) -> Option<&str> {
        let again = self.state != LeaveState::Out;
        self.url.as_deref().filter(|_| again)
    }
}

#[cfg(test)]
impl super::Samples for Leave {
    fn samples() -> Vec<(&'static str, Self)> {
        let row = |name: &str, state| LeaveRow {
            name: name.to_owned(),
            state,
            url: Some("/saml/leave/ism".to_owned()),
        };
        let plain = Self {
            rows: vec![
                row("ISM", LeaveState::Open),
                row("Moodle", LeaveState::Out),
                row("Escada", LeaveState::NoAnswer),
                row("Nextcloud", LeaveState::Failed),
            ],
            back: Some("/saml/leave?back=1".to_owned()),
        };
        let alone = Self {
            back: None,
            ..plain.clone()
        };
        vec![("alone", alone), ("plain", plain)]
    }
}
