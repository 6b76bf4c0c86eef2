//! The pages with nothing to type: the front page, the missing page, the full house.

use super::frame::span;
use super::{Frame, Link, shown_by};

/// The front page of the provider: what this is, and where one wants to go.
#[derive(Clone, Debug)]
pub struct Home {
    /// The applications one may go to.
    pub applications: Vec<Link>,
    /// Where those without a password begin.
    pub activation_url: String,
    /// Where one sees one's own account.
    pub account_url: String,
}

/// No such page.
#[derive(Clone, Debug)]
pub struct NotFound {
    /// The front page.
    pub home_url: String,
}

/// One moment: the response refreshes itself (`Refresh` header, status 503).
#[derive(Clone, Copy, Debug)]
pub struct Overloaded {
    /// Seconds until the page tries again.
    pub seconds: u64,
    /// Why.
    pub why: PauseWhy,
}

/// Why a page asks for a moment's patience.
#[derive(Clone, Copy, Debug)]
pub enum PauseWhy {
    /// More people than workers.
    Crowd,
    /// The database is out of reach.
    Outage,
    /// It was out of reach when something was sent: nobody knows whether that was done.
    Sent,
}

shown_by!(Home, "home.html");
shown_by!(NotFound, "not_found.html");
shown_by!(Overloaded, "overloaded.html");

impl Overloaded {
    fn text(&self) -> &'static str {
        match self.why {
            PauseWhy::Crowd => "overloaded-text",
            PauseWhy::Outage => "overloaded-outage",
            PauseWhy::Sent => "overloaded-sent",
        }
    }

    fn now(&self) -> &'static str {
        match self.why {
            PauseWhy::Crowd | PauseWhy::Outage => "overloaded-now",
            PauseWhy::Sent => "overloaded-sent-now",
        }
    }

    fn wait(&self, frame: &Frame<'_>) -> String {
        let sentence = match self.why {
            PauseWhy::Crowd | PauseWhy::Outage => "overloaded-wait",
            PauseWhy::Sent => "overloaded-sent-wait",
        };
        frame.given("wait", span(frame, self.seconds)).say(sentence)
    }
}

#[cfg(test)]
impl super::Samples for Home {
    fn samples() -> Vec<(&'static str, Self)> {
        let link = |name: &str, url: &str| Link {
            name: name.to_owned(),
            url: url.to_owned(),
        };
        let applications = vec![
            link("ENT", "https://edu.vs.ch/"),
            link("ISM", "https://ism.vs.ch/"),
        ];
        let plain = Self {
            applications,
            activation_url: "/activate".to_owned(),
            account_url: "/account".to_owned(),
        };
        vec![
            (
                "empty",
                Self {
                    applications: Vec::new(),
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}

#[cfg(test)]
impl super::Samples for NotFound {
    fn samples() -> Vec<(&'static str, Self)> {
        vec![(
            "plain",
            Self {
                home_url: "/".to_owned(),
            },
        )]
    }
}

#[cfg(test)]
impl super::Samples for Overloaded {
    fn samples() -> Vec<(&'static str, Self)> {
        let pause = |seconds, why| Self { seconds, why };
        vec![
            ("plain", pause(10, PauseWhy::Crowd)),
            ("soon", pause(1, PauseWhy::Crowd)),
            ("outage", pause(3, PauseWhy::Outage)),
            ("sent", pause(3, PauseWhy::Sent)),
        ]
    }
}
