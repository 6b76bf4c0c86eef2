//! What strangers say of themselves, and how little becomes of it.

use serde_json::{Value, json};

use super::*;
use crate::Secret;
use crate::jose::{SigningAlg, SigningKey};
use crate::oauth::client::{Auth, GrantName, Kind, Subjects, secret_digest};
use crate::testing::{NOW, issuer};

const ID: &str = "guest-0123456789abcdef0123";
pub(super) const SECRET: &str = "qY8nQpWv2mD4xRkZ7LtC1sBfH6jG9eUa3oNiXw5zVcE";
const SALT: &str = "0123456789abcdef0123456789abcdef";

pub(super) fn bounds(bundle: Bundle) -> Bounds {
    Bounds {
        minimum: Assurance::Strong,
        salt: Salt::new(SALT.to_owned()),
        scopes: bundle.scopes(),
        secret_days: None,
    }
}

pub(super) fn wish(json: &Value) -> Result<Wish, Refused> {
    Wish::read(Some("application/json"), json.to_string().as_bytes())
}

pub(super) fn own<'a>(digest: &'a str, former: Option<&'a Client>) -> Own<'a> {
    Own {
        algs: &[SigningAlg::Es256, SigningAlg::Rs256],
        former,
        id: ID,
        mtls: false,
        now: NOW,
        secret_sha256: digest,
    }
}

fn within(json: &Value, bounds: &Bounds) -> Result<Registered, Refused> {
    let digest = secret_digest(SECRET.as_bytes());
    wish(json)?.registered(bounds, &own(&digest, None))
}

pub(super) fn registered(json: &Value) -> Result<Registered, Refused> {
    within(json, &bounds(Bundle::Profile))
}

/// The least that anybody says, with something else.
pub(super) fn with(name: &str, value: Value) -> Value {
    let mut all = json!({ "redirect_uris": ["https://choir.example/cb"] });
    all[name] = value;
    all
}

pub(super) fn shown(registered: &Registered) -> Value {
    let (secret, token) = (
        Secret::new(SECRET.as_bytes().to_vec()),
        Secret::new(b"the-token".to_vec()),
    );
    let shown = Shown {
        at: NOW,
        issuer: &issuer(),
        registered,
        secret: registered.client.secret_sha256.as_ref().map(|_| &secret),
        token: &token,
    };
    assert_eq!(shown.created().status, 201);
    let answer = shown.answer();
    assert!(answer.headers.contains(&("cache-control", "no-store")));
    serde_json::from_slice(&answer.body).unwrap()
}

/// [C17] [RFC 7591 §3.2.1] "the authorization server MUST return all registered metadata about this client, including any fields provisioned by the authorization server itself."
/// [RFC 7591 §2] "The authorization server MUST ignore any client metadata sent by the client that it does not understand (for instance, by silently removing unknown metadata from the client's registration record during processing)."
/// [RFC 7591 §3.2] "The server responds with an HTTP 201 Created status code and a body of type "application/json" with content as described in Section 3.2.1."
/// [RFC 7591 §3.2.1] "REQUIRED if "client_secret" is issued."
/// [RFC 7591 §2] "If unspecified or omitted, the default is "client_secret_basic""
#[test]
fn an_application_is_told_what_is_registered_and_nothing_else() {
    let said = json!({
        "redirect_uris": ["https://choir.example/cb", "https://choir.example/other"],
        "client_name": "Choir", "client_name#de": "Chor & Orchester",
        "client_uri": "https://choir.example/", "contacts": ["choir@example.ch"],
        "scope": "openid profile email phone", "grant_types": ["refresh_token", "authorization_code"],
        "post_logout_redirect_uris": ["https://choir.example/bye"],
        "subject_type": "public", "default_max_age": 3, "software_id": "4NRB1", "jwks": null,
        "logo_uri": "http://169.254.169.254/", "policy_uri": "https://choir.example/policy",
        "request_uris": ["http://127.0.0.1/"], "tos_uri": "javascript:alert(1)",
        "backchannel_logout_uri": "http://127.0.0.1:6379/", "trusted": true, "audience": ["https://api.example/"],
        "frontchannel_logout_uri": "https://choir.example/out", "initiate_login_uri": "https://evil.example/",
        "unknown": { "a": [1] },
    });
    let registered = registered(&said).unwrap();
    assert_eq!(
        shown(&registered),
        json!({
            "client_id": ID, "client_id_issued_at": NOW, "client_secret": SECRET, "client_secret_expires_at": 0,
            "registration_client_uri": format!("https://id.example/register/{ID}"),
            "registration_access_token": "the-token", "application_type": "web",
            "client_name": "Choir", "client_name#de": "Chor & Orchester", "contacts": ["choir@example.ch"],
            "redirect_uris": ["https://choir.example/cb", "https://choir.example/other"],
            "response_types": ["code"], "grant_types": ["authorization_code", "refresh_token"],
            "scope": "openid profile", "subject_type": "pairwise",
            "token_endpoint_auth_method": "client_secret_basic", "id_token_signed_response_alg": "RS256",
            "post_logout_redirect_uris": ["https://choir.example/bye"], "client_uri": "https://choir.example/",
            "dpop_bound_access_tokens": false, "require_pushed_authorization_requests": false,
            "require_signed_request_object": false,
        })
    );
    let kept = Registered::read(&registered.document()).unwrap();
    assert_eq!(kept, registered);
    assert!(!registered.document().contains(SECRET));
}

