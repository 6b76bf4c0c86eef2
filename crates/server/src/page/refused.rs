//! Where a journey ends without a session: the cause, the cure, and a code for the desk.

use journey::Timestamp;

use super::{Frame, shown_by, time};

/// A refusal that no field on the page can mend.
#[derive(Clone, Debug)]
pub struct Refused {
    /// Why.
    pub reason: Reason,
    /// The code under which the desk finds the whole story; none where nothing was kept.
    pub support_code: Option<String>,
    /// Where the journey begins anew; shown for the reasons where that helps.
    pub again: Option<String>,
    /// Back to the application.
    pub back: Option<Link>,
}

/// Somewhere else, by name.
#[derive(Clone, Debug)]
pub struct Link {
    /// What people call it.
    pub name: String,
    /// Its address.
    pub url: String,
}

/// Why a journey ended.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Reason {
    /// The journey took too long.
    TooLate,
    /// Too many wrong codes.
    TooManyTries {
        /// When the next attempt counts; none if a new journey may begin at once.
        until: Option<Timestamp>,
    },
    /// No more messages to this number for now.
    TooManyMessages {
        /// When the next one may go out.
        until: Option<Timestamp>,
    },
    /// [decision 4] Nobody enrols with a password alone.
    NoBinding,
    /// The application asks for more than this person can prove at present.
    TooWeak {
        /// The application.
        application: String,
    },
    /// The person chose the Token, and none is assigned to them.
    NoToken,
    /// The account is switched off.
    Disabled,
    /// The address belongs to a journey in another browser.
    OtherBrowser,
    /// The link belongs to somebody else.
    OtherPerson,
    /// The activation code was used by another journey meanwhile.
    ActivationUsed,
    /// The link to go on elsewhere was used.
    ResumeUsed,
    /// The link to go on elsewhere is too old.
    ResumeExpired,
    /// The application lets other people in there.
    NotForYou,
    /// The application is not known here.
    UnknownApplication,
    /// The application asked in a way that cannot be answered.
    BadRequest {
        /// For its developer, in English, such as «redirect_uri is not registered».
        detail: String,
    },
    /// The form came from another site, or without its cookie.
    ForeignForm,
    /// Ours: something is broken.
    Failure,
}

shown_by!(Refused, "refused.html");

impl Refused {
    fn title(&self, frame: &Frame<'_>) -> String {
        let key = match &self.reason {
            Reason::TooLate => "refused-too-late",
            Reason::TooManyTries { .. } => "refused-too-many-tries",
            Reason::TooManyMessages { .. } => "refused-too-many-messages",
            Reason::NoBinding => "refused-no-binding",
            Reason::TooWeak { application } => {
                return frame
                    .given("application", application)
                    .say("refused-too-weak");
            }
            Reason::NoToken => "refused-no-token",
            Reason::Disabled => "refused-disabled",
            Reason::OtherBrowser => "refused-other-browser",
            Reason::OtherPerson => "refused-other-person",
            Reason::ActivationUsed => "activation-used",
            Reason::ResumeUsed => "refused-resume-used",
            Reason::ResumeExpired => "refused-resume-expired",
            Reason::NotForYou => "refused-not-for-you",
            Reason::UnknownApplication => "refused-unknown-application",
            Reason::BadRequest { .. } => "refused-bad-request",
            Reason::ForeignForm => "refused-foreign-form",
            Reason::Failure => "refused-failure",
        };
        frame.say(key).into_owned()
    }

    fn cause(&self, frame: &Frame<'_>) -> String {
        let key = match &self.reason {
            Reason::TooLate => "refused-too-late-cause",
            Reason::TooManyTries { .. } => "refused-too-many-tries-cause",
            Reason::TooManyMessages { .. } => "refused-too-many-messages-cause",
            Reason::NoBinding => "refused-no-binding-cause",
            Reason::TooWeak { .. } => "refused-too-weak-cause",
            Reason::NoToken => "refused-no-token-cause",
            Reason::Disabled => "refused-disabled-cause",
            Reason::OtherBrowser => "refused-other-browser-cause",
            Reason::OtherPerson => "refused-other-person-cause",
            Reason::ActivationUsed => "refused-activation-used-cause",
            Reason::ResumeUsed => "refused-resume-used-cause",
            Reason::ResumeExpired => "refused-resume-expired-cause",
            Reason::NotForYou => "refused-not-for-you-cause",
            Reason::UnknownApplication => "refused-unknown-application-cause",
            Reason::BadRequest { .. } => "refused-bad-request-cause",
            Reason::ForeignForm => "refused-foreign-form-cause",
            Reason::Failure => "refused-failure-cause",
        };
        frame.say(key).into_owned()
    }

