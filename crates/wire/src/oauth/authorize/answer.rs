//! The answer to an authorization request: a code, or a fault, in a redirect or in a form.

use serde::{Deserialize, Serialize};

use super::{Authorize, Fault, ResponseMode};
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
}

impl Reply {
    fn new(redirect_uri: &str, mode: ResponseMode, pairs: &[(&'static str, Option<&str>)]) -> Self {
        match mode {
            ResponseMode::Query => Self::Redirect(with_query(redirect_uri, pairs)),
            ResponseMode::FormPost => {
                let given = pairs.iter().filter_map(|(name, value)| {
                    value.map(|value| ((*name).to_owned(), value.to_owned()))
                });
                Self::Form {
                    to: redirect_uri.to_owned(),
                    fields: given.collect(),
                }
            }
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
                redirect_uri,
                state,
                mode,
            } => {
                let to = (redirect_uri.as_str(), *mode);
                Some(refusal(to, state.as_deref(), *fault, issuer))
            }
        }
    }
}

impl Authorize {
    /// What carries the code to the application.
    #[must_use]
    pub fn granted(&self, code: &str, issuer: &Issuer) -> Reply {
        // [RFC 9207 §2] "an authorization server supporting this specification MUST indicate its identity by including the iss parameter in the response."
        let pairs = [
            ("code", Some(code)),
            ("state", self.state.as_deref()),
            ("iss", Some(issuer.as_str())),
        ];
        Reply::new(&self.redirect_uri, self.response_mode, &pairs)
    }

    /// What tells the application why there is no code.
    #[must_use]
    pub fn refused(&self, fault: Fault, issuer: &Issuer) -> Reply {
        let to = (self.redirect_uri.as_str(), self.response_mode);
        refusal(to, self.state.as_deref(), fault, issuer)
    }
}

fn refusal(
    (redirect_uri, mode): (&str, ResponseMode),
    state: Option<&str>,
    fault: Fault,
    issuer: &Issuer,
) -> Reply {
    let row = fault.row();
    // [RFC 6749 §4.1.2.1] "Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."
    let pairs = [
        ("error", Some(row.code)),
        ("error_description", Some(row.description)),
        ("state", state),
        ("iss", Some(issuer.as_str())),
    ];
    Reply::new(redirect_uri, mode, &pairs)
}
