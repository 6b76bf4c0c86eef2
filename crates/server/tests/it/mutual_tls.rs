//! Applications that show certificates to our own TLS, with a client that nobody here wrote: curl.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64, BASE64URL_NOPAD};
use rcgen::{
    BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair, SanType,
    date_time_ymd,
};
use serde_json::{Value, json};
use server::listen::Certificates;
use tempfile::TempDir;

use crate::{
    application::claims,
    cas_client::canton_of_today,
    programs::{SCHOOL, Serving, free_port},
    registered::registers,
};

/// A door that asks for certificates, and an authority that makes them.
struct Stage {
    authority: CertifiedIssuer<'static, KeyPair>,
    folder: TempDir,
    port: u16,
    _provider: Serving,
}

/// A certificate and its key in files.
struct Pair {
    certificate: PathBuf,
    der: Vec<u8>,
    key: PathBuf,
}

fn write(folder: &Path, name: &str, certificate: &rcgen::Certificate, key: &KeyPair) -> Pair {
    let files = ["cert", "key"].map(|kind| folder.join(format!("{name}.{kind}")));
    let [cert, key_file] = files;
    fs::write(&cert, certificate.pem()).unwrap();
    fs::write(&key_file, key.serialize_pem()).unwrap();
    Pair {
        certificate: cert,
        der: certificate.der().to_vec(),
        key: key_file,
    }
}

/// The certificate of a host.
fn host(name: &str) -> CertificateParams {
    CertificateParams::new(vec![name.to_owned()]).unwrap()
}

fn authority() -> CertifiedIssuer<'static, KeyPair> {
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, "CA");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
}

impl Stage {
    fn new() -> Self {
        let (canton, authority) = (canton_of_today(), authority());
        let client = |id: &str, known: Value| {
            json!({
                "id": id, "name": { "fr": "Essai", "de": "Probe", "en": "Trial" },
                "kind": "confidential", "grants": ["client_credentials"], "scopes": [],
                "auth": "tls_client_auth", "access_token": "jwt", "tls_client_auth": known,
                "tls_client_certificate_bound_access_tokens": true,
            })
        };
        let pem = authority.as_ref().pem();
        let list = json!({ "application": [
            client("sync", json!({ "san_dns": "sync.example.ch", "authorities": pem })),
            client("named", json!({ "subject_dn": r"CN=sync\, \+1,O=Canton", "authorities": pem })),
        ] });
        registers(&canton, &toml::to_string(&list).unwrap());
        let folder = tempfile::tempdir().unwrap();
        let key = KeyPair::generate().unwrap();
        let own = host("localhost").self_signed(&key).unwrap();
        let own = write(folder.path(), "server", &own, &key);
        let provider = Serving::start(&canton, free_port());
        let tls = Certificates::read(&own.certificate, &own.key).unwrap();
        Self {
            authority,
            folder,
            port: provider.asks_for_certificates(tls),
            _provider: provider,
        }
    }

    /// A certificate that the authority makes.
    fn makes(&self, name: &str, params: &CertificateParams) -> Pair {
        let key = KeyPair::generate().unwrap();
        let made = params.signed_by(&key, &self.authority).unwrap();
        write(self.folder.path(), name, &made, &key)
    }

    /// Asks for a token; the status and what is said.
    fn asks(&self, id: &str, shown: Option<&Pair>, more: &[&str]) -> (u16, Value) {
        let form = format!("grant_type=client_credentials&client_id={id}");
        let more = [&["--data", form.as_str()], more].concat();
        self.curl("/token", shown, &more)
    }

    fn curl(&self, path: &str, shown: Option<&Pair>, more: &[&str]) -> (u16, Value) {
        let mut command = Command::new("/usr/bin/curl");
        command
            .args(["--silent", "--show-error", "--ipv4", "--noproxy", "*"])
            .args(["--max-time", "30", "--interface", SCHOOL, "--cacert"])
            .arg(self.folder.path().join("server.cert"))
            .args(["--write-out", "\n%{http_code}"])
            .args(more)
            .arg(format!("https://localhost:{}{path}", self.port));
        if let Some(pair) = shown {
            command.arg("--cert").arg(&pair.certificate);
            command.arg("--key").arg(&pair.key);
        }
        let output = command.output().unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let problem = String::from_utf8_lossy(&output.stderr);
        let (body, status) = text
            .rsplit_once('\n')
            .unwrap_or_else(|| panic!("{problem}"));
        let said = serde_json::from_str(body).unwrap_or_default();
        (status.parse().unwrap(), said)
    }
}

