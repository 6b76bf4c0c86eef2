//! S: sessions, cookies, and what browsers may do with our pages.

use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Place, Role, Town};

use super::codes::{issues, opens};
use super::sign_in::tries;
use super::{
    STRANGER, begins, between, canton, gets, is_signed_in, posts, session, signs_in_strongly,
    somebody, wrong,
};
use crate::application::{asks, at, claims, enters, parameter, redeems, sends};

/// Answers of a whole story: sign-in with two factors, account, sign-out.
fn a_story(canton: &mut Canton) -> (Vec<Answer>, Vec<String>) {
    let chloe = somebody(canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let mut answers = vec![
        gets(&mut *browser, "/login?ui=fr"),
        tries(&mut *browser, &chloe),
    ];
    let journey = answers[1].location().to_owned();
    let code = (canton as &mut dyn Town).shown_by_app(&chloe);
    answers.push(posts(&mut *browser, &journey, &[("code", &wrong(&code))]));
    answers.push(gets(&mut *browser, &journey));
    answers.push(posts(&mut *browser, &journey, &[("code", &code)]));
    let secret = session(&mut *browser).unwrap();
    answers.push(gets(&mut *browser, &journey));
    answers.push(gets(&mut *browser, "/account"));
    answers.push(posts(&mut *browser, "/account", &[("action", "sign-out")]));
    (answers, vec![secret, chloe.password, code])
}

/// [S02] No cookie of a whole story is within reach of scripts, of other sites' forms, of other hosts
/// or paths, and the session's and the browser's end with the browser.
#[test]
fn all_cookies_of_a_story_are_closed() {
    let (answers, _) = a_story(&mut canton());
    let headers = answers.iter().flat_map(|answer| &answer.headers);
    let lines: Vec<&String> = headers
        .filter(|(name, _)| name == "set-cookie")
        .map(|(_, line)| line)
        .collect();
    for name in [
        "furka-browser",
        "furka-device",
        "furka-language",
        "furka-session",
    ] {
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&format!("{name}="))),
            "{name} is never set"
        );
    }
    for line in lines {
        for part in ["; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(
            !line.contains("Domain") && !line.contains("Path=/;x"),
            "{line}"
        );
        let lasts = line.contains("Max-Age") || line.contains("Expires");
        let may_last =
            line.contains("device") || line.contains("language") || line.contains("Max-Age=0");
        assert!(!lasts || may_last, "{line}");
    }
}

/// [S10] [S12] No form is ever answered by a redirect that repeats it, no page of a story is kept by a
/// browser, and no address holds a secret.
#[test]
fn a_story_leaves_nothing_behind() {
    let (answers, secrets) = a_story(&mut canton());
    for answer in &answers {
        assert!(
            !matches!(answer.status, 301 | 302 | 307 | 308),
            "{answer:?}"
        );
        assert_eq!(
            answer.header("cache-control"),
            Some("no-store"),
            "{answer:?}"
        );
        for secret in &secrets {
            assert!(!answer.location().contains(secret), "{}", answer.location());
        }
    }
    let last = answers.last().unwrap();
    assert_eq!(
        last.header("clear-site-data"),
        Some("\"cache\""),
        "after a sign-out"
    );
}

/// [S10] No route that takes a form redirects in a way that sends it on.
#[test]
fn no_form_is_sent_on() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    for route in server::ROUTES
        .iter()
        .filter(|route| route.methods.contains(&"POST"))
    {
        for body in [
            &[][..],
            &[("action", "continue")],
            &[("username", "x"), ("password", "y"), ("code", "123456")],
        ] {
            let answer = posts(&mut *browser, route.path, body);
            assert!(
                !matches!(answer.status, 301 | 302 | 307 | 308),
                "{}: {answer:?}",
                route.path
            );
        }
    }
}

