//! What the token endpoint answers: tokens, or a fault.

use serde::Serialize;

use super::Fault;
use crate::oauth::scope::Scope;

/// An HTTP answer as plain data.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Answer {
    /// The status.
    pub status: u16,
    /// Header names (small letters) and values.
    pub headers: Vec<(&'static str, &'static str)>,
    /// JSON.
    pub body: Vec<u8>,
}

/// The headers of every answer that carries something secret.
// [RFC 6749 §5.1] "The authorization server MUST include the HTTP "Cache-Control" response header field"
pub const NO_STORE: [(&str, &str); 3] = [
    ("content-type", "application/json"),
    ("cache-control", "no-store"),
    ("pragma", "no-cache"),
];

/// Tokens for an application. Not printable: both are secrets until they expire.
#[derive(Serialize)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    id_token: String,
    scope: String,
}

impl TokenAnswer {
    /// An access token that lives `expires_in` seconds, with the ID token beside it.
    #[must_use]
    pub fn new(access_token: String, id_token: String, expires_in: u32, scope: &Scope) -> Self {
        // [OIDC Core §3.1.3.3] "The OAuth 2.0 "token_type" response parameter value MUST be "Bearer""
        Self {
            access_token,
            token_type: "Bearer",
            expires_in,
            id_token,
            scope: scope.to_string(),
        }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer {
            status: 200,
            headers: NO_STORE.to_vec(),
            body: json(self),
        }
    }
}

impl Fault {
    /// The answer.
    #[must_use]
    pub fn answer(self) -> Answer {
        #[derive(Serialize)]
        struct Body {
            error: &'static str,
            error_description: &'static str,
        }
        let row = self.row();
        let mut headers = NO_STORE.to_vec();
        // [RFC 6749 §5.2] "the authorization server MUST respond with an HTTP 401 (Unauthorized) status code and include the "WWW-Authenticate" response header field matching the authentication scheme used by the client."
        if row.status == 401 {
            headers.push(("www-authenticate", "Basic realm=\"token\""));
        }
        let body = json(&Body {
            error: row.code,
            error_description: row.description,
        });
        Answer {
            status: row.status,
            headers,
            body,
        }
    }
}

/// Strings and numbers only, which JSON can always write.
fn json(value: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(value).unwrap_or_default()
}
