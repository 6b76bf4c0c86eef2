//! `furka app test`: what a walk shows of each language, what it says of wrong set-ups, and that it leaves
//! nothing behind.

use std::{
    io::{Read, Write},
    net::TcpListener,
    thread,
};

use serde_json::Value;

use crate::{
    backups::{between, redeems_at, sends},
    installation::{Installation, text},
    serving::Serving,
};

const ZONES: &str = r#"
[[zone]]
id = "school-brig"
kind = "school"
name = { fr = "Brigue", de = "Brig", en = "Brig" }
networks = ["198.51.100.0/24"]
no_ipv6 = true
owner = "tests"
review_by = "2099-08-01"
second_factor = "not-asked"
enrolment = "refused"
"#;
/// Anna has a number, Beat has not.
const PEOPLE: &str = "\
username;first_name;last_name;mail;role;method;phone;password_hash
anna;Anna;Rey;anna@edu.example;teacher;sms;079 123 45 67;{SSHA}SihpeFmKOuOBoeMySj9UKVQOx8pzYWx0c2FsdA==
beat;Beat;Imhof;beat@edu.example;pupil;;;
";
const APPLICATIONS: &str = r#"
[[application]]
id = "portal"
name = { fr = "Portail", de = "Portal", en = "Portal" }
kind = "confidential"
redirect_uris = ["https://portal.example/callback"]
auth = "post"
secret_sha256 = "331ab04caa328927f706627b812f4139f9ec42a6d61f17e468a70c41a48d8f67"
scopes = ["openid", "profile"]
minimum = "strong"
trusted = true

[[application]]
id = "planner"
name = { fr = "Agenda", de = "Agenda", en = "Planner" }
kind = "public"
redirect_uris = ["https://planner.example/"]
auth = "none"
dpop_bound = true
scopes = ["openid", "email"]

[[saml]]
id = "ism"
name = { fr = "ISM", de = "ISM", en = "ISM" }
salt = "0123456789abcdef0123456789abcdef"
attributes = ["display_name", "affiliation"]
backchannel_logout = true
groups = ["teacher"]
metadata = '''
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://ism.example/sp?a=1&amp;b=2">
  <md:SPSSODescriptor AuthnRequestsSigned="SIGNED" protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:KeyDescriptor><ds:KeyInfo xmlns:ds="http://www.w3.org/2000/09/xmldsig#"><ds:X509Data><ds:X509Certificate>CERTIFICATE</ds:X509Certificate></ds:X509Data></ds:KeyInfo></md:KeyDescriptor>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-Redirect" Location="https://ism.example/slo"/>
    <md:SingleLogoutService Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://ism.example/slo"/>
    <md:AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://ism.example/acs"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
'''

[[cas]]
id = "moodle"
name = { fr = "Moodle", de = "Moodle", en = "Moodle" }
services = ["https://moodle.example/"]
attributes = ["display_name", "groups"]

[[gate]]
id = "wiki"
name = { fr = "Wiki", de = "Wiki", en = "Wiki" }
origins = ["https://wiki.example"]
headers = ["user", "name", "acr"]

[[gate.rule]]
path = "/admin/"
minimum = "strong"
groups = ["admin"]

[[gate.rule]]
path = "/"
"#;
/// An RSA key of 1024 bits, from the year 2019.
const OLD_AND_WEAK: &str = "\
MIIBiDCB8gIBATANBgkqhkiG9w0BAQsFADANMQswCQYDVQQDDAJzcDAeFw0xOTAxMDEwMDAwMDBaFw0yMDAxMDEwMDAwMDBaMA0x\
CzAJBgNVBAMMAnNwMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDNmpwE9IS3QKlb9HJdqntLnV4laBYCld58aN/W/E6oLNAJ\
JzAPZU94bD7i9Jq/9uIbeFdHa3viiIYM7+6K9lHZVGQjAigzsbiAGKQnUyUj5NhtQuhodebDEcbnlhiLNb62lmLGKo7eWTx2dMtP\
aoGeMntCgAuv0AeJOqd/pdrMPwIDAQABMA0GCSqGSIb3DQEBCwUAA4GBAGqffjFIdAvpj2tkJf48LOeX/8mfoXPcZnZEhFzMlepS\
6w4y23Mown4J/9CfAwfm09Z1bhxX+xFUlojMDndIlfaWac6MuXCBYnE0iOFj0btJ6qUrhWzy2QcwbwPOsush3EcKabOf3zA7yGGJ\
LXJ3lNt00BxCtU2+ak9Pg01UE1No";

