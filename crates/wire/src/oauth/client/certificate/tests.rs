//! Whose certificate it is, and what is wrong with a registration.

use data_encoding::BASE64;
use rcgen::{DnType, SanType};

use super::*;
use crate::certificate::testing::{Authority, between, named, self_signed, subject};
use crate::jose::JwkSet;
use crate::oauth::token::{Authenticated, Fault, Incoming, Posted, authenticate};
use crate::testing::{NOW, ent, issuer};

fn host(name: &str) -> SanType {
    SanType::DnsName(name.try_into().unwrap())
}

fn sync(known: TlsClientAuth) -> Client {
    Client {
        auth: Auth::TlsClientAuth,
        secret_sha256: None,
        tls_client_auth: Some(known),
        ..ent()
    }
}

fn by_host(ca: &Authority) -> Client {
    sync(TlsClientAuth {
        san_dns: Some("sync.example.ch".to_owned()),
        authorities: Some(ca.pem()),
        ..TlsClientAuth::default()
    })
}

fn registered(pem: String) -> Client {
    Client {
        auth: Auth::SelfSignedTlsClientAuth,
        ..sync(TlsClientAuth {
            certificates: Some(pem),
            ..TlsClientAuth::default()
        })
    }
}

fn enters(client: &Client, shown: Option<&Chain>, body: &str) -> Result<Authenticated, Fault> {
    let posted = Posted::read(&Incoming {
        content_type: Some("application/x-www-form-urlencoded"),
        authorization: None,
        body: body.as_bytes(),
        certificate: shown,
    })?;
    authenticate(&posted, Some(client), &issuer(), NOW)
}

/// [RFC 8705 §2] "The authorization server MUST enforce the binding between client and certificate, as described in either Section 2.1 or 2.2 below."
/// [RFC 8705 §2.1] "The client is successfully authenticated if the subject information in the certificate matches the single expected subject configured or registered for that particular client"
/// [RFC 8705 §7.4] "the authorization server SHOULD only accept, as trust anchors, a limited number of CAs whose certificate issuance policy meets its security requirements."
/// [RFC 8705 §2.1.2] "MUST use exactly one of the below metadata parameters to indicate the certificate subject value that the authorization server is to expect when authenticating the respective client."
#[test]
fn a_name_counts_with_the_authority_that_is_registered_with_it() {
    let (ca, other) = (Authority::new("CA"), Authority::new("Other"));
    let client = by_host(&ca);
    assert_eq!(client.check(), []);
    let good = named(host("sync.example.ch"));
    let shown = ca.shows(&good);
    assert_eq!(
        enters(&client, Some(&shown), "client_id=ent")
            .unwrap()
            .client_id(),
        "ent"
    );
    let refused = |shown: Option<&Chain>, body: &str| enters(&client, shown, body).unwrap_err();
    for shown in [
        other.shows(&good),
        ca.shows(&named(host("sync.example.ch.evil.example"))),
        ca.shows(&named(host("*.example.ch"))),
        ca.shows(&subject(&[(DnType::CommonName, "sync.example.ch")])),
        ca.shows(&between(good.clone(), 2020, 2026)),
        self_signed(&good).0,
    ] {
        assert_eq!(
            refused(Some(&shown), "client_id=ent"),
            Fault::ClientNotItself
        );
    }
    assert_eq!(refused(None, "client_id=ent"), Fault::ClientNotItself);
    // A secret beside it is another way, and the application must say who it is.
    assert_eq!(
        refused(Some(&shown), "client_id=ent&client_secret=x"),
        Fault::ClientNotItself
    );
    assert_eq!(refused(Some(&shown), ""), Fault::ClientMissing);
    assert_eq!(
        refused(Some(&shown), "client_id=other"),
        Fault::ClientNotItself
    );
    // Nor does a certificate stand in for a secret.
    assert!(enters(&ent(), Some(&shown), "client_id=ent").is_err());
}

