//! What applications are told, what their own side is told, and what becomes of a secret.

use std::{fs, os::unix::fs::PermissionsExt};

use aws_lc_rs::digest::{SHA256, digest};
use data_encoding::{BASE64URL_NOPAD, HEXLOWER};
use serde_json::{Map, Value};

use crate::{
    backups::{APPLICATIONS, AUTHORIZE, between, cookie, furnish, redeems, sends},
    installation::Installation,
    serving::Serving,
};

/// [P02] A secret that is made is shown once; what is kept is its digest.
#[test]
fn a_new_secret_is_shown_once_and_kept_nowhere() {
    let furka = Installation::new();
    let add = ["app", "add", "oidc", "portal", "--trusted"];
    let uri = ["--redirect-uri", "https://portal.example.ch/callback"];
    let planned = furka.run(&[&add[..], &uri].concat());
    assert_eq!(planned.status.code(), Some(2));
    assert!(
        !String::from_utf8(planned.stdout)
            .unwrap()
            .contains("client_secret ")
    );
    let said = furka.says(&[&add[..], &uri, &["--yes"]].concat());
    let secrets: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_prefix("client_secret "))
        .map(str::trim)
        .collect();
    let [secret] = secrets[..] else {
        panic!("not one secret: {said}");
    };
    assert_eq!(secret.len(), 43);
    assert_eq!(said.matches(secret).count(), 1, "{said}");
    let kept = HEXLOWER.encode(digest(&SHA256, secret.as_bytes()).as_ref());
    let file = fs::read_to_string(furka.path("resources/applications.toml")).unwrap();
    assert!(file.contains(&kept) && !file.contains(secret), "{file}");
    for entry in fs::read_dir(furka.dir()).unwrap() {
        let path = entry.unwrap().path();
        if path.is_file() {
            let bytes = fs::read(&path).unwrap();
            let holds = bytes.windows(43).any(|part| part == secret.as_bytes());
            assert!(!holds, "{} holds the secret", path.display());
        }
    }
}

/// [P02] [C08] A secret that makes codes is kept in a file that only its owner reads, is shown once, and goes again if
/// nothing is applied; no document and no plan has it.
#[test]
fn a_secret_that_makes_codes_is_kept_in_a_file_and_nowhere_else() {
    let furka = Installation::new();
    let file = furka.path("portal.secret");
    let path = file.to_str().unwrap();
    let uri = ["--redirect-uri", "https://portal.example.ch/callback"];
    let add = |more: &[&'static str]| {
        let words = ["app", "add", "oidc", "portal", "--trusted"];
        let words = [&words[..], &uri, &["--auth", "secret_jwt"]].concat();
        [words, more.to_vec()].concat()
    };
    let without = furka.run(&add(&["--yes"]));
    assert!(!without.status.success());
    let kept = [&add(&[])[..], &["--secret-file", path]].concat();
    assert_eq!(furka.run(&kept).status.code(), Some(2), "a plan");
    assert!(!file.exists(), "it goes with the plan");
    let said = furka.says(&[&kept[..], &["--yes", "--for", "mod_auth_openidc"]].concat());
    let secret = fs::read_to_string(&file).unwrap();
    let secret = secret.trim_end();
    assert_eq!(secret.len(), 86);
    assert_eq!(
        fs::metadata(&file).unwrap().permissions().mode() & 0o777,
        0o600
    );
    assert_eq!(said.matches(secret).count(), 1, "{said}");
    for line in [
        "OIDCProviderTokenEndpointAuth client_secret_jwt",
        "keeps the secret; copy it to all nodes",
    ] {
        assert!(said.contains(line), "{said}");
    }
    let resources = furka.path("resources/applications.toml");
    let text = fs::read_to_string(&resources).unwrap();
    assert!(text.contains(&format!("secret = \"{{file:{path}}}\"")) && !text.contains(secret));
    furka.says(&["export", "exported"]);
    let exported = fs::read_to_string(furka.path("exported/applications.toml")).unwrap();
    assert!(!exported.contains(secret));
    // Nothing is written over.
    let again = furka.run(&[&kept[..], &["--yes"]].concat());
    assert!(!again.status.success());
    assert_eq!(fs::read_to_string(&file).unwrap().trim_end(), secret);
    // Of other secrets a digest is enough.
    let other = [
        "app",
        "add",
        "oidc",
        "other",
        "--secret-file",
        "other.secret",
    ];
    let other = furka.run(&[&other[..], &uri].concat());
    let said = String::from_utf8(other.stderr).unwrap();
    assert!(said.contains("only a digest is kept"), "{said}");
    assert!(!furka.path("other.secret").exists());
}

