//! P: what is written down, what survives, what never falls over.

use std::io::Write;
use std::sync::{Arc, Mutex, OnceLock};

use axum::body::Body;
use testkit::memory::Canton;
use testkit::{App, Attempt, Browser, Person, Place, Role, Town};
use tower::ServiceExt;

use super::codes::{PASSWORD, chooses_password, issues, opens};
use super::sign_in::tries;
use super::{STRANGER, audit, begins, canton, gets, metric, posts, somebody, switch_off};
use crate::application::{asks, at, redeems, sends};

/// [P01] Whatever is typed into whichever field or header: every entry of the audit prints as one line
/// of plain text, and the chain holds.
#[test]
fn no_field_forges_an_entry() {
    let mut canton = canton();
    let evil = "x\r\n9999 2026 signed-in\u{1b}[2J\u{9b}1m\u{202e}\u{2028}\"}],\0";
    let names = [
        "username",
        "password",
        "activation_code",
        "code",
        "next_code",
        "phone",
        "method",
        "serial",
        "action",
        "ticket",
        "new_password",
        "client_id",
        "redirect_uri",
        "state",
        "nonce",
    ];
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::Home);
    let journey = begins(&mut *browser, &anna);
    let new = somebody(&mut canton, Role::New);
    let code = issues(&mut canton, &new);
    let activation = opens(&mut *browser, &new.username, &code)
        .location()
        .to_owned();
    let routes = server::ROUTES
        .iter()
        .filter(|route| route.methods.contains(&"POST"));
    let paths: Vec<&str> = routes
        .map(|route| route.path)
        .chain([journey.as_str(), &activation])
        .collect();
    for path in paths {
        let all: Vec<(&str, &str)> = names.iter().map(|name| (*name, evil)).collect();
        posts(&mut *browser, path, &all);
        for name in names {
            posts(&mut *browser, path, &[(name, evil)]);
        }
    }
    let typed = Person {
        username: evil.into(),
        password: evil.into(),
        ..anna
    };
    tries(&mut *browser, &typed);
    let header = Attempt::get(&at("/login")).header("accept-language", "\u{202e}");
    assert_eq!(canton.calls(STRANGER, header).status, 200);
    let entries = audit(&canton);
    assert!(entries.len() > 10, "{}", entries.len());
    for entry in &entries {
        let line = entry.to_string();
        assert_eq!(line.lines().count(), 1, "{line:?}");
        assert!(
            !line.contains(char::is_control) && !line.contains(['\u{202e}', '\u{2028}']),
            "{line:?}"
        );
    }
}

/// All that is logged in this process, at every level.
static LOGGED: OnceLock<Arc<Mutex<Vec<u8>>>> = OnceLock::new();

#[derive(Clone)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

fn listens() -> &'static Arc<Mutex<Vec<u8>>> {
    LOGGED.get_or_init(|| {
        let log = Arc::new(Mutex::default());
        let writer = Log(Arc::clone(&log));
        let subscriber = tracing_subscriber::fmt()
            .with_max_level(tracing::Level::TRACE)
            .with_ansi(false)
            .with_writer(move || writer.clone())
            .finish();
        tracing::subscriber::set_global_default(subscriber).unwrap();
        log
    })
}

/// A secret of its own in every field, header and address of every route.
fn plants(canton: &mut Canton, browser: &mut dyn Browser) -> Vec<String> {
    let mut secrets = vec![];
    let fields = [
        "password",
        "new_password",
        "new_password_again",
        "activation_code",
        "code",
        "next_code",
        "ticket",
        "client_secret",
        "client_assertion",
        "code_verifier",
        "id_token_hint",
        "refresh_token",
        "access_token",
    ];
    let mut planted = 0_u32;
    let mut plant = || {
        planted += 1;
        format!("Kanarie-{planted}-zwitschert")
    };
    for route in server::ROUTES {
        let path = route.path.replace(['{', '}'], "");
        for name in fields {
            let secret = plant();
            posts(
                browser,
                &path,
                &[(name, &secret), ("username", "anna.roten")],
            );
            secrets.push(secret);
            let secret = plant();
            gets(browser, &format!("{path}?{name}={secret}"));
            secrets.push(secret);
        }
        for header in ["authorization", "cookie"] {
            let secret = plant();
            for value in [
                format!("Bearer {secret}"),
                format!("furka-session={secret}"),
            ] {
                let _seen = canton.calls(STRANGER, Attempt::get(&at(&path)).header(header, &value));
            }
            secrets.push(secret);
        }
    }
    secrets
}

