//! A federation whose document another program signs: its members come, and go when they leave it.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::sync::{Arc, Mutex};

use tempfile::TempDir;
use testkit::memory::Canton;

use super::process::cure;
use super::refused::{asks, metadata};
use super::shibboleth::own_key;
use super::{SALT, canton, registered};
use crate::registered::registers;

const TEMPLATE: &str = r##"<ds:Signature xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:SignedInfo><ds:CanonicalizationMethod Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/><ds:SignatureMethod Algorithm="http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"/><ds:Reference URI="#_all"><ds:Transforms><ds:Transform Algorithm="http://www.w3.org/2000/09/xmldsig#enveloped-signature"/><ds:Transform Algorithm="http://www.w3.org/2001/10/xml-exc-c14n#"/></ds:Transforms><ds:DigestMethod Algorithm="http://www.w3.org/2001/04/xmlenc#sha256"/><ds:DigestValue/></ds:Reference></ds:SignedInfo><ds:SignatureValue/><ds:KeyInfo><ds:X509Data/></ds:KeyInfo></ds:Signature>"##;

/// A federation that a technician may trust: it signs with a key of its own, and answers every GET.
struct Federation {
    folder: TempDir,
    url: String,
    says: Arc<Mutex<Vec<u8>>>,
}

impl Federation {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        own_key(folder.path());
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/all.xml", listener.local_addr().unwrap());
        let says = Arc::new(Mutex::new(Vec::new()));
        let said = Arc::clone(&says);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _length = stream.read(&mut [0; 4096]).unwrap();
                let head = b"HTTP/1.1 200 OK\r\nconnection: close\r\n\r\n";
                let answer = [head.as_slice(), said.lock().unwrap().as_slice()].concat();
                let _told = stream.write_all(&answer);
            }
        });
        Self { folder, url, says }
    }

    /// Says from now on that these are its members, until so many seconds from now.
    fn publishes(&self, canton: &Canton, members: &str, seconds: i64) {
        let until = jiff::Timestamp::from_second(canton.toy().now() + seconds).unwrap();
        let text = format!(
            r#"<md:EntitiesDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" ID="_all" validUntil="{until}">{TEMPLATE}{members}</md:EntitiesDescriptor>"#
        );
        *self.says.lock().unwrap() = self.signed(&text);
    }

    fn signed(&self, text: &str) -> Vec<u8> {
        let path = |name: &str| self.folder.path().join(name).display().to_string();
        std::fs::write(path("all.xml"), text).unwrap();
        let program = "/usr/bin/xmlsec1";
        assert!(
            Path::new(program).exists(),
            "{program} is missing: {}",
            cure()
        );
        let signed = Command::new(program)
            .args([
                "--sign",
                "--id-attr:ID",
                "urn:oasis:names:tc:SAML:2.0:metadata:EntitiesDescriptor",
            ])
            .args([
                "--privkey-pem",
                &format!("{},{}", path("sp.key"), path("sp.crt")),
            ])
            .arg(path("all.xml"))
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&signed.stderr).into_owned();
        assert!(signed.status.success(), "{said}");
        signed.stdout
    }

    /// Trusted, with further lines.
    fn is_trusted(&self, canton: &Canton, more: &str) {
        let certificate = std::fs::read_to_string(self.folder.path().join("sp.crt")).unwrap();
        registers(
            canton,
            &format!(
                "\n[[federation]]\nid = \"eduid\"\nurl = \"{}\"\nsalt = \"{SALT}\"\n\
                 entities = [\"https://app.example/\"]\n{more}\ncertificates = '''\n{certificate}'''\n",
                self.url
            ),
        );
    }
}

/// Has the federation looked at once; whether it was believed.
fn looks(canton: &Canton) -> bool {
    let believed = canton.waits_for(canton.provider().refresh_federations());
    canton.waits_for(canton.provider().reload()).unwrap();
    believed == 1
}

/// Whether the member's requests are taken.
fn is_known(canton: &mut Canton, request: &str) -> bool {
    asks(canton, request, "").status == 303
}

#[test]
fn a_member_comes_with_the_federation_and_goes_when_it_leaves() {
    let mut canton = canton();
    let federation = Federation::new();
    federation.publishes(&canton, &metadata(), 86_400);
    federation.is_trusted(&canton, "");
    assert!(!is_known(&mut canton, "_a"), "nothing was fetched yet");
    assert!(looks(&canton));
    assert!(is_known(&mut canton, "_b"));
    federation.publishes(&canton, "", 86_400);
    assert!(looks(&canton));
    assert!(!is_known(&mut canton, "_c"));
}

/// What a federation said counts until its end, whatever comes from there meanwhile, and not longer.
#[test]
fn a_federation_that_is_away_is_believed_until_the_end_of_what_it_said() {
    let mut canton = canton();
    let federation = Federation::new();
    federation.publishes(&canton, &metadata(), 3600);
    federation.is_trusted(&canton, "");
    assert!(looks(&canton));
    for nonsense in ["", "<html>Service unavailable</html>"] {
        *federation.says.lock().unwrap() = nonsense.as_bytes().to_vec();
        assert!(!looks(&canton));
        assert!(is_known(&mut canton, &format!("_{}", nonsense.len())));
    }
    canton.toy().passes(3600);
    assert!(!is_known(&mut canton, "_late"));
}

/// [X05] A key that was not pinned makes nobody a member, and one that is pinned no more does not either.
#[test]
fn another_key_makes_nobody_a_member() {
    let mut canton = canton();
    let (federation, other) = (Federation::new(), Federation::new());
    federation.publishes(&canton, &metadata(), 3600);
    federation.is_trusted(&canton, "");
    other.publishes(&canton, &metadata(), 3600);
    let theirs = other.says.lock().unwrap().clone();
    let ours = std::mem::replace(&mut *federation.says.lock().unwrap(), theirs.clone());
    assert!(!looks(&canton) && !is_known(&mut canton, "_a"));
    *federation.says.lock().unwrap() = ours;
    assert!(looks(&canton) && is_known(&mut canton, "_b"));
    // The key is replaced: what the old one signed goes with it.
    let pem = |of: &Federation| std::fs::read_to_string(of.folder.path().join("sp.crt")).unwrap();
    let (old, new) = (pem(&federation), pem(&other));
    crate::registered::changes(&canton, store::ResourceKind::Applications, |text| {
        text.replace(&old, &new)
    });
    assert!(!is_known(&mut canton, "_c"));
    *federation.says.lock().unwrap() = theirs;
    assert!(looks(&canton) && is_known(&mut canton, "_d"));
}

/// What a technician registered by hand is not changed by what a federation says of it.
#[test]
fn an_application_that_is_switched_off_by_hand_is_no_member() {
    let mut canton = canton();
    let federation = Federation::new();
    federation.publishes(&canton, &metadata(), 3600);
    federation.is_trusted(&canton, "");
    assert!(looks(&canton) && is_known(&mut canton, "_a"));
    registered(&canton, "app", &metadata(), "enabled = false\n");
    assert!(!is_known(&mut canton, "_b"));
}
