//! Another phone, for an account that has a second factor.

use super::{CurrentProblem, Frame, Notice, shown_by};

/// What happens, and the present password.
#[derive(Clone, Debug)]
pub struct AccountApp {
    /// Where one goes without changing anything.
    pub account_url: String,
    /// Where the form goes.
    pub action: String,
    /// What was wrong with the present password at the last attempt.
    pub current: Option<CurrentProblem>,
    /// Whether an app may be bound by this person at this place; if not, there is no form.
    pub may: bool,
    /// The name of the network one stands in, if it is one of the canton's.
    pub place: Option<String>,
    /// The name it belongs to, for the password safe of the browser.
    pub username: String,
}

shown_by!(AccountApp, "account_app.html");

impl AccountApp {
    fn notice(&self, frame: &Frame<'_>) -> Option<Notice> {
        self.current.map(|problem| problem.notice(frame))
    }

    fn text(&self, frame: &Frame<'_>) -> String {
        match (self.may, &self.place) {
            (true, _) => frame.say("account-app-text").into_owned(),
            (false, Some(zone)) => frame
                .given("zone", zone.as_str())
                .say("account-app-not-here"),
            (false, None) => frame.say("account-app-not-yours").into_owned(),
        }
    }

    fn wrong(&self) -> bool {
        self.current == Some(CurrentProblem::Wrong)
    }
}

#[cfg(test)]
impl super::Samples for AccountApp {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            account_url: "/account".to_owned(),
            action: "/account/app".to_owned(),
            current: None,
            may: true,
            place: None,
            username: "sophie.rey".to_owned(),
        };
        let wrong = Self {
            current: Some(CurrentProblem::Wrong),
            ..plain.clone()
        };
        let inside = Self {
            may: false,
            place: Some("Centre scolaire de Martigny".to_owned()),
            ..plain.clone()
        };
        let token = Self {
            may: false,
            ..plain.clone()
        };
        vec![
            ("wrong", wrong),
            ("inside", inside),
            ("token", token),
            ("plain", plain),
        ]
    }
}