#[test]
fn each_kind_of_name_is_known_by_its_own() {
    let ca = Authority::new("CA");
    let text = || "urn:sync".try_into().unwrap();
    let with = |change: &dyn Fn(&mut TlsClientAuth)| {
        let mut known = TlsClientAuth {
            authorities: Some(ca.pem()),
            ..TlsClientAuth::default()
        };
        change(&mut known);
        sync(known)
    };
    let some = |text: &str| Some(text.to_owned());
    let clients = [
        with(&|known| known.subject_dn = some(r"CN=sync\, 1,C=CH")),
        with(&|known| known.san_dns = some("sync.example.ch")),
        with(&|known| known.san_uri = some("urn:sync")),
        with(&|known| known.san_ip = some("192.0.2.7")),
        with(&|known| known.san_email = some("sync@example.ch")),
    ];
    let certificates = [
        subject(&[(DnType::CountryName, "CH"), (DnType::CommonName, "sync, 1")]),
        named(host("sync.example.ch")),
        named(SanType::URI(text())),
        named(SanType::IpAddress("192.0.2.7".parse().unwrap())),
        named(SanType::Rfc822Name("sync@example.ch".try_into().unwrap())),
    ]
    .map(|params| ca.shows(&params));
    for (number, client) in clients.iter().enumerate() {
        assert_eq!(client.check(), [], "{number}");
        for (other, shown) in certificates.iter().enumerate() {
            let same = number == other;
            assert_eq!(client.has_certificate(shown, NOW), same, "{number} {other}");
        }
        let text = toml::to_string(client).unwrap();
        assert_eq!(toml::from_str::<Client>(&text).unwrap(), *client);
    }
}

/// [RFC 8705 §2.2] "The client is successfully authenticated if the certificate that it presented during the handshake matches one of the certificates configured or registered for that particular client."
#[test]
fn a_registered_certificate_is_that_one_and_no_other() {
    let params = named(host("sync.example.ch"));
    let (shown, pem) = self_signed(&params);
    let (second, also) = self_signed(&params);
    let (stranger, _) = self_signed(&params);
    let client = registered(format!("{pem}{also}"));
    assert_eq!(client.check(), []);
    assert!(client.has_certificate(&shown, NOW) && client.has_certificate(&second, NOW));
    assert!(!client.has_certificate(&stranger, NOW));
    let (old, pem) = self_signed(&between(params, 2020, 2026));
    assert!(!registered(pem).has_certificate(&old, NOW));
    // Behind a stranger's own, it is not the one whose key was proven.
    let behind = [stranger.leaf(), shown.leaf()].map(CertificateDer::from);
    assert!(!client.has_certificate(&Chain::of(&behind).unwrap(), NOW));
}

/// [RFC 7517 §4.7] "The key in the first certificate MUST match the public key represented by other members of the JWK."
#[test]
fn a_certificate_among_the_keys_is_of_its_key() {
    for algorithm in [&rcgen::PKCS_ECDSA_P256_SHA256, &rcgen::PKCS_ED25519] {
        let key = rcgen::KeyPair::generate_for(algorithm).unwrap();
        let made = subject(&[]).self_signed(&key).unwrap();
        let shown = Chain::of(&[made.der().clone()]).unwrap();
        let spki = rcgen::PublicKeyData::subject_public_key_info(&key);
        let members = match spki.len() {
            44 => {
                serde_json::json!({ "kty": "OKP", "crv": "Ed25519", "x": crate::jose::base64url(&spki[12..]) })
            }
            _ => serde_json::json!({
                "kty": "EC", "crv": "P-256",
                "x": crate::jose::base64url(&spki[27..59]), "y": crate::jose::base64url(&spki[59..]),
            }),
        };
        let with = |der: &[u8]| {
            let mut jwk: Jwk = serde_json::from_value(members.clone()).unwrap();
            jwk.x5c = Some(vec![BASE64.encode(der)]);
            Client {
                tls_client_auth: None,
                jwks: Some(JwkSet { keys: vec![jwk] }),
                ..registered(String::new())
            }
        };
        let client = with(made.der());
        assert_eq!(client.check(), []);
        assert!(client.has_certificate(&shown, NOW));
        let (stranger, _) = self_signed(&subject(&[]));
        let wrong = with(stranger.leaf());
        assert_eq!(wrong.check().len(), 1);
        assert!(!wrong.has_certificate(&stranger, NOW));
    }
}

