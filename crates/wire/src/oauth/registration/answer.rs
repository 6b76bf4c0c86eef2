//! What an application is told that registers itself: what is registered, or what is wrong.

use std::collections::BTreeMap;

use serde::Serialize;

use super::Registered;
use crate::Secret;
use crate::jose::{JwkSet, SigningAlg};
use crate::oauth::client::{Auth, Client, Encrypted, GrantName, Kind, Subjects};
use crate::oauth::token::{Answer, NO_STORE};
use crate::oidc::Issuer;

/// What is registered, for the application itself.
pub struct Shown<'a> {
    /// When it came, in seconds since 1970.
    pub at: i64,
    /// Where this is.
    pub issuer: &'a Issuer,
    /// The application.
    pub registered: &'a Registered,
    /// A secret that it did not know before. One that it knows is kept nowhere.
    pub secret: Option<&'a Secret>,
    /// The token with which it looks after this.
    pub token: &'a Secret,
}

#[derive(Serialize)]
struct Document<'a> {
    client_id: &'a str,
    client_id_issued_at: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_secret_expires_at: Option<i64>,
    registration_client_uri: String,
    registration_access_token: &'a str,
    application_type: &'static str,
    #[serde(flatten)]
    names: &'a BTreeMap<String, String>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    contacts: &'a [String],
    redirect_uris: &'a [String],
    response_types: [&'static str; 1],
    grant_types: Vec<&'static str>,
    scope: String,
    subject_type: &'static str,
    token_endpoint_auth_method: &'static str,
    id_token_signed_response_alg: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    jwks: Option<&'a JwkSet>,
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    post_logout_redirect_uris: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    initiate_login_uri: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    client_uri: Option<&'a str>,
    #[serde(flatten)]
    protected: BTreeMap<&'static str, &'static str>,
    dpop_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tls_client_certificate_bound_access_tokens: bool,
    require_pushed_authorization_requests: bool,
    require_signed_request_object: bool,
}

impl Shown<'_> {
    /// The answer to who registers.
    // [RFC 7591 §3.2] "The server responds with an HTTP 201 Created status code and a body of type "application/json" with content as described in Section 3.2.1."
    #[must_use]
    pub fn created(&self) -> Answer {
        Answer::json(201, &self.document())
    }

    /// The answer to who looks, or has changed something.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer::json(200, &self.document())
    }

    // [RFC 7591 §3.2.1] "the authorization server MUST return all registered metadata about this client, including any fields provisioned by the authorization server itself."
    fn document(&self) -> Document<'_> {
        let (client, said) = (&self.registered.client, &self.registered.said);
        let has_secret = matches!(client.auth, Auth::Basic | Auth::Post);
        Document {
            client_id: &client.id,
            client_id_issued_at: self.at,
            client_secret: self.secret.and_then(text),
            // [RFC 7591 §3.2.1] "REQUIRED if "client_secret" is issued."
            client_secret_expires_at: has_secret.then(|| client.secret_until.unwrap_or_default()),
            registration_client_uri: self.issuer.registration_client_uri(&client.id),
            registration_access_token: text(self.token).unwrap_or_default(),
            application_type: match client.kind {
                Kind::Native => "native",
                Kind::Confidential | Kind::Public => "web",
            },
            names: &said.names,
            contacts: &said.contacts,
            redirect_uris: &client.redirect_uris,
            response_types: ["code"],
            grant_types: client.grants.iter().copied().map(grant_type).collect(),
            scope: client.scope().to_string(),
            subject_type: match client.subject {
                Subjects::Public => "public",
                Subjects::Pairwise => "pairwise",
            },
            token_endpoint_auth_method: match client.auth {
                Auth::Basic => "client_secret_basic",
                Auth::Post => "client_secret_post",
                Auth::SecretJwt => "client_secret_jwt",
                Auth::PrivateKeyJwt => "private_key_jwt",
                Auth::TlsClientAuth => "tls_client_auth",
                Auth::SelfSignedTlsClientAuth => "self_signed_tls_client_auth",
                Auth::None => "none",
            },
            id_token_signed_response_alg: SigningAlg::name(client.id_token_alg),
            jwks: client.jwks.as_ref(),
            post_logout_redirect_uris: &client.post_logout_redirect_uris,
            initiate_login_uri: client.initiate_login_uri.as_deref(),
            client_uri: client.home.as_deref(),
            protected: protected(client),
            dpop_bound_access_tokens: client.dpop_bound,
            tls_client_certificate_bound_access_tokens: client
                .tls_client_certificate_bound_access_tokens,
            require_pushed_authorization_requests: client.require_par,
            require_signed_request_object: client.require_signed_request_object,
        }
    }
}

