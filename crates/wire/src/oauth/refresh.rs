//! Refresh tokens: what one says, and whether this request may renew it.
//!
//! A refresh token is a sealed ticket, like a code. Each use gives a successor with the next number; which
//! number is due, only the store knows. See `docs/decisions/0024-refresh-tokens-rotate.md`.

use serde::{Deserialize, Serialize};
use subtle::ConstantTimeEq;

use super::confirmation::Confirmation;
use super::scope::{Scope, ScopeName};
use super::token::{Authenticated, Fault, Grant, Posted};
use crate::oidc::claims::Named;

/// What a sealed refresh token says: to whom it was given, for whom, and what was proven.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Refresh {
    /// [`Grant::id`] of the code with which the family began.
    pub family: String,
    /// How many of the family were before it.
    pub number: u32,
    /// The application it was issued to.
    pub client_id: String,
    /// What the application may learn: the same for the whole family.
    pub scope: Scope,
    /// The person.
    pub subject: String,
    /// The name by which the application knows the person, if it is not that one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pseudonym: Option<String>,
    /// What it may learn beside its scopes.
    #[serde(default, skip_serializing_if = "Named::is_empty")]
    pub claims: Named,
    /// The session in which the family began.
    pub sid: String,
    /// When the person proved who they are (unix seconds).
    pub auth_time: i64,
    /// The assurance, from the proofs.
    pub acr: String,
    /// How it was proven [RFC 8176].
    pub amr: Vec<String>,
    /// The thumbprint of the key to which it is bound, if the application could not prove what it is
    /// otherwise.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// The thumbprint of the certificate to which it is bound, in the same way.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub certificate: Option<String>,
    /// When the whole family ends (unix seconds), however often it is renewed.
    pub expires_at: i64,
}

impl Refresh {
    /// The first of a family, which a redeemed code earns; none if the code belongs to no session.
    #[must_use]
    pub fn first(grant: &Grant, bound: Option<Confirmation>, expires_at: i64) -> Option<Self> {
        let (key, certificate) = match bound {
            None => (None, None),
            Some(Confirmation::Key(key)) => (Some(key), None),
            Some(Confirmation::Certificate(certificate)) => (None, Some(certificate)),
        };
        Some(Self {
            family: grant.id.clone(),
            number: 0,
            client_id: grant.client_id.clone(),
            scope: grant.scope.clone(),
            subject: grant.subject.clone(),
            pseudonym: grant.pseudonym.clone(),
            claims: grant.claims.clone(),
            sid: grant.sid.clone()?,
            auth_time: grant.auth_time,
            acr: grant.acr.clone(),
            amr: grant.amr.clone(),
            key,
            certificate,
            expires_at,
        })
    }

    /// The one that follows it.
    #[must_use]
    pub fn successor(self) -> Self {
        // [RFC 6749 §6] "If a new refresh token is issued, the refresh token scope MUST be identical to that of the refresh token included by the client in the request."
        Self {
            number: self.number.saturating_add(1),
            ..self
        }
    }

    /// The `sub` of what it gives.
    #[must_use]
    pub fn sub(&self) -> &str {
        self.pseudonym.as_ref().unwrap_or(&self.subject)
    }

    /// What a renewal for this much gives beside the scope: nothing, if less is wanted than was granted.
    #[must_use]
    pub fn claims(&self, scope: &Scope) -> Named {
        match *scope == self.scope {
            true => self.claims.clone(),
            false => Named::default(),
        }
    }

    /// Whether it outlives the session in the browser [OIDC Core §11].
    #[must_use]
    pub fn is_offline(&self) -> bool {
        self.scope.has(ScopeName::OfflineAccess)
    }

    /// What tokens this request of this application may be given: what was granted, or less. On
    /// success the caller moves the family on to the next number and, only if that succeeds, issues
    /// tokens.
    ///
    /// # Errors
    /// [`Fault::RefreshNotGood`], the same for every reason; [`Fault::ScopeTooLarge`].
    pub fn renew(
        &self,
        who: &Authenticated,
        (request, shown): (&RefreshRequest, Option<&Confirmation>),
        now: i64,
    ) -> Result<Scope, Fault> {
        // [RFC 6749 §6] "ensure that the refresh token was issued to the authenticated client"
        // [RFC 6749 §10.4] "The authorization server MUST verify the binding between the refresh token and client identity whenever the client identity can be authenticated."
        let its_own: bool = (who.client_id().as_bytes())
            .ct_eq(self.client_id.as_bytes())
            .into();
        // [RFC 9449 §5] "the client MUST present a DPoP proof for the same key that was used to obtain the refresh token each time that refresh token is used to obtain a new access token."
        let key = shown.and_then(Confirmation::key);
        let same_key = self.key.is_none() || self.key.as_deref() == key;
        // [RFC 8705 §4] "it SHOULD also bind the refresh token to the respective certificate and check the binding when the refresh token is presented to get new access tokens."
        let certificate = shown.and_then(Confirmation::certificate);
        let same_certificate =
            self.certificate.is_none() || self.certificate.as_deref() == certificate;
        if !its_own || !same_key || !same_certificate || now >= self.expires_at {
            return Err(Fault::RefreshNotGood);
        }
        // [RFC 6749 §6] "The requested scope MUST NOT include any scope not originally granted by the resource owner, and if omitted is treated as equal to the scope originally granted by the resource owner."
        let Some(wanted) = &request.scope else {
            return Ok(self.scope.clone());
        };
        let scope = Scope::understood(wanted);
        let any = scope.iter().next().is_some();
        if any && self.scope.includes(&scope) {
            Ok(scope)
        } else {
            Err(Fault::ScopeTooLarge)
        }
    }
}