/// [S06] Who signs out here is out here only; who signs out everywhere is out everywhere, and nobody
/// else is.
#[test]
fn people_end_their_own_sessions() {
    let mut canton = canton();
    let (anna, chloe) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::EnrolledApp),
    );
    let mut browsers: Vec<Box<dyn Browser>> =
        (0..3).map(|_| canton.browser(Place::School)).collect();
    for browser in &mut browsers {
        enters(&mut **browser, &asks(&[]), &anna);
    }
    let mut hers = canton.browser(Place::School);
    enters(&mut *hers, &asks(&[]), &chloe);
    let page = gets(&mut *browsers[0], "/account").body;
    assert!(
        page.matches("Centre scolaire de Brigue").count() >= 3,
        "{page}"
    );
    let alive = |browsers: &mut [Box<dyn Browser>]| -> Vec<bool> {
        browsers
            .iter_mut()
            .map(|browser| is_signed_in(&mut **browser))
            .collect()
    };
    posts(&mut *browsers[0], "/account", &[("action", "sign-out")]);
    assert_eq!(alive(&mut browsers), [false, true, true]);
    posts(
        &mut *browsers[1],
        "/account",
        &[("action", "sign-out-everywhere")],
    );
    assert_eq!(alive(&mut browsers), [false, false, false]);
    assert!(is_signed_in(&mut *hers));
}

/// [S05] A sign-out takes along what applications got through the session: the code not yet redeemed,
/// the access token, the copied cookie.
#[test]
fn a_sign_out_takes_everything_along() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &asks(&[]), &anna);
    let tokens = sends(
        &mut canton,
        redeems(&parameter(answer.location(), "code").unwrap()),
    )
    .json();
    let unused = browser.sends(Attempt::get(&asks(&[])));
    let unused = redeems(&parameter(unused.location(), "code").unwrap());
    let stolen = browser.cookies();
    posts(&mut *browser, "/account", &[("action", "sign-out")]);
    assert_eq!(sends(&mut canton, unused).json()["error"], "invalid_grant");
    let bearer = format!("Bearer {}", tokens["access_token"].as_str().unwrap());
    let userinfo = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
    assert_eq!(sends(&mut canton, userinfo).status, 401);
    let mut thief = canton.browser(Place::School);
    thief.takes(&stolen);
    assert!(!is_signed_in(&mut *thief));
}

/// [S07] Looking at any page, of any journey, twice, leaves every byte of the database as it was.
#[test]
fn looking_writes_nothing() {
    let mut canton = canton();
    let (anna, bastien) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::App),
    );
    let new = somebody(&mut canton, Role::New);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    let code = issues(&mut canton, &new);
    let activation = opens(&mut *browser, &new.username, &code)
        .location()
        .to_owned();
    let strong = asks(&[
        ("prompt", Some("login")),
        ("acr_values", Some("https://refeds.org/profile/mfa")),
    ]);
    let elsewhere = enters(&mut *browser, &strong, &bastien)
        .location()
        .to_owned();
    let page = gets(&mut *browser, &elsewhere).body;
    let resume = format!("/resume/{}", between(&page, "/resume/", "\""));
    assert!(resume.len() > 40, "{page}");
    canton.waits();
    let before = canton.database();
    for route in server::ROUTES
        .iter()
        // Readiness is asked by writing: that is what it tells.
        .filter(|route| route.methods.contains(&"GET") && route.path != "/health/ready")
    {
        let path = match route.path {
            "/activate/{id}" => activation.clone(),
            "/login/{id}" => elsewhere.clone(),
            "/resume/{token}" => resume.clone(),
            "/authorize" => asks(&[])[at("").len()..].to_owned(),
            path => path.replace("{name}", "mark.svg"),
        };
        for _ in 0..2 {
            assert!(gets(&mut *browser, &path).status < 500, "{path}");
        }
    }
    assert!(canton.database() == before, "looking wrote something");
}

