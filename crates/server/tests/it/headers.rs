//! The headers by which browsers are told how to treat our pages.

use testkit::memory::Canton;
use testkit::{Answer, Attempt, Language};

use crate::application::{asks, at, at_school, enters};
use crate::registered::registers;

const STRANGER: [u8; 4] = [203, 0, 113, 66];
const HTTPS: &str = "https://identite.example";

fn pages() -> [String; 7] {
    [
        at("/"),
        at("/login"),
        at("/activate"),
        at("/account"),
        at("/nothing-here"),
        at("/resume/abc"),
        asks(&[]),
    ]
}

/// [S08] Every page has its policy: no foreign code, no frames, no guessing of types, no referrer to
/// others.
#[test]
fn every_page_is_closed_to_others() {
    let canton = Canton::new(Language::French);
    for url in pages() {
        let answer = canton.calls(STRANGER, Attempt::get(&url));
        let policy = answer
            .header("content-security-policy")
            .unwrap_or_default()
            .to_owned();
        if answer
            .header("content-type")
            .is_some_and(|kind| kind.starts_with("text/html"))
        {
            for part in [
                "default-src 'none'",
                "base-uri 'none'",
                "object-src 'none'",
                "frame-ancestors 'none'",
                "script-src 'nonce-",
                "style-src 'nonce-",
            ] {
                assert!(policy.contains(part), "{url}: {policy}");
            }
            assert!(!policy.contains("unsafe"), "{url}: {policy}");
            assert_eq!(answer.header("cache-control"), Some("no-store"), "{url}");
        }
        assert_eq!(
            answer.header("x-content-type-options"),
            Some("nosniff"),
            "{url}"
        );
        assert_eq!(
            answer.header("cross-origin-opener-policy"),
            Some("same-origin"),
            "{url}"
        );
        let referrer = answer.header("referrer-policy").unwrap_or_default();
        assert!(
            matches!(referrer, "no-referrer" | "same-origin"),
            "{url}: {referrer}"
        );
        assert_eq!(answer.header("access-control-allow-origin"), None, "{url}");
        let nonce = policy
            .split("nonce-")
            .nth(1)
            .map(|rest| rest.split('\'').next().unwrap());
        if let Some(nonce) = nonce {
            let again = canton.calls(STRANGER, Attempt::get(&url));
            assert!(
                !again
                    .header("content-security-policy")
                    .unwrap()
                    .contains(nonce),
                "{url}"
            );
        }
    }
}

/// [S08] No page asks anybody else for anything.
#[test]
fn no_page_loads_anything_from_elsewhere() {
    let canton = Canton::new(Language::French);
    for url in pages() {
        let answer = canton.calls(STRANGER, Attempt::get(&url));
        for pieces in answer.body.split("src=\"").skip(1) {
            assert!(
                pieces.starts_with('/') && !pieces.starts_with("//"),
                "{url}: {pieces:.60}"
            );
        }
        for pieces in answer.body.split("<link").skip(1) {
            assert!(pieces.contains("href=\"/"), "{url}: {pieces:.80}");
        }
    }
}

/// [S08] [RFC 8252 §7] After a form the browser may go on to applications on its own device, if such are
/// registered and switched on, and to nothing else.
#[test]
fn a_form_leads_to_applications_that_are_registered() {
    let canton = Canton::new(Language::French);
    let native = |id: &str, enabled: bool, addresses: &str| {
        format!(
            "[[application]]\nid = \"{id}\"\nenabled = {enabled}\nkind = \"native\"\nauth = \"none\"\n\
             name = {{ fr = \"App\", de = \"App\", en = \"App\" }}\nredirect_uris = [{addresses}]\n\
             scopes = [\"openid\"]\n"
        )
    };
    let form_action = || {
        let node = canton.calls_at(HTTPS, Attempt::get(&format!("{HTTPS}/login")));
        let policy = node.header("content-security-policy").unwrap();
        let found = policy.split("form-action ").nth(1).unwrap();
        found.to_owned()
    };
    let all = native("one", true, "\"ch.example.app:/back\"")
        + &native("two", false, "\"ch.example.off:/back\"");
    registers(&canton, &all);
    assert_eq!(
        form_action(),
        "'self' https: ch.example.app: http://localhost:* http://127.0.0.1:*",
        "the ENT of the demo is at localhost"
    );
}

/// [S02] Over https every cookie is for this host alone, out of reach of scripts, and none of those
/// that mean something outlives the browser.
#[test]
fn cookies_are_for_this_host_and_end_with_the_browser() {
    let canton = Canton::new(Language::French);
    let answer = canton.calls_at(HTTPS, Attempt::get(&format!("{HTTPS}/login?ui=de")));
    let lines = cookies(&answer);
    assert!(lines.len() >= 2, "{lines:?}");
    for line in &lines {
        assert!(line.starts_with("__Host-"), "{line}");
        for part in ["; Secure", "; HttpOnly", "; SameSite=Lax", "; Path=/"] {
            assert!(line.contains(part), "{line}");
        }
        assert!(!line.contains("Domain"), "{line}");
        assert_eq!(
            line.contains("Max-Age"),
            line.contains("language"),
            "{line}"
        );
    }
    let year = answer.header("strict-transport-security").unwrap();
    assert!(year.starts_with("max-age=31536000"), "{year}");
}

/// What is seen at a host of an application says nothing of its other hosts.
#[test]
fn only_our_own_host_is_kept_to_https() {
    let canton = Canton::new(Language::French);
    for path in ["/.furka/start", "/gate/check", "/gate/auth-request"] {
        let answer = canton.calls_at(HTTPS, Attempt::get(&format!("{HTTPS}{path}")));
        assert!(matches!(answer.status, 400 | 403), "{}", answer.status);
        assert_eq!(answer.header("strict-transport-security"), None, "{path}");
    }
}

/// [S02] The session's cookie too.
#[test]
fn the_session_ends_with_the_browser() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    let answer = enters(&mut *browser, &asks(&[]), &person);
    let lines = cookies(&answer);
    let session = lines.iter().find(|line| line.contains("session")).unwrap();
    assert!(
        !session.contains("Max-Age") && !session.contains("Expires"),
        "{session}"
    );
    assert!(
        session.contains("; HttpOnly") && session.contains("; SameSite=Lax"),
        "{session}"
    );
    let value = session.split(['=', ';']).nth(1).unwrap();
    assert!(value.len() >= 43, "at least 256 bits: {value}");
}

/// [S10] After a password the browser is sent on by 303, which never repeats the form.
#[test]
fn a_form_is_never_sent_on() {
    let mut canton = Canton::new(Language::French);
    let (person, mut browser) = at_school(&mut canton);
    let answer = enters(&mut *browser, &asks(&[]), &person);
    assert_eq!(answer.status, 303);
}

fn cookies(answer: &Answer) -> Vec<String> {
    let lines = answer
        .headers
        .iter()
        .filter(|(name, _)| name == "set-cookie");
    lines.map(|(_, line)| line.clone()).collect()
}
