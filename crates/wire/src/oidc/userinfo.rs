//! `/userinfo`: a bearer token in, claims out.

use std::collections::BTreeSet;

use serde::Serialize;

use super::Issuer;
use super::claims::{ClaimName, Profile};
use crate::fault::faults;
use crate::jose::{Chance, Content, JweError, JwsError, KeyRing, SigningAlg};
use crate::oauth::client::{Client, Encrypted};
use crate::oauth::scope::Scope;

faults! {
    /// A fault of a userinfo request [RFC 6750 §3.1].
    pub enum Fault {
        /// No `Authorization` header: no error code is told.
        TokenMissing => "", 401, "RFC 6750 §3.1", "an access token is needed";
        /// Another scheme than Bearer, or not a token.
        HeaderMalformed => "invalid_request", 400, "RFC 6750 §3.1", "the authorization header is not a well-formed Bearer token";
        /// Expired, altered, not ours, or its session has ended.
        TokenNotGood => "invalid_token", 401, "RFC 6750 §3.1", "the access token is expired, revoked or not valid here";
        /// A token that is bound to a key came without a proof of that key, or with one not believed.
        KeyNotProven => "invalid_dpop_proof", 401, "RFC 9449 §7.1", "the access token needs a fresh, unused DPoP proof of its key for this request";
        /// A token that is bound to a certificate came without that one.
        CertificateNotShown => "invalid_token", 401, "RFC 8705 §3", "the access token is bound to a certificate that this connection has not shown";
        /// A proof without a fresh value of ours.
        NonceMissing => "use_dpop_nonce", 401, "RFC 9449 §9", "the DPoP proof must hold the nonce of the header DPoP-Nonce";
        /// It does not open `openid`.
        ScopeTooSmall => "insufficient_scope", 403, "RFC 6750 §3.1", "the access token does not have the scope openid";
    }
}

impl Fault {
    /// The value of `WWW-Authenticate`.
    #[must_use]
    pub fn www_authenticate(self) -> String {
        let row = self.row();
        let scheme = match self {
            Self::KeyNotProven | Self::NonceMissing => "DPoP",
            _ => "Bearer",
        };
        match row.code {
            "" => scheme.to_owned(),
            code => format!(
                r#"{scheme} error="{code}", error_description="{}""#,
                row.description
            ),
        }
    }
}

/// The token in an `Authorization` header, and whether it came with the scheme `DPoP`.
///
/// # Errors
/// [`Fault::TokenMissing`], [`Fault::HeaderMalformed`].
pub fn shown(authorization: Option<&str>) -> Result<(&str, bool), Fault> {
    let header = authorization.ok_or(Fault::TokenMissing)?;
    let with_key = header
        .split_once(' ')
        .is_some_and(|(scheme, _)| scheme.eq_ignore_ascii_case("DPoP"));
    Ok((token_of(header)?, with_key))
}

/// Tokens in the query or the body are not read [RFC 6750 §2.3].
fn token_of(header: &str) -> Result<&str, Fault> {
    let (scheme, token) = header.split_once(' ').ok_or(Fault::HeaderMalformed)?;
    let token68 = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    let plain = token.trim_end_matches('=').bytes().all(token68) && !token.starts_with('=');
    let fits = (1..=TOKEN_BYTES_MAX).contains(&token.len());
    let known = ["Bearer", "DPoP"];
    let known = known.iter().any(|one| scheme.eq_ignore_ascii_case(one));
    if known && plain && fits {
        Ok(token)
    } else {
        Err(Fault::HeaderMalformed)
    }
}

/// What is told of somebody.
#[derive(Clone, Copy)]
pub struct Told<'a> {
    /// The name by which the application knows them.
    pub subject: &'a str,
    /// All that could be told.
    pub profile: &'a Profile,
    /// The scopes of the access token.
    pub scope: &'a Scope,
    /// What the application named.
    pub named: &'a BTreeSet<ClaimName>,
}

/// Who tells it, and with what.
pub struct Teller<'a> {
    /// Who we are.
    pub issuer: &'a Issuer,
    /// What signs.
    pub ring: &'a KeyRing,
    /// What chance gave, for encryption.
    pub chance: &'a Chance,
}

