//! The Shibboleth service provider: Apache, mod_shib and shibd, which nobody here wrote.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use reqwest::{Client, Method, header, redirect::Policy};
use tempfile::TempDir;
use testkit::memory::Canton;
use testkit::{Browser, Town};

use super::process::{Process, free_port, listens};
use super::{canton, chloe, is_inside, onward, our_metadata, registered, signs_in};
use crate::application::at;

/// A Shibboleth that is up, and the cookies of one browser in it.
pub(super) struct Shibboleth {
    port: u16,
    client: Client,
    cookies: Vec<(String, String)>,
    _apache: Process,
    _daemon: Process,
    folder: TempDir,
}

/// What it answered: the status, where to, and the text.
pub(super) struct Said {
    pub(super) status: u16,
    pub(super) location: String,
    pub(super) body: String,
}

impl Shibboleth {
    /// Starts it with our metadata, whose signature it verifies, and registers it with its own.
    pub(super) fn start(canton: &mut Canton, more: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
        let port = free_port();
        configured(path, port, &our_metadata(canton));
        let config = path.join("shibboleth2.xml");
        let mut daemon = Process::start(
            Command::new("/usr/sbin/shibd")
                .args(["-F", "-f", "-c"])
                .arg(&config)
                .arg("-p")
                .arg(path.join("shibd.pid")),
        );
        let socket = path.join("shibd.sock");
        daemon.until(|| socket.exists());
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o777)).unwrap();
        let mut apache = Process::start(
            Command::new("/usr/sbin/apache2")
                .arg("-DFOREGROUND")
                .arg("-f")
                .arg(path.join("apache.conf")),
        );
        apache.until(|| listens(port));
        let client = Client::builder()
            .redirect(Policy::none())
            .no_proxy()
            .build()
            .unwrap();
        let mut shibboleth = Self {
            port,
            client,
            cookies: Vec::new(),
            _apache: apache,
            _daemon: daemon,
            folder,
        };
        let metadata = shibboleth.asks(canton, "/Shibboleth.sso/Metadata");
        assert_eq!(metadata.status, 200, "{}", shibboleth.log());
        registered(canton, "shibboleth", &metadata.body, more);
        shibboleth
    }

    /// A page of it.
    pub(super) fn asks(&mut self, canton: &Canton, path: &str) -> Said {
        let url = match path.strip_prefix("http://") {
            Some(_) => path.to_owned(),
            None => format!("http://localhost:{}{path}", self.port),
        };
        self.sends(canton, (Method::GET, &url, String::new()))
    }

    /// A form for it.
    pub(super) fn is_sent(
        &mut self,
        canton: &Canton,
        form: (String, Vec<(String, String)>),
    ) -> Said {
        let body = url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(form.1)
            .finish();
        self.sends(canton, (Method::POST, &form.0, body))
    }

    fn sends(&mut self, canton: &Canton, (method, url, body): (Method, &str, String)) -> Said {
        let cookies: Vec<String> = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        let request = self
            .client
            .request(method, url)
            .header(header::COOKIE, cookies.join("; "))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded")
            .body(body);
        let (said, set) = canton.waits_for(async {
            let response = request.send().await.unwrap();
            let text = |value: &header::HeaderValue| value.to_str().unwrap().to_owned();
            let location = response
                .headers()
                .get(header::LOCATION)
                .map(text)
                .unwrap_or_default();
            let set: Vec<String> = response
                .headers()
                .get_all(header::SET_COOKIE)
                .iter()
                .map(text)
                .collect();
            let status = response.status().as_u16();
            let body = response.text().await.unwrap();
            (
                Said {
                    status,
                    location,
                    body,
                },
                set,
            )
        });
        for line in set {
            let pair = line.split(';').next().unwrap_or_default();
            let (name, value) = pair.split_once('=').unwrap();
            self.cookies.retain(|(known, _)| known != name);
            if !value.is_empty() && !line.contains("01 Jan 1970") && !line.contains("Jan 2001") {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        said
    }

    /// Takes the page that our provider shows back to it, and follows it to its own page.
    pub(super) fn lets_in(&mut self, canton: &Canton, browser: &mut dyn Browser) -> Said {
        let form = onward(browser);
        let said = self.is_sent(canton, form);
        assert_eq!(said.status, 302, "{}\n{}", said.body, self.log());
        self.asks(canton, &said.location)
    }

    /// What it knows of the session.
    pub(super) fn session(&mut self, canton: &Canton) -> String {
        self.asks(canton, "/Shibboleth.sso/Session").body
    }

    /// Whether its protected page is closed.
    pub(super) fn is_closed(&mut self, canton: &Canton) -> bool {
        self.asks(canton, "/protected/").status == 302
    }

    fn log(&self) -> String {
        fs::read_to_string(self.folder.path().join("shibd.log")).unwrap_or_default()
    }
}

fn configured(path: &Path, port: u16, provider: &str) {
    let filled = |text: &str| {
        text.replace("@FOLDER@", &path.display().to_string())
            .replace("@PORT@", &port.to_string())
    };
    let logger = |name: &str| {
        format!(
            "log4j.rootCategory=INFO, file\nlog4j.appender.file=org.apache.log4j.FileAppender\n\
             log4j.appender.file.fileName={}\nlog4j.appender.file.layout=org.apache.log4j.PatternLayout\n\
             log4j.appender.file.layout.ConversionPattern=%d %p %c: %m%n\n",
            path.join(name).display()
        )
    };
    fs::create_dir_all(path.join("htdocs/protected")).unwrap();
    let certificate = provider.split("X509Certificate>").nth(1).unwrap();
    let certificate = certificate.split("</").next().unwrap();
    let lines: Vec<&str> = certificate
        .as_bytes()
        .chunks(64)
        .map(|line| std::str::from_utf8(line).unwrap())
        .collect();
    let pem = format!(
        "-----BEGIN CERTIFICATE-----\n{}\n-----END CERTIFICATE-----\n",
        lines.join("\n")
    );
    let files = [
        ("shibboleth2.xml", filled(include_str!("shibboleth.xml"))),
        ("apache.conf", filled(include_str!("apache.conf"))),
        (
            "attribute-map.xml",
            include_str!("attribute-map.xml").to_owned(),
        ),
        ("provider.xml", provider.to_owned()),
        ("provider.pem", pem),
        ("shibd.logger", logger("shibd.log")),
        ("native.logger", logger("native.log")),
        ("native.log", String::new()),
        ("htdocs/protected/index.html", "You are in.\n".to_owned()),
    ];
    for (name, text) in files {
        fs::write(path.join(name), text).unwrap();
    }
    fs::set_permissions(path.join("native.log"), fs::Permissions::from_mode(0o666)).unwrap();
    own_key(path);
}

/// A key pair and certificate for an application.
pub(super) fn own_key(path: &Path) {
    let status = Command::new("/usr/bin/openssl")
        .args([
            "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "30", "-subj", "/CN=sp",
        ])
        .arg("-keyout")
        .arg(path.join("sp.key"))
        .arg("-out")
        .arg(path.join("sp.crt"))
        .stderr(std::process::Stdio::null())
        .status()
        .unwrap();
    assert!(status.success());
}

const ATTRIBUTES: &str =
    "attributes = [\"uid\", \"display_name\", \"principal_name\", \"affiliation\"]\n";

/// [X08] Sign in with a password, read the right names in UTF-8, step up, and sign out everywhere.
#[test]
fn shibboleth_signs_in_steps_up_and_signs_out() {
    let mut canton = canton();
    let mut shibboleth = Shibboleth::start(&mut canton, ATTRIBUTES);
    let (person, mut browser) = chloe(&mut canton);
    let browser = &mut *browser;

    let asked = shibboleth.asks(&canton, "/protected/");
    assert_eq!(asked.status, 302);
    assert!(
        asked.location.starts_with(&at("/saml/sso?SAMLRequest=")),
        "{}",
        asked.location
    );
    signs_in(browser, &asked.location, &person);
    let page = shibboleth.lets_in(&canton, browser);
    assert_eq!(
        (page.status, page.body.as_str()),
        (200, "You are in.\n"),
        "{}",
        shibboleth.log()
    );
    let session = shibboleth.session(&canton);
    for part in [
        "displayName</strong>: Chlo\u{e9} Zufferey",
        "uid</strong>: chloe.zufferey",
        "eppn</strong>: chloe.zufferey@localhost",
        "unscoped-affiliation</strong>: ",
        "ac:classes:PasswordProtectedTransport",
    ] {
        assert!(
            session.contains(part),
            "{part} is not in {session}\n{}",
            shibboleth.log()
        );
    }

    // More is asked for than was proven: the app's code, and the class that it earns.
    let more = "/Shibboleth.sso/Login?authnContextClassRef=https%3A%2F%2Frefeds.org%2Fprofile%2Fmfa&target=/protected/";
    let asked = shibboleth.asks(&canton, more);
    browser.opens(&asked.location);
    let words = testkit::Words::of(testkit::Language::French);
    browser.clicks("Continuer");
    browser.types(
        words.app_code,
        &(&mut canton as &mut dyn Town).shown_by_app(&person),
    );
    browser.clicks(words.soumettre);
    let page = shibboleth.lets_in(&canton, browser);
    assert_eq!(page.status, 200);
    let session = shibboleth.session(&canton);
    assert!(
        session.contains("https://refeds.org/profile/mfa"),
        "{session}"
    );

    // Out, here and there.
    let out = shibboleth.asks(&canton, "/Shibboleth.sso/Logout");
    assert!(
        out.location.starts_with(&at("/saml/slo?SAMLRequest=")),
        "{}",
        out.location
    );
    assert!(is_inside(browser));
    let answer = follows(browser, &out.location);
    assert!(answer.contains("SAMLResponse="), "{answer}");
    let said = shibboleth.asks(&canton, &answer);
    assert!(said.status == 200 || said.status == 302, "{}", said.body);
    assert!(
        !said.body.contains("Partial"),
        "{}\n{}",
        said.body,
        shibboleth.log()
    );
    assert!(shibboleth.is_closed(&canton) && !is_inside(browser));
}

/// [X12] Shibboleth opens encrypted assertions, by the cipher that it asks for in its metadata.
#[test]
fn shibboleth_opens_an_encrypted_assertion() {
    let mut canton = canton();
    let more = format!("{ATTRIBUTES}encrypt = true\nname_id = \"transient\"\n");
    let mut shibboleth = Shibboleth::start(&mut canton, &more);
    let (person, mut browser) = chloe(&mut canton);
    let asked = shibboleth.asks(&canton, "/protected/");
    signs_in(&mut *browser, &asked.location, &person);
    let form = onward(&mut *browser);
    let message = data_encoding::BASE64
        .decode(super::field(&form.1, "SAMLResponse").as_bytes())
        .unwrap();
    let message = String::from_utf8(message).unwrap();
    assert!(
        message.contains("EncryptedAssertion") && !message.contains("Zufferey"),
        "{message}"
    );
    let page = shibboleth.lets_in(&canton, &mut *browser);
    assert_eq!(page.status, 200, "{}", shibboleth.log());
    assert!(shibboleth.session(&canton).contains("Chlo\u{e9} Zufferey"));
}

/// Follows redirects within the provider; the first address outside.
pub(super) fn follows(browser: &mut dyn Browser, url: &str) -> String {
    let mut url = url.to_owned();
    for _ in 0..5 {
        let answer = browser.sends(testkit::Attempt::get(&url));
        let location = answer.location();
        assert!(
            (300..400).contains(&answer.status),
            "{url}: {} {}",
            answer.status,
            answer.body
        );
        if !location.starts_with('/') {
            return location.to_owned();
        }
        url = at(location);
    }
    panic!("too many redirects: {url}");
}
