//! Step: how the answer travels.

use serde::{Deserialize, Serialize};

use super::Fault;
use super::redirect_uri::Reachable;

/// How the answer travels through the browser.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    Query,
    /// In a form that a page of ours posts [OAuth 2.0 Form Post Response Mode §2].
    FormPost,
}

impl ResponseMode {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
        }
    }

    /// Whether it is the one that nobody has to ask for.
    #[must_use]
    pub fn is_usual(&self) -> bool {
        *self == Self::Query
    }
}

pub(super) fn asked(request: &Reachable<'_>) -> Result<ResponseMode, Fault> {
    // [OIDC Core §3.1.2.6] "If the Response Mode value is not supported, the Authorization Server returns an HTTP response code of 400 (Bad Request) without Error Response parameters"
    match request.fields.one("response_mode") {
        Ok(None | Some("query")) => Ok(ResponseMode::Query),
        // A program's own scheme takes no forms.
        Ok(Some("form_post")) if request.redirect_uri.starts_with("http") => {
            Ok(ResponseMode::FormPost)
        }
        _ => Err(Fault::ResponseModeUnsupported),
    }
}