/// An answer as it is sent.
#[derive(Debug, Eq, PartialEq)]
pub struct Answer {
    /// The media type.
    pub content_type: &'static str,
    /// The body.
    pub body: Vec<u8>,
}

/// An answer that cannot be made.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum AnswerError {
    /// There is no current key for the application's algorithm.
    #[error("making a userinfo answer: there is no current signing key for {}; add one", .0.name())]
    NoKey(SigningAlg),
    /// Signing failed.
    #[error("making a userinfo answer: {0}")]
    Sign(#[from] JwsError),
    /// Encrypting failed.
    #[error("making a userinfo answer: {0}")]
    Encrypt(#[from] JweError),
}

#[derive(Serialize)]
struct Body<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    iss: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aud: Option<&'a str>,
    // [OIDC Core §5.3.2] "The "sub" (subject) Claim MUST always be returned in the UserInfo Response."
    sub: &'a str,
    #[serde(flatten)]
    profile: Profile,
}

/// What is told, before it is signed or encrypted.
#[must_use]
pub fn claims(told: &Told<'_>, client: &Client, issuer: &Issuer) -> serde_json::Value {
    serde_json::to_value(body(told, client, issuer)).unwrap_or_default()
}

fn body<'a>(told: &Told<'a>, client: &'a Client, issuer: &'a Issuer) -> Body<'a> {
    // [OIDC Core §5.3.2] "If signed, the UserInfo Response MUST contain the Claims iss (issuer) and aud (audience) as members."
    let signed = client.userinfo_signed_response_alg.is_some();
    Body {
        iss: signed.then_some(issuer.as_str()),
        aud: signed.then_some(&client.id),
        sub: told.subject,
        profile: told.profile.told(told.scope, told.named),
    }
}

/// The answer as this application wants it: JSON, signed, encrypted, or signed and then encrypted.
///
/// # Errors
/// [`AnswerError`].
pub fn answer(
    told: &Told<'_>,
    client: &Client,
    teller: &Teller<'_>,
) -> Result<Answer, AnswerError> {
    let body = body(told, client, teller.issuer);
    let what = Encrypted::Userinfo;
    let jwt = |token: String| Answer {
        // [OIDC Core §5.3.2] "If the UserInfo Response is signed and/or encrypted, then the Claims are returned in a JWT and the content-type MUST be application/jwt."
        content_type: "application/jwt",
        body: token.into_bytes(),
    };
    let Some(alg) = client.userinfo_signed_response_alg else {
        let claims = serde_json::to_vec(&body).map_err(|_| JwsError::Unwritable)?;
        let hidden = client.encrypted(what, Content::Claims(&claims), teller.chance)?;
        let plain = Answer {
            content_type: "application/json",
            body: claims,
        };
        return Ok(hidden.map_or(plain, jwt));
    };
    let key = teller.ring.signing(alg).ok_or(AnswerError::NoKey(alg))?;
    let signed = key.sign(TYP, &body)?;
    // [OIDC Core §5.3.2] "If both signing and encryption are requested, the response MUST be signed then encrypted, with the result being a Nested JWT, as defined in [JWT]."
    let hidden = client.encrypted(what, Content::Jwt(&signed), teller.chance)?;
    Ok(jwt(hidden.unwrap_or(signed)))
}

/// What libraries expect. Nobody takes it for an ID token: it says neither how long it is good nor when anybody proved
/// anything.
const TYP: &str = "JWT";

