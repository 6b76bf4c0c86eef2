//! `/.well-known/openid-configuration`: what there is, and nothing else.

use serde::Serialize;

use super::claims::SUPPORTED;
use super::{ACR_MFA, ACR_SFA, Issuer};
use crate::jose::{KeyRing, SigningAlg};
use crate::oauth::authorize::ResponseMode;
use crate::oauth::introspection::algs;
use crate::oauth::scope::ScopeName;

#[derive(Serialize)]
struct Document<'a> {
    // [RFC 9207 §2.3] "The issuer identifier included in the server's metadata value issuer MUST be identical to the iss parameter's value."
    issuer: &'a str,
    authorization_endpoint: String,
    token_endpoint: String,
    userinfo_endpoint: String,
    jwks_uri: String,
    end_session_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    pushed_authorization_request_endpoint: String,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 2],
    grant_types_supported: [&'static str; 3],
    acr_values_supported: [&'static str; 2],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    introspection_endpoint_auth_methods_supported: [&'static str; 3],
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    introspection_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: [&'static str; 4],
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    claims_supported: Vec<&'static str>,
    ui_locales_supported: &'a [&'a str],
    prompt_values_supported: [&'static str; 4],
    code_challenge_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 4],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    // [RFC 9207 §2.3] "The server MUST indicate its support for the iss parameter by setting the metadata parameter authorization_response_iss_parameter_supported, defined in Section 3, to true."
    authorization_response_iss_parameter_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
}

/// How an application proves that it is itself.
const PROVING: [&str; 3] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
];
/// How an application says who it is, where proving it is not always needed.
const AUTH: [&str; 4] = [
    "client_secret_basic",
    "client_secret_post",
    "private_key_jwt",
    "none",
];
/// What client assertions are signed with.
const AUTH_ALGS: [&str; 4] = ["ES256", "RS256", "PS256", "EdDSA"];

/// The document as JSON. Render it once a key rotation.
#[must_use]
pub fn document(issuer: &Issuer, ring: &KeyRing, ui_locales: &[&str]) -> Vec<u8> {
    let document = Document {
        issuer: issuer.as_str(),
        authorization_endpoint: issuer.authorization_endpoint(),
        token_endpoint: issuer.token_endpoint(),
        userinfo_endpoint: issuer.userinfo_endpoint(),
        jwks_uri: issuer.jwks_uri(),
        end_session_endpoint: issuer.end_session_endpoint(),
        introspection_endpoint: issuer.introspection_endpoint(),
        revocation_endpoint: issuer.revocation_endpoint(),
        pushed_authorization_request_endpoint: issuer.pushed_authorization_request_endpoint(),
        scopes_supported: ScopeName::ALL.into_iter().map(ScopeName::name).collect(),
        response_types_supported: ["code"],
        response_modes_supported: [ResponseMode::Query, ResponseMode::FormPost]
            .map(ResponseMode::name),
        grant_types_supported: ["authorization_code", "refresh_token", "client_credentials"],
        acr_values_supported: [ACR_SFA, ACR_MFA],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ring.algs().map(SigningAlg::name).collect(),
        token_endpoint_auth_methods_supported: AUTH,
        token_endpoint_auth_signing_alg_values_supported: AUTH_ALGS,
        introspection_endpoint_auth_methods_supported: PROVING,
        introspection_endpoint_auth_signing_alg_values_supported: AUTH_ALGS,
        introspection_signing_alg_values_supported: algs(ring),
        revocation_endpoint_auth_methods_supported: AUTH,
        revocation_endpoint_auth_signing_alg_values_supported: AUTH_ALGS,
        claims_supported: SUPPORTED.to_vec(),
        ui_locales_supported: ui_locales,
        prompt_values_supported: ["none", "login", "consent", "select_account"],
        code_challenge_methods_supported: ["S256"],
        dpop_signing_alg_values_supported: AUTH_ALGS,
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
    };
    serde_json::to_vec(&document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{issuer, ring};
    use serde_json::{Value, json};

    /// [C04] [C07] [C15] [RFC 9207 §2.3] "The issuer identifier included in the server's metadata value issuer MUST be identical to the iss parameter's value."
    /// [RFC 9207 §2.3] "The server MUST indicate its support for the iss parameter by setting the metadata parameter authorization_response_iss_parameter_supported, defined in Section 3, to true."
    #[test]
    fn the_document_lists_what_there_is() {
        let json: Value =
            serde_json::from_slice(&document(&issuer(), &ring(), &["fr", "de", "en"])).unwrap();
        assert_eq!(json["issuer"], "https://id.example");
        assert_eq!(json["token_endpoint"], "https://id.example/token");
        assert_eq!(json["authorization_response_iss_parameter_supported"], true);
        assert_eq!(json["response_types_supported"], json!(["code"]));
        assert_eq!(
            json["grant_types_supported"],
            json!(["authorization_code", "refresh_token", "client_credentials"])
        );
        assert_eq!(json["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(
            json["id_token_signing_alg_values_supported"],
            json!(["ES256", "RS256"])
        );
        assert_eq!(json["ui_locales_supported"], json!(["fr", "de", "en"]));
        assert_eq!(json["request_uri_parameter_supported"], false);
        assert_eq!(json["backchannel_logout_supported"], true);
        assert_eq!(json["backchannel_logout_session_supported"], true);
    }
}
