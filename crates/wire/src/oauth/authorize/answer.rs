//! The answer to an authorization request: a code, or a fault, in a redirect or in a form.

use serde::{Deserialize, Serialize};

use super::{Authorize, Fault, ResponseMode, Unsigned};
use crate::form::with_query;
use crate::oidc::Issuer;

/// An answer on its way to an application, through the person's browser.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Reply {
    /// A redirect to this address.
    Redirect(String),
    /// A form that is posted there.
    Form {
        /// One of the application's own addresses.
        to: String,
        /// Names and values.
        fields: Vec<(String, String)>,
    },
    /// One of the two, when it is signed.
    Jwt(Unsigned),
}

/// Where an answer goes.
#[derive(Clone, Copy)]
struct Towards<'a> {
    client_id: &'a str,
    redirect_uri: &'a str,
    mode: ResponseMode,
}

impl Reply {
    fn new(towards: Towards<'_>, pairs: &[(&'static str, Option<&str>)]) -> Self {
        let given = pairs
            .iter()
            .filter_map(|(name, value)| value.map(|value| ((*name).to_owned(), value.to_owned())));
        let to = towards.redirect_uri.to_owned();
        let unsigned = |alg, posted| Unsigned {
            client_id: towards.client_id.to_owned(),
            to: to.clone(),
            alg,
            posted,
            says: given.clone().collect(),
        };
        match towards.mode {
            ResponseMode::Query => Self::Redirect(with_query(&to, pairs)),
            ResponseMode::FormPost => Self::Form {
                fields: given.collect(),
                to,
            },
            ResponseMode::QueryJwt(alg) => Self::Jwt(unsigned(alg, false)),
            ResponseMode::FormPostJwt(alg) => Self::Jwt(unsigned(alg, true)),
        }
    }
}

/// A request that is not granted.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Shown to the person here. There is no place that may be trusted with it.
    #[error("an application asked wrongly: {0}")]
    Page(Fault),
    /// Sent to the application.
    #[error("an application asked wrongly and is told so: {fault}")]
    Redirect {
        /// What is wrong.
        fault: Fault,
        /// The application.
        client_id: String,
        /// Verified: one of the application's own.
        redirect_uri: String,
        /// The application's own value.
        state: Option<String>,
        /// How it travels.
        mode: ResponseMode,
    },
}

impl Refused {
    /// What is wrong.
    #[must_use]
    pub const fn fault(&self) -> Fault {
        match self {
            Self::Page(fault) | Self::Redirect { fault, .. } => *fault,
        }
    }

    /// What the application is told; none for a page.
    #[must_use]
    pub fn reply(&self, issuer: &Issuer) -> Option<Reply> {
        match self {
            Self::Page(_) => None,
            Self::Redirect {
                fault,
                client_id,
                redirect_uri,
                state,
                mode,
            } => {
                let towards = Towards {
                    client_id,
                    redirect_uri,
                    mode: *mode,
                };
                Some(refusal(towards, state.as_deref(), *fault, issuer))
            }
        }
    }
}

impl Authorize {
    /// What carries the code to the application, and the session's state to one that watches it.
    #[must_use]
    pub fn granted(&self, code: &str, session_state: Option<&str>, issuer: &Issuer) -> Reply {
        // [RFC 9207 §2] "an authorization server supporting this specification MUST indicate its identity by including the iss parameter in the response."
        let pairs = [
            ("code", Some(code)),
            ("state", self.state.as_deref()),
            // [Session Management §2] "it MUST also return the Session State as an additional session_state parameter in the Authentication Response"
            ("session_state", session_state),
            ("iss", Some(issuer.as_str())),
        ];
        Reply::new(self.towards(), &pairs)
    }

    /// What tells the application why there is no code.
    #[must_use]
    pub fn refused(&self, fault: Fault, issuer: &Issuer) -> Reply {
        refusal(self.towards(), self.state.as_deref(), fault, issuer)
    }

    fn towards(&self) -> Towards<'_> {
        Towards {
            client_id: &self.client_id,
            redirect_uri: &self.redirect_uri,
            mode: self.response_mode,
        }
    }
}

fn refusal(towards: Towards<'_>, state: Option<&str>, fault: Fault, issuer: &Issuer) -> Reply {
    let row = fault.row();
    // [RFC 6749 §4.1.2.1] "Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."
    let pairs = [
        ("error", Some(row.code)),
        ("error_description", Some(row.description)),
        ("state", state),
        ("iss", Some(issuer.as_str())),
    ];
    Reply::new(towards, &pairs)
}