/// The one flaw of a registration says this.
fn says(wrong: &Client, what: &str) {
    let flaws: Vec<String> = wrong.check().iter().map(ToString::to_string).collect();
    assert_eq!(flaws.len(), 1, "{what}: {flaws:?}");
    let said = flaws[0].starts_with("`tls_client_auth`: ") && flaws[0].contains(what);
    assert!(said, "{flaws:?}");
}

#[test]
fn what_is_wrong_with_a_name_is_said_with_its_cure() {
    let ca = Authority::new("CA");
    let good = by_host(&ca);
    let known = good.tls_client_auth.clone().unwrap();
    let with = |change: &dyn Fn(&mut TlsClientAuth)| {
        let mut known = known.clone();
        change(&mut known);
        sync(known)
    };
    let some = |text: &str| Some(text.to_owned());
    let (_, pem) = self_signed(&subject(&[]));
    for (wrong, what) in [
        (with(&|known| known.san_uri = some("urn:a")), "exactly one"),
        (with(&|known| known.san_dns = None), "exactly one"),
        (
            with(&|known| known.san_dns = some("*.example.ch")),
            "without `*`",
        ),
        (with(&|known| known.san_dns = some("")), "cannot be read"),
        (
            with(&|known| (known.san_dns, known.san_ip) = (None, some("192.0.2.7/24"))),
            "cannot be read",
        ),
        (
            with(&|known| (known.san_dns, known.subject_dn) = (None, some("sync"))),
            "RFC2253",
        ),
        (with(&|known| known.authorities = None), "who vouches"),
        (with(&|known| known.authorities = some("CA")), "PEM form"),
        (
            with(&|known| known.certificates = some(&pem)),
            "self_signed_tls_client_auth",
        ),
    ] {
        says(&wrong, what);
    }
}

#[test]
fn what_does_not_belong_together_is_said_with_its_cure() {
    let ca = Authority::new("CA");
    let good = by_host(&ca);
    let known = good.tls_client_auth.clone().unwrap();
    let (_, pem) = self_signed(&subject(&[]));
    let list = registered(pem);
    for (wrong, what) in [
        (
            Client {
                tls_client_auth: None,
                ..good.clone()
            },
            "exactly one",
        ),
        (
            Client {
                auth: Auth::SelfSignedTlsClientAuth,
                ..good.clone()
            },
            "for `auth` \"tls_client_auth\"",
        ),
        (
            Client {
                tls_client_auth: None,
                ..list.clone()
            },
            "must list its certificates",
        ),
        (registered("no".to_owned()), "PEM form"),
        (
            Client {
                tls_client_auth: Some(known.clone()),
                ..ent()
            },
            "remove one of them",
        ),
        (
            Client {
                dpop_bound: true,
                tls_client_certificate_bound_access_tokens: true,
                ..good.clone()
            },
            "bound to one thing",
        ),
    ] {
        says(&wrong, what);
    }
}

/// [FAPI 2.0 §5.3.2.1] "MTLS as specified in Section 2 of [RFC8705]"
#[test]
fn the_profile_takes_certificates_for_a_proof() {
    let (ca, profile) = (Authority::new("CA"), Some(super::super::Profile::Fapi2));
    let client = Client {
        profile,
        tls_client_certificate_bound_access_tokens: true,
        ..by_host(&ca)
    };
    assert_eq!(client.check(), []);
    assert!(client.must_bind() && client.must_push() && !client.rotates());
}