/// [S07] A form of another site is refused on every route that takes forms of people, and a browser
/// that says where it comes from is believed on no route but applications' own.
#[test]
fn every_route_refuses_forms_of_others() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    enters(&mut *browser, &asks(&[]), &anna);
    let before = canton.database();
    for route in server::ROUTES
        .iter()
        .filter(|route| route.methods.contains(&"POST"))
    {
        let who = format!("{:?}", route.who);
        if matches!(who.as_str(), "Application" | "Service") {
            continue;
        }
        for origin in ["https://evil.example", "null", "http://localhost:8401"] {
            let attempt = Attempt::post(&at(route.path), &[("action", "sign-out-everywhere")]);
            let answer = browser.sends(attempt.header("origin", origin));
            if matches!(route.path, "/authorize" | "/logout") {
                // What any link could ask is asked again as one.
                let link = at(&format!("{}?action=sign-out-everywhere", route.path));
                assert!(link.ends_with(answer.location()), "{}", answer.location());
                continue;
            }
            // A message that a browser carries is judged by its signature; this is none.
            let refused = if who == "Message" { 400 } else { 403 };
            assert_eq!(answer.status, refused, "{} {origin}", route.path);
        }
    }
    assert!(
        canton.database() == before,
        "a form of another site wrote something"
    );
}

/// [S08] Errors are pages like others: not found, not allowed, too large, foreign, failed journeys.
#[test]
fn errors_have_the_headers_of_pages() {
    let mut canton = canton();
    let mut browser = canton.browser(Place::Home);
    let huge = "a".repeat(40_000);
    let answers = [
        gets(&mut *browser, "/nothing"),
        gets(&mut *browser, "/token"),
        posts(&mut *browser, "/login", &[("password", &huge)]),
        posts(&mut *browser, "/login", &[]),
        browser.sends(Attempt::post(&at("/login"), &[]).header("origin", "https://evil.example")),
        gets(&mut *browser, "/login/x"),
        gets(&mut *browser, "/authorize"),
        posts(&mut *browser, "/resume/x", &[]),
        posts(&mut *browser, "/token", &[]),
        gets(&mut *browser, "/userinfo"),
    ];
    for answer in answers {
        assert!(answer.status >= 400, "{answer:?}");
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{answer:?}"
        );
        assert_eq!(answer.header("x-frame-options"), Some("DENY"), "{answer:?}");
        assert_eq!(
            answer.header("referrer-policy"),
            Some("same-origin"),
            "{answer:?}"
        );
        if answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
        {
            let policy = answer.header("content-security-policy").unwrap();
            assert!(
                policy.contains("default-src 'none'") && !policy.contains("unsafe"),
                "{policy}"
            );
            assert_eq!(answer.header("cache-control"), Some("no-store"));
        }
    }
}

/// Where people are sent: our own paths and registered addresses.
const OURS: &[&str] = &[
    "/",
    "http://localhost:8401/callback",
    "http://localhost:8401/signed-out",
];
/// Whose addresses they are not.
const HOSTS: &[&str] = &[
    "evil.example",
    "localhost:8401.evil.example",
    "localhost:8401@evil.example",
    "[::1]",
];
/// How an address is written by whom it is to deceive.
const SHAPES: &[&str] = &[
    "https://{}",
    "//{}",
    "/\\{}",
    "\\\\{}",
    "https:{}",
    "///{}",
    "/%09/{}",
    "http://{}/callback",
    "javascript:alert('{}')",
    "{}",
    "/.{}",
    "//{}/%2f..",
];
/// Parameters by which somebody somewhere is sent on.
const NAMES: &[&str] = &[
    "redirect_uri",
    "post_logout_redirect_uri",
    "next",
    "return_to",
    "url",
    "target_link_uri",
    "continue",
    "ui",
];