/// [C08] A secret that is too short is refused before anything changes, one that is not there is a note, because it may
/// be on the nodes; and `furka check` says both.
#[test]
fn a_secret_that_cannot_be_used_is_said_before_anybody_is_refused() {
    let furka = Installation::new();
    let file = furka.path("portal.secret");
    let path = file.to_str().unwrap();
    let uri = ["--redirect-uri", "https://portal.example.ch/callback"];
    furka.says(&[&["app", "add", "oidc", "portal", "--yes"][..], &uri].concat());
    let resources = furka.path("resources/applications.toml");
    let digested = fs::read_to_string(&resources).unwrap();
    let line = |begins: &str| {
        let mut lines = digested.lines();
        lines
            .find(|line| line.starts_with(begins))
            .unwrap()
            .to_owned()
    };
    let with = |secret: &str| {
        let text = digested.replace(&line("auth"), "auth = \"secret_jwt\"");
        let text = text.replace(&line("secret_sha256"), &format!("secret = \"{secret}\""));
        fs::write(&resources, text).unwrap();
        let applied = furka.run(&["apply", "resources", "--yes"]);
        let (out, err) = (applied.stdout, applied.stderr);
        let said = [out, err].concat();
        (applied.status.success(), String::from_utf8(said).unwrap())
    };
    let in_the_clear = "c29tZWJvZHkgZWxzZSdzIG9wZW5pZCBjbGllbnQgbGli";
    let (applied, said) = with(in_the_clear);
    assert!(
        !applied && said.contains("say") && !said.contains(in_the_clear),
        "{said}"
    );
    let kept = format!("{{file:{path}}}");
    fs::write(&file, "short").unwrap();
    let (applied, said) = with(&kept);
    assert!(
        !applied && said.contains("`openssl rand -hex 32`"),
        "{said}"
    );
    assert!(said.contains("nothing was changed") && !said.contains("short\n"));
    fs::remove_file(&file).unwrap();
    let (applied, said) = with(&kept);
    assert!(
        applied && said.contains("note: application `portal`"),
        "{said}"
    );
    let checks = || String::from_utf8(furka.run(&["check"]).stdout).unwrap();
    let said = checks();
    assert!(
        said.contains("PROBLEM") && said.contains("application `portal` cannot prove"),
        "{said}"
    );
    fs::write(&file, "0123456789abcdef0123456789abcdef\n").unwrap();
    assert!(!checks().contains("application `portal`"));
}

/// [C19] A salt is drawn, and another application of the same host must know people by the same names.
#[test]
fn applications_of_one_host_know_people_by_the_same_names() {
    let furka = Installation::new();
    let add = |id, uri| {
        let registered = ["app", "add", "oidc", id, "--trusted", "--pairwise", "--yes"];
        [&registered[..], &["--redirect-uri", uri]].concat()
    };
    furka.says(&add("one", "https://a.example.ch/callback"));
    let refused = furka.run(&add("two", "https://a.example.ch/elsewhere"));
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success(), "{said}");
    assert!(
        said.contains("the applications of the sector `a.example.ch` have different salts"),
        "{said}"
    );
    furka.says(&add("two", "https://b.example.ch/callback"));
    let mut hosts = add("three", "https://c.example.ch/callback");
    hosts.extend(["--redirect-uri", "https://d.example.ch/callback"]);
    let refused = furka.run(&hosts);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(said.contains("`sector = "), "{said}");
    hosts.extend(["--sector", "https://c.example.ch/"]);
    furka.says(&hosts);
}

/// [C14] What contradicts a profile is refused before it is used, with everything that is wrong.
#[test]
fn a_registration_that_contradicts_its_profile_is_refused() {
    let furka = Installation::new();
    let uri = ["--redirect-uri", "http://localhost:8500/callback"];
    furka.says(&[&["app", "add", "oidc", "bank", "--yes"][..], &uri].concat());
    let file = furka.path("resources/applications.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}profile = \"fapi2\"\n")).unwrap();
    let refused = furka.run(&["apply", "resources", "--yes"]);
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(!refused.status.success(), "{said}");
    for wrong in [
        "`auth` must be \"private_key_jwt\", \"tls_client_auth\" or \"self_signed_tls_client_auth\"",
        "`redirect_uris` must begin with `https://`",
    ] {
        assert!(said.contains(wrong), "{said}");
    }
}

