//! "May this application know about you?": what it would be told, in words.

use super::{Frame, Who, shown_by};

/// The page.
#[derive(Clone, Debug)]
pub struct Consent {
    /// What people call the application.
    pub application: String,
    /// What it would be told.
    pub released: Vec<Released>,
    /// The sealed request.
    pub ticket: String,
    /// Where the buttons `action=allow` and `action=deny` go.
    pub action: String,
    /// Whose session it is.
    pub who: Option<Who>,
}

/// Something that an application is told, or may do.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Released {
    /// A number by which it knows the person again.
    Identifier,
    /// The mail address.
    Mail,
    /// It goes on when the person is gone.
    Offline,
    /// The telephone number.
    Phone,
    /// The name, the user name and the language.
    Profile,
    /// What they are: teacher, pupil, staff.
    Role,
}

shown_by!(Consent, "consent.html");

impl Released {
    /// In words.
    pub(super) fn said(self, frame: &Frame<'_>) -> String {
        let key = match self {
            Self::Identifier => "consent-identifier",
            Self::Mail => "consent-mail",
            Self::Offline => "consent-offline",
            Self::Phone => "consent-phone",
            Self::Profile => "consent-profile",
            Self::Role => "consent-role",
        };
        frame.say(key).into_owned()
    }
}

impl Consent {
    fn title(&self, frame: &Frame<'_>) -> String {
        frame
            .given("application", self.application.as_str())
            .say("consent-title")
    }
}

#[cfg(test)]
impl super::Samples for Consent {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            application: "Le Chœur des écoles".to_owned(),
            released: vec![Released::Identifier, Released::Profile],
            ticket: "dGlja2V0".repeat(190),
            action: "/consent".to_owned(),
            who: Some(Who::sample()),
        };
        let everything = Self {
            released: vec![
                Released::Identifier,
                Released::Profile,
                Released::Mail,
                Released::Phone,
                Released::Role,
                Released::Offline,
            ],
            ..plain.clone()
        };
        vec![("everything", everything), ("plain", plain)]
    }
}
