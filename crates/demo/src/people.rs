//! The people of the demo's canton, as the start page introduces them.

use async_trait::async_trait;
use serde::Serialize;

/// How somebody proves themselves besides the password.
#[derive(Clone, Copy, Debug, Eq, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// A code by text message.
    Sms,
    /// An authenticator app.
    App,
    /// A hardware token.
    Token,
}

/// Somebody one can be in the demo.
#[derive(Clone, Debug, Serialize)]
pub struct Person {
    /// The sign-in name; for somebody not yet activated, the one in the activation mail.
    pub username: String,
    /// The password in clear: these people do not exist.
    pub password: String,
    /// The second factor chosen, or to be chosen.
    pub method: Method,
    /// First and last name.
    pub name: String,
    /// The mobile number, E.164.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub phone: Option<String>,
    /// The address activation messages go to.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mail: Option<String>,
    /// The serial number of the hardware token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub serial: Option<String>,
}

/// Where somebody stands at this moment.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq, Serialize)]
pub struct Standing {
    /// Has a password of their own.
    pub activated: bool,
    /// Has a second factor that works.
    pub enrolled: bool,
}

/// Whoever knows where people stand; asked for each page.
#[async_trait]
pub trait People: Send + Sync {
    /// The standing of `username`; the default for somebody unknown.
    async fn standing(&self, username: &str) -> Standing;
}

/// One entry of `GET /api/people`.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Introduced {
    #[serde(flatten)]
    pub(crate) person: Person,
    #[serde(flatten)]
    pub(crate) standing: Standing,
}

/// The people given at start with their standing at this moment, in the order given.
pub(crate) async fn introduce(given: &[Person], live: &dyn People) -> Vec<Introduced> {
    let mut introduced = Vec::with_capacity(given.len());
    for person in given {
        let standing = live.standing(&person.username).await;
        introduced.push(Introduced {
            person: person.clone(),
            standing,
        });
    }
    introduced
}

impl Introduced {
    pub(crate) fn method_key(&self) -> &'static str {
        match self.person.method {
            Method::Sms => "method-sms",
            Method::App => "method-app",
            Method::Token => "method-token",
        }
    }

    pub(crate) fn standing_key(&self) -> &'static str {
        match self.standing {
            Standing {
                activated: false, ..
            } => "standing-new",
            Standing {
                enrolled: false, ..
            } => "standing-activated",
            Standing { .. } => "standing-enrolled",
        }
    }
}