/// An installation with a school, applications of all languages, and two people.
fn school(signed: bool) -> Installation {
    let here = Installation::new();
    here.write("resources/zones.toml", ZONES);
    let applications = APPLICATIONS
        .replace("SIGNED", &signed.to_string())
        .replace("CERTIFICATE", OLD_AND_WEAK);
    here.write("resources/applications.toml", applications);
    here.says(&["apply", "resources", "--yes"]);
    here.write("people.csv", PEOPLE);
    here.says(&["person", "import", "people.csv"]);
    here
}

/// What a walk showed, and how it ended.
struct Walk(Value, Option<i32>);

impl Walk {
    /// Anna's way to an application, with more words; somebody else's, if these say whose.
    fn of(here: &Installation, application: &str, more: &[&str]) -> Self {
        let words = ["app", "test", application, "--json"];
        let anna: &[&str] = match more.contains(&"--person") {
            true => &[],
            false => &["--person", "anna"],
        };
        let offline: &[&str] = match more.contains(&"--look") {
            true => &[],
            false => &["--offline"],
        };
        let more: Vec<&str> = more
            .iter()
            .copied()
            .filter(|word| *word != "--look")
            .collect();
        let done = here.run(&[&words[..], anna, offline, &more].concat());
        let said = text(&done.stdout);
        let document =
            serde_json::from_str(&said).unwrap_or_else(|_| panic!("{said}{}", text(&done.stderr)));
        Self(document, done.status.code())
    }

    /// The titles of all messages.
    fn titles(&self) -> Vec<&str> {
        let messages = list(&self.0, "messages").iter();
        messages.map(|one| word(one, "what")).collect()
    }

    /// The parts of a message that begins so.
    fn parts(&self, title: &str) -> &[Value] {
        let mut messages = list(&self.0, "messages").iter();
        let message = messages.find(|one| word(one, "what").starts_with(title));
        let message = message.unwrap_or_else(|| panic!("no `{title}` in {:#}", self.0));
        list(message, "parts")
    }

    /// A value in a message that begins so.
    fn value(&self, title: &str, name: &str) -> &str {
        let parts = self.parts(title);
        let part = parts.iter().find(|one| word(one, "name") == name);
        let part = part.unwrap_or_else(|| panic!("no `{name}` in {parts:#?}"));
        word(part, "value")
    }

    /// Every part of what goes to an application says where it comes from.
    fn explains(&self, title: &str) {
        for part in self.parts(title) {
            assert_ne!(word(part, "from"), "", "{part}");
        }
    }

    fn is_right(&self) {
        let right = self.0.get("right").and_then(Value::as_bool);
        assert_eq!((right, self.1), (Some(true), Some(0)), "{:#}", self.0);
    }

    /// It ends with 1, and says this with a cure, by this standard.
    fn says_wrong(&self, sentence: &str, standard: &str) {
        assert_eq!(self.1, Some(1), "{:#}", self.0);
        let mut found = list(&self.0, "findings").iter();
        let found = found.find(|one| word(one, "what").contains(sentence));
        let found = found.unwrap_or_else(|| panic!("not `{sentence}` in {:#}", self.0));
        assert_eq!(word(found, "weight"), "wrong", "{found}");
        assert_eq!(word(found, "standard"), standard, "{found}");
        assert_ne!(word(found, "cure"), "", "{found}");
    }
}

fn list<'v>(value: &'v Value, name: &str) -> &'v [Value] {
    value.get(name).and_then(Value::as_array).unwrap()
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    value.get(name).and_then(Value::as_str).unwrap()
}

