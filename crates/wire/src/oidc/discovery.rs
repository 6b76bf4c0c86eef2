//! `/.well-known/openid-configuration`: what there is, and nothing else.

use std::collections::BTreeMap;

use serde::Serialize;

use super::claims::SUPPORTED;
use super::{ACR_MFA, ACR_SFA, Issuer};
use crate::jose::{ContentEncryption, KeyManagement, KeyRing, MacKey, SigningAlg};
use crate::oauth::authorize::ResponseMode;
use crate::oauth::client::{Client, GrantName};
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
    // [OIDC Registration §3] "registration_endpoint"
    #[serde(skip_serializing_if = "Option::is_none")]
    registration_endpoint: Option<String>,
    scopes_supported: Vec<&'static str>,
    response_types_supported: [&'static str; 1],
    response_modes_supported: [&'static str; 5],
    grant_types_supported: Vec<&'static str>,
    acr_values_supported: [&'static str; 2],
    subject_types_supported: [&'static str; 2],
    id_token_signing_alg_values_supported: Vec<&'static str>,
    // [JARM §4] "authorization_signing_alg_values_supported"
    authorization_signing_alg_values_supported: Vec<&'static str>,
    #[serde(flatten)]
    encryption: BTreeMap<String, Vec<&'static str>>,
    userinfo_signing_alg_values_supported: Vec<&'static str>,
    token_endpoint_auth_methods_supported: Vec<&'static str>,
    token_endpoint_auth_signing_alg_values_supported: [&'static str; 7],
    introspection_endpoint_auth_methods_supported: Vec<&'static str>,
    introspection_endpoint_auth_signing_alg_values_supported: [&'static str; 7],
    introspection_signing_alg_values_supported: Vec<&'static str>,
    revocation_endpoint_auth_methods_supported: Vec<&'static str>,
    revocation_endpoint_auth_signing_alg_values_supported: [&'static str; 7],
    claims_supported: Vec<&'static str>,
    ui_locales_supported: &'a [&'a str],
    prompt_values_supported: [&'static str; 4],
    code_challenge_methods_supported: [&'static str; 1],
    dpop_signing_alg_values_supported: [&'static str; 4],
    claims_parameter_supported: bool,
    request_parameter_supported: bool,
    request_uri_parameter_supported: bool,
    request_object_signing_alg_values_supported: [&'static str; 4],
    request_object_encryption_alg_values_supported: [&'static str; 3],
    request_object_encryption_enc_values_supported: [&'static str; 3],
    require_signed_request_object: bool,
    require_pushed_authorization_requests: bool,
    // [RFC 9207 §2.3] "The server MUST indicate its support for the iss parameter by setting the metadata parameter authorization_response_iss_parameter_supported, defined in Section 3, to true."
    authorization_response_iss_parameter_supported: bool,
    backchannel_logout_supported: bool,
    backchannel_logout_session_supported: bool,
    frontchannel_logout_supported: bool,
    frontchannel_logout_session_supported: bool,
    // [Session Management §3.3] "MUST be included in the Server's discovery responses when Session Management and Discovery are supported"
    #[serde(skip_serializing_if = "Option::is_none")]
    check_session_iframe: Option<String>,
    // [RFC 8705 §3.3] "tls_client_certificate_bound_access_tokens"
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    tls_client_certificate_bound_access_tokens: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    mtls_endpoint_aliases: Option<Aliases>,
}

/// The addresses at which applications are asked for certificates, and browsers are not.
// [RFC 8705 §5] "mtls_endpoint_aliases"
#[derive(Serialize)]
struct Aliases {
    token_endpoint: String,
    userinfo_endpoint: String,
    introspection_endpoint: String,
    revocation_endpoint: String,
    pushed_authorization_request_endpoint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    device_authorization_endpoint: Option<String>,
}

impl Aliases {
    fn of(at: &Issuer, devices: bool) -> Self {
        Self {
            token_endpoint: at.token_endpoint(),
            userinfo_endpoint: at.userinfo_endpoint(),
            introspection_endpoint: at.introspection_endpoint(),
            revocation_endpoint: at.revocation_endpoint(),
            pushed_authorization_request_endpoint: at.pushed_authorization_request_endpoint(),
            device_authorization_endpoint: devices.then(|| at.device_authorization_endpoint()),
        }
    }
}

/// How it does so with a certificate, where it can show one.
const BY_CERTIFICATE: [&str; 2] = ["tls_client_auth", "self_signed_tls_client_auth"];

/// How an application proves that it is itself.
const PROVING: [&str; 4] = [
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
];
/// How an application says who it is, where proving it is not always needed.
const AUTH: [&str; 5] = [
    "client_secret_basic",
    "client_secret_post",
    "client_secret_jwt",
    "private_key_jwt",
    "none",
];
/// What request objects and proofs of keys are signed with.
const SIGNING_ALGS: [&str; 4] = ["ES256", "RS256", "PS256", "EdDSA"];
/// What client assertions are signed with, or have a code made with.
const AUTH_ALGS: [&str; 7] = {
    let ([es, rs, ps, ed], [short, middle, long]) = (SIGNING_ALGS, MacKey::NAMES);
    [es, rs, ps, ed, short, middle, long]
};

/// The document as JSON. Render it once a key rotation, and when applications change: codes of devices, and the
/// frame that tells of changed sessions, are there if any of these may use them; where applications register
/// themselves, if they may.
#[must_use]
pub fn document(
    issuer: &Issuer,
    ring: &KeyRing,
    ui_locales: &[&str],
    applications: &[Client],
    registration: bool,
) -> Vec<u8> {
    let enabled = || applications.iter().filter(|client| client.enabled);
    let devices = enabled().any(|client| client.may(GrantName::DeviceCode));
    let watched = enabled().any(|client| client.session_management);
    let mtls = issuer.mtls();
    let with = |methods: &[&'static str]| {
        let certificates = BY_CERTIFICATE.iter().filter(|_| mtls.is_some());
        methods.iter().chain(certificates).copied().collect()
    };
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
        registration_endpoint: registration.then(|| issuer.registration_endpoint()),
        scopes_supported: ScopeName::ALL.into_iter().map(ScopeName::name).collect(),
        response_types_supported: ["code"],
        response_modes_supported: ResponseMode::NAMES,
        grant_types_supported: grant_types(devices),
        acr_values_supported: [ACR_SFA, ACR_MFA],
        subject_types_supported: ["public", "pairwise"],
        id_token_signing_alg_values_supported: ring.algs().map(SigningAlg::name).collect(),
        authorization_signing_alg_values_supported: ring.algs().map(SigningAlg::name).collect(),
        encryption: encryption(),
        userinfo_signing_alg_values_supported: ring.algs().map(SigningAlg::name).collect(),
        token_endpoint_auth_methods_supported: with(&AUTH),
        token_endpoint_auth_signing_alg_values_supported: AUTH_ALGS,
        introspection_endpoint_auth_methods_supported: with(&PROVING),
        introspection_endpoint_auth_signing_alg_values_supported: AUTH_ALGS,
        introspection_signing_alg_values_supported: algs(ring),
        revocation_endpoint_auth_methods_supported: with(&AUTH),
        revocation_endpoint_auth_signing_alg_values_supported: AUTH_ALGS,
        claims_supported: SUPPORTED.to_vec(),
        ui_locales_supported: ui_locales,
        prompt_values_supported: ["none", "login", "consent", "select_account"],
        code_challenge_methods_supported: ["S256"],
        dpop_signing_alg_values_supported: SIGNING_ALGS,
        claims_parameter_supported: true,
        request_parameter_supported: true,
        request_uri_parameter_supported: false,
        request_object_signing_alg_values_supported: SIGNING_ALGS,
        request_object_encryption_alg_values_supported: KeyManagement::OURS
            .map(KeyManagement::name),
        request_object_encryption_enc_values_supported: ContentEncryption::ALL
            .map(ContentEncryption::name),
        require_signed_request_object: false,
        require_pushed_authorization_requests: false,
        authorization_response_iss_parameter_supported: true,
        backchannel_logout_supported: true,
        backchannel_logout_session_supported: true,
        frontchannel_logout_supported: true,
        frontchannel_logout_session_supported: true,
        check_session_iframe: watched.then(|| issuer.check_session_iframe()),
        tls_client_certificate_bound_access_tokens: mtls.is_some(),
        mtls_endpoint_aliases: mtls.as_ref().map(|at| Aliases::of(at, devices)),
    };
    serde_json::to_vec(&document).unwrap_or_default()
}

/// How what applications are told can be encrypted to them.
fn encryption() -> BTreeMap<String, Vec<&'static str>> {
    let told = ["id_token", "userinfo", "introspection", "authorization"];
    let both = told.into_iter().flat_map(|what| {
        let (algs, encs) = (KeyManagement::ALL, ContentEncryption::ALL);
        [
            (
                format!("{what}_encryption_alg_values_supported"),
                algs.map(KeyManagement::name).to_vec(),
            ),
            (
                format!("{what}_encryption_enc_values_supported"),
                encs.map(ContentEncryption::name).to_vec(),
            ),
        ]
    });
    both.collect()
}

fn grant_types(devices: bool) -> Vec<&'static str> {
    let device = devices.then_some(device::GRANT_TYPE);
    let always = ["authorization_code", "refresh_token", "client_credentials"];
    always.into_iter().chain(device).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{ent, issuer, native, ring};
    use serde_json::{Value, json};

    /// [C04] [C07] [C15] [RFC 9207 §2.3] "The issuer identifier included in the server's metadata value issuer MUST be identical to the iss parameter's value."
    /// [RFC 9207 §2.3] "The server MUST indicate its support for the iss parameter by setting the metadata parameter authorization_response_iss_parameter_supported, defined in Section 3, to true."
    #[test]
    fn the_document_lists_what_there_is() {
        let json: Value = serde_json::from_slice(&document(
            &issuer(),
            &ring(),
            &["fr", "de", "en"],
            &[],
            false,
        ))
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
        for of in ["id_token", "userinfo", "introspection", "authorization"] {
            let algs = &json[format!("{of}_encryption_alg_values_supported")];
            assert_eq!(
                *algs,
                json!([
                    "ECDH-ES",
                    "ECDH-ES+A256KW",
                    "ECDH-ES+A128KW",
                    "RSA-OAEP-256",
                    "RSA-OAEP"
                ])
            );
            let encs = &json[format!("{of}_encryption_enc_values_supported")];
            assert_eq!(*encs, json!(["A128CBC-HS256", "A128GCM", "A256GCM"]));
        }
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
        assert_eq!(json["frontchannel_logout_supported"], true);
        assert_eq!(json["frontchannel_logout_session_supported"], true);
        assert_eq!(json["check_session_iframe"], Value::Null);
    }

    /// [C09] [OIDC Core §9] What has a code that a secret makes is what an application says of itself, and nothing else.
    #[test]
    fn the_document_says_what_applications_may_prove_themselves_with() {
        let json: Value =
            serde_json::from_slice(&document(&issuer(), &ring(), &[], &[], false)).unwrap();
        let has = |name: &str, value: &str| json[name].as_array().unwrap().contains(&value.into());
        for endpoint in ["token", "introspection", "revocation"] {
            let methods = format!("{endpoint}_endpoint_auth_methods_supported");
            assert!(has(&methods, "client_secret_jwt") && has(&methods, "private_key_jwt"));
            for alg in AUTH_ALGS {
                let algs = format!("{endpoint}_endpoint_auth_signing_alg_values_supported");
                assert!(has(&algs, alg), "{algs} {alg}");
            }
        }
        for other in ["dpop", "request_object", "id_token", "userinfo"] {
            for alg in MacKey::NAMES {
                let name = format!("{other}_signing_alg_values_supported");
                assert!(!has(&name, alg), "{name} {alg}");
            }
        }
    }

    /// [C07] [JARM §4] "authorization_signing_alg_values_supported"
    #[test]
    fn the_document_says_how_answers_may_be_signed() {
        let json: Value =
            serde_json::from_slice(&document(&issuer(), &ring(), &[], &[], false)).unwrap();
        assert_eq!(
            json["response_modes_supported"],
            json!(["query", "form_post", "jwt", "query.jwt", "form_post.jwt"])
        );
        assert_eq!(
            json["authorization_signing_alg_values_supported"],
            json!(["ES256", "RS256"])
        );
    }

    /// [Session Management §3.3] "MUST be included in the Server's discovery responses when Session Management and Discovery are supported"
    #[test]
    fn the_frame_is_in_the_document_if_any_application_may_ask_it() {
        let watched = Client {
            session_management: true,
            ..ent()
        };
        let json: Value =
            serde_json::from_slice(&document(&issuer(), &ring(), &[], &[watched], false)).unwrap();
        let frame = "https://id.example/check-session";
        assert_eq!(json["check_session_iframe"], frame);
    }

    /// [C17] [OIDC Registration §3] "registration_endpoint"
    #[test]
    fn where_applications_register_is_in_the_document_if_they_may() {
        let shown = |on| -> Value {
            serde_json::from_slice(&document(&issuer(), &ring(), &[], &[], on)).unwrap()
        };
        let endpoint = "https://id.example/register";
        assert_eq!(shown(true)["registration_endpoint"], endpoint);
        assert_eq!(shown(false)["registration_endpoint"], Value::Null);
    }

    /// [RFC 8705 §3.3] "tls_client_certificate_bound_access_tokens"
    /// [RFC 8705 §5] "mtls_endpoint_aliases"
    #[test]
    fn certificates_are_in_the_document_if_they_are_asked_for_somewhere() {
        let shown = |issuer: &Issuer| -> Value {
            serde_json::from_slice(&document(issuer, &ring(), &[], &[], false)).unwrap()
        };
        let without = shown(&issuer());
        assert_eq!(without["mtls_endpoint_aliases"], Value::Null);
        let bound = "tls_client_certificate_bound_access_tokens";
        assert_eq!(without[bound], Value::Null);
        let with = shown(&issuer().with_mtls("https://id.example:8443").unwrap());
        assert_eq!(with[bound], true);
        assert_eq!(with["token_endpoint"], "https://id.example/token");
        assert_eq!(
            with["mtls_endpoint_aliases"],
            json!({
                "token_endpoint": "https://id.example:8443/token",
                "userinfo_endpoint": "https://id.example:8443/userinfo",
                "introspection_endpoint": "https://id.example:8443/introspect",
                "revocation_endpoint": "https://id.example:8443/revoke",
                "pushed_authorization_request_endpoint": "https://id.example:8443/par",
            })
        );
        let methods = |json: &Value| {
            let all = json["token_endpoint_auth_methods_supported"].clone();
            let all = all.as_array().unwrap().clone();
            all.contains(&"tls_client_auth".into())
                && all.contains(&"self_signed_tls_client_auth".into())
        };
        assert!(methods(&with) && !methods(&without));
    }

    /// [RFC 8628 §4] "device_authorization_endpoint"
    #[test]
    fn devices_are_in_the_document_if_any_application_has_them() {
        let shown = |enabled| -> Value {
            let screens = Client {
                enabled,
                grants: vec![GrantName::DeviceCode],
                ..native()
            };
            serde_json::from_slice(&document(&issuer(), &ring(), &[], &[screens], false)).unwrap()
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
