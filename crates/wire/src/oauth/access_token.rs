//! What an access token says, whether it is sealed or signed [RFC 9068].

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::confirmation::Confirmation;
use super::refresh::Refresh;
use super::scope::Scope;
use super::token::Grant;
use crate::jose::{JwsError, KeyRing, SigningAlg};
use crate::oidc::Issuer;
use crate::oidc::claims::ClaimName;

/// The claims of an access token. Not printable: whoever has the token may use it.
#[derive(Clone, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessToken {
    /// Who says so.
    pub iss: String,
    /// Whom it stands for: a person, or the application itself.
    pub sub: String,
    /// The interfaces that it opens.
    pub aud: Vec<String>,
    /// The application it was issued to.
    pub client_id: String,
    /// When it ends (unix seconds).
    pub exp: i64,
    /// When it was made (unix seconds).
    pub iat: i64,
    /// Its own id. What a code gave begins with the id of that code and a dot.
    pub jti: String,
    /// What it may be used for.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub scope: String,
    /// What `/userinfo` tells beside the scope.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub userinfo: BTreeSet<ClaimName>,
    /// The session in which it was issued; none if no person is involved.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// When the person proved who they are (unix seconds).
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub auth_time: Option<i64>,
    /// The assurance.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acr: Option<String>,
    /// How it was proven [RFC 8176].
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub amr: Vec<String>,
    /// To what it is bound.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cnf: Option<Confirmation>,
}

/// What an access token is made for.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// The interfaces that it is to open; none stands for the provider's own.
    pub resources: Vec<String>,
    /// Drawn by the caller, unique.
    pub id: String,
    /// To what it is to be bound.
    pub bound: Option<Confirmation>,
    /// When (unix seconds).
    pub now: i64,
}

impl AccessToken {
    /// How long an access token is good for, in seconds.
    pub const LIFETIME_S: i64 = 300;

    /// The token of an application that asks in its own name.
    #[must_use]
    pub fn of_application(client_id: &str, scope: String, wanted: Wanted, issuer: &Issuer) -> Self {
        // [RFC 9068 §3] "the authorization server MUST use a default resource indicator in the "aud" claim."
        let aud = match wanted.resources.is_empty() {
            true => vec![issuer.as_str().to_owned()],
            false => wanted.resources,
        };
        // [RFC 9068 §2.2] "In cases of access tokens obtained through grants where no resource owner is involved, such as the client credentials grant, the value of "sub" SHOULD correspond to an identifier the authorization server uses to indicate the client application."
        Self {
            iss: issuer.as_str().to_owned(),
            sub: client_id.to_owned(),
            aud,
            client_id: client_id.to_owned(),
            exp: wanted.now.saturating_add(Self::LIFETIME_S),
            iat: wanted.now,
            jti: wanted.id,
            scope,
            userinfo: BTreeSet::new(),
            sid: None,
            auth_time: None,
            acr: None,
            amr: Vec::new(),
            cnf: wanted.bound,
        }
    }

    /// The token that a redeemed code earns.
    #[must_use]
    pub fn of_grant(grant: &Grant, wanted: Wanted, issuer: &Issuer) -> Self {
        let id = format!("{}.{}", grant.id, wanted.id);
        let scope = grant.scope.to_string();
        let wanted = Wanted { id, ..wanted };
        Self {
            sub: grant.sub().to_owned(),
            userinfo: grant.claims.userinfo.clone(),
            sid: grant.sid.clone(),
            auth_time: Some(grant.auth_time),
            acr: Some(grant.acr.clone()),
            amr: grant.amr.clone(),
            ..Self::of_application(&grant.client_id, scope, wanted, issuer)
        }
    }

    /// The token that a renewed refresh token earns, for this much of what was granted.
    #[must_use]
    pub fn of_refresh(refresh: &Refresh, scope: &Scope, wanted: Wanted, issuer: &Issuer) -> Self {
        let id = format!("{}.{}", refresh.family, wanted.id);
        let wanted = Wanted { id, ..wanted };
        Self {
            sub: refresh.sub().to_owned(),
            userinfo: refresh.claims(scope).userinfo,
            sid: Some(refresh.sid.clone()),
            auth_time: Some(refresh.auth_time),
            acr: Some(refresh.acr.clone()),
            amr: refresh.amr.clone(),
            ..Self::of_application(&refresh.client_id, scope.to_string(), wanted, issuer)
        }
    }

    /// The code that gave it, or with which the family began that did; none if there was none.
    #[must_use]
    pub fn code(&self) -> Option<&str> {
        self.sid.as_ref()?;
        self.jti.split_once('.').map(|(code, _)| code)
    }

