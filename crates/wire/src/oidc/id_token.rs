//! The ID token: a signed statement to one application about one sign-in.

use aws_lc_rs::digest::{SHA256, digest};
use serde::{Deserialize, Serialize};

use super::Issuer;
use super::claims::Profile;
use crate::jose::{JwsError, KeyRing, SigningAlg, base64url};
use crate::oauth::refresh::Refresh;
use crate::oauth::scope::Scope;
use crate::oauth::token::Grant;

/// The claims of an ID token [OIDC Core §2].
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub struct IdToken {
    /// Who says so.
    pub iss: String,
    /// Who it is about: never reassigned, at most 255 ASCII characters.
    pub sub: String,
    /// The application it is for.
    pub aud: String,
    /// When it ends (unix seconds).
    pub exp: i64,
    /// When it was made (unix seconds).
    pub iat: i64,
    /// When the person proved who they are (unix seconds).
    // [OIDC Core §3.1.2.1] "When "max_age" is used, the ID Token returned MUST include an "auth_time" Claim Value."
    pub auth_time: i64,
    /// The application's own value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub nonce: Option<String>,
    /// The assurance.
    pub acr: String,
    /// How it was proven [RFC 8176].
    pub amr: Vec<String>,
    /// The session.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sid: Option<String>,
    /// The left half of the access token's digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub at_hash: Option<String>,
    /// What the scopes say about the person.
    #[serde(flatten)]
    pub profile: Profile,
}

/// An ID token that cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum IdTokenError {
    /// The subject is empty, longer than 255 characters or not ASCII.
    #[error("making an ID token: the subject must be 1 to 255 ASCII characters")]
    Subject,
    /// There is no current key for the application's algorithm.
    #[error("making an ID token: there is no current signing key for {}; add one", .0.name())]
    NoKey(SigningAlg),
    /// Signing failed.
    #[error("making an ID token: {0}")]
    Sign(JwsError),
}

impl IdToken {
    /// How long an ID token is good for.
    pub const LIFETIME_S: i64 = 300;

    /// The token that a redeemed grant earns.
    #[must_use]
    pub fn for_grant(grant: &Grant, profile: &Profile, issuer: &Issuer, now: i64) -> Self {
        Self {
            iss: issuer.as_str().to_owned(),
            sub: grant.sub().to_owned(),
            aud: grant.client_id.clone(),
            exp: now.saturating_add(Self::LIFETIME_S),
            iat: now,
            auth_time: grant.auth_time,
            // [OIDC Core §2] "If present in the Authentication Request, Authorization Servers MUST include a "nonce" Claim in the ID Token"
            nonce: grant.nonce.clone(),
            acr: grant.acr.clone(),
            amr: grant.amr.clone(),
            sid: grant.sid.clone(),
            at_hash: None,
            profile: profile.told(&grant.scope, &grant.claims.id_token),
        }
    }

    /// The token that a renewed refresh token earns: it says the same about the sign-in.
    #[must_use]
    pub fn for_refresh(
        refresh: &Refresh,
        scope: &Scope,
        (profile, issuer): (&Profile, &Issuer),
        now: i64,
    ) -> Self {
        Self {
            // [OIDC Core §12.2] "its iss Claim Value MUST be the same as in the ID Token issued when the original authentication occurred"
            iss: issuer.as_str().to_owned(),
            // [OIDC Core §12.2] "its sub Claim Value MUST be the same as in the ID Token issued when the original authentication occurred"
            sub: refresh.sub().to_owned(),
            // [OIDC Core §12.2] "its aud Claim Value MUST include the value in the ID Token issued when the original authentication occurred"
            aud: refresh.client_id.clone(),
            exp: now.saturating_add(Self::LIFETIME_S),
            // [OIDC Core §12.2] "its iat Claim MUST represent the time that the new ID Token is issued"
            iat: now,
            // [OIDC Core §12.2] "its value MUST represent the time of the original authentication - not the time that the new ID token is issued"
            auth_time: refresh.auth_time,
            // [OIDC Core §12.2] "it SHOULD NOT have a nonce Claim, even when the ID Token issued at the time of the original authentication contained nonce"
            nonce: None,
            acr: refresh.acr.clone(),
            amr: refresh.amr.clone(),
            sid: Some(refresh.sid.clone()),
            at_hash: None,
            profile: profile.told(scope, &refresh.claims(scope).id_token),
        }
    }

