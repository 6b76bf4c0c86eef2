//! The FAPI 2.0 Security Profile: one word in a registration for all that it demands of both sides.

use serde::{Deserialize, Serialize};
use url::Url;

use super::{AccessTokenForm, Auth, Client, GrantName, Kind};
use crate::jose::{Jwk, SigningAlg};

/// A profile that narrows what an application may do.
#[derive(Clone, Copy, Debug, Deserialize, Eq, PartialEq, Serialize)]
pub enum Profile {
    /// FAPI 2.0 Security Profile (final): for what is worth more than usual.
    #[serde(rename = "fapi2")]
    Fapi2,
}

impl Client {
    /// Whether it is held to FAPI 2.0.
    #[must_use]
    pub fn is_fapi(&self) -> bool {
        self.profile == Some(Profile::Fapi2)
    }

    /// Whether its requests must be handed over by itself.
    // [FAPI 2.0 §5.3.2.2] "shall reject authorization requests sent without [RFC9126]"
    #[must_use]
    pub fn must_push(&self) -> bool {
        self.require_par || self.is_fapi()
    }

    /// Whether it gets no token that is not bound to a key or a certificate of its own.
    // [FAPI 2.0 §5.3.2.1] "shall only issue sender-constrained access tokens"
    #[must_use]
    pub fn must_bind(&self) -> bool {
        self.dpop_bound || self.tls_client_certificate_bound_access_tokens || self.is_fapi()
    }

    /// Whether each use of a refresh token gives another one.
    // [FAPI 2.0 §5.3.2.1] "shall not use refresh token rotation except in extraordinary circumstances"
    #[must_use]
    pub fn rotates(&self) -> bool {
        !self.is_fapi()
    }

    /// What contradicts the profile, a sentence each.
    pub(super) fn flaws_of_profile(&self) -> Vec<&'static str> {
        if !self.is_fapi() {
            return Vec::new();
        }
        let rs256 = |alg: SigningAlg| alg == SigningAlg::Rs256;
        let jwt = self.access_token == AccessTokenForm::Jwt;
        let mut keys = self.jwks.iter().flat_map(|set| set.for_signatures());
        let of_rs256 = keys.any(Jwk::is_for_rs256);
        let https = |uri: &String| Url::parse(uri).is_ok_and(|url| url.scheme() == "https");
        // [FAPI 2.0 §5.3.2.1] "MTLS as specified in Section 2 of [RFC8705]"
        let proven = self.auth == Auth::PrivateKeyJwt || self.auth.is_by_certificate();
        let devices = self.may(GrantName::DeviceCode);
        let flaws = [
            (
                devices,
                "`grants` must not list \"device_code\": requests are handed over",
            ),
            // [FAPI 2.0 §5.3.2.1] "shall only support confidential clients as defined in [RFC6749]"
            (
                self.kind != Kind::Confidential,
                "`kind` must be \"confidential\"",
            ),
            (
                !proven,
                "`auth` must be \"private_key_jwt\", \"tls_client_auth\" or \"self_signed_tls_client_auth\"",
            ),
            (
                rs256(self.id_token_alg)
                    || rs256(self.answer_alg())
                    || self.userinfo_signed_response_alg.is_some_and(rs256)
                    || self.introspection_signed_response_alg.is_some_and(rs256)
                    || (jwt && rs256(self.access_token_alg)),
                "`id_token_alg`, `userinfo_signed_response_alg`, `introspection_signed_response_alg`, `authorization_signed_response_alg` and `access_token_alg` must be \"ES256\", \"PS256\" or \"EdDSA\"",
            ),
            (
                of_rs256,
                "an RSA key in `jwks` must say `alg = \"PS256\"`: RS256 is not allowed",
            ),
            // [FAPI 2.0 §5.3.2.2] "shall not allow redirect URIs that use the http scheme"
            (
                !self.redirect_uris.iter().all(https),
                "`redirect_uris` must begin with `https://`, also on this machine",
            ),
        ];
        let wrong = flaws.into_iter().filter(|(wrong, _)| *wrong);
        wrong.map(|(_, sentence)| sentence).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::jose::{JwkSet, SigningKey};
    use crate::testing::ent;