/// Enrolment, tokens and an activation, with all that is secret in them.
fn secrets_of_a_story(canton: &mut Canton, browser: &mut dyn Browser) -> Vec<String> {
    let bastien = somebody(canton, Role::App);
    let mut secrets = vec![
        bastien.password.clone(),
        testkit::memory::ENT_SECRET.to_owned(),
    ];
    let page = browser.sends(Attempt::get(&asks(&[])));
    secrets.push(super::between(&page.body, "name=\"ticket\" value=\"", "\""));
    canton.passes(7200);
    let journey = begins(browser, &bastien);
    secrets.push((canton as &mut dyn Town).sms_code(&bastien));
    posts(browser, &journey, &[("code", secrets.last().unwrap())]);
    browser.opens(&at(&journey));
    let app = App {
        key: browser.key_to_type().unwrap(),
    };
    secrets.push((canton as &mut dyn Town).app_code(&app));
    let answer = posts(browser, &journey, &[("code", secrets.last().unwrap())]);
    secrets.push(app.key);
    let code = crate::application::parameter(answer.location(), "code").unwrap();
    let tokens = sends(canton, redeems(&code)).json();
    secrets.extend([
        code,
        tokens["access_token"].as_str().unwrap().into(),
        tokens["id_token"].as_str().unwrap().into(),
    ]);
    let new = somebody(canton, Role::New);
    let activation = issues(canton, &new);
    let journey = opens(browser, &new.username, &activation)
        .location()
        .to_owned();
    chooses_password(browser, &journey, PASSWORD);
    secrets.extend([activation, PASSWORD.to_owned()]);
    for (name, value) in browser.cookies() {
        if name != "furka-language" {
            secrets.push(value);
        }
    }
    secrets
}

/// [P02] Unique secrets in every field, header and address of every route, and the secrets of a whole
/// story: none of them is in the log at its most talkative, in the database, or in the metrics.
#[test]
fn no_planted_secret_is_written_anywhere() {
    let log = listens();
    let mut canton = canton();
    let mut browser = canton.browser(Place::Home);
    let mut secrets = plants(&mut canton, &mut *browser);
    secrets.extend(secrets_of_a_story(&mut canton, &mut *browser));
    let database = canton.database();
    let metrics = canton.calls_management(Attempt::get(&at("/metrics"))).body;
    let logged = log.lock().unwrap().clone();
    let marker = b"was refused";
    assert!(
        logged.windows(marker.len()).any(|window| window == marker),
        "nothing was logged at all"
    );
    for (place, bytes) in [
        ("log", &logged),
        ("database", &database),
        ("metrics", &metrics.into_bytes()),
    ] {
        let text = String::from_utf8_lossy(bytes);
        // Six digits of a code are also in other tests' logs; the database holds this one's only.
        for secret in secrets
            .iter()
            .filter(|secret| secret.len() > 6 || place != "log")
        {
            assert!(
                !text.contains(secret.as_str()),
                "the {place} holds {secret}"
            );
        }
    }
}

/// [P03] What a node acknowledged is there for the next one: a session, a sign-out, a spent code.
#[test]
fn another_node_knows_what_was_acknowledged() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let answer = crate::application::enters(&mut *browser, &asks(&[]), &anna);
    let code = crate::application::parameter(answer.location(), "code").unwrap();
    let origin = at("");
    let account = Attempt::get(&at("/account")).with_cookies_of(&mut *browser);
    assert_eq!(canton.calls_at(&origin, account.clone()).status, 200);
    assert_eq!(sends(&mut canton, redeems(&code)).status, 200);
    assert_eq!(
        canton.calls_at(&origin, redeems(&code)).json()["error"],
        "invalid_grant"
    );
    posts(&mut *browser, "/account", &[("action", "sign-out")]);
    assert_eq!(canton.calls_at(&origin, account).status, 303);
}

