//! The gate: what a proxy is told about requests to a wiki that knows no protocol.

use testkit::memory::Canton;
use testkit::{Answer, Attempt, Browser, Language, Person, Place, Town};

use crate::{
    application::{at, at_school, enters, sends},
    registered::{registers, signs_out, with_a_token},
};

const WIKI: &str = "https://wiki.example.ch";

const REGISTERED: &str = r#"
[[gate]]
id = "wiki"
name = { fr = "Wiki", de = "Wiki", en = "Wiki" }
origins = ["https://wiki.example.ch", "https://other.example.ch"]
headers = ["user", "name", "groups", "acr"]

[[gate.rule]]
path = "/strong"
minimum = "strong"

[[gate.rule]]
path = "/office/"
groups = ["staff"]

[[gate.rule]]
path = "/pages/"
"#;

fn canton() -> Canton {
    let canton = Canton::new(Language::French);
    registers(&canton, REGISTERED);
    canton
}

/// What a listed proxy sends for a browser at school.
fn forwarded(path: &str, origin: &str, uri: &str) -> Attempt {
    let (proto, host) = origin.split_once("://").unwrap();
    Attempt::get(&at(path))
        .header("x-forwarded-for", "192.0.2.9")
        .header("x-forwarded-proto", proto)
        .header("x-forwarded-host", host)
        .header("x-forwarded-uri", uri)
}

fn calls(canton: &Canton, attempt: Attempt) -> Answer {
    canton.calls([127, 0, 0, 1], attempt)
}

fn checks(canton: &Canton, uri: &str, cookies: &str) -> Answer {
    calls(
        canton,
        forwarded("/gate/check", WIKI, uri).header("cookie", cookies),
    )
}

/// A cookie that an answer sets, as a browser sends it back.
fn cookie(answer: &Answer, name: &str) -> String {
    let lines = answer.headers.iter().filter(|(key, _)| key == "set-cookie");
    let mut pairs = lines.filter_map(|(_, line)| line.split(';').next());
    pairs
        .find(|pair| pair.starts_with(name))
        .unwrap()
        .to_owned()
}

/// The way of a browser that knows nothing yet: its cookie at the wiki, and where it is led.
fn begins(canton: &Canton, uri: &str) -> (String, String) {
    let refused = checks(canton, uri, "");
    assert_eq!(refused.status, 303, "{}", refused.body);
    let start = refused.location().strip_prefix(WIKI).unwrap().to_owned();
    let started = calls(canton, forwarded(&start, WIKI, &start));
    assert_eq!(started.status, 303, "{}", started.body);
    (
        cookie(&started, "furka-browser"),
        started.location().to_owned(),
    )
}

/// Somebody who signed in at school: the browser at the provider, and the cookies at the wiki.
fn enters_the_wiki(canton: &mut Canton) -> (Person, Box<dyn Browser>, String) {
    let (browser_cookie, way) = begins(canton, "/pages/1?a=b");
    let (person, mut browser) = with_a_token(canton);
    let back = enters(&mut *browser, &way, &person);
    let callback = back.location().strip_prefix(WIKI).unwrap().to_owned();
    let answer = calls(
        canton,
        forwarded(&callback, WIKI, &callback).header("cookie", &browser_cookie),
    );
    assert_eq!(
        answer.location(),
        format!("{WIKI}/pages/1?a=b"),
        "{}",
        answer.body
    );
    let cookies = format!("{browser_cookie}; {}", cookie(&answer, "furka-gate"));
    (person, browser, cookies)
}

/// [A01] [N08] With a session a request passes, and every identity header is said.
#[test]
fn whoever_has_signed_in_passes_by_name() {
    let mut canton = canton();
    let (_, _, cookies) = enters_the_wiki(&mut canton);
    let passed = checks(&canton, "/pages/1", &cookies);
    assert_eq!(passed.status, 200, "{}", passed.body);
    for (name, value) in [
        ("remote-user", "luca.zenruffinen"),
        ("remote-name", "Luca Zenruffinen"),
        ("remote-email", ""),
        ("remote-groups", "teacher"),
        ("remote-acr", "https://refeds.org/profile/sfa"),
    ] {
        assert_eq!(passed.header(name), Some(value), "{name}");
    }
    assert_eq!(
        checks(&canton, "/office/1", &cookies).status,
        403,
        "another group"
    );
    assert_eq!(
        checks(&canton, "/", &cookies).status,
        403,
        "no rule, nobody"
    );
    assert_eq!(
        checks(&canton, "/strong", &cookies).status,
        303,
        "one factor is not two"
    );
    let elsewhere = forwarded("/gate/check", "https://elsewhere.example.ch", "/pages/1");
    assert_eq!(
        calls(&canton, elsewhere.header("cookie", &cookies)).status,
        403
    );
}

