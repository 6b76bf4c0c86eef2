//! What may be registered, and what the technician is told when it may not.

use super::*;
use crate::jose::{Jwk, JwkFlaw, SigningKey};
use crate::testing::{ENT_SECRET, ent, native};

#[test]
fn an_application_is_read_from_toml_and_fits() {
    let text = format!(
        r#"
        id = "ent"
        name = {{ fr = "ENT", de = "Schulportal", en = "School portal" }}
        kind = "confidential"
        redirect_uris = ["https://edu.vs.ch/oidc/callback"]
        auth = "basic"
        secret_sha256 = "{}"
        scopes = ["openid", "groups"]
        minimum = "phishing-resistant"
        "#,
        secret_digest(ENT_SECRET.as_bytes())
    );
    let client: Client = toml::from_str(&text).unwrap();
    assert_eq!(client.check(), []);
    assert_eq!(client.minimum, Assurance::PhishingResistant);
    assert!(client.enabled && !client.trusted);
    let again: Client = toml::from_str(&toml::to_string(&client).unwrap()).unwrap();
    assert_eq!(again, client);
    assert!(toml::from_str::<Client>(&format!("{text}\nredirect_uri = \"x\"")).is_err());
}

#[test]
fn assurance_has_an_order() {
    assert!(Assurance::Password < Assurance::Vouched);
    assert!(Assurance::Vouched < Assurance::Strong);
    assert!(Assurance::Strong < Assurance::PhishingResistant);
}

/// [C01] https, no fragment, no userinfo, no wildcard, one spelling.
#[test]
fn bad_redirect_uris_are_explained() {
    let flaw = |uri: &str| flaw_of_registered(uri, Kind::Confidential);
    for good in [
        "https://edu.vs.ch/callback",
        "https://edu.vs.ch/",
        "https://edu.vs.ch:8443/cb?tenant=1",
        "http://localhost:8401/callback",
        "http://127.0.0.1:8401/callback",
        "http://[::1]/cb",
    ] {
        assert_eq!(flaw(good), None, "{good}");
    }
    for (bad, expected) in [
        ("", UriFlaw::NotAUri),
        ("/callback", UriFlaw::NotAUri),
        ("https://edu.vs.ch/call back", UriFlaw::NotAUri),
        ("https://édu.vs.ch/", UriFlaw::NotAUri),
        ("https://*.vs.ch/cb", UriFlaw::Wildcard),
        ("https://edu.vs.ch/cb#x", UriFlaw::Fragment),
        ("https://edu.vs.ch/cb#", UriFlaw::Fragment),
        ("https://edu.vs.ch@evil.example/cb", UriFlaw::UserInfo),
        ("http://edu.vs.ch/cb", UriFlaw::NotHttps),
        ("http://127.0.0.1.evil.example/cb", UriFlaw::NotHttps),
        ("http://10.0.0.1/cb", UriFlaw::NotHttps),
        ("javascript:alert(1)", UriFlaw::NotHttps),
        ("data:text/html,x", UriFlaw::NotHttps),
        ("ch.vs.edu.app:/cb", UriFlaw::NotHttps),
        ("https://EDU.vs.ch/cb", UriFlaw::NotCanonical),
        ("https://EDU.vs.ch", UriFlaw::NotCanonical),
        ("https://edu.vs.ch:443", UriFlaw::NotCanonical),
        ("https://edu.vs.ch?", UriFlaw::NotCanonical),
        ("https://edu.vs.ch:443/cb", UriFlaw::NotCanonical),
        ("https://edu.vs.ch/a/../cb", UriFlaw::NotCanonical),
        ("https:\\\\edu.vs.ch\\cb", UriFlaw::NotCanonical),
        ("https:edu.vs.ch/cb", UriFlaw::NotCanonical),
        ("http://2130706433/cb", UriFlaw::NotCanonical),
    ] {
        assert_eq!(flaw(bad), Some(expected), "{bad}");
    }
    assert_eq!(flaw_of_registered("ch.vs.edu.app:/cb", Kind::Native), None);
    assert_eq!(
        flaw_of_registered("myapp:/cb", Kind::Native),
        Some(UriFlaw::NotHttps)
    );
    for bare in [
        "https://edu.vs.ch",
        "http://localhost:8080",
        "http://[::1]:8080",
    ] {
        assert_eq!(flaw(bare), None, "{bare}");
    }
    let long = format!("https://edu.vs.ch/{}", "a".repeat(2048));
    assert_eq!(flaw(&long), Some(UriFlaw::NotAUri));
}

/// [C17] What is posted to goes over TLS or stays on this machine, whatever kind of program it is for.
#[test]
fn a_logout_address_is_one_that_can_be_posted_to() {
    let flaws = |client: Client, uri: &str| {
        Client {
            backchannel_logout_uri: Some(uri.to_owned()),
            ..client
        }
        .check()
    };
    for good in ["https://edu.example/out", "http://localhost:8401/out"] {
        assert_eq!(flaws(ent(), good), [], "{good}");
        assert_eq!(flaws(native(), good), [], "{good}");
    }
    for (bad, flaw) in [
        ("http://edu.example/out", UriFlaw::NotHttps),
        ("ch.example.app:/out", UriFlaw::NotHttps),
        ("https://edu.example/out#x", UriFlaw::Fragment),
    ] {
        let uri = bad.to_owned();
        let field = "backchannel_logout_uri";
        let expected = [ClientFlaw::Uri { field, uri, flaw }];
        assert_eq!(flaws(native(), bad), expected, "{bad}");
    }
}

