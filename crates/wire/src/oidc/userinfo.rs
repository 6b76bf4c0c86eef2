//! `/userinfo`: a bearer token in, claims out.

use std::collections::BTreeSet;

use serde::Serialize;

use super::claims::{ClaimName, Profile};
use crate::fault::faults;
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

/// The answer's JSON body (`application/json`).
#[must_use]
pub fn answer(
    subject: &str,
    profile: &Profile,
    (scope, named): (&Scope, &BTreeSet<ClaimName>),
) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        // [OIDC Core §5.3.2] "The "sub" (subject) Claim MUST always be returned in the UserInfo Response."
        sub: &'a str,
        #[serde(flatten)]
        profile: Profile,
    }
    let body = Body {
        sub: subject,
        profile: profile.told(scope, named),
    };
    serde_json::to_vec(&body).unwrap_or_default()
}

const TOKEN_BYTES_MAX: usize = 8 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oidc::claims::anna;
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

    /// [OIDC Core §5.3.2] "The "sub" (subject) Claim MUST always be returned in the UserInfo Response."
    #[test]
    fn the_answer_always_has_the_subject() {
        let said = |scope: &str| -> Value {
            let scope = Scope::understood(scope);
            let told = answer("p-42", &anna(), (&scope, &BTreeSet::new()));
            serde_json::from_slice(&told).unwrap()
        };
        assert_eq!(said("openid"), json!({"sub": "p-42"}));
        assert_eq!(
            said("openid groups"),
            json!({"sub": "p-42", "groups": ["teacher"]})
        );
        let named = [ClaimName::Locale].into();
        let told = answer("p-42", &anna(), (&Scope::understood("openid"), &named));
        let told: Value = serde_json::from_slice(&told).unwrap();
        assert_eq!(told, json!({"sub": "p-42", "locale": "fr-CH"}));
    }
}