    /// The same, bound to the access token beside it [OIDC Core §3.1.3.6].
    #[must_use]
    pub fn with_access_token(self, access_token: &str) -> Self {
        let whole = digest(&SHA256, access_token.as_bytes());
        let half = whole
            .as_ref()
            .split_at_checked(16)
            .map(|(left, _)| base64url(left));
        Self {
            at_hash: half,
            ..self
        }
    }

    /// Signs it.
    ///
    /// # Errors
    /// [`IdTokenError`].
    pub fn sign(&self, ring: &KeyRing, alg: SigningAlg) -> Result<String, IdTokenError> {
        // [OIDC Core §2] "It MUST NOT exceed 255 ASCII [RFC20] characters in length."
        if !(1..=255).contains(&self.sub.len()) || !self.sub.is_ascii() {
            return Err(IdTokenError::Subject);
        }
        let key = ring.signing(alg).ok_or(IdTokenError::NoKey(alg))?;
        key.sign(TYP, self).map_err(IdTokenError::Sign)
    }
}

/// What an ID token of ours tells when an application gives it back as a hint.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub struct Hint {
    /// Who said so: verified to be us.
    iss: String,
    /// The person.
    pub sub: String,
    /// The application it was issued to.
    pub aud: String,
    /// The session.
    #[serde(default)]
    pub sid: Option<String>,
    /// Present in ID tokens only; keeps other tokens of ours from being taken for one.
    #[serde(rename = "auth_time")]
    _auth_time: i64,
}

impl Hint {
    /// Verifies that we issued the token. An expired one is fine: it is only a hint. An encrypted one nobody but
    /// its application reads: that opens it, and gives back what is inside.
    ///
    /// # Errors
    /// [`JwsError`] when it is not ours.
    pub fn read(token: &str, ring: &KeyRing, issuer: &Issuer, now: i64) -> Result<Self, JwsError> {
        let hint: Self = ring.verify(token, TYP, now)?;
        // [RP-Initiated Logout §2] "When an id_token_hint parameter is present, the OP MUST validate that it was the issuer of the ID Token."
        if hint.iss == issuer.as_str() {
            Ok(hint)
        } else {
            Err(JwsError::UnknownKey)
        }
    }
}

/// The person that an application expects at `/authorize`, from its `id_token_hint`. Nobody, if the
/// token is not ours or was issued to another application: then answer `login_required` or ask.
#[must_use]
pub fn hinted_subject(
    token: &str,
    client_id: &str,
    ring: &KeyRing,
    issuer: &Issuer,
    now: i64,
) -> Option<String> {
    let hint = Hint::read(token, ring, issuer, now).ok()?;
    (hint.aud == client_id).then_some(hint.sub)
}