/// [C08] A confidential application without a real secret does not start.
#[test]
fn missing_short_and_silly_secrets_are_explained() {
    let flaws = |secret: Option<&str>| {
        Client {
            secret_sha256: secret.map(str::to_owned),
            ..ent()
        }
        .check()
    };
    assert_eq!(ent().check(), []);
    assert_eq!(flaws(None), [ClientFlaw::SecretMissing]);
    assert_eq!(flaws(Some("")), [ClientFlaw::SecretNotADigest]);
    assert_eq!(flaws(Some(ENT_SECRET)), [ClientFlaw::SecretNotADigest]);
    assert_eq!(flaws(Some(&secret_digest(b""))), [ClientFlaw::SecretWeak]);
    assert_eq!(
        flaws(Some(&secret_digest(b"ent").to_uppercase())),
        [ClientFlaw::SecretWeak]
    );
    assert_eq!(native().check(), []);
    let confused = Client {
        secret_sha256: ent().secret_sha256,
        ..native()
    };
    assert_eq!(confused.check(), [ClientFlaw::SecretUnused]);
    let open = Client {
        auth: Auth::None,
        secret_sha256: None,
        ..ent()
    };
    assert_eq!(open.check(), [ClientFlaw::AuthDoesNotFit]);
}

#[test]
fn keys_are_checked() {
    let key = SigningKey::generate(SigningAlg::Es256)
        .unwrap()
        .public()
        .clone();
    let with = |keys: Vec<Jwk>| {
        let jwks = Some(JwkSet { keys });
        Client {
            auth: Auth::PrivateKeyJwt,
            secret_sha256: None,
            jwks,
            ..ent()
        }
        .check()
    };
    assert_eq!(with(vec![key.clone()]), []);
    assert_eq!(with(vec![]), [ClientFlaw::KeysMissing]);
    assert_eq!(with(vec![key.clone(), key.clone()]), [ClientFlaw::KeyNames]);
    let private: Jwk = serde_json::from_str(r#"{"kty":"EC","d":"AAAA"}"#).unwrap();
    assert_eq!(with(vec![private]), [ClientFlaw::Key(JwkFlaw::Private)]);
    let unused = Client {
        jwks: Some(JwkSet::default()),
        ..ent()
    };
    assert_eq!(unused.check(), [ClientFlaw::KeysUnused]);
}

#[test]
fn every_flaw_is_found_at_once() {
    let client = Client {
        id: "ENT!".to_owned(),
        name: Name {
            fr: String::new(),
            ..ent().name
        },
        redirect_uris: Vec::new(),
        post_logout_redirect_uris: vec!["x".to_owned(), "x".to_owned()],
        scopes: Vec::new(),
        ..ent()
    };
    assert_eq!(client.check().len(), 7);
    assert!(
        client
            .check()
            .iter()
            .all(|flaw| !flaw.to_string().ends_with('.'))
    );
}

#[test]
fn a_new_secret_fits_a_registration() {
    let secret = new_secret([7; 32]);
    assert_eq!(secret.len(), 43);
    let secret_sha256 = Some(secret_digest(secret.expose()));
    let client = Client {
        secret_sha256,
        ..ent()
    };
    assert_eq!(client.check(), []);
    assert!(client.has_secret(secret.expose()));
}

#[test]
fn the_secret_is_recognised_and_the_empty_one_never() {
    assert!(ent().has_secret(ENT_SECRET.as_bytes()));
    assert!(!ent().has_secret(b"wrong"));
    let empty = Client {
        secret_sha256: Some(secret_digest(b"")),
        ..ent()
    };
    assert!(!empty.has_secret(b""));
    assert!(!native().has_secret(b""));
}

#[test]
fn a_person_enters_by_the_sign_in_address_or_the_home_page() {
    let issuer = crate::testing::issuer();
    assert_eq!(
        ent().entrance(&issuer).as_deref(),
        Some("https://edu.example/")
    );
    let initiate_login_uri = Some("https://edu.example/start?x=1".to_owned());
    let started = Client {
        initiate_login_uri,
        ..ent()
    }
    .entrance(&issuer);
    let expected = "https://edu.example/start?x=1&iss=https%3A%2F%2Fid.example";
    assert_eq!(started.as_deref(), Some(expected));
}

/// [C05] [RFC 6749 §4.4] "The client credentials grant type MUST only be used by confidential clients."
#[test]
fn grants_that_do_not_fit_are_explained() {
    use GrantName::{AuthorizationCode, ClientCredentials, RefreshToken};
    let flaws = |client: Client, grants: &[GrantName]| {
        let grants = grants.to_vec();
        Client { grants, ..client }.check()
    };
    assert_eq!(flaws(ent(), &[AuthorizationCode, RefreshToken]), []);
    assert_eq!(flaws(ent(), &[AuthorizationCode, ClientCredentials]), []);
    let machine = Client {
        redirect_uris: Vec::new(),
        scopes: Vec::new(),
        ..ent()
    };
    assert_eq!(flaws(machine, &[ClientCredentials]), []);
    for (client, grants) in [
        (ent(), &[][..]),
        (ent(), &[RefreshToken]),
        (native(), &[AuthorizationCode, ClientCredentials]),
    ] {
        let flaws = flaws(client, grants);
        assert!(matches!(flaws[..], [ClientFlaw::Grants(_)]), "{flaws:?}");
    }
    let offline = Client {
        scopes: vec![ScopeName::Openid, ScopeName::OfflineAccess],
        ..ent()
    };
    assert!(matches!(offline.check()[..], [ClientFlaw::Grants(_)]));
    let nobody = Client {
        audience: vec!["https://api.example/".to_owned()],
        ..native()
    };
    assert_eq!(nobody.check(), [ClientFlaw::AudienceOfNobody]);
    let odd = Client {
        api_scopes: vec!["two words".to_owned()],
        ..ent()
    };
    assert_eq!(odd.check(), [ClientFlaw::ApiScopes]);
}