/// [S09] Nothing that somebody puts into an address, a form or a header decides where a browser is
/// sent: only paths of ours and registered addresses.
#[test]
fn nobody_is_sent_elsewhere() {
    let mut canton = canton();
    let anna = somebody(&mut canton, Role::Sms);
    let mut browser = canton.browser(Place::School);
    let answer = enters(&mut *browser, &asks(&[]), &anna);
    let tokens = sends(
        &mut canton,
        redeems(&parameter(answer.location(), "code").unwrap()),
    )
    .json();
    let hint = tokens["id_token"].as_str().unwrap().to_owned();
    for (host, shape) in HOSTS
        .iter()
        .flat_map(|host| SHAPES.iter().map(move |shape| (host, shape)))
    {
        let target = shape.replace("{}", host);
        for name in NAMES.iter().copied() {
            let query: String = url::form_urlencoded::Serializer::new(String::new())
                .append_pair(name, &target)
                .append_pair("client_id", "ent")
                .append_pair("id_token_hint", &hint)
                .finish();
            for path in [
                "/login",
                "/account",
                "/activate",
                "/",
                "/authorize",
                "/nothing",
            ] {
                let answer = gets(&mut *browser, &format!("{path}?{query}"));
                let location = answer.location();
                let known =
                    location.is_empty() || OURS.iter().any(|known| location.starts_with(known));
                assert!(
                    known && !location.starts_with("//") && !location.starts_with("/\\"),
                    "{location}"
                );
            }
            if name == "post_logout_redirect_uri" {
                let answer = gets(
                    &mut *canton.browser(Place::Home),
                    &format!("/logout?{query}"),
                );
                assert_eq!(answer.location(), "", "{target}");
            }
        }
    }
    let path = gets(&mut *browser, "//evil.example/%2f..");
    assert_eq!((path.status, path.location()), (404, ""));
    assert!(is_signed_in(&mut *browser));
}

/// [S11] Messages and links are made of the configured address, whatever a request calls us.
#[test]
fn messages_name_the_configured_address() {
    let mut canton = canton();
    let (anna, bastien) = (
        somebody(&mut canton, Role::Sms),
        somebody(&mut canton, Role::App),
    );
    let lies = [
        ("host", "evil.example"),
        ("x-forwarded-host", "evil.example"),
        ("forwarded", "host=evil.example"),
        ("x-forwarded-server", "evil.example"),
        ("x-host", "evil.example"),
        ("referer", "https://evil.example/"),
    ];
    let mut browser = canton.browser(Place::Home);
    for (name, value) in lies {
        let page = browser.sends(Attempt::get(&asks(&[])));
        let ticket = between(&page.body, "name=\"ticket\" value=\"", "\"");
        let fields = [
            ("username", anna.username.as_str()),
            ("password", &anna.password),
            ("ticket", &ticket),
        ];
        let attempt = Attempt::post(&at("/login"), &fields)
            .with_cookies_of(&mut *browser)
            .header(name, value);
        let answer = canton.calls(STRANGER, attempt);
        assert!(
            answer.location().starts_with("/login/"),
            "{name}: {answer:?}"
        );
        let text = (&mut canton as &mut dyn Town).next_sms(&anna);
        assert!(
            !text.contains("evil") && text.contains("@localhost #"),
            "{name}: {text}"
        );
        canton.passes(900);
    }
    // The link of a journey that goes on elsewhere.
    let mut inside = canton.browser(Place::School);
    let strong = asks(&[("acr_values", Some("https://refeds.org/profile/mfa"))]);
    let journey = enters(&mut *inside, &strong, &bastien)
        .location()
        .to_owned();
    for (name, value) in lies {
        let attempt = Attempt::get(&at(&journey))
            .with_cookies_of(&mut *inside)
            .header(name, value);
        let page = canton.calls([192, 0, 2, 20], attempt).body;
        assert!(
            page.contains("http://localhost:8400/resume/") && !page.contains("evil"),
            "{name}"
        );
    }
}