/// [P04] Of many right codes at once one signs in.
#[test]
fn of_many_right_codes_at_once_one_signs_in() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let journeys: Vec<String> = (0..8).map(|_| begins(&mut *browser, &chloe)).collect();
    let code = (&mut canton as &mut dyn Town).shown_by_app(&chloe);
    let attempts = (0..64).map(|number| {
        Attempt::post(&at(&journeys[number % 8]), &[("code", &code)])
            .from_page_of(&at(""))
            .from(Place::Home)
            .with_cookies_of(&mut *browser)
    });
    let answers = canton.sends(attempts.collect());
    assert_eq!(
        answers
            .iter()
            .filter(|answer| answer.signs_somebody_in())
            .count(),
        1
    );
    assert!(answers.iter().all(|answer| answer.status < 500));
}

/// [P05] There is nothing to administer over HTTP: whoever one is, the pages show oneself, and a name
/// or number of somebody else in a form or address changes nothing about them.
#[test]
fn nobody_acts_on_somebody_else() {
    let mut canton = canton();
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    let mut hers = canton.browser(Place::Home);
    super::signs_in_strongly(&mut canton, &mut *hers, &chloe);
    let id = super::account(&canton, &chloe).person.id.to_string();
    let mut browser = canton.browser(Place::School);
    crate::application::enters(&mut *browser, &asks(&[]), &anna);
    for (name, value) in [
        ("person", &id),
        ("username", &chloe.username),
        ("sub", &id),
        ("sid", &id),
        ("role", &"admin".into()),
    ] {
        let page = gets(&mut *browser, &format!("/account?{name}={value}"));
        assert!(
            page.body.contains(&anna.name) && !page.body.contains(&chloe.name),
            "{name}"
        );
        posts(
            &mut *browser,
            "/account",
            &[("action", "sign-out-everywhere"), (name, value)],
        );
        assert!(super::is_signed_in(&mut *hers), "{name}");
        crate::application::enters(&mut *browser, &asks(&[]), &anna);
    }
    assert_eq!(
        super::account(&canton, &anna).person.role,
        journey::Role::Teacher
    );
}

/// A repeatable source of odd bytes.
struct Odd(u64);

impl Odd {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed ^ (mixed >> 27)
    }

    fn bytes(&mut self, most: u64) -> Vec<u8> {
        const LIKELY: &[u8] = b"=&%+;\0\r\n\"'<>{}[]/\\.:?#aA09\xff\xc3\x80";
        let length = self.next() % most;
        (0..length)
            .map(|_| match self.next() % 3 {
                0 => (self.next() >> 32) as u8,
                _ => LIKELY[(self.next() >> 32) as usize % LIKELY.len()],
            })
            .collect()
    }

    /// A request to a route, odd in all its parts.
    fn request(&mut self, path: &str, segment: Option<&str>, cookies: &str) -> http::Request<Body> {
        let percent = data_encoding::HEXUPPER.encode(&self.bytes(24));
        let percent: String = percent
            .as_bytes()
            .chunks(2)
            .map(|pair| format!("%{}", String::from_utf8_lossy(pair)))
            .collect();
        let segment = segment.map_or_else(|| format!("x{percent}"), str::to_owned);
        let path = path
            .replace("{id}", &segment)
            .replace("{token}", &segment)
            .replace("{name}", &segment);
        let names = [
            "username",
            "code",
            "ticket",
            "client_id",
            "prompt",
            "max_age",
            "id_token_hint",
            "ui",
        ];
        let name = names[self.next() as usize % names.len()];
        let mut body = if self.next().is_multiple_of(2) {
            format!("{name}=").into_bytes()
        } else {
            vec![]
        };
        body.extend(self.bytes(600));
        let header = self
            .bytes(80)
            .into_iter()
            .filter(|byte| *byte >= 32 && *byte != 127)
            .collect::<Vec<_>>();
        let method = ["GET", "POST", "POST", "HEAD", "PUT"][self.next() as usize % 5];
        http::Request::builder()
            .method(method)
            .uri(format!("{path}?{name}={percent}"))
            .header("content-type", "application/x-www-form-urlencoded")
            .header(
                "cookie",
                if self.next().is_multiple_of(2) {
                    cookies.as_bytes()
                } else {
                    &header
                },
            )
            .header("authorization", header.as_slice())
            .header("x-forwarded-for", header.as_slice())
            .header("accept-language", header.as_slice())
            .extension(server::Peer([127, 0, 0, 1].into()))
            .body(Body::from(body))
            .unwrap()
    }
}

