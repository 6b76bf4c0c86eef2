//! Every route of the table, called by somebody who has nothing: no cookie, no secret, no journey.

use std::collections::BTreeSet;

use server::{ROUTES, Route};
use testkit::memory::Canton;
use testkit::{Answer, Attempt, Language, Town};

use crate::application::{at, sends};

/// Routes that are not called here. May only shrink.
const UNTESTED: &str = include_str!("strangers.txt");
/// How many they are: a lower number is written down, a higher one is not.
const UNTESTED_COUNT: usize = 0;

/// [A01] Whoever comes with nothing leaves with nothing, wherever they knock.
#[test]
fn a_stranger_gets_nothing_anywhere() {
    let mut canton = Canton::new(Language::French);
    let untested = untested();
    assert_eq!(
        untested.len(),
        UNTESTED_COUNT,
        "the list of untested routes may only shrink"
    );
    for route in ROUTES.iter().filter(|route| !untested.contains(route.path)) {
        for method in ["GET", "POST"] {
            let answer = sends(&mut canton, knock(route, method));
            let what = format!("{method} {}: {}", route.path, answer.status);
            if !route.methods.contains(&method) {
                assert_eq!(answer.status, 405, "{what}");
                continue;
            }
            assert!(answer.status < 500, "{what}");
            assert!(!answer.signs_somebody_in(), "{what}");
            assert!(
                answer.cookies_set().all(|name| !name.contains("session")),
                "{what}"
            );
            assert!(
                !answer.body.contains("edu.example"),
                "{what} tells of somebody"
            );
            let refused = matches!(answer.status, 400 | 401 | 403 | 404 | 410);
            match format!("{:?}", route.who).as_str() {
                "Anybody" => {}
                "Application" | "Browser" | "Message" => assert!(refused, "{what}"),
                "Service" => assert!(is_no(&answer), "{what}: {}", answer.body),
                "Session" => assert!(refused || asks_to_sign_in(&answer), "{what}"),
                who => panic!("nobody said what a stranger gets where {who} may come"),
            }
        }
    }
}

/// [A01] What is not in the table does not exist, and other methods neither.
#[test]
fn there_is_nothing_beside_the_table() {
    let mut canton = Canton::new(Language::French);
    for path in [
        "/admin", "/api", "/api/v1", "/metrics", "/debug", "/login/", "/token/x", "/.env",
    ] {
        let answer = canton.calls([203, 0, 113, 66], Attempt::get(&at(path)));
        assert_eq!(answer.status, 404, "{path}");
    }
    for route in ROUTES {
        // What is the same for everybody any script may read; of the rest, none that is not registered.
        let public = route.path.starts_with("/.well-known/") || route.path == "/jwks";
        for method in ["PUT", "DELETE", "PATCH", "TRACE", "OPTIONS", "PROPFIND"] {
            if route.methods.contains(&method) {
                let answer = sends(&mut canton, knock(route, method));
                assert!(
                    matches!(answer.status, 401 | 403 | 404),
                    "{method} {}",
                    route.path
                );
                continue;
            }
            let answer = sends(&mut canton, knock(route, method));
            let (what, asks) = (format!("{method} {}", route.path), method == "OPTIONS");
            assert!(
                matches!(answer.status, 403 | 405) || asks && answer.status == 204,
                "{what}: {}",
                answer.status
            );
            let readable_by = answer.header("access-control-allow-origin");
            assert_eq!(readable_by, (public && asks).then_some("*"), "{what}");
            let with_cookies = answer.header("access-control-allow-credentials");
            assert_eq!(with_cookies, None, "{what}");
        }
    }
}

/// The list names routes that exist, and none twice.
#[test]
fn the_list_of_untested_routes_is_true() {
    for path in untested() {
        assert!(
            ROUTES.iter().any(|route| route.path == path),
            "`{path}` is no route"
        );
    }
}

/// Health and metrics are for operators, on their own listener.
#[test]
fn operators_have_their_own_door() {
    let canton = Canton::new(Language::French);
    let origin = canton.origins().provider;
    for (path, said) in [
        ("/health/live", "live"),
        ("/health/ready", "ready"),
        ("/metrics", "# EOF"),
    ] {
        let answer = canton.calls_management(Attempt::get(&format!("{origin}{path}")));
        assert_eq!(answer.status, 200, "{path}");
        assert!(answer.body.contains(said), "{path}: {}", answer.body);
    }
}

fn untested() -> BTreeSet<&'static str> {
    UNTESTED
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .collect()
}

/// A request that somebody makes who knows the address only.
fn knock(route: &Route, method: &str) -> Attempt {
    let path = route.path.replace("{id}", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    let path = path
        .replace("{token}", &"A".repeat(43))
        .replace("{name}", "mark.svg");
    let fields = [
        ("username", "anna.roten"),
        ("password", "guess"),
        ("code", "123456"),
        ("grant_type", "authorization_code"),
    ];
    let fields: &[(&str, &str)] = if method == "GET" { &[] } else { &fields };
    let mut attempt = Attempt::post(&at(&path), fields);
    attempt.method = method.to_owned();
    attempt
}

/// CAS says no in a document.
fn is_no(answer: &Answer) -> bool {
    let document = answer.body.contains("INVALID_REQUEST") && !answer.body.contains("Success");
    document || answer.body == "no\n"
}

fn asks_to_sign_in(answer: &Answer) -> bool {
    answer.location().starts_with("/login") || answer.body.contains("name=\"password\"")
}