    fn with_key(alg: SigningAlg) -> Client {
        let key = SigningKey::generate(alg).unwrap();
        Client {
            profile: Some(Profile::Fapi2),
            auth: Auth::PrivateKeyJwt,
            secret_sha256: None,
            jwks: Some(JwkSet {
                keys: vec![key.public().clone()],
            }),
            ..ent()
        }
    }

    /// [FAPI 2.0 §5.3.2.2] "shall reject authorization requests sent without [RFC9126]"
    /// [FAPI 2.0 §5.3.2.1] "shall only issue sender-constrained access tokens"
    /// [FAPI 2.0 §5.3.2.1] "shall not use refresh token rotation except in extraordinary circumstances"
    #[test]
    fn one_word_switches_all_of_it() {
        for alg in [SigningAlg::Es256, SigningAlg::EdDsa, SigningAlg::Ps256] {
            let client = with_key(alg);
            assert_eq!(client.check(), [], "{alg:?}");
            assert!(client.must_push() && client.must_bind() && !client.rotates());
        }
        assert!(!ent().must_push() && !ent().must_bind() && ent().rotates());
    }

    /// Nothing that it is told is signed with what is not allowed.
    #[test]
    fn statements_about_tokens_are_signed_as_everything_else() {
        let client = |alg| Client {
            introspection_signed_response_alg: Some(alg),
            ..with_key(SigningAlg::Es256)
        };
        assert_eq!(client(SigningAlg::Ps256).check(), []);
        let flaws = client(SigningAlg::Rs256).check();
        assert_eq!(flaws.len(), 1, "{flaws:?}");
        assert!(flaws[0].to_string().contains("introspection_signed"));
    }

    /// [FAPI 2.0 §5.3.2.1] "shall only support confidential clients as defined in [RFC6749]"
    /// [FAPI 2.0 §5.3.2.2] "shall not allow redirect URIs that use the http scheme"
    #[test]
    fn what_contradicts_it_is_refused_with_a_sentence() {
        let good = with_key(SigningAlg::Es256);
        let mut nameless = SigningKey::generate(SigningAlg::Rs256)
            .unwrap()
            .public()
            .clone();
        nameless.alg = None;
        let keys = |key: Jwk| Some(JwkSet { keys: vec![key] });
        for (wrong, says) in [
            (
                Client {
                    auth: Auth::Basic,
                    secret_sha256: ent().secret_sha256,
                    jwks: None,
                    ..good.clone()
                },
                "self_signed_tls_client_auth",
            ),
            (
                Client {
                    kind: Kind::Public,
                    ..good.clone()
                },
                "\"confidential\"",
            ),
            (
                Client {
                    id_token_alg: SigningAlg::Rs256,
                    ..good.clone()
                },
                "`id_token_alg`",
            ),
            (
                Client {
                    access_token: AccessTokenForm::Jwt,
                    access_token_alg: SigningAlg::Rs256,
                    ..good.clone()
                },
                "`access_token_alg`",
            ),
            (with_key(SigningAlg::Rs256), "RS256 is not allowed"),
            (
                Client {
                    grants: vec![GrantName::AuthorizationCode, GrantName::DeviceCode],
                    ..good.clone()
                },
                "device_code",
            ),
            (
                Client {
                    jwks: keys(nameless),
                    ..good.clone()
                },
                "RS256 is not allowed",
            ),
            (
                Client {
                    redirect_uris: vec!["http://localhost:8401/cb".to_owned()],
                    ..good.clone()
                },
                "`https://`",
            ),
        ] {
            let flaws: Vec<String> = wrong.check().iter().map(ToString::to_string).collect();
            assert_eq!(flaws.len(), 1, "{flaws:?}");
            assert!(
                flaws[0].contains("fapi2") && flaws[0].contains(says),
                "{flaws:?}"
            );
        }
    }
}