/// An ID token says that it is a plain JWT; access tokens and assertions say otherwise.
const TYP: &str = "JWT";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{Content, ContentEncryption, KeyManagement, SigningKey, Standing};
    use crate::oidc::claims::anna;
    use crate::testing::{NOW, hers, issuer, ring};
    use serde_json::{Value, json};

    pub(crate) fn grant() -> Grant {
        Grant {
            id: "g1".to_owned(),
            client_id: "ent".to_owned(),
            redirect_uri: "https://edu.example/callback".to_owned(),
            code_challenge: String::new(),
            nonce: Some("n-1".to_owned()),
            scope: Scope::understood("openid email"),
            subject: "p-42".to_owned(),
            pseudonym: None,
            claims: crate::oidc::claims::Named::default(),
            key: None,
            sid: Some("s-7".to_owned()),
            auth_time: NOW - 30,
            acr: crate::oidc::ACR_MFA.to_owned(),
            amr: vec!["pwd".to_owned(), "otp".to_owned(), "mfa".to_owned()],
            expires_at: NOW + 60,
        }
    }

    /// [C11] [OIDC Core §3.1.2.1] "When "max_age" is used, the ID Token returned MUST include an "auth_time" Claim Value."
    /// [OIDC Core §2] "If present in the Authentication Request, Authorization Servers MUST include a "nonce" Claim in the ID Token"
    #[test]
    fn an_id_token_says_what_the_grant_says_and_no_more() {
        let ring = ring();
        for alg in [SigningAlg::Es256, SigningAlg::Rs256] {
            let token = IdToken::for_grant(&grant(), &anna(), &issuer(), NOW)
                .with_access_token("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y");
            let signed = token.sign(&ring, alg).unwrap();
            let claims: Value = ring.verify(&signed, "JWT", NOW).unwrap();
            assert_eq!(
                claims,
                json!({
                    "iss": "https://id.example", "sub": "p-42", "aud": "ent", "exp": NOW + 300, "iat": NOW,
                    "auth_time": NOW - 30, "nonce": "n-1", "acr": "https://refeds.org/profile/mfa",
                    "amr": ["pwd", "otp", "mfa"], "sid": "s-7", "at_hash": "77QmUPtjPfzWtF2AnpK9RQ",
                    "email": "anna.rey@edu.example", "email_verified": true
                })
            );
        }
    }

    /// [OIDC Core §12.2] "its iss Claim Value MUST be the same as in the ID Token issued when the original authentication occurred"
    /// [OIDC Core §12.2] "its sub Claim Value MUST be the same as in the ID Token issued when the original authentication occurred"
    /// [OIDC Core §12.2] "its aud Claim Value MUST include the value in the ID Token issued when the original authentication occurred"
    /// [OIDC Core §12.2] "its iat Claim MUST represent the time that the new ID Token is issued"
    /// [OIDC Core §12.2] "its value MUST represent the time of the original authentication - not the time that the new ID token is issued"
    /// [OIDC Core §12.2] "it SHOULD NOT have a nonce Claim, even when the ID Token issued at the time of the original authentication contained nonce"
    #[test]
    fn a_renewed_id_token_says_the_same_about_the_sign_in() {
        let at_first = IdToken::for_grant(&grant(), &anna(), &issuer(), NOW);
        let refresh = Refresh::first(&grant(), None, NOW + 3600)
            .unwrap()
            .successor();
        let about = (&anna(), &issuer());
        let renewed = IdToken::for_refresh(&refresh, &refresh.scope, about, NOW + 250);
        let expected = IdToken {
            exp: NOW + 250 + 300,
            iat: NOW + 250,
            nonce: None,
            ..at_first
        };
        assert_eq!(renewed, expected);
    }

    /// [OIDC Core §2] "It MUST NOT exceed 255 ASCII [RFC20] characters in length."
    #[test]
    fn a_subject_is_short_and_plain() {
        let ring = ring();
        for subject in [String::new(), "x".repeat(256), "é".to_owned()] {
            let token = IdToken::for_grant(&Grant { subject, ..grant() }, &anna(), &issuer(), NOW);
            assert_eq!(
                token.sign(&ring, SigningAlg::Es256),
                Err(IdTokenError::Subject)
            );
        }
        let es256 = SigningKey::generate(SigningAlg::Es256).unwrap();
        let small = KeyRing::new(vec![(es256, Standing::Current)]).unwrap();
        let token = IdToken::for_grant(&grant(), &anna(), &issuer(), NOW);
        assert_eq!(
            token.sign(&small, SigningAlg::Rs256),
            Err(IdTokenError::NoKey(SigningAlg::Rs256))
        );
    }

    /// [RP-Initiated Logout §2] "When an id_token_hint parameter is present, the OP MUST validate that it was the issuer of the ID Token."
    #[test]
    fn a_hint_is_ours_and_for_the_application_that_gives_it() {
        let ring = ring();
        let token = IdToken::for_grant(&grant(), &anna(), &issuer(), NOW);
        let signed = token.sign(&ring, SigningAlg::Es256).unwrap();
        let who = |token: &str, client: &str| {
            hinted_subject(token, client, &ring, &issuer(), NOW + 10_000)
        };
        assert_eq!(who(&signed, "ent").as_deref(), Some("p-42"));
        assert_eq!(who(&signed, "ism"), None);
        let (hers, enc) = (hers(), ContentEncryption::A256Gcm);
        let to = hers
            .published()
            .unwrap()
            .encrypting(KeyManagement::EcdhEs)
            .unwrap();
        let hidden = to.encrypt(Content::Jwt(&signed), enc, &[7; 112]).unwrap();
        assert_eq!(
            who(&hidden, "ent"),
            None,
            "only its application can open it"
        );
        let opened = String::from_utf8(hers.open(&hidden).unwrap().to_vec()).unwrap();
        assert_eq!(who(&opened, "ent").as_deref(), Some("p-42"));
        let key = ring.signing(SigningAlg::Es256).unwrap();
        for (typ, change, value) in [
            ("JWT", "iss", json!("https://other.example")),
            ("JWT", "auth_time", Value::Null),
            ("JWT", "aud", json!(["ent", "ism"])),
            ("at+jwt", "sub", json!("p-42")),
        ] {
            let mut claims = serde_json::to_value(&token).unwrap();
            claims[change] = value;
            assert_eq!(
                who(&key.sign(typ, &claims).unwrap(), "ent"),
                None,
                "{change}"
            );
        }
    }
}
