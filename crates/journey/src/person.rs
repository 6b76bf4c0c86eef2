//! What a journey knows of somebody.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::{factor::otp::Otp, language::Language, phone::Phone};

macro_rules! id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Deserialize, Eq, Hash, Ord, PartialEq, PartialOrd, Serialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(pub [u8; 16]);

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&data_encoding::BASE32_NOPAD.encode(&self.0).to_ascii_lowercase())
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }

        impl std::str::FromStr for $name {
            type Err = NoId;

            fn from_str(text: &str) -> Result<Self, NoId> {
                if text.len() != 26 {
                    return Err(NoId);
                }
                let bytes = data_encoding::BASE32_NOPAD.decode(text.to_ascii_uppercase().as_bytes());
                bytes.ok().and_then(|bytes| bytes.try_into().ok()).map(Self).ok_or(NoId)
            }
        }

        impl TryFrom<String> for $name {
            type Error = NoId;

            fn try_from(text: String) -> Result<Self, NoId> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.to_string()
            }
        }
    };
}

/// A text that is no id.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("not an id of 26 letters and digits")]
pub struct NoId;

id! {
    /// A person, for ever: the `sub` of every token. Never given to anybody else.
    PersonId
}
id! {
    /// A bound factor.
    FactorId
}
id! {
    /// A journey under way. It carries no authority: the browser it is bound to does.
    JourneyId
}
id! {
    /// An activation: one code, one use.
    ActivationId
}

/// What somebody is at school. The policy may ask more of some than of others.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Runs the identity provider or a help desk: never without a second factor.
    Admin,
    /// Learns.
    Pupil,
    /// Administration and other staff.
    Staff,
    /// Teaches.
    Teacher,
}

/// The way of strong authentication a person chose.
#[derive(Clone, Copy, Debug, Deserialize, Eq, Hash, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// [Guide 4] an authenticator app.
    App,
    /// [Guide 3] a code by SMS.
    Sms,
    /// [Guide 1.1] a hardware token they have already.
    Token,
}

/// Somebody, as the store knew them a moment ago.
#[derive(Clone, Debug, Deserialize, Serialize)]
pub struct Person {
    /// Their app, once bound.
    pub app: Option<Otp>,
    /// Switched off: no journey goes on.
    pub disabled: bool,
    /// As in the register.
    pub first_name: String,
    /// For ever.
    pub id: PersonId,
    /// The language they are written to.
    pub language: Language,
    /// As in the register.
    pub last_name: String,
    /// Where their activation message goes. Never a factor.
    pub mail: String,
    /// What they chose at activation; nothing before that.
    pub method: Option<Method>,
    /// The number fixed at activation.
    pub phone: Option<Phone>,
    /// Whether a code sent to this number came back.
    pub phone_confirmed: bool,
    /// What they are at school.
    pub role: Role,
    /// Their school, as in the register.
    pub school: Option<String>,
    /// Their hardware token, once assigned.
    pub token: Option<Otp>,
    /// The serial number on the token's back.
    pub token_serial: Option<String>,
    /// The name they sign in with.
    pub username: String,
}

impl Person {
    /// Whether the method they chose is bound and works.
    #[must_use]
    pub fn enrolled(&self) -> bool {
        match self.method {
            Some(Method::App) => self.app.is_some(),
            Some(Method::Sms) => self.phone.is_some() && self.phone_confirmed,
            Some(Method::Token) => self.token.is_some(),
            None => false,
        }
    }
}