/// [C08] [RFC 8705 §2] "In order to utilize TLS for OAuth client authentication, the TLS connection between the client and the authorization server MUST have been established or re-established with mutual-TLS X.509 certificate authentication"
/// [RFC 8705 §3.1] "The base64url-encoded value MUST omit all trailing pad '=' characters and MUST NOT include any line breaks, whitespace, or other additional characters."
#[test]
fn curl_is_let_in_by_its_certificate_and_by_no_other() {
    let stage = Stage::new();
    let sync = stage.makes("sync", &host("sync.example.ch"));
    for version in ["--tlsv1.3", "--tls-max"] {
        let more: &[&str] = match version {
            "--tls-max" => &["--tls-max", "1.2"],
            _ => &["--tlsv1.3"],
        };
        let (status, said) = stage.asks("sync", Some(&sync), more);
        assert_eq!(status, 200, "{version}: {said}");
        let bound = claims(said["access_token"].as_str().unwrap())["cnf"]["x5t#S256"].clone();
        let thumbprint = BASE64URL_NOPAD.encode(digest(&SHA256, &sync.der).as_ref());
        assert_eq!(bound, thumbprint);
    }
    let mut expired = host("sync.example.ch");
    (expired.not_before, expired.not_after) =
        (date_time_ymd(2020, 1, 1), date_time_ymd(2021, 1, 1));
    let stranger = KeyPair::generate().unwrap();
    let by_itself = host("sync.example.ch").self_signed(&stranger).unwrap();
    let by_another = host("sync.example.ch")
        .signed_by(&stranger, &authority())
        .unwrap();
    for (why, shown) in [
        ("expired", stage.makes("expired", &expired)),
        (
            "of another",
            stage.makes("other", &host("other.example.ch")),
        ),
        (
            "look-alike",
            stage.makes("alike", &host("sync.example.ch.evil.example")),
        ),
        (
            "by itself",
            write(stage.folder.path(), "self", &by_itself, &stranger),
        ),
        (
            "by another authority",
            write(stage.folder.path(), "ca2", &by_another, &stranger),
        ),
    ] {
        let (status, said) = stage.asks("sync", Some(&shown), &[]);
        assert_eq!(
            (status, &said["error"]),
            (401, &json!("invalid_client")),
            "{why}"
        );
    }
    assert_eq!(stage.asks("sync", None, &[]).0, 401);
    assert_eq!(stage.asks("named", Some(&sync), &[]).0, 401);
    // Whoever stole the certificate, which is no secret, says so in a header: nobody listens.
    let header = format!("Client-Cert: :{}:", BASE64.encode(&sync.der));
    assert_eq!(stage.asks("sync", None, &["--header", &header]).0, 401);
    let other = stage.makes("other", &host("other.example.ch"));
    assert_eq!(
        stage.asks("sync", Some(&other), &["--header", &header]).0,
        401
    );
}

#[test]
fn a_subject_with_signs_of_its_own_is_compared_as_it_is() {
    let stage = Stage::new();
    let subject = |parts: &[(DnType, &str)]| {
        let mut params = CertificateParams::default();
        params.distinguished_name = rcgen::DistinguishedName::new();
        for (kind, value) in parts {
            params.distinguished_name.push(kind.clone(), *value);
        }
        params.subject_alt_names = vec![SanType::DnsName("x.example".try_into().unwrap())];
        params
    };
    let canton = (DnType::OrganizationName, "Canton");
    let right = subject(&[canton.clone(), (DnType::CommonName, "sync, +1")]);
    let right = stage.makes("right", &right);
    assert_eq!(stage.asks("named", Some(&right), &[]).0, 200);
    let split = subject(&[canton.clone(), (DnType::CommonName, "sync")]);
    let joined = subject(&[(DnType::CommonName, r"sync\, \+1,O=Canton")]);
    let turned = subject(&[(DnType::CommonName, "sync, +1"), canton]);
    for (name, wrong) in [("split", split), ("joined", joined), ("turned", turned)] {
        let wrong = stage.makes(name, &wrong);
        assert_eq!(stage.asks("named", Some(&wrong), &[]).0, 401, "{name}");
    }
}

/// The door for applications has nothing for people: no page, no cookie.
#[test]
fn no_page_is_behind_the_door_for_certificates() {
    let stage = Stage::new();
    let known = stage.makes("sync", &host("sync.example.ch"));
    for path in [
        "/",
        "/login",
        "/authorize",
        "/account",
        "/gate/check",
        "/static/furka.css",
    ] {
        assert_eq!(stage.curl(path, Some(&known), &[]).0, 404, "{path}");
    }
    assert_eq!(stage.curl("/userinfo", None, &[]).0, 401);
}
