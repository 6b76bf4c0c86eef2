//! CAS with a client that nobody here wrote: Apache's mod_auth_cas, configured by the snippet of
//! `docs/applications/cas.md`.

use std::{fs, os::unix::fs::PermissionsExt, process::Command};

use journey::Timestamp;
use server::{RealWorld, World};
use store::ResourceKind;
use tempfile::TempDir;
use testkit::memory::Canton;
use testkit::{Language, Role, Town};

use crate::{
    programs::{Curl, Program, SCHOOL, Serving, ZONE, free_port, snippet},
    registered::{changes, registers},
};

const PAGE: &str = include_str!("../../../../docs/applications/cas.md");

/// A canton whose clock shows what everybody's does.
pub(crate) fn canton_of_today() -> Canton {
    let canton = Canton::new(Language::French);
    let Timestamp(now) = World::now(&RealWorld);
    canton.toy().passes(now - canton.toy().now());
    changes(&canton, ResourceKind::Zones, |text| format!("{text}{ZONE}"));
    canton
}

struct Stage {
    canton: Canton,
    application: String,
    apache: Program,
    provider: Serving,
    _folder: TempDir,
}

/// An Apache whose pages below `/protected` need a sign-in. It answers with what it knows of a person.
fn stage(validate: &str, saml: &str) -> Stage {
    let canton = canton_of_today();
    let (port, apache_port) = (free_port(), free_port());
    let application = format!("http://127.0.0.1:{apache_port}");
    let registration = snippet(
        PAGE,
        "toml",
        &[("https://moodle.example.ch/", &format!("{application}/"))],
    );
    registers(&canton, &registration);
    let provider = Serving::start(&canton, port);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().to_string_lossy().into_owned();
    let protected = snippet(
        PAGE,
        "apache",
        &[
            ("https://id.example.ch", &provider.origin),
            ("/cas/p3/serviceValidate", validate),
            (
                "/var/cache/apache2/mod_auth_cas/",
                &format!("{path}/sessions/"),
            ),
        ],
    );
    fs::create_dir_all(folder.path().join("sessions")).unwrap();
    fs::create_dir_all(folder.path().join("pages/protected")).unwrap();
    fs::write(folder.path().join("pages/protected/page"), "the page").unwrap();
    let modules = [
        "mpm_event",
        "authn_core",
        "authz_core",
        "authz_user",
        "headers",
        "auth_cas",
    ];
    let modules: String = modules
        .iter()
        .map(|name| format!("LoadModule {name}_module modules/mod_{name}.so\n"))
        .collect();
    let repeated = ["displayName", "groups", "authnContextClass"];
    let repeated =
        repeated.map(|name| format!("Header set CAS-{name} expr=%{{HTTP:CAS-{name}}}\n"));
    let repeated = repeated.concat();
    let configuration = format!(
        "ServerRoot /usr/lib/apache2\nServerName 127.0.0.1\nPidFile {path}/pid\nErrorLog /dev/stderr\n\
         DefaultRuntimeDir {path}\nMutex file:{path}\nListen 127.0.0.1:{apache_port}\n{modules}\
         DocumentRoot {path}/pages\n{protected}\n{saml}\n\
         Header always set X-Remote-User expr=%{{REMOTE_USER}}\n{repeated}"
    );
    fs::write(folder.path().join("apache.conf"), configuration).unwrap();
    // Apache's children become another user if it is started by root.
    let all = fs::Permissions::from_mode(0o777);
    fs::set_permissions(folder.path(), all.clone()).unwrap();
    fs::set_permissions(folder.path().join("sessions"), all).unwrap();
    let apache = Program::start(
        Command::new("/usr/sbin/apache2").args([
            "-D",
            "FOREGROUND",
            "-f",
            &format!("{path}/apache.conf"),
        ]),
        folder.path(),
        apache_port,
    );
    Stage {
        canton,
        application,
        apache,
        provider,
        _folder: folder,
    }
}

/// Signs in, is known by name with accents, and is known no more after the sign-out.
#[test]
fn mod_auth_cas_signs_somebody_in_and_out() {
    for (validate, saml) in [
        ("/cas/p3/serviceValidate", ""),
        ("/cas/samlValidate", "CASValidateSAML On"),
    ] {
        let mut stage = stage(validate, saml);
        let person = {
            let town: &mut dyn Town = &mut stage.canton;
            town.somebody(Role::EnrolledApp)
        };
        let browser = Curl::new(SCHOOL);
        let page = format!("{}/protected/page?a=b%20c", stage.application);
        let sign_in = browser.opens(&page, &[]);
        assert!(
            sign_in.url.starts_with(&stage.provider.origin),
            "{}",
            sign_in.url
        );
        let typed = [
            ("username", person.username.as_str()),
            ("password", &person.password),
        ];
        let there = browser.fills(&sign_in, &typed);
        let log = stage.apache.said();
        assert_eq!(
            (there.status, there.body.trim()),
            (200, "the page"),
            "{log}"
        );
        let told = browser.sees_headers(&page);
        for part in [
            "X-Remote-User: chloe.zufferey",
            "CAS-displayName: Chloé Zufferey",
            "CAS-groups: teacher",
            "CAS-authnContextClass: https://refeds.org/profile/sfa",
        ] {
            assert!(told.contains(part), "{part} is not in {told}\n{log}");
        }
        let question = browser.opens(&format!("{}/cas/logout", stage.provider.origin), &[]);
        let out = browser.fills(&question, &[]);
        assert_eq!(out.status, 200, "{}", out.body);
        stage.provider.delivers();
        let again = browser.opens(&page, &[]);
        assert!(
            again.url.starts_with(&stage.provider.origin),
            "asked again: {}",
            again.url
        );
        assert!(again.body.contains("name=\"password\""));
    }
}