/// How what it is told is signed and encrypted, if it is; a setting that is not there is not shown.
fn protected(client: &Client) -> BTreeMap<&'static str, &'static str> {
    let signed = [
        (
            "userinfo_signed_response_alg",
            client.userinfo_signed_response_alg,
        ),
        (
            "introspection_signed_response_alg",
            client.introspection_signed_response_alg,
        ),
        (
            "authorization_signed_response_alg",
            client.authorization_signed_response_alg,
        ),
    ];
    let signed = signed.map(|(name, alg)| (name, alg.map(SigningAlg::name)));
    let encrypted = ENCRYPTED.into_iter().flat_map(|(what, alg, enc)| {
        let used = client.encryption(what);
        [
            (alg, used.map(|(alg, _)| alg.name())),
            (enc, used.map(|(_, enc)| enc.name())),
        ]
    });
    let all = signed.into_iter().chain(encrypted);
    all.filter_map(|(name, value)| Some((name, value?)))
        .collect()
}

/// The settings for all that can be encrypted.
const ENCRYPTED: [(Encrypted, &str, &str); Encrypted::ALL.len()] = [
    (
        Encrypted::IdToken,
        "id_token_encrypted_response_alg",
        "id_token_encrypted_response_enc",
    ),
    (
        Encrypted::Userinfo,
        "userinfo_encrypted_response_alg",
        "userinfo_encrypted_response_enc",
    ),
    (
        Encrypted::Introspection,
        "introspection_encrypted_response_alg",
        "introspection_encrypted_response_enc",
    ),
    (
        Encrypted::Authorization,
        "authorization_encrypted_response_alg",
        "authorization_encrypted_response_enc",
    ),
];

/// Secrets here are base64url.
fn text(secret: &Secret) -> Option<&str> {
    std::str::from_utf8(secret.expose()).ok()
}

const fn grant_type(grant: GrantName) -> &'static str {
    match grant {
        GrantName::AuthorizationCode => "authorization_code",
        GrantName::RefreshToken => "refresh_token",
        GrantName::ClientCredentials => "client_credentials",
        GrantName::DeviceCode => crate::oauth::device::GRANT_TYPE,
    }
}

/// Why nothing is registered.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub enum Refused {
    /// Something else than a redirect address is wrong.
    #[error("{0}")]
    Metadata(String),
    /// The body is no JSON object, or says a name twice.
    #[error("the body must be one JSON object of type application/json, with each name once")]
    NotAnObject,
    /// A redirect address cannot be registered.
    #[error("{0}")]
    RedirectUri(String),
    /// Somebody else's statement about the software comes along, and nobody's is believed here.
    #[error("software statements are not accepted here: leave software_statement out")]
    Statement,
    /// The token of the invitation or of the application is not good.
    #[error("the token is unknown, used up or expired")]
    Token,
    /// There is no token, or something else in its place.
    #[error("there is no bearer token")]
    TokenMissing,
    /// Too many from this network.
    #[error("too many applications of this network register: wait a moment")]
    TooMany,
}

/// The answer to an application that has gone.
// [RFC 7592 §2.3] "If a client has been successfully deprovisioned, the authorization server MUST respond with an HTTP 204 No Content message."
#[must_use]
pub fn gone() -> Answer {
    Answer {
        status: 204,
        headers: vec![("cache-control", "no-store")],
        body: Vec::new(),
    }
}

/// Nothing is said of what may be wrong: nothing is known.
fn asking_for_a_token() -> Answer {
    let [_, keeping @ ..] = NO_STORE;
    Answer {
        status: 401,
        headers: [("www-authenticate", "Bearer")]
            .into_iter()
            .chain(keeping)
            .collect(),
        body: Vec::new(),
    }
}

impl Refused {
    /// The answer.
    // [RFC 7591 §3.2.2] "When a registration error condition occurs, the authorization server returns an HTTP 400 status code (unless otherwise specified) with content type "application/json" consisting of a JSON object [RFC7159] describing the error in the response body."
    #[must_use]
    pub fn answer(&self) -> Answer {
        #[derive(Serialize)]
        struct Body {
            error: &'static str,
            error_description: String,
        }
        let (status, error) = match self {
            // [RFC 6750 §3.1] Without any token there is no error code, and nothing else either.
            Self::TokenMissing => return asking_for_a_token(),
            Self::Metadata(_) | Self::NotAnObject => (400, "invalid_client_metadata"),
            Self::RedirectUri(_) => (400, "invalid_redirect_uri"),
            Self::Statement => (400, "unapproved_software_statement"),
            // [RFC 6750 §3.1]
            Self::Token => (401, "invalid_token"),
            Self::TooMany => (429, "temporarily_unavailable"),
        };
        let description = self.to_string();
        // [RFC 7591 §3.2.2] "Human-readable ASCII text description of the error used for debugging."
        let ascii = |c: char| if matches!(c, ' '..='~') { c } else { '?' };
        let body = Body {
            error,
            error_description: description.chars().map(ascii).collect(),
        };
        let mut answer = Answer::json(status, &body);
        match self {
            Self::Token => answer
                .headers
                .push(("www-authenticate", "Bearer error=\"invalid_token\"")),
            Self::TooMany => answer.headers.push(("retry-after", "10")),
            _ => {}
        }
        answer
    }
}