/// A refresh token, and how much of what it stands for is wanted.
pub struct RefreshRequest {
    /// The token to renew.
    pub token: String,
    scope: Option<String>,
}

impl RefreshRequest {
    pub(super) fn read(posted: &Posted) -> Result<Self, Fault> {
        let value = |name: &str| posted.value(name).map(str::to_owned);
        Ok(Self {
            token: value("refresh_token").ok_or(Fault::RefreshMissing)?,
            scope: value("scope"),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oauth::token::{Asked, Incoming, TokenRequest, authenticate};
    use crate::testing::{NOW, ent, issuer, native};

    fn refresh() -> Refresh {
        Refresh {
            family: "f".to_owned(),
            number: 7,
            client_id: "native".to_owned(),
            scope: Scope::understood("openid email"),
            subject: "anna".to_owned(),
            pseudonym: None,
            claims: Named::default(),
            sid: "s".to_owned(),
            auth_time: NOW - 500,
            acr: "https://refeds.org/profile/sfa".to_owned(),
            amr: vec!["pwd".to_owned()],
            key: None,
            certificate: None,
            expires_at: NOW + 60,
        }
    }

    fn asks(more: &str) -> Result<TokenRequest, Fault> {
        TokenRequest::parse(&Incoming {
            content_type: Some("application/x-www-form-urlencoded"),
            authorization: None,
            body: format!("client_id=native&grant_type=refresh_token{more}").as_bytes(),
            certificate: None,
        })
    }

    fn renew(refresh: &Refresh, more: &str) -> Result<String, Fault> {
        let shown = Confirmation::Key("k".to_owned());
        renew_with(refresh, Some(&shown), more)
    }

    fn renew_with(
        refresh: &Refresh,
        shown: Option<&Confirmation>,
        more: &str,
    ) -> Result<String, Fault> {
        let request = asks(&format!("&refresh_token=sealed{more}"))?;
        let who = authenticate(&request.posted, Some(&native()), &issuer(), NOW)?;
        let Asked::Refresh(asked) = &request.asked else {
            panic!("no refresh token");
        };
        let scope = refresh.renew(&who, (asked, shown), NOW)?;
        Ok(scope.to_string())
    }

    /// [C06] [RFC 6749 §6] "ensure that the refresh token was issued to the authenticated client"
    /// [RFC 6749 §10.4] "The authorization server MUST verify the binding between the refresh token and client identity whenever the client identity can be authenticated."
    #[test]
    fn a_refresh_token_of_another_application_or_of_yesterday_is_refused() {
        assert_eq!(renew(&refresh(), ""), Ok("openid email".to_owned()));
        let client_id = ent().id;
        for other in [
            Refresh {
                client_id,
                ..refresh()
            },
            Refresh {
                expires_at: NOW,
                ..refresh()
            },
        ] {
            assert_eq!(renew(&other, ""), Err(Fault::RefreshNotGood));
        }
        assert_eq!(asks("").err(), Some(Fault::RefreshMissing));
        assert_eq!(
            asks("&refresh_token=a&refresh_token=b").err(),
            Some(Fault::Repeated)
        );
    }

    /// [C06] [C14] [RFC 9449 §5] "the client MUST present a DPoP proof for the same key that was used to obtain the refresh token each time that refresh token is used to obtain a new access token."
    #[test]
    fn a_bound_refresh_token_is_renewed_with_its_key_only() {
        for (key, good) in [("k", true), ("other", false)] {
            let bound = Refresh {
                key: Some(key.to_owned()),
                ..refresh()
            };
            assert_eq!(renew(&bound, "").is_ok(), good, "{key}");
        }
    }

    /// [C06] [RFC 8705 §4] "it SHOULD also bind the refresh token to the respective certificate and check the binding when the refresh token is presented to get new access tokens."
    #[test]
    fn a_refresh_token_that_is_bound_to_a_certificate_is_renewed_with_it_only() {
        let bound = Refresh {
            certificate: Some("c".to_owned()),
            ..refresh()
        };
        let certificate = |name: &str| Some(Confirmation::Certificate(name.to_owned()));
        let key = Some(Confirmation::Key("c".to_owned()));
        for (shown, good) in [
            (certificate("c"), true),
            (certificate("d"), false),
            (key, false),
            (None, false),
        ] {
            let renewed = renew_with(&bound, shown.as_ref(), "");
            assert_eq!(renewed.is_ok(), good, "{shown:?}");
        }
    }

    /// [C05] [RFC 6749 §6] "The requested scope MUST NOT include any scope not originally granted by the resource owner, and if omitted is treated as equal to the scope originally granted by the resource owner."
    #[test]
    fn a_scope_may_become_smaller_and_never_larger() {
        assert_eq!(renew(&refresh(), "&scope=openid"), Ok("openid".to_owned()));
        for larger in ["openid+phone", "groups", "unheard-of"] {
            let asked = renew(&refresh(), &format!("&scope={larger}"));
            assert_eq!(asked, Err(Fault::ScopeTooLarge), "{larger}");
        }
    }

    /// [RFC 6749 §6] "If a new refresh token is issued, the refresh token scope MUST be identical to that of the refresh token included by the client in the request."
    #[test]
    fn a_successor_has_the_next_number_and_all_else_the_same() {
        let next = refresh().successor();
        assert_eq!(
            next,
            Refresh {
                number: 8,
                ..refresh()
            }
        );
    }
}
