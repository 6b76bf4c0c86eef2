//! `/.well-known/openid-configuration`: what there is, and nothing else.

use serde::Serialize;

use super::claims::SUPPORTED;
use super::{ACR_MFA, ACR_SFA, Issuer};
use crate::jose::{KeyRing, SigningAlg};
use crate::oauth::authorize::ResponseMode;
use crate::oauth::device;
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
    // [RFC 8628 §4] "device_authorization_endpoint"
    #[serde(skip_serializing_if = "Option::is_none")]
    device_authorization_endpoint: Option<String>,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 2],
    grant_types_supported: Vec<&'static str>,
    acr_values_supported: [&'static str; 2],
    subject_types_supported: [&'static str; 2],
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
    request_object_signing_alg_values_supported: [&'static str; 4],
    require_signed_request_object: bool,
    require_pushed_authorization_requests: bool,
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
/// What client assertions, request objects and proofs of keys are signed with.
const AUTH_ALGS: [&str; 4] = ["ES256", "RS256", "PS256", "EdDSA"];

/// The document as JSON. Render it once a key rotation. `devices`: whether any application may ask for codes
/// of devices.
#[must_use]
pub fn document(issuer: &Issuer, ring: &KeyRing, ui_locales: &[&str], devices: bool) -> Vec<u8> {
    let mut grants = vec!["authorization_code", "refresh_token", "client_credentials"];
    grants.extend(devices.then_some(device::GRANT_TYPE));
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
        device_authorization_endpoint: devices.then(|| issuer.device_authorization_endpoint()),
        scopes_supported: ScopeName::ALL.into_iter().map(ScopeName::name).collect(),
        response_types_supported: ["code"],
        response_modes_supported: [ResponseMode::Query, ResponseMode::FormPost]
            .map(ResponseMode::name),
        grant_types_supported: grants,
        acr_values_supported: [ACR_SFA, ACR_MFA],
        subject_types_supported: ["public", "pairwise"],
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
        claims_parameter_supported: true,
        request_parameter_supported: true,
        request_uri_parameter_supported: false,
        request_object_signing_alg_values_supported: AUTH_ALGS,
        require_signed_request_object: false,
        require_pushed_authorization_requests: false,
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
            serde_json::from_slice(&document(&issuer(), &ring(), &["fr", "de", "en"], false))
                .unwrap();
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
        for there_is in ["claims_parameter_supported", "request_parameter_supported"] {
            assert_eq!(json[there_is], true, "{there_is}");
        }
        for of_each in [
            "require_signed_request_object",
            "require_pushed_authorization_requests",
        ] {
            assert_eq!(json[of_each], false, "each application says that itself");
        }
        assert_eq!(
            json["subject_types_supported"],
            json!(["public", "pairwise"])
        );
        let algs = &json["request_object_signing_alg_values_supported"];
        assert!(algs.as_array().unwrap().iter().all(|alg| alg != "none"));
        assert_eq!(json["backchannel_logout_supported"], true);
        assert_eq!(json["backchannel_logout_session_supported"], true);
    }

    /// [RFC 8628 §4] "device_authorization_endpoint"
    #[test]
    fn devices_are_in_the_document_if_any_application_has_them() {
        let shown = |devices| -> Value {
            serde_json::from_slice(&document(&issuer(), &ring(), &[], devices)).unwrap()
        };
        let (with, without) = (shown(true), shown(false));
        let endpoint = "https://id.example/device-authorization";
        assert_eq!(with["device_authorization_endpoint"], endpoint);
        assert_eq!(without["device_authorization_endpoint"], Value::Null);
        let grants = |json: &Value| json["grant_types_supported"].as_array().unwrap().len();
        assert_eq!(with["grant_types_supported"][3], device::GRANT_TYPE);
        assert_eq!((grants(&with), grants(&without)), (4, 3));
    }
}