#[test]
fn openid_connect_is_walked_from_the_request_to_the_claims() {
    let here = school(true);
    let walk = Walk::of(&here, "portal", &[]);
    walk.is_right();
    let expected = [
        "GET /authorize",
        "sign-in, from a public network",
        "back to https://portal.example/callback",
        "POST /token",
        "200 with JSON",
        "the ID token, decoded",
        "GET /userinfo: 200",
    ];
    assert_eq!(walk.titles(), expected);
    assert_eq!(walk.value("the ID token", "name"), "\"Anna Rey\"");
    assert_eq!(
        walk.value("the ID token", "acr"),
        "\"https://refeds.org/profile/mfa\""
    );
    assert_eq!(walk.value("GET /userinfo", "given_name"), "\"Anna\"");
    walk.explains("the ID token");
    walk.explains("GET /userinfo");
    // Somebody in the browser, from a school, for less; they are asked for their consent.
    let inside = Walk::of(
        &here,
        "planner",
        &["--place", "school-brig", "--scope", "openid"],
    );
    inside.is_right();
    assert_eq!(
        inside.value("the ID token", "acr"),
        "\"https://refeds.org/profile/sfa\""
    );
    assert_eq!(
        inside.value("sign-in", "allows"),
        "what the application asks to know"
    );
}

#[test]
fn saml_is_walked_from_the_request_to_the_attributes() {
    let here = school(true);
    let walk = Walk::of(&here, "ism", &[]);
    let expected = [
        "AuthnRequest, by HTTP-Redirect",
        "sign-in, from a public network",
        "Response, by HTTP-POST to https://ism.example/acs",
        "the assertion",
    ];
    assert_eq!(walk.titles(), expected);
    assert_eq!(
        walk.value("AuthnRequest", "Issuer"),
        "https://ism.example/sp?a=1&b=2"
    );
    let signed = "RSA-SHA256, on the response and on the assertion";
    assert_eq!(walk.value("Response", "Signature"), signed);
    assert_eq!(
        walk.value("the assertion", "Audience"),
        "https://ism.example/sp?a=1&b=2"
    );
    let name = "displayName (urn:oid:2.16.840.1.113730.3.1.241)";
    assert_eq!(walk.value("the assertion", name), "Anna Rey");
    let affiliation = "eduPersonAffiliation (urn:oid:1.3.6.1.4.1.5923.1.1.1.1)";
    assert_eq!(
        walk.value("the assertion", affiliation),
        "employee, faculty, member"
    );
    walk.explains("the assertion");
}

#[test]
fn cas_is_walked_from_the_service_to_the_explained_ticket() {
    let here = school(true);
    let url = "https://moodle.example/login/index.php?a=1&b=2";
    let walk = Walk::of(&here, "moodle", &["--url", url]);
    walk.is_right();
    let expected = [
        "GET /cas/login",
        "sign-in, from a public network",
        "GET https://moodle.example/login/index.php",
        "GET /cas/p3/serviceValidate",
        "200 with XML",
    ];
    assert_eq!(walk.titles(), expected);
    assert_eq!(walk.value("200 with XML", "cas:user"), "anna");
    assert_eq!(walk.value("200 with XML", "cas:groups"), "teacher");
    walk.explains("200 with XML");
}

#[test]
fn the_gate_is_walked_from_the_proxys_question_to_the_headers() {
    let here = school(true);
    let proxied = "trusted_proxies = [\"127.0.0.1/32\"]\nforwarding = \"x-forwarded-for\"\n";
    let config = std::fs::read_to_string(here.path("furka.toml")).unwrap();
    here.write("furka.toml", format!("{proxied}{config}"));
    let walk = Walk::of(
        &here,
        "wiki",
        &["--url", "https://wiki.example/pages/1?b=c"],
    );
    walk.is_right();
    let expected = [
        "GET /gate/check",
        "303: sign in first",
        "sign-in, from a public network",
        "GET https://wiki.example/pages/1?b=c",
        "GET /gate/check",
        "200: they pass, with these headers",
    ];
    assert_eq!(walk.titles(), expected);
    assert_eq!(walk.value("200", "remote-user"), "anna");
    assert_eq!(walk.value("200", "remote-groups"), "");
    walk.explains("200");
    let admin = Walk::of(&here, "wiki", &["--url", "https://wiki.example/admin/"]);
    admin.says_wrong("lets in admin only", "");
    admin.says_wrong("do not pass", "");
}

