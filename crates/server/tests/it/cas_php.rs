//! CAS proxies with a client that nobody here wrote: phpCAS, at the portal that acts and at the mail where it acts.

use std::{fs, process::Command};

use tempfile::TempDir;
use testkit::memory::Canton;
use testkit::{Role, Town};

use crate::{
    cas_client::canton_of_today,
    programs::{Curl, Program, SCHOOL, Serving, free_port},
    registered::registers,
};

/// The portal shows what the mail says, and is called back at `callback.php`.
const PORTAL: &str = r#"<?php
require_once '/usr/share/php/CAS/source/CAS.php';
// phpCAS takes what it is given only where it believes in TLS, as behind a proxy that ends it.
if (basename($_SERVER['SCRIPT_NAME']) === 'callback.php') $_SERVER['HTTPS'] = 'on';
$client = new CAS_Client(CAS_VERSION_3_0, true, 'localhost', 443, '/cas', getenv('PORTAL'));
$client->setBaseURL(getenv('PROVIDER') . '/cas/');
phpCAS::setCasClient($client);
phpCAS::setVerbose(true);
phpCAS::setNoCasServerValidation();
phpCAS::setPGTStorageFile(getenv('FOLDER'));
phpCAS::setFixedCallbackURL(getenv('PORTAL') . '/callback.php?a=1');
phpCAS::forceAuthentication();
phpCAS::serviceWeb(getenv('MAIL') . '/mail.php', $code, $said);
echo 'portal for ', phpCAS::getUser(), ': ', $code, ' ', $said;
"#;

/// The mail lets the portal in, and nobody else.
const MAIL: &str = r#"<?php
require_once '/usr/share/php/CAS/source/CAS.php';
$client = new CAS_Client(CAS_VERSION_3_0, false, 'localhost', 443, '/cas', getenv('MAIL'));
$client->setBaseURL(getenv('PROVIDER') . '/cas/');
phpCAS::setCasClient($client);
phpCAS::setVerbose(true);
phpCAS::setNoCasServerValidation();
phpCAS::allowProxyChain(new CAS_ProxyChain([getenv('PORTAL')]));
phpCAS::forceAuthentication();
echo 'mail for ', phpCAS::getUser(), ' in ', implode(',', (array) phpCAS::getAttribute('groups'));
"#;

struct Stage {
    canton: Canton,
    php: Vec<Program>,
    portal: String,
    provider: Serving,
    _folders: [TempDir; 2],
}

fn registered(id: &str, address: &str, more: &str) -> String {
    format!(
        "[[cas]]\nid = \"{id}\"\nname = {{ fr = \"{id}\", de = \"{id}\", en = \"{id}\" }}\n\
         services = [\"{address}/\"]\n{more}\n"
    )
}

fn stage() -> Stage {
    let canton = canton_of_today();
    let ports = [free_port(), free_port()];
    let [portal, mail] = ports.map(|port| format!("http://localhost:{port}"));
    let acts = format!("proxy = true\nproxy_callbacks = [\"{portal}/callback.php?a=1\"]");
    registers(&canton, &registered("portal", &portal, &acts));
    let admits = "proxied_by = [\"portal\"]\nattributes = [\"groups\"]";
    registers(&canton, &registered("mail", &mail, admits));
    let provider = Serving::start(&canton, free_port());
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let scripts: [&[(&str, &str)]; 2] = [
        &[("portal.php", PORTAL), ("callback.php", PORTAL)],
        &[("mail.php", MAIL)],
    ];
    let mut php = Vec::new();
    for ((folder, port), scripts) in folders.iter().zip(ports).zip(scripts) {
        for (name, script) in scripts {
            fs::write(folder.path().join(name), script).unwrap();
        }
        let mut command = Command::new("/usr/bin/php");
        command
            .args([
                "-d",
                &format!("session.save_path={}", folder.path().display()),
            ])
            .args(["-S", &format!("127.0.0.1:{port}"), "-t"])
            .arg(folder.path())
            // The portal is called back while it waits.
            .env("PHP_CLI_SERVER_WORKERS", "4")
            .env("FOLDER", folder.path())
            .env("PORTAL", &portal)
            .env("MAIL", &mail)
            .env("PROVIDER", &provider.origin);
        php.push(Program::start(&mut command, folder.path(), port));
    }
    Stage {
        canton,
        php,
        portal,
        provider,
        _folders: folders,
    }
}

/// The portal fetches what the mail has for the person; after the sign-out it fetches nothing.
#[test]
fn phpcas_acts_for_somebody_until_they_sign_out() {
    let mut stage = stage();
    let person = {
        let town: &mut dyn Town = &mut stage.canton;
        town.somebody(Role::EnrolledApp)
    };
    let browser = Curl::new(SCHOOL);
    let page = format!("{}/portal.php", stage.portal);
    let sign_in = browser.opens(&page, &[]);
    let typed = [
        ("username", person.username.as_str()),
        ("password", &person.password),
    ];
    let there = browser.fills(&sign_in, &typed);
    let logs: String = stage.php.iter().map(Program::said).collect();
    let name = &person.username;
    let expected = format!("portal for {name}: 0 mail for {name} in teacher");
    assert_eq!(there.body.trim(), expected, "{logs}");
    let question = browser.opens(&format!("{}/cas/logout", stage.provider.origin), &[]);
    assert_eq!(browser.fills(&question, &[]).status, 200);
    let after = browser.opens(&page, &[]);
    assert!(!after.body.contains("mail for"), "{}", after.body);
}
