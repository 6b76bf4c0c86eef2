//! Certificates of applications that a proxy passes on, and tokens that are bound to them [RFC 8705].

use data_encoding::BASE64;
use rcgen::{CertificateParams, DnType, KeyPair};
use serde_json::{Value, json};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Place, Role, Town};

use super::registered::{asks_as, registers};
use super::{between, canton, posts, somebody};
use crate::application::{REDIRECT, VERIFIER, at, claims, enters, parameter, sends};

/// Somebody's certificate.
struct Shown {
    pem: String,
    /// As a proxy passes it on.
    field: String,
}

impl Shown {
    fn new(name: &str) -> Self {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, name);
        let made = params.self_signed(&KeyPair::generate().unwrap()).unwrap();
        Self {
            pem: made.pem(),
            field: format!(":{}:", BASE64.encode(made.der())),
        }
    }

    fn on(&self, attempt: Attempt) -> Attempt {
        attempt.header("client-cert", &self.field)
    }
}

/// What redeems a fresh code of an application.
fn code(canton: &mut Canton, application: &str) -> String {
    let anna = somebody(canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let ask = asks_as(application, &[]);
    let answer = enters(&mut *browser, &ask, &anna);
    if let Some(code) = parameter(answer.location(), "code") {
        return code;
    }
    let page = browser.sends(Attempt::get(&ask));
    let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
    let click = [("action", "continue"), ("ticket", ticket.as_str())];
    parameter(posts(&mut *browser, "/login", &click).location(), "code").unwrap()
}

fn redeems(application: &str, code: &str) -> Attempt {
    let fields = [
        ("client_id", application),
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    Attempt::post(&at("/token"), &fields)
}

fn renews(application: &str, token: &str) -> Attempt {
    let fields = [
        ("client_id", application),
        ("grant_type", "refresh_token"),
        ("refresh_token", token),
    ];
    Attempt::post(&at("/token"), &fields)
}

fn asks_userinfo(scheme: &str, token: &str) -> Attempt {
    Attempt::get(&at("/userinfo")).header("authorization", &format!("{scheme} {token}"))
}

fn introspects(token: &str) -> Attempt {
    let fields = [("client_id", "sync"), ("token", token)];
    Attempt::post(&at("/introspect"), &fields)
}

fn text(answer: &Answer, name: &str) -> String {
    answer.json()[name].as_str().unwrap_or_default().to_owned()
}

fn error(answer: &Answer) -> String {
    text(answer, "error")
}

fn sync(own: &Shown) -> Value {
    json!({
        "id": "sync", "auth": "self_signed_tls_client_auth", "secret_sha256": null,
        "tls_client_auth": { "certificates": own.pem },
        "tls_client_certificate_bound_access_tokens": true,
        "access_token": "jwt", "grants": ["authorization_code", "refresh_token"],
    })
}

/// [C14] [RFC 8705 §3] "The protected resource MUST obtain, from its TLS implementation layer, the client certificate used for mutual TLS and MUST verify that the certificate matches the certificate associated with the access token. If they do not match, the resource access attempt MUST be rejected with an error, per [RFC6750], using an HTTP 401 status code and the "invalid_token" error code."
/// [RFC 8705 §2] "In order to utilize TLS for OAuth client authentication, the TLS connection between the client and the authorization server MUST have been established or re-established with mutual-TLS X.509 certificate authentication"
#[test]
fn a_bound_token_is_worth_nothing_on_another_connection() {
    let mut canton = canton();
    let (own, other) = (Shown::new("sync"), Shown::new("sync"));
    registers(&mut canton, &[sync(&own)]);
    let code = code(&mut canton, "sync");
    let ask = || redeems("sync", &code);
    let twice = own.on(own.on(ask()));
    for wrong in [ask(), other.on(ask()), own.on(other.on(ask())), twice] {
        assert_eq!(error(&sends(&mut canton, wrong)), "invalid_client");
    }
    let tokens = sends(&mut canton, own.on(ask()));
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    assert_eq!(text(&tokens, "token_type"), "Bearer");
    let access = text(&tokens, "access_token");
    let bound = claims(&access)["cnf"].clone();
    assert_eq!(
        bound["x5t#S256"].as_str().map(str::len),
        Some(43),
        "{bound}"
    );

    let good = sends(&mut canton, own.on(asks_userinfo("Bearer", &access)));
    assert_eq!(good.status, 200);
    for wrong in [
        asks_userinfo("Bearer", &access),
        other.on(asks_userinfo("Bearer", &access)),
        own.on(own.on(asks_userinfo("Bearer", &access))),
        own.on(asks_userinfo("DPoP", &access)),
    ] {
        let refused = sends(&mut canton, wrong);
        let why = refused
            .header("www-authenticate")
            .unwrap_or_default()
            .to_owned();
        assert_eq!(refused.status, 401);
        assert!(why.contains(r#"error="invalid_token""#), "{why}");
    }
    let told = sends(&mut canton, own.on(introspects(&access)));
    assert_eq!(told.json()["cnf"], bound);
    assert_eq!(
        error(&sends(&mut canton, other.on(introspects(&access)))),
        "invalid_client"
    );

    // It renews as who it is, and the fresh token is bound again.
    let refresh = text(&tokens, "refresh_token");
    let old = sends(&mut canton, other.on(renews("sync", &refresh)));
    assert_eq!(error(&old), "invalid_client");
    let renewed = sends(&mut canton, own.on(renews("sync", &refresh)));
    assert_eq!(claims(&text(&renewed, "access_token"))["cnf"], bound);
}

/// [C06] [C14] An application that cannot prove what it is has its refresh tokens bound, too.
#[test]
fn what_a_public_application_gets_is_bound_as_a_whole() {
    let mut canton = canton();
    let (own, other) = (Shown::new("screen"), Shown::new("screen"));
    registers(
        &mut canton,
        &[json!({
            "id": "screen", "kind": "public", "auth": "none", "secret_sha256": null,
            "tls_client_certificate_bound_access_tokens": true,
            "grants": ["authorization_code", "refresh_token"],
        })],
    );
    let code = code(&mut canton, "screen");
    let bare = sends(&mut canton, redeems("screen", &code));
    assert_eq!(error(&bare), "invalid_request", "{}", bare.body);
    let tokens = sends(&mut canton, own.on(redeems("screen", &code)));
    assert_eq!(tokens.status, 200, "{}", tokens.body);
    let access = text(&tokens, "access_token");
    let good = sends(&mut canton, own.on(asks_userinfo("Bearer", &access)));
    assert_eq!(good.status, 200);
    let stolen = sends(&mut canton, other.on(asks_userinfo("Bearer", &access)));
    assert_eq!(stolen.status, 401);
    let refresh = text(&tokens, "refresh_token");
    let bare = sends(&mut canton, renews("screen", &refresh));
    assert_eq!(error(&bare), "invalid_request");
    let stolen = sends(&mut canton, other.on(renews("screen", &refresh)));
    assert_eq!(error(&stolen), "invalid_grant");
    // None of that used it up.
    let renewed = sends(&mut canton, own.on(renews("screen", &refresh)));
    assert_eq!(renewed.status, 200, "{}", renewed.body);
}

/// [C08] An application that was switched off, or has another certificate by now, is nobody.
#[test]
fn a_certificate_counts_as_long_as_it_is_registered() {
    let mut canton = canton();
    let (own, next) = (Shown::new("sync"), Shown::new("sync"));
    let client = |id: &str, shown: &Shown, enabled: bool| {
        let mut client = sync(shown);
        client["id"] = id.into();
        client["enabled"] = enabled.into();
        client
    };
    registers(
        &mut canton,
        &[client("off", &own, false), client("changed", &next, true)],
    );
    for (id, shown, good) in [
        ("off", &own, "invalid_client"),
        ("changed", &own, "invalid_client"),
        ("changed", &next, "invalid_grant"),
        ("nobody", &own, "invalid_client"),
    ] {
        let answer = sends(&mut canton, shown.on(redeems(id, "made-up")));
        assert_eq!(error(&answer), good, "{id}");
    }
}
