//! The logout token: a signed statement to one application that a session has ended
//! [Back-Channel Logout 1.0 §2.4].

use std::collections::BTreeMap;

use form_urlencoded::Serializer;
use serde::Serialize;

use super::Issuer;
use super::id_token::IdTokenError;
use crate::jose::{KeyRing, SigningAlg, base64url};

/// The claims of a logout token. There is no `nonce`, so that nobody takes it for an ID token.
// [Back-Channel Logout §2.4] "A nonce Claim MUST NOT be present."
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
pub struct LogoutToken {
    iss: String,
    sub: String,
    aud: String,
    iat: i64,
    exp: i64,
    jti: String,
    events: BTreeMap<&'static str, NoMembers>,
    sid: String,
}

/// An event about which nothing more is said.
#[derive(Clone, Debug, Eq, PartialEq, Serialize)]
struct NoMembers {}

/// A session that has ended, as one application knows it.
#[derive(Clone, Copy, Debug)]
pub struct Ended<'a> {
    /// The application.
    pub client_id: &'a str,
    /// The public handle of the session, as in its ID tokens.
    pub sid: &'a str,
    /// The person, as in its ID tokens.
    pub subject: &'a str,
}

impl LogoutToken {
    /// How long a logout token is good for, in seconds.
    // [Back-Channel Logout §4] "short expiration times in Logout Tokens, preferably at most two minutes in the future"
    pub const LIFETIME_S: i64 = 120;

    /// The token that tells an application of a session's end. `chance` makes its id, which is another
    /// one at each attempt.
    #[must_use]
    pub fn new(issuer: &Issuer, ended: Ended<'_>, now: i64, chance: [u8; 16]) -> Self {
        Self {
            iss: issuer.as_str().to_owned(),
            // [Back-Channel Logout §2.4] "A Logout Token MUST contain either a sub or a sid Claim, and MAY contain both."
            sub: ended.subject.to_owned(),
            aud: ended.client_id.to_owned(),
            iat: now,
            exp: now.saturating_add(Self::LIFETIME_S),
            jti: base64url(&chance),
            events: BTreeMap::from([(EVENT, NoMembers {})]),
            sid: ended.sid.to_owned(),
        }
    }

    /// The body that is posted to the application, signed as its ID tokens are.
    ///
    /// # Errors
    /// [`IdTokenError`] if there is no key for its algorithm.
    // [Back-Channel Logout §2.5] "The POST body uses the application/x-www-form-urlencoded encoding and must include a logout_token parameter"
    pub fn form(&self, ring: &KeyRing, alg: SigningAlg) -> Result<String, IdTokenError> {
        let key = ring.signing(alg).ok_or(IdTokenError::NoKey(alg))?;
        let token = key.sign(TYP, self).map_err(IdTokenError::Sign)?;
        Ok(Serializer::new(String::new())
            .append_pair("logout_token", &token)
            .finish())
    }
}

/// What has happened.
// [Back-Channel Logout §2.4] "Claim whose value is a JSON object containing the member name http://schemas.openid.net/event/backchannel-logout"
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";
/// What kind of token it is.
const TYP: &str = "logout+jwt";

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{JwsError, VerifyingKeys};
    use crate::oidc::id_token::Hint;
    use crate::testing::{NOW, issuer, ring};
    use serde_json::{Value, json};

    const ENDED: Ended<'_> = Ended {
        client_id: "ism",
        sid: "5e55",
        subject: "p-42",
    };

    fn token(ring: &KeyRing, alg: SigningAlg) -> String {
        let token = LogoutToken::new(&issuer(), ENDED, NOW, [7; 16]);
        let form = token.form(ring, alg).unwrap();
        form.strip_prefix("logout_token=").unwrap().to_owned()
    }

    /// [C15] [Back-Channel Logout §2.4] "A nonce Claim MUST NOT be present."
    /// [Back-Channel Logout §2.4] "A Logout Token MUST contain either a sub or a sid Claim, and MAY contain both."
    /// [Back-Channel Logout §2.4] "Claim whose value is a JSON object containing the member name http://schemas.openid.net/event/backchannel-logout"
    /// [Back-Channel Logout §2.5] "The POST body uses the application/x-www-form-urlencoded encoding and must include a logout_token parameter"
    /// [Back-Channel Logout §4] "short expiration times in Logout Tokens, preferably at most two minutes in the future"
    #[test]
    fn a_logout_token_says_who_which_session_and_that_it_ended() {
        let ring = ring();
        for alg in [SigningAlg::Es256, SigningAlg::Rs256] {
            let keys = VerifyingKeys::of([ring.signing(alg).unwrap().public()]).unwrap();
            let said: Value = keys.verify(&token(&ring, alg), &["logout+jwt"]).unwrap();
            let expected = json!({
                "iss": "https://id.example", "sub": "p-42", "aud": "ism", "sid": "5e55",
                "iat": NOW, "exp": NOW + 120, "jti": base64url(&[7; 16]),
                "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
            });
            assert_eq!(said, expected);
        }
    }

    /// [C10] It is neither an ID token nor an access token, nor a hint at the end of another session.
    #[test]
    fn a_logout_token_is_taken_for_nothing_else() {
        let ring = ring();
        let token = token(&ring, SigningAlg::Es256);
        let key = ring.signing(SigningAlg::Es256).unwrap();
        let keys = VerifyingKeys::of([key.public()]).unwrap();
        for typ in ["JWT", "at+jwt", ""] {
            let taken: Result<Value, _> = keys.verify(&token, &[typ]);
            assert_eq!(taken, Err(JwsError::WrongType), "{typ}");
        }
        assert!(Hint::read(&token, &ring, &issuer(), NOW).is_err());
    }

    #[test]
    fn without_a_key_for_the_algorithm_nothing_is_signed() {
        use crate::jose::{SigningKey, Standing};
        let key = SigningKey::generate(SigningAlg::Rs256).unwrap();
        let ring = KeyRing::new(vec![(key, Standing::Current)]).unwrap();
        let token = LogoutToken::new(&issuer(), ENDED, NOW, [7; 16]);
        let signed = token.form(&ring, SigningAlg::Es256);
        assert_eq!(signed, Err(IdTokenError::NoKey(SigningAlg::Es256)));
    }
}
