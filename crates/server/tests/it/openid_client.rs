//! OpenID Connect with a client that nobody here wrote: npm's `openid-client`, on a server with a secret, and
//! without one with tokens that are bound to a key; and both as a device that somebody lets in elsewhere.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use data_encoding::HEXLOWER;
use journey::Timestamp;
use serde_json::{Value, json};
use server::{RealWorld, World};
use tempfile::TempDir;
use testkit::memory::Canton;
use testkit::{Role, Town};

use crate::{
    cas_client::canton_of_today,
    programs::{Curl, Page, Program, SCHOOL, Serving, free_port},
    registered::registers,
};

const SECRET: &str = "c29tZWJvZHkgZWxzZSdzIG9wZW5pZCBjbGllbnQgbGli";

/// What npm installed, by the list in `tests/npm`, whose hashes it compares.
pub(crate) fn packages() -> &'static Path {
    static INSTALLED: OnceLock<PathBuf> = OnceLock::new();
    INSTALLED.get_or_init(|| {
        let list = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/npm");
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("openid-connect-clients");
        fs::create_dir_all(&folder).unwrap();
        let mut is_new = !folder.join("node_modules").exists();
        let scripts = ["openid_client.mjs", "registration.mjs"];
        for file in ["package.json", "package-lock.json"]
            .into_iter()
            .chain(scripts)
        {
            let wanted = fs::read(list.join(file)).unwrap();
            let there = fs::read(folder.join(file)).ok();
            is_new |= !scripts.contains(&file) && there.as_ref() != Some(&wanted);
            fs::write(folder.join(file), wanted).unwrap();
        }
        if is_new {
            let quietly = ["--ignore-scripts", "--no-audit", "--no-fund", "--silent"];
            let mut npm = Command::new("/usr/bin/npm");
            npm.arg("ci").args(quietly).current_dir(&folder);
            assert!(npm.status().unwrap().success(), "npm ci");
        }
        folder
    })
}

struct Stage {
    application: String,
    canton: Canton,
    node: Program,
    provider: Serving,
    _folder: TempDir,
}

fn stage(secret: &str, registration: &str) -> Stage {
    stage_where((secret, "sent"), registration)
}

/// One where the secret is sent, or makes a code: `jwt`.
fn stage_where((secret, way): (&str, &str), registration: &str) -> Stage {
    let canton = canton_of_today();
    let (port, own) = (free_port(), free_port());
    let application = format!("http://127.0.0.1:{own}");
    let name = r#"name = { fr = "Essai", de = "Probe", en = "Trial" }"#;
    registers(
        &canton,
        &format!(
            "[[application]]\nid = \"trial\"\n{name}\ntrusted = true\n\
             redirect_uris = [\"{application}/callback\"]\n{registration}"
        ),
    );
    let provider = Serving::start(&canton, port);
    let folder = tempfile::tempdir().unwrap();
    let node = Program::start(
        Command::new("/usr/bin/node")
            .arg(packages().join("openid_client.mjs"))
            .args([&provider.origin, "trial", secret, &own.to_string(), way]),
        folder.path(),
        own,
    );
    Stage {
        application,
        canton,
        node,
        provider,
        _folder: folder,
    }
}

/// Somebody signs in at school; the page at which they end.
fn signs_in(stage: &mut Stage, browser: &Curl) -> Page {
    let person = {
        let town: &mut dyn Town = &mut stage.canton;
        town.somebody(Role::EnrolledApp)
    };
    let sign_in = browser.opens(&format!("{}/login", stage.application), &[]);
    assert!(
        sign_in.url.starts_with(&stage.provider.origin),
        "{} {} {}",
        sign_in.url,
        sign_in.body,
        stage.node.said()
    );
    let typed = [
        ("username", person.username.as_str()),
        ("password", &person.password),
    ];
    browser.fills(&sign_in, &typed)
}

fn said(page: &Page) -> Value {
    assert_eq!(page.status, 200, "{}", page.body);
    serde_json::from_str(&page.body).unwrap()
}

/// [C06] [C08] With a secret: signs in, reads who it is, renews, has its token explained, gives it back, and
/// has it explained again; and asks in its own name.
#[test]
fn openid_client_does_all_that_can_be_done_with_tokens() {
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SECRET.as_bytes());
    let registration = format!(
        r#"
        kind = "confidential"
        auth = "basic"
        secret_sha256 = "{}"
        grants = ["authorization_code", "refresh_token", "client_credentials"]
        scopes = ["openid", "profile", "offline_access"]
        access_token = "jwt"
        resources = ["https://api.example.ch/"]
        api_scopes = ["timetable.read"]
        "#,
        HEXLOWER.encode(digest.as_ref())
    );
    does_all_that_can_be_done(stage(SECRET, &registration));
}