const TOKEN_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{JwkSet, KeyManagement};
    use crate::oidc::claims::anna;
    use crate::testing::{NOW, ent, hers, issuer, ring};
    use serde_json::{Value, json};

    #[test]
    fn a_token_stands_in_the_header() {
        assert_eq!(
            shown(Some("Bearer abc.DEF-1_2~+/==")),
            Ok(("abc.DEF-1_2~+/==", false))
        );
        assert_eq!(shown(Some("bearer x")), Ok(("x", false)));
        assert_eq!(shown(Some("dpop x")), Ok(("x", true)));
        assert_eq!(shown(None), Err(Fault::TokenMissing));
        let long = format!("Bearer {}", "a".repeat(8 * 1024 + 1));
        for bad in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer a b",
            "Basic YTpi",
            "Bearer a=b",
            "Bearer =",
            "Bearer é",
            &long,
        ] {
            assert_eq!(shown(Some(bad)), Err(Fault::HeaderMalformed), "{bad}");
        }
    }

    #[test]
    fn every_fault_asks_for_a_token() {
        assert_eq!(Fault::TokenMissing.www_authenticate(), "Bearer");
        assert_eq!(
            Fault::TokenNotGood.www_authenticate(),
            r#"Bearer error="invalid_token", error_description="the access token is expired, revoked or not valid here""#
        );
        assert_eq!(Fault::ScopeTooSmall.row().status, 403);
        assert!(
            Fault::ALL
                .iter()
                .all(|fault| fault.www_authenticate().starts_with(['B', 'D']))
        );
    }

    fn told(client: &Client, scope: &str, named: &BTreeSet<ClaimName>) -> Answer {
        let told = Told {
            subject: "p-42",
            profile: &anna(),
            scope: &Scope::understood(scope),
            named,
        };
        let teller = Teller {
            issuer: &issuer(),
            ring: &ring(),
            chance: &[7; 112],
        };
        answer(&told, client, &teller).unwrap()
    }

    /// [OIDC Core §5.3.2] "The "sub" (subject) Claim MUST always be returned in the UserInfo Response."
    #[test]
    fn the_answer_always_has_the_subject() {
        let said = |scope: &str, named: &BTreeSet<ClaimName>| -> Value {
            let told = told(&ent(), scope, named);
            assert_eq!(told.content_type, "application/json");
            serde_json::from_slice(&told.body).unwrap()
        };
        assert_eq!(said("openid", &BTreeSet::new()), json!({"sub": "p-42"}));
        assert_eq!(
            said("openid groups", &BTreeSet::new()),
            json!({"sub": "p-42", "groups": ["teacher"]})
        );
        let named = [ClaimName::Locale].into();
        assert_eq!(
            said("openid", &named),
            json!({"sub": "p-42", "locale": "fr-CH"})
        );
    }

    /// [OIDC Core §5.3.2] "If the UserInfo Response is signed and/or encrypted, then the Claims are returned in a JWT and the content-type MUST be application/jwt."
    /// [OIDC Core §5.3.2] "If signed, the UserInfo Response MUST contain the Claims iss (issuer) and aud (audience) as members."
    /// [OIDC Core §5.3.2] "If both signing and encryption are requested, the response MUST be signed then encrypted, with the result being a Nested JWT, as defined in [JWT]."
    #[test]
    fn an_answer_is_signed_and_encrypted_as_the_application_wants_it() {
        let (key, ring) = (hers(), ring());
        let teller = Teller {
            issuer: &issuer(),
            ring: &ring,
            chance: &[7; 112],
        };
        let body = |signed, hidden| {
            let client = Client {
                userinfo_signed_response_alg: signed,
                userinfo_encrypted_response_alg: hidden,
                jwks: Some(JwkSet {
                    keys: vec![key.published().unwrap().clone()],
                }),
                ..ent()
            };
            let told = Told {
                subject: "p-42",
                profile: &anna(),
                scope: &Scope::understood("openid"),
                named: &BTreeSet::new(),
            };
            let answer = answer(&told, &client, &teller).unwrap();
            assert_eq!(answer.content_type, "application/jwt");
            String::from_utf8(answer.body).unwrap()
        };
        let opened = |token: &str| String::from_utf8(key.open(token).unwrap().to_vec()).unwrap();
        let verified = |token: &str| -> Value { ring.verify(token, TYP, NOW).unwrap() };
        let whole = json!({"iss": "https://id.example", "aud": "ent", "sub": "p-42"});
        let (es256, hides) = (Some(SigningAlg::Es256), Some(KeyManagement::EcdhEs));
        let signed = body(es256, None);
        assert_eq!(verified(&signed), whole);
        assert_eq!(opened(&body(None, hides)), r#"{"sub":"p-42"}"#);
        assert_eq!(verified(&opened(&body(es256, hides))), whole);
    }
}
