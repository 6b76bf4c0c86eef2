//! `/.well-known/openid-configuration`: what there is, and nothing else.

use serde::Serialize;

use super::claims::SUPPORTED;
use super::{ACR_MFA, ACR_SFA, Issuer};
use crate::jose::{KeyRing, SigningAlg};
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
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 1],
    grant_types_supported: [&'static str; 1],
    acr_values_supported: [&'static str; 2],
    subject_types_supported: [&'static str; 1],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: [&'static str; 4],
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 4],
    claims_supported: Vec<&'static str>,
    ui_locales_supported: &'a [&'a str],
    prompt_values_supported: [&'static str; 4],
    code_challenge_methods_supported: [&'static str; 1],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    // [RFC 9207 §2.3] "The server MUST indicate its support for the iss parameter by setting the metadata parameter authorization_response_iss_parameter_supported, defined in Section 3, to true."
    authorization_response_iss_parameter_supported: bool,
}

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
        scopes_supported: ScopeName::ALL.into_iter().map(ScopeName::name).collect(),
        response_types_supported: ["code"],
        response_modes_supported: ["query"],
        grant_types_supported: ["authorization_code"],
        acr_values_supported: [ACR_SFA, ACR_MFA],
        subject_types_supported: ["public"],
        id_token_signing_alg_values_supported: ring.algs().map(SigningAlg::name).collect(),
        token_endpoint_auth_methods_supported: [
            "client_secret_basic",
            "client_secret_post",
            "private_key_jwt",
            "none",
        ],
        token_endpoint_auth_signing_alg_values_supported: ["ES256", "RS256", "PS256", "EdDSA"],
        claims_supported: SUPPORTED.to_vec(),
        ui_locales_supported: ui_locales,
        prompt_values_supported: ["none", "login", "consent", "select_account"],
        code_challenge_methods_supported: ["S256"],
        claims_parameter_supported: false,
        request_parameter_supported: false,
        request_uri_parameter_supported: false,
        authorization_response_iss_parameter_supported: true,
    };
    serde_json::to_vec(&document).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{issuer, ring};
    use serde_json::{Value, json};

    /// [C04] [C07] [RFC 9207 §2.3] "The issuer identifier included in the server's metadata value issuer MUST be identical to the iss parameter's value."
    /// [RFC 9207 §2.3] "The server MUST indicate its support for the iss parameter by setting the metadata parameter authorization_response_iss_parameter_supported, defined in Section 3, to true."
    #[test]
    fn the_document_lists_what_there_is() {
        let json: Value =
            serde_json::from_slice(&document(&issuer(), &ring(), &["fr", "de", "en"])).unwrap();
        assert_eq!(json["issuer"], "https://id.example");
        assert_eq!(json["token_endpoint"], "https://id.example/token");
        assert_eq!(json["authorization_response_iss_parameter_supported"], true);
        assert_eq!(json["response_types_supported"], json!(["code"]));
        assert_eq!(json["grant_types_supported"], json!(["authorization_code"]));
        assert_eq!(json["code_challenge_methods_supported"], json!(["S256"]));
        assert_eq!(
            json["id_token_signing_alg_values_supported"],
            json!(["ES256", "RS256"])
        );
        assert_eq!(json["ui_locales_supported"], json!(["fr", "de", "en"]));
        assert_eq!(json["request_uri_parameter_supported"], false);
    }
}
