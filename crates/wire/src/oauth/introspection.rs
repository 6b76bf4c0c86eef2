//! `/introspect`: an interface asks what a token is worth [RFC 7662].

use serde::Serialize;

use super::access_token::AccessToken;
use super::client::{Auth, Client, Encrypted};
use super::refresh::Refresh;
use super::token::{Answer, Fault, Posted};
use crate::jose::{Chance, Content, JweError, JwsError, KeyRing, SigningAlg};
use crate::oidc::Issuer;

/// What a token is worth, as told to one application.
#[derive(Serialize)]
pub struct Introspection {
    active: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    token_type: Option<&'static str>,
    #[serde(flatten, skip_serializing_if = "Option::is_none")]
    says: Option<Says>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Says {
    Access(AccessToken),
    Refresh {
        iss: String,
        sub: String,
        client_id: String,
        exp: i64,
        scope: String,
    },
}

impl Introspection {
    /// Unknown, over, taken back, or none of this application's business: all the same.
    // [RFC 7662 §2.2] "the authorization server MUST return an introspection response with the "active" field set to "false"."
    #[must_use]
    pub const fn inactive() -> Self {
        Self {
            active: false,
            token_type: None,
            says: None,
        }
    }

    /// An access token that counts.
    #[must_use]
    pub const fn of_access(token: AccessToken) -> Self {
        Self {
            active: true,
            token_type: Some(token.kind()),
            says: Some(Says::Access(token)),
        }
    }

    /// A refresh token that is due.
    #[must_use]
    pub fn of_refresh(token: Refresh, issuer: &Issuer) -> Self {
        Self {
            active: true,
            token_type: None,
            says: Some(Says::Refresh {
                iss: issuer.as_str().to_owned(),
                sub: token.sub().to_owned(),
                client_id: token.client_id,
                exp: token.expires_at,
                scope: token.scope.to_string(),
            }),
        }
    }

    /// The answer as JSON.
    #[must_use]
    pub fn answer(&self) -> Answer {
        Answer::json(200, self)
    }

    /// The answer as a signed statement to the application that asks [RFC 9701], encrypted if it wants that; none
    /// if there is no key of that algorithm.
    ///
    /// # Errors
    /// [`StatementError`].
    pub fn sign(
        &self,
        client: &Client,
        (issuer, ring): (&Issuer, &KeyRing),
        now: i64,
        chance: &Chance,
    ) -> Result<Option<Answer>, StatementError> {
        #[derive(Serialize)]
        struct Statement<'a> {
            iss: &'a str,
            aud: &'a str,
            iat: i64,
            token_introspection: &'a Introspection,
        }
        let key = match client.introspection_signed_response_alg {
            Some(alg) => ring.signing(alg),
            // An application whose access tokens are opaque may have an algorithm there that has no key.
            None => {
                let key = ring.signing(client.access_token_alg);
                key.or_else(|| ring.signing(client.id_token_alg))
            }
        };
        let Some(key) = key else {
            return Ok(None);
        };
        // [RFC 9701 §5] "The JWT formatted introspection response MUST include the following claims in addition to those defined in"
        let statement = Statement {
            iss: issuer.as_str(),
            aud: &client.id,
            iat: now,
            token_introspection: self,
        };
        // [RFC 9701 §5] "The value of the typ header parameter MUST be token-introspection+jwt."
        let signed = key.sign("token-introspection+jwt", &statement)?;
        let what = Encrypted::Introspection;
        let hidden = client.encrypted(what, Content::Jwt(&signed), chance)?;
        Ok(Some(Answer {
            status: 200,
            headers: vec![("content-type", JWT), ("cache-control", "no-store")],
            body: hidden.unwrap_or(signed).into_bytes(),
        }))
    }
}

/// A statement that cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum StatementError {
    /// Signing failed.
    #[error("making a statement about a token: {0}")]
    Sign(#[from] JwsError),
    /// Encrypting failed.
    #[error("making a statement about a token: {0}")]
    Encrypt(#[from] JweError),
}

/// Whether this application, which is authenticated, may have tokens explained at all.
///
/// # Errors
/// [`Fault::ClientNotItself`] for one that cannot prove what it is.
pub fn may_ask(client: &Client) -> Result<(), Fault> {
    // [RFC 7662 §2.1] "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this endpoint"
    match client.auth {
        Auth::None => Err(Fault::ClientNotItself),
        _ => Ok(()),
    }
}

/// Whether a token is this application's business: it was issued to it, or opens an interface that it is.
#[must_use]
pub fn concerns(token: &AccessToken, client: &Client) -> bool {
    token.client_id == client.id || token.aud.iter().any(|one| client.audience.contains(one))
}

/// The token that is asked about, or given back.
///
/// # Errors
/// [`Fault::TokenMissing`].
pub fn token(posted: &Posted) -> Result<&str, Fault> {
    posted.value("token").ok_or(Fault::TokenMissing)
}

/// Whether the answer is a signed statement: it is registered so, or wanted now. What is registered to be encrypted is
/// not told in the clear because a header is missing.
#[must_use]
pub fn wants_statement(client: &Client, accept: Option<&str>) -> bool {
    // [RFC 9701 §6] Either is registered to have it always so.
    if client.introspection_signed_response_alg.is_some()
        || client.encryption(Encrypted::Introspection).is_some()
    {
        return true;
    }
    let mut kinds = accept.unwrap_or_default().split(',');
    kinds.any(|kind| {
        let kind = kind.split(';').next().unwrap_or_default();
        kind.trim().eq_ignore_ascii_case(JWT)
    })
}

/// The algorithms in which statements can be had.
pub(crate) fn algs(ring: &KeyRing) -> Vec<&'static str> {
    ring.algs().map(SigningAlg::name).collect()
}