/// The front page leads to what is registered.
#[test]
fn a_wiki_stands_on_the_front_page() {
    let canton = canton();
    let page = calls(&canton, Attempt::get(&at("/")));
    let link = "href=\"https://wiki.example.ch/\"";
    assert!(page.body.contains(link), "{} {}", page.status, page.body);
}

/// nginx knows 401; a form that was posted is not led away.
#[test]
fn whoever_has_not_signed_in_is_led_as_the_proxy_can() {
    let canton = canton();
    let asked = calls(&canton, forwarded("/gate/auth-request", WIKI, "/pages/1"));
    assert_eq!((asked.status, asked.location().is_empty()), (401, false));
    let start = "https://wiki.example.ch/.furka/start?to=%2Fpages%2F1";
    assert_eq!(asked.location(), start);
    let posted = forwarded("/gate/check", WIKI, "/pages/1").header("x-forwarded-method", "POST");
    let posted = calls(&canton, posted);
    assert_eq!((posted.status, posted.location()), (401, ""));
}

/// [N08] What a client smuggles past its proxy has no effect: nobody passes.
#[test]
fn smuggled_headers_open_nothing() {
    let mut canton = canton();
    let (_, _, cookies) = enters_the_wiki(&mut canton);
    for (name, value) in [
        ("remote-user", "admin"),
        ("remote_user", "admin"),
        ("Remote_Groups", "staff"),
        ("x-forwarded-uri", "/pages/1"),
        ("x-forwarded-host", "other.example.ch"),
        ("x_forwarded_uri", "/pages/1"),
        ("x-forwarded_host", "wiki.example.ch"),
    ] {
        let attempt = forwarded("/gate/check", WIKI, "/pages/1");
        let answer = calls(
            &canton,
            attempt.header("cookie", &cookies).header(name, value),
        );
        assert_eq!(answer.status, 403, "{name}");
        assert_eq!(answer.header("remote-user"), None, "{name}");
    }
    // [N01] From anybody but a listed proxy it is nothing.
    let straight = forwarded("/gate/check", WIKI, "/pages/1").header("cookie", &cookies);
    assert_eq!(canton.calls([203, 0, 113, 66], straight).status, 403);
    for uri in [
        "/pages/../office/1",
        "/pages//x",
        "/pages/%2e%2e/office/1",
        "/pages/1;x",
        "pages/1",
    ] {
        assert_eq!(checks(&canton, uri, &cookies).status, 403, "{uri}");
    }
}

/// [S01] A ticket works once, in the browser that began, on the host it was made for, for a minute.
#[test]
fn a_ticket_of_the_gate_is_bound() {
    let mut canton = canton();
    let (person, mut browser) = at_school(&mut canton);
    let (cookie_1, way) = begins(&canton, "/pages/1");
    let back = enters(&mut *browser, &way, &person);
    let callback = back.location().strip_prefix(WIKI).unwrap().to_owned();
    let brings = |canton: &Canton, origin: &str, cookie: &str| {
        calls(
            canton,
            forwarded(&callback, origin, &callback).header("cookie", cookie),
        )
    };
    assert_eq!(
        brings(&canton, "https://other.example.ch", &cookie_1).status,
        410
    );
    assert_eq!(brings(&canton, WIKI, &cookie_1).status, 303);
    assert_eq!(brings(&canton, WIKI, &cookie_1).status, 410, "once");
    let (cookie_2, _) = begins(&canton, "/pages/1");
    for (cookie, who) in [(cookie_2.as_str(), "another browser"), ("", "no browser")] {
        let back = browser.sends(Attempt::get(&way));
        let callback = back.location().strip_prefix(WIKI).unwrap().to_owned();
        let brings = |cookie: &str| {
            let brought = forwarded(&callback, WIKI, &callback);
            calls(&canton, brought.header("cookie", cookie)).status
        };
        assert_eq!(brings(cookie), 403, "{who}");
        assert_eq!(brings(&cookie_1), 410, "{who} used it up");
    }
    let late = browser.sends(Attempt::get(&way));
    let callback = late.location().strip_prefix(WIKI).unwrap().to_owned();
    canton.passes(61);
    let late = forwarded(&callback, WIKI, &callback).header("cookie", &cookie_1);
    assert_eq!(calls(&canton, late).status, 410, "after a minute");
}