/// [C17] [C12] Whatever an application says, it is of a third party, knows people by a pseudonym, and has no
/// rights that the invitation does not give.
#[test]
fn nobody_gets_more_than_the_invitation_allows() {
    let asks = with(
        "scope",
        json!("openid profile email phone groups offline_access"),
    );
    for bundle in Bundle::ALL {
        let client = within(&asks, &bounds(bundle)).unwrap().client;
        assert_eq!(client.scopes, bundle.scopes());
        assert!(!client.trusted && client.audience.is_empty() && client.resources.is_empty());
        assert!(client.backchannel_logout_uri.is_none() && client.profile.is_none());
        assert_eq!(
            (client.minimum, client.subject),
            (Assurance::Strong, Subjects::Pairwise)
        );
        assert_ne!(client.known_as("p-42"), "p-42");
    }
    let silent = registered(&with("x", json!(1))).unwrap().client;
    assert_eq!(silent.scopes, Bundle::Profile.scopes(), "all that it may");
    let modest = registered(&with("scope", json!("email"))).unwrap().client;
    assert_eq!(modest.scopes, Bundle::Pseudonym.scopes());
    // People read where their data goes, whatever the application calls itself.
    let named = registered(&with("client_name", json!("Canton du Valais"))).unwrap();
    assert_eq!(named.client.name.fr, "Canton du Valais (choir.example)");
    assert_eq!(silent.name.de, format!("{ID} (choir.example)"));
}

/// [RFC 7591 §3.2.2] "When a registration error condition occurs, the authorization server returns an HTTP 400 status code (unless otherwise specified) with content type "application/json" consisting of a JSON object [RFC7159] describing the error in the response body."
/// [C01] [C17] Redirect addresses are those that a technician could register, on one host.
#[test]
fn a_redirect_address_that_is_not_exact_is_refused() {
    for uris in [
        json!([]),
        json!(["http://choir.example/cb"]),
        json!(["https://choir.example/cb#x"]),
        json!(["https://*.choir.example/cb"]),
        json!(["https://u@choir.example/cb"]),
        json!(["https://choir.example/a/../cb"]),
        json!(["javascript:alert(1)"]),
        json!(["data:text/html,x"]),
        json!(["ch.example.app:/cb"]),
        json!(["https://choir.example/cb", "https://other.example/cb"]),
        json!(["https://choir.example/cb", "https://choir.example/cb"]),
        json!([""]),
    ] {
        let refused = registered(&json!({ "redirect_uris": uris })).unwrap_err();
        let answer = refused.answer();
        let body: Value = serde_json::from_slice(&answer.body).unwrap();
        assert_eq!(answer.status, 400);
        assert_eq!(body["error"], "invalid_redirect_uri", "{uris} {body}");
    }
    let native = json!({
        "application_type": "native",
        "redirect_uris": ["https://choir.example/cb", "https://other.example/cb"],
    });
    assert!(registered(&native).is_err(), "people read one host only");
    let both = json!({
        "application_type": "native",
        "redirect_uris": ["http://127.0.0.1/cb", "http://[::1]/cb"],
    });
    assert!(registered(&both).is_ok(), "the device has two names");
    let many: Vec<String> = (0..11).map(|n| format!("https://a.example/{n}")).collect();
    assert!(registered(&json!({ "redirect_uris": many })).is_err());
}