/// The blocks of the documentation come with the words of this installation.
#[test]
fn the_other_side_is_told_in_its_own_words() {
    let furka = Installation::new();
    furka.write("ism.xml", METADATA);
    let oidc = "oidc portal --redirect-uri https://www.school.ch/office/redirect";
    let gate = "gate wiki --host wiki.school.ch";
    let cases = [
        (
            format!("{oidc} --for mod_auth_openidc"),
            ["OIDCClientID portal", "<Location /office>"],
        ),
        (
            "oidc planner --public --redirect-uri https://www.school.ch/callback --for oidc-client-ts"
                .to_owned(),
            [
                "authority: 'http://localhost:8400'",
                "redirect_uri: 'https://www.school.ch/callback'",
            ],
        ),
        (
            "cas moodle --service https://moodle.school.ch/ --for mod_auth_cas".to_owned(),
            [
                "CASLoginURL http://localhost:8400/cas/login",
                "CASValidateURL",
            ],
        ),
        (
            format!("{gate} --for nginx"),
            [
                "auth_request /.furka/check;",
                "http://localhost:8400/gate/auth-request",
            ],
        ),
        (
            format!("{gate}2 --for caddy").replace("wiki ", "wiki2 "),
            [
                "forward_auth http://localhost:8400",
                "copy_headers Remote-User",
            ],
        ),
        (
            format!("{gate}3 --for traefik").replace("wiki ", "wiki3 "),
            [
                "Host(`wiki.school.ch3`)",
                "http://localhost:8400/gate/check",
            ],
        ),
        (
            "saml ism --metadata ism.xml --for shibboleth".to_owned(),
            [
                "entityID=\"https://ism.school.ch/sp\"",
                "http://localhost:8400/saml/metadata",
            ],
        ),
    ];
    for (words, expected) in cases {
        let mut arguments = vec!["app", "add"];
        arguments.extend(words.split(' '));
        arguments.push("--yes");
        let said = furka.says(&arguments);
        for text in expected {
            assert!(said.contains(text), "`{text}` is not in {said}");
        }
        for foreign in ["id.example.ch", "the-secret", "forty-random"] {
            assert!(!said.contains(foreign), "`{foreign}` is in {said}");
        }
    }
}

const METADATA: &str = r#"
<md:EntityDescriptor xmlns:md="urn:oasis:names:tc:SAML:2.0:metadata" entityID="https://ism.school.ch/sp">
  <md:SPSSODescriptor protocolSupportEnumeration="urn:oasis:names:tc:SAML:2.0:protocol">
    <md:AssertionConsumerService index="1" Binding="urn:oasis:names:tc:SAML:2.0:bindings:HTTP-POST" Location="https://ism.school.ch/acs"/>
  </md:SPSSODescriptor>
</md:EntityDescriptor>
"#;

/// The explanation and a real ID token: the same claims, with the same values where these are not new
/// at every sign-in.
#[test]
fn what_is_explained_is_what_is_sent() {
    let here = Installation::new();
    furnish(&here);
    let more = "scopes = [\"openid\", \"profile\", \"email\", \"phone\"]";
    let applications = APPLICATIONS.replace("scopes = [\"openid\"]", more);
    here.write("resources/applications.toml", applications);
    here.says(&["apply", "resources", "--yes"]);
    let serving = Serving::start(&here);
    for scope in ["openid", "openid phone", "openid profile email phone"] {
        let sent = id_token(&serving, scope);
        let said = here.says(&["app", "explain", "portal", "anna", "--scope", scope]);
        assert!(!said.contains("nothing is sent"), "{said}");
        let table = between(&said, "\nID token ", "\n\n");
        let mut explained = Map::new();
        for line in table.lines().skip(1) {
            let (name, rest) = line.split_once(' ').unwrap();
            let value = rest.trim_start().split("  ").next().unwrap();
            let value = serde_json::from_str(value).unwrap_or_else(|_| sent[name].clone());
            explained.insert(name.to_owned(), value);
        }
        assert_eq!(Value::Object(explained), sent, "{said}");
    }
    serving.stops();
}

/// Anna signs in at school for a scope: the claims of the ID token.
fn id_token(serving: &Serving, scope: &str) -> Value {
    let scope = format!("scope={}&", scope.replace(' ', "+"));
    let page = sends(
        serving,
        &AUTHORIZE.replace("scope=openid&", &scope),
        "",
        None,
    );
    let ticket = between(&page, "name=\"ticket\" value=\"", "\"");
    let form = format!("ticket={ticket}&username=anna&password=Correct-Horse-7");
    let browser = cookie(&page, "furka-browser");
    let answer = sends(serving, "/login", &browser, Some(&form));
    let answer = redeems(serving, between(&answer, "callback?code=", "&"));
    let token = between(&answer, "\"id_token\":\"", "\"");
    let claims = token.split('.').nth(1).unwrap();
    serde_json::from_slice(&BASE64URL_NOPAD.decode(claims.as_bytes()).unwrap()).unwrap()
}