const JWT: &str = "application/token-introspection+jwt";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{JwkSet, KeyManagement};
    use crate::oauth::access_token::Wanted;
    use crate::testing::{NOW, ent, hers, issuer, native, ring};
    use serde_json::{Value, json};

    fn token() -> AccessToken {
        let wanted = Wanted {
            resources: vec!["https://api.example/".to_owned()],
            id: "j".to_owned(),
            bound: None,
            now: NOW,
        };
        AccessToken::of_application("batch", String::new(), wanted, &issuer())
    }

    /// [RFC 7662 §2.2] "the authorization server MUST return an introspection response with the "active" field set to "false"."
    #[test]
    fn what_is_not_active_says_nothing_else() {
        let answer = Introspection::inactive().answer();
        assert_eq!(answer.body, br#"{"active":false}"#);
        let active: Value =
            serde_json::from_slice(&Introspection::of_access(token()).answer().body).unwrap();
        assert_eq!(
            active,
            json!({"active": true, "token_type": "Bearer", "iss": "https://id.example",
                "sub": "batch", "aud": ["https://api.example/"], "client_id": "batch",
                "exp": NOW + 300, "iat": NOW, "jti": "j"})
        );
    }

    /// [C08] [RFC 7662 §2.1] "To prevent token scanning attacks, the endpoint MUST also require some form of authorization to access this endpoint"
    #[test]
    fn a_token_concerns_whom_it_was_issued_to_and_whom_it_opens() {
        assert_eq!(may_ask(&ent()), Ok(()));
        assert_eq!(may_ask(&native()), Err(Fault::ClientNotItself));
        let batch = Client {
            id: "batch".to_owned(),
            ..ent()
        };
        let api = Client {
            audience: vec!["https://api.example/".to_owned()],
            ..ent()
        };
        assert!(concerns(&token(), &batch) && concerns(&token(), &api));
        assert!(!concerns(&token(), &ent()));
    }

    /// [RFC 9701 §5] "The JWT formatted introspection response MUST include the following claims in addition to those defined in"
    /// [RFC 9701 §5] "The value of the typ header parameter MUST be token-introspection+jwt."
    #[test]
    fn a_statement_is_signed_for_whoever_asks() {
        let wants = |accept| wants_statement(&ent(), accept);
        assert!(wants(Some(
            "application/json, application/token-introspection+jwt;q=0.9"
        )));
        assert!(!wants(Some("application/json")) && !wants(None));
        let always = Client {
            introspection_signed_response_alg: Some(SigningAlg::Rs256),
            ..ent()
        };
        assert!(wants_statement(&always, Some("application/json")));
        let (ring, issuer) = (ring(), issuer());
        let says = |client: &Client| {
            let about = Introspection::inactive();
            about.sign(client, (&issuer, &ring), NOW, &[7; 112])
        };
        let answer = says(&ent()).unwrap().unwrap();
        assert!(answer.headers.contains(&("content-type", JWT)));
        let signed = String::from_utf8(answer.body).unwrap();
        let says_it: Value = ring
            .verify(&signed, "token-introspection+jwt", NOW)
            .unwrap();
        let says_in_the_open = says_it.clone();
        assert_eq!(
            says_it,
            json!({"iss": "https://id.example", "aud": "ent", "iat": NOW,
                "token_introspection": {"active": false}})
        );
        let key = hers();
        let hides = Client {
            introspection_encrypted_response_alg: Some(KeyManagement::EcdhEsA256Kw),
            jwks: Some(JwkSet {
                keys: vec![key.published().unwrap().clone()],
            }),
            ..ent()
        };
        assert!(wants_statement(&hides, Some("application/json")));
        let hidden = String::from_utf8(says(&hides).unwrap().unwrap().body).unwrap();
        let opened = String::from_utf8(key.open(&hidden).unwrap().to_vec()).unwrap();
        let again: Value = ring
            .verify(&opened, "token-introspection+jwt", NOW)
            .unwrap();
        assert_eq!(again, says_in_the_open);
        let by_rsa = String::from_utf8(says(&always).unwrap().unwrap().body).unwrap();
        let header = by_rsa.split('.').next().unwrap();
        let header = data_encoding::BASE64URL_NOPAD.decode(header.as_bytes());
        let header: Value = serde_json::from_slice(&header.unwrap()).unwrap();
        assert_eq!(header["alg"], "RS256");
        let by_nothing = Client {
            introspection_signed_response_alg: Some(SigningAlg::EdDsa),
            ..ent()
        };
        assert_eq!(says(&by_nothing), Ok(None), "no other key is taken instead");
    }
}