/// [C17] [RFC 7591 §2] "The "jwks_uri" and "jwks" parameters MUST NOT both be present in the same request or response."
/// Nothing is fetched, no flow but one, no type but the right one.
#[test]
fn what_is_not_offered_is_refused_by_the_names_of_the_standard() {
    let private =
        json!({ "keys": [{ "kty": "EC", "crv": "P-256", "x": "a", "y": "b", "d": "c" }] });
    for (name, value) in [
        ("response_types", json!(["code", "id_token"])),
        ("response_types", json!(["token"])),
        ("grant_types", json!(["implicit"])),
        ("grant_types", json!(["refresh_token"])),
        (
            "grant_types",
            json!(["authorization_code", "client_credentials"]),
        ),
        ("grant_types", json!(["password", "authorization_code"])),
        ("token_endpoint_auth_method", json!("client_secret_jwt")),
        ("token_endpoint_auth_method", json!("private_key_jwt")),
        ("token_endpoint_auth_method", json!(["none"])),
        ("application_type", json!("desktop")),
        ("id_token_signed_response_alg", json!("none")),
        ("id_token_signed_response_alg", json!("EdDSA")),
        ("id_token_encrypted_response_alg", json!("RSA-OAEP")),
        ("jwks_uri", json!("https://choir.example/jwks")),
        (
            "sector_identifier_uri",
            json!("https://choir.example/sector"),
        ),
        ("jwks", json!("not keys")),
        ("tls_client_certificate_bound_access_tokens", json!(true)),
        ("dpop_bound_access_tokens", json!("yes")),
        ("client_name", json!("")),
        ("client_name", json!("Choir\u{202e}rev")),
        ("client_name", json!("<b>Choir</b>")),
        ("client_name", json!("x".repeat(61))),
        ("client_name", json!(["Choir"])),
        ("client_name#fr", json!(7)),
        ("contacts", json!(["a", "b", "c", "d", "e", "f"])),
        ("contacts", json!(["a\nb"])),
        ("scope", json!(["openid"])),
        ("redirect_uris", json!("https://choir.example/cb")),
        ("redirect_uris", json!([7])),
        (
            "post_logout_redirect_uris",
            json!(["http://choir.example/"]),
        ),
        (
            "post_logout_redirect_uris",
            json!(["https://evil.example/"]),
        ),
        ("initiate_login_uri", json!("http://choir.example/login")),
    ] {
        let refused = registered(&with(name, value.clone())).unwrap_err();
        let body: Value = serde_json::from_slice(&refused.answer().body).unwrap();
        assert_eq!(body["error"], "invalid_client_metadata", "{name} {value}");
        let sentence = body["error_description"].as_str().unwrap();
        assert!(sentence.is_ascii() && sentence.len() < 300, "{sentence}");
    }
    let mut signs = with("token_endpoint_auth_method", json!("private_key_jwt"));
    signs["jwks"] = private;
    assert!(matches!(registered(&signs), Err(Refused::Metadata(_))));
    let mut statement = with("software_statement", json!("eyJ.e30.x"));
    statement["redirect_uris"] = json!([]);
    assert_eq!(registered(&statement), Err(Refused::Statement));
}

