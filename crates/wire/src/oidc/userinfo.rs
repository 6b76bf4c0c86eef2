//! `/userinfo`: a bearer token in, claims out.

use serde::Serialize;

use super::claims::Profile;
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
        /// It does not open `openid`.
        ScopeTooSmall => "insufficient_scope", 403, "RFC 6750 §3.1", "the access token does not have the scope openid";
    }
}

impl Fault {
    /// The value of `WWW-Authenticate`.
    #[must_use]
    pub fn www_authenticate(self) -> String {
        let row = self.row();
        match row.code {
            "" => "Bearer".to_owned(),
            code => format!(
                r#"Bearer error="{code}", error_description="{}""#,
                row.description
            ),
        }
    }
}

/// The token in an `Authorization` header. Tokens in the query or the body are not read [RFC 6750 §2.3].
///
/// # Errors
/// [`Fault::TokenMissing`], [`Fault::HeaderMalformed`].
pub fn bearer(authorization: Option<&str>) -> Result<&str, Fault> {
    let header = authorization.ok_or(Fault::TokenMissing)?;
    let (scheme, token) = header.split_once(' ').ok_or(Fault::HeaderMalformed)?;
    let token68 = |byte: u8| {
        byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~' | b'+' | b'/')
    };
    let plain = token.trim_end_matches('=').bytes().all(token68) && !token.starts_with('=');
    let fits = (1..=TOKEN_BYTES_MAX).contains(&token.len());
    if scheme.eq_ignore_ascii_case("Bearer") && plain && fits {
        Ok(token)
    } else {
        Err(Fault::HeaderMalformed)
    }
}

/// The answer's JSON body (`application/json`).
#[must_use]
pub fn answer(subject: &str, profile: &Profile, scope: &Scope) -> Vec<u8> {
    #[derive(Serialize)]
    struct Body<'a> {
        // [OIDC Core §5.3.2] "The "sub" (subject) Claim MUST always be returned in the UserInfo Response."
        sub: &'a str,
        #[serde(flatten)]
        profile: Profile,
    }
    let body = Body {
        sub: subject,
        profile: profile.within(scope),
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
    fn a_bearer_token_stands_in_the_header() {
        assert_eq!(
            bearer(Some("Bearer abc.DEF-1_2~+/==")),
            Ok("abc.DEF-1_2~+/==")
        );
        assert_eq!(bearer(Some("bearer x")), Ok("x"));
        assert_eq!(bearer(None), Err(Fault::TokenMissing));
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
            assert_eq!(bearer(Some(bad)), Err(Fault::HeaderMalformed), "{bad}");
        }
    }

    #[test]
    fn every_fault_asks_for_a_bearer_token() {
        assert_eq!(Fault::TokenMissing.www_authenticate(), "Bearer");
        assert_eq!(
            Fault::TokenNotGood.www_authenticate(),
            r#"Bearer error="invalid_token", error_description="the access token is expired, revoked or not valid here""#
        );
        assert_eq!(Fault::ScopeTooSmall.row().status, 403);
        assert!(
            Fault::ALL
                .iter()
                .all(|fault| fault.www_authenticate().starts_with("Bearer"))
        );
    }

    /// [OIDC Core §5.3.2] "The "sub" (subject) Claim MUST always be returned in the UserInfo Response."
    #[test]
    fn the_answer_always_has_the_subject() {
        let said = |scope: &str| -> Value {
            serde_json::from_slice(&answer("p-42", &anna(), &Scope::understood(scope))).unwrap()
        };
        assert_eq!(said("openid"), json!({"sub": "p-42"}));
        assert_eq!(
            said("openid groups"),
            json!({"sub": "p-42", "groups": ["teacher"]})
        );
    }
}