    fn cure(&self, frame: &Frame<'_>) -> String {
        let key = match &self.reason {
            Reason::TooManyTries { until: Some(until) }
            | Reason::TooManyMessages { until: Some(until) } => {
                let when = time::day_and_clock(frame, *until);
                return frame.given("when", when).say("refused-cure-after");
            }
            Reason::TooManyTries { until: None } => "refused-too-many-tries-cure",
            Reason::TooManyMessages { until: None } => "refused-too-many-messages-cure",
            Reason::TooLate | Reason::ForeignForm => "refused-cure-again",
            Reason::NoBinding => "refused-no-binding-cure",
            Reason::TooWeak { .. } => "refused-too-weak-cure",
            Reason::NoToken => "refused-no-token-cure",
            Reason::Disabled => "refused-disabled-cure",
            Reason::OtherBrowser => "refused-other-browser-cure",
            Reason::OtherPerson => "refused-other-person-cure",
            Reason::ActivationUsed => "activation-used-cure",
            Reason::ResumeUsed => "refused-resume-used-cure",
            Reason::ResumeExpired => "refused-resume-expired-cure",
            Reason::NotForYou => "refused-not-for-you-cure",
            Reason::UnknownApplication | Reason::BadRequest { .. } => "refused-application-cure",
            Reason::Failure => "refused-failure-cure",
        };
        frame.say(key).into_owned()
    }

    /// The way to begin anew, where that is a cure.
    fn cured_by_starting_again(&self) -> Option<&str> {
        let helps = matches!(
            self.reason,
            Reason::TooLate
                | Reason::TooManyTries { until: None }
                | Reason::OtherBrowser
                | Reason::OtherPerson
                | Reason::ResumeUsed
                | Reason::ResumeExpired
                | Reason::ForeignForm
                | Reason::Failure
        );
        self.again.as_deref().filter(|_| helps)
    }

    fn detail(&self) -> Option<&str> {
        match &self.reason {
            Reason::BadRequest { detail } => Some(detail),
            _ => None,
        }
    }
}

#[cfg(test)]
impl super::Samples for Refused {
    fn samples() -> Vec<(&'static str, Self)> {
        let until = Some(Timestamp(1_786_946_100));
        let application = "ISM".to_owned();
        let detail = "redirect_uri is not registered for client `ent`".to_owned();
        [
            ("too-late", Reason::TooLate),
            ("too-many-tries", Reason::TooManyTries { until }),
            ("too-many-tries-again", Reason::TooManyTries { until: None }),
            ("too-many-messages", Reason::TooManyMessages { until }),
            ("no-binding", Reason::NoBinding),
            ("too-weak", Reason::TooWeak { application }),
            ("no-token", Reason::NoToken),
            ("disabled", Reason::Disabled),
            ("other-browser", Reason::OtherBrowser),
            ("other-person", Reason::OtherPerson),
            ("activation-used", Reason::ActivationUsed),
            ("resume-used", Reason::ResumeUsed),
            ("resume-expired", Reason::ResumeExpired),
            ("not-for-you", Reason::NotForYou),
            ("unknown-application", Reason::UnknownApplication),
            ("bad-request", Reason::BadRequest { detail }),
            ("foreign-form", Reason::ForeignForm),
            ("failure", Reason::Failure),
        ]
        .into_iter()
        .map(|(name, reason)| (name, Self::sample(reason)))
        .collect()
    }
}

#[cfg(test)]
impl Refused {
    fn sample(reason: Reason) -> Self {
        let known = !matches!(
            reason,
            Reason::UnknownApplication | Reason::BadRequest { .. }
        );
        Self {
            reason,
            support_code: known.then(|| "7F3K-92QD".to_owned()),
            again: known.then(|| "/login?again".to_owned()),
            back: known.then(|| Link {
                name: "ENT".to_owned(),
                url: "https://edu.vs.ch/".to_owned(),
            }),
        }
    }
}