    /// How it is to be shown: with a proof of its key, or as it is.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self.cnf {
            Some(Confirmation::Key(_)) => "DPoP",
            Some(Confirmation::Certificate(_)) | None => "Bearer",
        }
    }

    /// Whether it opens this interface now.
    #[must_use]
    pub fn opens(&self, audience: &str, now: i64) -> bool {
        now < self.exp && self.aud.iter().any(|one| one == audience)
    }

    /// The token as a signed JWT; none if there is no key of that algorithm.
    ///
    /// # Errors
    /// [`JwsError`] when signing fails.
    pub fn sign(&self, ring: &KeyRing, alg: SigningAlg) -> Result<Option<String>, JwsError> {
        // [RFC 9068 §2.1] "it is RECOMMENDED that the "typ" header parameter be set to "at+jwt""
        // [RFC 9068 §2.1] "JWT access tokens MUST be signed."
        let signed = ring.signing(alg).map(|key| key.sign(TYP, self));
        signed.transpose()
    }

    /// Reads a JWT of ours, whether or not its time is over.
    ///
    /// # Errors
    /// [`JwsError`] when it is none.
    pub fn read(token: &str, ring: &KeyRing, issuer: &Issuer, now: i64) -> Result<Self, JwsError> {
        let read: Self = ring.verify(token, TYP, now)?;
        // [RFC 9068 §4] "The issuer identifier for the authorization server (which is typically obtained during discovery) MUST exactly match the value of the "iss" claim."
        match read.iss == issuer.as_str() {
            true => Ok(read),
            false => Err(JwsError::WrongType),
        }
    }
}

/// The type that keeps an access token from being taken for an ID token.
const TYP: &str = "at+jwt";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{NOW, issuer, ring};
    use serde_json::{Value, json};

    fn wanted(resources: &[&str]) -> Wanted {
        Wanted {
            resources: resources.iter().map(ToString::to_string).collect(),
            id: "j-1".to_owned(),
            bound: None,
            now: NOW,
        }
    }

    fn grant() -> Grant {
        Grant {
            id: "c-1".to_owned(),
            client_id: "ent".to_owned(),
            redirect_uri: String::new(),
            code_challenge: String::new(),
            nonce: None,
            scope: Scope::understood("openid email"),
            subject: "p-42".to_owned(),
            pseudonym: None,
            claims: crate::oidc::claims::Named::default(),
            key: None,
            sid: Some("s-7".to_owned()),
            auth_time: NOW - 30,
            acr: crate::oidc::ACR_MFA.to_owned(),
            amr: vec!["pwd".to_owned(), "otp".to_owned()],
            expires_at: NOW + 60,
        }
    }

    /// [RFC 9068 §2.2] "In cases of access tokens obtained through grants where no resource owner is involved, such as the client credentials grant, the value of "sub" SHOULD correspond to an identifier the authorization server uses to indicate the client application."
    /// [RFC 9068 §3] "the authorization server MUST use a default resource indicator in the "aud" claim."
    #[test]
    fn a_token_of_an_application_says_who_it_is_and_what_it_opens() {
        let (ring, issuer) = (ring(), issuer());
        let scope = "timetable.read".to_owned();
        let api = wanted(&["https://api.example/"]);
        let token = AccessToken::of_application("batch", scope, api, &issuer);
        let signed = token.sign(&ring, SigningAlg::Es256).unwrap().unwrap();
        let claims: Value = ring.verify(&signed, "at+jwt", NOW).unwrap();
        assert_eq!(
            claims,
            json!({
                "iss": "https://id.example", "sub": "batch", "aud": ["https://api.example/"],
                "client_id": "batch", "exp": NOW + 300, "iat": NOW, "jti": "j-1",
                "scope": "timetable.read"
            })
        );
        assert!(token.opens("https://api.example/", NOW) && token.code().is_none());
        assert!(!token.opens("https://api.example/", NOW + 300));
        assert!(!token.opens("https://id.example", NOW));
        let plain = AccessToken::of_application("batch", String::new(), wanted(&[]), &issuer);
        assert_eq!(plain.aud, ["https://id.example"]);
    }

    /// [RFC 9068 §2.1] "JWT access tokens MUST be signed."
    /// [C10] [RFC 9068 §2.1] "it is RECOMMENDED that the "typ" header parameter be set to "at+jwt""
    /// [RFC 9068 §4] "The issuer identifier for the authorization server (which is typically obtained during discovery) MUST exactly match the value of the "iss" claim."
    #[test]
    fn a_token_is_read_back_if_it_is_one_and_ours() {
        let (ring, issuer) = (ring(), issuer());
        let token = AccessToken::of_grant(&grant(), wanted(&[]), &issuer);
        assert_eq!(token.code(), Some("c-1"));
        let signed = token.sign(&ring, SigningAlg::Rs256).unwrap().unwrap();
        let read = AccessToken::read(&signed, &ring, &issuer, NOW + 9_000).unwrap();
        assert!(read == token);
        let other = Issuer::parse("https://other.example").unwrap();
        assert!(AccessToken::read(&signed, &ring, &other, NOW).is_err());
        let key = ring.signing(SigningAlg::Es256).unwrap();
        let id_token = key.sign("JWT", &token).unwrap();
        assert!(AccessToken::read(&id_token, &ring, &issuer, NOW).is_err());
        assert!(AccessToken::read("x", &ring, &issuer, NOW).is_err());
    }

    #[test]
    fn a_renewed_token_says_what_the_first_one_said() {
        let first = AccessToken::of_grant(&grant(), wanted(&[]), &issuer());
        let refresh = Refresh::first(&grant(), None, NOW + 3600).unwrap();
        let later = Wanted {
            now: NOW + 250,
            ..wanted(&[])
        };
        let scope = Scope::understood("openid email");
        let renewed = AccessToken::of_refresh(&refresh, &scope, later, &issuer());
        assert!(
            renewed
                == AccessToken {
                    iat: NOW + 250,
                    exp: NOW + 550,
                    ..first
                }
        );
    }
}
