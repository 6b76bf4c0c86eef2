//! Who plays, and where.

use serde_json::Value;

/// The language a person's browser asks for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Language {
    /// The language of the guide.
    French,
    /// Of its twin.
    German,
}

impl Language {
    /// Both, in the order in which stories are told.
    pub const ALL: [Self; 2] = [Self::French, Self::German];

    /// `fr`, `de`.
    #[must_use]
    pub fn code(self) -> &'static str {
        match self {
            Self::French => "fr",
            Self::German => "de",
        }
    }

    /// What a browser bought in Switzerland sends.
    #[must_use]
    pub fn accepted(self) -> &'static str {
        match self {
            Self::French => "fr-CH,fr;q=0.9,en;q=0.5",
            Self::German => "de-CH,de;q=0.9,en;q=0.5",
        }
    }
}

/// Where somebody is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Place {
    /// A public network.
    Home,
    /// The network of a cantonal school.
    School,
    /// The network of the State.
    State,
}

impl Place {
    /// The word in the header `X-Demo-Place`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Home => "home",
            Self::School => "school",
            Self::State => "state",
        }
    }
}

/// The method of strong authentication.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Method {
    /// An authenticator app.
    App,
    /// A code by SMS.
    Sms,
    /// A hardware token.
    Token,
}

/// The part somebody plays in a story.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Chose the app at activation, and never signed in from outside.
    App,
    /// Uses the app already.
    EnrolledApp,
    /// Was imported, and has the activation message in the mailbox.
    New,
    /// Chose SMS at activation, and never signed in from outside.
    Sms,
    /// Holds a hardware token and came over with a former name and password.
    Token,
}

impl Role {
    /// Whether somebody listed by the town plays this part.
    #[must_use]
    pub fn fits(self, person: &Person) -> bool {
        let standing = (person.activated, person.enrolled);
        match self {
            Self::New => !person.activated,
            Self::App => person.method == Method::App && standing == (true, false),
            Self::EnrolledApp => person.method == Method::App && standing == (true, true),
            Self::Sms => person.method == Method::Sms && standing == (true, false),
            Self::Token => person.method == Method::Token && standing == (true, true),
        }
    }
}

/// Somebody of the town.
#[derive(Clone, Debug)]
pub struct Person {
    /// The name they sign in with.
    pub username: String,
    /// The password; empty before activation.
    pub password: String,
    /// The method they chose, or will.
    pub method: Method,
    /// First and last name.
    pub name: String,
    /// Their mobile number.
    pub phone: String,
    /// Their address.
    pub mail: String,
    /// The serial number of their token.
    pub serial: String,
    /// Has a password of their own.
    pub activated: bool,
    /// Has a second factor that works.
    pub enrolled: bool,
}

impl Person {
    /// Reads one entry of `GET /api/people`.
    pub(crate) fn read(entry: &Value) -> Self {
        let text = |name: &str| {
            entry
                .get(name)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let is = |name: &str| entry.get(name).and_then(Value::as_bool).unwrap_or_default();
        Self {
            username: text("username"),
            password: text("password"),
            method: match text("method").as_str() {
                "app" => Method::App,
                "token" => Method::Token,
                _ => Method::Sms,
            },
            name: text("name"),
            phone: text("phone"),
            mail: text("mail"),
            serial: text("serial"),
            activated: is("activated"),
            enrolled: is("enrolled"),
        }
    }

    /// The first name.
    #[must_use]
    pub fn first_name(&self) -> &str {
        self.name.split(' ').next().unwrap_or_default()
    }
}

/// The serial number of a token that the school has imported and given to nobody yet.
pub const IN_THE_DRAWER: &str = "VS-1000418";

/// An account in somebody's authenticator app.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct App {
    /// The key, base32.
    pub key: String,
}

/// What the school's desk takes back from somebody.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Lost {
    /// The password.
    Password,
    /// The phone, and what is bound on it.
    Phone,
}

/// One of the two applications.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Application {
    /// The portal: the password is enough where the guide says so.
    Ent,
    /// The school administration: strong authentication always.
    Ism,
}

/// Where the rooms of the town are, without a slash at the end.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Origins {
    /// The identity provider, as the public sees it.
    pub provider: String,
    /// The portal.
    pub ent: String,
    /// The school administration.
    pub ism: String,
    /// Phones, tokens and mailbox.
    pub phone: String,
}

impl Origins {
    /// Four ports from `port` upwards.
    #[must_use]
    pub fn on_localhost(port: u16) -> Self {
        let origin = |above: u16| format!("http://localhost:{}", port.saturating_add(above));
        Self {
            provider: origin(0),
            ent: origin(1),
            ism: origin(2),
            phone: origin(3),
        }
    }

    /// Where an application is.
    #[must_use]
    pub fn of(&self, application: Application) -> &str {
        match application {
            Application::Ent => &self.ent,
            Application::Ism => &self.ism,
        }
    }
}