/// The page, the application and the standard are named; nobody is sent to an address that is not registered.
#[test]
fn a_redirect_address_that_is_not_registered_is_found() {
    let here = school(true);
    let walk = Walk::of(
        &here,
        "portal",
        &["--url", "https://portal.example/callback/"],
    );
    walk.says_wrong(
        "differs from the registered `https://portal.example/callback` at character 32",
        "",
    );
    walk.says_wrong("the application is told nothing", "RFC 6749 \u{a7}4.1.2.1");
    let titles = walk.titles();
    assert!(
        titles.iter().any(|title| title.starts_with("a page (400)")),
        "{titles:?}"
    );
    assert!(!titles.contains(&"POST /token"));
}

#[test]
fn a_scope_that_may_not_be_asked_for_is_found() {
    let here = school(true);
    let walk = Walk::of(&here, "portal", &["--scope", "openid groups"]);
    walk.says_wrong(
        "the application gets `invalid_scope`",
        "OIDC Core \u{a7}3.1.2.6",
    );
    assert_eq!(walk.value("back to", "error"), "invalid_scope");
}

#[test]
fn an_old_and_weak_certificate_and_requests_that_nobody_signs_are_found() {
    let here = school(false);
    let path = here.path("resources/applications.toml");
    let file = std::fs::read_to_string(path).unwrap();
    let ended =
        "entityID=\"https://ism.example/sp?a=1&amp;b=2\" validUntil=\"2021-01-01T00:00:00Z\"";
    let file = file
        .replace(
            "groups = [\"teacher\"]\n",
            "groups = [\"teacher\"]\nsigned_requests = true\n",
        )
        .replace("entityID=\"https://ism.example/sp?a=1&amp;b=2\"", ended);
    here.write("resources/applications.toml", file);
    here.says(&["apply", "resources", "--yes"]);
    let walk = Walk::of(&here, "ism", &[]);
    walk.says_wrong(
        "the metadata ended on 2021-01-01",
        "SAML Metadata \u{a7}2.3.2",
    );
    walk.says_wrong("ended on 2020-01-01", "RFC 5280 \u{a7}4.1.2.5");
    walk.says_wrong("an RSA key of 1024 bits", "NIST SP 800-131A \u{a7}3");
    walk.says_wrong(
        "`signed_requests` wants signed requests",
        "SAML Metadata \u{a7}2.4.4",
    );
    walk.says_wrong(
        "the application is told nothing",
        "SAML Profiles \u{a7}4.1.4.1",
    );
}

#[test]
fn a_service_that_nobody_registered_is_found() {
    let here = school(true);
    let walk = Walk::of(&here, "moodle", &["--url", "https://moodle.example.org/"]);
    walk.says_wrong("is not below one of its `services`", "CAS \u{a7}2.2.1");
    walk.says_wrong("the application gets no ticket", "CAS \u{a7}2.2.4");
}

#[test]
fn a_gate_without_a_proxy_is_found() {
    let here = school(true);
    let walk = Walk::of(&here, "wiki", &["--url", "https://wiki.example/"]);
    walk.says_wrong("no proxy is believed", "");
    let elsewhere = Walk::of(&here, "wiki", &["--url", "https://wiki.example.org/"]);
    elsewhere.says_wrong("is none of its `origins`", "");
}

/// Whoever holds a token proves with one of the rehearsal: their own counter stays where it is.
#[test]
fn somebody_with_a_token_is_walked_with_another_one() {
    let here = school(true);
    let seed = "3132333435363738393031323334353637383930";
    here.write(
        "tokens.csv",
        format!("serial,seed,type,digits,counter\nH-1,{seed},HOTP,6,0\n"),
    );
    here.says(&["token", "import", "tokens.csv"]);
    let clara = "username;first_name;last_name;mail;role;method;token_serial;password_hash\n\
        clara;Clara;Bonvin;clara@edu.example;teacher;token;H-1;{SSHA}SihpeFmKOuOBoeMySj9UKVQOx8pzYWx0c2FsdA==\n";
    here.write("clara.csv", clara);
    here.says(&["person", "import", "clara.csv"]);
    let before = here.says(&["person", "show", "clara"]);
    let walk = Walk::of(&here, "portal", &["--person", "clara"]);
    walk.is_right();
    assert!(
        walk.0.to_string().contains("the code of their token"),
        "{:#}",
        walk.0
    );
    assert_eq!(
        walk.value("the ID token", "amr"),
        "[\"pwd\",\"otp\",\"mfa\"]"
    );
    assert_eq!(here.says(&["person", "show", "clara"]), before);
}

