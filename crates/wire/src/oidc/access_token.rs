//! The access token for `/userinfo`: a signed JWT of its own type [RFC 9068].

use serde::{Deserialize, Serialize};

use super::Issuer;
use super::userinfo::Fault;
use crate::jose::{JwsError, KeyRing, SigningAlg};
use crate::oauth::scope::Scope;
use crate::oauth::token::Grant;

/// The claims of an access token.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct AccessToken {
    /// Who issued it.
    pub iss: String,
    /// The person.
    pub sub: String,
    /// Where it is good: our userinfo endpoint, and nowhere else.
    pub aud: String,
    /// The application that holds it.
    pub client_id: String,
    /// When it ends (unix seconds).
    pub exp: i64,
    /// When it was issued (unix seconds).
    pub iat: i64,
    /// Its own id: that of the grant.
    pub jti: String,
    /// What it opens, space-separated.
    pub scope: String,
    /// The session: the caller refuses the token when it has ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
}

impl AccessToken {
    /// How long it is good for.
    pub const LIFETIME_S: u32 = 300;

    /// The token that a redeemed grant earns.
    #[must_use]
    pub fn for_grant(grant: &Grant, issuer: &Issuer, now: i64) -> Self {
        Self {
            iss: issuer.as_str().to_owned(),
            sub: grant.subject.clone(),
            aud: issuer.userinfo_endpoint(),
            client_id: grant.client_id.clone(),
            exp: now.saturating_add(i64::from(Self::LIFETIME_S)),
            iat: now,
            jti: grant.id.clone(),
            scope: grant.scope.to_string(),
            sid: grant.sid.clone(),
        }
    }

    /// Signs it with the faster key, if there is one.
    ///
    /// # Errors
    /// [`JwsError`].
    pub fn sign(&self, ring: &KeyRing) -> Result<String, JwsError> {
        let key = ring
            .signing(SigningAlg::Es256)
            .or_else(|| ring.signing(SigningAlg::Rs256));
        key.ok_or(JwsError::UnknownKey)?.sign(TYP, self)
    }

    /// Verifies a token that was sent to `/userinfo`.
    ///
    /// # Errors
    /// [`Fault::TokenNotGood`], whatever is wrong.
    pub fn verify(token: &str, ring: &KeyRing, issuer: &Issuer, now: i64) -> Result<Self, Fault> {
        let token: Self = ring
            .verify(token, TYP, now)
            .map_err(|_| Fault::TokenNotGood)?;
        let ours = token.iss == issuer.as_str() && token.aud == issuer.userinfo_endpoint();
        let alive = token.iat <= now && now < token.exp;
        if ours && alive {
            Ok(token)
        } else {
            Err(Fault::TokenNotGood)
        }
    }

    /// What it opens.
    #[must_use]
    pub fn scope(&self) -> Scope {
        Scope::understood(&self.scope)
    }
}

/// [RFC 9068 §2.1]
const TYP: &str = "at+jwt";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::claims::anna;
    use crate::oidc::id_token::IdToken;
    use crate::testing::{NOW, issuer, ring};
    use serde_json::json;

    fn grant() -> Grant {
        Grant {
            id: "g1".to_owned(),
            client_id: "ent".to_owned(),
            redirect_uri: String::new(),
            code_challenge: String::new(),
            nonce: None,
            scope: Scope::understood("openid email"),
            subject: "p-42".to_owned(),
            sid: None,
            auth_time: NOW,
            acr: String::new(),
            amr: Vec::new(),
            expires_at: NOW,
        }
    }

    /// [C09] [C10] Each claim removed or altered is refused; an ID token opens nothing.
    #[test]
    fn an_access_token_is_good_here_and_now_only() {
        let ring = ring();
        let token = AccessToken::for_grant(&grant(), &issuer(), NOW);
        let signed = token.sign(&ring).unwrap();
        let at = |text: &str, now| AccessToken::verify(text, &ring, &issuer(), now);
        assert_eq!(
            at(&signed, NOW + 299).unwrap().scope().to_string(),
            "openid email"
        );
        assert_eq!(at(&signed, NOW + 300), Err(Fault::TokenNotGood));
        assert_eq!(at(&signed, NOW - 1), Err(Fault::TokenNotGood));
        let key = ring.signing(SigningAlg::Es256).unwrap();
        for name in [
            "iss",
            "sub",
            "aud",
            "client_id",
            "exp",
            "iat",
            "jti",
            "scope",
        ] {
            let mut claims = serde_json::to_value(&token).unwrap();
            claims.as_object_mut().unwrap().remove(name);
            assert_eq!(
                at(&key.sign("at+jwt", &claims).unwrap(), NOW),
                Err(Fault::TokenNotGood),
                "{name}"
            );
            claims[name] = json!(["x"]);
            assert_eq!(
                at(&key.sign("at+jwt", &claims).unwrap(), NOW),
                Err(Fault::TokenNotGood),
                "{name}"
            );
        }
        for (name, value) in [
            ("aud", "https://id.example"),
            ("iss", "https://id.example/"),
        ] {
            let mut claims = serde_json::to_value(&token).unwrap();
            claims[name] = json!(value);
            assert_eq!(
                at(&key.sign("at+jwt", &claims).unwrap(), NOW),
                Err(Fault::TokenNotGood)
            );
        }
        assert_eq!(
            at(&key.sign("JWT", &token).unwrap(), NOW),
            Err(Fault::TokenNotGood)
        );
        let id_token = IdToken::for_grant(&grant(), &anna(), &issuer(), NOW);
        assert_eq!(
            at(&id_token.sign(&ring, SigningAlg::Es256).unwrap(), NOW),
            Err(Fault::TokenNotGood)
        );
        assert_eq!(
            AccessToken::verify(&signed, &crate::testing::ring(), &issuer(), NOW),
            Err(Fault::TokenNotGood)
        );
    }
}
