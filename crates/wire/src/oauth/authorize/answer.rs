//! The answer to an authorization request: a redirect with a code, or a fault.

use super::{Authorize, Fault};
use crate::form::with_query;
use crate::oidc::Issuer;

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

    /// The `Location` to redirect to; none for a page.
    #[must_use]
    pub fn location(&self, issuer: &Issuer) -> Option<String> {
        match self {
            Self::Page(_) => None,
            Self::Redirect {
                fault,
                redirect_uri,
                state,
            } => Some(refusal(redirect_uri, state.as_deref(), *fault, issuer)),
        }
    }
}

impl Authorize {
    /// The `Location` that carries the code to the application.
    #[must_use]
    pub fn granted(&self, code: &str, issuer: &Issuer) -> String {
        // [RFC 9207 §2] "an authorization server supporting this specification MUST indicate its identity by including the iss parameter in the response."
        let pairs = [
            ("code", Some(code)),
            ("state", self.state.as_deref()),
            ("iss", Some(issuer.as_str())),
        ];
        with_query(&self.redirect_uri, &pairs)
    }

    /// The `Location` that tells the application why there is no code.
    #[must_use]
    pub fn refused(&self, fault: Fault, issuer: &Issuer) -> String {
        refusal(&self.redirect_uri, self.state.as_deref(), fault, issuer)
    }
}

fn refusal(redirect_uri: &str, state: Option<&str>, fault: Fault, issuer: &Issuer) -> String {
    let row = fault.row();
    // [RFC 6749 §4.1.2.1] "Values for the "error_description" parameter MUST NOT include characters outside the set %x20-21 / %x23-5B / %x5D-7E."
    let pairs = [
        ("error", Some(row.code)),
        ("error_description", Some(row.description)),
        ("state", state),
        ("iss", Some(issuer.as_str())),
    ];
    with_query(redirect_uri, &pairs)
}
