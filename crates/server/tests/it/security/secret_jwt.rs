//! C08, C10: a secret that is never sent, and is kept outside of the registration.

use std::{fs, path::Path};

use aws_lc_rs::hmac;
use data_encoding::BASE64URL_NOPAD;
use serde_json::{Value, json};
use store::ResourceKind;
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Town};

use super::canton;
use super::registered::registers;
use crate::application::{at, sends};
use crate::registered::changes;

const SECRET: &str = "ZG8gbm90IHRlbGwgYW55Ym9keSwgbm90IGV2ZW4gbWU";
const OTHER: &str = "YW5vdGhlciBzZWNyZXQgb2YgdGhlIHNhbWUgbGVuZ3Ro";
const BEARER: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";

fn batch(file: &Path) -> Value {
    json!({
        "id": "batch", "auth": "secret_jwt", "secret": format!("{{file:{}}}", file.display()),
        "secret_sha256": null, "grants": ["client_credentials"],
        "resources": ["https://api.example/"],
    })
}

fn assertion(secret: &str, jti: &str, now: i64) -> String {
    let part = |json: Value| BASE64URL_NOPAD.encode(json.to_string().as_bytes());
    let claims = json!({
        "iss": "batch", "sub": "batch", "aud": at(""), "jti": jti, "exp": now + 60, "iat": now,
    });
    let message = format!("{}.{}", part(json!({ "alg": "HS256" })), part(claims));
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    let code = hmac::sign(&key, message.as_bytes());
    format!("{message}.{}", BASE64URL_NOPAD.encode(code.as_ref()))
}

fn asks(path: &str, assertion: &str) -> Attempt {
    let fields = [
        ("grant_type", "client_credentials"),
        ("resource", "https://api.example/"),
        ("token", "what is that worth?"),
        ("client_assertion_type", BEARER),
        ("client_assertion", assertion),
    ];
    Attempt::post(&at(path), &fields)
}

fn enters(canton: &mut Canton, secret: &str, jti: &str) -> Answer {
    let now = canton.now();
    sends(canton, asks("/token", &assertion(secret, jti, now)))
}

/// Somebody applies something.
fn applies(canton: &Canton) {
    changes(canton, ResourceKind::Applications, |text| {
        format!("{text}\n# another word\n")
    });
}

/// [C08] [C10] Of many at once with one statement one enters, wherever it is shown; a new one is good again.
#[test]
fn a_statement_is_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batch.secret");
    fs::write(&file, SECRET).unwrap();
    let mut canton = canton();
    registers(&mut canton, &[batch(&file)]);
    let once = assertion(SECRET, "once", canton.now());
    let answers = canton.sends(vec![asks("/token", &once); 20]);
    let good = answers.iter().filter(|one| one.status == 200).count();
    assert_eq!(good, 1);
    let refused = answers.iter().filter(|one| one.status != 200);
    for one in refused {
        assert_eq!(
            (one.status, &one.json()["error"]),
            (401, &json!("invalid_client"))
        );
    }
    for path in ["/introspect", "/revoke", "/token"] {
        let again = sends(&mut canton, asks(path, &once));
        assert_eq!(again.json()["error"], "invalid_client", "{path}");
    }
    let new = assertion(SECRET, "new", canton.now());
    let told = sends(&mut canton, asks("/introspect", &new));
    assert_eq!(told.json(), json!({ "active": false }));
    // It is never sent, and never taken if it is.
    let sent = [
        ("grant_type", "client_credentials"),
        ("client_id", "batch"),
        ("client_secret", SECRET),
    ];
    let sent = sends(&mut canton, Attempt::post(&at("/token"), &sent));
    assert_eq!(sent.json()["error"], "invalid_client");
}

/// [C08] [P02] A secret that is missing or too short keeps its application out, and nobody else; it is read again
/// when something is applied, and another one takes the place of the former at once.
#[test]
fn a_secret_is_read_where_it_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batch.secret");
    let mut canton = canton();
    registers(
        &mut canton,
        &[batch(&file), json!({ "id": "neighbour", "trusted": true })],
    );
    let is_in = |canton: &mut Canton, secret: &str, jti: &str| {
        let answer = enters(canton, secret, jti);
        let refused = answer.json()["error"] == "invalid_client";
        assert!(refused || answer.status == 200, "{}", answer.body);
        !refused
    };
    assert!(!is_in(&mut canton, SECRET, "1") && !is_in(&mut canton, "", "2"));
    let document = Attempt::get(&at("/.well-known/openid-configuration"));
    assert_eq!(sends(&mut canton, document).status, 200);
    let short = &SECRET[..31];
    fs::write(&file, short).unwrap();
    applies(&canton);
    assert!(!is_in(&mut canton, short, "3"));
    fs::write(&file, format!("{SECRET}\r\n")).unwrap();
    applies(&canton);
    assert!(is_in(&mut canton, SECRET, "4"));
    fs::write(&file, OTHER).unwrap();
    applies(&canton);
    assert!(is_in(&mut canton, OTHER, "5") && !is_in(&mut canton, SECRET, "6"));
    let kept = canton.waits_for(canton.store().resource(ResourceKind::Applications));
    let text = kept.unwrap().unwrap().text;
    assert!(text.contains("batch.secret}") && !text.contains(OTHER) && !text.contains(SECRET));
}

/// [C08] Switched off, or gone, a good statement opens nothing.
#[test]
fn an_application_that_goes_takes_its_secret_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("batch.secret");
    fs::write(&file, SECRET).unwrap();
    let mut canton = canton();
    registers(&mut canton, &[batch(&file)]);
    assert_eq!(enters(&mut canton, SECRET, "1").status, 200);
    changes(&canton, ResourceKind::Applications, |text| {
        text.replace("id = \"batch\"", "id = \"batch\"\nenabled = false")
    });
    assert_eq!(enters(&mut canton, SECRET, "2").status, 401);
    changes(&canton, ResourceKind::Applications, |text| {
        text.replace("id = \"batch\"", "id = \"other\"")
    });
    assert_eq!(enters(&mut canton, SECRET, "3").status, 401);
}
