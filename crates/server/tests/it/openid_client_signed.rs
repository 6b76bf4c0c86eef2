//! Signed requests that are handed over, claims by name, pairwise subjects and bound tokens, with a client that
//! nobody here wrote: npm's `openid-client`.

use std::{fs, path::Path, process::Command};

use data_encoding::BASE64;
use serde_json::{Value, json};
use testkit::{Role, Town};
use wire::jose::{SigningAlg, SigningKey};

use crate::{
    cas_client::canton_of_today,
    openid_client::packages,
    programs::{Curl, Program, SCHOOL, Serving, free_port},
    registered::registers,
};

/// [C14] [C19] It signs its request, hands it over with a proof of its key, and is told what it named; the name
/// by which it knows somebody is the same wherever it asks.
#[test]
fn openid_client_signs_hands_over_and_names_what_it_wants() {
    let mut canton = canton_of_today();
    let key = SigningKey::generate(SigningAlg::Es256).unwrap();
    let (port, own) = (free_port(), free_port());
    let application = format!("http://127.0.0.1:{own}");
    let client = json!({ "application": [{
        "id": "signed",
        "name": { "fr": "Essai", "de": "Probe", "en": "Trial" },
        "kind": "confidential",
        "trusted": true,
        "auth": "private_key_jwt",
        "jwks": { "keys": [serde_json::to_value(key.public()).unwrap()] },
        "redirect_uris": [format!("{application}/callback")],
        "grants": ["authorization_code", "refresh_token"],
        "scopes": ["openid", "profile", "email"],
        "require_par": true,
        "require_signed_request_object": true,
        "dpop_bound": true,
        "subject": "pairwise",
        "salt": "ab".repeat(16),
    }] });
    registers(&canton, &toml::to_string(&client).unwrap());
    let provider = Serving::start(&canton, port);
    let script = packages().join("openid_client_signed.mjs");
    let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
    fs::copy(list.join("openid_client_signed.mjs"), &script).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let private = BASE64.encode(key.to_pkcs8().unwrap().expose());
    let node = Program::start(
        Command::new("/usr/bin/node").arg(script).args([
            &provider.origin,
            "signed",
            &private,
            &own.to_string(),
        ]),
        folder.path(),
        own,
    );
    let person = (&mut canton as &mut dyn Town).somebody(Role::EnrolledApp);
    let browser = Curl::new(SCHOOL);
    let sign_in = browser.opens(&format!("{application}/login"), &[]);
    let typed = [
        ("username", person.username.as_str()),
        ("password", &person.password),
    ];
    let page = browser.fills(&sign_in, &typed);
    assert_eq!(page.status, 200, "{} {}", page.body, node.said());
    let mut said: Value = serde_json::from_str(&page.body).unwrap();
    let sub = said["sub"].take();
    assert_eq!(sub.as_str().map(str::len), Some(32), "{sub}");
    assert_eq!(
        said,
        json!({
            "pushed": ["client_id", "request_uri"], "sub": null, "name": "Chloé Zufferey",
            "told": ["email", "sub"], "kind": "dpop", "renewed": true,
        })
    );
}