/// [P07] One object, of its type, not too deep, each name once.
#[test]
fn what_is_no_object_is_not_read() {
    let read = |media: Option<&str>, body: &[u8]| Wish::read(media, body).map(|_| ());
    let json = Some("application/json; charset=utf-8");
    assert_eq!(read(json, b"{}"), Ok(()));
    let deep = format!("{{\"a\":{}", "[".repeat(4000));
    let long = format!("{{\"a\":\"{}\"}}", "x".repeat(17_000));
    for (media, body) in [
        (None, "{}"),
        (Some("application/x-www-form-urlencoded"), "{}"),
        (json, ""),
        (json, "[]"),
        (json, "null"),
        (json, "{\"redirect_uris\":[],\"redirect_uris\":[]}"),
        (json, deep.as_str()),
        (json, long.as_str()),
    ] {
        assert_eq!(
            read(media, body.as_bytes()),
            Err(Refused::NotAnObject),
            "{body:.40}"
        );
    }
    assert_eq!(read(json, b"{\"a\":\"\xff\"}"), Err(Refused::NotAnObject));
}

#[test]
fn kinds_and_ways_of_authenticating_go_together() {
    let of = |kind: &str, auth: Option<&str>, uri: &str| {
        let said = json!({
            "application_type": kind, "token_endpoint_auth_method": auth, "redirect_uris": [uri],
        });
        registered(&said).map(|registered| registered.client)
    };
    let web = "https://choir.example/cb";
    let client = of("web", None, web).unwrap();
    assert_eq!(
        (client.kind, client.auth),
        (Kind::Confidential, Auth::Basic)
    );
    let client = of("web", Some("none"), web).unwrap();
    assert_eq!((client.kind, client.auth), (Kind::Public, Auth::None));
    assert_eq!(client.secret_sha256, None);
    for uri in ["http://127.0.0.1/cb", "https://choir.example/app"] {
        let client = of("native", None, uri).unwrap();
        assert_eq!((client.kind, client.auth), (Kind::Native, Auth::None));
        // Its sector is its own: the host of the device says nothing.
        assert_ne!(client.known_as("p-42"), "p-42");
        assert_eq!(client.sector().unwrap(), format!("{ID}.invalid"));
    }
    assert!(of("native", Some("client_secret_basic"), "http://127.0.0.1/cb").is_err());
    for uri in [
        "http://192.0.2.1/cb",
        "ch.example.app:/cb",
        "ch.example.app://host/cb",
    ] {
        assert!(
            matches!(of("native", None, uri), Err(Refused::RedirectUri(_))),
            "{uri}"
        );
    }
    let mut signs = with("token_endpoint_auth_method", json!("private_key_jwt"));
    let key = SigningKey::generate(SigningAlg::Es256).unwrap();
    signs["jwks"] = json!({ "keys": [key.public()] });
    let registered = registered(&signs).unwrap();
    assert_eq!(registered.client.auth, Auth::PrivateKeyJwt);
    assert_eq!(shown(&registered)["jwks"], signs["jwks"]);
    assert_eq!(shown(&registered)["client_secret"], Value::Null);
}

/// [RFC 7592 §2.2] "The updated client metadata fields request MUST NOT include the "registration_access_token", "registration_client_uri", "client_secret_expires_at", or "client_id_issued_at" fields described in Section 3."
/// [RFC 7592 §2.2] "The client MUST include its "client_id" field in the request, and it MUST be the same as its currently issued client identifier."
/// [RFC 7592 §2.2] "If the client includes the "client_secret" field in the request, the value of this field MUST match the currently issued client secret for that client."
#[test]
fn a_change_is_of_the_application_itself() {
    let client = registered(&with("x", json!(1))).unwrap().client;
    let change = |mut json: Value, id: &str| {
        json["client_id"] = json!(id);
        wish(&json).unwrap().is_a_change_of(&client)
    };
    assert_eq!(change(with("client_secret", json!(SECRET)), ID), Ok(()));
    assert_eq!(
        change(with("registration_access_token", Value::Null), ID),
        Ok(())
    );
    for wrong in [
        change(with("client_secret", json!("another")), ID),
        change(with("client_secret", json!("")), ID),
        change(with("x", json!(1)), "ent"),
        change(with("registration_access_token", json!("t")), ID),
        change(
            with("registration_client_uri", json!("https://id.example/")),
            ID,
        ),
        change(with("client_id_issued_at", json!(1)), ID),
        change(with("client_secret_expires_at", json!(0)), ID),
        wish(&with("x", json!(1))).unwrap().is_a_change_of(&client),
    ] {
        assert!(matches!(wrong, Err(Refused::Metadata(_))), "{wrong:?}");
    }
}

