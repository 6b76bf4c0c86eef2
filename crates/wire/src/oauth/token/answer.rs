//! What the token endpoint answers: tokens, or a fault.

use serde::Serialize;

use super::Fault;

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

/// Tokens for an application. Not printable: they are secrets until they expire.
#[derive(Serialize)]
pub struct TokenAnswer {
    access_token: String,
    token_type: &'static str,
    expires_in: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    id_token: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    refresh_token: Option<String>,
    #[serde(skip_serializing_if = "String::is_empty")]
    scope: String,
}

impl TokenAnswer {
    /// An access token that lives `expires_in` seconds.
    #[must_use]
    pub fn new(access_token: String, expires_in: u32, scope: String) -> Self {
        // [OIDC Core §3.1.3.3] "The OAuth 2.0 "token_type" response parameter value MUST be "Bearer""
        Self {
            access_token,
            token_type: "Bearer",
            expires_in,
            id_token: None,
            refresh_token: None,
            scope,
        }
    }

    /// With the way in which the access token is to be shown.
    #[must_use]
    pub fn with_kind(self, token_type: &'static str) -> Self {
        Self { token_type, ..self }
    }

    /// With the ID token beside it.
    #[must_use]
    pub fn with_id_token(self, id_token: String) -> Self {
        Self {
            id_token: Some(id_token),
            ..self
        }
    }

    /// With a refresh token, if there is one.
    #[must_use]
    pub fn with_refresh_token(self, refresh_token: Option<String>) -> Self {
        Self {
            refresh_token,
            ..self
        }
    }

    /// The answer.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer::json(200, self)
    }
}

impl Answer {
    /// JSON that nobody may keep.
    #[must_use]
    pub fn json(status: u16, value: &impl Serialize) -> Self {
        Self {
            status,
            headers: NO_STORE.to_vec(),
            body: json(value),
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