/// [P07] Odd bytes as body, query, path segment, cookie and header of every route: never a failure of
/// ours, and the provider lives on.
#[test]
fn odd_bytes_never_make_us_fail() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::Home);
    let journey = begins(&mut *browser, &anna);
    let cookies = browser.cookies();
    let cookies: Vec<String> = cookies
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let cookies = cookies.join("; ");
    let id = journey.rsplit('/').next().unwrap();
    let router = canton.provider().router();
    let mut odd = Odd(17);
    for round in 0..150 {
        for route in server::ROUTES {
            let segment = (round % 2 == 0).then_some(id);
            let request = odd.request(route.path, segment, &cookies);
            let what = format!("{request:?}");
            let response = canton.waits_for(router.clone().oneshot(request)).unwrap();
            assert!(
                response.status().as_u16() < 500,
                "{}: {what}",
                response.status()
            );
        }
    }
    assert_eq!(metric(&canton, "furka_failures_total"), 0);
    assert_eq!(gets(&mut *browser, "/login").status, 200);
}

/// [P10] While no gateway takes messages nobody gets in by SMS, and nobody else is disturbed.
#[test]
fn a_dead_gateway_lets_nobody_in() {
    let mut canton = canton();
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    (&mut canton as &mut dyn Town).gateway_is(false);
    let mut browser = canton.browser(Place::Home);
    let journey = begins(&mut *browser, &anna);
    for _ in 0..4 {
        canton.waits();
        for code in ["", "000000"] {
            let answer = posts(&mut *browser, &journey, &[("code", code)]);
            assert!(!answer.signs_somebody_in() && answer.status < 500);
        }
        canton.passes(60);
    }
    assert!((&mut canton as &mut dyn Town).sms(&anna).is_empty());
    let mut hers = canton.browser(Place::Home);
    super::signs_in_strongly(&mut canton, &mut *hers, &chloe);
}

/// [P13] No room allows `unsafe`, and numbers that overflow stop the release, too.
#[test]
fn there_is_no_unsafe_and_no_silent_overflow() {
    let root = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let manifest: toml::Value =
        toml::from_str(&std::fs::read_to_string(root.join("Cargo.toml")).unwrap()).unwrap();
    assert_eq!(
        manifest["workspace"]["lints"]["rust"]["unsafe_code"].as_str(),
        Some("forbid")
    );
    assert_eq!(
        manifest["profile"]["release"]["overflow-checks"].as_bool(),
        Some(true)
    );
    let mut rooms = 0;
    for room in std::fs::read_dir(root.join("crates")).unwrap() {
        let manifest = std::fs::read_to_string(room.unwrap().path().join("Cargo.toml")).unwrap();
        let manifest: toml::Value = toml::from_str(&manifest).unwrap();
        assert_eq!(
            manifest["lints"]["workspace"].as_bool(),
            Some(true),
            "{}",
            manifest["package"]["name"]
        );
        rooms += 1;
    }
    assert!(rooms >= 8);
}

/// [P05] A person who is switched off in the middle of a journey goes no further in it.
#[test]
fn who_is_switched_off_goes_no_further() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::Home);
    let journey = begins(&mut *browser, &anna);
    let code = (&mut canton as &mut dyn Town).sms_code(&anna);
    switch_off(&mut canton, &anna);
    assert!(!posts(&mut *browser, &journey, &[("code", &code)]).signs_somebody_in());
}