/// A change keeps a secret that has no end; one that ends is replaced, and is not good when it has ended.
#[test]
fn a_secret_that_ends_is_another_one_after_a_change() {
    let (first, second) = (secret_digest(b"first"), secret_digest(b"second"));
    let said = wish(&with("x", json!(1))).unwrap();
    let for_ever = bounds(Bundle::Pseudonym);
    let for_days = Bounds {
        secret_days: Some(30),
        ..for_ever.clone()
    };
    let client = |bounds, digest, former| {
        let registered = said.registered(bounds, &own(digest, former)).unwrap();
        registered.client
    };
    let one = client(&for_ever, &first, None);
    assert_eq!(
        client(&for_ever, &second, Some(&one)).secret_sha256,
        Some(first.clone())
    );
    let one = client(&for_days, &first, None);
    let until = NOW + 30 * 86_400;
    assert_eq!(one.secret_until, Some(until));
    assert!(!one.secret_is_over(until - 1) && one.secret_is_over(until));
    assert_eq!(
        client(&for_days, &second, Some(&one)).secret_sha256,
        Some(second.clone())
    );
    let without = Client {
        auth: Auth::None,
        secret_sha256: None,
        ..client(&for_ever, &first, None)
    };
    assert_eq!(
        client(&for_ever, &second, Some(&without)).secret_sha256,
        Some(second)
    );
    assert_eq!(one.grants, [GrantName::AuthorizationCode]);
}

#[test]
fn a_token_is_read_as_a_bearer_s() {
    assert_eq!(bearer(Some("Bearer abc")), Ok("abc"));
    assert_eq!(bearer(Some("bearer abc")), Ok("abc"));
    for none in [None, Some(""), Some("Basic abc"), Some("Bearerabc")] {
        assert_eq!(bearer(none), Err(Refused::TokenMissing), "{none:?}");
    }
    let long = format!("Bearer {}", "x".repeat(129));
    for bad in ["Bearer", "Bearer ", &long] {
        assert_eq!(bearer(Some(bad)), Err(Refused::Token), "{bad}");
    }
    for (refused, status) in [(Refused::Token, 401), (Refused::TooMany, 429)] {
        assert_eq!(refused.answer().status, status);
    }
    // [RFC 6750 §3.1] Whoever shows nothing is told of no error.
    let nothing = Refused::TokenMissing.answer();
    assert_eq!((nothing.status, nothing.body.len()), (401, 0));
    assert!(nothing.headers.contains(&("www-authenticate", "Bearer")));
    assert!(nothing.headers.contains(&("cache-control", "no-store")));
    let bad = Refused::Token.answer();
    let says = ("www-authenticate", "Bearer error=\"invalid_token\"");
    assert!(bad.headers.contains(&says));
}

/// [C17] [C12] People agreed to what goes to one host: a change cannot send it to another.
#[test]
fn a_change_keeps_the_host() {
    let digest = secret_digest(SECRET.as_bytes());
    let bounds = bounds(Bundle::Pseudonym);
    let former = registered(&with("x", json!(1))).unwrap().client;
    let moves_to = |uri: &str| {
        let said = wish(&json!({ "redirect_uris": [uri] })).unwrap();
        said.registered(&bounds, &own(&digest, Some(&former)))
    };
    assert!(moves_to("https://choir.example/elsewhere").is_ok());
    for other in [
        "https://evil.example/cb",
        "https://choir.example.evil.example/cb",
    ] {
        assert!(
            matches!(moves_to(other), Err(Refused::RedirectUri(_))),
            "{other}"
        );
    }
    let long = format!("https://{}.example/cb", "x".repeat(60));
    let named = json!({ "client_name": "y".repeat(60), "redirect_uris": [long] });
    assert!(matches!(registered(&named), Err(Refused::Metadata(_))));
}