/// [C08] [OIDC Core §9] "Clients that have received a client_secret value from the Authorization Server create a JWT using an HMAC SHA algorithm, such as HMAC SHA-256."
/// All of it with a secret that is never sent: `client_secret_jwt`, at every endpoint.
#[test]
fn openid_client_proves_itself_with_a_secret_that_is_never_sent() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("trial.secret");
    fs::write(&file, format!("{SECRET}\n")).unwrap();
    let registration = format!(
        r#"
        kind = "confidential"
        auth = "secret_jwt"
        secret = "{{file:{}}}"
        grants = ["authorization_code", "refresh_token", "client_credentials"]
        scopes = ["openid", "profile", "offline_access"]
        access_token = "jwt"
        resources = ["https://api.example.ch/"]
        api_scopes = ["timetable.read"]
        "#,
        file.display()
    );
    does_all_that_can_be_done(stage_where((SECRET, "jwt"), &registration));
}

fn does_all_that_can_be_done(mut stage: Stage) {
    let browser = Curl::new(SCHOOL);
    let page = signs_in(&mut stage, &browser);
    assert_eq!(
        said(&page),
        json!({
            "name": "Chloé Zufferey", "acr": "https://refeds.org/profile/sfa", "kind": "bearer",
            "renewed": true, "active": true, "afterwards": false, "refused": "invalid_grant",
            "gone": 401,
        })
    );
    let itself = browser.opens(&format!("{}/itself", stage.application), &[]);
    assert_eq!(
        said(&itself),
        json!({ "kind": "bearer", "scope": "timetable.read", "active": true })
    );
}

/// [C06] [C14] Without a secret, with a key: each request proves it, with the nonce that it is told.
#[test]
fn openid_client_binds_its_tokens_to_a_key() {
    let registration = r#"
        kind = "public"
        auth = "none"
        grants = ["authorization_code", "refresh_token"]
        scopes = ["openid", "profile", "offline_access"]
        dpop_bound = true
        "#;
    let mut stage = stage("-", registration);
    let browser = Curl::new(SCHOOL);
    let mut page = signs_in(&mut stage, &browser);
    // It cannot prove what it is: somebody with a session is asked.
    if page.url.starts_with(&stage.provider.origin) {
        page = browser.fills(&page, &[("action", "continue")]);
    }
    assert_eq!(
        said(&page),
        json!({
            "name": "Chloé Zufferey", "acr": "https://refeds.org/profile/sfa", "kind": "dpop",
            "renewed": true, "refused": "invalid_grant", "gone": 401,
        })
    );
}

/// [C16] A device without a keyboard: asks for its codes, is let in by somebody in a browser, with two factors
/// because it stands in no school, and renews; another one is refused.
#[test]
fn openid_client_is_let_in_as_a_device() {
    for (secret, kind) in [(SECRET, "bearer"), ("-", "dpop")] {
        let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, SECRET.as_bytes());
        let registration = match secret {
            "-" => "kind = \"native\"\nauth = \"none\"\ndpop_bound = true".to_owned(),
            _ => format!(
                "kind = \"confidential\"\nauth = \"basic\"\nsecret_sha256 = \"{}\"",
                HEXLOWER.encode(digest.as_ref())
            ),
        };
        let registration = format!("{registration}\ngrants = [\"device_code\", \"refresh_token\"]");
        let mut stage = stage(secret, &registration);
        let browser = Curl::new(SCHOOL);
        let asked = types_its_code(&mut stage, &browser, true);
        let done = browser.fills(&asked, &[("action", "allow")]);
        assert_eq!(done.status, 200, "{}", done.body);
        let told = comes(&stage, &browser);
        assert_eq!(
            said(&told),
            json!({
                "name": "Chloé Zufferey", "acr": "https://refeds.org/profile/mfa", "kind": kind,
                "renewed": true,
            })
        );
        let asked = types_its_code(&mut stage, &browser, false);
        browser.fills(&asked, &[("action", "deny")]);
        let told = comes(&stage, &browser);
        assert_eq!(said(&told), json!({ "refused": "access_denied" }));
    }
}

/// The device comes for its tokens; its proofs say when they were made, by the clock of today.
fn comes(stage: &Stage, browser: &Curl) -> Page {
    let Timestamp(now) = World::now(&RealWorld);
    let toy = stage.canton.toy();
    toy.passes(now - toy.now());
    browser.opens(&format!("{}/comes", stage.application), &[])
}

/// Somebody follows the link that the device shows, and signs in if they must; the question.
fn types_its_code(stage: &mut Stage, browser: &Curl, signs_in: bool) -> Page {
    let codes = said(&browser.opens(&format!("{}/device", stage.application), &[]));
    let link = codes["verification_uri_complete"].as_str().unwrap();
    let user_code = codes["user_code"].as_str().unwrap();
    let page = browser.opens(link, &[]);
    assert!(page.body.contains(user_code), "{}", page.body);
    let mut page = browser.fills(&page, &[("user_code", user_code)]);
    if signs_in {
        let town: &mut dyn Town = &mut stage.canton;
        let person = town.somebody(Role::EnrolledApp);
        let typed = [
            ("username", person.username.as_str()),
            ("password", &person.password),
        ];
        page = browser.fills(&page, &typed);
        page = browser.fills(&page, &[("action", "continue")]);
        let code = town.shown_by_app(&person);
        page = browser.fills(&page, &[("code", &code)]);
    }
    assert!(
        page.url.contains("/device/confirm"),
        "{} {}",
        page.url,
        page.body
    );
    page
}