/// Beat has not activated his account; Anna is switched off.
#[test]
fn somebody_who_cannot_sign_in_is_found() {
    let here = school(true);
    let beat = Walk::of(&here, "planner", &["--person", "beat"]);
    beat.says_wrong("beat has not activated their account", "");
    let beat = Walk::of(&here, "ism", &["--person", "beat"]);
    beat.says_wrong("its `groups` let in teacher only", "");
    beat.says_wrong(
        "the application gets no assertion",
        "SAML Core \u{a7}3.2.2.2",
    );
    here.says(&["person", "disable", "anna"]);
    let walk = Walk::of(&here, "portal", &[]);
    walk.says_wrong("anna is switched off", "");
    assert!(!walk.titles().contains(&"POST /token"));
}

/// The address is looked at without a word about anybody, and the other side's clock is read.
#[test]
fn an_application_whose_clock_is_wrong_is_found() {
    let here = school(true);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = thread::spawn(move || {
        let (mut socket, _) = listener.accept().unwrap();
        let (mut head, mut byte) = (Vec::new(), [0]);
        while !head.ends_with(b"\r\n\r\n") && socket.read(&mut byte).unwrap() > 0 {
            head.push(byte[0]);
        }
        let answer = "HTTP/1.1 405 Method Not Allowed\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nContent-Length: 0\r\n\r\n";
        socket.write_all(answer.as_bytes()).unwrap();
        String::from_utf8(head).unwrap()
    });
    let add = [
        "app",
        "add",
        "oidc",
        "here",
        "--trusted",
        "--yes",
        "--redirect-uri",
    ];
    let uri = format!("http://{address}/callback");
    here.says(&[&add[..], &[&uri]].concat());
    let walk = Walk::of(&here, "here", &["--look"]);
    walk.says_wrong("away from this machine's", "OIDC Core \u{a7}3.1.3.7");
    let asked = asked.join().unwrap();
    assert!(asked.starts_with("HEAD /callback HTTP/1.1\r\n"), "{asked}");
    assert!(!asked.contains("anna"), "{asked}");
    // Nobody is there any more: that is no fault of the application.
    let gone = Walk::of(&here, "here", &["--look"]);
    gone.is_right();
    assert!(
        gone.0.to_string().contains("nobody answers at"),
        "{:#}",
        gone.0
    );
}

/// No session, no device, no used factor, no key: the audit says who was walked for, and nothing else
/// changed.
#[test]
fn a_walk_leaves_nothing_but_a_line_in_the_audit() {
    let here = school(true);
    let before = here.says(&["person", "show", "anna"]);
    let entries_before = entries(&here);
    let walk = Walk::of(&here, "portal", &[]);
    assert_eq!(here.says(&["person", "show", "anna"]), before);
    assert_eq!(entries(&here), entries_before + 1);
    let serving = Serving::start(&here);
    let keys = sends(&serving, "/jwks", "", None);
    assert!(keys.contains("\"kid\""), "{keys}");
    assert!(!keys.contains(walk.value("the ID token", "header kid")));
    // The walk shows no code; one in its form is not one of this provider.
    let answer = redeems_at(&serving.listen, "AAAA");
    assert!(
        answer.contains("invalid_grant"),
        "{}",
        between(&answer, "HTTP/1.1 ", "\r")
    );
    serving.stops();
}

/// How long the audit is.
fn entries(here: &Installation) -> u32 {
    let said = here.says(&["audit", "verify"]);
    let mut words = said.split_whitespace();
    words
        .find_map(|word| word.parse().ok())
        .unwrap_or_else(|| panic!("no number in {said}"))
}
