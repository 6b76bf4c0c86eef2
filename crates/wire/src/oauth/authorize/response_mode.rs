//! Step: how the answer travels.

use serde::{Deserialize, Serialize};

use super::Fault;
use super::redirect_uri::Reachable;
use crate::jose::SigningAlg;

/// How the answer travels through the browser.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ResponseMode {
    /// In the query of a redirect.
    #[default]
    Query,
    /// In a form that a page of ours posts [OAuth 2.0 Form Post Response Mode §2].
    FormPost,
    /// In a JWT in the query of a redirect [JARM §2.3.1].
    QueryJwt(SigningAlg),
    /// In a JWT in such a form [JARM §2.3.3].
    FormPostJwt(SigningAlg),
}

impl ResponseMode {
    /// All names that may be asked for.
    // [JARM §2.3.4] "The response mode "jwt" is a shortcut and indicates the default redirect encoding (query, fragment) for the requested response type."
    pub const NAMES: [&'static str; 5] =
        ["query", "form_post", "jwt", "query.jwt", "form_post.jwt"];

    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::FormPost => "form_post",
            Self::QueryJwt(_) => "query.jwt",
            Self::FormPostJwt(_) => "form_post.jwt",
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
    let alg = request.client.answer_alg();
    // A program's own scheme takes no forms.
    let takes_forms = request.redirect_uri.starts_with("http");
    // [JARM §3] Who is registered for signed or encrypted answers gets no other, whatever is asked for on the way.
    let signed = request.client.is_answered_by_jwt();
    match request.fields.one("response_mode") {
        Ok(None) if signed => Ok(ResponseMode::QueryJwt(alg)),
        Ok(Some("query" | "form_post")) if signed => Err(Fault::ResponseModeUnsupported),
        Ok(None | Some("query")) => Ok(ResponseMode::Query),
        Ok(Some("form_post")) if takes_forms => Ok(ResponseMode::FormPost),
        Ok(Some("jwt" | "query.jwt")) => Ok(ResponseMode::QueryJwt(alg)),
        Ok(Some("form_post.jwt")) if takes_forms => Ok(ResponseMode::FormPostJwt(alg)),
        _ => Err(Fault::ResponseModeUnsupported),
    }
}