/// [S01] A session's cookie is 256 random bits; what the database and the tokens know is its hash.
#[test]
fn what_is_known_of_a_session_opens_none() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let answer = signs_in_strongly(&mut canton, &mut *browser, &chloe);
    let cookie = session(&mut *browser).unwrap();
    let raw = data_encoding::BASE64URL_NOPAD
        .decode(cookie.as_bytes())
        .unwrap();
    assert_eq!(raw.len(), 32);
    let tokens = sends(
        &mut canton,
        redeems(&parameter(answer.location(), "code").unwrap()),
    )
    .json();
    let sid = claims(tokens["id_token"].as_str().unwrap())["sid"]
        .as_str()
        .unwrap()
        .to_owned();
    let hash = data_encoding::HEXLOWER.decode(sid.as_bytes()).unwrap();
    assert_ne!(hash, raw);
    let mut thief = canton.browser(Place::Home);
    for stolen in [sid, data_encoding::BASE64URL_NOPAD.encode(&hash)] {
        thief.takes(&[("furka-session".into(), stolen)]);
        assert!(!is_signed_in(&mut *thief));
    }
    let twice = format!("furka-session={cookie}; furka-session={cookie}");
    let attempt = Attempt::get(&at("/account")).header("cookie", &twice);
    assert_eq!(
        canton.calls(STRANGER, attempt).status,
        303,
        "a cookie twice is none"
    );
    // And the journey of somebody else is not opened by it.
    let anna = somebody(&mut canton, Role::Sms);
    let mut other = canton.browser(Place::Home);
    let journey = begins(&mut *other, &anna);
    assert_eq!(gets(&mut *browser, &journey).status, 403);
}

/// [A01] [S09] Other spellings of a path are other paths: none of them opens what the path guards.
#[test]
fn spellings_of_a_path_open_nothing() {
    let mut canton = canton();
    let mut browser = canton.browser(Place::Home);
    for path in [
        "//account",
        "/ACCOUNT",
        "/account/",
        "/%61ccount",
        "/./account",
        "/x/../account",
        "/account;x",
        "/account%2f",
        "/account%00",
        "/login/../account",
        "/static/../account",
        "/static/%2e%2e%2faccount",
    ] {
        let answer = gets(&mut *browser, path);
        let asked = answer.status == 303 && answer.location() == "/login";
        assert!(asked || answer.status == 404, "{path}: {answer:?}");
    }
}

/// [O18] [S01] Half of a secret is no secret, and a longer one is another: sessions, access tokens
/// and codes are compared whole.
#[test]
fn half_a_secret_is_no_secret() {
    let mut canton = canton();
    let chloe = somebody(&mut canton, Role::EnrolledApp);
    let mut browser = canton.browser(Place::Home);
    let answer = signs_in_strongly(&mut canton, &mut *browser, &chloe);
    let code = parameter(answer.location(), "code").unwrap();
    let cookie = session(&mut *browser).unwrap();
    let changes: [fn(&str) -> String; 4] = [
        |text| text[..text.len() / 2].to_owned(),
        |text| text[..text.len() - 1].to_owned(),
        |text| format!("{text}A"),
        |text| text.to_ascii_lowercase(),
    ];
    for change in changes {
        let answer = sends(&mut canton, redeems(&change(&code)));
        assert_eq!(answer.json()["error"], "invalid_grant");
        let mut thief = canton.browser(Place::Home);
        thief.takes(&[("furka-session".into(), change(&cookie))]);
        assert!(!is_signed_in(&mut *thief));
    }
    let tokens = sends(&mut canton, redeems(&code)).json();
    let access_token = tokens["access_token"].as_str().unwrap();
    for change in changes {
        let bearer = format!("Bearer {}", change(access_token));
        let userinfo = Attempt::get(&at("/userinfo")).header("authorization", &bearer);
        assert_eq!(sends(&mut canton, userinfo).status, 401);
    }
}
