//! A person's own account, and leaving.

use journey::{Method, Timestamp};

use super::{Frame, Link, RecoveryStanding, Released, shown_by, time};

/// What a person sees of their own account.
#[derive(Clone, Debug)]
pub struct Account {
    /// First and last name.
    pub name: String,
    /// The user name.
    pub username: String,
    /// How the second factor is proven; none before the first one is bound.
    pub method: Option<Method>,
    /// The telephone number of the second factor, masked by [`journey::Phone::masked`].
    pub phone: Option<String>,
    /// Where one binds another app; none for whom there is nothing to replace.
    pub app_url: Option<String>,
    /// Where one changes the password.
    pub password_url: String,
    /// What they keep for the day on which phone or token is lost; none where there are no such codes.
    pub recovery: Option<RecoveryStanding>,
    /// The sessions that are open, the present one first.
    pub sessions: Vec<SessionRow>,
    /// The applications of others that they have agreed to.
    pub consents: Vec<ConsentRow>,
    /// Where the buttons `action=take-back`, `action=sign-out` and `action=sign-out-everywhere` go.
    pub action: String,
    /// The applications one may go to.
    pub applications: Vec<Link>,
}

/// An application of others that somebody has agreed to.
#[derive(Clone, Debug)]
pub struct ConsentRow {
    /// Its client id.
    pub application: String,
    /// What people call it.
    pub name: String,
    /// What it is told.
    pub released: Vec<Released>,
    /// When they agreed.
    pub at: Timestamp,
}

/// One open session.
#[derive(Clone, Debug)]
pub struct SessionRow {
    /// The name of the network it began in; none for a public one.
    pub place: Option<String>,
    /// When it began.
    pub since: Timestamp,
    /// Whether a second factor was proven in it.
    pub strong: bool,
    /// Whether it is the one that looks at this page.
    pub current: bool,
}

/// «Voulez-vous vous déconnecter ?»
#[derive(Clone, Debug)]
pub struct LogoutConfirm {
    /// Where the form goes.
    pub action: String,
    /// What the application sent along, sealed; empty if there is nothing.
    pub ticket: String,
    /// The application that asks.
    pub application: Option<String>,
}

/// «Vous êtes déconnecté.»
#[derive(Clone, Debug)]
pub struct LoggedOut {
    /// The application one came from.
    pub back: Option<Link>,
}

shown_by!(Account, "account.html");
shown_by!(LogoutConfirm, "logout_confirm.html");
shown_by!(LoggedOut, "logged_out.html");

impl Account {
    /// How many recovery codes are left.
    fn recovery_text(&self, frame: &Frame<'_>) -> Option<String> {
        self.recovery.map(|standing| standing.text(frame))
    }

    fn method_text(&self, frame: &Frame<'_>) -> String {
        let number = self.phone.clone().unwrap_or_default();
        match self.method {
            Some(Method::Sms) => frame.given("phone", number).say("account-method-sms"),
            Some(Method::App) => frame.say("account-method-app").into_owned(),
            Some(Method::Token) => frame.say("account-method-token").into_owned(),
            None => frame.say("account-method-none").into_owned(),
        }
    }
}

impl ConsentRow {
    fn given(&self, frame: &Frame<'_>) -> String {
        frame
            .given("when", time::day_and_clock(frame, self.at))
            .say("account-consented")
    }

    fn take_back(&self, frame: &Frame<'_>) -> String {
        frame
            .given("application", self.name.as_str())
            .say("account-take-back")
    }
}

impl SessionRow {
    fn since(&self, frame: &Frame<'_>) -> String {
        frame
            .given("when", time::day_and_clock(frame, self.since))
            .say("account-since")
    }

    fn place(&self, frame: &Frame<'_>) -> String {
        let public = || frame.say("account-public").into_owned();
        self.place.clone().unwrap_or_else(public)
    }

    fn strength(&self, frame: &Frame<'_>) -> String {
        frame
            .say(if self.strong {
                "account-strong"
            } else {
                "account-password"
            })
            .into_owned()
    }
}

#[cfg(test)]
impl super::Samples for Account {
    fn samples() -> Vec<(&'static str, Self)> {
        let session = |place: Option<&str>, at, strong, current| SessionRow {
            place: place.map(str::to_owned),
            since: Timestamp(at),
            strong,
            current,
        };
        let plain = Self {
            name: "Sophie Rey".to_owned(),
            username: "sophie.rey".to_owned(),
            method: Some(Method::Sms),
            phone: Some("+41 79 ••• •• 67".to_owned()),
            recovery: Some(RecoveryStanding::Made {
                at: Timestamp(1_786_900_000),
                left: 8,
            }),
            app_url: Some("/account/app".to_owned()),
            password_url: "/account/password".to_owned(),
            sessions: vec![
                session(None, 1_786_946_100, true, true),
                session(
                    Some("Centre scolaire de Martigny"),
                    1_786_900_000,
                    false,
                    false,
                ),
            ],
            consents: vec![ConsentRow {
                application: "choir".to_owned(),
                name: "Le Chœur des écoles".to_owned(),
                released: vec![Released::Identifier, Released::Profile],
                at: Timestamp(1_786_900_000),
            }],
            action: "/account".to_owned(),
            applications: vec![Link {
                name: "ENT".to_owned(),
                url: "https://edu.vs.ch/".to_owned(),
            }],
        };
        let with = |method| Self {
            method,
            sessions: plain.sessions[..1].to_vec(),
            ..plain.clone()
        };
        vec![
            ("app", with(Some(Method::App))),
            ("token", with(Some(Method::Token))),
            (
                "none",
                Self {
                    app_url: None,
                    applications: Vec::new(),
                    consents: Vec::new(),
                    ..with(None)
                },
            ),
            ("plain", plain),
        ]
    }
}

#[cfg(test)]
impl super::Samples for LogoutConfirm {
    fn samples() -> Vec<(&'static str, Self)> {
        let plain = Self {
            action: "/logout".to_owned(),
            ticket: "dGlja2V0".to_owned(),
            application: Some("ENT".to_owned()),
        };
        vec![
            (
                "own",
                Self {
                    application: None,
                    ticket: String::new(),
                    ..plain.clone()
                },
            ),
            ("plain", plain),
        ]
    }
}

#[cfg(test)]
impl super::Samples for LoggedOut {
    fn samples() -> Vec<(&'static str, Self)> {
        let link = Link {
            name: "ENT".to_owned(),
            url: "https://edu.vs.ch/".to_owned(),
        };
        vec![
            ("own", Self { back: None }),
            ("plain", Self { back: Some(link) }),
        ]
    }
}