/// [S05] The cookie of a host ends with the provider's session, wherever that ends, and works nowhere else.
#[test]
fn a_sign_out_ends_every_host() {
    let mut canton = canton();
    let (_, mut browser, cookies) = enters_the_wiki(&mut canton);
    let other = forwarded("/gate/check", "https://other.example.ch", "/pages/1");
    let other = calls(&canton, other.header("cookie", &cookies));
    assert_eq!(other.status, 303, "the cookie of another host is none");
    assert_eq!(checks(&canton, "/pages/1", &cookies).status, 200);
    signs_out(&mut *browser, &at("/logout"));
    assert_eq!(checks(&canton, "/pages/1", &cookies).status, 303);

    let (_, mut browser, cookies) = enters_the_wiki(&mut canton);
    let out = forwarded("/.furka/sign-out", WIKI, "/.furka/sign-out").header("cookie", &cookies);
    let out = calls(&canton, out);
    assert_eq!(out.location(), at("/logout"));
    assert_eq!(
        checks(&canton, "/pages/1", &cookies).status,
        200,
        "asked first"
    );
    signs_out(&mut *browser, out.location());
    assert_eq!(checks(&canton, "/pages/1", &cookies).status, 303);
    let silent = browser.sends(Attempt::get(&at("/account")));
    assert_eq!(
        silent.location(),
        "/login",
        "the provider's session has ended as well"
    );
}

/// [S04] [A01] A path that demands two factors, and a browser that left the school, take a step up.
#[test]
fn a_demand_is_looked_at_for_every_request() {
    let mut canton = canton();
    let (person, mut browser, cookies) = enters_the_wiki(&mut canton);
    let home = Attempt::get(&at("/gate/check"))
        .header("x-forwarded-for", "203.0.113.5")
        .header("x-forwarded-proto", "https")
        .header("x-forwarded-host", "wiki.example.ch")
        .header("x-forwarded-uri", "/pages/1")
        .header("cookie", &cookies);
    assert_eq!(
        calls(&canton, home).status,
        303,
        "a password counts at school"
    );

    let (browser_cookie, way) = begins(&canton, "/strong/x");
    let mut stranger = canton.browser(Place::School);
    stranger.opens(&way);
    stranger.sees("Wiki");
    browser.opens(&way);
    browser.clicks(testkit::Words::of(Language::French).next);
    let code = {
        let town: &mut dyn Town = &mut canton;
        town.presses_token(&person)
    };
    let (action, fields) = browser.form();
    let kept = fields
        .iter()
        .filter(|(name, _)| name != "code" && name != "action");
    let mut filled: Vec<(&str, &str)> = kept
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    filled.push(("code", &code));
    let back = browser.sends(Attempt::post(&action, &filled).from_page_of(&at("")));
    let callback = back.location().strip_prefix(WIKI).unwrap().to_owned();
    let came = forwarded(&callback, WIKI, &callback).header("cookie", &browser_cookie);
    let came = calls(&canton, came);
    let strong = cookie(&came, "furka-gate");
    let passed = checks(&canton, "/strong/x", &strong);
    assert_eq!(
        passed.header("remote-acr"),
        Some("https://refeds.org/profile/mfa")
    );
    assert_eq!(
        checks(&canton, "/pages/1", &cookies).status,
        303,
        "the weaker session is dead"
    );
}

/// Traefik does not tell the target of what it passes on.
#[test]
fn a_browser_starts_where_the_proxy_tells_nothing_but_the_host() {
    let mut canton = canton();
    let (person, mut browser) = at_school(&mut canton);
    let passed_on = |path: &str, cookie: &str| {
        Attempt::get(&at(path))
            .header("x-forwarded-for", "192.0.2.9")
            .header("x-forwarded-proto", "https")
            .header("x-forwarded-host", "wiki.example.ch")
            .header("cookie", cookie)
    };
    let started = calls(&canton, passed_on("/.furka/start?to=%2Fpages%2F1", ""));
    let browser_cookie = cookie(&started, "furka-browser");
    let back = enters(&mut *browser, started.location(), &person);
    let callback = back.location().strip_prefix(WIKI).unwrap();
    let came = calls(&canton, passed_on(callback, &browser_cookie));
    assert_eq!(came.location(), format!("{WIKI}/pages/1"), "{}", came.body);
    let out = calls(&canton, passed_on("/.furka/sign-out", ""));
    assert_eq!(out.location(), at("/logout"));
}

/// [C01] Nobody is led away from a registered host.
#[test]
fn a_start_leads_to_its_own_host_only() {
    let mut canton = canton();
    for to in [
        "https%3A%2F%2Fevil.example%2F",
        "%2F%2Fevil.example",
        "%2F%5Cevil.example",
        "x",
    ] {
        let start = format!("/.furka/start?to={to}");
        let answer = calls(&canton, forwarded(&start, WIKI, &start));
        assert_eq!((answer.status, answer.location()), (400, ""), "{to}");
    }
    let start = "/.furka/start?to=%2Fpages%2F";
    let elsewhere = forwarded(start, "https://evil.example", start);
    assert_eq!(calls(&canton, elsewhere).status, 400);
    let straight = sends(&mut canton, Attempt::get(&at(start)));
    assert_eq!(straight.status, 400, "no proxy of the gate");
    let forged = sends(&mut canton, Attempt::get(&at("/gate/enter?want=AAAA")));
    assert_eq!(forged.status, 400);
}
