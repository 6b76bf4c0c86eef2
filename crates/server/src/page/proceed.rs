//! "One more thing": a page with one button, before a message is sent, an application is let in, or a
//! link is used up. Looking at a page does none of that.

use super::{Frame, Who, shown_by};

/// The page.
#[derive(Clone, Debug)]
pub struct Proceed {
    /// What the button does.
    pub why: ProceedWhy,
    /// The application one came from.
    pub application: Option<String>,
    /// The sealed ticket of the kept authorization request, empty if there is none.
    pub ticket: String,
    /// Where the form goes.
    pub action: String,
    /// Whose session it is.
    pub who: Option<Who>,
    /// The name of the network one stands in, if it is one of the canton's.
    pub place: Option<String>,
}

/// What the button does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ProceedWhy {
    /// Lets in an application that cannot prove what it is.
    Confirm,
    /// Goes on with an enrolment that began in a network where nobody enrols.
    Resume,
    /// Asks for the second factor: the session was made where none is asked for, or the application
    /// asks for more.
    StepUp,
}

shown_by!(Proceed, "proceed.html");

impl Proceed {
    fn title(&self, frame: &Frame<'_>) -> String {
        let application = self.application.as_deref().unwrap_or_default();
        match self.why {
            ProceedWhy::Confirm => frame
                .given("application", application)
                .say("proceed-confirm"),
            ProceedWhy::Resume => frame.say("proceed-resume").into_owned(),
            ProceedWhy::StepUp => frame.say("proceed-step-up").into_owned(),
        }
    }

    fn text(&self, frame: &Frame<'_>) -> String {
        match (self.why, &self.place) {
            (ProceedWhy::Confirm, _) => frame.say("proceed-confirm-text").into_owned(),
            (ProceedWhy::Resume, Some(zone)) => frame
                .given("zone", zone.as_str())
                .say("proceed-resume-inside"),
            (ProceedWhy::Resume, None) => frame.say("proceed-resume-text").into_owned(),
            (ProceedWhy::StepUp, _) if self.application.is_none() => {
                frame.say("proceed-step-up-own").into_owned()
            }
            (ProceedWhy::StepUp, Some(_)) => frame.say("proceed-step-up-inside").into_owned(),
            (ProceedWhy::StepUp, None) => frame.say("proceed-step-up-outside").into_owned(),
        }
    }
}

#[cfg(test)]
impl super::Samples for Proceed {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            why: ProceedWhy::StepUp,
            application: Some("ENT".to_owned()),
            ticket: "dGlja2V0".repeat(190),
            action: "/login".to_owned(),
            who: Some(Who::sample()),
            place: None,
        };
        let zone = Some("Centre scolaire de Martigny".to_owned());
        let resume = Self {
            why: ProceedWhy::Resume,
            application: None,
            ticket: String::new(),
            who: None,
            ..plain.clone()
        };
        vec![
            (
                "confirm",
                Self {
                    why: ProceedWhy::Confirm,
                    ..plain.clone()
                },
            ),
            (
                "resume-inside",
                Self {
                    place: zone.clone(),
                    ..resume.clone()
                },
            ),
            ("resume", resume),
            (
                "own",
                Self {
                    application: None,
                    ..plain.clone()
                },
            ),
            (
                "inside",
                Self {
                    place: zone,
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}
